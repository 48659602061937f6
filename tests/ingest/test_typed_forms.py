"""What is typed and is no edition yet: kept however incomplete, sealed, in nobody's way, and gone with what it is of."""

from typing import Any

import pytest

from services.contracts.disclosure import DisclosureWithdrawn
from tests import builders
from tests.ingest.conftest import ACCOUNTANT, CLERK, PATH, REVIEWER, SUPERVISOR, Month
from tests.ingest.test_pages import CELL, LEDGER, drafted, hidden, kept, look, send

ELSEWHERE = "clerk-210881006208"
HALF = {**CELL, "accounts.0.account": "现金", "lines.0.summary": "修到一半的水渠", "lines.0.amount_fen": "三百"}
FORM = f"/desk/form?village={builders.VILLAGE}&item=F01&period=2026-10"


async def typed(month: Month, fields: dict[str, Any], user: str = CLERK) -> Any:
    """What the page sends by itself."""
    return await month.served.client.post("/desk/typed", data=fields, headers=month.served.bearer(user))


async def rows(month: Month) -> list[dict[str, Any]]:
    return [dict(r.items()) for r in await month.rows("SELECT * FROM typed_form")]


async def keys(month: Month) -> int:
    return len(await month.rows("SELECT * FROM shred_key"))


def own_fields(text: str) -> dict[str, str]:
    """The hidden fields of the form itself, not of those below it."""
    return hidden(text.partition("作废这份草稿")[0])


DAY = {"village": builders.VILLAGE, "item": "V10", "period": "2026-10-09"}
ANOTHER = "01a20000-0000-7000-8000-0000000000%02d"


async def of_day(month: Month, another: str = "", user: str = CLERK) -> str:
    more = f"&another={another}" if another else ""
    answer = await look(month.served, f"/desk/form?village={DAY['village']}&item=V10&period=2026-10-09{more}", user)
    return str(answer.text)


# -- kept ---------------------------------------------------------------------------------------------------------


async def test_a_form_however_incomplete_is_kept_and_comes_back_as_it_was(month: Month) -> None:
    answer = await send(month.served, "/desk/form", HALF)
    assert (answer.status_code, "已经存下，不会丢" in answer.text) == (422, True)
    assert '<a href="#c-lines.0.amount_fen">逐笔收支第 1 行“金额（元）”：金额应写成' in answer.text
    again = (await look(month.served, FORM)).text
    assert 'value="修到一半的水渠"' in again
    assert 'value="三百"' in again
    assert "填到一半、还没有存成草稿的内容" in again
    assert await month.rows("SELECT * FROM disclosure") == []


async def test_what_the_page_keeps_by_itself_counts_its_revisions(month: Month) -> None:
    assert (await typed(month, HALF)).json() == {"typed": 1, "at": "11月24日 10:00"}
    assert (await typed(month, {**HALF, "typed": "1", "lines.0.summary": "水渠"})).json()["typed"] == 2
    assert 'value="水渠"' in (await look(month.served, FORM)).text


async def test_it_rests_sealed_under_the_key_that_the_disclosure_will_have(month: Month) -> None:
    await typed(month, HALF)
    [row] = await rows(month)
    assert "修到一半".encode() not in row["fields_sealed"]
    page = await drafted(month.served, typed="1")
    assert page.endswith(str(row["disclosure_id"]))
    assert (await rows(month), await keys(month)) == ([], 1)


async def test_a_draft_that_is_changed_half_keeps_its_last_whole_content(month: Month) -> None:
    page = await drafted(month.served)
    own = {"id": page.rsplit("/", 1)[-1], "version": "1"}
    assert (await typed(month, {**LEDGER, **own, "lines.0.amount_fen": ""})).status_code == 200
    assert (await kept(month.served, page))["body"]["lines"][0]["amount_fen"] == 21500
    assert 'name="lines.0.amount_fen" value=""' in (await look(month.served, f"{page}/edit")).text
    answer = await send(month.served, "/desk/form", {**LEDGER, **own, "typed": "1", "lines.0.amount_fen": "215"})
    assert (answer.status_code, await rows(month)) == (303, [])


async def test_what_is_half_changed_cannot_be_handed_in(month: Month) -> None:
    page = await drafted(month.served)
    own = {"id": page.rsplit("/", 1)[-1], "version": "1"}
    await typed(month, {**LEDGER, **own, "lines.0.summary": ""})
    assert "还填了一半，没有存成草稿" in (await look(month.served, page)).text
    answer = await send(month.served, f"{page}/submit", {"version": "1"})
    assert (answer.status_code, "还填了一半" in answer.text) == (409, True)
    path = f"{PATH}/{own['id']}/submit"
    await month.refused(409, "unfinished_form", "POST", path, CLERK, {"version": 1})
    dropped = await send(month.served, "/desk/form", {**LEDGER, **own, "typed": "1", "action": "drop"})
    assert dropped.headers["location"] == f"{page}/edit"
    assert (await send(month.served, f"{page}/submit", {"version": "1"})).status_code == 303


async def test_a_month_that_the_agency_types_is_delivered_when_it_is_whole(month: Month) -> None:
    assert (await typed(month, HALF, ACCOUNTANT)).status_code == 200
    assert await month.rows("SELECT * FROM event") == []
    answer = await send(month.served, "/desk/form", {**LEDGER, "typed": "1"}, ACCOUNTANT)
    assert answer.status_code == 303
    assert [r["type"] for r in await month.rows("SELECT type FROM event")] == ["disclosure.delivered.v1"]


# -- two people ---------------------------------------------------------------------------------------------------


async def test_two_who_type_for_one_empty_cell_see_both_and_choose(month: Month) -> None:
    await typed(month, HALF)
    answer = await typed(month, {**HALF, "lines.0.summary": "乙写的"}, REVIEWER)
    assert (answer.status_code, answer.json()["code"]) == (409, "typed_by_another")
    assert "也填了这一份，您填的还没有保存" in answer.json()["detail"]
    page = await send(month.served, "/desk/form", {**LEDGER, "lines.0.summary": "乙写的"}, REVIEWER)
    assert page.status_code == 409
    assert "修到一半的水渠" in page.text
    assert "乙写的" in page.text
    mine = hidden(page.text)
    assert mine["typed"] == "1"
    saved = await send(month.served, "/desk/form", {**mine, "action": "save"}, REVIEWER)
    assert (await kept(month.served, saved.headers["location"]))["body"]["lines"][0]["summary"] == "乙写的"


async def test_one_person_in_two_windows_is_told_so(month: Month) -> None:
    await typed(month, HALF)
    assert "您在另一个窗口里" in (await typed(month, HALF)).json()["detail"]


async def test_what_was_typed_on_an_older_edition_is_compared_when_it_is_saved(month: Month) -> None:
    page = await drafted(month.served)
    own = {"id": page.rsplit("/", 1)[-1], "version": "1"}
    await typed(month, {**LEDGER, **own, "lines.0.summary": "甲写的"})
    await month.done("PUT", f"{PATH}/{own['id']}", REVIEWER, {"version": 1, "body": builders.ledger()})
    form = (await look(month.served, f"{page}/edit")).text
    assert "此后又存过第 2 稿，保存时请比较" in form
    assert own_fields(form)["version"] == "1"
    late = {**LEDGER, **own, "typed": "1", "lines.0.summary": "甲写的"}
    assert (await typed(month, late)).json()["code"] == "stale_version"
    answer = await send(month.served, "/desk/form", late)
    assert (answer.status_code, 'value="drop">用已保存的，放弃我填的' in answer.text) == (409, True)
    mine = hidden(answer.text)
    assert (await send(month.served, "/desk/form", {**mine, "action": "drop"})).status_code == 303
    assert await rows(month) == []


async def test_rows_that_are_asked_for_do_not_make_a_form_newer_than_it_is(month: Month) -> None:
    page = await drafted(month.served)
    own = {"id": page.rsplit("/", 1)[-1], "version": "1"}
    await month.done("PUT", f"{PATH}/{own['id']}", REVIEWER, {"version": 1, "body": builders.ledger()})
    more = await send(month.served, "/desk/form", {**LEDGER, **own, "action": "more:lines"})
    assert own_fields(more.text)["version"] == "1"


async def test_a_draft_that_a_program_makes_meanwhile_takes_what_was_typed_along(month: Month) -> None:
    await typed(month, HALF)
    [row] = await rows(month)
    assert await month.draft() == str(row["disclosure_id"])
    form = (await look(month.served, f"/desk/disclosures/{row['disclosure_id']}/edit")).text
    assert 'value="修到一半的水渠"' in form
    assert (await send(month.served, "/desk/form", {**LEDGER, **own_fields(form), "action": "save"})).status_code == 409


# -- gone ---------------------------------------------------------------------------------------------------------


async def test_what_was_typed_for_an_empty_cell_goes_with_its_key(month: Month) -> None:
    await typed(month, HALF)
    late = await send(month.served, "/desk/form", {**HALF, "typed": "7", "action": "drop"})
    assert (late.status_code, await keys(month)) == (409, 1)
    assert (await send(month.served, "/desk/form", {**HALF, "typed": "1", "action": "drop"})).status_code == 303
    assert (await rows(month), await keys(month)) == ([], 0)


async def test_it_goes_with_a_draft_that_is_given_up(month: Month) -> None:
    page = await drafted(month.served)
    await typed(month, {**LEDGER, "id": page.rsplit("/", 1)[-1], "version": "1", "lines.0.summary": ""})
    await send(month.served, f"{page}/discard", {"version": "1", "sure": "yes"})
    assert (await rows(month), await keys(month)) == ([], 0)


async def test_it_goes_when_what_is_public_is_withdrawn_and_does_not_come_back(month: Month) -> None:
    made = await month.approved()
    await month.published(made)
    own = {"id": made, "version": "1", "lines.0.summary": "更正到一半"}
    assert (await typed(month, {**LEDGER, **own})).status_code == 200
    await month.step(made, "withdraw", REVIEWER, reason="填错了村")
    assert await rows(month) == []
    assert (await typed(month, {**LEDGER, **own})).json()["code"] == "wrong_state"
    told = [r["type"] for r in await month.rows("SELECT type FROM event ORDER BY event_id DESC LIMIT 1")]
    assert told == [DisclosureWithdrawn.model_fields["type"].default]


# -- refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "user", "status", "code"),
    [
        ({}, SUPERVISOR, 403, "forbidden"),
        ({"village": builders.NEIGHBOUR}, CLERK, 403, "forbidden"),
        ({"village": "210881006999"}, CLERK, 404, "not_found"),
        ({"item": "F99"}, CLERK, 422, "unknown_item"),
        ({"period": "十月"}, CLERK, 422, "wrong_period"),
        ({"period": "2031-01"}, CLERK, 422, "future_period"),
        ({"id": "01a21aed-819a-70e5-94fd-3bb6129ec1a8", "version": "1"}, CLERK, 404, "unknown_disclosure"),
        ({"typed": "5"}, CLERK, 409, "typed_by_another"),
        ({"lines.0.summary": "看\u202e不见"}, CLERK, 422, "invalid_input"),
    ],
)
async def test_what_may_not_be_entered_is_not_kept_either(
    month: Month, changes: dict[str, str], user: str, status: int, code: str
) -> None:
    answer = await typed(month, {**HALF, **changes}, user)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await rows(month), await keys(month)) == ([], 0)


async def test_what_is_being_checked_cannot_be_typed_over(month: Month) -> None:
    page = await drafted(month.served)
    await send(month.served, f"{page}/submit", {"version": "1"})
    own = {"id": page.rsplit("/", 1)[-1], "version": "1"}
    assert (await typed(month, {**LEDGER, **own})).json()["code"] == "wrong_state"


async def test_nobody_outside_reads_what_is_typed(month: Month) -> None:
    await typed(month, HALF)
    for user in (SUPERVISOR, ELSEWHERE):
        answer = await look(month.served, FORM, user)
        assert (answer.status_code, "水渠" in answer.text) == (403, False)


# -- several events of a day --------------------------------------------------------------------------------------


async def test_half_filled_events_of_one_day_do_not_meet(month: Month) -> None:
    for n, title in enumerate(("第一件", "第二件", "第三件")):
        more = {"another": ANOTHER % n} if n else {}
        assert (await typed(month, {**DAY, **more, "title": title})).json()["typed"] == 1
    assert len(await rows(month)) == 3
    assert 'value="第一件"' in await of_day(month)
    assert 'value="第三件"' in await of_day(month, ANOTHER % 2)
    todo = (await look(month.served, "/desk")).text
    assert todo.count("接着填") == 3
    assert f"another={ANOTHER % 1}" in todo


async def test_a_half_filled_event_is_given_up_by_itself(month: Month) -> None:
    for n in (1, 2):
        await typed(month, {**DAY, "another": ANOTHER % n, "title": f"第{n}件"})
    answer = await send(month.served, "/desk/form", {**DAY, "another": ANOTHER % 1, "typed": "1", "action": "drop"})
    assert (answer.status_code, f"another={ANOTHER % 1}" in answer.headers["location"]) == (303, True)
    assert [r["disclosure_id"].hex for r in await rows(month)] == [(ANOTHER % 2).replace("-", "")]


async def test_the_id_of_another_villages_form_shows_nothing_of_it(month: Month) -> None:
    theirs = {**DAY, "village": "210881006208", "another": ANOTHER % 1, "title": "别村的事"}
    assert (await typed(month, theirs, ELSEWHERE)).status_code == 200
    assert "别村的事" not in await of_day(month, ANOTHER % 1)
    assert (await typed(month, {**DAY, "another": ANOTHER % 1, "title": "占了"})).status_code == 409
    assert [r["village_code"] for r in await rows(month)] == ["210881006208"]
