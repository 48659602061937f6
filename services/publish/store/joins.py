"""Who joined a question, as marks that fade; and how often that was."""

import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

from services.kit.db import Connection, affected
from services.publish.render.questions import Question

_KEY_BYTES: Final = 32
TAKE_KEY = """
UPDATE question SET join_key = coalesce(join_key, $2), join_key_since = coalesce(join_key_since, $3) WHERE id = $1
RETURNING join_key
"""


async def take_key(conn: Connection, question_id: UUID, now: datetime) -> bytes:
    """What the marks of a question are made with; made with the first of them."""
    key: bytes = await conn.fetchval(TAKE_KEY, question_id, secrets.token_bytes(_KEY_BYTES), now)
    return key


COUNT_OF_ADDRESS = "SELECT count(*) FROM question_join WHERE question_id = $1 AND address = $2"
INSERT_JOIN = "INSERT INTO question_join (question_id, browser, address) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"


async def insert_join(conn: Connection, question_id: UUID, marks: tuple[bytes, bytes], most: int) -> bool:
    """Note a browser and its address at a question that the caller has locked; False when it is known, or `most` of the address are."""
    browser, address = marks
    known: int = await conn.fetchval(COUNT_OF_ADDRESS, question_id, address)
    return known < most and affected(await conn.execute(INSERT_JOIN, question_id, browser, address)) == 1


UPDATE_JOINED = "UPDATE question SET joined = $2, joint_at = $3, joint_then = $4, joint_due = $5 WHERE id = $1"


async def update_joined(conn: Connection, q: Question) -> None:
    """Store how often a question was joined, and what came of it."""
    await conn.execute(UPDATE_JOINED, q.id, q.joined, q.joint_at, q.joint_then, q.joint_due)


FADE = """
UPDATE question SET join_key = NULL, join_key_since = NULL WHERE id IN (
    SELECT id FROM question WHERE join_key_since <= $1 ORDER BY join_key_since LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING id
"""
DELETE_JOINS = "DELETE FROM question_join WHERE question_id = ANY($1::uuid[])"


async def fade(conn: Connection, until: datetime, limit: int) -> int:
    """Delete marks, and what they were made with, of questions first joined before a moment; of how many questions. The counts stay."""
    found = [r["id"] for r in await conn.fetch(FADE, until, limit)]
    if found:
        await conn.execute(DELETE_JOINS, found)
    return len(found)
