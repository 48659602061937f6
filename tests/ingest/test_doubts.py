"""What a clerk is asked before handing in: at which field, in which words, and that real disclosures raise nothing."""

import time
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from services.contracts.bodies import BODY
from services.contracts.catalogue import ItemKind
from services.ingest.forms import read_form
from services.ingest.gate.doubts import Setting, doubts
from services.ingest.gate.earlier import Earlier, against_earlier
from tests import builders
from tests.contracts.test_bodies_kinds import KINDS, golden
from tests.disclosures import as_table, sheet
from tests.ingest.conftest import CLERK, PATH, Month
from tests.ingest.test_forms import item

SETTING = Setting(today=date(2026, 11, 27), notice_days=5, cash_limit_fen=100_000)
Asked = list[tuple[str, str]]


def asked(body: Mapping[str, Any]) -> Asked:
    return [(f.code, f.at) for f in doubts(BODY.validate_python(body), SETTING)]


def words(body: Mapping[str, Any]) -> str:
    (finding,) = doubts(BODY.validate_python(body), SETTING)
    return finding.message


def line(day: str = "2026-10-03", no: int | None = 1, word: str = "记", **changes: Any) -> dict[str, Any]:
    found = {"date": day, "summary": "办公用品", "direction": "out", "amount_fen": 5_000, "account": "bank"}
    voucher = {"voucher": {"word": word, "no": no}} if no is not None else {}
    return {**found, **voucher, **changes}


def ledger(*lines: dict[str, Any]) -> dict[str, Any]:
    accounts = [{"account": a, "opening_fen": 0, "closing_fen": 0} for a in ("cash", "cash:村部", "bank")]
    return builders.ledger(accounts=accounts, lines=list(lines), totals=None)


@pytest.mark.parametrize("kind", KINDS)
def test_golden_bodies_raise_no_doubt(kind: str) -> None:
    assert asked(golden(kind)) == []


# -- vouchers and cash --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line(no=1), line(no=2), line(no=3)], []),
        # One voucher of one day with several lines is no repetition.
        ([line(no=1), line(no=1), line(no=2)], []),
        ([line(no=3), line("2026-10-09", 3)], [("ledger.voucher_twice", "body.lines[1].voucher.no")]),
        # Numbers restart for each word and each month.
        ([line(no=1), line(no=1, word="付", day="2026-10-05")], []),
        ([line("2026-10-03", 1), line("2026-11-03", 1)], []),
        ([line(no=1), line(no=4), line(no=5)], [("ledger.voucher_gap", "body.lines[1].voucher.no")]),
        ([line(no=5), line(no=1)], [("ledger.voucher_gap", "body.lines[0].voucher.no")]),
        ([line(no=7), line(no=8)], []),
        ([line(no=1), line(no=2), line(no=None)], [("ledger.voucher_missing", "body.lines[2].voucher.no")]),
        ([line(no=None), line(no=None)], []),
        ([line(no=1), line(no=None)], []),
    ],
)
def test_vouchers(lines: list[dict[str, Any]], expected: Asked) -> None:
    assert asked(ledger(*lines)) == expected


def test_a_gap_names_the_numbers_that_are_missing() -> None:
    told = words(ledger(line(no=1), line(no=3), line(no=8)))
    assert told == "10月“记”字的凭证缺 2、4–7 号。漏了的请补上；作废的、和收支无关的（如计提、结转），请说明。"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"account": "cash", "amount_fen": 100_000}, []),
        ({"account": "cash", "amount_fen": 100_001}, ["ledger.cash"]),
        ({"account": "cash:村部", "amount_fen": 250_000}, ["ledger.cash"]),
        ({"account": "bank", "amount_fen": 250_000}, []),
        ({"account": "bank", "amount_fen": 250_000, "method": "cash"}, ["ledger.cash"]),
        ({"account": "cash", "amount_fen": 250_000, "method": "transfer"}, []),
        ({"account": "cash", "amount_fen": 250_000, "direction": "in"}, []),
        ({"account": "cash", "amount_fen": 250_000, "summary": "差旅费"}, []),
        ({"account": "cash", "amount_fen": -250_000}, []),
    ],
)
def test_cash(changes: dict[str, Any], expected: list[str]) -> None:
    assert [code for code, _ in asked(ledger(line(**changes)))] == expected


def test_a_city_without_a_limit_asks_nothing_of_cash() -> None:
    body = BODY.validate_python(ledger(line(account="cash", amount_fen=9_999_900)))
    assert doubts(body, Setting(today=date(2026, 11, 27))) == ()


# -- contracts and projects ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # Twenty years to the day are allowed, a day more is not; 承包 and 流转 are no lease.
        ({"begins": "2026-11-01", "ends": "2046-10-31"}, []),
        ({"begins": "2026-11-01", "ends": "2046-11-01"}, [("contract.lease_term", "body.ends")]),
        ({"begins": "2028-02-29", "ends": "2048-02-29"}, []),
        ({"begins": "2026-11-01", "ends": "2056-10-31", "type": "household"}, []),
        ({"begins": "2026-11-01", "ends": "2056-10-31", "type": "transfer"}, []),
        ({"signed_on": "2026-11-02"}, [("contract.signed_late", "body.signed_on")]),
        (
            {"signed_on": "2099-01-01", "begins": "2099-01-02", "ends": "2100-01-01"},
            [("date.future", "body.signed_on")],
        ),
        ({"annual_fen": 5_000_001}, [("contract.annual", "body.annual_fen")]),
        ({"annual_fen": 100}, [("contract.annual", "body.annual_fen")]),
        ({"total_fen": -5_000_000}, [("contract.negative", "body.total_fen")]),
    ],
)
def test_contracts(changes: dict[str, Any], expected: Asked) -> None:
    assert asked({**golden("contract"), **changes}) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"accepted_on": "2099-10-12"}, [("date.future", "body.accepted_on")]),
        (
            {"payments": [{"date": "2026-11-28", "amount_fen": 100}]},
            [("date.future", "body.payments[0].date")],
        ),
        ({"finished_on": "2026-12-25", "accepted_on": None}, [("project.planned", "body.finished_on")]),
        ({"settled_fen": -1}, [("project.negative", "body.settled_fen")]),
    ],
)
def test_projects(changes: dict[str, Any], expected: Asked) -> None:
    assert asked({**golden("project"), **changes}) == expected


# -- meetings -----------------------------------------------------------------------------------------------------


def votes(entitled: int, present: int, in_favour: int) -> dict[str, int]:
    return {"entitled": entitled, "present": present, "in_favour": in_favour, "against": present - in_favour}


@pytest.mark.parametrize(
    ("meeting", "counted", "expected"),
    [
        ("villagers", votes(50, 20, 20), ["decision.quorum"]),
        ("villagers", votes(50, 25, 25), ["decision.quorum"]),
        ("villagers", votes(50, 26, 14), []),
        ("villagers", votes(50, 26, 13), ["decision.majority"]),
        ("representatives", votes(30, 19, 19), ["decision.quorum"]),
        ("representatives", votes(30, 20, 11), []),
        ("representatives", votes(30, 20, 10), ["decision.majority"]),
        # Two thirds of all, not of those who came.
        ("members", votes(300, 200, 199), ["decision.majority"]),
        ("members", votes(300, 200, 200), []),
        ("member_representatives", votes(40, 26, 26), ["decision.quorum", "decision.majority"]),
        ("member_representatives", votes(40, 27, 27), []),
        ("party_members", votes(21, 11, 11), []),
        ("party_members", votes(21, 10, 10), ["decision.quorum", "decision.majority"]),
        ("party_members", votes(20, 15, 10), ["decision.majority"]),
        ("party_branch", votes(5, 3, 3), []),
        # A few people who are counted by no law.
        ("committee", votes(5, 2, 1), []),
        ("two_committees", votes(9, 3, 3), []),
        ("villagers", votes(10, 0, 0), ["decision.quorum"]),
    ],
)
def test_quorums(meeting: str, counted: dict[str, int], expected: list[str]) -> None:
    body = {**golden("decision"), "meeting": meeting, "votes": counted}
    assert [code for code, _ in asked(body)] == expected


def test_a_quorum_says_which_body_how_many_and_by_which_law() -> None:
    assert words({**golden("decision"), "meeting": "villagers", "votes": votes(50, 20, 20)}) == (
        "村民会议要有本村十八周岁以上村民的过半数，或者三分之二以上的户的代表到会才能开（村民委员会组织法）。"
        "应到 50 人，至少要到 26 人，写的实到是 20 人。写错了请改正；确实是这样的，请说明这个决定怎么办。"
    )


def test_a_meeting_without_counted_votes_is_not_judged_and_one_to_come_cannot_have_decided() -> None:
    body = golden("decision")
    del body["votes"]
    assert asked(body) == []
    assert asked({**body, "held_on": "2099-10-08"}) == [("date.future", "body.held_on")]


# -- notices and sentences ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"posted_until": "2026-10-09"}, []),
        ({"posted_until": "2026-10-08"}, [("notice.short", "body.posted_until")]),
        ({"paragraphs": ["同一段话。", "另一段。", "同一 段话。"]}, [("notice.twice", "body.paragraphs[2]")]),
        ({"signed_on": "2099-01-01"}, [("notice.far", "body.signed_on")]),
    ],
)
def test_notices(changes: dict[str, Any], expected: Asked) -> None:
    assert asked({**golden("notice"), **changes}) == expected


@pytest.mark.parametrize(
    ("text", "is_asked"),
    [
        ("慰问老人6人，每人100元，共600元。", False),
        ("慰问老人6人，每人100元，共500元。", True),
        ("12名环卫公益岗每人1500元，共计1.8万元", False),
        ("12名环卫公益岗每人1500元，共计2.8万元", True),
        ("补助15户，每户2,000元，合计30,000元", False),
        # Nothing is judged where a sentence leaves open what belongs together.
        (
            "本次分红共4.15万元：6名无劳动能力老人每人1000元；12名环卫公益岗每人1500元；1户电站管理员3000元；3名敬老护理公益岗“发放14500元”。",
            False,
        ),
        (
            "城市67户118人，全年71.71万元，月人均506.4元；农村707户1325人，全年586.07万元；标准由590提到670；取消132户256人，新增35户84人。",
            False,
        ),
        ("一共30人参加，每人都发了通知。", False),
        ("", False),
    ],
)
def test_a_sentence_whose_own_sum_does_not_hold(text: str, is_asked: bool) -> None:  # noqa: FBT001 - a column of the table
    body = {**golden("notice"), "paragraphs": [text or "如下。"]}
    assert asked(body) == ([("text.each", "body.paragraphs[0]")] if is_asked else [])


# -- lists of people ----------------------------------------------------------------------------------------------


def roster(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "roster", "entries": list(entries)}


def got(name: str, fen: int | None = 10_000, **more: Any) -> dict[str, Any]:
    return {"name": name, **({"amount_fen": fen} if fen is not None else {}), **more}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([got("甲方"), got("乙方"), got("丙方")], []),
        ([got("甲方"), got("乙方"), got("甲方", 20_000)], [("roster.again", "body.entries[2].name")]),
        ([got("甲方", group="一组"), got("甲方", 20_000, group="二组")], []),
        ([got("甲方", household_size=2), got("甲方", 20_000, household_size=3)], []),
        # One works twice in a month; masked names are nobody's.
        (
            [
                got("甲方", 12_000, days="1", rate_fen=12_000),
                got("甲方", 24_000, days="2", rate_fen=12_000),
            ],
            [],
        ),
        ([got("张某某"), got("张某某", 20_000)], []),
        ([got("张*"), got("张*", 20_000)], []),
        ([got("甲方"), got("乙方"), got("丙方", None)], [("roster.amount_missing", "body.entries[2].amount_fen")]),
        ([got("甲方"), got("乙方"), got("丙方", None, goods="大米 2 袋")], []),
        ([got("甲方", None), got("乙方", None)], []),
    ],
)
def test_rosters(entries: list[dict[str, Any]], expected: Asked) -> None:
    assert asked(roster(*entries)) == expected


def election(registered: int, cast: int, votes: int, **more: int) -> dict[str, Any]:
    ballots = {"registered": registered, "cast": cast, **more}
    return {**roster({"name": "甲方", "votes": votes, "standing": "elected"}), "ballots": ballots}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (election(812, 741, 412), []),
        (election(812, 407, 204), []),
        (election(812, 406, 204), ["election.quorum"]),
        (election(812, 741, 370), ["election.votes"]),
        (election(812, 741, 371), []),
        (election(812, 813, 500), ["election.cast"]),
        (election(812, 741, 412, valid=742), ["election.valid"]),
    ],
)
def test_elections(body: dict[str, Any], expected: list[str]) -> None:
    assert [code for code, _ in asked(body)] == expected


# -- tables -------------------------------------------------------------------------------------------------------


def shares(*rows: tuple[str, int, int, int]) -> dict[str, Any]:
    """岗位、人数、标准、金额."""
    columns = [
        {"key": "who", "name": "对象"},
        {"key": "people", "name": "人(户)数", "type": "count"},
        {"key": "rate", "name": "标准(元)", "type": "amount"},
        {"key": "paid", "name": "金额(元)", "type": "amount"},
    ]
    return {"kind": "table", "columns": columns, "rows": [list(row) for row in rows]}


ROWS = (
    ("无劳动能力老人", 6, 100_000, 600_000),
    ("环卫公益岗", 12, 150_000, 1_800_000),
    ("管理员", 1, 300_000, 300_000),
)


def test_a_row_that_breaks_what_the_others_keep_is_asked_whether_it_is_for_each_or_for_all() -> None:
    assert asked(shares(*ROWS)) == []
    assert asked(shares(*ROWS, ("敬老护理公益岗", 3, 1_450_000, 1_450_000))) == [("table.product", "body.rows[3][3]")]
    # Where it is the rule that rows do not multiply, nobody is asked.
    assert asked(shares(("甲", 2, 100, 900), ("乙", 3, 100, 900), ("丙", 9, 100, 900), ("丁", 9, 100, 900))) == []


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("debt-yanpengwo", {}),
        ("finance-fulin", {}),
        ("land-lutai", {"公顷": "quantity"}),
        ("lease-liannan", {}),
        ("subsidy-longquan", {"户数": "count", "补贴面积(亩)": "quantity", "补贴资金(元)": "amount"}),
        ("table-ceheng", {}),
        ("table-dianjiang", {}),
        ("text-jifei", {}),
    ],
)
def test_no_real_table_raises_a_doubt(name: str, types: dict[str, str]) -> None:
    assert doubts(as_table(sheet(name), types), SETTING) == ()


# -- beside earlier periods ---------------------------------------------------------------------------------------


def beside(now: dict[str, Any], *before: dict[str, Any]) -> Asked:
    earlier = [Earlier(f"2026-{9 - n:02}", body) for n, body in enumerate(before)]
    return [(f.code, f.at) for f in against_earlier(now, earlier)]


def month_of(*amounts: int, summary: str = "付{}月电费") -> dict[str, Any]:
    return ledger(*(line(no=n + 1, amount_fen=fen, summary=summary.format(n)) for n, fen in enumerate(amounts)))


def test_the_month_before_once_more_is_told() -> None:
    same = month_of(5_000, 6_000, 7_000)
    assert beside(same, same) == [("copy.earlier", "body.lines[0].amount_fen")]
    assert beside(same, month_of(5_000, 6_000, 7_001)) == []
    # Two payments that come every month are nobody's mistake, nor is what was so two months ago.
    assert beside(month_of(5_000, 6_000), month_of(5_000, 6_000)) == []
    assert beside(same, month_of(1, 2, 3), same) == []
    notice = golden("notice")
    assert beside(notice, notice) == [("copy.earlier", "body.paragraphs[0]")]
    assert beside(golden("roster"), golden("roster")) == []
    assert beside(golden("table"), golden("table")) == []


@pytest.mark.parametrize(
    ("now", "before", "is_asked"),
    [
        (230_000_000, [23_000], True),
        (23_000, [230_000_000], True),
        (230_000_000, [23_000, 31_000], True),
        # A hundred times is a big repair; where it was so before it is no slip.
        (2_300_000, [23_000], False),
        (230_000_000, [23_000, 230_000_000], False),
        (23_000, [23_000], False),
    ],
)
def test_ten_thousand_times_an_earlier_amount_is_told(now: int, before: list[int], is_asked: bool) -> None:  # noqa: FBT001 - a column of the table
    found = beside(month_of(now, summary="付10月电费"), *(month_of(fen, summary="付9月电费") for fen in before))
    assert found == ([("amount.slip", "body.lines[0].amount_fen")] if is_asked else [])


def test_a_payee_or_a_cell_is_known_again() -> None:
    def paid(summary: str, fen: int) -> dict[str, Any]:
        return ledger(line(summary=summary, amount_fen=fen, payee="某某物业公司", category="公益支出"))

    assert beside(paid("保洁", 300_000_000), paid("打扫卫生", 30_000)) == [("amount.slip", "body.lines[0].amount_fen")]
    assert beside(shares(ROWS[0]), shares(("无劳动能力老人", 6, 10, 60))) == [
        ("amount.slip", "body.rows[0][2]"),
        ("amount.slip", "body.rows[0][3]"),
    ]
    assert beside(shares(ROWS[0]), shares(("别的人", 6, 10, 60))) == []


def test_the_longest_ledger_is_compared_in_a_moment() -> None:
    long = month_of(*range(100, 2_100))
    begun = time.perf_counter()
    beside(long, long, long, long)
    assert time.perf_counter() - begun < 2


# -- at the desk --------------------------------------------------------------------------------------------------


async def found(month: Month, made: str) -> Asked:
    detail = await month.done("GET", f"{PATH}/{made}", CLERK)
    return [(f["code"], f["at"]) for f in detail["findings"]]


async def test_a_draft_is_compared_with_what_was_handed_in_and_never_with_another_draft(month: Month) -> None:
    copied = ("copy.earlier", "body.lines[0].amount_fen")
    body = builders.ledger()
    earlier, made = await month.draft(period="2026-09", body=body), await month.draft(body=body)
    assert copied not in await found(month, made)
    await handed_in(month, earlier)
    await month.done("PUT", f"{PATH}/{made}", CLERK, {"version": 1, "body": body})
    assert copied in await found(month, made)


async def handed_in(month: Month, made: str) -> None:
    detail = await month.done("GET", f"{PATH}/{made}", CLERK)
    accept = [{"finding": {"code": f["code"], "at": f["at"]}, "reason": "原件如此"} for f in detail["findings"]]
    await month.step(made, "submit", CLERK, detail["version"], accept=accept)


async def page(month: Month, path: str) -> str:
    answer = await month.served.client.get(path, headers={**month.served.bearer(CLERK), "accept": "text/html"})
    return answer.text


async def test_a_doubt_is_explained_and_then_handed_in(month: Month) -> None:
    lines = [*builders.ledger()["lines"], line("2026-10-30", 9, amount_fen=100)]
    made = await month.draft(body=builders.ledger(lines=lines))
    assert ("ledger.voucher_gap", "body.lines[3].voucher.no") in await found(month, made)
    assert "10月“记”字的凭证缺 4–8 号" in await page(month, f"/desk/disclosures/{made}")
    await month.refused(409, "unexplained_findings", "POST", f"{PATH}/{made}/submit", CLERK, {"version": 1})
    await handed_in(month, made)


async def test_what_cannot_be_right_is_saved_as_a_draft_and_no_reason_hands_it_in(month: Month) -> None:
    words_of = {"title": "村部门市房租赁合同", "subject": "门市房两间", "attachments": []}
    body = {**golden("contract"), **words_of, "signed_on": "2026-12-24", "begins": "2026-12-24"}
    made = await month.draft(item="V10", period="2026-10-09", body=body)
    assert await found(month, made) == [("date.future", "body.signed_on")]
    text = await page(month, f"/desk/disclosures/{made}")
    assert "签订日期写的是 2026-12-24，这一天还没有到，请改正。" in text
    assert "这一处必须改正，写原因不能提交。" in text
    assert 'name="reason|date.future|body.signed_on"' not in text
    accept = [{"finding": {"code": "date.future", "at": "body.signed_on"}, "reason": "就是这样"}]
    asked_again = {"version": 1, "accept": accept}
    await month.refused(409, "unexplained_findings", "POST", f"{PATH}/{made}/submit", CLERK, asked_again)
    await month.done(
        "PUT",
        f"{PATH}/{made}",
        CLERK,
        {"version": 1, "body": {**body, "signed_on": "2026-10-09", "begins": "2026-10-09"}},
    )
    await month.step(made, "submit", CLERK, 2)


def test_a_ticked_winner_without_a_name_is_no_empty_row() -> None:
    form = read_form(
        "V08", item(ItemKind.PROJECT), {"village": builders.VILLAGE, "period": "2026", "bids.0.won": "yes"}
    )
    assert form.used(form.grid("bids")) == [0]
