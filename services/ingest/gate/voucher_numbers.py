"""Vouchers of a ledger (凭证): numbers that stand twice, that are left out, lines without one; cash beyond the limit; pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

from services.contracts.base import Finding
from services.contracts.bodies import Direction, Ledger, Line
from services.contracts.values import yuan

#: Where two of three lines have a number, the third wants one as well.
_MOST: Final = 2
#: As many missing numbers are named; of more it is said that there are more.
_NAMED: Final = 6
#: Paid in cash whatever it costs: travelling, and what is bought of farmers (现金管理暂行条例).
_CASH_ANYWAY: Final = ("差旅", "收购")

Numbered = dict[int, list[tuple[int, Line]]]


def voucher_findings(ledger: Ledger) -> Iterator[Finding]:
    """Numbers restart every month for each word, so each month and word is looked at by itself."""
    books: dict[tuple[int, int, str], Numbered] = defaultdict(lambda: defaultdict(list))
    for n, line in enumerate(ledger.lines):
        if line.voucher is not None:
            books[line.date.year, line.date.month, line.voucher.word][line.voucher.no].append((n, line))
    for (_, month, word), numbered in books.items():
        yield from _twice(word, numbered)
        yield from _gaps(month, word, numbered)
    yield from _without(ledger.lines)


def _twice(word: str, numbered: Numbered) -> Iterator[Finding]:
    """One voucher has one day, however many lines it has."""
    for no, lines in numbered.items():
        first, day = lines[0][0], lines[0][1].date
        other = next((n for n, line in lines if line.date != day), None)
        if other is not None:
            words = (
                f"第 {other + 1} 行和第 {first + 1} 行都写“{word}-{no}”，日期却不是同一天（{_day(day)}、"
                f"{_day(dict(lines)[other].date)}）。请核对凭证号；确实是同一张凭证的，请说明。"
            )
            yield Finding(code="ledger.voucher_twice", at=f"body.lines[{other}].voucher.no", message=words)


def _gaps(month: int, word: str, numbered: Numbered) -> Iterator[Finding]:
    """Numbers left out between the first and the last: one sentence for a month and word."""
    numbers = sorted(numbered)
    missing = [(a + 1, b - 1) for a, b in pairwise(numbers) if b > a + 1]
    if not missing:
        return
    named = "、".join(f"{a}" if a == b else f"{a}–{b}" for a, b in missing[:_NAMED])
    behind = numbered[missing[0][1] + 1][0][0]
    words = (
        f"{month}月“{word}”字的凭证缺 {named} 号{'等' if len(missing) > _NAMED else ''}。漏了的请补上；"
        f"作废的、和收支无关的（如计提、结转），请说明。"
    )
    yield Finding(code="ledger.voucher_gap", at=f"body.lines[{behind}].voucher.no", message=words)


def _without(lines: Sequence[Line]) -> Iterator[Finding]:
    """Lines of income and spending without a voucher, where nearly all others have one."""
    counted = [(n, x) for n, x in enumerate(lines) if x.direction is not Direction.TRANSFER]
    bare = [n for n, x in counted if x.voucher is None]
    if not bare or len(counted) - len(bare) < _MOST * len(bare):
        return
    named = "、".join(str(n + 1) for n in bare[:_NAMED])
    words = f"第 {named} 行{'等' if len(bare) > _NAMED else ''}没有凭证号，别的行都有。请补上；没有凭证的，请说明凭什么入账。"
    yield Finding(code="ledger.voucher_missing", at=f"body.lines[{bare[0]}].voucher.no", message=words)


def cash_findings(ledger: Ledger, limit_fen: int) -> Iterator[Finding]:
    """Spending in cash beyond the limit; 0 is no limit."""
    for n, x in enumerate(ledger.lines):
        in_cash = x.method == "cash" or (x.method is None and x.account.partition(":")[0] == "cash")
        if not limit_fen or x.direction is not Direction.OUT or not in_cash or x.amount_fen <= limit_fen:
            continue
        if any(word in f"{x.summary}{x.category or ''}" for word in _CASH_ANYWAY):
            continue
        words = (
            f"第 {n + 1} 行付现金 {yuan(x.amount_fen)} 元，超过了 {yuan(limit_fen)} 元的上限，应当转账付。"
            f"账户或付款方式写错了请改正；确实付了现金的，请说明原因。"
        )
        yield Finding(code="ledger.cash", at=f"body.lines[{n}].amount_fen", message=words)


def _day(of: date) -> str:
    return f"{of.month}月{of.day}日"
