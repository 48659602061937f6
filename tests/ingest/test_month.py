"""A month's work over HTTP: opinions, filing, corrections, one tap for nothing, approvals with undo, rights."""

from typing import Any

import pytest

from services.ingest.commands.approvals import carry_out
from services.ingest.commands.attachments import sweep
from services.ingest.jobs import carry_out_approvals
from tests import builders
from tests.ingest.conftest import ACCOUNTANT, CLERK, PATH, PRINCIPAL, REVIEWER, SECOND, SUPERVISOR, Month

PARTY_NOTICE = {"kind": "notice", "title": "三会一课", "paragraphs": ["召开支委会三次。"]}


# -- opinions -----------------------------------------------------------------------------------------------------


async def test_two_of_three_supervisors_confirm_and_a_dissent_counts_for_nothing(month: Month) -> None:
    await month.profile(supervisors_needed=2)
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    said = await month.step(made, "confirm", SUPERVISOR, opinion="dissent", reason="第二笔没有见到发票")
    assert said["state"] == "submitted"
    assert (await month.step(made, "confirm", SECOND))["state"] == "submitted"
    # Who changes their mind has one word, not two.
    assert (await month.step(made, "confirm", SUPERVISOR))["state"] == "confirmed"
    detail = await month.done("GET", f"{PATH}/{made}", REVIEWER)
    assert [(o["opinion"], o["names"]) for o in detail["opinions"]] == [("agree", ["村监委会成员"])] * 2


async def test_a_dissenters_reason_travels_sealed_and_only_with_the_approval(month: Month) -> None:
    await month.profile(supervisors_needed=1)
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    await month.step(made, "confirm", SUPERVISOR, opinion="dissent", reason="第二笔没有见到发票")
    await month.step(made, "confirm", SECOND)
    await month.step(made, "approve", REVIEWER)
    confirmed = await month.served.said("disclosure.confirmed.v1")
    assert ['"opinion": "dissent"' in c for c in confirmed] == [True, False]
    texts = await month.rows("SELECT payload::text AS t FROM event")
    assert not any("发票" in r["t"] or "村监委会成员" in r["t"] for r in texts)


async def test_a_dissent_needs_words(month: Month) -> None:
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    problem = await month.refused(
        422, "missing_reason", "POST", f"{PATH}/{made}/confirm", SUPERVISOR, {"version": 1, "opinion": "dissent"}
    )
    assert problem["errors"][0]["at"] == "reason"


@pytest.mark.parametrize(
    ("user", "status", "code"),
    [
        (PRINCIPAL, 403, "nobody_asked"),
        (ACCOUNTANT, 403, "nobody_asked"),
        (CLERK, 403, "forbidden"),
        ("inspector-210881", 403, "forbidden"),
        ("supervisor-210881006208", 403, "forbidden"),
    ],
)
async def test_who_is_not_asked_gives_no_word(month: Month, user: str, status: int, code: str) -> None:
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    await month.refused(status, code, "POST", f"{PATH}/{made}/confirm", user, {"version": 1})


# -- the accounting agency ----------------------------------------------------------------------------------------


async def test_the_agency_delivers_and_the_village_checks(month: Month) -> None:
    made = await month.draft(ACCOUNTANT)
    assert len(await month.served.said("disclosure.delivered.v1")) == 1
    await month.step(made, "submit", CLERK)
    await month.step(made, "confirm", SUPERVISOR)
    await month.refused(403, "forbidden", "POST", f"{PATH}/{made}/approve", ACCOUNTANT, {"version": 1})
    assert (await month.step(made, "approve", REVIEWER))["state"] == "approved"


async def test_an_agency_of_another_township_enters_nothing_here(month: Month) -> None:
    await month.refused(403, "forbidden", "POST", PATH, ACCOUNTANT, builders.disclosure(village=builders.FAR_VILLAGE))


# -- letting out --------------------------------------------------------------------------------------------------


async def test_with_filing_the_last_confirmation_lets_it_out_and_the_township_files(month: Month) -> None:
    await month.profile(release="file")
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    assert (await month.step(made, "confirm", SUPERVISOR))["state"] == "approved"
    assert '"release": "file"' in (await month.served.said("disclosure.approved.v1"))[0]
    filed = await month.step(made, "file", REVIEWER)
    assert filed["filed_at"] is not None
    assert len(await month.served.said("disclosure.filed.v1")) == 1
    await month.refused(409, "already_filed", "POST", f"{PATH}/{made}/file", REVIEWER, {"version": 1})


async def test_what_the_township_approved_needs_no_filing(month: Month) -> None:
    made = await month.approved()
    await month.refused(409, "already_filed", "POST", f"{PATH}/{made}/file", REVIEWER, {"version": 1})


async def test_a_party_item_needs_the_name_of_who_looked_for_secrets(month: Month) -> None:
    made = await month.draft(item="P04", period="2026Q3", body=PARTY_NOTICE)
    assert (await month.step(made, "submit", CLERK))["state"] == "confirmed"
    problem = await month.refused(
        422, "secrecy_check_missing", "POST", f"{PATH}/{made}/approve", REVIEWER, {"version": 1}
    )
    assert problem["errors"][0]["at"] == "secrecy_checked_by"
    assert (await month.step(made, "approve", REVIEWER, secrecy_checked_by="王宣"))["state"] == "approved"


async def test_with_filing_a_party_item_needs_it_when_it_is_handed_in(month: Month) -> None:
    await month.profile(release="file")
    made = await month.draft(item="P04", period="2026Q3", body=PARTY_NOTICE)
    await month.refused(422, "secrecy_check_missing", "POST", f"{PATH}/{made}/submit", CLERK, {"version": 1})
    assert (await month.step(made, "submit", CLERK, secrecy_checked_by="王宣"))["state"] == "approved"


async def test_one_person_hands_in_and_approves_only_on_a_delegation_that_is_told(month: Month) -> None:
    made = await month.draft(REVIEWER)
    await month.step(made, "submit", REVIEWER)
    await month.step(made, "confirm", SUPERVISOR)
    await month.refused(403, "same_person", "POST", f"{PATH}/{made}/approve", REVIEWER, {"version": 1})
    await month.delegate(REVIEWER, "西海街道〔2026〕12号")
    try:
        await month.step(made, "approve", REVIEWER)
    finally:
        await month.delegate(REVIEWER, None)
    assert "西海街道〔2026〕12号" in (await month.served.said("disclosure.approved.v1"))[0]


async def test_a_return_tells_what_is_wrong_with_which_line(month: Month) -> None:
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    lines = [{"at": "body.lines[1]", "reason": "发票抬头不是本村"}]
    await month.step(made, "return", SUPERVISOR, reason="有一笔不对", lines=lines)
    detail = await month.done("GET", f"{PATH}/{made}", CLERK)
    assert (detail["state"], detail["note"], detail["returned_lines"]) == ("returned", "有一笔不对", lines)
    assert not any("发票" in e for e in await month.served.said("disclosure.returned.v1"))


# -- corrections --------------------------------------------------------------------------------------------------


def other_ledger() -> dict[str, Any]:
    body = builders.ledger()
    body["lines"][0]["amount_fen"] += 100
    body["lines"][1]["amount_fen"] += 500
    body["accounts"][0]["closing_fen"] -= 100
    body["accounts"][1]["closing_fen"] -= 500
    body["totals"]["expense_fen"] += 600
    return body


async def test_a_correction_goes_the_whole_way_while_the_first_version_stays(month: Month) -> None:
    made = await month.approved()
    await month.published(made)
    saved = await month.step(made, "correct", CLERK, note="两笔金额记错", body=other_ledger())
    assert (saved["version"], saved["state"], saved["findings"]) == (2, "draft", [])
    detail = await month.done("GET", f"{PATH}/{made}", CLERK)
    assert (detail["published_version"], detail["correction_note"]) == (1, "两笔金额记错")
    await month.step(made, "submit", CLERK, 2)
    await month.step(made, "confirm", SUPERVISOR, 2)
    await month.step(made, "approve", REVIEWER, 2)
    said = (await month.served.said("disclosure.approved.v1"))[1]
    assert ('"edition": 2' in said, '"noted": true' in said) == (True, True)
    changed = await month.done("GET", f"{PATH}/{made}/difference", REVIEWER, **{"from": "1", "to": "2"})
    assert {"at": "body.lines[0].amount_fen", "before": 21_500, "after": 21_600} in changed["changes"]


async def test_figures_changed_without_a_note_are_told_and_need_a_reason(month: Month) -> None:
    made = await month.approved()
    await month.published(made)
    saved = await month.step(made, "correct", CLERK, body=other_ledger())
    assert [f["code"] for f in saved["findings"]] == ["correction.note"]
    await month.refused(409, "unexplained_findings", "POST", f"{PATH}/{made}/submit", CLERK, {"version": 2})
    await month.step(made, "submit", CLERK, 2, accept=[{"finding": "correction.note", "reason": "另行说明"}])


async def test_the_desk_calls_public_editions_as_villagers_do_and_its_own_savings_otherwise(month: Month) -> None:
    made = await month.draft()
    saved = await month.done("PUT", f"{PATH}/{made}", CLERK, {"version": 1, "body": other_ledger()})
    version = saved["version"]
    assert version > 1
    page = (await month.ask("GET", f"/desk/disclosures/{made}", CLERK)).text
    assert f"第 {version} 稿" in page
    await month.step(made, "submit", CLERK, version)
    await month.step(made, "confirm", SUPERVISOR, version)
    await month.step(made, "approve", REVIEWER, version)
    await month.published(made, version)
    assert "公开第 1 版" in (await month.ask("GET", f"/desk/disclosures/{made}", CLERK)).text
    await month.step(made, "correct", CLERK, version, note="改正", body=builders.ledger())
    page = (await month.ask("GET", f"/desk/disclosures/{made}", CLERK)).text
    assert "与公开的第 1 版相比" in page
    assert f"第 {version + 1} 稿" in page


async def test_words_alone_may_be_corrected_without_a_note(month: Month) -> None:
    made = await month.approved()
    await month.published(made)
    body = builders.ledger()
    body["lines"][0]["summary"] = "修村部水管（东院）"
    assert (await month.step(made, "correct", CLERK, body=body))["findings"] == []


async def test_a_correction_given_up_leaves_the_published_version(month: Month) -> None:
    made = await month.approved()
    await month.published(made)
    await month.step(made, "correct", CLERK, note="试改", body=other_ledger())
    left = await month.step(made, "discard", CLERK, 2)
    assert (left["state"], left["version"]) == ("published", 1)
    assert (await month.rows("SELECT edition FROM edition"))[0]["edition"] == 1
    assert len(await month.served.said("disclosure.discarded.v1")) == 1


async def test_a_draft_nobody_saw_is_gone_when_it_is_given_up(month: Month) -> None:
    made = await month.draft()
    assert await month.step(made, "discard", CLERK) is None
    assert await month.rows("SELECT * FROM disclosure") == []
    await month.draft()


async def test_what_is_not_public_is_not_corrected(month: Month) -> None:
    made = await month.draft()
    await month.refused(409, "wrong_state", "POST", f"{PATH}/{made}/correct", CLERK, {"version": 1})


async def test_the_second_of_two_clerks_learns_that_the_draft_moved_on(month: Month) -> None:
    made = await month.draft()
    body = {"version": 1, "body": other_ledger()}
    await month.done("PUT", f"{PATH}/{made}", CLERK, body)
    problem = await month.refused(409, "stale_version", "PUT", f"{PATH}/{made}", REVIEWER, body)
    assert problem["current_version"] == 2
    changed = await month.done("GET", f"{PATH}/{made}/difference", REVIEWER, **{"from": "1", "to": "2"})
    assert [c["at"] for c in changed["changes"]] == [
        "body.accounts[0].closing_fen",
        "body.accounts[1].closing_fen",
        "body.lines[0].amount_fen",
        "body.lines[1].amount_fen",
        "body.totals.expense_fen",
    ]


async def test_a_withdrawal_leaves_nothing_of_content_opinions_and_notes_in_any_table(month: Month) -> None:
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    await month.step(made, "confirm", SUPERVISOR, opinion="dissent", reason="水管没有修")
    await month.step(made, "confirm", SECOND)
    await month.step(made, "approve", REVIEWER)
    await month.published(made)
    await month.step(made, "correct", CLERK, note="水管另算", body=other_ledger())
    await month.step(made, "withdraw", REVIEWER, 2, reason="填错了村")
    await month.erased()
    tables = await month.rows("SELECT tablename AS t FROM pg_tables WHERE schemaname = 'ingest'")
    for table in (r["t"] for r in tables if r["t"] != "reference"):
        rows = await month.rows(f"SELECT t::text AS t FROM {table} t")
        assert not any("水管" in r["t"] for r in rows), table
    assert '"was_published": true' in (await month.served.said("disclosure.withdrawn.v1"))[0]


# -- nothing happened ---------------------------------------------------------------------------------------------


async def test_one_tap_says_that_nothing_came_in_or_went_out(month: Month) -> None:
    await month.draft(period="2026-09", body=builders.ledger(lines=[], totals=None, accounts=[
        {"account": "cash", "opening_fen": 500, "closing_fen": 500},
    ]))  # fmt: skip
    made = await month.done(
        "POST", f"{PATH}/nil", CLERK, {"village": builders.VILLAGE, "item": "F01", "period": "2026-10"}
    )
    detail = await month.done("GET", f"{PATH}/{made['id']}", CLERK)
    assert detail["body"]["accounts"] == [{"account": "cash", "opening_fen": 500, "closing_fen": 500}]
    assert (detail["body"]["lines"], detail["findings"]) == ([], [])


@pytest.mark.parametrize(
    ("item", "period", "code"),
    [
        ("F01", "2026-10", "nothing_to_state"),
        ("V16", "2026Q3", "nothing_to_state"),
        ("V08", "2026-10-01", "nothing_to_state"),
        ("F02", "2026Q3", "nothing_to_state"),
        ("X01", "2026-10", "invalid_input"),
        ("F01", "2026Q3", "wrong_period"),
        ("F01", "2026-13", "invalid_input"),
    ],
)
async def test_where_one_tap_cannot_say_it_the_clerk_is_told(month: Month, item: str, period: str, code: str) -> None:
    body = {"village": builders.VILLAGE, "item": item, "period": period}
    await month.refused(422, code, "POST", f"{PATH}/nil", CLERK, body)


# -- approving many -----------------------------------------------------------------------------------------------


async def confirmed(month: Month, **changes: Any) -> str:
    made = await month.draft(**changes)
    await month.step(made, "submit", CLERK)
    await month.step(made, "confirm", SUPERVISOR)
    return made


async def test_many_are_approved_when_the_time_to_undo_has_passed(month: Month) -> None:
    one, other = await confirmed(month), await confirmed(month, period="2026-09", body=builders.ledger(lines=[], totals=None, accounts=[{"account": a, "opening_fen": f, "closing_fen": f} for a, f in (("cash", 120_000), ("bank", 5_000_000))]))  # fmt: skip
    batch = await month.done(
        "POST", "/ingest/v1/approvals", REVIEWER, {"items": [{"id": one, "version": 1}, {"id": other, "version": 9}]}
    )
    await carry_out_approvals(month.served.runtime)
    assert await month.served.said("disclosure.approved.v1") == []
    month.served.clock.advance(seconds=30)
    await carry_out_approvals(month.served.runtime)
    after = await month.done("GET", f"/ingest/v1/approvals/{batch['id']}", REVIEWER)
    states = {i["id"]: (i["state"], i["problem"]) for i in after["items"]}
    assert states[one] == ("approved", None)
    assert states[other][0] == "failed"
    assert "刷新" in states[other][1]
    await month.refused(409, "too_late_to_undo", "DELETE", f"/ingest/v1/approvals/{batch['id']}", REVIEWER)


async def _trail(month: Month, like: str) -> list[tuple[str, str, str | None, str | None, str | None]]:
    rows = await month.rows(f"SELECT * FROM action WHERE action LIKE '{like}' ORDER BY id")
    assert {r["actor_id"] for r in rows} <= {builders.staff_id(REVIEWER)}
    return [(r["action"], r["object"], r["village_code"], r["address"], r["refused"]) for r in rows]


async def test_each_approval_of_many_is_in_the_trail_when_it_is_carried_out(month: Month) -> None:
    """With the address of the request that it goes back to, though the clock carries it out; a refused one too."""
    one, other = await confirmed(month), await confirmed(month, period="2026-09", body=builders.ledger(lines=[], totals=None, accounts=[{"account": a, "opening_fen": f, "closing_fen": f} for a, f in (("cash", 120_000), ("bank", 5_000_000))]))  # fmt: skip
    items = [{"id": one, "version": 1}, {"id": other, "version": 9}]
    before = len(await _trail(month, "approval carried out"))
    batch = await month.done("POST", "/ingest/v1/approvals", REVIEWER, {"items": items})
    asked = (await _trail(month, "POST /ingest/v1/approvals"))[-1]
    assert asked[1:] == (f"approval/{batch['id']}", builders.VILLAGE, "127.0.0.1", None)
    assert len(await _trail(month, "approval carried out")) == before
    month.served.clock.advance(seconds=30)
    await carry_out_approvals(month.served.runtime)
    carried = (await _trail(month, "approval carried out"))[before:]
    assert sorted(carried, key=str) == sorted(
        [
            ("approval carried out", f"disclosure/{one}", builders.VILLAGE, "127.0.0.1", None),
            ("approval carried out", f"disclosure/{other}", builders.VILLAGE, "127.0.0.1", "stale_version"),
        ],
        key=str,
    )


async def test_an_approval_undone_is_in_the_trail_for_each_disclosure(month: Month) -> None:
    one = await confirmed(month)
    batch = await month.done("POST", "/ingest/v1/approvals", REVIEWER, {"items": [{"id": one, "version": 1}]})
    await month.done("DELETE", f"/ingest/v1/approvals/{batch['id']}", REVIEWER)
    told = ("approval undone", f"disclosure/{one}", builders.VILLAGE, "127.0.0.1", None)
    assert (await _trail(month, "approval undone"))[-1] == told
    assert (await _trail(month, "DELETE /ingest/v1/approvals%"))[-1][1:3] == (
        f"approval/{batch['id']}",
        builders.VILLAGE,
    )


async def test_an_approval_undone_in_time_is_none(month: Month) -> None:
    one = await confirmed(month)
    batch = await month.done("POST", "/ingest/v1/approvals", REVIEWER, {"items": [{"id": one, "version": 1}]})
    await month.refused(404, "unknown_approval", "DELETE", f"/ingest/v1/approvals/{batch['id']}", "reviewer-210881102")
    month.served.clock.advance(seconds=29)
    undone = await month.done("DELETE", f"/ingest/v1/approvals/{batch['id']}", REVIEWER)
    assert [i["state"] for i in undone["items"]] == ["undone"]
    month.served.clock.advance(seconds=60)
    await carry_out_approvals(month.served.runtime)
    assert (await month.done("GET", f"{PATH}/{one}", REVIEWER))["state"] == "confirmed"


@pytest.mark.parametrize("seconds", [30, 31, 3600])
async def test_an_approval_is_not_undone_after_its_time_though_nothing_came_of_it_yet(
    month: Month, seconds: int
) -> None:
    one = await confirmed(month)
    batch = await month.done("POST", "/ingest/v1/approvals", REVIEWER, {"items": [{"id": one, "version": 1}]})
    month.served.clock.advance(seconds=seconds)
    await month.refused(409, "too_late_to_undo", "DELETE", f"/ingest/v1/approvals/{batch['id']}", REVIEWER)
    await carry_out_approvals(month.served.runtime)
    assert (await month.done("GET", f"{PATH}/{one}", CLERK))["state"] == "approved"


async def test_an_approval_whose_reviewer_has_left_is_settled_once_and_says_why(month: Month) -> None:
    one = await confirmed(month)
    await month.done("POST", "/ingest/v1/approvals", REVIEWER, {"items": [{"id": one, "version": 1}]})
    await month.leave(REVIEWER)
    month.served.clock.advance(seconds=31)
    runtime = month.served.runtime
    assert await carry_out(runtime, 50) == 1
    [row] = await month.rows("SELECT state, problem FROM approval_item")
    assert (row["state"], row["problem"]) == ("failed", "审核人已经不在岗，没有发布。")
    assert (await month.done("GET", f"{PATH}/{one}", CLERK))["state"] == "confirmed"
    assert await carry_out(runtime, 50) == 0


# -- cells --------------------------------------------------------------------------------------------------------


async def test_duties_tell_who_holds_what_and_for_how_long(month: Month) -> None:
    await month.profile(delivered_by_agency=("F01",))
    query = {"division": builders.VILLAGE, "period": "2026-10"}
    before = {c["item"]: c for c in (await month.done("GET", "/ingest/v1/duties", CLERK, **query))["items"]}
    assert (before["F01"]["state"], before["F01"]["held_by"]) == ("not_opened", "agency")
    assert (before["F09"]["held_by"], before["F09"]["late"]) == (
        "village",
        {"village": 8, "agency": 0, "township": 0, "department": 0},
    )
    await month.draft(ACCOUNTANT)
    after = {c["item"]: c for c in (await month.done("GET", "/ingest/v1/duties", CLERK, **query))["items"]}
    assert (after["F01"]["held_by"], after["F01"]["late"]["agency"]) == ("village", 8)
    assert after["F01"]["disclosure_id"] is not None


async def test_history_is_accepted_and_never_late(month: Month) -> None:
    made = await month.draft(period="2026-03", body=builders.ledger(lines=[], totals=None))
    assert (await month.done("GET", f"{PATH}/{made}", CLERK))["history"] is True


async def test_a_person_sees_nothing_outside_their_part_of_the_tree(month: Month) -> None:
    made = await month.draft()
    await month.refused(403, "forbidden", "GET", f"{PATH}/{made}", "clerk-210881006208")
    assert (await month.ask("GET", "/ingest/v1/duties", CLERK, division=builders.CITY)).status_code == 403


async def test_the_queue_of_deletions_is_empty_when_there_were_no_files(month: Month) -> None:
    made = await month.approved()
    await month.step(made, "withdraw", REVIEWER, reason="填错了村")
    await month.erased()
    runtime = month.served.runtime
    await sweep(runtime)
    assert await month.rows("SELECT * FROM object_deletion") == []


async def test_a_correction_does_not_charge_the_townships_days_to_the_village(month: Month) -> None:
    month.served.clock.at = builders.NOW.replace(day=10)
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    await month.step(made, "confirm", SUPERVISOR)
    # The village was in time; the township let four working days pass after the due day.
    month.served.clock.at = builders.NOW.replace(day=20)
    await month.step(made, "approve", REVIEWER)
    async with month.served.runtime.database.transaction() as conn:
        await conn.execute("UPDATE disclosure SET published_at = $1, published_edition = 1, state = 'published'", builders.NOW.replace(day=20))  # fmt: skip
    month.served.clock.at = builders.NOW
    await month.step(made, "correct", CLERK, note="两笔金额记错", body=other_ledger())
    await month.step(made, "submit", CLERK, 2)
    await month.step(made, "confirm", SUPERVISOR, 2)
    query = {"division": builders.VILLAGE, "period": "2026-10"}
    [cell] = [c for c in (await month.done("GET", "/ingest/v1/duties", CLERK, **query))["items"] if c["item"] == "F01"]
    assert (cell["state"], cell["late"]["village"], cell["late"]["township"]) == ("opened_late", 0, 4)
