"""`refused`: records that were not signed by the registry's root key, listed, and forgotten once somebody looked into it."""

from typing import Annotated

from typer import Option, Typer

from services.kit import trail
from services.kit.cli import By, Told, new_app, on_runtime
from services.kit.db import affected
from services.kit.runtime import AnyRuntime

SELECT_REFUSED = """
SELECT format('%s[%s]@%s', topic, partition, record_offset) AS place, key, type, fault, refused_at
FROM refused_record ORDER BY refused_at, topic, partition, record_offset
"""
FORGET_REFUSED = "DELETE FROM refused_record"


def refused_app() -> Typer:
    """The operators' commands `refused list` and `refused forget`."""
    app = new_app("Records that were not signed by the registry's root key, and had no effect.")
    app.command("list")(list_refused)
    app.command("forget")(forget)
    return app


@on_runtime
async def list_refused(runtime: AnyRuntime) -> Told:
    """What was refused, oldest first: its place in the log, what it was about, what was wrong."""
    async with runtime.database.connection() as conn:
        rows = [dict(r.items()) for r in await conn.fetch(SELECT_REFUSED)]
    found = [{**row, "refused_at": row["refused_at"].isoformat()} for row in rows]
    lines = [f"{r['refused_at']}  {r['place']}  {r['type']}  {r['key']}  {r['fault']}" for r in found]
    return Told({"service": runtime.service, "refused": found}, lines or ["nothing was refused"])


@on_runtime
async def forget(
    runtime: AnyRuntime, *, reason: Annotated[str, Option(help="What came of looking into it.")], by: By = None
) -> Told:
    """End the alarm of this service; who and why stands in the trail."""
    async with runtime.database.transaction() as conn:
        count = affected(await conn.execute(FORGET_REFUSED))
        await trail.note_command(conn, runtime, by, f"refused forget: {reason}", [])
    return Told({"service": runtime.service, "forgotten": count}, [f"{count} records forgotten"])
