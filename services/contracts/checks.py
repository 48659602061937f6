"""Checks: what a body states beside what the body itself makes of it, for everybody to read.

A finding speaks to the author before it is public; a check speaks to the reader ever after. Both go by the same codes.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import Field

from services.contracts.base import AcceptedFinding, Model
from services.contracts.values import ShortText, yuan

#: A minus that no line break and no screen reader mistakes for a hyphen.
MINUS: Final = "−"


class Check(Model):
    """One comparison. Money stands in fen, anything else in `stated` and `computed` with its `unit`.

    `stated` is what the village wrote, `computed` what follows from the rest; None where one side says nothing.
    `arithmetic` is how `computed` comes about: `558,883.88 + 17,863.00 − 31,765.98 = 544,980.90`.
    """

    code: ShortText = Field(description="the code that the finding of a difference has")
    at: ShortText = Field(description="a path like `body.totals.income_fen`")
    label: str = Field(description="what is compared, in Chinese")
    stated_fen: int | None = None
    computed_fen: int | None = None
    stated: int | str | None = Field(default=None, description="a count, or a measured number as written")
    computed: int | str | None = None
    unit: str | None = Field(default=None, description="of `stated` and `computed`: 人, 亩; null for money")
    arithmetic: str | None = None
    ok: bool
    reason: str | None = Field(default=None, description="why the village says that a difference is right")

    @property
    def gap_fen(self) -> int:
        """What is stated too much, in fen; 0 where either side says nothing."""
        return (
            (self.stated_fen or 0) - (self.computed_fen or 0) if None not in {self.stated_fen, self.computed_fen} else 0
        )


def money_check(code: str, at: str, label: str, stated: int, computed: int, arithmetic: str | None = None) -> Check:
    """Compare two amounts in fen."""
    return Check(
        code=code,
        at=at,
        label=label,
        stated_fen=stated,
        computed_fen=computed,
        arithmetic=arithmetic,
        ok=stated == computed,
    )


def count_check(code: str, at: str, label: str, stated: int | str, computed: int | str, unit: str) -> Check:
    """Compare two numbers of things, or two measured numbers as written."""
    return Check(code=code, at=at, label=label, stated=stated, computed=computed, unit=unit, ok=stated == computed)


def explained(checks: Iterable[Check], accepted: Iterable[AcceptedFinding]) -> tuple[Check, ...]:
    """Put the accepted reasons beside the differences they speak of; what is equal needs none."""
    reasons: Mapping[tuple[str, str], str] = {(a.code, a.at): a.reason for a in accepted}
    return tuple(c if c.ok else c.model_copy(update={"reason": reasons.get((c.code, c.at))}) for c in checks)


def arithmetic(first: int, *moves: tuple[str, int]) -> str:
    """Write a sum out: `arithmetic(5, ("+", 3), ("−", 2))` -> `0.05 + 0.03 − 0.02 = 0.06`."""
    total, text = first, yuan(first)
    for sign, fen in moves:
        total += fen if sign == "+" else -fen
        text += f" {sign} {yuan(fen) if fen >= 0 else f'({yuan(fen)})'}"
    return f"{text} = {yuan(total)}"
