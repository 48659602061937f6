"""Duties and their cells: what a division must open, by when, and how that stands at a given moment.

Catalogue, profile, calendar, records and the time come in as arguments, so that ingest (to-do), publish (what is
missing) and audit (grid) agree on every cell. Nothing here reads a clock, a table or a file.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from services.contracts.catalogue import DueRule, Item, ItemRevision, Profile, ProfileRevision, WorkCalendar
from services.contracts.division import DivisionKind
from services.contracts.due import applies_on, due_day, is_declared, opens_on, rule_of
from services.contracts.values import Frequency, local_day, period_bounds, period_frequency, period_of, start_of_day

Holder = Literal["village", "agency", "township", "department"]

#: Publishers (catalogue column) that are no village: they hold their items from the first day.
_PUBLISHERS: Final[Mapping[str, Holder]] = MappingProxyType({"镇街": "township", "业务主管部门": "department"})

#: A new division gets at least this long before anything is due (design.md section 3).
GRACE: Final = timedelta(days=10)
#: No due rule reaches further past the end of its period (`year+1:12-31`, moved over a long holiday).
_LONGEST_WAIT: Final = timedelta(days=400)
#: The grammar of periods begins here.
_FIRST_DAY: Final = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class DutyDivision:
    """What a duty needs to know of a division; `duties_from` is already inherited, None means no duties at all."""

    code: str
    kind: DivisionKind
    duties_from: date | None


@dataclass(frozen=True, slots=True)
class Duty:
    """One cell of the grid before anybody acted: one item, one division, one period.

    Days are local (Asia/Shanghai). `due_at` is UTC, the first instant after the due day: before it is in time.
    `opens_on` is the first day on which the disclosure can be made: the day after the period, the event's own day,
    or, for `year:` rules (a plan for the year itself), the first day of the period.
    `history`: due before the duties began plus ten days, so it is accepted and never late. `reference`: the city has
    not confirmed the profile, so pages say 参考期限. `first_holder` has to act first: the village, the accounting
    agency whose material it waits for, or the township or department that publishes the item itself. `rule`, `named`
    and `weekends_only`: how `due` came about (`contracts.due.DueDay`).
    Source: design.md section 3, domain.md sections 2 and 3.
    """

    item: str
    division: str
    period: str
    opens_on: date
    due: date
    due_at: datetime
    applies: bool
    history: bool
    reference: bool
    first_holder: Holder = "village"
    rule: DueRule | None = None
    named: date | None = None
    weekends_only: bool = False


def _first_holder(code: str, item: ItemRevision, profile: ProfileRevision) -> Holder:
    if code in profile.delivered_by_agency:
        return "agency"
    return publishing_holder(item)


def publishing_holder(item: ItemRevision) -> Holder:
    """Who publishes an item itself: the village, unless the catalogue names the township or a department."""
    return _PUBLISHERS.get(item.publisher, "village")


def duty(item: Item, division: DutyDivision, period: str, profile: Profile, calendar: WorkCalendar) -> Duty:
    """Work out what one division owes for one period of one item.

    Item and profile are taken as they stood on the period's last day. The profile's `due_by_frequency` goes before the
    item's own `due`; `shift_holidays` moves a due day that is a day off to the next working day. An on-event item takes
    the event's date, or a quarter: that cell is the quarter's yes/no answer, due with the quarterly page.
    Raises ValueError when the period is malformed or does not fit the item's frequency.
    """
    first, last = period_bounds(period)
    of_item, of_profile = item.at(last), profile.at(last)
    if period_frequency(period) is not of_item.frequency and not is_declared(of_item, period):
        message = f"公开期 {period} 与事项 {item.code} 的公开频次 {of_item.frequency.value} 不符"
        raise ValueError(message)
    rule = rule_of(of_item, of_profile, period)
    found = due_day(rule, last, calendar, shift=of_profile.shift_holidays)
    due = found.due
    return Duty(
        item=item.code,
        division=division.code,
        period=period,
        opens_on=opens_on(rule, first, last),
        due=due,
        due_at=start_of_day(due + timedelta(days=1)),
        applies=applies_on(item, of_item, division.kind, last),
        history=division.duties_from is None or due < division.duties_from + GRACE,
        reference=not of_profile.confirmed_by_city,
        first_holder=_first_holder(item.code, of_item, of_profile),
        rule=rule,
        named=found.named,
        weekends_only=found.weekends_only,
    )


def _backwards(frequency: Frequency, from_day: date, until_day: date) -> Iterator[str]:
    """Periods of a frequency from the one that holds `from_day` back to the one that holds `until_day`."""
    day = from_day
    while day >= until_day:
        period = period_of(day, frequency)
        yield period
        day = period_bounds(period)[0] - timedelta(days=1)


def periods_due(
    item: Item, division: DutyDivision, profile: Profile, calendar: WorkCalendar, now: datetime
) -> Iterator[str]:
    """Every period that a division owes an item for by `now` (aware), oldest first.

    A period counts when it applies, is no history, and can be made: it has ended, or its rule is of the `year:` form
    and it has begun (a plan due on 31 January must not wait for December to be missed). On-event items yield nothing:
    their cells come from events. An item whose frequency changed yields the periods of each frequency in its time.
    """
    found = []
    for period in periods_begun(item, division, now):
        owed = duty(item, division, period, profile, calendar)
        if is_owed(owed, now):
            found.append((period_bounds(period)[1], period))
    yield from (period for _, period in sorted(found))


def periods_begun(item: Item, division: DutyDivision, now: datetime) -> Iterator[str]:
    """Every period of an item, in the frequency of its time, that has begun by `now` and that a division may owe."""
    if division.duties_from is None:
        return
    floor = max(division.duties_from - _LONGEST_WAIT, _FIRST_DAY)
    for frequency in {r.frequency for r in item.revisions} - {Frequency.ON_EVENT}:
        for period in _backwards(frequency, local_day(now), floor):
            if item.at(period_bounds(period)[1]).frequency is frequency:
                yield period


def is_owed(of: Duty, now: datetime) -> bool:
    """Tell whether the duty of a period applies, is no history, and can be made by `now`."""
    return of.applies and not of.history and of.opens_on <= local_day(now)


class CellState(StrEnum):
    """How a cell of the grid stands; the order is the order of precedence (words: domain.md section 9)."""

    QUESTIONED = "questioned"
    OPENED_LATE = "opened_late"
    OPENED = "opened"
    NIL = "nil"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"
    IN_PROGRESS = "in_progress"
    NOT_OPENED = "not_opened"
    NOT_DUE = "not_due"


@dataclass(frozen=True, slots=True)
class CellRecord:
    """What is known of a cell: aware times of the last edition's steps, and what others said of it.

    `nil`: the village declared that nothing happened, whether as a published page or a quarterly "no".
    `submitted_at` and `confirmed_at` are of the edition under way (None again after a return), the latter once
    nobody else has to confirm. `waived_at`: a waiver in force was granted. `delivered_at`: the accounting agency handed
    its material to the village.
    """

    first_published_at: datetime | None = None
    nil: bool = False
    waived_at: datetime | None = None
    open_questions: int = 0
    submitted_at: datetime | None = None
    confirmed_at: datetime | None = None
    delivered_at: datetime | None = None


#: Years of quarters hold many cells of these two.
_NOTHING_HAPPENED: Final = CellRecord(nil=True)
_NOTHING_KNOWN: Final = CellRecord()


class Cell(NamedTuple):
    """A cell's state; who holds it now, if anybody; since when (UTC): the holder got it, or the state began."""

    state: CellState
    held_by: Holder | None
    since: datetime | None


def _published_late(of: Duty, record: CellRecord) -> bool:
    return record.first_published_at is not None and late_by(of, record.first_published_at) > 0


def _state(of: Duty, record: CellRecord, now: datetime) -> CellState:
    """First match wins, in the order of `CellState`."""
    if record.open_questions > 0:
        return CellState.QUESTIONED
    if record.first_published_at is not None or record.nil:
        # A published "nothing happened" is `nil`: it must not look like a page with content.
        in_time = CellState.NIL if record.nil else CellState.OPENED
        return CellState.OPENED_LATE if _published_late(of, record) else in_time
    matches = (
        (CellState.NOT_APPLICABLE, not of.applies),
        (CellState.WAIVED, record.waived_at is not None),
        (CellState.IN_PROGRESS, record.submitted_at is not None and (of.history or record.submitted_at < of.due_at)),
        (CellState.NOT_OPENED, not of.history and now >= of.due_at),
    )
    return next((state for state, hit in matches if hit), CellState.NOT_DUE)


def _handed_over_at(record: CellRecord) -> datetime | None:
    """When the village was done: submitted and confirmed."""
    if record.submitted_at is None or record.confirmed_at is None:
        return None
    return max(record.submitted_at, record.confirmed_at)


def _holdings(of: Duty, record: CellRecord) -> tuple[tuple[Holder, datetime], ...]:
    """Who held the cell from when on, first holder first; empty for history that nobody has touched."""
    if of.history and record.submitted_at is None:
        return ()
    opens_at = start_of_day(of.opens_on)
    found: list[tuple[Holder, datetime]] = [(of.first_holder, opens_at)]
    if of.first_holder == "agency":
        # What was handed in was in the village's hands before, whether or not, or however late, the delivery was noted.
        known = [at for at in (record.delivered_at, record.submitted_at) if at is not None]
        if known:
            found.append(("village", max(min(known), opens_at)))
    handed_over_at = _handed_over_at(record)
    if handed_over_at is not None and found[-1][0] == "village":
        found.append(("township", handed_over_at))
    return tuple(found)


def _holder(of: Duty, record: CellRecord, now: datetime) -> tuple[Holder | None, datetime | None]:
    holdings = _holdings(of, record)
    if not holdings or (record.submitted_at is None and now < holdings[0][1]):
        return None, None
    return holdings[-1]


def _is_settled(of: Duty, record: CellRecord) -> bool:
    """Tell whether nobody has to do anything more for this cell to be open."""
    return record.first_published_at is not None or record.nil or record.waived_at is not None or not of.applies


def cell_state(of: Duty, record: CellRecord, now: datetime) -> Cell:
    """Tell how a cell stands at `now` (aware).

    Its first holder has it from `opens_on`: an agency until it delivered, the village until it submitted and everybody
    needed confirmed, then the township; what township or department publish themselves stays with them. A cell
    that is published, nil, waived or not applicable is held by nobody, and `since` tells when it got there, where
    that is known. History is never late: unpublished it stays `not_due`, or `in_progress` once submitted.
    """
    state = _state(of, record, now)
    if _is_settled(of, record):
        return Cell(state, None, record.first_published_at or record.waived_at)
    return Cell(state, *_holder(of, record, now))


def late_by(of: Duty, at: datetime) -> int:
    """Whole local days from the due day to `at` (aware), the number in 晚了N天; 0 when in time, history or no duty."""
    if of.history or not of.applies:
        return 0
    return max((local_day(at) - of.due).days, 0)


class Lateness(NamedTuple):
    """Days past due, charged to whoever held the cell on them; the sum is what the villager sees."""

    village: int = 0
    agency: int = 0
    township: int = 0
    department: int = 0


def lateness(of: Duty, record: CellRecord, now: datetime) -> Lateness:
    """Charge a cell's late days to their holders, each from the day it got the cell to the day it passed it on.

    Counts up to the first publication, else to `now` (aware). A cell that is settled without a publication is 0.
    """
    if record.first_published_at is None and _is_settled(of, record):
        return Lateness()
    total = late_by(of, record.first_published_at or now)
    if total == 0:
        return Lateness()
    holdings = _holdings(of, record)
    starts = [0, *(min(late_by(of, at), total) for _, at in holdings[1:]), total]
    charged: dict[str, int] = {}
    for (holder, _), start, end in zip(holdings, starts, starts[1:], strict=False):
        charged[holder] = charged.get(holder, 0) + end - start
    return Lateness(**charged)


class CellKey(NamedTuple):
    """Names a cell of one division."""

    item: str
    period: str


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell as to-do, public list and grid show it: what is owed, what is known, how it stands, how late."""

    duty: Duty
    record: CellRecord
    cell: Cell
    late: Lateness
    #: How it stands apart from open questions (`questioned`), which settle nothing and erase no lateness.
    beneath: CellState

    @property
    def key(self) -> CellKey:
        """Which cell of the village it is: item and period."""
        return CellKey(self.duty.item, self.duty.period)

    @property
    def late_days(self) -> int:
        """Days past due, whoever held it."""
        return sum(self.late)


def duties_of(
    items: Iterable[Item], division: DutyDivision, profile: Profile, calendar: WorkCalendar, now: datetime
) -> tuple[Duty, ...]:
    """Every periodic duty of a division by `now` (aware), by item and then by period."""
    return tuple(
        duty(item, division, period, profile, calendar)
        for item in sorted(items, key=lambda i: i.code)
        for period in periods_due(item, division, profile, calendar, now)
    )


def cells(
    owed: Iterable[Duty],
    records: Mapping[CellKey, CellRecord],
    make: Callable[[CellKey], Duty | None],
    now: datetime,
) -> tuple[GridCell, ...]:
    """Every cell of a division at `now` (aware): the one function behind to-do, missing list and grid.

    `owed` are its periodic duties (`duties_of`); `records` holds what is known, on-event cells and declared ones too
    (`declared_records`). `make` gives the duty of a record's cell that is not owed: an on-event item, history, a period
    not over yet; None for a cell that cannot be (an item unknown here). Order: owed ones as they come, then the others.
    """
    known = {CellKey(d.item, d.period): d for d in owed}
    others = (make(key) for key in sorted(records.keys() - known.keys()))
    all_duties = (*known.values(), *(d for d in others if d is not None))
    return tuple(_grid_cell(d, records.get(CellKey(d.item, d.period), _NOTHING_KNOWN), now) for d in all_duties)


def _grid_cell(of: Duty, record: CellRecord, now: datetime) -> GridCell:
    cell = cell_state(of, record, now)
    beneath = _state(of, replace(record, open_questions=0), now) if record.open_questions else cell.state
    return GridCell(of, record, cell, lateness(of, record, now), beneath)


def declared_records(quarter: str, answers: Mapping[str, Sequence[date]]) -> dict[CellKey, CellRecord]:
    """Cells that a quarter's yes/no page makes: no days means nothing happened (`nil`), each day opens a duty of its own.

    `answers`: event days by on-event item. Records of what was then entered go before these.
    """
    found: dict[CellKey, CellRecord] = {}
    for item, days in answers.items():
        if not days:
            found[CellKey(item, quarter)] = _NOTHING_HAPPENED
        for day in days:
            found[CellKey(item, day.isoformat())] = _NOTHING_KNOWN
    return found
