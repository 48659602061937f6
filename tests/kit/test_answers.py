"""Kept answers are found by what they speak of, wherever in them it stands, and nothing else is touched."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.kit import answers
from services.kit.shred import use_key_seal
from tests.kit.ground import Ground

INSERT = """
INSERT INTO idempotency (actor, route, key, request_digest, status, response, created_at)
SELECT 'a', 'r', 'k' || n, 'd', 200, response, now() FROM unnest($1::text[]) WITH ORDINALITY AS t (response, n)
"""
KEPT: list[Any] = [
    {"id": "one", "note": "secret"},
    {"items": [{"id": "two"}, {"of": {"id": "one", "note": "secret"}}]},
    {"id": "two", "note": "one"},
    {"id": 1},
    [],
    None,
    "one",
]


@pytest_asyncio.fixture(params=["closed", "in clear"])
async def conn(ground: Ground, request: pytest.FixtureRequest) -> AsyncIterator[asyncpg.Connection]:
    use_key_seal(SecretStr("x" * 32) if request.param == "closed" else None)
    made = await asyncpg.connect(ground.pg.dsn("publish", database=ground.database))
    await made.execute(INSERT, [answers.at_rest(json.dumps(k)) for k in KEPT])
    # Claimed and not answered yet.
    await made.execute(INSERT.replace("'k'", "'open'"), [None])
    yield made
    await made.close()
    use_key_seal(None)


async def kept(conn: asyncpg.Connection) -> list[Any]:
    rows = await conn.fetch("SELECT response FROM idempotency WHERE key LIKE 'k%' ORDER BY key")
    return [json.loads(answers.as_given(r["response"])) for r in rows]


@pytest.mark.parametrize(
    ("ids", "touched"), [(["one"], {0, 1}), (["two"], {1, 2}), (["one", "two"], {0, 1, 2}), (["1"], set()), ([], set())]
)
async def test_every_answer_that_names_a_thing_is_changed_and_no_other(
    conn: asyncpg.Connection, ids: list[str], touched: set[int]
) -> None:
    await answers.rewrite(conn, ids, lambda answer: {"was": answer})  # type: ignore[arg-type] # asyncpg's own connection will do
    assert await kept(conn) == [{"was": k} if n in touched else k for n, k in enumerate(KEPT)]


async def test_with_a_seal_no_answer_rests_in_clear(conn: asyncpg.Connection, request: pytest.FixtureRequest) -> None:
    closed = "closed" in request.node.name
    text = str(await conn.fetch("SELECT response FROM idempotency"))
    assert ("secret" in text, "one" in text) == (not closed, True)


async def test_an_answer_of_before_is_given_as_it_is_once_there_is_a_seal() -> None:
    use_key_seal(SecretStr("x" * 32))
    assert answers.as_given('{"id": "one"}') == '{"id": "one"}'
    use_key_seal(None)


async def test_among_many_answers_those_about_a_thing_are_found_by_the_index(conn: asyncpg.Connection) -> None:
    await conn.execute(INSERT.replace("'k'", "'m'"), [json.dumps({"id": f"other-{n}"}) for n in range(5000)])
    await conn.execute("ANALYZE idempotency")
    plan = await conn.fetch("EXPLAIN " + answers.LOCK_ANSWERS_ABOUT, ["one"])
    assert "idempotency_about" in "\n".join(r[0] for r in plan)
