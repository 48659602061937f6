"""`python -m services.publish rebuild` and `digest`."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TimeRemainingColumn
from typer import Option

from services.kit import trail
from services.kit.cli import By, Refusal, Told, Work, on_runtime, prepared
from services.kit.consumer import Handlers
from services.kit.db import INFRASTRUCTURE_ERRORS, UnstorableError
from services.kit.rebuild import Helpers, Rebuild, RebuildError, Tally, lock_rebuild
from services.kit.runtime import AnyRuntime
from services.kit.shred import use_key_seal
from services.publish.rebuild.compare import Difference, by_village, differences, rows_by_table
from services.publish.store import read_model, searchable

SERVING: Final = "publish_read"
_SHOWN: Final = 50


class DiffersError(Exception):
    """The new model is not the serving one's equal."""

    def __init__(self, found: list[Difference], failed: list[str]) -> None:
        super().__init__("The new model differs from the serving one: see the list; --accept switches all the same.")
        self.found = found
        self.failed = failed


def rebuild_command(project: Handlers) -> Callable[..., Work]:
    """`rebuild`, with the handlers that fill the read model."""

    @prepared(Helpers.beside)
    async def rebuild(
        runtime: AnyRuntime,
        helpers: Helpers,
        *,
        accept: Annotated[bool, Option("--accept", help="Switch even when villages differ.")] = False,
        check: Annotated[bool, Option("--check", help="Build and compare, then drop the new model.")] = False,
        drop_old: Annotated[
            bool, Option("--drop-old", help="Drop the models that served before, build nothing.")
        ] = False,
        by: By = None,
    ) -> Told:
        """Build the read model anew beside the serving one, compare it by village, switch to it."""
        try:
            with closing(helpers):
                if drop_old:
                    told = await _drop_old(runtime)
                else:
                    told = await _rebuild(runtime, project, helpers, accept=accept, check=check)
        except DiffersError as error:
            sentences = [*(d.sentence() for d in error.found[:_SHOWN]), *error.failed[:_SHOWN], str(error)]
            values = {"switched": False, "differences": [asdict(d) for d in error.found], "failed": error.failed}
            return Told(values, (), sentences, 1)
        except (*INFRASTRUCTURE_ERRORS, UnstorableError, ExceptionGroup) as error:
            cause = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            message = f"The rebuild was interrupted, the old model serves on: {cause!r}"
            raise Refusal(message) from error
        if not check:
            async with runtime.database.transaction() as conn:
                await trail.note_command(conn, runtime, by, "rebuild --drop-old" if drop_old else "rebuild")
                # What was accepted may be open now and was not before, or the other way round.
                await searchable.reconcile(conn)
        return told

    return rebuild


async def _drop_old(runtime: AnyRuntime) -> Told:
    async with lock_rebuild(runtime) as session, session.transaction() as conn:
        dropped = await read_model.drop_old(conn) + await read_model.drop_unfinished(conn)
    return Told({"dropped": dropped}, [f"{dropped} models dropped"])


async def _rebuild(runtime: AnyRuntime, project: Handlers, helpers: Helpers, *, accept: bool, check: bool) -> Told:
    started = time.monotonic()
    await helpers.everywhere(use_key_seal, runtime.settings.key_seal)
    with ExitStack() as stack:
        bar = stack.enter_context(_bar())
        task = bar.add_task("rebuild", total=None)

        def show(tally: Tally) -> None:
            bar.update(task, completed=tally.read, total=max(tally.total, tally.read))

        # Handlers remove rendered bodies of what is withdrawn: here they find an empty folder.
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sanwu-rebuild-")))
        settings = runtime.settings.model_copy(update={"home": scratch})
        async with lock_rebuild(runtime) as session:
            async with session.transaction() as conn:
                await read_model.drop_unfinished(conn)
                number = await read_model.make_read_model(conn)
            rebuild = Rebuild(runtime, project, f"publish_read_{number}", settings, helpers)
            try:
                found, held = await _build(rebuild, number, show, accept=accept, check=check)
            finally:
                # After the switch there is none of that name.
                async with session.transaction() as conn:
                    await read_model.drop_unfinished(conn)
    seconds = time.monotonic() - started
    tally = rebuild.tally
    outcome = {
        "switched": not check,
        "number": number,
        "records": tally.read,
        "projected": tally.projected,
        "passed_over": len(tally.passed_over),
        "failed": _failed(tally),
        "differences": [asdict(d) for d in found],
        "seconds": round(seconds, 3),
        "held_seconds": round(held, 3),
    }
    verb = "compared and dropped" if check else "switched"
    held_ms = f"{held * 1000:.0f} ms"
    sentence = f"{verb}: {tally.projected} events in {seconds:.1f} s, consumers held for {held_ms}"
    return Told(outcome, [sentence])


async def _build(
    rebuild: Rebuild, number: int, show: Callable[[Tally], None], *, accept: bool, check: bool
) -> tuple[list[Difference], float]:
    """Build, compare, switch under the locks; returns the accepted differences and how long consumers were held."""
    try:
        async with rebuild.building(show):
            async with rebuild.snapshots() as (one, other), asyncio.TaskGroup() as looking:
                serving = looking.create_task(read_model.select_digests(one, SERVING))
                built = looking.create_task(read_model.select_digests(other, f"publish_read_{number}"))
            found, failed = differences(serving.result(), built.result()), _failed(rebuild.tally)
            if (found or failed) and not accept:
                raise DiffersError(found, failed)
            held = time.monotonic()
            if not check:
                async with rebuild.hold_consumers() as conn:
                    await read_model.switch_read_model(conn, number)
            return found, time.monotonic() - held
    except TimeoutError as error:
        message = "Kafka does not give the records that the offsets promise: check the topics, republish, try again."
        raise RebuildError(message) from error


def _failed(tally: Tally) -> list[str]:
    return [f"{r.topic}[{r.partition}]@{r.offset} {r.type}: {why}" for r, why in tally.failed]


def _bar() -> Progress:
    """A progress bar on standard error, where somebody looks."""
    columns = ("rebuild", BarColumn(), TaskProgressColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=not console.is_terminal)


@on_runtime
async def digest(runtime: AnyRuntime) -> Told:
    """A digest of the read model for each village."""
    async with runtime.database.connection() as conn:
        found = await read_model.select_digests(conn, SERVING)
    villages, rows = by_village(found), rows_by_table(found)
    lines = (f"{digest}  {village or '-'}" for village, digest in villages.items())
    return Told({"rows": rows, "villages": villages}, lines)
