"""Answers that are kept for repeated requests, when something that they speak of has to go.

Whoever asks knows what its answers look like; where they stand and how they are found is known here alone.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from services.kit.db import Connection
from services.kit.shred import close_here, reopen_here

_PLACE: Final = "idempotency.response"

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
        answers = [change(json.loads(as_given(r["response"]))) for r in rows]
        texts = [at_rest(json.dumps(answer, ensure_ascii=False)) for answer in answers]
        await conn.execute(UPDATE_ANSWERS, *names, texts)


def at_rest(answer: str) -> str:
    """An answer (JSON) as it is kept: closed, beside the ids by which it is found."""
    closed = close_here(answer, _PLACE)
    if closed is None:
        return answer
    return json.dumps({"about": [{"id": i} for i in sorted(set(_ids(json.loads(answer))))], "closed": closed})


def as_given(kept: str) -> str:
    """An answer as it was given, whether it was kept closed or is from before answers were."""
    read = json.loads(kept)
    if isinstance(read, dict) and read.keys() == {"about", "closed"}:
        return reopen_here(read["closed"], _PLACE)
    return kept


def _ids(value: object) -> Iterator[str]:
    """Whatever is called `id` anywhere, as the index finds it (`ids_in`)."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), str):
            yield value["id"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _ids(each)
