"""`python -m services.publish rebuild` and `digest`."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from services.kit import trail
from services.kit.consumer import Handlers
from services.kit.db import INFRASTRUCTURE_ERRORS, UnstorableError
from services.kit.process import Command
from services.kit.rebuild import Rebuild, RebuildError, Tally, alone
from services.kit.runtime import Runtime
from services.publish.rebuild.compare import Difference, by_village, differences, rows_by_table
from services.publish.store import marks, read_model

SERVING: Final = "publish_read"
#: Marks and the list of changes are publish's own: a rebuild has nothing to say about them.
_ANSWERED: Final = frozenset({marks.INSERT_MARKS, marks.INSERT_CHANGE})
_SHOWN: Final = 50


class DiffersError(RebuildError):
    """The new model is not the serving one's equal."""

    def __init__(self, found: list[Difference], failed: list[str]) -> None:
        super().__init__("The new model differs from the serving one: see the list; --accept switches all the same.")
        self.found = found
        self.failed = failed


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accept", action="store_true", help="switch even when villages differ")
    parser.add_argument("--check", action="store_true", help="build and compare, then drop the new model")
    parser.add_argument("--drop-old", action="store_true", help="drop the models that served before, build nothing")
    parser.add_argument("--json", action="store_true", help="tell the outcome as one JSON object")
    trail.add_by(parser)


def rebuild_command(project: Handlers) -> Command:
    """`rebuild`, with the handlers that fill the read model."""

    async def run(runtime: Runtime, arguments: argparse.Namespace) -> int:
        status = await _guarded(_drop_old if arguments.drop_old else _rebuild, runtime, arguments, project)
        if status == 0 and not arguments.check:
            async with runtime.database.transaction() as conn:
                how = "rebuild --drop-old" if arguments.drop_old else "rebuild"
                await trail.note_command(conn, runtime, arguments.by, how)
        return status

    return Command("rebuild", "build the read model anew beside the serving one, compare, switch", _add_arguments, run)


async def _guarded(
    work: Callable[[Runtime, argparse.Namespace, Handlers], Awaitable[int]],
    runtime: Runtime,
    arguments: argparse.Namespace,
    project: Handlers,
) -> int:
    try:
        return await work(runtime, arguments, project)
    except DiffersError as error:
        _tell(arguments, {"switched": False, "differences": [_plain(d) for d in error.found], "failed": error.failed})
        for sentence in [*(d.sentence() for d in error.found[:_SHOWN]), *error.failed[:_SHOWN]]:
            sys.stderr.write(f"{sentence}\n")
        sys.stderr.write(f"{error}\n")
    except RebuildError as error:
        sys.stderr.write(f"{error}\n")
    except (*INFRASTRUCTURE_ERRORS, UnstorableError) as error:
        sys.stderr.write(f"The rebuild was interrupted, the old model serves on: {error!r}\n")
    except ExceptionGroup as group:
        sys.stderr.write(f"The rebuild was interrupted, the old model serves on: {group.exceptions[0]!r}\n")
    return 1


async def _drop_old(runtime: Runtime, arguments: argparse.Namespace, _project: Handlers) -> int:
    async with alone(runtime) as session, session.transaction() as conn:
        dropped = await read_model.drop_old(conn) + await read_model.drop_unfinished(conn)
    _tell(arguments, {"dropped": dropped}, f"{dropped} models dropped")
    return 0


async def _rebuild(runtime: Runtime, arguments: argparse.Namespace, project: Handlers) -> int:
    started = time.monotonic()
    with ExitStack() as stack:
        show = stack.enter_context(_Bar(quiet=arguments.json))
        # Handlers remove rendered bodies of what is withdrawn: here they find an empty folder.
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sanwu-rebuild-")))
        settings = runtime.settings.model_copy(update={"home": scratch})
        async with alone(runtime) as session:
            async with session.transaction() as conn:
                await read_model.drop_unfinished(conn)
                number = await read_model.make_read_model(conn)
            rebuild = Rebuild(runtime, project, f"publish_read_{number}", settings, _ANSWERED)
            try:
                found, held = await _build(rebuild, number, arguments, show)
            finally:
                # After the switch there is none of that name.
                async with session.transaction() as conn:
                    await read_model.drop_unfinished(conn)
    seconds = time.monotonic() - started
    tally = rebuild.tally
    outcome = {
        "switched": not arguments.check,
        "number": number,
        "records": tally.read,
        "projected": tally.projected,
        "passed_over": len(tally.passed_over),
        "failed": _failed(tally),
        "differences": [_plain(d) for d in found],
        "seconds": round(seconds, 3),
        "held_seconds": round(held, 3),
    }
    verb = "compared and dropped" if arguments.check else "switched"
    held_ms = f"{held * 1000:.0f} ms"
    _tell(arguments, outcome, f"{verb}: {tally.projected} events in {seconds:.1f} s, consumers held for {held_ms}")
    return 0


async def _build(
    rebuild: Rebuild, number: int, arguments: argparse.Namespace, show: "_Bar"
) -> tuple[list[Difference], float]:
    """Build, compare, switch under the locks; returns the accepted differences and how long consumers were held."""
    try:
        async with rebuild.building(show.progress):
            async with rebuild.snapshot() as conn:
                serving = await read_model.select_digests(conn, SERVING)
                built = await read_model.select_digests(conn, f"publish_read_{number}")
            found, failed = differences(serving, built), _failed(rebuild.tally)
            if (found or failed) and not arguments.accept:
                raise DiffersError(found, failed)
            held = time.monotonic()
            if not arguments.check:
                async with rebuild.held() as conn:
                    await read_model.switch_read_model(conn, number)
            return found, time.monotonic() - held
    except TimeoutError as error:
        message = "Kafka does not give the records that the offsets promise: check the topics, republish, try again."
        raise RebuildError(message) from error


def _failed(tally: Tally) -> list[str]:
    return [f"{r.topic}[{r.partition}]@{r.offset} {r.type}: {why}" for r, why in tally.failed]


def _plain(d: Difference) -> dict[str, Any]:
    return {"village": d.village, "table": d.table, "serving_rows": d.serving_rows, "built_rows": d.built_rows}


def _tell(arguments: argparse.Namespace, outcome: dict[str, Any], sentence: str = "") -> None:
    if arguments.json:
        sys.stdout.write(json.dumps(outcome, ensure_ascii=False) + "\n")
    elif sentence:
        sys.stdout.write(f"{sentence}\n")


class _Bar:
    """A progress bar on standard error."""

    def __init__(self, *, quiet: bool) -> None:
        columns = (
            TextColumn("rebuild"),
            BarColumn(),
            TaskProgressColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), disable=quiet)
        self._task = self._bar.add_task("rebuild", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def progress(self, tally: Tally) -> None:
        """Show how far it is."""
        self._bar.update(self._task, completed=tally.read, total=max(tally.total, tally.read))


def _digest_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as one JSON object")


async def _digest(runtime: Runtime, arguments: argparse.Namespace) -> int:
    async with runtime.database.connection() as conn:
        found = await read_model.select_digests(conn, SERVING)
    villages, rows = by_village(found), rows_by_table(found)
    if arguments.json:
        sys.stdout.write(json.dumps({"rows": rows, "villages": villages}, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{digest}  {village or '-'}\n" for village, digest in villages.items())
    return 0


digest_command: Final = Command("digest", "a digest of the read model for each village", _digest_arguments, _digest)
