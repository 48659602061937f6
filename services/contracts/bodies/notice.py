"""A notice (文字公开): a title, paragraphs, at most one table, a time on the wall, a signature."""

from datetime import date
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from services.contracts.base import Finding
from services.contracts.bodies.base import Content, Day
from services.contracts.bodies.lots import MAX_LOTS, Lot, TenderTerms
from services.contracts.bodies.table import Table
from services.contracts.checks import Check
from services.contracts.values import ShortText, Text


class Notice(Content):
    """A notice. `posted_from`–`posted_until`: both days inclusive, how long it stays up (公示期)."""

    kind: Literal["notice"] = "notice"
    title: ShortText
    paragraphs: tuple[Text, ...] = Field(min_length=1, max_length=200)
    table: Table | None = None
    posted_from: Day | None = None
    posted_until: Day | None = None
    signed_by: ShortText | None = Field(default=None, description="落款单位")
    signed_on: Day | None = None
    tender: TenderTerms | None = Field(
        default=None, description="the notice offers something, and nobody has won yet (招标、招租、发包公告)"
    )

    lots: tuple[Lot, ...] = Field(default=(), max_length=MAX_LOTS, description="标的: what a tender offers")

    @field_validator("posted_until", mode="after")
    @classmethod
    def _ends_after_it_begins(cls, until: date | None, info: ValidationInfo) -> date | None:
        begins = info.data.get("posted_from")
        # A beginning that is wrong in itself is told at its own place.
        if until is not None and "posted_from" in info.data and (begins is None or until < begins):
            message = (
                "写了公示结束的日期，就要写公示开始的日期"
                if begins is None
                else f"公示结束 {until} 早于公示开始 {begins}，请改正"
            )
            raise ValueError(message)
        return until

    @property
    def row_count(self) -> int:
        """How many paragraphs there are."""
        return len(self.paragraphs)

    def measured(self) -> tuple[tuple[str, str], ...]:
        """Measured numbers of the table."""
        inner = self.table.measured() if self.table is not None else ()
        return tuple((f"table.{at}", number) for at, number in inner)

    def files(self) -> frozenset[str]:
        """Files of the notice and of its table."""
        return super().files() | (self.table.files() if self.table is not None else frozenset())

    def findings(self, period: str) -> tuple[Finding, ...]:
        """What does not add up in the table."""
        inner = self.table.findings(period) if self.table is not None else ()
        below = tuple(f.model_copy(update={"at": f.at.replace("body.", "body.table.", 1)}) for f in inner)
        terms = self.tender.findings() if self.tender is not None else ()
        return (*super().findings(period), *below, *terms)

    def compare(self, period: str) -> tuple[Check, ...]:
        """What the table states beside what its rows make."""
        inner = self.table.compare(period) if self.table is not None else ()
        below = tuple(c.model_copy(update={"at": c.at.replace("body.", "body.table.", 1)}) for c in inner)
        return (*super().compare(period), *below)
