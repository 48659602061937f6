"""家里的一行: a household reads its own lines and nobody else's; there is nothing to be learnt from answers that find none."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.contracts.households import household_ref
from services.publish import household
from tests import builders
from tests.conftest import Place, open_on
from tests.publish import bodies
from tests.publish.conftest import Publishing

KEY = "a long random text of a city with households"
API = f"/api/v1/villages/{builders.VILLAGE}/household"
PAGE = f"/v/{builders.VILLAGE}/mine"
MINE = {"name": "张德福", "card_tail": "7391"}


@pytest_asyncio.fixture
async def on(place: Place, tmp_path: Any) -> AsyncIterator[Publishing]:
    served = await open_on(place, "publish", {"home": tmp_path, "household_key": SecretStr(KEY)})
    async with served.runtime.database.transaction() as conn:
        await conn.execute("TRUNCATE publication, edition, step, dirty")
    yield Publishing(served)
    await served.client.aclose()
    await served.runtime.database.close()


def roster(**more: Any) -> dict[str, Any]:
    entries = [
        {
            "name": "张德福",
            "group": "一组",
            "household_size": 3,
            "amount_fen": 90_000,
            "remark": "因病",
            "card_tail": None,
        },
        {"name": "张德福", "group": "四组", "amount_fen": 11_100},
        {"name": "李桂兰", "amount_fen": 45_000},
    ]
    tails = ("7391", "0001", "5555")
    for entry, tail in zip(entries, tails, strict=True):
        entry["household"] = household_ref(KEY.encode(), str(entry["name"]), tail)
        entry.pop("card_tail", None)
    return {**bodies.roster(), "entries": entries, **more}


async def ask(on: Publishing, told: dict[str, str], status: int = 200) -> Any:
    answer = await on.served.client.post(API, json=told)
    assert answer.status_code == status, answer.text
    return answer


async def test_a_household_reads_its_own_lines_alone(on: Publishing) -> None:
    event = await on.opened(item="V03", period="2026Q3", body=roster())
    (line,) = (await ask(on, MINE)).json()["lines"]
    assert (line["item"], line["amount_fen"], line["facts"]["小组"]) == ("V03", 90_000, "一组")
    assert line["url"].endswith(f"/d/{event.aggregate_id}")
    page = await on.served.client.post(PAGE, data=MINE)
    assert "查到1行" in page.text
    assert "900.00元" in page.text
    for other in ("111.00元", "450.00元", "李桂兰", "因病", "四组"):
        assert other not in page.text
    for answer in (page, await ask(on, MINE)):
        assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == ("no-store", "noindex")
    assert "查自己家的一行" in (await on.get(f"/v/{builders.VILLAGE}")).text


async def test_the_hash_is_on_no_page_and_in_no_public_json(on: Publishing) -> None:
    event = await on.opened(item="V03", period="2026Q3", body=roster())
    ref = household_ref(KEY.encode(), "张德福", "7391")
    for path in (
        f"/d/{event.aggregate_id}",
        f"/api/v1/disclosures/{event.aggregate_id}",
        f"/d/{event.aggregate_id}.csv",
    ):
        text = (await on.get(path)).text
        assert ref not in text
        assert 'household":' not in text.replace("household_size", "")


async def test_another_name_other_digits_and_another_village_get_one_and_the_same_answer_in_the_same_time(
    on: Publishing,
) -> None:
    await on.opened(item="V03", period="2026Q3", body=roster())
    answers, times = [], []
    for told in (
        {"name": "张德福", "card_tail": "7392"},
        {"name": "没有这个人", "card_tail": "7391"},
        {"name": "李桂兰", "card_tail": "7391"},
        MINE,
    ):
        started = time.monotonic()
        answers.append((await ask(on, told)).content)
        times.append(time.monotonic() - started)
    assert len(set(answers[:3])) == 1
    assert answers[3] != answers[0]
    # Whatever was found, an answer is not there before its time.
    assert min(times) >= household.ANSWER_S


async def test_what_is_withdrawn_or_has_faded_is_found_no_more(on: Publishing) -> None:
    event = await on.opened(item="V03", period="2026Q3", body=roster())
    await on.opened(item="V03", period="2023Q3", body=roster(), at=builders.NOW - timedelta(days=900))
    assert len((await ask(on, MINE)).json()["lines"]) == 1
    await on.withdrawn(event)
    assert (await ask(on, MINE)).json() == {"lines": []}


async def test_a_name_is_looked_for_five_times_an_hour_and_no_more_found_or_not(on: Publishing) -> None:
    await on.opened(item="V03", period="2026Q3", body=roster())
    for name in ("张德福", "没有这个人"):
        for n in range(5):
            await ask(on, {"name": name, "card_tail": f"000{n}"})
        refused = await ask(on, {"name": name, "card_tail": "7391"}, 429)
        assert refused.json()["code"] == "looked_for_too_often"
        assert 3000 < int(refused.headers["retry-after"]) <= 3601
        on.served.clock.advance(minutes=30)
    on.served.clock.advance(hours=1)
    assert (await ask(on, MINE)).json()["lines"]


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ({"name": "张德福"}, "card_tail"),
        ({"name": "", "card_tail": "7391"}, "name"),
        ({"name": "张" * 41, "card_tail": "7391"}, "name"),
        ({"name": "张德福", "card_tail": "73911"}, "card_tail"),
        ({"name": "张德福", "card_tail": "7391", "village": "all"}, "village"),
    ],
)
async def test_what_cannot_be_a_question_is_told_at_its_place(on: Publishing, told: dict[str, str], at: str) -> None:
    answer = await ask(on, told, 422)
    assert [e["at"] for e in answer.json()["errors"]] == [at]


async def test_where_the_city_did_not_turn_it_on_there_is_nothing(publish: Any) -> None:
    for answer in (
        await publish.served.client.get(PAGE),
        await publish.served.client.post(PAGE, data=MINE),
        await publish.served.client.post(API, json=MINE),
    ):
        assert answer.status_code == 404
    assert "家里的一行" not in (await publish.get(f"/v/{builders.VILLAGE}")).text
