"""`sanwu dlq list` and `sanwu actions verify`: what every service is asked for, told together."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

from rich.console import Console
from rich.table import Table
from services.kit.cli import NO_SENSE, Told, at_once
from typer import BadParameter, Context, Option, TyperException

from deploy.cli.mount import OneService, known_service
from deploy.local import ask
from deploy.local.home import home_path
from deploy.local.postgres import SERVICES


def _answers(service: str, *words: str, patience_s: float | None = None) -> dict[str, ask.Answer]:
    """What one service, or each of them, answers; a line that makes no sense to them makes none here."""
    names = [known_service(service)] if service else list(SERVICES)
    info = ask.running_city(home_path())

    async def all_of_them() -> list[ask.Answer]:
        return await asyncio.gather(*(ask.run(info, name, *words, patience_s=patience_s) for name in names))

    answers = asyncio.run(all_of_them())
    if no_sense := next((a for a in answers if a.code == NO_SENSE), None):
        raise TyperException(no_sense.sentence())
    return dict(zip(names, answers, strict=True))


@at_once
def list_parked(line: Context, service: OneService = "") -> Told:
    """What is parked, and the last decisions about parked records. By --id, --key and --type as `dlq show`."""
    answers = _answers(service, "dlq", "list", "--json", *line.args, patience_s=ask.ANSWER_S)
    told = {name: answer.told(f"{name} dlq") for name, answer in answers.items()}
    columns = ("service", "id", "type", "aggregate", "parked at", "why")
    fields = ("id", "type", "aggregate", "parked_at", "error")
    rows = [(name, *(r[f] for f in fields)) for name, one in told.items() for r in one["parked"]]
    return Told({"services": told}, _table(f"{len(rows)} parked", columns, rows))


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    shown = Table(*columns, title=title, title_justify="left", box=None, pad_edge=False)
    for row in rows:
        shown.add_row(*("" if cell is None else str(cell) for cell in row))
    # Into a file or a pipe, lines are as long as they are.
    console = Console(width=None if sys.stdout.isatty() else 240, highlight=False)
    with console.capture() as drawn:
        console.print(shown)
    return drawn.get().splitlines()


@at_once
def verify(
    service: OneService = "",
    head: Annotated[str, Option("--head", help="POSITION:LINK noted earlier; needs --service.")] = "",
) -> Told:
    """Compute every link of the trail of staff actions anew; exit status 1 where it is broken or not as it was signed."""
    if head and not service:
        message = "A head belongs to one service: give --service."
        raise BadParameter(message)
    with tempfile.TemporaryDirectory(prefix="sanwu-") as folder:
        signed = _answers("audit", "heads", "--json")["audit"]
        file = Path(folder) / "heads.json"
        file.write_text(json.dumps(signed.told("audit heads")), encoding="utf-8")
        noted = ("--head", head) if head else ()
        answers = _answers(service, "actions", "verify", "--json", "--heads", str(file), *noted)
    told = {name: json.loads(a.out) if a.out.strip() else {"whole": False} for name, a in answers.items()}
    lines = [f"{name}: {_found(told[name]) or answer.sentence()}" for name, answer in answers.items()]
    from_kafka = bool(signed.told("audit heads")["from_kafka"])
    errors = (
        [] if from_kafka else ["Kafka was not asked for the signed heads: only those in the database were compared."]
    )
    return Told(
        {"services": told, "from_kafka": from_kafka}, lines, errors, status=max(a.code for a in answers.values())
    )


def _found(told: dict[str, Any]) -> str:
    """What a service found of its trail, as a sentence; empty when it did not come to it."""
    if broken := told.get("broken"):
        return f"broken at {broken['position']}: {broken['why']}"
    return f"whole from {told['from']} to {told['head']}, through {told['heads']} heads" if told["whole"] else ""
