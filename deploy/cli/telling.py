"""How the command speaks: one JSON object with `--json`, tables for people otherwise."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="One JSON object with stable keys on standard output.")]
Yes = Annotated[bool, typer.Option("--yes", help="Act. Without it the command only tells what it would do.")]
By = Annotated[str, typer.Option("--by", help="Who decides.")]
Actor = Annotated[str, typer.Option("--by", help="Who does it, for the trail; the system's user stands there anyway.")]
Why = Annotated[str, typer.Option("--why", help="Why.")]


def home_path() -> Path:
    """The city's folder."""
    return Path(os.environ.get("SANWU_HOME") or ".sanwu").absolute()


def named(by: str) -> tuple[str, ...]:
    """`--by`, as a service's command takes it."""
    return ("--by", by) if by else ()


def tell_json(told: Any) -> None:
    """One line of JSON."""
    print(json.dumps(told, ensure_ascii=False))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on standard output."""
    shown = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False)
    for row in rows:
        shown.add_row(*("" if cell is None else str(cell) for cell in row))
    # Into a file or a pipe, lines are as long as they are.
    Console(width=None if sys.stdout.isatty() else 240, highlight=False).print(shown)


def pairs(told: Mapping[str, object]) -> None:
    """Names and values, one a line."""
    for name, value in told.items():
        print(f"{name}: {value}")
