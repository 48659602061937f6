"""Whether sums agree, said on the page and in the API: ✓ with the arithmetic, or the difference with the village's reason."""

import re
from datetime import timedelta
from typing import Any

import pytest

from services.contracts.base import AcceptedFinding
from services.contracts.disclosure import Opinion
from services.publish.store import publications
from tests import builders
from tests.publish import bodies
from tests.publish.conftest import Publishing

Accounts = dict[str, tuple[int, int]]
VILLAGE = f"/v/{builders.VILLAGE}"


def ledger(accounts: Accounts, *lines: tuple[str, int, str], **changes: Any) -> dict[str, Any]:
    listed = [{"account": a, "opening_fen": o, "closing_fen": c} for a, (o, c) in accounts.items()]
    made = [
        {
            "date": "2026-10-03",
            "summary": "事项",
            "direction": way,
            "amount_fen": fen,
            "account": account,
            "payee": "张建国",
        }
        for way, fen, account in lines
    ]
    return {"kind": "ledger", "accounts": listed, "lines": made, **changes}


def because(code: str, at: str, reason: str) -> AcceptedFinding:
    return AcceptedFinding(code=code, at=at, reason=reason)


#: 301,688.57 + 43,985.00 − 41,416.93 = 304,256.64; the village wrote 304,244.14.
OFF = ledger({"bank": (30_168_857, 30_424_414)}, ("in", 4_398_500, "bank"), ("out", 4_141_693, "bank"))
OFF_SENTENCE = (
    "期初加收入减支出：301,688.57 + 43,985.00 − 41,416.93 = 304,256.64元，村里写的期末是304,244.14元，差12.50元。"
)


def plain(text: str) -> str:
    """What is read: no tags, white space as one blank."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


async def text_of(publishing: Publishing, path: str) -> str:
    return plain((await publishing.get(path)).text)


async def checks_of(publishing: Publishing, disclosure: str) -> list[dict[str, Any]]:
    return list((await publishing.get(f"/api/v1/disclosures/{disclosure}")).json()["checks"])


# -- the ledger's own sums ----------------------------------------------------------------------------------------


async def test_a_ledger_that_adds_up_says_so_with_its_arithmetic(publishing: Publishing) -> None:
    body = ledger({"bank": (55_888_388, 54_498_090)}, ("in", 1_786_300, "bank"), ("out", 3_176_598, "bank"))
    event = await publishing.opened(body=body)
    line = "账算得上 ✓ 558,883.88 + 17,863.00 − 31,765.98 = 544,980.90"
    assert line in await text_of(publishing, f"/d/{event.aggregate_id}")
    assert line in await text_of(publishing, VILLAGE)
    assert "账算得上 ✓" in await text_of(publishing, f"{VILLAGE}/F01")
    (check,) = await checks_of(publishing, event.aggregate_id)
    assert check == {
        "code": "ledger.closing",
        "at": "body.accounts[0]",
        "label": "银行存款：写的期末，和期初加收入减支出",
        "stated_fen": 54_498_090,
        "computed_fen": 54_498_090,
        "stated": None,
        "computed": None,
        "unit": None,
        "arithmetic": "558,883.88 + 17,863.00 − 31,765.98 = 544,980.90",
        "ok": True,
        "reason": None,
    }


async def test_a_ledger_that_is_off_says_by_how_much_and_why_with_names_masked(publishing: Publishing) -> None:
    reason = because("ledger.closing", "body.accounts[0]", "张建国的找零12.50元下月补记")
    event = await publishing.opened(body=OFF, accepted=(reason,))
    for path in (f"/d/{event.aggregate_id}", VILLAGE):
        text = await text_of(publishing, path)
        assert OFF_SENTENCE in text
        assert "村里说明：张某某的找零12.50元下月补记" in text
        assert "账算得上" not in text
        assert "张建国" not in text
    assert "差12.50元" in await text_of(publishing, f"{VILLAGE}/F01")
    answer = await publishing.get(f"/api/v1/villages/{builders.VILLAGE}")
    for checks in (await checks_of(publishing, event.aggregate_id), answer.json()["month"]["checks"]):
        (check,) = checks
        assert (check["ok"], check["stated_fen"], check["computed_fen"]) == (False, 30_424_414, 30_425_664)
        assert check["reason"] == "张某某的找零12.50元下月补记"


async def test_nobody_is_said_to_have_given_no_reason(publishing: Publishing) -> None:
    event = await publishing.opened(body=OFF)
    assert "村里说明" not in await text_of(publishing, f"/d/{event.aggregate_id}")


async def test_differences_that_cancel_out_over_two_accounts_are_both_told(publishing: Publishing) -> None:
    event = await publishing.opened(body=ledger({"cash": (100, 90), "bank": (100, 110)}))
    text = await text_of(publishing, f"/d/{event.aggregate_id}")
    assert "库存现金：期初加收入减支出：1.00 + 0.00 − 0.00 = 1.00元，村里写的期末是0.90元，差0.10元。" in text
    assert "银行存款：期初加收入减支出：1.00 + 0.00 − 0.00 = 1.00元，村里写的期末是1.10元，差0.10元。" in text
    assert "账算得上" not in text
    assert "有2处对不上" in await text_of(publishing, f"{VILLAGE}/F01")


async def test_a_stated_total_stands_beside_the_sum_of_the_lines(publishing: Publishing) -> None:
    totals = {"income_fen": 0, "expense_fen": 4_620_822}
    body = ledger({"cash": (5_000_000, 370_578)}, ("out", 4_629_422, "cash"), totals=totals)
    reason = because("ledger.total", "body.totals.expense_fen", "合计栏漏了一笔")
    event = await publishing.opened(body=body, accepted=(reason,))
    text = await text_of(publishing, f"/d/{event.aggregate_id}")
    assert "村里写的支出合计是46,208.22元，逐笔相加是46,294.22元，差86.00元。 村里说明：合计栏漏了一笔" in text
    assert (await publishing.get(f"/api/v1/disclosures/{event.aggregate_id}")).json()["body"]["totals"] == totals


async def test_where_only_sums_are_shown_the_stated_totals_stay_as_stated(publishing: Publishing) -> None:
    totals = {"income_fen": 0, "expense_fen": 99}
    # P03, party fees: its lines are not shown.
    event = await publishing.opened(
        item="P03", period="2026H1", body=ledger({"cash": (300, 200)}, ("out", 100, "cash"), totals=totals)
    )
    answer = (await publishing.get(f"/api/v1/disclosures/{event.aggregate_id}")).json()
    assert (answer["body"]["lines"], answer["body"]["totals"]) == ([], totals)
    assert "支出合计是0.99元，逐笔相加是1.00元，差0.01元" in await text_of(publishing, f"/d/{event.aggregate_id}")


async def test_what_the_supervisors_said_stays_theirs_and_both_are_told(publishing: Publishing) -> None:
    word = Opinion(party="supervisors", opinion="agree", names=("郭秀德",), at=builders.NOW)
    off = await publishing.opened(body=OFF, opinions=(word,))
    text = await text_of(publishing, f"/d/{off.aggregate_id}")
    assert re.search("村务监督委员会 郭秀德 .*： 核对无误 核对的人写的是", text)
    assert "核对的人写的是“核对无误”，上面的账有1处对不上。两样都照原样公开。" in text
    fine = await publishing.opened(period="2026-08", body=ledger({"cash": (5, 5)}), opinions=(word,))
    assert "对不上" not in await text_of(publishing, f"/d/{fine.aggregate_id}")


async def test_a_correction_shows_its_own_reason_and_the_old_edition_keeps_its_own(publishing: Publishing) -> None:
    at = "body.accounts[0]"
    first = await publishing.opened(body=OFF, accepted=(because("ledger.closing", at, "还在查"),))
    later = builders.NOW + timedelta(hours=1)
    await publishing.opened(
        first.aggregate_id,
        body=OFF,
        edition=2,
        at=later,
        accepted=(because("ledger.closing", at, "银行收了手续费"),),
        note="改说明",
    )
    assert "村里说明：银行收了手续费" in await text_of(publishing, f"/d/{first.aggregate_id}")
    assert "村里说明：还在查" in await text_of(publishing, f"/d/{first.aggregate_id}/1")


# -- the opening --------------------------------------------------------------------------------------------------


async def test_an_opening_that_follows_is_told_to_follow(publishing: Publishing) -> None:
    await publishing.opened(period="2026-09", body=ledger({"bank": (1, 73_487_472)}, ("in", 73_487_471, "bank")))
    event = await publishing.opened(body=ledger({"bank": (73_487_472, 73_487_472)}))
    text = await text_of(publishing, f"/d/{event.aggregate_id}")
    assert "本月的期初和上个月公开的期末对得上 ✓" in text
    assert [c["code"] for c in await checks_of(publishing, event.aggregate_id)] == ["ledger.closing", "ledger.opening"]


async def test_an_opening_that_does_not_follow_names_both_figures(publishing: Publishing) -> None:
    await publishing.opened(period="2026-09", body=ledger({"bank": (73_487_472, 73_487_472)}))
    reason = because("ledger.opening", "body.accounts[0].opening_fen", "上月利息记重")
    event = await publishing.opened(body=ledger({"bank": (73_437_472, 73_437_472)}), accepted=(reason,))
    sentence = "上个月公开的期末是734,874.72元，本月期初写734,374.72元，差500.00元。 村里说明：上月利息记重"
    for path in (f"/d/{event.aggregate_id}", VILLAGE):
        text = await text_of(publishing, path)
        assert sentence in text
        assert "期末对得上 ✓" not in text
    assert "差500.00元" in await text_of(publishing, f"{VILLAGE}/F01")


async def test_the_first_ledger_has_nothing_to_follow_and_says_nothing(publishing: Publishing) -> None:
    event = await publishing.opened(body=ledger({"bank": (5, 5)}))
    text = await text_of(publishing, f"/d/{event.aggregate_id}")
    assert "期初和" not in text
    assert "无法对照" not in text


async def test_over_a_gap_nothing_is_said_to_agree(publishing: Publishing) -> None:
    await publishing.opened(period="2026-08", body=ledger({"bank": (5, 5)}))
    event = await publishing.opened(body=ledger({"bank": (5, 5)}))
    text = await text_of(publishing, f"/d/{event.aggregate_id}")
    assert "2026年9月的账没有公开，期初无法对照。" in text
    assert "期末对得上 ✓" not in text


async def test_an_account_that_is_not_listed_any_more_is_told_with_what_was_in_it(publishing: Publishing) -> None:
    await publishing.opened(period="2026-09", body=ledger({"cash": (7, 7), "bank": (79_275_199, 79_275_199)}))
    event = await publishing.opened(body=ledger({"cash": (7, 7)}))
    for path in (f"/d/{event.aggregate_id}", VILLAGE):
        assert "银行存款：上个月末还有792,751.99元，本月的账里没有这个账户。" in await text_of(publishing, path)
    assert "有1处对不上" in await text_of(publishing, f"{VILLAGE}/F01")


@pytest.mark.parametrize("what", ["corrected", "withdrawn", "filled in"])
async def test_a_page_is_made_anew_when_the_period_before_changes(publishing: Publishing, what: str) -> None:
    september = None
    if what != "filled in":
        september = await publishing.opened(period="2026-09", body=ledger({"bank": (500, 500)}))
    event = await publishing.opened(body=ledger({"bank": (500, 500)}))
    await publishing.rendered()
    page = f"/d/{event.aggregate_id}"
    assert ("对得上 ✓" in await text_of(publishing, page)) is (september is not None)
    changed = ledger({"bank": (500, 600)}, ("in", 100, "bank"))
    if september is None:
        await publishing.opened(period="2026-09", body=changed)
    elif what == "corrected":
        later = builders.NOW + timedelta(hours=1)
        await publishing.opened(
            september.aggregate_id, period="2026-09", body=changed, edition=2, at=later, note="补一笔"
        )
    else:
        await publishing.withdrawn(september)
    await publishing.rendered()
    text = await text_of(publishing, page)
    assert "对得上 ✓" not in text
    assert ("上个月公开的期末是6.00元，本月期初写5.00元，差1.00元。" in text) is (what != "withdrawn")


async def test_the_closing_of_a_withdrawn_ledger_is_on_no_page_at_once(publishing: Publishing) -> None:
    september = await publishing.opened(period="2026-09", body=ledger({"bank": (12_345_678, 12_345_678)}))
    event = await publishing.opened(body=ledger({"bank": (500, 500)}))
    await publishing.rendered()
    assert "123,456.78" in await text_of(publishing, f"/d/{event.aggregate_id}")
    await publishing.withdrawn(september)
    assert "123,456.78" not in await text_of(publishing, f"/d/{event.aggregate_id}")


async def test_quarters_follow_quarters(publishing: Publishing) -> None:
    # The same item may have been opened by month once: another shape is no neighbour.
    await publishing.opened(period="2026-06", body=ledger({"bank": (1, 1)}))
    await publishing.opened(period="2026Q2", body=ledger({"bank": (500, 500)}))
    event = await publishing.opened(period="2026Q3", body=ledger({"bank": (400, 400)}))
    text = await text_of(publishing, f"/d/{event.aggregate_id}")
    assert "上个季度公开的期末是5.00元，本季度期初写4.00元，差1.00元。" in text


# -- other kinds, and what was kept before --------------------------------------------------------------------------


async def test_kinds_without_anything_stated_have_no_checks(publishing: Publishing) -> None:
    event = await publishing.opened(item="V18", period="2026-10-05", body=bodies.notice())
    assert await checks_of(publishing, event.aggregate_id) == []


async def test_a_village_without_a_ledger_has_no_month(publishing: Publishing) -> None:
    answer = await publishing.get(f"/api/v1/villages/{builders.VILLAGE}")
    assert answer.json()["month"] is None


async def test_sums_of_ledgers_kept_before_are_made_by_the_migration_as_the_service_makes_them(
    publishing: Publishing,
) -> None:
    body = builders.ledger(totals={"income_fen": 60_000, "expense_fen": 381_500})
    plain_one = ledger({"cash": (5, 5)})
    for period, one in (("2026-10", body), ("2026-09", plain_one)):
        await publishing.opened(period=period, body=one)
    statement = (builders.CATALOGUE_FILE.parents[2] / "services/publish/migrations/1006_sums.sql").read_text()
    update = statement.partition("\nUPDATE")[2].partition(";\n")[0]
    async with publishing.served.runtime.database.transaction() as conn:
        before = await conn.fetch("SELECT disclosure_id, sums::text FROM publication ORDER BY 1")
        # As bodies stood when it ran.
        known = await conn.fetch("SELECT disclosure_id, edition FROM edition")
        editions = await publications.select_editions(conn, [(r["disclosure_id"], r["edition"]) for r in known])
        for e in editions.values():
            await conn.execute("UPDATE edition SET body = $2::jsonb WHERE disclosure_id = $1", e.disclosure_id, e.body)
        await conn.execute("UPDATE publication SET sums = NULL")
        await conn.execute("UPDATE" + update)
        assert await conn.fetch("SELECT disclosure_id, sums::text FROM publication ORDER BY 1") == before
    assert all(row["sums"] for row in before)
