"""Facts as audit keeps them, and a cell folded from its facts.

In come the facts of one village, item and period, in any order; out goes the same cell, whatever the order was.
Only sums leave a body: no line, no name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from services.contracts.bodies import Direction, Ledger
from services.contracts.duties import CellRecord
from services.contracts.values import Frequency, period_bounds, period_frequency, period_of

FactKind = Literal["submitted", "confirmed", "returned", "approved", "withdrawn", "published", "unpublished"]
#: Either of these two takes a disclosure out of sight, whichever service is heard first.
_GONE: Final = frozenset({"withdrawn", "unpublished"})


class CellKey(NamedTuple):
    """One cell of the grid."""

    village: str
    item: str
    period: str

    def before(self) -> "CellKey | None":
        """The cell of the period before; None for on-event items, which form no chain."""
        return self._beside(timedelta(days=-1))

    def after(self) -> "CellKey | None":
        """The cell of the next period; None for on-event items."""
        return self._beside(timedelta(days=1))

    def _beside(self, step: timedelta) -> "CellKey | None":
        frequency = period_frequency(self.period)
        if frequency is Frequency.ON_EVENT:
            return None
        first, last = period_bounds(self.period)
        return self._replace(period=period_of((first if step.days < 0 else last) + step, frequency))


@dataclass(frozen=True, slots=True)
class Fact:
    """What one event said of a cell. `seq` is the order of hearing; nothing but `--as-of` may depend on it."""

    seq: int
    event: str
    kind: FactKind
    key: CellKey
    disclosure: str
    edition: int
    version: int
    occurred_at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AccountSums:
    """One account of an open ledger, in fen."""

    event: str
    opening_fen: int
    income_fen: int
    expense_fen: int
    transfer_in_fen: int
    transfer_out_fen: int
    closing_fen: int


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """Stated totals of an open ledger beside the sums of its lines, in fen; None when none are stated."""

    event: str
    income_stated_fen: int | None
    expense_stated_fen: int | None
    income_lines_fen: int
    expense_lines_fen: int


@dataclass(frozen=True, slots=True)
class OpenLedger:
    """The edition that everybody can read."""

    totals: LedgerTotals
    accounts: dict[str, AccountSums]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as all its facts together tell it.

    `ledger`: the open edition, None when nothing is open or its content was destroyed. `accounts`: every account that
    any approved edition named. `correcting`: a later edition is under way. `as_of`: the newest fact's `seq`.
    """

    approved: bool
    ledger: OpenLedger | None
    accounts: frozenset[str]
    correcting: bool
    record: CellRecord
    published_by: str | None
    as_of: int


EMPTY: Final = Cell(
    approved=False, ledger=None, accounts=frozenset(), correcting=False, record=CellRecord(), published_by=None, as_of=0
)


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


def _open_ledger(fact: Fact) -> OpenLedger | None:
    rows: dict[str, list[int]] | None = fact.data.get("accounts")
    if rows is None:
        return None
    stated = fact.data["totals"] or (None, None)
    return OpenLedger(
        LedgerTotals(fact.event, *stated, *fact.data["lines"]),
        {name: AccountSums(fact.event, *numbers) for name, numbers in rows.items()},
    )


def _newest(fact: Fact) -> tuple[int, datetime, str]:
    return fact.edition, fact.occurred_at, fact.event


def fold(facts: Iterable[Fact]) -> Cell:
    """Make the cell that these facts tell; their order and repeats do not matter."""
    known = sorted({f.event: f for f in facts}.values(), key=lambda f: (f.occurred_at, f.version, f.event))
    if not known:
        return EMPTY
    gone = {f.disclosure for f in known if f.kind in _GONE}
    live = [f for f in known if f.disclosure not in gone]
    approved = [f for f in known if f.kind == "approved"]
    newest = max((f for f in live if f.kind == "approved"), key=_newest, default=None)
    first = min((f for f in live if f.kind == "published"), key=_published, default=None)
    return Cell(
        approved=bool(approved),
        ledger=_open_ledger(newest) if newest is not None else None,
        accounts=frozenset(name for f in approved for name in f.data.get("accounts") or ()),
        correcting=newest is not None and _under_way(live, newest),
        record=_record(live, first),
        published_by=first.event if first is not None else None,
        as_of=max(f.seq for f in known),
    )


def _published(fact: Fact) -> tuple[datetime, int, str]:
    return datetime.fromisoformat(fact.data["first_published_at"]), fact.edition, fact.event


def _under_way(live: Sequence[Fact], newest: Fact) -> bool:
    """Tell whether an edition after the open one was handed in and not sent back."""
    later = [f for f in live if f.disclosure == newest.disclosure and f.edition > newest.edition]
    steps = [f.kind for f in sorted(later, key=lambda f: f.version)]
    return bool(steps) and steps[-1] in {"submitted", "confirmed"}


def _record(live: Sequence[Fact], first: Fact | None) -> CellRecord:
    """Who had the disclosure when: the newest disclosure's steps, in the order of their versions."""
    steps = [f for f in live if f.kind in {"submitted", "confirmed", "returned", "approved"}]
    submitted_at: datetime | None = None
    confirmed_at: datetime | None = None
    current = steps[-1].disclosure if steps else None
    for fact in sorted((f for f in steps if f.disclosure == current), key=lambda f: f.version):
        match fact.kind:
            case "submitted":
                submitted_at, confirmed_at = fact.occurred_at, None
            case "confirmed" if fact.data["complete"]:
                confirmed_at = fact.occurred_at
            case "returned":
                submitted_at = confirmed_at = None
            case "approved":
                submitted_at = datetime.fromisoformat(fact.data["submitted_at"])
                confirmed_at = datetime.fromisoformat(fact.data["confirmed_at"])
            case _:
                pass
    return CellRecord(
        first_published_at=_published(first)[0] if first is not None else None,
        submitted_at=submitted_at,
        confirmed_at=confirmed_at,
    )
