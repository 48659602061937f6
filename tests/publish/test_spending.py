"""A year's spending by purpose and month adds up to the ledgers; the budget stands beside what is called the same, and nothing else."""

import csv
import io
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.bodies import Ledger, Table
from services.contracts.division import DivisionKind
from services.publish.render.places import Township, Village
from services.publish.render.purposes import PURPOSES
from services.publish.render.spending import SpendingPage, spending_page
from tests import builders

VILLAGE = Village(
    builders.VILLAGE, "西海村委会", DivisionKind.VILLAGE, Township(builders.TOWNSHIP, "西海街道", "盖州市")
)
WORDS = [words[0] for _, words in PURPOSES] + ["杂项", "。"]


def line(summary: str, fen: int, **changes: Any) -> dict[str, Any]:
    return {
        "date": "2026-10-03",
        "summary": summary,
        "direction": "out",
        "amount_fen": fen,
        "account": "bank",
        **changes,
    }


def body(*lines: dict[str, Any]) -> dict[str, Any]:
    accounts = [{"account": name, "opening_fen": 0, "closing_fen": 0} for name in ("bank", "cash")]
    return {"kind": "ledger", "accounts": accounts, "lines": list(lines)}


def budget(*rows: list[Any], planned: str = "本年预算", **changes: Any) -> dict[str, Any]:
    columns = [
        {"key": "way", "name": "收入或支出", "type": "text"},
        {"key": "name", "name": "项目", "type": "text"},
        {"key": "planned", "name": planned, "type": "amount"},
        {"key": "last", "name": "上年决算", "type": "amount"},
    ]
    return {"kind": "table", "columns": columns, "rows": [list(r) for r in rows], **changes}


def page(
    ledgers: Mapping[int, dict[str, Any]], of: dict[str, Any] | None = None, today: date = date(2027, 1, 1)
) -> SpendingPage:
    read = {month: Ledger.model_validate(b) for month, b in ledgers.items()}
    table = ("/d/x", Table.model_validate(of)) if of is not None else None
    return spending_page(VILLAGE, "2026", read, table, today)


def fen(figure: str) -> int:
    return int(figure.replace(",", "").replace(".", "").replace("元", "")) if figure else 0


LINES = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(-(10**6), 10**9).filter(bool)), max_size=12)


@given(st.dictionaries(st.integers(1, 12), LINES, min_size=1))
def test_every_sum_is_exact_however_it_is_added_up(months: dict[int, list[tuple[str, int]]]) -> None:
    told = page({m: body(*(line(s, n) for s, n in of)) for m, of in months.items()})
    spent = {m: sum(n for _, n in of) for m, of in months.items()}
    assert fen(told.total) == sum(spent.values())
    assert sum(fen(p.total) for p in told.purposes) == sum(spent.values())
    assert sum(p.count for p in told.purposes) == told.count == sum(map(len, months.values()))
    for place, month in enumerate(sorted(months)):
        assert sum(fen(p.months[place]) for p in told.purposes) == spent[month]
    for p in told.purposes:
        assert sum(map(fen, p.months)) == fen(p.total)
    for half in told.halves:
        for place, head in enumerate(half.heads):
            assert sum(fen(cells[place]) for _, cells in half.rows) == fen(half.sums[place]) == spent[int(head[:-1])]
    titles, *rows, last = [[str(cell) for cell in row] for row in told.table]
    assert [sum(fen(r[n]) for r in rows) for n in range(2, len(titles) - 1)] == [fen(c) for c in last[2:-1]]


def test_transfers_and_income_are_no_spending_and_months_that_are_not_open_are_told() -> None:
    moved = line("提取现金", 5, direction="transfer", to_account="cash")
    told = page({1: body(line("付电费", 100), line("收承包费", 7, direction="in"), moved), 12: body()})
    assert (told.total, told.count, told.months) == ("1.00元", 1, 2)
    assert told.missing == "2月、3月、4月、5月、6月、7月、8月、9月、10月、11月"
    assert [h.heads for h in told.halves] == [("1月",), ("12月",)]
    # What is not over cannot be missing.
    assert page({1: body()}, today=date(2026, 3, 31)).missing == "2月"
    assert page({1: body()}, today=date(2026, 1, 31)).missing == ""
    assert page({1: body()}, today=date(2025, 12, 31)).missing == ""


def test_official_titles_stand_beside_and_name_nobody() -> None:
    lines = [line("付电费", 100, category="管理费用"), line("付电费", 300, category="付张桂兰工资"), line("付水费", 1)]
    [only] = page({1: body(*lines)}).purposes
    assert only.official == "付张某某工资、管理费用、没有写科目"


@pytest.mark.parametrize(
    ("rows", "compared", "uncompared"),
    [
        ([["支出", "管理费用", 10_000, 9_000]], [("管理费用", "支出", "100.00元", "30.00元")], 1),
        ([["支出", "管理 费用", 10_000, 9_000]], [("管理费用", "支出", "100.00元", "30.00元")], 1),
        # Neither likeness nor the other direction is the same.
        ([["支出", "管理费", 10_000, 9_000]], [], 3),
        ([["收入", "管理费用", 10_000, 9_000]], [], 3),
        ([["", "管理费用", 10_000, 9_000]], [], 3),
        ([["支出", "管理费用", 1, 9], ["支出", "管理费用", 2, 9]], [("管理费用", "支出", "0.03元", "30.00元")], 1),
        # A sum repeats what its rows say.
        (
            [["支出", "管理费用", 10_000, 9], ["支出", "合计", 10_000, 9]],
            [("管理费用", "支出", "100.00元", "30.00元")],
            1,
        ),
        ([["支出", "管理费用", None, 9]], [], 2),
        ([], [], 2),
    ],
)
def test_the_budget_is_compared_where_titles_are_the_same_and_what_is_not_is_told(
    rows: list[list[Any]], compared: list[Any], uncompared: int
) -> None:
    spent = {1: body(line("付电费", 3_000, category="管理费用"), line("收租", 5, direction="in", category="经营收入"))}
    told = page(spent, budget(*rows, ["合计", None, None, None]) if not rows else budget(*rows))
    assert told.budget is not None
    assert [(r.title, r.way, r.planned, r.actual) for r in told.budget.rows] == compared
    assert len(told.budget.uncompared) == uncompared, told.budget.uncompared


@pytest.mark.parametrize("planned", ["金额", "上年预算", "预算执行"])
def test_a_table_that_tells_no_budget_is_not_compared(planned: str) -> None:
    told = page({1: body(line("付电费", 1))}, budget(["支出", "管理费用", 1, 1], planned=planned))
    assert (told.budget, told.no_budget) == (None, "公开的预算表里没有单独一列写本年预算，没法和实际比。")
    assert page({1: body()}).no_budget == "这一年的预算还没有公开。"


async def test_the_page_and_its_table_tell_the_same_and_go_with_what_they_tell_of(publishing: Any) -> None:
    path = f"/v/{builders.VILLAGE}/F01/2026/spending"
    await publishing.get(path, 404)
    first = await publishing.opened(period="2026-01", body=body(line("付村部电费", 21_550, category="管理费用")))
    second = await publishing.opened(period="2026-02", body=body(line("=购打印纸", 45, category="=管理费用")))
    await publishing.opened(item="F03", period="2026", body=budget(["支出", "管理费用", 100_000, 1]))
    text = (await publishing.get(path)).text
    assert "已公开2个月，一共花了" in text
    assert text.count("215.95元") == 3
    assert "1,000.00元" in text
    assert f'href="{path}"' in (await publishing.get(f"/v/{builders.VILLAGE}/F01")).text
    answer = await publishing.get(f"{path}.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["用途", "科目", "1月（元）", "2月（元）", "合计（元）", "几笔"]
    assert rows[-1] == ["合计", "", "215.50", "0.45", "215.95", "2"]
    assert not any(re.match("[=+@]", cell) for row in rows for cell in row)
    await publishing.withdrawn(first)
    assert "215.5" not in (await publishing.get(path)).text
    await publishing.withdrawn(second)
    await publishing.get(path, 404)
    for nowhere in ("F01/1999/spending", "F01/2026x/spending", "F03/2026/spending", "F99/2026/spending"):
        await publishing.get(f"/v/{builders.VILLAGE}/{nowhere}", 404)
        await publishing.get(f"/v/{builders.VILLAGE}/{nowhere}.csv", 404)
