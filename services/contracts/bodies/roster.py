"""A roster (名单): people or households with what each got, earned, applied for or was elected to."""

from typing import Literal

from pydantic import Field

from services.contracts.base import Finding, Model
from services.contracts.bodies.base import MAX_LINES, Content, Quantity, count_finding, hundredths, off, sum_finding
from services.contracts.values import FEN_LIMIT, Fen, ShortText, Text, yuan


class Entry(Model):
    """One person or household. `days` × `rate_fen` makes `amount_fen` where all three stand (用工)."""

    name: ShortText
    payee_ref: ShortText | None = None
    group: ShortText | None = Field(default=None, description="村民小组")
    household_size: int | None = Field(default=None, ge=1, le=100, description="people of the household")
    category: ShortText | None = Field(default=None, description="职务、类别、档次、岗位")
    days: Quantity | None = Field(default=None, description="工数")
    rate_fen: Fen | None = Field(default=None, description="fen per day")
    amount_fen: Fen | None = None
    goods: ShortText | None = Field(default=None, description="things given, as counted: 大米 2 袋")
    votes: int | None = Field(default=None, ge=0, le=1_000_000)
    remark: ShortText | None = None


class RosterTotals(Model):
    """Totals as the author states them."""

    entries: int | None = Field(default=None, ge=0, le=FEN_LIMIT, description="户数或人次：名单有几行")
    people: int | None = Field(default=None, ge=0, le=FEN_LIMIT, description="人数：各户人口相加")
    amount_fen: Fen | None = None


class Roster(Content):
    """A roster. `standard` tells by which rule or rate people got it; no entries mean that nobody did."""

    kind: Literal["roster"] = "roster"
    title: ShortText | None = None
    standard: Text | None = None
    entries: tuple[Entry, ...] = Field(max_length=MAX_LINES)
    totals: RosterTotals | None = None

    @property
    def nil(self) -> bool:
        """Tell whether nobody is on it."""
        return not self.entries

    @property
    def row_count(self) -> int:
        """How many people or households are on it."""
        return len(self.entries)

    @property
    def amount_fen(self) -> int:
        """Sum of all amounts, in fen."""
        return sum(e.amount_fen or 0 for e in self.entries)

    @property
    def people(self) -> int:
        """People of all households; an entry without a size is one person."""
        return sum(e.household_size or 1 for e in self.entries)

    def findings(self, period: str) -> tuple[Finding, ...]:
        """Totals that the entries do not make, days × rate that is not the amount."""
        stated = self.totals or RosterTotals()
        return (
            *super().findings(period),
            *count_finding("roster.count", "body.totals.entries", stated.entries, len(self.entries)),
            *count_finding("roster.people", "body.totals.people", stated.people, self.people),
            *sum_finding("roster.total", "body.totals.amount_fen", stated.amount_fen, self.amount_fen),
            *self._product_findings(),
        )

    def _product_findings(self) -> tuple[Finding, ...]:
        found = []
        for n, e in enumerate(self.entries):
            if e.days is None or e.rate_fen is None or e.amount_fen is None:
                continue
            if hundredths(e.days) * e.rate_fen != e.amount_fen * 100:
                message = f"第 {n + 1} 行 {e.days} 个工 × {yuan(e.rate_fen)} 元不等于 {yuan(e.amount_fen)} 元，请核对。"
                found.append(off("roster.product", f"body.entries[{n}].amount_fen", message))
        return tuple(found)
