"""A contract (承包、流转、租赁、处置): parties, thing, term, money."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from services.contracts.base import Finding, Model
from services.contracts.bodies.base import Amount, Content, Day, Quantity, sum_finding
from services.contracts.bodies.lots import MAX_LOTS, DisclosureRef, Lot, lots_findings
from services.contracts.checks import Check, money_check
from services.contracts.values import Fen, ShortText, Text


class ContractType(StrEnum):
    """Household contracting (承包) is no lease: the twenty years of 民法典 705 bind leases alone."""

    HOUSEHOLD = "household"
    TRANSFER = "transfer"
    LEASE = "lease"
    SALE = "sale"
    OTHER = "other"


class Instalment(Model):
    """A payment that the contract demands."""

    due: Day
    amount_fen: Amount


class Rises(Model):
    """How the yearly rent rises (递增): every so many years by a share or by an amount, counted from the rent before."""

    every_years: int = Field(ge=1, le=50, description="每几年")
    percent: Quantity | None = Field(default=None, description="per cent of the rent before")
    amount_fen: Amount | None = None

    @model_validator(mode="after")
    def _by_one_of_both(self) -> Self:
        if (self.percent is None) == (self.amount_fen is None):
            message = "租金怎么涨：百分之几和每次多少元写一样"
            raise ValueError(message)
        return self


class Contract(Content):
    """A contract. `ends` is its last day; `outsider`: the other party is no member of the collective."""

    kind: Literal["contract"] = "contract"
    title: ShortText
    type: ContractType
    party: ShortText = Field(description="承包方、承租方、受让方")
    outsider: bool = False
    subject: Text = Field(description="标的：哪块地、哪间房")
    area_mu: Quantity | None = Field(default=None, description="亩")
    signed_on: Day
    begins: Day
    ends: Day | None = None
    total_fen: Fen | None = None
    annual_fen: Fen | None = Field(default=None, description="fen per year")
    instalments: tuple[Instalment, ...] = Field(default=(), max_length=200)
    method: ShortText | None = Field(default=None, description="发包方式：招标、公开协商")
    resolution_id: ShortText | None = None
    contract_no: ShortText | None = Field(default=None, description="the contract's own number (合同编号)")
    remark: Text | None = None
    lots: tuple[Lot, ...] = Field(default=(), max_length=MAX_LOTS, description="标的, where there are several")
    area_about: bool = Field(default=False, description="the area is approximate (约)")
    rises: Rises | None = None
    deposit_fen: Fen | None = Field(default=None, description="押金、履约保证金: given back, no income")
    follows: DisclosureRef | None = Field(default=None, description="the tender's notice whose result this is")

    @field_validator("ends", mode="after")
    @classmethod
    def _ends_after_it_begins(cls, ends: date | None, info: ValidationInfo) -> date | None:
        begins = info.data.get("begins")
        if ends is not None and begins is not None and ends < begins:
            message = f"到期日期 {ends} 早于起始日期 {begins}，请改正"
            raise ValueError(message)
        return ends

    @property
    def row_count(self) -> int:
        """How many payments are agreed."""
        return len(self.instalments)

    @property
    def rents(self) -> tuple[int, ...]:
        """Every whole year's rent in fen, from the first, by the yearly rent and how it rises; empty where that is not told."""
        if self.rises is None or self.annual_fen is None or self.ends is None:
            return ()
        over = self.ends + timedelta(days=1)
        years = over.year - self.begins.year - ((over.month, over.day) < (self.begins.month, self.begins.day))
        rents, rent = [], Decimal(self.annual_fen)
        for year in range(max(years, 0)):
            if year and year % self.rises.every_years == 0:
                rent += rent * Decimal(self.rises.percent or 0) / 100 + (self.rises.amount_fen or 0)
            rents.append(int(rent.to_integral_value(ROUND_HALF_UP)))
        return tuple(rents)

    def findings(self, period: str) -> tuple[Finding, ...]:
        """Payments, lots or yearly rents that do not make the agreed total, areas of lots that do not make the area."""
        parts = sum(i.amount_fen for i in self.instalments)
        stated = self.total_fen if self.instalments else None
        rents = self.rents
        planned = self.total_fen if rents else None
        return (
            *super().findings(period),
            *lots_findings(self.lots, None if self.area_about else self.area_mu, self.total_fen),
            *sum_finding("contract.rises", "body.total_fen", planned, sum(rents), words=("总金额", "各年租金相加")),
            *sum_finding("contract.total", "body.total_fen", stated, parts, words=("总金额", "约定的付款相加")),
        )

    def compare(self, period: str) -> tuple[Check, ...]:
        """The agreed total beside the payments agreed, the lots and the rents of all years."""
        if self.total_fen is None:
            return super().compare(period)
        lots = [lot.total_fen for lot in self.lots]
        made = (
            ("contract.total", "写的总金额，和各次付款相加", [i.amount_fen for i in self.instalments]),
            (
                "contract.lots",
                "写的总金额，和各个标的相加",
                [f for f in lots if f is not None] if None not in lots else [],
            ),
            ("contract.rises", "写的总金额，和各年租金相加", list(self.rents)),
        )
        return (
            *super().compare(period),
            *(
                money_check(code, "body.total_fen", words, self.total_fen, sum(parts))
                for code, words, parts in made
                if parts
            ),
        )
