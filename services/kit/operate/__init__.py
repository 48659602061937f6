"""Operators' commands that every service has: `state`, `dlq`, `republish`. `sanwu` (deploy/cli) calls them.

Each tells its outcome as one JSON object on standard output with `--json`, as lines for people otherwise; a failure is
one sentence on standard error and status 1.
"""

from collections.abc import Sequence

from services.kit.consumer import Handlers
from services.kit.operate.dlq import dlq_command
from services.kit.operate.republish import REPUBLISH
from services.kit.operate.state import STATE
from services.kit.runtime import Command


def commands(project: Handlers, react: Handlers) -> Sequence[Command]:
    """The commands, for a service with these handlers."""
    return (STATE, dlq_command(project, react), REPUBLISH)


__all__ = ["commands"]
