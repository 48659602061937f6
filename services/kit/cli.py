"""Operators' command lines, with Typer: how a command is declared, how a line is read, how the outcome is told.

    app = new_app("The catalogue of items.")

    @app.command("apply")
    @on_runtime
    async def apply(runtime: Runtime, file: Path, *, by: By = None) -> Told: ...    # has `--json` too

    read_line(app, ["apply", "items.csv"], "sanwu")     # what waits for a runtime, or the exit status where none is needed

Exit status: 0 done · 1 refused, one sentence on standard error says why · 2 the line makes no sense · 130 interrupted.
"""

import getpass
import inspect
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, Final, TypeVar, cast

from typer import Abort, Option, Typer, TyperException

from services.kit.errors import SanwuError

Json = Annotated[bool, Option("--json", help="One JSON object with stable keys on standard output.")]
By = Annotated[
    str | None,
    Option("--by", metavar="NAME", help="Who does it, for the trail; the system's user stands there anyway."),
]

#: What a line asks for, once there is a runtime; returns the exit status.
Work = Callable[[Any], Awaitable[int]]
Answer = TypeVar("Answer")

NO_SENSE: Final = 2
_REFUSED: Final = 1
_INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a command: by name, for JSON; as lines for people where those are others; what went wrong."""

    values: Mapping[str, Any]
    lines: Iterable[str] | None = None
    errors: Sequence[str] = ()
    status: int = 0


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of ours
    """A command is not carried out; the text is one sentence for the operator."""

    def __init__(self, sentence: str, status: int = _REFUSED) -> None:
        super().__init__(sentence)
        self.status = status


def system_user() -> str:
    """The system's name of whoever runs this process; the number where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def new_app(sentence: str | None = None) -> Typer:
    """A group of commands; alone it tells what there is."""
    return Typer(
        help=sentence,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def on_runtime(command: Callable[..., Awaitable[Told]]) -> Callable[..., Work]:
    """Let a command be read from a line before there is a runtime, its first parameter; it gets `--json`.

    Typer calls it while it still reads the line; the work must wait until settings were loaded and a runtime opened.
    """
    return _on_runtime(command, tuple, 1)


def prepared(prepare: Callable[[], object]) -> Callable[[Callable[..., Awaitable[Told]]], Callable[..., Work]]:
    """As `on_runtime`, and its second parameter is what was prepared while the line was read: before there is a loop or a thread."""
    return lambda command: _on_runtime(command, lambda: (prepare(),), 2)


def _on_runtime(
    command: Callable[..., Awaitable[Told]], prepare: Callable[[], tuple[object, ...]], own: int
) -> Callable[..., Work]:
    def asked(*arguments: Any, as_json: bool = False, **options: Any) -> Work:
        given = prepare()

        async def work(runtime: Any) -> int:
            try:
                return _tell(await command(runtime, *given, *arguments, **options), as_json=as_json)
            except Refusal as refusal:
                return _tell(Told({}, (), [str(refusal)], refusal.status), as_json=False)
            except SanwuError as error:
                return _tell(_refused(error, as_json=as_json), as_json=as_json)

        return work

    return _with_json(asked, command, own)


def at_once(command: Callable[..., Told]) -> Callable[..., int]:
    """Let a command that needs no runtime tell its outcome in the same way; it gets `--json`."""

    def done(*arguments: Any, as_json: bool = False, **options: Any) -> int:
        return _tell(command(*arguments, **options), as_json=as_json)

    return _with_json(done, command, 0)


def _with_json(shown: Callable[..., Answer], command: Callable[..., Any], own: int) -> Callable[..., Answer]:
    """Give a function the name, help and parameters of a command, but for the first `own` ones, and `--json`."""
    as_json = inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json)
    signature = inspect.signature(command)
    parameters = [*list(signature.parameters.values())[own:], as_json]
    wraps(command)(shown).__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined] # for Typer
    return shown


def read_line(app: Typer, words: Sequence[str], program: str) -> Work | int:
    """What a line asks for; the exit status where that is done already: help, a refusal, a command without a runtime."""
    try:
        asked: Work | int | None = app(words, prog_name=program, standalone_mode=False)
    except TyperException as error:
        sys.stderr.write(f"{error.format_message()}\n")
        return NO_SENSE
    except Abort:
        return _INTERRUPTED
    return asked or 0


def run_line(app: Typer, words: Sequence[str], program: str) -> int:
    """Run a line of an app none of whose commands waits for a runtime; returns the exit status."""
    return cast("int", read_line(app, words, program))


def _refused(error: SanwuError, *, as_json: bool) -> Told:
    faults = [{"at": f.at, "message": f.message} for f in error.faults]
    sentences = () if as_json else [error.detail, *(f"  {f.message}" for f in error.faults)]
    return Told({"code": error.code, "detail": error.detail, "errors": faults}, (), sentences, _REFUSED)


def _tell(told: Told, *, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(json.dumps(told.values, ensure_ascii=False) + "\n")
    else:
        lines = _lines(told.values) if told.lines is None else told.lines
        sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stderr.writelines(f"{sentence}\n" for sentence in told.errors)
    return told.status


def _lines(values: Mapping[str, Any]) -> Iterator[str]:
    """A value a line, of lists their length and an indented line for each; nothing of what there is none of."""
    for name, value in values.items():
        if value is None:
            continue
        yield f"{name}: {len(value) if isinstance(value, list) else value}"
        yield from (f"  {_line(one)}" for one in (value if isinstance(value, list) else ()))


def _line(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    return "  ".join(f"{name}={item}" for name, item in value.items() if item is not None)
