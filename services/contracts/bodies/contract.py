"""A contract (承包、流转、租赁、处置): parties, thing, term, money."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from services.contracts.base import Finding, Model
from services.contracts.bodies.base import Amount, Content, Day, Quantity, sum_finding
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

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.ends is not None and self.ends < self.begins:
            message = f"到期日 {self.ends} 早于起始日 {self.begins}"
            raise ValueError(message)
        return self

    @property
    def row_count(self) -> int:
        """How many payments are agreed."""
        return len(self.instalments)

    def findings(self, period: str) -> tuple[Finding, ...]:
        """Payments that do not make the agreed total."""
        parts = sum(i.amount_fen for i in self.instalments)
        stated = self.total_fen if self.instalments else None
        return (*super().findings(period), *sum_finding("contract.total", "body.total_fen", stated, parts))

    def compare(self, period: str) -> tuple[Check, ...]:
        """The agreed total beside the payments agreed."""
        if self.total_fen is None or not self.instalments:
            return super().compare(period)
        parts = sum(i.amount_fen for i in self.instalments)
        words = "写的总金额，和各次付款相加"
        return (
            *super().compare(period),
            money_check("contract.total", "body.total_fen", words, self.total_fen, parts),
        )
