"""The time, passed in wherever it matters, so that tests can stop it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from services.contracts.days import SHANGHAI
from services.contracts.values import local_day, start_of_day

__all__ = ["Clock", "FixedClock", "SystemClock", "local_day", "local_minute", "start_of_day"]


def local_minute(moment: datetime) -> str:
    """A moment in Shanghai as a sentence names it: `10月3日 08:30`."""
    there = moment.astimezone(SHANGHAI)
    return f"{there.month}月{there.day}日 {there:%H:%M}"


class Clock(Protocol):
    """Tells the time in UTC."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that may


@dataclass
class FixedClock:
    """A clock that stands still until it is moved."""

    at: datetime

    def now(self) -> datetime:
        """The moment it was set to."""
        return self.at

    def advance(self, **span: float) -> None:
        """Move on by `timedelta(**span)`."""
        self.at += timedelta(**span)
