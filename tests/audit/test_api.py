"""Who sees which alerts, in what order, and what is refused."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.audit.events import Disclosure, at, give_keys, ledger
from tests.builders import CITY, FAR_VILLAGE, NEIGHBOUR, OTHER_TOWNSHIP, TOWNSHIP, VILLAGE
from tests.conftest import Served

Tick = Callable[[], Awaitable[None]]


@pytest_asyncio.fixture
async def city(audit: Served, tick: Tick) -> Served:
    """Nine overdue cells, one wrong total in the test village, one cleared alert in the neighbour's."""
    mine, theirs = Disclosure(VILLAGE, "2026-10"), Disclosure(NEIGHBOUR, "2026-10")
    await give_keys(audit, mine, theirs)
    await audit.hear(mine.approved(ledger(totals=(1, 81_500)), at("2026-11-10 02:00")))
    await audit.hear(theirs.approved(ledger(closing=1), at("2026-11-10 02:00")))
    theirs.edition = 2
    await audit.hear(theirs.approved(ledger(), at("2026-11-11 02:00")))
    await tick()
    return audit


async def get(served: Served, username: str, path: str, **query: str | int) -> tuple[int, dict[str, Any]]:
    answer = await served.client.get(f"/audit/v1{path}", params=query, headers=served.bearer(username))
    return answer.status_code, answer.json()


async def test_alerts_come_most_serious_first_page_by_page(city: Served) -> None:
    cursor: str | None = None
    levels: list[int] = []
    ids: list[str] = []
    for _ in range(9):
        query: dict[str, str | int] = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        status, page = await get(city, "inspector-210881", "/alerts", **query)
        assert status == 200
        levels += [a["level"] for a in page["items"]]
        ids += [a["id"] for a in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(ids) == len(set(ids)) == 15
    # Wrong total and the cleared balance; August's ledgers are 70 days late, September's 40, October's 8. Nothing for
    # August and September in all three villages, nor for September and October in the far one.
    assert levels == [3] * 8 + [2] * 4 + [1] * 3


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 15),
        ({"rule": "A01"}, 1),
        ({"rule": "D01"}, 9),
        ({"rule": "D02"}, 4),
        ({"state": "open"}, 14),
        ({"state": "cleared"}, 1),
        ({"village": VILLAGE}, 5),
        ({"village": NEIGHBOUR, "state": "open"}, 4),
        ({"division": OTHER_TOWNSHIP}, 5),
        ({"division": TOWNSHIP}, 10),
        ({"level": 1}, 3),
        ({"level": 2}, 4),
    ],
)
async def test_filters_choose(city: Served, query: dict[str, str | int], count: int) -> None:
    _, page = await get(city, "inspector-210881", "/alerts", **query)
    assert len(page["items"]) == count


async def test_an_inspector_of_a_township_sees_its_villages_only(city: Served) -> None:
    _, page = await get(city, "inspector-210881006", "/alerts")
    assert {a["village"] for a in page["items"]} == {VILLAGE, NEIGHBOUR}
    for name, code in (("village", FAR_VILLAGE), ("division", OTHER_TOWNSHIP), ("division", CITY)):
        status, problem = await get(city, "inspector-210881006", "/alerts", **{name: code})
        assert (status, problem["code"]) == (403, "forbidden")


async def test_an_alert_outside_the_scope_is_refused_and_an_unknown_one_not_found(city: Served) -> None:
    _, page = await get(city, "operator", "/alerts", village=FAR_VILLAGE)
    path = f"/alerts/{page['items'][0]['id']}"
    assert (await get(city, "inspector-210881", path))[0] == 200
    assert (await get(city, "inspector-210881006", path))[0] == 403
    status, problem = await get(city, "inspector-210881", "/alerts/" + "0" * 30)
    assert (status, problem["code"]) == (404, "unknown_alert")


@pytest.mark.parametrize("path", ["/alerts", "/alerts/" + "0" * 30, "/rules", "/coverage?period=2026-10"])
async def test_alerts_are_for_inspectors_and_operators(city: Served, path: str) -> None:
    for username in ("clerk-210881006206", "supervisor-210881006206", "reviewer-210881006"):
        assert (await get(city, username, path))[0] == 403
    assert (await city.client.get(f"/audit/v1{path}")).status_code == 401


@pytest.mark.parametrize(
    ("path", "query", "status", "where"),
    [
        ("/alerts", {"rule": "Z99"}, 422, "query.rule"),
        ("/alerts", {"state": "closed"}, 422, "query.state"),
        ("/alerts", {"level": 4}, 422, "query.level"),
        ("/alerts", {"level": "x"}, 422, "query.level"),
        ("/alerts", {"village": "123"}, 422, "query.village"),
        ("/alerts", {"division": "2108810062"}, 422, "query.division"),
        ("/alerts", {"limit": 201}, 422, "query.limit"),
        ("/alerts", {"cursor": "!!!"}, 422, "query.cursor"),
        ("/alerts", {"cursor": "MyBub3QtYS10aW1lIHg="}, 422, "query.cursor"),
        ("/alerts", {"cursor": "OSAyMDI2LTExLTI0VDAyOjAwOjAwKzAwOjAwIHg="}, 422, "query.cursor"),
        ("/alerts", {"cursor": "MyAyMDI2LTExLTI0VDAyOjAwOjAwKzAwOjAwIAA="}, 422, "query.cursor"),
        ("/alerts", {"village": "210881999999"}, 404, None),
        ("/coverage", {}, 422, "query.period"),
        ("/coverage", {"period": "2026-13"}, 422, "query.period"),
        ("/coverage", {"period": "2026-10", "division": "999999"}, 404, None),
        ("/alerts/%00", {}, 422, "path.alert_id"),
    ],
)
async def test_what_is_malformed_is_refused_with_its_place(
    city: Served, path: str, query: dict[str, str | int], status: int, where: str | None
) -> None:
    told, problem = await get(city, "inspector-210881", path, **query)
    assert told == status, problem
    assert problem.get("errors", [{"at": None}])[0]["at"] == where
    assert any("一" <= c <= "鿿" for c in str(problem["detail"]) + str(problem.get("errors")))


async def test_coverage_counts_hits_passes_and_blind_subjects_by_reason(city: Served) -> None:
    _, answer = await get(city, "inspector-210881", "/coverage", period="2026-10")
    by_rule = {r["rule"]: r for r in answer["rules"]}
    assert by_rule["A01"] == {"rule": "A01", "judged": 2, "hit": 1, "passed": 1, "not_applicable": {}}
    assert by_rule["A02"] == {"rule": "A02", "judged": 2, "hit": 0, "passed": 0, "not_applicable": {"上期未公开": 2}}
    assert by_rule["D01"]["hit"] == 3
    _, answer = await get(city, "inspector-210881", "/coverage", period="2026-10", division=NEIGHBOUR)
    assert {r["rule"]: r["judged"] for r in answer["rules"]} == dict.fromkeys(
        ("A01", "A02", "A03", "A05", "A06", "B01", "B02", "B04", "D01", "D02", "D03", "D07", "D10", "D11"), 1
    ) | {
        # Of questions, of which there are none, and of a reviewer's withdrawals: not of a village's cell.
        "D04": 0,
        "D12": 0,
        # Of rosters, contracts, decisions, notices and projects.
        **dict.fromkeys(("A07", "A08", "A09", "A10", "B05", "B07", "B09", "D08"), 0),
    }


async def test_every_rule_is_explained(city: Served) -> None:
    _, answer = await get(city, "inspector-210881006", "/rules")
    assert [r["id"] for r in answer["items"]] == [
        "A01",
        "A02",
        "A03",
        "A05",
        "A06",
        "A07",
        "A08",
        "A09",
        "A10",
        "B01",
        "B02",
        "B04",
        "B05",
        "B07",
        "B09",
        "D01",
        "D02",
        "D03",
        "D04",
        "D07",
        "D08",
        "D10",
        "D11",
        "D12",
    ]
    assert all(r["explanation"] and r["law"] and r["false_alarms"] for r in answer["items"])


async def test_an_alert_carries_evidence_that_names_its_facts(city: Served) -> None:
    _, page = await get(city, "operator", "/alerts", rule="A01")
    _, alert = await get(city, "operator", f"/alerts/{page['items'][0]['id']}")
    evidence = alert["evidence"]
    event = Disclosure(VILLAGE, "2026-10").approved(ledger(), at("2026-11-10 02:00")).event_id
    assert [str(event), "cur.income_stated_fen", 1] in evidence["facts"]
    assert evidence["steps"][0] == "收入：合计 0.01 元 − 逐笔 600.00 元 = -599.99 元"
    assert evidence["as_of"] >= 1
    assert "承包费" not in str(alert)
