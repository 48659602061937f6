"""Parked records handled again, in order: at a start what this version has come to know, and what operators decide."""

from services.kit import park
from services.kit.consumer.handling import Effects
from services.kit.db import Database
from services.kit.log import get_logger
from services.kit.park import Decision
from services.kit.pulse import Beat, nothing

log = get_logger(__name__)


async def replay(
    database: Database,
    effects: Effects,
    aggregate_key: str,
    decision: Decision | None = None,
    beat: Beat = nothing,
) -> int:
    """Handle an aggregate's parked records in order, in one transaction; returns how many. Raises what they raise."""
    count = 0
    async with database.transaction() as conn:
        # Looked for until none is left: the consumer may have parked one more while this waited for the rows.
        while parked := await park.lock_parked(conn, aggregate_key):
            for parked_id, record in parked:
                beat()
                await effects.handle_one(conn, record)
                await park.release(conn, parked_id, decision)
            count += len(parked)
        await park.show_count(conn)
    return count


async def replay_known_types(database: Database, effects: Effects, beat: Beat = nothing) -> None:
    """At a start: replay what was parked for an unknown type that this version knows."""
    async with database.connection() as conn:
        aggregates = await park.select_known_again(conn)
    for aggregate in aggregates:
        try:
            count = await replay(database, effects, aggregate, beat=beat)
            log.info("parked records replayed", aggregate=aggregate, count=count)
        except Exception as error:  # noqa: BLE001 - it stays parked; the start goes on
            log.error("parked records stay", aggregate=aggregate, error=park.reason(error))  # noqa: TRY400 - no traceback wanted
