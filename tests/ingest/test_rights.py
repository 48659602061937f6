"""Who may do what beside the plain way: departments, affairs, sheets; filing and correcting what was just let out."""

import asyncio
import json
from typing import Any, Final

import pytest

from services.contracts.base import Role
from services.contracts.catalogue import ItemSet
from services.ingest import workflow
from services.ingest.commands.declarations import asked_items
from services.ingest.workflow import Action, Errand, State
from tests import builders
from tests.ingest.conftest import ACCOUNTANT, CLERK, PATH, REVIEWER, SUPERVISOR, Month

DEPARTMENT = "department-210881-finance"
PARTY: Final[dict[str, Any]] = {
    "item": "P04",
    "period": "2026Q3",
    "body": {"kind": "notice", "title": "三会一课", "paragraphs": ["三次。"]},
}


async def publisher(month: Month, item: str, name: str) -> None:
    """Say who publishes an item."""
    known = month.served.runtime.reference.items[item]
    revision = known.revisions[-1].model_copy(update={"publisher": name})
    event = ItemSet(**builders.stamp(item), item=known.model_copy(update={"revisions": (revision,)}))
    await month.told(event)


async def test_a_department_enters_what_it_publishes_itself_and_nothing_else(month: Month) -> None:
    await month.refused(403, "not_publisher", "POST", PATH, DEPARTMENT, builders.disclosure())
    nil = {"village": builders.VILLAGE, "item": "F01", "period": "2026-10"}
    await month.refused(403, "not_publisher", "POST", f"{PATH}/nil", DEPARTMENT, nil)
    made = await month.draft()
    body = {"version": 1, "body": builders.ledger()}
    await month.refused(403, "not_publisher", "PUT", f"{PATH}/{made}", DEPARTMENT, body)
    for action in ("submit", "discard"):
        await month.refused(403, "not_publisher", "POST", f"{PATH}/{made}/{action}", DEPARTMENT, {"version": 1})
    await month.step(made, "discard", CLERK)
    await publisher(month, "F01", "业务主管部门")
    try:
        own = await month.draft(DEPARTMENT)
        assert (await month.step(own, "submit", DEPARTMENT))["state"] == "submitted"
    finally:
        await publisher(month, "F01", "村集体经济组织")


async def test_whose_part_is_finance_neither_reads_nor_enters_party_affairs(month: Month) -> None:
    made = await month.draft(**PARTY)
    own = await month.draft()
    await month.refused(403, "forbidden", "GET", f"{PATH}/{made}", DEPARTMENT)
    changed = await month.ask("GET", f"{PATH}/{made}/difference", DEPARTMENT, **{"with": "previous"})
    assert (changed.status_code, changed.json()["code"]) == (403, "forbidden")
    listed = await month.done("GET", PATH, DEPARTMENT)
    assert [d["id"] for d in listed["items"]] == [own]
    cells = await month.done("GET", "/ingest/v1/duties", DEPARTMENT, division=builders.VILLAGE)
    assert {c["item"][0] for c in cells["items"]} == {"F"}


@pytest.mark.parametrize("role", [Role.ACCOUNTANT, Role.PRINCIPAL, Role.INSPECTOR, Role.OPERATOR, Role.DEPARTMENT])
def test_only_reviewers_let_out_file_withdraw_and_decide(role: Role) -> None:
    rights = (Action.APPROVE, Action.FILE, Action.WITHDRAW, Errand.DECIDE_WAIVER)
    assert [role in workflow.RIGHTS[right] for right in rights] == [False] * 4


def test_every_right_names_its_roles() -> None:
    assert set(workflow.RIGHTS) == {*Action, *Errand}
    assert Role.SYSTEM not in {role for roles in workflow.RIGHTS.values() for role in roles}


def test_a_department_is_offered_steps_on_what_it_publishes_alone() -> None:
    assert workflow.actions_for(Role.DEPARTMENT, State.DRAFT) == ()
    assert Action.SUBMIT in workflow.actions_for(Role.DEPARTMENT, State.DRAFT, "department")


async def test_the_township_files_each_version_that_the_village_let_out(month: Month) -> None:
    await month.profile(release="file")
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    await month.step(made, "confirm", SUPERVISOR)
    await month.step(made, "file", REVIEWER)
    await month.step(made, "correct", CLERK, note="摘要写得更清楚")
    await month.step(made, "submit", CLERK, 2)
    assert (await month.step(made, "confirm", SUPERVISOR, 2))["filed_at"] is None
    await month.step(made, "file", REVIEWER, 2)
    assert len(await month.served.said("disclosure.filed.v1")) == 2


async def test_what_was_let_out_a_moment_ago_can_be_corrected_and_the_correction_given_up(month: Month) -> None:
    made = await month.approved()
    saved = await month.step(made, "correct", CLERK, note="改一个字")
    assert (saved["version"], saved["state"]) == (2, "draft")
    assert (await month.done("GET", f"{PATH}/{made}", CLERK))["published_version"] == 1
    left = await month.step(made, "discard", CLERK, 2)
    assert (left["state"], left["version"]) == ("approved", 1)


async def test_a_draft_corrected_early_hears_that_its_first_version_is_public(month: Month) -> None:
    made = await month.approved()
    await month.step(made, "correct", CLERK, note="改一个字")
    await month.published(made)
    detail = await month.done("GET", f"{PATH}/{made}", CLERK)
    assert (detail["state"], detail["version"], detail["published_version"]) == ("draft", 2, 1)
    assert (await month.step(made, "discard", CLERK, 2))["state"] == "published"


@pytest.mark.parametrize(
    ("word", "at"),
    [
        ({"opinion": "dissent", "reason": "问张某 13812345678"}, "reason"),
        ({"names": ["张某 11010519491231002X"], "sheet": "0" * 64}, "names[0]"),
    ],
)
async def test_what_villagers_will_read_of_an_opinion_holds_no_personal_number(
    month: Month, word: dict[str, Any], at: str
) -> None:
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    problem = await month.refused(
        422, "invalid_input", "POST", f"{PATH}/{made}/confirm", SUPERVISOR, {"version": 1, **word}
    )
    assert problem["errors"][0]["at"] == at


async def test_the_answer_kept_for_a_repetition_forgets_what_was_withdrawn(month: Month) -> None:
    accounts = [{"account": "cash", "opening_fen": 120_000, "closing_fen": 98_600}, builders.ledger()["accounts"][1]]
    body = builders.disclosure(body=builders.ledger(accounts=accounts))
    headers = {**month.served.bearer(CLERK), "Idempotency-Key": "once-and-for-all"}
    made = (await month.served.client.post(PATH, json=body, headers=headers)).json()
    assert "-1.00" in made["findings"][0]["message"]
    await month.step(made["id"], "withdraw", REVIEWER, reason="填错了村")
    again = await month.served.client.post(PATH, json=body, headers=headers)
    assert (again.status_code, again.json()) == (201, {"id": made["id"], "state": "withdrawn"})
    assert not any("-1.00" in r["response"] for r in await month.rows("SELECT response FROM idempotency"))


async def test_an_imports_kept_answer_forgets_the_withdrawn_draft_alone(month: Month) -> None:
    accounts = [{"account": "cash", "opening_fen": 120_000, "closing_fen": 98_600}, builders.ledger()["accounts"][1]]
    wrong = builders.ledger(accounts=accounts)
    drafts = [builders.disclosure(body=wrong), builders.disclosure(item="F09", period="2026Q3")]
    drafts[1] |= {"item": "F01", "period": "2026-09", "body": builders.ledger(lines=[], totals=None, accounts=accounts)}
    headers = {**month.served.bearer(CLERK), "Idempotency-Key": "the-import"}
    answer = await month.served.client.post("/ingest/v1/imports", json={"disclosures": drafts}, headers=headers)
    assert answer.status_code == 201, answer.text
    gone, left = answer.json()["disclosures"]
    await month.step(gone["id"], "withdraw", REVIEWER, reason="填错了村")
    kept = (await month.rows("SELECT response::jsonb -> 'disclosures' AS d FROM idempotency"))[0]["d"]
    again = {d["id"]: (d["state"], d["findings"]) for d in json.loads(kept)}
    assert again[gone["id"]] == ("withdrawn", [])
    assert again[left["id"]] == (left["state"], left["findings"])


async def test_duties_are_told_page_by_page_across_villages(month: Month) -> None:
    whole = await month.done("GET", "/ingest/v1/duties", REVIEWER, period="2026-10")
    names = [(c["village"], c["item"]) for c in whole["items"]]
    assert {v for v, _ in names} == {builders.VILLAGE, builders.NEIGHBOUR}
    pages: list[tuple[str, str]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await month.done("GET", "/ingest/v1/duties", REVIEWER, period="2026-10", limit="3", **cursor)
        pages += [(c["village"], c["item"]) for c in answer["items"]]
        if answer["next"] is None:
            break
        cursor = {"cursor": answer["next"]}
    assert (pages, len(pages)) == (names, len(whole["items"]))


@pytest.mark.parametrize("cursor", ["MTIz", "JSUl", "MjEwODgxMDA2MjA2OjEyMzQ1Njc4OTA="])
async def test_a_forged_place_in_the_duties_is_refused(month: Month, cursor: str) -> None:
    answer = await month.ask("GET", "/ingest/v1/duties", REVIEWER, cursor=cursor)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_of_two_first_answers_at_one_moment_none_is_lost_and_none_is_an_error(month: Month) -> None:
    reference = month.served.runtime.reference
    body = {"answers": [{"item": c, "days": []} for c in asked_items(reference, builders.VILLAGE, "2026Q3")]}
    path = f"/ingest/v1/declarations/{builders.VILLAGE}/2026Q3"
    answers = await asyncio.gather(*(month.ask("PUT", path, user, body) for user in (CLERK, ACCOUNTANT, REVIEWER)))
    taken = sorted(a.json()["edition"] for a in answers if a.status_code == 200)
    refused = [a.json()["code"] for a in answers if a.status_code != 200]
    assert taken == list(range(1, len(taken) + 1))
    assert refused == ["stale_version"] * (3 - len(taken))
