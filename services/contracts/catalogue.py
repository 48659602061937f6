"""The catalogue: which items must be opened, how often, by when; deadline profiles; the working calendar.

All of it is data that an operator edits; whole state per key, history inside.
"""

import re
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from services.contracts.base import Event, Model, Revision, revision_at
from services.contracts.values import Frequency, ShortText, Text

#: Item codes of the starter catalogue: P party, V village, F finance, then two digits.
ItemCode = Annotated[str, StringConstraints(pattern=r"^[PVF][0-9]{2}$")]


class Affair(StrEnum):
    """The three affairs (三务)."""

    PARTY = "party"
    VILLAGE = "village"
    FINANCE = "finance"


class ItemKind(StrEnum):
    """The shape of an item's body."""

    LEDGER = "ledger"
    ROSTER = "roster"
    NOTICE = "notice"
    DECISION = "decision"
    CONTRACT = "contract"
    PROJECT = "project"
    TABLE = "table"


class Masking(StrEnum):
    """How names appear: in full, by surname, as totals only."""

    NONE = "none"
    FULL = "full"
    SURNAME = "surname"
    AGGREGATE = "aggregate"


class DueRule(NamedTuple):
    """A parsed `due`: `month:15`, `quarter:15`, `half:20`, `year:03-31`, `year+1:01-31`, `event:10d`, `event:10wd`."""

    base: str
    month: int
    day: int
    days: int
    working: bool


_DUE: Final = re.compile(
    r"(?P<span>month|quarter|half):(?P<dom>[1-9]|[12]\d|3[01])"
    r"|(?P<year>year(?:\+1)?):(?P<month>0[1-9]|1[0-2])-(?P<mday>0[1-9]|[12]\d|3[01])"
    r"|event:(?P<count>[1-9]\d?)(?P<unit>wd|d)",
    re.ASCII,
)
#: 02-29 is allowed: in other years it means 28 February.
_LONGEST_MONTHS: Final = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DUE_BASES: Final = {
    Frequency.MONTHLY: {"month"},
    Frequency.QUARTERLY: {"quarter"},
    Frequency.HALF_YEAR: {"half"},
    Frequency.YEARLY: {"year", "year+1"},
    Frequency.ON_EVENT: {"event"},
}


def parse_due(text: str) -> DueRule:
    """Read a due rule; ValueError with the allowed forms when it is none."""
    match = _DUE.fullmatch(text)
    if match is None or (match["year"] and int(match["mday"]) > _LONGEST_MONTHS[int(match["month"])]):
        message = "期限应写作 month:15、quarter:15、half:20、year:03-31、year+1:01-31、event:10d 或 event:10wd"
        raise ValueError(message)
    if match["span"]:
        return DueRule(match["span"], 0, int(match["dom"]), 0, working=False)
    if match["year"]:
        return DueRule(match["year"], int(match["month"]), int(match["mday"]), 0, working=False)
    return DueRule("event", 0, 0, int(match["count"]), working=match["unit"] == "wd")


def due_fits(due: str, frequency: Frequency) -> bool:
    """Tell whether a due rule counts from the kind of period that a frequency has."""
    return parse_due(due).base in _DUE_BASES[frequency]


def _refuse_misfit(due: str, frequency: Frequency) -> None:
    if not due_fits(due, frequency):
        message = f"期限 {due} 与公开频次 {frequency.value} 不符"
        raise ValueError(message)


def _checked_due(value: str) -> str:
    parse_due(value)
    return value


Due = Annotated[str, AfterValidator(_checked_due)]


class ItemRevision(Revision):
    """An item of the catalogue as it stood in a span of time (columns of the catalogue file)."""

    affair: Affair
    name: ShortText
    plain_name: ShortText
    kind: ItemKind
    frequency: Frequency
    due: Due
    masking: Masking
    board: Masking
    confirmations: tuple[Literal["supervisors", "principal", "accountant"], ...]
    secrecy: bool
    applies: Literal["both", "village", "community"]
    publisher: ShortText
    notice_days: int = Field(ge=0, le=365)
    keep_months: int | None = Field(ge=1, le=600)
    province_item: ShortText | None
    basis: Text

    @model_validator(mode="after")
    def _due_counts_from_its_period(self) -> Self:
        _refuse_misfit(self.due, self.frequency)
        return self


class Item(Model):
    """One item with its history, oldest revision first."""

    code: ItemCode
    revisions: tuple[ItemRevision, ...] = Field(min_length=1)

    def at(self, day: date) -> ItemRevision:
        """Return the revision of a day; before the first one, the first; after the last one ended, the last."""
        return revision_at(self.revisions, day)

    def retired(self, day: date) -> bool:
        """Tell whether the item was taken out of the catalogue by this day."""
        until = self.at(day).until
        return until is not None and until <= day


#: What becomes of a question that enough others joined.
JointThen = Literal["township", "everybody"]


class ProfileRevision(Revision):
    """A city's choices on deadlines and checks in a span of time."""

    due_by_frequency: dict[Frequency, Due] = Field(default_factory=dict, description="overrides the items' own due")
    shift_holidays: bool = Field(default=True, description="a due date on a day off moves to the next working day")
    supervisors_needed: int = Field(default=1, ge=1, le=5, description="n of m opinions that confirm")
    supervisors_total: int = Field(default=3, ge=1, le=5, description="m: members of the committee, of whom n confirm")
    release: Literal["approve", "file"] = Field(
        default="approve",
        description="approve: the township lets it out; file: it is public once confirmed, the township files it after",
    )
    delivered_by_agency: tuple[ItemCode, ...] = Field(
        default=(), description="items whose material the accounting agency hands over first (村账乡代管)"
    )
    declaration_due: Due = Field(default="quarter:15", description="when the quarter's yes/no page is due")
    review_working_days: int = Field(default=3, ge=1, le=30, description="working days that a township may take")
    answers_first: Literal["village", "township"] = Field(
        default="village", description="who answers a villager's question first; papers are the township's in any case"
    )
    answer_days_village: int = Field(default=3, ge=1, le=60, description="days that a village has to answer a question")
    answer_days_township: int = Field(default=10, ge=1, le=60, description="days that a township has to answer one")
    answer_in_working_days: bool = Field(default=True, description="whether those are working days")
    unclear_days: int = Field(
        default=30,
        ge=1,
        le=365,
        description="days in which an answer may be called unclear; then the contact is deleted",
    )
    joint_from: int = Field(
        default=10, ge=2, le=1000, description="a question that was joined so often is a joint one (联名)"
    )
    joint_then: JointThen = Field(
        default="township",
        description="township: it has to answer such a question as well; everybody: the answer is owed to the whole village",
    )
    confirmed_by_city: bool = Field(default=False, description="false: pages say 参考期限 instead of 公开时限")
    source: ShortText = Field(description="the document that the choice rests on")

    @model_validator(mode="after")
    def _dues_count_from_their_periods(self) -> Self:
        for frequency, due in self.due_by_frequency.items():
            _refuse_misfit(due, frequency)
        _refuse_misfit(self.declaration_due, Frequency.QUARTERLY)
        if self.supervisors_needed > self.supervisors_total:
            message = f"需要 {self.supervisors_needed} 人核对，村监委会只有 {self.supervisors_total} 人"
            raise ValueError(message)
        return self


_PROFILE: Final = {
    "code": "default",
    "revisions": [
        {
            "since": "2026-10-01",
            "until": None,
            "due_by_frequency": {"quarterly": "quarter:20"},
            "shift_holidays": True,
            "supervisors_needed": 2,
            "supervisors_total": 3,
            "release": "approve",
            "delivered_by_agency": ["F01", "F02"],
            "declaration_due": "quarter:15",
            "review_working_days": 3,
            "answers_first": "village",
            "answer_days_village": 3,
            "answer_days_township": 10,
            "answer_in_working_days": True,
            "unclear_days": 30,
            "joint_from": 10,
            "joint_then": "township",
            "confirmed_by_city": True,
            "source": "盖州市三务公开时限通知（示例）",
        }
    ],
}
_YEAR: Final = {
    "year": 2026,
    "days_off": ["2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07"],
    "working_weekends": ["2026-09-20", "2026-10-10"],
    "source": "国务院办公厅关于2026年部分节假日安排的通知",
}


class Profile(Model, json_schema_extra={"examples": [_PROFILE]}):
    """A deadline profile with its history, oldest revision first."""

    code: ShortText
    revisions: tuple[ProfileRevision, ...] = Field(min_length=1)

    def at(self, day: date) -> ProfileRevision:
        """Return the revision of a day; before the first one, the first; after the last one ended, the last."""
        return revision_at(self.revisions, day)


class CalendarYear(Model, json_schema_extra={"examples": [_YEAR]}):
    """Days off and make-up working days (调休) of one year, as the State Council announced them."""

    year: int = Field(ge=2000, le=2100)
    days_off: tuple[date, ...] = Field(description="weekdays on which nobody works")
    working_weekends: tuple[date, ...] = Field(description="Saturdays and Sundays that are worked")
    source: ShortText


class WorkCalendar:
    """Working days over several years; a year without data knows weekends only, and `covers` tells so."""

    def __init__(self, years: tuple[CalendarYear, ...]) -> None:
        """Take every year known; order does not matter."""
        self._years = {y.year for y in years}
        self._off = {d for y in years for d in y.days_off}
        self._worked = {d for y in years for d in y.working_weekends}

    def covers(self, day: date) -> bool:
        """Tell whether the announced calendar reaches this day."""
        return day.year in self._years

    def is_working(self, day: date) -> bool:
        """Tell whether people work on this day."""
        return day in self._worked or (day.isoweekday() <= 5 and day not in self._off)  # noqa: PLR2004 - Friday

    def next_working(self, day: date) -> date:
        """Return the day itself when it is worked, else the first working day after it."""
        while not self.is_working(day):
            day += timedelta(days=1)
        return day

    def add_working(self, day: date, count: int) -> date:
        """Return the `count`-th working day after a day."""
        while count:
            day += timedelta(days=1)
            count -= self.is_working(day)
        return day


class ItemSet(Event):
    """`item.set.v1`: an item's whole state; topic `sanwu.catalogue`, key = `item:<code>`."""

    type: Literal["item.set.v1"] = "item.set.v1"
    aggregate: Literal["item"] = "item"
    item: Item


class ProfileSet(Event):
    """`profile.set.v1`: a deadline profile's whole state; topic `sanwu.catalogue`, key = `profile:<code>`."""

    type: Literal["profile.set.v1"] = "profile.set.v1"
    aggregate: Literal["profile"] = "profile"
    profile: Profile


class CalendarSet(Event):
    """`calendar.set.v1`: one year's calendar; topic `sanwu.catalogue`, key = `calendar:<year>`."""

    type: Literal["calendar.set.v1"] = "calendar.set.v1"
    aggregate: Literal["calendar"] = "calendar"
    calendar: CalendarYear
