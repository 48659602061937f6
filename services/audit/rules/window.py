"""Windows: all that a rule may see of a subject, cut from cells; `written.py` writes them down as facts and back.

A window holds nothing that its rule does not use, so writing it down as facts is the rule's evidence, and reading the
facts gives the window again: a pack can be checked without any other state.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Protocol

from services.audit.rules.facts import AccountSums, Cell, CellKey, EditionFacts, Fact, LedgerTotals, OpenLedger
from services.audit.rules.limits import NO_LIMITS, Limits
from services.contracts.alert import Subject
from services.contracts.bodies import renamed_accounts
from services.contracts.days import SHANGHAI
from services.contracts.duties import Duty, cell_state
from services.contracts.values import Frequency, period_frequency


@dataclass(frozen=True, slots=True)
class View:
    """A cell with what stands around it: the cell before, what was owed in both, until when to decide, the time, its facts.

    `last` is None for on-event items, which form no chain. `notice_days`: how long the item has to stay on the wall.
    `limits`: what law and place allow.
    """

    key: CellKey
    cell: Cell
    before: Cell
    duty: Duty | None
    now: datetime
    duty_before: Duty | None = None
    review_due_at: datetime | None = None
    known: Sequence[Fact] = ()
    last: "Last | None" = None
    notice_days: int = 0
    limits: Limits = field(default_factory=lambda: NO_LIMITS)


@dataclass(frozen=True, slots=True)
class Last:
    """The nearest earlier cell with an open ledger, however many periods lie between; None and nothing when there is none.

    `between`: accounts that periods after it named and that cannot be read any more.
    """

    period: str | None
    cell: Cell
    between: frozenset[str]


class Window(Protocol):
    """What every window class can do."""

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """Cut the subjects of a view, each with its window."""
        ...


@dataclass(frozen=True, slots=True)
class TotalsWindow:
    """A ledger's totals; None when no edition is open. `dropped`: it lacks an account that an earlier edition had."""

    cur: LedgerTotals | None
    dropped: bool = False

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a cell of a ledger, once any edition was approved; also while nobody can tell what it was."""
        if view.cell.approved and (not view.cell.kinds or "ledger" in view.cell.kinds):
            subject = Subject(village=view.key.village, item=view.key.item, period=view.key.period)
            yield subject, cls(view.cell.ledger.totals if view.cell.ledger else None, view.cell.dropped)


@dataclass(frozen=True, slots=True)
class BalanceWindow:
    """One account of a cell. `is_open`: an edition is open; `cur` None beside it: that edition lacks the account."""

    is_open: bool
    cur: AccountSums | None

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject an account that any approved edition named."""
        for account in sorted(view.cell.accounts):
            cur = view.cell.ledger.accounts.get(account) if view.cell.ledger else None
            yield _of_account(view.key, account), cls(view.cell.ledger is not None, cur)


@dataclass(frozen=True, slots=True)
class Opening:
    """What an account began with, in fen."""

    event: str
    opening_fen: int


@dataclass(frozen=True, slots=True)
class Closing:
    """What an account ended with, in fen."""

    event: str
    closing_fen: int


@dataclass(frozen=True, slots=True)
class ChainWindow:
    """One account of a cell and of the nearest earlier cell that is open.

    `adjoining`: that is the period just before. `correcting`: a new edition of it is under way. `renamed`: the account
    goes on under another name, with the same money.
    """

    is_open: bool
    cur: Opening | None
    before_is_open: bool
    before_period: str | None
    adjoining: bool
    correcting: bool
    before: Closing | None
    renamed: bool

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject an account of this cell and of the one it follows, once an edition of this one was approved."""
        if not view.cell.approved:
            return
        adjoining = view.key.before()
        # What is not open follows nothing; what is named beside it stays named.
        follows = view.last if view.cell.ledger is not None else None
        period = follows.period if follows is not None else None
        base = follows.cell if follows is not None else view.before
        between = follows.between if follows is not None else frozenset()
        cur, before = view.cell.ledger, base.ledger
        renamed = _renamed(before, cur)
        for account in sorted(view.cell.accounts | base.accounts | view.before.accounts | between):
            now = cur.accounts.get(account) if cur else None
            then = before.accounts.get(account) if before else None
            window = cls(
                is_open=cur is not None,
                cur=Opening(now.event, now.opening_fen) if now else None,
                before_is_open=before is not None,
                before_period=period,
                adjoining=adjoining is not None and adjoining.period == period,
                correcting=base.correcting,
                before=Closing(then.event, then.closing_fen) if then else None,
                renamed=account in renamed,
            )
            yield _of_account(view.key, account), window


def _renamed(before: OpenLedger | None, cur: OpenLedger | None) -> frozenset[str]:
    if before is None or cur is None:
        return frozenset()
    closings = {name: a.closing_fen for name, a in before.accounts.items()}
    return renamed_accounts(closings, {name: a.opening_fen for name, a in cur.accounts.items()})


@dataclass(frozen=True, slots=True)
class Deadline:
    """What was owed by when, and what came. `due` is a local day; `due_at` the first instant after it."""

    event: str | None
    item: str
    period: str
    due: date
    due_at: datetime
    applies: bool
    history: bool
    waived: bool
    nil: bool
    first_published_at: datetime | None
    held_by: str | None
    held_since: date | None


@dataclass(frozen=True, slots=True)
class DeadlineWindow:
    """A deadline and the time."""

    cur: Deadline
    now: datetime

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a cell that the catalogue knows."""
        if view.duty is None:
            return
        duty, record = view.duty, view.cell.record
        subject = Subject(village=view.key.village, item=view.key.item, period=view.key.period)
        _, held_by, since = cell_state(duty, record, view.now)
        deadline = Deadline(
            event=view.cell.published_by,
            item=duty.item,
            period=duty.period,
            due=duty.due,
            due_at=duty.due_at,
            applies=duty.applies,
            history=duty.history,
            waived=record.waived_at is not None,
            nil=record.nil,
            first_published_at=record.first_published_at,
            held_by=held_by,
            held_since=since.astimezone(SHANGHAI).date() if held_by is not None and since is not None else None,
        )
        yield subject, cls(deadline, view.now)


@dataclass(frozen=True, slots=True)
class Blank:
    """A cell as D02 sees it: was it owed, is anything there."""

    event: str | None
    period: str
    due_at: datetime
    applies: bool
    history: bool
    has_row: bool
    waived: bool


@dataclass(frozen=True, slots=True)
class BlindWindow:
    """A cell, the one before it, and the time. `before` None: there is no period before, or it was not owed."""

    item: str
    cur: Blank
    before: Blank | None
    now: datetime

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a periodic cell; it owns what it and the one before it lack together."""
        if view.duty is None or view.key.before() is None or period_frequency(view.key.period) is Frequency.ON_EVENT:
            return
        subject = Subject(village=view.key.village, item=view.key.item, period=view.key.period)
        before = _blank(view.duty_before, view.before) if view.duty_before is not None else None
        yield subject, cls(view.key.item, _blank(view.duty, view.cell), before, view.now)


def _blank(duty: Duty, cell: Cell) -> Blank:
    return Blank(
        event=None,
        period=duty.period,
        due_at=duty.due_at,
        applies=duty.applies,
        history=duty.history,
        has_row=cell.has_row,
        waived=cell.record.waived_at is not None,
    )


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """What the township got when, until when it may decide, and when it did."""

    event: str
    handed_over_at: datetime
    due_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReviewWindow:
    """A review and the time; None when nothing was handed over."""

    cur: ReviewFacts | None
    now: datetime

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a cell of which anything was ever handed in."""
        if not view.cell.has_row:
            return
        review, due_at = view.cell.review, view.review_due_at
        cur = None
        if review is not None and due_at is not None:
            cur = ReviewFacts(review.event, review.handed_over_at, due_at, review.decided_at)
        yield Subject(village=view.key.village, item=view.key.item, period=view.key.period), cls(cur, view.now)


@dataclass(frozen=True, slots=True)
class EditionWords:
    """One edition beside the one before it."""

    event: str
    edition: int
    figures: str
    noted: bool


@dataclass(frozen=True, slots=True)
class ChangeWindow:
    """The newest edition that changed figures without a word, with the one before it; else the newest two."""

    cur: EditionWords | None
    before: EditionWords | None

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a cell, once any edition was approved."""
        if not view.cell.approved:
            return
        pairs = list(pairwise(_words(e) for e in view.cell.editions))
        silent = [p for p in pairs if p[0].figures != p[1].figures and not p[1].noted]
        chosen = silent or pairs
        before = chosen[-1][0] if chosen else None
        cur = chosen[-1][1] if chosen else next((_words(e) for e in view.cell.editions), None)
        yield Subject(village=view.key.village, item=view.key.item, period=view.key.period), cls(cur, before)


def _words(e: EditionFacts) -> EditionWords:
    return EditionWords(e.event, e.edition, e.figures, e.noted)


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """Who handed in and who let out, by their opaque ids."""

    event: str
    edition: int
    submitted_by: str | None
    approved_by: str | None
    release: str
    delegation: str | None


@dataclass(frozen=True, slots=True)
class ReleaseWindow:
    """How the open edition was let out."""

    cur: ReleaseFacts | None

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a cell, once any edition was approved."""
        if not view.cell.approved:
            return
        cur = None
        if view.cell.editions:
            e = view.cell.editions[-1]
            cur = ReleaseFacts(e.event, e.edition, e.submitted_by, e.approved_by, e.release, e.delegation)
        yield Subject(village=view.key.village, item=view.key.item, period=view.key.period), cls(cur)


def _of_account(key: CellKey, account: str) -> Subject:
    return Subject(village=key.village, item=key.item, period=key.period, account=account)
