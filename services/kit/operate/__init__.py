"""Operators' commands that every service has: `state`, `dlq`, `refused`, `republish`. `sanwu` (deploy/cli) calls them.

Each tells its outcome as one JSON object on standard output with `--json`, as lines for people otherwise; a failure is
one sentence on standard error and status 1.
"""

from typer import Typer

from services.kit.cli import new_app
from services.kit.consumer import Handlers
from services.kit.operate.dlq import dlq_app
from services.kit.operate.refused import refused_app
from services.kit.operate.republish import republish
from services.kit.operate.state import state


def commands(project: Handlers, react: Handlers) -> Typer:
    """The commands, for a service with these handlers."""
    app = new_app()
    app.command("state")(state)
    app.command("republish")(republish)
    app.add_typer(dlq_app(project, react), name="dlq")
    app.add_typer(refused_app(), name="refused")
    return app


__all__ = ["commands"]
