"""What money went for: every line counted once, the sums exact, nothing said where nothing can be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.bodies import Ledger
from services.contracts.catalogue import Masking
from services.publish.render.money import MonthFacts, month_of_money
from services.publish.render.purposes import OTHER, PURPOSES, purpose_of, purposes
from services.publish.render.rows import Said
from services.publish.render.sentences import newest_month
from tests import builders


def ledger(*lines: tuple[str, int], direction: str = "out") -> Ledger:
    made = [
        {"date": "2026-10-03", "summary": summary, "direction": direction, "amount_fen": fen, "account": "bank"}
        for summary, fen in lines
    ]
    accounts = [{"account": "bank", "opening_fen": 0, "closing_fen": 0}]
    return Ledger.model_validate({"kind": "ledger", "accounts": accounts, "lines": made})


@pytest.mark.parametrize(
    ("summary", "purpose"),
    [
        ("购水泥、砂石（村西路）", "修路、修桥、修沟"),
        ("付村部电费", "水费、电费、路灯"),
        # Of the two words the special one counts.
        ("换路灯灯泡", "水费、电费、路灯"),
        ("付机井维修费", "打井、浇地"),
        ("付护林员工资", "雇人干活"),
        ("慰问困难党员", "慰问、救助"),
        ("清运垃圾", "打扫卫生、运垃圾"),
        ("购打印纸", "办公、印刷、电话"),
        ("其他", OTHER),
        ("。", OTHER),
    ],
)
def test_a_summary_tells_its_purpose_or_none(summary: str, purpose: str) -> None:
    assert purpose_of(summary) == purpose


WORDS = [words[0] for _, words in PURPOSES] + ["杂项"]


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.integers(1, 10**9)), min_size=1, max_size=40))
def test_every_line_is_counted_once(lines: list[tuple[str, int]]) -> None:
    found = purposes(ledger(*lines).lines)
    whole = sum(fen for _, fen in lines)
    assert sum(p.fen for p in found) == whole
    assert sum(p.count for p in found) == len(lines)
    assert len(found) <= 5
    named = [p for p in found if p.name != OTHER]
    assert [p.fen for p in named] == sorted((p.fen for p in named), reverse=True)
    assert all(abs(p.percent - 100 * p.fen / whole) <= 0.5 for p in found)
    # Whatever stands in the rest is no more than what is named.
    sums: dict[str, int] = {}
    for summary, fen in lines:
        sums[purpose_of(summary)] = sums.get(purpose_of(summary), 0) + fen
    assert {p.name: p.fen for p in named}.items() <= sums.items()


def test_of_equal_sums_the_first_stands_first_in_every_process() -> None:
    lines = [(word, 500) for word in WORDS[:3]]
    assert [p.name for p in purposes(ledger(*lines).lines)] == [purpose_of(word) for word, _ in lines]
    assert [p.name for p in purposes(ledger(*lines[::-1]).lines)] == [purpose_of(word) for word, _ in lines[::-1]]


def test_what_came_in_or_moved_between_accounts_is_no_spending() -> None:
    assert purposes(ledger(("收水费", 5_000), direction="in").lines) == ()
    assert purposes(()) == ()


def test_where_a_reversal_leaves_less_than_nothing_no_share_is_told() -> None:
    assert purposes(ledger(("付电费", 5_000), ("冲销垃圾清运费", -6_000)).lines) == ()
    (only,) = purposes(ledger(("付电费", 5_000), ("冲销电费", -2_000)).lines)
    assert (only.fen, only.count, only.percent) == (3_000, 2, 100)


async def test_shares_stand_on_the_page_and_not_where_only_sums_may_be_told(publish: Any) -> None:
    await publish.opened()
    page = f"/v/{builders.VILLAGE}"
    text = (await publish.get(page)).text
    assert "钱花在哪" in text
    assert "打扫卫生、运垃圾" in text
    reference, bodies = publish.served.runtime.reference, publish.served.runtime.own.bodies
    async with publish.served.runtime.database.connection() as conn:
        loaded = await bodies.load(conn, [("village", builders.VILLAGE)])
    found = [loaded.publications[i] for i in loaded.on_page[builders.VILLAGE]]
    month = newest_month(found)
    assert month is not None
    body = Ledger.model_validate_json(loaded.editions[month.disclosure_id, month.edition].body)
    facts = MonthFacts(month, body, Said(), found)
    make = reference.owing(builders.VILLAGE).duty
    item = reference.items["F01"]
    revisions = tuple(r.model_copy(update={"masking": Masking.AGGREGATE}) for r in item.revisions)
    hidden = {**reference.items, "F01": item.model_copy(update={"revisions": revisions})}
    shown, _ = month_of_money(reference.items, facts, make)
    told, _ = month_of_money(hidden, facts, make)
    assert sum(s.count for s in shown.shares) == 2
    assert (told.shares, told.line_count) == ((), 0)
