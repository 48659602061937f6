"""Answers that are kept for repeated requests, when something that they speak of has to go.

Whoever asks knows what its answers look like; where they stand and how they are found is known here alone.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from services.kit.db import Connection

LOCK_ANSWERS_ABOUT = """
SELECT actor, route, key, response FROM idempotency WHERE ids_in(response) && $1::text[] FOR UPDATE
"""
UPDATE_ANSWERS = """
UPDATE idempotency i SET response = t.response
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS t (actor, route, key, response)
WHERE (i.actor, i.route, i.key) = (t.actor, t.route, t.key)
"""


async def rewrite(conn: Connection, ids: Sequence[str], change: Callable[[Any], Any]) -> None:
    """Put another answer in the place of each that names one of some ids; `change` takes and gives the JSON value."""
    rows = await conn.fetch(LOCK_ANSWERS_ABOUT, ids)
    if rows:
        names = ([r[name] for r in rows] for name in ("actor", "route", "key"))
        texts = [json.dumps(change(json.loads(r["response"])), ensure_ascii=False) for r in rows]
        await conn.execute(UPDATE_ANSWERS, *names, texts)
