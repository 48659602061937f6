"""The services' own commands as commands of `sanwu`: what stands on the line goes to `python -m services.…` as it is.

    mount(app, "staff", "registry", "staff", summary="Accounts of staff.")     # sanwu staff reset USER --by NAME

Options and help are the service's own and stand there alone. Help needs no city.
"""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from typing import Annotated, Final

from typer import Context, Exit, Option, Typer, TyperException

from deploy.local import ask
from deploy.local.faults import Fault
from deploy.local.home import home_path
from deploy.local.postgres import SERVICES
from deploy.local.service import environment

ANY_SERVICE: Final = ", ".join(SERVICES)
OneService = Annotated[str, Option("--service", help=f"{ANY_SERVICE}; all by default.")]
#: For a command that passes on what it does not know.
AS_IT_IS: Final = {"allow_extra_args": True, "ignore_unknown_options": True}
_HELP: Final = {"-h", "--help"}


def known_service(name: str) -> str:
    """A service's name; a fault for anything else."""
    if name not in SERVICES:
        raise Fault(f"{name} is no service: choose {ANY_SERVICE}.")
    return name


def mount(app: Typer, name: str, service: str, *words: str, summary: str, group: bool = False) -> None:
    """Let `sanwu … NAME …` be `python -m services.SERVICE WORDS …`; a group alone tells what there is."""

    @app.command(name, help=summary, no_args_is_help=group, add_help_option=False, context_settings=AS_IT_IS)
    def run(line: Context) -> None:
        if _HELP & set(line.args):
            raise Exit(_help(line.command_path, service, words, line.args))
        raise Exit(_pass_on(service, *words, *line.args))


def mount_of_each(app: Typer, name: str, *words: str, summary: str) -> None:
    """Mount a command that every service has; `--service` says whose is run."""

    @app.command(name, help=summary, add_help_option=False, context_settings=AS_IT_IS)
    def run(line: Context, service: OneService = "") -> None:
        if _HELP & set(line.args):
            raise Exit(_help(f"{line.command_path} --service SERVICE", SERVICES[0], words, line.args))
        if not service:
            message = f"Missing option '--service': {ANY_SERVICE}."
            raise TyperException(message)
        raise Exit(_pass_on(known_service(service), *words, *line.args))


def _pass_on(service: str, *words: str) -> int:
    return min(asyncio.run(_live(service, words)), 2)


async def _live(service: str, words: Sequence[str]) -> int:
    info = ask.running_city(home_path())
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"services.{service}", *words),
        env=info.environment(service),
        preexec_fn=ask.as_owner(info.home),
    )
    return await process.wait()


def _help(shown: str, service: str, words: Sequence[str], more: Sequence[str]) -> int:
    """What the service says of its command, under the name that it has here."""
    command = [sys.executable, "-m", f"services.{service}", *words, *more]
    done = subprocess.run(command, env=environment({}), capture_output=True, text=True, check=False)
    sys.stderr.write(done.stderr)
    print(done.stdout.replace(f"python -m services.{service} {' '.join(words)}", shown), end="")
    return done.returncode
