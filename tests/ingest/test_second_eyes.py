"""Second eyes are other eyes: who wrote something neither checks it nor brings others' word for it."""

import json
from typing import Any, Final

import pytest

from services.contracts.disclosure import Opinion
from services.ingest import workflow
from services.ingest.gate.sheets import sheet_code
from services.ingest.store.disclosures import Filter
from services.ingest.store.opinions import select_to_confirm
from tests import builders
from tests.ingest.conftest import ACCOUNTANT, CLERK, PATH, REVIEWER, SECOND, SUPERVISOR, Month
from tests.ingest.test_files import photograph, upload

INSPECTOR: Final = "inspector-210881006"
FORM: Final = {"accept": "text/html"}


async def look(month: Month, path: str, user: str) -> str:
    answer = await month.served.client.get(path, headers={**month.served.bearer(user), **FORM})
    assert answer.status_code == 200, answer.text
    return answer.text


async def sheet_of(month: Month, made: str, user: str = SUPERVISOR) -> str:
    """The digest of a photograph of the newest edition's sheet."""
    [row] = await month.rows(f"SELECT id, edition, digest FROM disclosure WHERE id = '{made}'")
    text = sheet_code(row["id"], row["edition"], row["digest"]).text
    return str((await upload(month, photograph(text), user=user)).json()["digest"])


async def submitted(month: Month, **changes: Any) -> str:
    made = await month.draft(**changes)
    await month.step(made, "submit", CLERK)
    return made


async def resaved(month: Month, made: str, user: str, version: int) -> None:
    body = {"version": version, "body": builders.ledger()}
    await month.done("PUT", f"{PATH}/{made}", user, body)


# -- who wrote it -------------------------------------------------------------------------------------------------


async def test_who_saved_an_earlier_edition_neither_confirms_nor_approves(month: Month) -> None:
    made = await month.draft(REVIEWER)
    await resaved(month, made, ACCOUNTANT, 1)
    await resaved(month, made, CLERK, 2)
    await month.step(made, "submit", CLERK, 3)
    await month.step(made, "confirm", SUPERVISOR, 3)
    await month.refused(403, "same_person", "POST", f"{PATH}/{made}/approve", REVIEWER, {"version": 3})
    assert (await month.done("GET", f"{PATH}/{made}", CLERK))["state"] == "confirmed"


async def test_who_saved_what_another_handed_in_does_not_speak_as_the_agency(month: Month) -> None:
    await month.confirmations("F01", "accountant")
    try:
        made = await month.draft(ACCOUNTANT)
        await month.step(made, "submit", CLERK)
        await month.refused(403, "same_person", "POST", f"{PATH}/{made}/confirm", ACCOUNTANT, {"version": 1})
        assert made not in await look(month, "/desk", ACCOUNTANT)
        assert "须由别人核对、审核" in await look(month, f"/desk/disclosures/{made}", ACCOUNTANT)
    finally:
        await month.confirmations("F01", "supervisors")


async def test_who_saved_only_what_was_published_long_ago_may_approve_the_correction(month: Month) -> None:
    await month.delegate(REVIEWER, "西海街道〔2026〕12号")
    made = await month.draft(REVIEWER)
    await month.step(made, "submit", CLERK)
    await month.step(made, "confirm", SUPERVISOR)
    await month.step(made, "approve", REVIEWER)
    await month.published(made)
    await month.delegate(REVIEWER, None)
    await month.step(made, "correct", CLERK, note="摘要写得更清楚")
    await month.step(made, "submit", CLERK, 2)
    await month.step(made, "confirm", SUPERVISOR, 2)
    assert (await month.step(made, "approve", REVIEWER, 2))["state"] == "approved"


# -- the signed sheet ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("saved_first", [True, False])
async def test_the_sheet_is_not_brought_by_whoever_entered_saved_or_handed_in(
    month: Month, *, saved_first: bool
) -> None:
    await month.named(supervisor_210881006206="郭秀德")
    made = await month.draft(CLERK if saved_first else REVIEWER)
    version = 1
    if saved_first:
        await resaved(month, made, REVIEWER, 1)
        version = 2
    await month.step(made, "submit", REVIEWER if saved_first else CLERK, version)
    body = {"version": version, "sheet": await sheet_of(month, made), "names": ["郭秀德"]}
    for author in (CLERK, REVIEWER):
        await month.refused(403, "sheet_bearer", "POST", f"{PATH}/{made}/confirm", author, body)
    assert (await month.done("POST", f"{PATH}/{made}/confirm", SECOND, body))["state"] == "confirmed"


@pytest.mark.parametrize("names", [["秦始皇"], ["张国建", "王永勇"], ["张国"], ["supervisor-210881006206"]])
async def test_names_that_are_not_on_record_are_refused_with_those_who_are(month: Month, names: list[str]) -> None:
    await month.named(supervisor_210881006206="张国建", supervisor_210881006206_2="李志文")
    made = await submitted(month)
    body = {"version": 1, "sheet": await sheet_of(month, made), "names": names}
    problem = await month.refused(422, "unknown_signer", "POST", f"{PATH}/{made}/confirm", REVIEWER, body)
    assert "可以选：张国建、李志文" in problem["errors"][0]["message"]
    assert (await month.done("GET", f"{PATH}/{made}", CLERK))["sheet_signers"] == ["张国建", "李志文"]


async def test_supervisors_of_another_village_and_clerks_do_not_sign(month: Month) -> None:
    await month.named(supervisor_210881006206="张国建", supervisor_210881006208="赵别村", clerk_210881006206="钱报账")
    made = await submitted(month)
    sheet = await sheet_of(month, made)
    for name in ("赵别村", "钱报账"):
        body = {"version": 1, "sheet": sheet, "names": [name]}
        await month.refused(422, "unknown_signer", "POST", f"{PATH}/{made}/confirm", REVIEWER, body)


async def test_one_name_written_twice_is_one_supervisor(month: Month) -> None:
    await month.profile(supervisors_needed=2)
    await month.named(supervisor_210881006206="张国建")
    made = await submitted(month)
    sheet = await sheet_of(month, made)
    after = await month.step(made, "confirm", REVIEWER, sheet=sheet, names=["张国建", "张国建"])
    assert after["state"] == "submitted"
    [word] = (await month.done("GET", f"{PATH}/{made}", CLERK))["opinions"]
    assert word["names"] == ["张国建"]


def test_of_a_sheet_each_name_counts_once_and_without_accounts_none() -> None:
    def signed(*names: str) -> Opinion:
        return Opinion(party="supervisors", opinion="agree", names=names, sheet="0" * 64, at=builders.NOW)

    assert workflow.open_parties(["supervisors"], [signed("张", "张")], 2) == ("supervisors",)
    assert workflow.open_parties(["supervisors"], [signed("张", "李")], 2) == ()
    assert workflow.open_parties(["supervisors"], [signed("张", "李")], 2, by_account=True) == ("supervisors",)


async def test_where_the_village_lets_out_itself_a_sheet_is_never_enough(month: Month) -> None:
    await month.profile(release="file")
    await month.named(supervisor_210881006206="张国建")
    made = await submitted(month)
    after = await month.step(made, "confirm", REVIEWER, sheet=await sheet_of(month, made), names=["张国建"])
    assert after["state"] == "submitted"
    assert await month.served.said("disclosure.approved.v1") == []
    assert (await month.step(made, "confirm", SUPERVISOR))["state"] == "approved"


async def test_a_sheet_does_not_take_the_place_of_its_bearers_own_dissent(month: Month) -> None:
    await month.named(supervisor_210881006206_2="李志文")
    made = await submitted(month)
    sheet = await sheet_of(month, made)
    await month.step(made, "confirm", SUPERVISOR, opinion="dissent", reason="没有见到发票")
    await month.step(made, "confirm", SUPERVISOR, sheet=sheet, names=["李志文"])
    words = (await month.done("GET", f"{PATH}/{made}", CLERK))["opinions"]
    assert [(w["opinion"], w["names"], w["brought_by"]) for w in words] == [
        ("dissent", ["村监委会成员"], None),
        ("agree", ["李志文"], "村监委会成员"),
    ]


async def test_the_reviewer_sees_photograph_names_and_bearer_on_the_page_and_in_the_list(month: Month) -> None:
    await month.named(supervisor_210881006206="张国建", supervisor_210881006206_2="李志文")
    made = await submitted(month)
    sheet = await sheet_of(month, made)
    await month.step(made, "confirm", SECOND, sheet=sheet, names=["张国建"])
    text = await look(month, f"/desk/disclosures/{made}", REVIEWER)
    assert f'src="/desk/attachments/{sheet}" alt="签字的核对单照片：张国建"' in text
    assert "由村监委会成员李志文带来" in text
    assert "核对单由村监委会成员李志文带来" in await look(month, "/desk", REVIEWER)
    assert f'src="/desk/attachments/{sheet}"' in await look(month, f"/desk/disclosures/{made}", INSPECTOR)
    [event] = [json.loads(e) for e in await month.served.said("disclosure.confirmed.v1")]
    assert (event["by_sheet"], event["brought_by"]) == (True, builders.staff_id(SECOND))


async def test_names_are_ticked_not_typed(month: Month) -> None:
    await month.named(supervisor_210881006206="张国建", supervisor_210881006206_2="李志文")
    made = await submitted(month)
    text = await look(month, f"/desk/disclosures/{made}", REVIEWER)
    assert text.count('type="checkbox" name="signer|') == 2
    assert 'name="names"' not in text
    assert "上传签字的核对单" not in await look(month, f"/desk/disclosures/{made}", CLERK)
    [row] = await month.rows("SELECT id, edition, digest FROM disclosure")
    photo = photograph(sheet_code(row["id"], row["edition"], row["digest"]).text)
    answer = await month.served.client.post(
        "/desk/sheets",
        data={"id": made, "version": "1", "signer|李志文": "yes"},
        files={"photo": ("sheet.jpg", photo)},
        headers={**month.served.bearer(REVIEWER), **FORM},
    )
    assert answer.status_code == 303, answer.text
    assert (await month.done("GET", f"{PATH}/{made}", CLERK))["opinions"][0]["names"] == ["李志文"]


async def test_without_a_name_on_record_the_form_says_who_can_help(month: Month) -> None:
    made = await submitted(month)
    assert "请先由平台管理员登记" in await look(month, f"/desk/disclosures/{made}", REVIEWER)


# -- the to-do ----------------------------------------------------------------------------------------------------


async def test_what_a_nameless_supervisor_confirmed_leaves_their_to_do_alone(month: Month) -> None:
    await month.profile(supervisors_needed=2)
    made = await submitted(month)
    assert made in (await look(month, "/desk", SUPERVISOR)).partition("最近的公开内容")[0]
    await month.step(made, "confirm", SUPERVISOR)
    assert made not in (await look(month, "/desk", SUPERVISOR)).partition("最近的公开内容")[0]
    assert made in (await look(month, "/desk", SECOND)).partition("最近的公开内容")[0]


async def test_two_of_one_name_do_not_hide_each_others_to_do(month: Month) -> None:
    await month.profile(supervisors_needed=2)
    await month.named(supervisor_210881006206="王建国", supervisor_210881006206_2="王建国")
    made = await submitted(month)
    await month.step(made, "confirm", SUPERVISOR)
    assert made in (await look(month, "/desk", SECOND)).partition("最近的公开内容")[0]


async def test_what_others_must_confirm_does_not_crowd_out_what_waits_for_me(month: Month) -> None:
    made = await submitted(month)
    before = [{**a, "closing_fen": a["opening_fen"]} for a in builders.ledger()["accounts"]]
    newer = await submitted(month, period="2026-09", body=builders.ledger(lines=[], totals=None, accounts=before))
    await month.profile(supervisors_needed=2)
    await month.step(newer, "confirm", SUPERVISOR)
    items = month.served.runtime.reference.items
    asked = [c for c, i in items.items() if "supervisors" in i.revisions[-1].confirmations]
    async with month.served.runtime.database.connection() as conn:
        wanted = Filter([builders.VILLAGE], items=asked, limit=1)
        found = await select_to_confirm(conn, wanted, "supervisors", builders.staff_id(SUPERVISOR))
        assert [str(d.id) for d in found] == [made]


async def test_what_waits_to_be_filed_is_found_behind_any_number_of_filed_ones(month: Month) -> None:
    await month.profile(release="file")
    made = await submitted(month)
    await month.step(made, "confirm", SUPERVISOR)
    await month.published(made)
    async with month.served.runtime.database.transaction() as conn:
        await conn.execute(
            "INSERT INTO disclosure (id, village_code, item, period, state, edition, digest, history, created_at,"
            " saved_by, published_at, published_edition) SELECT gen_random_uuid(), $1, 'V10', '2026-09-10',"
            " 'published', 1, '', false, now(), 'x', now(), 1 FROM generate_series(1, 300)",
            builders.VILLAGE,
        )
        # Newer than all of these by id.
        await conn.execute("UPDATE disclosure SET id = ('ffff' || substr(id::text, 5))::uuid WHERE item = 'V10'")
    assert made in (await look(month, "/desk", REVIEWER)).partition("等待备案")[2]


async def test_a_dissent_reaches_the_clerks_to_do_and_the_reviewers_list(month: Month) -> None:
    made = await submitted(month)
    assert "有不同意见" not in await look(month, "/desk", CLERK)
    await month.step(made, "confirm", SUPERVISOR, opinion="dissent", reason="没有见到发票")
    for user in (CLERK, REVIEWER):
        assert "有不同意见" in await look(month, "/desk", user)
    await month.step(made, "confirm", SECOND)
    waiting = (await look(month, "/desk", REVIEWER)).partition("等待审核")[2].partition("不公开备案申请")[0]
    assert "有不同意见" in waiting


async def test_a_dissent_on_a_correction_reaches_the_clerk_too(month: Month) -> None:
    made = await month.approved()
    await month.published(made)
    await month.step(made, "correct", CLERK, note="改一个字")
    await month.step(made, "submit", CLERK, 2)
    await month.step(made, "confirm", SUPERVISOR, 2, opinion="dissent", reason="改得不对")
    assert "有不同意见" in await look(month, "/desk", CLERK)


# -- what was asked and what was done -----------------------------------------------------------------------------


async def test_the_return_reason_stays_until_publication_with_what_was_changed_in_answer(month: Month) -> None:
    made = await submitted(month)
    lines = [{"at": "body.lines[0]", "reason": "发票没有上传"}]
    await month.step(made, "return", SUPERVISOR, reason="缺发票，金额也不对", lines=lines)
    accounts = [{**builders.ledger()["accounts"][0], "closing_fen": 98_400}, builders.ledger()["accounts"][1]]
    changed = builders.ledger(accounts=accounts, totals=None)
    changed["lines"][0]["amount_fen"] = 21_600
    await month.done("PUT", f"{PATH}/{made}", CLERK, {"version": 1, "body": changed})
    form = await look(month, f"/desk/disclosures/{made}/edit", CLERK)
    assert "退回原因：缺发票，金额也不对" in form
    await month.step(made, "submit", CLERK, 2)
    for user in (CLERK, SUPERVISOR, REVIEWER):
        text = await look(month, f"/desk/disclosures/{made}", user)
        assert "退回原因：缺发票，金额也不对" in text, user
        assert "收支明细第 1 行：发票没有上传" in text or "第 1 行：发票没有上传" in text
        assert "216.00" in text.partition("退回后改了")[2].partition("</details>")[0]
        [told] = (await month.done("GET", f"{PATH}/{made}", user))["returns"]
        assert (told["version"], told["reason"], told["by"]) == (1, "缺发票，金额也不对", builders.staff_id(SUPERVISOR))
        assert told["lines"] == lines
    await month.step(made, "confirm", SUPERVISOR, 2)
    await month.step(made, "approve", REVIEWER, 2)
    await month.published(made, 2)
    assert "缺发票" not in await look(month, f"/desk/disclosures/{made}", REVIEWER)
    assert (await month.done("GET", f"{PATH}/{made}", CLERK))["returns"] == []


async def test_what_was_sent_back_and_handed_in_again_unchanged_is_said_so(month: Month) -> None:
    made = await submitted(month)
    await month.step(made, "return", SUPERVISOR, reason="请核对水管金额")
    await month.step(made, "submit", CLERK)
    assert "原样再次提交" in await look(month, f"/desk/disclosures/{made}", REVIEWER)
    await month.step(made, "return", REVIEWER, reason="还是没有核对")
    returns = (await month.done("GET", f"{PATH}/{made}", CLERK))["returns"]
    assert [r["reason"] for r in returns] == ["请核对水管金额", "还是没有核对"]


# -- who reset the account ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "days", "order", "status"),
    [
        (REVIEWER, 0, "reset first", 403),
        (REVIEWER, 29, "reset first", 403),
        (REVIEWER, 31, "reset first", 200),
        ("operator", 0, "reset first", 200),
        (REVIEWER, 0, "handed in first", 200),
    ],
)
async def test_nobody_lets_out_for_thirty_days_what_an_account_handed_in_that_they_reset(
    month: Month, by: str, days: int, order: str, status: int
) -> None:
    made = await month.draft()
    if order == "handed in first":
        await month.step(made, "submit", CLERK)
        month.served.clock.advance(minutes=5)
    await month.reset(CLERK, by)
    if order == "reset first":
        month.served.clock.advance(minutes=5)
        await month.step(made, "submit", CLERK)
    await month.step(made, "confirm", SUPERVISOR)
    month.served.clock.advance(days=days)
    batch = await month.ask("POST", "/ingest/v1/approvals", REVIEWER, {"items": [{"id": made, "version": 1}]})
    answer = await month.ask("POST", f"{PATH}/{made}/approve", REVIEWER, {"version": 1})
    assert answer.status_code == status, answer.text
    assert batch.status_code == (403 if status == 403 else 201)
    if status == 403:
        assert (answer.json()["code"], batch.json()["code"]) == ("reset_by_you", "reset_by_you")
