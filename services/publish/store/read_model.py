"""The read model as a whole: made anew beside the serving one, compared with it, switched."""

from dataclasses import dataclass

from services.kit.db import Connection

NEXT_NUMBER = "SELECT nextval('read_model_number')"
MAKE = "SELECT read_model_make($1)"


async def make_read_model(conn: Connection) -> int:
    """Make the schema `publish_read_<n>` with empty tables; returns n."""
    number: int = await conn.fetchval(NEXT_NUMBER)
    await conn.execute(MAKE, f"publish_read_{number}")
    return number


@dataclass(frozen=True, slots=True)
class TableDigest:
    """Rows of one village in one table, and their digest."""

    village: str
    table: str
    rows: int
    digest: str


SELECT_DIGESTS = 'SELECT village, kind, rows, digest FROM read_model_digest($1) ORDER BY village COLLATE "C", kind'


async def select_digests(conn: Connection, schema: str) -> list[TableDigest]:
    """By village (empty: of no village) and table."""
    rows = await conn.fetch(SELECT_DIGESTS, schema)
    return [TableDigest(r["village"], r["kind"], r["rows"], r["digest"]) for r in rows]


SWITCH = "SELECT read_model_switch($1, $2)"


async def switch_read_model(conn: Connection, number: int) -> None:
    """Let `publish_read_<n>` serve; what served before is kept as `publish_old_<n>`."""
    await conn.execute(SWITCH, f"publish_read_{number}", f"publish_old_{number}")


DROP = "SELECT read_model_drop($1)"


async def drop_unfinished(conn: Connection) -> int:
    """Drop what rebuilds began and never switched; returns how many."""
    dropped: int = await conn.fetchval(DROP, "publish_read_")
    return dropped


async def drop_old(conn: Connection) -> int:
    """Drop the models that served before; returns how many."""
    dropped: int = await conn.fetchval(DROP, "publish_old_")
    return dropped
