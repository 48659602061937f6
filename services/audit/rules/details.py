"""What audit keeps of a body: sums, numbers and days, never a word that its author wrote.

Who is paid, what for, and by which invoice becomes a number within the one ledger: `the third payee of this ledger`. That is
enough to see that two lines speak of the same one, and says nothing of anybody once the body is gone.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from services.contracts.bodies import (
    Body,
    Contract,
    Decision,
    Direction,
    Ledger,
    Line,
    Notice,
    Project,
    Roster,
    figures,
    ten_thousandths,
)
from services.contracts.values import canonical_json

#: Raised with every change of what is kept; `lock.json` holds the hash beside it.
FACTS_VERSION: Final = "1.1"
#: A note that is shorter says nothing, whatever its signs are.
_LEAST_WORDS: Final = 4
#: 现金管理暂行条例 sections 5 (5), 5 (6) and 6: these may be paid in cash, however much they come to.
_ANY_CASH: Final = ("差旅", "农副产品", "农产品", "副产品")
#: A ledger of the longest kind has two thousand lines; each is compared with so many purposes at most.
_RECENT: Final = 50
#: Two purposes are alike from here on.
_ALIKE: Final = 0.6


class LineFacts(NamedTuple):
    """One line of a ledger. `line` counts from 1; `voucher`, `payee`, `purpose` and `invoice` are numbers within the ledger."""

    line: int
    direction: str
    amount_fen: int
    day: str
    occurred: str | None
    is_cash: bool
    any_cash: bool
    voucher: int | None
    voucher_no: int | None
    papers: bool
    resolved: bool
    payee: int | None
    purpose: int
    invoice: int | None


class DayFacts(NamedTuple):
    """Days that a roster says somebody worked, in ten-thousandths; `person` is a number within the roster."""

    line: int
    person: int
    days: int


def says_something(note: str | None) -> bool:
    """Tell whether a note has words: a full stop, or the same sign again and again, explains nothing."""
    signs = [c for c in note or "" if c.isalnum()]
    return len(signs) >= _LEAST_WORDS and len(set(signs)) > 1


def body_data(body: Body) -> dict[str, Any]:
    """Whether a body says that nothing happened, a digest of its figures, its kind, and what rules need of it."""
    digest = hashlib.sha256(canonical_json([list(f) for f in figures(body)])).hexdigest()
    sums = ledger_data(body) if isinstance(body, Ledger) else {}
    return {"nil": body.nil, "figures": digest, "kind": body.kind, **sums, "detail": detail_of(body)}


def ledger_data(body: Ledger) -> dict[str, Any]:
    """The sums that rules need, small enough for a million lines: totals, and a row of numbers per account."""
    rows = {a.account: [a.opening_fen, 0, 0, 0, 0, a.closing_fen] for a in body.accounts}
    for line in body.lines:
        match line.direction:
            case Direction.IN:
                rows[line.account][1] += line.amount_fen
            case Direction.OUT:
                rows[line.account][2] += line.amount_fen
            case Direction.TRANSFER:
                rows[line.account][4] += line.amount_fen
                rows[line.to_account or ""][3] += line.amount_fen
    return {
        "totals": [body.totals.income_fen, body.totals.expense_fen] if body.totals is not None else None,
        "lines": [body.income_fen, body.expense_fen],
        "accounts": rows,
    }


class _Numbers(dict[object, int]):
    """Numbers 1, 2, 3 … for what is met, in the order in which it is met."""

    def of(self, what: object | None) -> int | None:
        return self.setdefault(what, len(self) + 1) if what is not None else None


def detail_of(body: Body) -> Any:
    """What rules need of a body beside its sums; None for kinds of which they need nothing."""
    return _DETAILS[body.kind](body) if body.kind in _DETAILS else None


def _of_ledger(body: Ledger) -> list[list[Any]]:
    words, payees, invoices = _Numbers(), _Numbers(), _Numbers()
    purposes = _purposes([x.summary for x in body.lines])
    found = []
    for n, (x, purpose) in enumerate(zip(body.lines, purposes, strict=True), 1):
        bill, voucher = x.invoice, x.voucher
        facts = LineFacts(
            line=n,
            direction=x.direction.value,
            amount_fen=x.amount_fen,
            day=x.date.isoformat(),
            occurred=_day(x.occurred_on),
            is_cash=_is_cash(x),
            any_cash=any(word in f"{x.category or ''}{x.summary}" for word in _ANY_CASH),
            voucher=words.of(voucher and voucher.word),
            voucher_no=voucher.no if voucher is not None else None,
            papers=bool(x.attachments or body.attachments),
            resolved=x.resolution_id is not None,
            payee=payees.of(x.payee and "".join(x.payee.split())),
            purpose=purpose,
            invoice=invoices.of(bill and (bill.code, bill.no, bill.seller)),
        )
        found.append(list(facts))
    return found


def _is_cash(line: Line) -> bool:
    """What leaves the till is cash, and what is said to be; a transfer between own accounts is neither."""
    return line.direction is not Direction.TRANSFER and (
        line.method == "cash" or (line.method is None and line.account.partition(":")[0] == "cash")
    )


def _purposes(summaries: Sequence[str]) -> list[int]:
    """Number purposes: a summary much like one of the last few purposes is for the same; figures and signs do not count."""
    numbers: dict[str, int] = {}
    recent: deque[tuple[int, frozenset[str]]] = deque(maxlen=_RECENT)
    for text in summaries:
        if text in numbers:
            continue
        signs = frozenset(c for c in text if c.isalpha())
        near = next((n for n, known in recent if _alike(known, signs)), None)
        if near is None:
            near = 1 + max(numbers.values(), default=0)
            recent.append((near, signs))
        numbers[text] = near
    return [numbers[text] for text in summaries]


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    """Tell whether most signs of two summaries are the same (Dice's coefficient); quick, for ledgers of two thousand lines."""
    return 2 * len(a & b) >= _ALIKE * (len(a) + len(b))


def _of_roster(body: Roster) -> dict[str, Any]:
    persons, rows = _Numbers(), _Numbers()
    days, twice = [], []
    for n, e in enumerate(body.entries, 1):
        if e.is_sum:
            continue
        person = persons.of((e.payee_ref or "".join(e.name.split()), e.group))
        if e.days is not None and person is not None:
            days.append(list(DayFacts(n, person, ten_thousandths(e.days))))
        before = len(rows)
        # The same row again: nothing tells the two apart.
        number = rows.of(
            (*e.identity, e.payee_ref, e.amount_fen, e.days, e.rate_fen, e.category, e.goods, e.remark, e.household)
        )
        if len(rows) == before:
            twice.append([n, number])
    stated = body.totals
    return {
        "days": days,
        "twice": len(twice),
        "total": [stated.amount_fen, body.amount_fen] if stated is not None and stated.amount_fen is not None else None,
    }


def _of_decision(body: Decision) -> dict[str, Any]:
    votes = body.votes
    counts = [votes.entitled, votes.present, votes.in_favour] if votes is not None else None
    return {"meeting": body.meeting.value, "votes": counts, "held_on": body.held_on.isoformat()}


def _of_contract(body: Contract) -> dict[str, Any]:
    return {
        "type": body.type.value,
        "signed_on": body.signed_on.isoformat(),
        "begins": body.begins.isoformat(),
        "ends": _day(body.ends),
        "outsider": body.outsider,
        "resolved": body.resolution_id is not None,
    }


def _of_notice(body: Notice) -> dict[str, Any]:
    return {"from": _day(body.posted_from), "until": _day(body.posted_until)}


def _of_project(body: Project) -> dict[str, Any]:
    won = [b.amount_fen for b in body.bids if b.won]
    return {
        "tender": body.tender.value,
        "contract": body.contract_fen,
        "settled": body.settled_fen,
        "paid": body.paid_fen,
        "bid": won[0] if len(won) == 1 else None,
        "resolved": body.resolution_id is not None,
    }


_DETAILS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "ledger": _of_ledger,
    "roster": _of_roster,
    "decision": _of_decision,
    "contract": _of_contract,
    "notice": _of_notice,
    "project": _of_project,
}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
