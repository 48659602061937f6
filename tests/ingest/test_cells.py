"""Cells and lists: what a list reads a part of is what there is, and looking makes nobody wait."""

import asyncio
import base64
import json
import random
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest
import pytest_asyncio

from services.contracts.division import DivisionKind, DivisionSet
from services.ingest.commands.declarations import asked_items
from services.ingest.store.disclosures import Filter
from services.ingest.store.lists import select_disclosures
from services.kit import reference
from tests import builders
from tests.conftest import ServiceFactory
from tests.ingest.conftest import ACCOUNTANT, CLERK, PATH, REVIEWER, SUPERVISOR, Month

DUTIES: Final = "/ingest/v1/duties"
OPEN: Final = ("not_opened", "in_progress", "not_due")
MIGRATION: Final = Path(__file__).parents[2] / "services" / "ingest" / "migrations" / "1015_settled.sql"
SETTLED: Final = "SELECT *, days::text AS d, declared::text AS e, nothing::text AS n FROM settled ORDER BY 1, 2, 3"


async def listed(month: Month, **query: str) -> list[dict[str, Any]]:
    """Every page of a list of cells."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await month.done("GET", DUTIES, REVIEWER, **query, **cursor)
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def place(cell: dict[str, Any]) -> tuple[str, str, str]:
    return cell["village"], cell["item"], cell["period"]


async def agree(month: Month) -> dict[tuple[str, str, str], str]:
    """The whole list, once what the shorter ones say was found in it; states by cell."""
    whole = await listed(month, limit="7")
    assert [place(c) for c in whole] == sorted({place(c) for c in whole})
    opened = [c for state in OPEN for c in await listed(month, state=state)]
    assert sorted(map(place, opened)) == [place(c) for c in whole if c["state"] in OPEN]
    assert {place(c): c for c in opened} == {place(c): c for c in whole if c["state"] in OPEN}
    for period in {c["period"] for c in whole}:
        assert await listed(month, period=period, limit="200") == [c for c in whole if c["period"] == period]
    return {place(c): c["state"] for c in whole}


async def state_of(month: Month, item: str = "F01", period: str = "2026-10") -> str | None:
    return (await agree(month)).get((builders.VILLAGE, item, period))


async def declare(month: Month, **days: list[str]) -> None:
    """A quarter's answers, agreed to: days of events by item, nothing happened for the others."""
    asked = asked_items(month.served.runtime.reference, builders.VILLAGE, "2026Q3")
    answers = [{"item": c, "days": days.get(c, [])} for c in asked]
    path = f"/ingest/v1/declarations/{builders.VILLAGE}/2026Q3"
    made = await month.done("PUT", path, CLERK, {"answers": answers})
    await month.done("POST", f"{path}/confirm", SUPERVISOR, {"edition": made["edition"]})


async def test_the_parts_of_the_list_agree_with_the_whole_whatever_is_done(month: Month) -> None:
    assert await state_of(month) == "not_opened"
    made = await month.approved()
    assert await state_of(month) == "not_opened"
    await month.published(made)
    assert await state_of(month) == "opened_late"
    again = await month.done("POST", f"{PATH}/{made}/correct", CLERK, {"version": 1, "note": "更正"})
    assert await state_of(month) == "opened_late"
    await month.step(made, "withdraw", REVIEWER, again["version"], reason="填错了村")
    assert await state_of(month) == "not_opened"
    await month.done("POST", f"{PATH}/{made}/restore", REVIEWER, {"version": again["version"], "reason": "撤回有误"})
    assert await state_of(month) == "opened_late"


async def test_a_waiver_closes_a_cell_as_long_as_it_is_in_force(month: Month) -> None:
    cell = {"village": builders.VILLAGE, "item": "F02", "period": "2026Q3"}
    filed = await month.done("POST", "/ingest/v1/waivers", CLERK, {**cell, "reason": "没有债权债务"})
    assert await state_of(month, "F02", "2026Q3") == "not_opened"
    await month.done("POST", f"/ingest/v1/waivers/{filed['id']}/grant", REVIEWER, {})
    assert await state_of(month, "F02", "2026Q3") == "waived"
    await month.draft(user=ACCOUNTANT, item="F01")
    await month.done("POST", f"/ingest/v1/waivers/{filed['id']}/end", REVIEWER, {"reason": "已经有了"})
    assert await state_of(month, "F02", "2026Q3") == "not_opened"


async def test_a_quarters_page_makes_cells_and_the_next_one_takes_their_place(month: Month) -> None:
    await declare(month, F07=["2026-07-08", "2026-09-30"], V04=["2026-08-01"])
    states = await agree(month)
    mine = {key[1:]: state for key, state in states.items() if key[0] == builders.VILLAGE}
    assert [mine.get(("F07", day)) for day in ("2026-07-08", "2026-09-30")] == ["not_due", "not_opened"]
    assert (mine.get(("F07", "2026Q3")), mine.get(("F08", "2026Q3"))) == (None, "nil")
    async with month.served.runtime.database.transaction() as conn:
        await conn.execute("UPDATE declaration SET state = 'returned'")
    await declare(month, F07=["2026-09-30"])
    mine = {key[1:]: state for key, state in (await agree(month)).items() if key[0] == builders.VILLAGE}
    assert [mine.get(("F07", day)) for day in ("2026-07-08", "2026-09-30")] == [None, "not_opened"]
    assert (mine.get(("V04", "2026-08-01")), mine.get(("V04", "2026Q3"))) == (None, "nil")


async def test_a_running_city_gets_what_the_tables_would_have_kept(month: Month) -> None:
    made = await month.approved()
    await month.published(made)
    before = [{**a, "closing_fen": a["opening_fen"]} for a in builders.ledger()["accounts"]]
    gone = await month.approved(period="2026-09", body=builders.ledger(lines=[], totals=None, accounts=before))
    await month.published(gone)
    await month.step(gone, "withdraw", REVIEWER, reason="填错了村")
    await declare(month, F07=["2026-07-08"])
    for item, period in (("F02", "2026Q3"), ("F05", "2026H1"), ("P07", "2025")):
        cell = {"village": builders.VILLAGE, "item": item, "period": period}
        filed = await month.done("POST", "/ingest/v1/waivers", CLERK, {**cell, "reason": "没有"})
        await month.done("POST", f"/ingest/v1/waivers/{filed['id']}/grant", REVIEWER, {})
    kept = [dict(r) for r in await month.rows(SETTLED)]
    spans = {(r["item"], r["frequency"]): r["d"] for r in kept if r["d"] != "{}"}
    assert spans == {
        ("F01", "monthly"): "{[2026-10-01,2026-11-01)}",
        ("F02", "quarterly"): "{[2026-07-01,2026-10-01)}",
        ("F05", "half_year"): "{[2026-01-01,2026-07-01)}",
        ("P07", "yearly"): "{[2025-01-01,2026-01-01)}",
    }
    async with month.served.runtime.database.transaction() as conn:
        await conn.execute("DELETE FROM settled")
        for statement in MIGRATION.read_text().partition("-- What stands so far.")[2].split(";\n")[:2]:
            await conn.execute(statement)
    # A cell that was opened and withdrawn left an empty row, which says the same as none.
    filled = [dict(r) for r in await month.rows(SETTLED)]
    assert filled == [r for r in kept if (r["d"], r["e"], r["n"]) != ("{}", "{}", "{}")]


async def test_who_comes_second_to_a_cell_sees_what_the_first_left(month: Month) -> None:
    """A publication and the end of a waiver at the same moment: the cell stays settled, for it is public."""
    made = await month.approved()
    cell = {"village": builders.VILLAGE, "item": "F01", "period": "2026-10"}
    database = month.served.runtime.database
    async with database.transaction() as conn:
        await conn.execute(
            "INSERT INTO waiver (id, village_code, item, period, state, reason, filed_by, filed_at, decided_at)"
            " VALUES (gen_random_uuid(), $1, $2, $3, 'granted', 'r', 'x', now(), now())",
            *cell.values(),
        )
    async with database.transaction() as first:
        await first.execute("UPDATE disclosure SET published_at = now(), state = 'published' WHERE id = $1", UUID(made))

        async def end() -> None:
            async with database.transaction() as second:
                await second.execute("UPDATE waiver SET state = 'ended'")

        ending = asyncio.create_task(end())
        await asyncio.sleep(0.3)
        assert not ending.done()
    await ending
    assert [r["d"] for r in await month.rows(SETTLED)] == ["{[2026-10-01,2026-11-01)}"]


async def test_a_page_of_cells_ends_when_many_were_looked_at_and_goes_on(month: Month) -> None:
    assert await listed(month, state="questioned") == []
    whole = await listed(month, limit="200")
    assert {c["village"] for c in whole} == {builders.VILLAGE, builders.NEIGHBOUR}


async def test_looking_at_a_batch_waits_for_nobody_who_carries_it_out(month: Month) -> None:
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    await month.step(made, "confirm", SUPERVISOR)
    batch = await month.done("POST", "/ingest/v1/approvals", REVIEWER, {"items": [{"id": made, "version": 1}]})
    path = f"/approvals/{batch['id']}"
    async with month.served.runtime.database.transaction() as conn:
        await conn.execute("SELECT FROM approval WHERE id = $1 FOR UPDATE", UUID(batch["id"]))
        async with asyncio.timeout(3):
            seen = await month.done("GET", f"/ingest/v1{path}", REVIEWER)
            page = await month.ask("GET", f"/desk{path}", REVIEWER)
    assert [i["state"] for i in seen["items"]] == ["waiting"]
    assert made in page.text


# -- lists of disclosures -------------------------------------------------------------------------------------------

VILLAGES: Final = [f"210881{n:06}" for n in range(60)]
ITEMS: Final = ("F01", "F02", "P06")
STATES: Final = ("draft", "submitted", "confirmed", "returned", "approved", "published", "withdrawn")


@pytest_asyncio.fixture
async def many(month: Month) -> list[dict[str, Any]]:
    """Six hundred disclosures in sixty villages, most of them public; newest first."""
    dice = random.Random(7)  # noqa: S311 - made-up rows
    rows = [
        {
            "id": f"{n:08x}-0000-7000-8000-000000000000",
            "village": dice.choice(VILLAGES[:3] if n % 3 else VILLAGES),
            "item": dice.choice(ITEMS),
            # Days of events: a cell takes any number of them.
            "period": f"2026-0{dice.randint(7, 9)}-01",
            "state": dice.choice(STATES) if n % 5 == 0 else "published",
            "release": "file" if n < 4 else "approve",
        }
        for n in range(600)
    ]
    async with month.served.runtime.database.transaction() as conn:
        await conn.execute(
            "INSERT INTO disclosure (id, village_code, item, period, state, edition, digest, history, created_at,"
            " saved_by, release) SELECT id, village, item, period, state, 1, '', false, now(), 'x', release"
            " FROM jsonb_to_recordset($1::jsonb)"
            " AS t (id uuid, village text, item text, period text, state text, release text)",
            json.dumps(rows),
        )
    return sorted(rows, key=lambda r: r["id"], reverse=True)


@pytest.mark.parametrize("villages", [VILLAGES[:1], VILLAGES[:3], VILLAGES], ids=["one", "few", "all"])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"item": "F02"},
        {"item": "F99"},
        {"items": ["F01", "P06"]},
        {"item": "F01", "items": ["F02"]},
        {"period": "2026-08-01"},
        {"period": "2026-08-01", "item": "F01", "states": ["published"]},
        {"states": ["returned"]},
        {"states": ["returned", "confirmed"], "item": "F02"},
        {"states": ["withdrawn"], "period": "2026-09-01"},
        {"states": ["published"]},
        {"states": ["published"], "item": "P06"},
        {"states": ["nonsense"]},
        {"to_file": True, "states": ["published"]},
    ],
    ids=str,
)
async def test_every_filter_finds_its_newest_behind_any_number_of_others(
    month: Month, many: list[dict[str, Any]], villages: list[str], asked: dict[str, Any]
) -> None:
    wanted = [
        r["id"]
        for r in many
        if r["village"] in villages
        and r["item"] in ([asked["item"]] if "item" in asked else ITEMS)
        and r["item"] in asked.get("items", ITEMS)
        and r["period"] == asked.get("period", r["period"])
        and r["state"] in asked.get("states", STATES)
        and (r["release"] == "file" or not asked.get("to_file"))
    ]
    async with month.served.runtime.database.connection() as conn:
        found = await select_disclosures(conn, Filter(villages, limit=50, **asked))
        assert [str(d.id) for d in found] == wanted[:50]
        if len(wanted) > 50:
            rest = await select_disclosures(conn, Filter(villages, limit=600, after=found[-1].id, **asked))
            assert [str(d.id) for d in rest] == wanted[50:]


# -- many villages --------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def crowded(month: Month, service: ServiceFactory) -> Month:
    """A township of 65 villages."""
    served = await service("ingest")
    async with served.runtime.database.transaction() as conn:
        for n in range(63):
            code = f"{builders.TOWNSHIP}{300 + n}"
            made = builders.division(code, f"第{n}村委会", DivisionKind.VILLAGE, builders.TOWNSHIP)
            await reference.project(conn, DivisionSet(**builders.stamp(code), division=made))
    await served.runtime.reference.refresh()
    return month


async def test_of_many_villages_a_list_tells_a_part_and_goes_on(crowded: Month) -> None:
    villages = [v.code for v in crowded.served.runtime.reference.villages(builders.TOWNSHIP)]
    whole = await listed(crowded, division=builders.TOWNSHIP, period="2026-10", limit="200")
    assert list(dict.fromkeys(c["village"] for c in whole)) == villages
    assert [place(c) for c in whole] == sorted({place(c) for c in whole})
    # No cell is looked at, and still nobody goes through all villages at once.
    asked = {"division": builders.TOWNSHIP, "period": "2031-01"}
    empty = [page := await crowded.done("GET", DUTIES, REVIEWER, **asked)]
    while page["next"] is not None:
        empty.append(page := await crowded.done("GET", DUTIES, REVIEWER, **asked, cursor=page["next"]))
    assert [p["items"] for p in empty] == [[], [], []]


@pytest.mark.parametrize(
    "made_up",
    [
        ["1", "F01", "2026-10"],
        [builders.VILLAGE, "F01\x00", "2026-10"],
        [builders.VILLAGE, "F01", "2026-10\x00"],
        [builders.VILLAGE, "F01"],
        [builders.VILLAGE, 1],
        builders.VILLAGE,
    ],
    ids=str,
)
async def test_a_place_that_no_list_of_cells_gave_is_refused(month: Month, made_up: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(made_up).encode()).decode()
    answer = await month.ask("GET", DUTIES, REVIEWER, cursor=cursor)
    assert (answer.status_code, answer.json()["errors"][0]["at"]) == (422, "query.cursor")


@pytest.mark.parametrize(("path", "user"), [("/desk/grid", REVIEWER), ("/desk/urge", REVIEWER), ("/desk", ACCOUNTANT)])
async def test_of_many_villages_a_page_shows_a_part_and_leads_to_the_next(crowded: Month, path: str, user: str) -> None:
    seen: list[str] = []
    link: str | None = path
    while link is not None:
        text = (await crowded.served.client.get(link, headers=crowded.served.bearer(user))).text
        names = [v.now.name for v in crowded.served.runtime.reference.villages(builders.TOWNSHIP)]
        shown = [n for n in names if f'<th scope="row">{n}' in text or f">{n}</a>" in text]
        assert len(shown) in {30, 5}
        seen += shown
        _, more, after = text.partition('<a class="button plain" href="?')
        is_more = more and "after=" in after.partition('"')[0]
        link = f"{path}?{after.partition(chr(34))[0].replace('&amp;', '&')}" if is_more else None
    assert seen == [v.now.name for v in crowded.served.runtime.reference.villages(builders.TOWNSHIP)]
