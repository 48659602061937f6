"""The grid and the coverage say what `contracts.duties.cells` says, within the reader's part of the tree and affairs."""

import asyncio
import time
from dataclasses import replace
from datetime import date
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services.audit.grid import grid_cells
from services.audit.jobs import Watch
from services.audit.rules.facts import CellKey, fold
from services.audit.rules.grid import Absence, Stretch, absence_of
from services.audit.store import facts
from services.audit.visit import Bench
from services.contracts import duties
from services.contracts.disclosure import DeclarationConfirmed, DeclaredItem, WaiverGranted
from services.contracts.duties import CellRecord, cell_state
from services.contracts.values import Frequency
from services.kit.cookies import TOKEN
from tests.audit.conftest import emptied
from tests.audit.events import Disclosure, accounts_of, at, give_keys, ledger
from tests.audit.test_replay import story
from tests.builders import CITY, FAR_VILLAGE, NEIGHBOUR, NOW, OTHER_TOWNSHIP, TOWNSHIP, VILLAGE, stamp
from tests.conftest import Served, ServiceFactory


@pytest_asyncio.fixture
async def city(service: ServiceFactory, admin: asyncpg.Connection) -> Served:
    """Audit that watches the whole catalogue."""
    served = await emptied(await service("audit"), admin)
    served.clock.at = NOW
    return served


def waiver(village: str, item: str, period: str) -> WaiverGranted:
    sealed = Disclosure(village)._seal("waiver", {"reason": "没有"})
    frame = {**stamp(f"waiver {village}", 2, village, at("2026-11-01 02:00"))}
    return WaiverGranted(**frame, item=item, period=period, sealed=sealed)


@pytest_asyncio.fixture
async def told(city: Served) -> Served:
    """October: one village opened late, one is waived, one is with the township, and nobody did more than that."""
    late, handed = Disclosure(VILLAGE), Disclosure(NEIGHBOUR)
    await give_keys(city, late, handed)
    await city.hear(late.approved(ledger(), at("2026-11-18 02:00"), submitted=at("2026-11-17 02:00")))
    await city.hear(late.published(at("2026-11-18 02:00")))
    await city.hear(handed.submitted(at("2026-11-10 02:00")), handed.confirmed(at("2026-11-11 02:00")))
    await city.hear(waiver(FAR_VILLAGE, "F01", "2026-10"))
    await Watch().run(city.runtime)
    return city


async def coverage(served: Served, username: str = "inspector-210881", **query: str) -> tuple[int, dict[str, Any]]:
    path = "/audit/v1/coverage"
    answer = await served.client.get(path, params={"period": "2026-10", **query}, headers=served.bearer(username))
    return answer.status_code, answer.json()


async def counted(served: Served, username: str = "inspector-210881", **query: str) -> dict[tuple[str, str], Any]:
    _, answer = await coverage(served, username, **query)
    return {(c["division"], c["item"]): c for c in answer["items"]}


async def page(served: Served, query: str, username: str = "inspector-210881") -> tuple[int, str]:
    token = served.bearer(username)["authorization"].removeprefix("Bearer ")
    headers = {"accept": "text/html", "cookie": f"{TOKEN.plain}={token}"}
    answer = await served.client.get(f"/inspect/grid{query}", headers=headers)
    return answer.status_code, answer.text


async def test_a_city_is_counted_by_township_and_item(told: Served) -> None:
    found = await counted(told)
    assert found[TOWNSHIP, "F01"] == {
        "division": TOWNSHIP,
        "item": "F01",
        "cells": 2,
        "states": {"opened_late": 1, "in_progress": 1},
        "blind": 0,
        "late_days": 10,
    }
    assert found[OTHER_TOWNSHIP, "F01"]["states"] == {"waived": 1}
    assert found[OTHER_TOWNSHIP, "F01"]["late_days"] == 0


async def test_a_township_is_counted_by_village(told: Served) -> None:
    found = await counted(told, division=TOWNSHIP)
    assert {d for d, _ in found} == {VILLAGE, NEIGHBOUR}
    assert found[VILLAGE, "F01"]["states"] == {"opened_late": 1}
    assert found[NEIGHBOUR, "F01"]["states"] == {"in_progress": 1}


async def test_a_department_sees_its_affairs_alone(told: Served) -> None:
    found = await counted(told, "department-210881-finance")
    assert {item[0] for _, item in found} == {"F"}
    status, text = await page(told, "", "department-210881-finance")
    assert status == 200
    assert "F01" in text
    assert "V01" not in text


async def test_alerts_of_other_affairs_are_closed_to_a_department(told: Served) -> None:
    headers = told.bearer("department-210881-finance")
    listed = await told.client.get("/audit/v1/alerts?limit=200", headers=headers)
    assert {a["subject"]["item"][0] for a in listed.json()["items"]} == {"F"}
    everything = await told.client.get("/audit/v1/alerts?limit=200", headers=told.bearer("inspector-210881"))
    other = next(a for a in everything.json()["items"] if a["subject"]["item"][0] != "F")
    assert (await told.client.get(f"/audit/v1/alerts/{other['id']}", headers=headers)).status_code == 403


async def test_every_periodic_item_is_watched_and_blind_after_two_periods(told: Served) -> None:
    found = await counted(told, division=FAR_VILLAGE)
    monthly = {item: c for (_, item), c in found.items() if "not_opened" in c["states"]}
    assert monthly
    assert {c["blind"] for c in monthly.values()} == {1}
    assert found[FAR_VILLAGE, "F01"]["blind"] == 0


async def test_the_citys_page_shows_townships_and_a_townships_page_shows_villages(told: Served) -> None:
    _, text = await page(told, "?month=2026-10")
    for words in ("三务公开一张表：盖州市，2026-10", "西海街道", "高屯镇", "逾期公开 1", "办理中 1", "不公开已备案 1"):
        assert words in text
    _, text = await page(told, f"?division={TOWNSHIP}&month=2026-10&affair=finance")
    for words in ("西海村委会", "下店村委会", "逾期公开", "镇街", "晚 8 天", "盲区"):
        assert words in text
    assert "高屯村委会" not in text
    assert "V01" not in text


async def test_a_division_without_villages_has_an_empty_page(city: Served) -> None:
    status, text = await page(city, "?division=210881005")
    assert status == 200
    assert "这个范围里没有村（社区）或事项" in text


@pytest.mark.parametrize(
    ("query", "username", "status"),
    [
        ("?month=2026-13", "inspector-210881", 422),
        ("?month=x", "inspector-210881", 422),
        ("?affair=money", "inspector-210881", 422),
        ("?division=1", "inspector-210881", 422),
        ("?division=999999", "inspector-210881", 404),
        (f"?division={CITY}", "inspector-210881006", 403),
        (f"?division={OTHER_TOWNSHIP}", "inspector-210881006", 403),
        ("", "clerk-210881006206", 403),
        ("", "reviewer-210881006", 403),
    ],
)
async def test_what_may_not_be_seen_is_refused(city: Served, query: str, username: str, status: int) -> None:
    assert (await page(city, query, username))[0] == status


async def test_coverage_of_somebody_elses_tree_is_refused(city: Served) -> None:
    assert (await coverage(city, "inspector-210881006", division=OTHER_TOWNSHIP))[0] == 403
    assert (await coverage(city, "department-210881-finance", division="999999"))[0] == 404
    assert (await coverage(city, "accountant-210881006"))[0] == 403


async def cell(served: Served, key: tuple[str, str, str]) -> tuple[str, str | None] | None:
    village, item, period = key
    async with served.runtime.database.connection() as conn:
        bench = Bench(served.runtime.reference, served.runtime.settings, served.clock.now())
        found = await grid_cells(conn, bench, [village], Stretch.around("2026-09"))
    kept = [c for c in found[village] if (c.duty.item, c.duty.period) == (item, period)]
    return (kept[0].cell.state.value, kept[0].cell.held_by) if kept else None


def declared(edition: int, *days: str) -> DeclarationConfirmed:
    frame = stamp(f"{VILLAGE}:2026Q3", edition, VILLAGE, at(f"2026-10-{10 + edition} 02:00"))
    told = tuple(date.fromisoformat(d) for d in days)
    return DeclarationConfirmed(
        **frame, quarter="2026Q3", edition=edition, answers=(DeclaredItem(item="P02", days=told),)
    )


DAY = (VILLAGE, "P02", "2026-09-10")
YEAR = (date(2026, 1, 1), date(2026, 12, 31))
QUARTER = (VILLAGE, "P02", "2026Q3")


async def test_a_no_settles_the_quarter(city: Served) -> None:
    assert await cell(city, QUARTER) is None
    await city.hear(declared(1))
    assert await cell(city, QUARTER) == ("nil", None)


async def test_a_yes_opens_a_duty_for_its_day(city: Served) -> None:
    await city.hear(declared(1, "2026-09-10"))
    assert await cell(city, DAY) == ("not_opened", "village")
    assert await cell(city, QUARTER) is None
    await Watch().run(city.runtime)
    answer = await city.client.get("/audit/v1/alerts?rule=D01&limit=200", headers=city.bearer("inspector-210881"))
    assert "2026-09-10" in {a["subject"]["period"] for a in answer.json()["items"]}


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0, 1), (1, 1, 0, 0)])
async def test_a_later_no_takes_the_day_back_whatever_is_heard_first(city: Served, order: tuple[int, ...]) -> None:
    said = (declared(1, "2026-09-10"), declared(2))
    await city.hear(*(said[n] for n in order))
    assert await cell(city, QUARTER) == ("nil", None)
    assert await cell(city, DAY) is None


async def test_the_grid_is_what_the_contract_says_of_the_built_facts(told: Served) -> None:
    reference = told.runtime.reference
    async with told.runtime.database.connection() as conn:
        bench = Bench(reference, told.runtime.settings, NOW)
        found = await grid_cells(conn, bench, [VILLAGE, NEIGHBOUR, FAR_VILLAGE], Stretch.exactly("2026-10"))
    records = {
        VILLAGE: CellRecord(
            first_published_at=at("2026-11-18 02:00"),
            submitted_at=at("2026-11-17 02:00"),
            confirmed_at=at("2026-11-17 02:00"),
        ),
        NEIGHBOUR: CellRecord(submitted_at=at("2026-11-10 02:00"), confirmed_at=at("2026-11-11 02:00")),
        FAR_VILLAGE: CellRecord(waived_at=at("2026-11-01 02:00")),
    }
    for village, its in found.items():
        for one in its:
            record = records[village] if one.duty.item == "F01" else CellRecord()
            assert one.record == record
            assert one.cell == cell_state(one.duty, record, NOW)


async def test_what_one_row_tells_of_a_cell_is_what_its_facts_come_to(city: Served) -> None:
    disclosures, events = story()
    await give_keys(city, *disclosures)
    nothing = Disclosure(NEIGHBOUR, "2026-07")
    await give_keys(city, nothing)
    empty = {**accounts_of(cash=(5, 5)), "nil": True}
    await city.hear(*events, declared(1, "2026-09-10"), waiver(FAR_VILLAGE, "F01", "2026-10"))
    await city.hear(nothing.delivered(at("2026-08-02 02:00")), nothing.submitted(at("2026-08-09 02:00")))
    await city.hear(nothing.approved(empty, at("2026-08-10 02:00")), nothing.published(at("2026-08-10 03:00")))
    villages, year = [VILLAGE, NEIGHBOUR, FAR_VILLAGE], Stretch(frozenset(f"2026-{n:02}" for n in range(1, 13)), *YEAR)
    async with city.runtime.database.connection() as conn:
        plain, others = await facts.select_stretch(conn, villages, year)
        known = await facts.select_facts(conn, [*plain, *others])
    assert plain == {key: fold(known[key]).record for key in plain}
    assert {(k.village, k.period) for k in plain} == {
        (VILLAGE, "2026-08"),
        (VILLAGE, "2026-09"),
        (VILLAGE, "2026-10"),
        (NEIGHBOUR, "2026-08"),
        (NEIGHBOUR, "2026-07"),
    }
    assert plain[CellKey(NEIGHBOUR, "F01", "2026-07")].nil
    assert CellKey(*DAY) in others


@pytest.mark.parametrize(
    ("query", "said", "unsaid"),
    [
        (f"?division={TOWNSHIP}&month=2026-10", ["未到期"], ["没有记录"]),
        (f"?division={TOWNSHIP}&month=2026-09", ["没有回答有无"], ["没有记录"]),
        ("?month=2026-10", ["未到期"], ["没有记录"]),
        (f"?division={TOWNSHIP}&month=2024-05", ["上线以前"], ["没有记录", "没有回答有无<", "未到期<"]),
    ],
)
async def test_an_empty_square_says_why_it_is_empty(
    told: Served, query: str, said: list[str], unsaid: list[str]
) -> None:
    status, text = await page(told, query)
    assert status == 200
    for words in said:
        assert f'<span class="spot">{words}</span>' in text
    for words in unsaid:
        assert f'<span class="spot">{words}' not in text


@pytest.mark.parametrize(
    ("changes", "frequency", "expected"),
    [
        ({"applies": False}, Frequency.MONTHLY, Absence.NO_SUCH_ITEM),
        ({"history": True}, Frequency.MONTHLY, Absence.BEFORE_DUTIES),
        ({"opens_on": date(2026, 11, 25)}, Frequency.QUARTERLY, Absence.NOT_DUE),
        ({"opens_on": date(2026, 11, 25)}, Frequency.ON_EVENT, Absence.NOT_DUE),
        ({"opens_on": date(2026, 11, 24)}, Frequency.ON_EVENT, Absence.UNANSWERED),
        ({"applies": False, "history": True}, Frequency.ON_EVENT, Absence.NO_SUCH_ITEM),
    ],
)
async def test_the_reason_of_an_empty_square_follows_from_what_would_be_owed(
    told: Served, changes: dict[str, Any], frequency: Frequency, expected: Absence
) -> None:
    owed = told.runtime.reference.duty(VILLAGE, duties.CellKey("F01", "2026-10"))
    assert owed is not None
    assert absence_of(replace(owed, **changes), frequency, date(2026, 11, 24)) is expected
    assert absence_of(None, frequency, date(2026, 11, 24)) is Absence.NO_SUCH_ITEM


async def test_the_grid_of_many_villages_lets_others_have_the_loop(city: Served) -> None:
    longest = 0.0

    async def others() -> None:
        nonlocal longest
        while True:
            since = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - since)

    async with city.runtime.database.connection() as conn:
        bench = Bench(city.runtime.reference, city.runtime.settings, NOW)
        task = asyncio.create_task(others())
        began = time.thread_time()
        await grid_cells(conn, bench, [VILLAGE] * 5000, Stretch.exactly("2026-10"))
        spent = time.thread_time() - began
        await asyncio.sleep(0)
        task.cancel()
    # What the loop's thread computed in one piece, of all that it computed.
    assert longest < spent / 4
