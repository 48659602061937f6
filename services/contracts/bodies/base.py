"""What the seven kinds of bodies share: days, quantities, attachments, and what every body can tell of itself."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from services.contracts.base import Finding, Model
from services.contracts.checks import Check
from services.contracts.values import Digest, Fen, Frequency, ShortText, period_bounds, period_frequency, yuan

#: A disclosure with more is refused with the advice to split it.
MAX_LINES: Final = 2000
MAX_BODY_BYTES: Final = 512 * 1024
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def not_zero(value: int) -> int:
    """Refuse an amount of nothing: such a line says nothing."""
    if value == 0:
        message = "金额不能为 0"
        raise ValueError(message)
    return value


def _written_day(value: object) -> object:
    # pydantic would read 20261003 as seconds since 1970: a date is refused, never guessed (domain.md section 5).
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    message = "日期应写作 2026-10-03"
    raise ValueError(message)


#: A local day as `2026-10-03`; no timestamp, no other order. Named so because a line's own field is called `date`.
Day = Annotated[date, BeforeValidator(_written_day)]

#: An amount of money other than nothing, in fen.
Amount = Annotated[Fen, AfterValidator(not_zero)]

#: A measured number as written, at most four decimals, such as `12.5` 亩 or `3.8966` 公顷; text, so that nothing is rounded.
Quantity = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?$")]


#: A quantity is counted in ten-thousandths of its unit.
TEN_THOUSAND: Final = 10_000


def ten_thousandths(quantity: str) -> int:
    """A quantity in ten-thousandths of its unit: `2.5` -> 25000."""
    return int(Decimal(quantity) * TEN_THOUSAND)


def measured(ten_thousandths: int) -> str:
    """Ten-thousandths as a number without idle zeros: 170766 -> `17.0766`."""
    return f"{(Decimal(ten_thousandths) / TEN_THOUSAND).normalize():f}"


class Attachment(Model):
    """A file of the content-addressed store that belongs to the content; `digest` is the public file's SHA-256."""

    digest: Digest
    title: ShortText


class Content(Model):
    """A body of any kind. What it says in numbers can be compared, and checked against itself."""

    attachments: tuple[Attachment, ...] = Field(default=(), max_length=50)

    @property
    def nil(self) -> bool:
        """Tell whether the content says that nothing happened in the period (本期无发生)."""
        return False

    @property
    def row_count(self) -> int:
        """How many lines, entries or rows there are."""
        return 0

    def findings(self, period: str) -> tuple[Finding, ...]:  # noqa: ARG002 - kinds that know no dates ignore it
        """Everything that does not add up, for the author to mend or to explain."""
        return ()

    def compare(self, period: str) -> tuple[Check, ...]:  # noqa: ARG002 - kinds that know no dates ignore it
        """What the content states beside what it makes itself, equal or not, for the reader."""
        return ()

    def measured(self) -> tuple[tuple[str, str], ...]:
        """Measured numbers, by their path within the body, that no field's name tells from words."""
        return ()

    def files(self) -> frozenset[str]:
        """Digests of every file that the content names, wherever it stands."""
        return frozenset(a.digest for a in self.attachments)

    def shown_files(self) -> frozenset[str]:
        """Digests of those of the files that everybody may see once the content is public."""
        return frozenset(a.digest for a in self.attachments)


def figures(body: Content) -> tuple[tuple[str, str], ...]:
    """Every figure of a body by its path, amounts, counts and quantities alike, in order.

    Two editions with equal figures differ in words alone. `voucher.no` and dates are no figures.
    """
    measured = ((f"body.{at}", number) for at, number in body.measured())
    return (*_figures(body.model_dump(mode="json"), "body"), *measured)


_NO_FIGURES: Final = frozenset({"no", "voucher"})
_QUANTITIES: Final = frozenset({"days", "area_mu", "quantity", "unit_rate"})


def _figures(value: Any, at: str) -> Iterator[tuple[str, str]]:
    match value:
        case bool():
            return
        case int():
            yield at, str(value)
        case dict():
            for name, inner in value.items():
                if isinstance(inner, str) and name in _QUANTITIES:
                    yield f"{at}.{name}", inner
                elif name not in _NO_FIGURES:
                    yield from _figures(inner, f"{at}.{name}")
        case list():
            for n, inner in enumerate(value):
                yield from _figures(inner, f"{at}[{n}]")


def off(code: str, at: str, message: str) -> Finding:
    """A finding: its code, the place in the body, the sentence for people."""
    return Finding(code=code, at=at, message=message)


def sum_finding(
    code: str, at: str, stated: int | None, parts: int, *, words: tuple[str, str] = ("合计", "逐笔相加")
) -> tuple[Finding, ...]:
    """A stated sum of money that its parts do not make, both by their `words`; nothing when none was stated."""
    if stated is None or stated == parts:
        return ()
    whole, made = words
    return (off(code, at, f"{whole} {yuan(stated)} 元与{made} {yuan(parts)} 元不符，请核对。"),)


def count_finding(code: str, at: str, stated: int | None, found: int, words: str) -> tuple[Finding, ...]:
    """A stated number of things, called `words`, that is not the number of those listed."""
    if stated is None or stated == found:
        return ()
    return (off(code, at, f"{words}写的是 {stated}，名单里数出来是 {found}，请核对。"),)


def outside(days: Sequence[tuple[str, date | None, str]], period: str, code: str) -> tuple[Finding, ...]:
    """Days (path, day, words) that do not lie within the period; an on-event period is a day and holds no others."""
    if period_frequency(period) is Frequency.ON_EVENT:
        return ()
    first, last = period_bounds(period)
    return tuple(
        off(code, at, f"{words} {day} 不在公开期 {period} 内。")
        for at, day, words in days
        if day is not None and not first <= day <= last
    )


def ordered(days: Sequence[tuple[str, date | None, str]], code: str) -> tuple[Finding, ...]:
    """Steps (path, day, words) that come before the step before them; steps without a day are passed over."""
    known = [(at, day, words) for at, day, words in days if day is not None]
    return tuple(
        off(code, at, f"{words} {day} 早于{before} {earlier}，请核对先后。")
        for (_, earlier, before), (at, day, words) in pairwise(known)
        if day < earlier
    )
