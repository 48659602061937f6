"""Last four digits of cards: taken where the city wants it, turned into a hash at once, and nowhere to be found afterwards."""

from typing import Any

import pytest_asyncio
from pydantic import SecretStr

from services.contracts.households import household_ref
from tests import builders
from tests.conftest import Place, Served, open_on
from tests.ingest.conftest import CLERK, PATH

KEY = "a long random text of a city with households"
TAIL = "7391"


def roster(*rows: dict[str, Any]) -> dict[str, Any]:
    entries = [{"amount_fen": 90_000, **row} for row in rows]
    body = {"kind": "roster", "title": "三季度低保名单", "entries": entries}
    return {"village": builders.VILLAGE, "item": "V03", "period": "2026Q3", "body": body}


@pytest_asyncio.fixture
async def on(place: Place) -> Any:
    served = await open_on(place, "ingest", {"household_key": SecretStr(KEY)})
    async with served.runtime.database.transaction() as conn:
        await conn.execute("DELETE FROM edition")
        await conn.execute("DELETE FROM disclosure")
    yield served
    await served.client.aclose()
    await served.runtime.database.close()


async def call(served: Served, method: str, path: str, body: Any = None) -> Any:
    return await served.client.request(method, path, json=body, headers=served.bearer(CLERK))


async def entries(served: Served, disclosure: str) -> list[dict[str, Any]]:
    answer = await call(served, "GET", f"{PATH}/{disclosure}")
    found: list[dict[str, Any]] = answer.json()["body"]["entries"]
    return found


async def test_digits_become_a_hash_of_name_and_digits_and_stand_nowhere_else(on: Served, admin: Any) -> None:
    made = await call(on, "POST", PATH, roster({"name": "张德福", "card_tail": TAIL}, {"name": "李桂兰"}))
    assert made.status_code == 201, made.text
    first, second = await entries(on, made.json()["id"])
    assert first["household"] == household_ref(KEY.encode(), "张德福", TAIL)
    assert second.get("household") is None
    assert TAIL not in made.text
    tables = [
        f'"{r["table_schema"]}"."{r["table_name"]}"'
        for r in await admin.fetch(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_schema ~ '^ingest' AND table_type = 'BASE TABLE'"
        )
    ]
    for table in tables:
        assert not await admin.fetchval(f"SELECT count(*) FROM {table} t WHERE t::text ~ '[^0-9]{TAIL}[^0-9]'"), table


async def test_a_row_keeps_its_hash_over_savings_until_its_name_is_another(on: Served) -> None:
    made = (await call(on, "POST", PATH, roster({"name": "张德福", "card_tail": TAIL}))).json()["id"]
    (kept,) = await entries(on, made)
    said = roster({"name": "张德福", "household": kept["household"], "amount_fen": 80_000})["body"]
    answer = await call(on, "PUT", f"{PATH}/{made}", {"version": 1, "body": said})
    assert answer.status_code == 200, answer.text
    assert [e["household"] for e in await entries(on, made)] == [kept["household"]]
    said["entries"][0]["name"] = "张德贵"
    assert (await call(on, "PUT", f"{PATH}/{made}", {"version": 2, "body": said})).status_code == 200
    assert [e.get("household") for e in await entries(on, made)] == [None]


async def test_malformed_digits_are_told_at_their_row(on: Served) -> None:
    for wrong in ("739", "73911", "abcd"):
        answer = await call(on, "POST", PATH, roster({"name": "李桂兰"}, {"name": "张德福", "card_tail": wrong}))
        assert answer.status_code == 422
        assert [e["at"] for e in answer.json()["errors"]] == ["body.entries[1].card_tail"]
        assert wrong not in answer.text


async def test_where_it_is_off_digits_are_refused_at_their_row_and_hashes_are_not_kept(service: Any) -> None:
    off = await service("ingest")
    answer = await call(off, "POST", PATH, roster({"name": "李桂兰"}, {"name": "张德福", "card_tail": TAIL}))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["at"], "没有开通" in error["message"]) == ("body.entries[1].card_tail", True)
    assert TAIL not in answer.text
    foreign = household_ref(b"another key that is long enough ...", "张德福", TAIL)
    made = await call(off, "POST", PATH, roster({"name": "张德福", "household": foreign}))
    assert made.status_code == 201, made.text
    assert [e.get("household") for e in await entries(off, made.json()["id"])] == [None]
