"""Waivers and the quarter's yes/no page."""

from typing import Any

import pytest

from services.ingest.commands.declarations import asked_items
from tests import builders
from tests.ingest.conftest import ACCOUNTANT, CLERK, REVIEWER, SECOND, SUPERVISOR, Month

WAIVERS = "/ingest/v1/waivers"
QUARTER = f"/ingest/v1/declarations/{builders.VILLAGE}/2026Q3"
CELL = {"village": builders.VILLAGE, "item": "F10", "period": "2026Q3", "reason": "本村没有发包的资产。"}


async def state_of(month: Month, item: str, period: str) -> str:
    query = {"division": builders.VILLAGE, "period": period}
    cells = (await month.done("GET", "/ingest/v1/duties", CLERK, **query))["items"]
    return next((c["state"] for c in cells if c["item"] == item), "no cell")


async def test_a_granted_waiver_settles_the_cell_until_it_ends(month: Month) -> None:
    made = await month.done("POST", WAIVERS, CLERK, CELL)
    assert (made["state"], await state_of(month, "F10", "2026Q3")) == ("filed", "not_opened")
    await month.done("POST", f"{WAIVERS}/{made['id']}/grant", REVIEWER, {})
    assert await state_of(month, "F10", "2026Q3") == "waived"
    await month.refused(422, "missing_reason", "POST", f"{WAIVERS}/{made['id']}/end", REVIEWER, {})
    ended = await month.done("POST", f"{WAIVERS}/{made['id']}/end", REVIEWER, {"reason": "本季度起有了租金"})
    assert (ended["state"], await state_of(month, "F10", "2026Q3")) == ("ended", "not_opened")
    said = [await month.served.said(f"waiver.{t}.v1") for t in ("filed", "granted", "ended")]
    assert [len(s) for s in said] == [1, 1, 1]
    assert not any("没有发包" in text or "租金" in text for s in said for text in s)


@pytest.mark.parametrize(("order", "status"), [("reset first", 403), ("filed first", 200)])
async def test_nobody_grants_what_an_account_asked_for_that_they_reset(month: Month, order: str, status: int) -> None:
    if order == "reset first":
        await month.reset(CLERK, REVIEWER)
        month.served.clock.advance(minutes=5)
    made = await month.done("POST", WAIVERS, CLERK, CELL)
    if order == "filed first":
        month.served.clock.advance(minutes=5)
        await month.reset(CLERK, REVIEWER)
    answer = await month.ask("POST", f"{WAIVERS}/{made['id']}/grant", REVIEWER, {})
    assert answer.status_code == status, answer.text
    if status == 403:
        assert answer.json()["code"] == "reset_by_you"
        await month.done("POST", f"{WAIVERS}/{made['id']}/refuse", REVIEWER, {"reason": "请写明依据"})


async def test_a_refused_waiver_leaves_the_duty_and_room_for_another(month: Month) -> None:
    made = await month.done("POST", WAIVERS, CLERK, CELL)
    await month.refused(409, "waiver_exists", "POST", WAIVERS, CLERK, CELL)
    await month.done("POST", f"{WAIVERS}/{made['id']}/refuse", REVIEWER, {"reason": "村里有门市房出租"})
    assert await state_of(month, "F10", "2026Q3") == "not_opened"
    await month.done("POST", WAIVERS, CLERK, CELL)
    listed = await month.done("GET", WAIVERS, REVIEWER)
    assert [w["state"] for w in listed["items"]] == ["filed", "refused"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"reason": "联系电话 13812345678"}, 422, "invalid_input"),
        ({"reason": ""}, 422, "invalid_input"),
        ({"item": "F99"}, 422, "unknown_item"),
        ({"item": "F10", "period": "2026-10"}, 422, "wrong_period"),
        ({"village": builders.ZONE}, 422, "zone_has_no_duties"),
        ({"village": builders.NEIGHBOUR}, 403, "forbidden"),
        ({"more": 1}, 422, "invalid_input"),
    ],
)
async def test_a_waiver_that_makes_no_sense_is_refused(
    month: Month, changes: dict[str, Any], status: int, code: str
) -> None:
    await month.refused(status, code, "POST", WAIVERS, CLERK, {**CELL, **changes})


async def test_what_is_open_is_not_waived(month: Month) -> None:
    made = await month.approved()
    await month.published(made)
    await month.refused(409, "already_opened", "POST", WAIVERS, CLERK, {**CELL, "item": "F01", "period": "2026-10"})


async def test_who_files_does_not_grant(month: Month) -> None:
    made = await month.done("POST", WAIVERS, REVIEWER, CELL)
    await month.refused(403, "same_person", "POST", f"{WAIVERS}/{made['id']}/grant", REVIEWER, {})
    await month.refused(403, "forbidden", "POST", f"{WAIVERS}/{made['id']}/grant", CLERK, {})
    await month.refused(403, "forbidden", "POST", f"{WAIVERS}/{made['id']}/grant", "reviewer-210881102", {})


# -- the quarter's page -------------------------------------------------------------------------------------------


def answers(month: Month, **happened: list[str]) -> dict[str, Any]:
    reference = month.served.runtime.reference
    asked = asked_items(reference, builders.VILLAGE, "2026Q3")
    return {"answers": [{"item": code, "days": happened.get(code, [])} for code in asked]}


async def test_no_makes_a_settled_cell_and_yes_a_duty_for_each_day(month: Month) -> None:
    said = await month.done("PUT", QUARTER, CLERK, answers(month, V01=["2026-09-02", "2026-09-28"]))
    assert (said["edition"], said["state"], await state_of(month, "F07", "2026Q3")) == (1, "submitted", "no cell")
    done = await month.done("POST", f"{QUARTER}/confirm", SUPERVISOR, {"edition": 1})
    assert done["state"] == "confirmed"
    assert await state_of(month, "F07", "2026Q3") == "nil"
    assert await state_of(month, "V01", "2026Q3") == "no cell"
    assert await state_of(month, "V01", "2026-09-02") == "not_opened"
    assert await state_of(month, "V01", "2026-09-28") == "not_opened"


async def test_a_new_answer_takes_the_place_of_the_old_one(month: Month) -> None:
    await month.done("PUT", QUARTER, CLERK, answers(month))
    await month.done("POST", f"{QUARTER}/confirm", SUPERVISOR, {"edition": 1})
    again = await month.done("PUT", QUARTER, CLERK, answers(month, F07=["2026-08-20"]))
    assert again["edition"] == 2
    await month.refused(409, "stale_version", "POST", f"{QUARTER}/confirm", SUPERVISOR, {"edition": 1})
    await month.done("POST", f"{QUARTER}/confirm", SUPERVISOR, {"edition": 2})
    assert await state_of(month, "F07", "2026Q3") == "no cell"


async def test_as_many_supervisors_agree_as_the_city_wants(month: Month) -> None:
    await month.profile(supervisors_needed=2)
    await month.done("PUT", QUARTER, CLERK, answers(month))
    assert (await month.done("POST", f"{QUARTER}/confirm", SUPERVISOR, {"edition": 1}))["state"] == "submitted"
    assert (await month.done("POST", f"{QUARTER}/confirm", SUPERVISOR, {"edition": 1}))["state"] == "submitted"
    assert (await month.done("POST", f"{QUARTER}/confirm", SECOND, {"edition": 1}))["state"] == "confirmed"


async def test_a_page_that_is_sent_back_is_answered_anew(month: Month) -> None:
    await month.done("PUT", QUARTER, ACCOUNTANT, answers(month))
    back = await month.done("POST", f"{QUARTER}/return", SUPERVISOR, {"edition": 1, "reason": "开过村民代表会"})
    assert (back["state"], back["note"]) == ("returned", "开过村民代表会")
    assert (await month.done("PUT", QUARTER, CLERK, answers(month, V01=["2026-09-20"])))["edition"] == 2


@pytest.mark.parametrize("day", ["2026-10-01", "2026-06-30"])
async def test_days_lie_within_the_quarter(month: Month, day: str) -> None:
    body = answers(month, V01=[day])
    at = next(n for n, a in enumerate(body["answers"]) if a["item"] == "V01")
    problem = await month.refused(422, "incomplete_declaration", "PUT", QUARTER, CLERK, body)
    assert problem["errors"][0]["at"] == f"answers[{at}].days[0]"


async def test_every_item_is_answered_once_and_no_other(month: Month) -> None:
    body = answers(month)
    body["answers"] = [*body["answers"][1:], body["answers"][1], {"item": "F01", "days": []}]
    problem = await month.refused(422, "incomplete_declaration", "PUT", QUARTER, CLERK, body)
    assert problem["errors"][0]["message"].startswith("事项 ")
    assert len(problem["errors"]) == 3


@pytest.mark.parametrize(
    ("quarter", "status", "code"),
    [("2026Q4", 422, "future_period"), ("2026-10", 422, "wrong_period"), ("2026Q5", 422, "invalid_input")],
)
async def test_only_a_quarter_that_is_over_is_answered_for(month: Month, quarter: str, status: int, code: str) -> None:
    path = f"/ingest/v1/declarations/{builders.VILLAGE}/{quarter}"
    await month.refused(status, code, "PUT", path, CLERK, answers(month))


async def test_nobody_answers_for_another_village_and_no_clerk_confirms(month: Month) -> None:
    await month.refused(403, "forbidden", "PUT", QUARTER, "clerk-210881006208", answers(month))
    await month.done("PUT", QUARTER, CLERK, answers(month))
    await month.refused(403, "forbidden", "POST", f"{QUARTER}/confirm", CLERK, {"edition": 1})
    missing = QUARTER.replace("Q3", "Q2")
    await month.refused(404, "unknown_declaration", "GET", missing, CLERK)
