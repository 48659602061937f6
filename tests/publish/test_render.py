"""The pure rooms: masking, words, the five sentences, cells."""

from datetime import UTC, datetime

import pytest

from services.contracts.account import account_words
from services.contracts.bodies import Ledger
from services.contracts.catalogue import Masking
from services.contracts.values import period_words
from services.publish.render.ledger import ledger_view
from services.publish.render.masking import masked_ledger, masked_name
from services.publish.render.rows import Publication
from services.publish.render.sentences import five_sentences, newest_month
from services.publish.render.words import about
from tests import builders
from tests.publish.bodies import public_body


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张某某"),
        ("张建国", "张某某"),
        ("欧阳建行", "欧阳某某"),
        ("王社", "王某某"),
        ("李会", "李某某"),
        ("热合曼", "热某某"),
        ("张三、李四", "张某某、李某某"),
        ("张三等5人", "张某某等5人"),
        ("赵铁柱（泥瓦工）", "赵某某（泥瓦工）"),
        ("Li Lei", "L某某"),
        ("某五金店", "某五金店"),
        ("王记饭店", "王记饭店"),
        ("李家沟小学", "李家沟小学"),
        ("盖州市供电公司", "盖州市供电公司"),
        ("辽宁某建筑工程有限公司", "辽宁某建筑工程有限公司"),
        ("农商银行西海支行", "农商银行西海支行"),
        ("西海村村民委员会", "西海村村民委员会"),
        ("第三村民小组", "第三村民小组"),
        ("镇卫生院", "镇卫生院"),
    ],
)
def test_persons_are_shown_by_surname_and_institutions_in_full(name: str, shown: str) -> None:
    assert masked_name(name, Masking.SURNAME) == shown


def test_masking_follows_the_catalogue() -> None:
    assert masked_name("张三", Masking.NONE) == "张三"
    assert masked_name("张三", Masking.FULL) == "张三"
    assert masked_name("张三", Masking.AGGREGATE) is None
    assert masked_name(None, Masking.SURNAME) is None


def test_aggregate_items_show_sums_and_no_lines() -> None:
    body = Ledger.model_validate(builders.ledger(totals=None))
    shown = public_body(body, Masking.AGGREGATE)
    assert shown["lines"] == []
    assert shown["totals"] == {"income_fen": 60_000, "expense_fen": 381_500}
    view = ledger_view(body, masked_ledger(body, Masking.AGGREGATE), aggregate=True)
    assert (view.income, view.expense) == ("600.00元", "3,815.00元")


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (999_999, None),
        (1_000_000, "1万元"),
        (2_345_678, "约2.3万元"),
        (2_350_000, "约2.4万元"),
        (-12_000_050, "约负12万元"),
        (100_000_000, "100万元"),
        (12_345_678_900, "约1.2亿元"),
        (0, None),
    ],
)
def test_big_amounts_are_told_in_words(fen: int, words: str | None) -> None:
    assert about(fen) == words


def test_periods_and_accounts_are_told_in_words() -> None:
    assert [period_words(p) for p in ("2026-10", "2026Q3", "2026H2", "2026", "2026-10-03")] == [
        "2026年10月",
        "2026年第三季度",
        "2026年下半年",
        "2026年",
        "2026年10月3日",
    ]
    assert [account_words(a) for a in ("cash", "bank:信用社")] == ["库存现金", "银行存款（信用社）"]


def month(period: str, income: int, expense: int, *, withdrawn: bool = False) -> Publication:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    return Publication(
        disclosure_id=period,
        village_code=builders.VILLAGE,
        item="F01",
        period=period,
        edition=1,
        digest="",
        history=False,
        nil=False,
        first_published_at=at,
        published_at=at,
        opening_fen=5_120_000,
        income_fen=income,
        expense_fen=expense,
        closing_fen=4_798_500,
        withdrawn_at=at if withdrawn else None,
    )


def test_five_sentences_count_the_year_without_other_years_and_withdrawn_months() -> None:
    months = [
        month("2025-12", 900_000, 900_000),
        month("2026-08", 100_000, 20_000),
        month("2026-09", 7_000_000, 7_000_000, withdrawn=True),
        month("2026-10", 60_000, 381_500),
    ]
    newest = newest_month(months)
    assert newest is not None
    told = [[(f.before, f.amount, f.about) for f in sentence] for sentence in five_sentences(newest, months)]
    assert told == [
        [("上个月底，村里还有", "51,200.00元", "约5.1万元")],
        [("这个月收进来", "600.00元", None)],
        [("这个月花出去", "3,815.00元", None)],
        [("到月底，村里还剩", "47,985.00元", "约4.8万元")],
        [("2026年已公开的2个月，一共收进来", "1,600.00元", None), ("一共花出去", "4,015.00元", None)],
    ]


def test_transfers_stand_apart_from_income_and_spending() -> None:
    body = builders.ledger()
    move = {
        "date": "2026-10-05",
        "summary": "取现备用",
        "direction": "transfer",
        "amount_fen": 200_000,
        "account": "bank",
        "to_account": "cash",
    }
    ledger = Ledger.model_validate({**body, "lines": [*body["lines"], move]})
    view = ledger_view(ledger, masked_ledger(ledger, Masking.SURNAME), aggregate=False)
    assert [x.summary for x in view.transfers] == ["取现备用"]
    assert len(view.lines) == 3
    assert [a.transfer for a in view.accounts] == ["转入 2,000.00元", "转出 2,000.00元"]
    assert (view.income, view.expense) == ("600.00元", "3,815.00元")
