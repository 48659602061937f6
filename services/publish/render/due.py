"""When a cell is due, in words that anybody can compute again, and when an item is due next."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.contracts.catalogue import ItemRevision
from services.contracts.duties import CellKey, CellRecord, Duty, late_by
from services.contracts.values import Frequency, local_day, period_bounds, period_of, period_words
from services.publish.render.lateness import LateBy, late_by_hand
from services.publish.render.rows import Publication

Make = Callable[[CellKey], Duty | None]
_WEEKDAYS: Final = "一二三四五六日"
_SATURDAY: Final = 6


def date_words(day: date) -> str:
    """`2026年11月16日`."""
    return f"{day.year}年{day.month}月{day.day}日"


def due_word(duty: Duty) -> str:
    """What the due day is called: one that the city has not confirmed is a reference."""
    return "参考期限" if duty.reference else "公开时限"


def how_due(duty: Duty) -> str:
    """How a due day came about: `10月22日的事 + 10天 = 11月1日（周日），顺延到11月2日`."""
    if duty.rule is None or duty.named is None:
        return ""
    text = f"{_start(duty)}{_short(duty.named, duty.due)}"
    if duty.named.isoweekday() >= _SATURDAY:
        text += f"（周{_WEEKDAYS[duty.named.isoweekday() - 1]}）"
    elif duty.named != duty.due:
        text += "（放假）"
    if duty.named != duty.due:
        text += f"，顺延到{_short(duty.due, duty.named)}"
    if duty.weekends_only:
        text += f"。{duty.due.year}年的放假安排还没有录入，暂按周末计算"
    return text


def _short(day: date, beside: date) -> str:
    """A day without its year where the other one has the same."""
    return f"{day.month}月{day.day}日" if day.year == beside.year else date_words(day)


def _start(duty: Duty) -> str:
    """The day or period that it counts from, up to the equals sign."""
    rule = duty.rule
    assert rule is not None  # noqa: S101 - asked by how_due
    if rule.base != "event":
        return f"{period_words(duty.period)}的，规定的日子是"
    day = period_bounds(duty.period)[1]
    return f"{day.month}月{day.day}日的事 + {rule.days}{'个工作日' if rule.working else '天'} = "


@dataclass(frozen=True, slots=True)
class Timing:
    """By when something had to be open and how late it was; `due` is None for what is from before the start."""

    due: date | None
    word: str
    how: str
    late_days: int
    history: bool
    #: In whose hands the late days were; None where nobody knows.
    late_by: LateBy | None = None

    @property
    def due_words(self) -> str | None:
        """The due day as people write it."""
        return date_words(self.due) if self.due is not None else None

    @property
    def late(self) -> str | None:
        """How late it was, if it was; a correction, a nil or a withdrawal does not take it away."""
        return f"晚了{self.late_days}天才公开" if self.late_days else None


def timing(p: Publication, duty: Duty | None) -> Timing:
    """Compare the first publication with its due day; what is from before the duties began is never late."""
    history = p.history or (duty is not None and duty.history)
    if duty is None or not duty.applies or history:
        return Timing(None, "", "", 0, history, LateBy())
    days, first = late_by(duty, p.first_published_at), p.first_published_at
    hands = CellRecord(
        first_published_at=first, submitted_at=p.submitted_at, confirmed_at=p.confirmed_at, delivered_at=p.delivered_at
    )
    known = not days or p.submitted_at is not None
    by = late_by_hand(duty, hands, first) if known else None
    return Timing(duty.due, due_word(duty), how_due(duty), days, history=False, late_by=by)


def next_duty(
    code: str, revision: ItemRevision, make: Make, now: datetime, opened: Container[tuple[str, str]]
) -> Duty | None:
    """The next duty of a periodic item that is to come and not open; None for on-event items and where none applies."""
    if revision.frequency is Frequency.ON_EVENT:
        return None
    first, last = period_bounds(period_of(local_day(now), revision.frequency))
    for day in (first - timedelta(days=1), first, last + timedelta(days=1)):
        key = CellKey(code, period_of(day, revision.frequency))
        duty = make(key) if key not in opened else None
        if duty is not None and duty.applies and not duty.history and now < duty.due_at:
            return duty
    return None
