"""The local zone, and the years whose working days have to be known; without models, so that it is read at once."""

from collections.abc import Iterable
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

#: Days, deadlines and midnights are those of the place.
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_OCTOBER: Final = 10


def missing_years(today: date, known: Iterable[int]) -> tuple[int, ...]:
    """Years without working days although they should have them: this one, and from 1 October on the next."""
    wanted = (today.year, today.year + 1) if today.month >= _OCTOBER else (today.year,)
    have = set(known)
    return tuple(y for y in wanted if y not in have)
