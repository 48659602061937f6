"""Blank spreadsheets: filled in and brought back, nothing is lost and nothing is asked that they hold."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.account import ACCOUNTS
from services.contracts.catalogue import ItemKind
from services.contracts.values import Frequency
from services.ingest.forms.columns import STARTERS
from services.ingest.workbooks.blank import heads_of, make_blank
from services.ingest.workbooks.plan import Answers, ItemFacts, Office, Plan, compose, understand
from services.ingest.workbooks.reading import read_workbook
from services.ingest.workbooks.villages import Place

FRONT = Place("210881006206", "前柳村", "河口镇")
WORDS = st.text("修水管付电费收承包租金二组二〇", min_size=2, max_size=12)
LINES = st.lists(
    st.tuples(
        st.dates(date(2026, 10, 1), date(2026, 10, 31)), WORDS, st.sampled_from(["in", "out"]), st.integers(1, 10**9)
    ),
    min_size=1,
    max_size=25,
)


def brought_back(kind: ItemKind, item: str, rows: list[list[Any]], period: str = "") -> Plan:
    facts = ItemFacts(item, "事项", kind, Frequency.MONTHLY)
    book = read_workbook(make_blank(kind, item, "事项", rows))
    office = Office((facts,), (FRONT,), {}, date(2026, 11, 28))
    return compose(understand(book, "填好的.xlsx", Answers(item=item, period=period), office), {})


@settings(max_examples=40, deadline=None)
@given(LINES, st.sampled_from(sorted(ACCOUNTS)), st.integers(0, 10**9))
def test_a_filled_ledger_comes_back_to_the_fen(
    lines: list[tuple[date, str, str, int]], account: str, opening: int
) -> None:
    heads, rows = heads_of(ItemKind.LEDGER, "F01"), []
    rows.append({"摘要": "上期结转", "余额": opening / 100, "账户": ACCOUNTS[account]})
    for n, (day, summary, side, fen) in enumerate(lines):
        amount = {"收入" if side == "in" else "支出": fen / 100}
        rows.append(
            {
                "日期": day.isoformat(),
                "凭证字": "记",
                "凭证号": str(n + 1),
                "摘要": summary,
                **amount,
                "账户": ACCOUNTS[account],
                "经手人": "甲",
            }
        )
    plan = brought_back(ItemKind.LEDGER, "F01", [[row.get(h) for h in heads] for row in rows])
    assert plan.ready, (plan.questions, plan.faults)
    (one,) = plan.made
    found = sorted(
        (x["voucher"]["no"], x["date"], x["summary"], x["direction"], x["amount_fen"]) for x in one.body["lines"]
    )
    assert found == [(n + 1, d.isoformat(), s, side, fen) for n, (d, s, side, fen) in enumerate(lines)]
    assert one.body["accounts"][0]["opening_fen"] == opening


PEOPLE = st.lists(
    st.tuples(st.text("佟长顺宫玉珍单立国栾桂芝", min_size=2, max_size=4), st.integers(1, 12), st.integers(1, 10**8)),
    min_size=1,
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(PEOPLE)
def test_a_filled_list_of_people_comes_back_whole(people: list[tuple[str, int, int]]) -> None:
    heads = heads_of(ItemKind.ROSTER, "V04")
    rows = [
        {"村代码": FRONT.code, "姓名": n, "人口": c, "类别": "一般户", "金额（元）": f / 100, "备注": "无误"}
        for n, c, f in people
    ]
    plan = brought_back(ItemKind.ROSTER, "V04", [[row.get(h) for h in heads] for row in rows], "2026-10")
    assert plan.ready, (plan.questions, plan.faults)
    found = [(e["name"], e["household_size"], e["amount_fen"]) for e in plan.made[0].body["entries"]]
    assert found == people


@pytest.mark.parametrize("item", sorted(STARTERS))
def test_a_filled_table_keeps_the_items_columns_and_checks(item: str) -> None:
    heads = heads_of(ItemKind.TABLE, item)
    numbers = {c.name for c in STARTERS[item].columns if c.type.value in {"amount", "count", "quantity"}}
    row = [
        FRONT.code if h == "村代码" else FRONT.name if h == "村名" else 2 if h.partition("（")[0] in numbers else "甲"
        for h in heads
    ]
    plan = brought_back(ItemKind.TABLE, item, [row], "2026-10")
    assert plan.ready, (plan.questions, plan.faults)
    body = plan.made[0].body
    assert [c["key"] for c in body["columns"]] == [c.key for c in STARTERS[item].columns]
    assert [c["type"] for c in body["columns"]] == [c.type for c in STARTERS[item].columns]
    assert len(body["checks"]) == len(STARTERS[item].checks)
