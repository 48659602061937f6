"""The trail from outside: laid into a database that roles.sql does not know, and rewritten by somebody who has the database."""

from pathlib import Path
from typing import Final

import asyncpg

_TRAIL: Final = Path(__file__).parents[1] / "deploy" / "postgres" / "trail.sql"


async def lay_trail(conn: asyncpg.Connection) -> None:
    """Make the schemas of the trail, as roles.sql does in the city's own database; the superuser's connection."""
    # The role itself is of the whole server, and there.
    await conn.execute(_TRAIL.read_text("utf-8").partition("\\gexec\n")[2])


def rewriting(service: str, position: int, thing: str) -> str:
    """A statement that changes a row and computes every link and the chain's head anew, so that all agrees again."""
    return f"""
DO $$
DECLARE
    a {service}_trail.action;
    last bytea := (SELECT anchor_link FROM {service}_trail.hold_chain());
BEGIN
    UPDATE {service}_trail.action SET object = '{thing}' WHERE position = {position};
    FOR a IN SELECT * FROM {service}_trail.action WHERE position IS NOT NULL ORDER BY position LOOP
        last := {service}_trail.link_of(last, a.position, a);
        UPDATE {service}_trail.action SET link = last WHERE id = a.id;
    END LOOP;
    UPDATE {service}_trail.action_chain SET head_link = last;
END
$$
"""
