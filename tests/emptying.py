"""Tables made empty before a test: to empty one costs PostgreSQL more than to see that it is."""

import asyncpg

from services.kit.db import Connection


async def empty(conn: Connection | asyncpg.Connection, *tables: str) -> None:
    """Empty those of the tables that hold something, and whatever refers to their rows."""
    looks = ", ".join(f"CASE WHEN EXISTS (SELECT FROM {table}) THEN '{table}' END" for table in tables)
    filled = await conn.fetchval(f"SELECT array_remove(ARRAY[{looks}], NULL)")
    if filled:
        await conn.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
