"""A project (工程项目): funds, tender, contract, payments, acceptance."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from services.contracts.base import Finding, Model
from services.contracts.bodies.base import Amount, Content, Day, Quantity, off, ordered, sum_finding
from services.contracts.bodies.lots import DisclosureRef
from services.contracts.checks import Check, money_check
from services.contracts.values import Fen, ShortText, Text, yuan


class Tender(StrEnum):
    """How the contractor was found."""

    OPEN = "open"
    INVITED = "invited"
    NEGOTIATED = "negotiated"
    QUOTES = "quotes"
    DIRECT = "direct"
    OWN_LABOUR = "own_labour"


class Fund(Model):
    """A source of a project's money, and how much of it."""

    source: ShortText
    amount_fen: Amount


class Bid(Model):
    """An offer; bidders are firms and stand in full."""

    bidder: ShortText
    amount_fen: Amount
    won: bool = False


class Payment(Model):
    """Money paid to the contractor."""

    date: Day
    amount_fen: Amount
    note: ShortText | None = None


class Part(Model):
    """One of several works of a project (子项工程)."""

    title: ShortText = Field(description="which: 进村公路")
    quantity: Quantity | None = None
    unit: ShortText | None = Field(default=None, description="公里、米、盏")
    about: bool = Field(default=False, description="约数")
    budget_fen: Fen | None = None
    settled_fen: Fen | None = None
    remark: ShortText | None = None

    @property
    def quantity_words(self) -> str | None:
        """The quantity as people read it: `约1.2公里`."""
        return f"{'约' if self.about else ''}{self.quantity}{self.unit or ''}" if self.quantity is not None else None


class Project(Content):
    """A project of a village, as far as it has come."""

    kind: Literal["project"] = "project"
    title: ShortText
    scope: Text = Field(description="建设内容")
    tender: Tender
    contractor: ShortText | None = None
    budget_fen: Fen | None = None
    contract_fen: Fen | None = None
    settled_fen: Fen | None = Field(default=None, description="结算（审定）金额")
    funds: tuple[Fund, ...] = Field(default=(), max_length=50)
    bids: tuple[Bid, ...] = Field(default=(), max_length=50)
    payments: tuple[Payment, ...] = Field(default=(), max_length=200)
    tendered_on: Day | None = None
    started_on: Day | None = None
    finished_on: Day | None = None
    accepted_on: Day | None = None
    acceptance: Text | None = Field(default=None, description="验收意见")
    resolution_id: ShortText | None = None
    parts: tuple[Part, ...] = Field(default=(), max_length=100, description="子项工程")
    sources: ShortText | None = Field(
        default=None, description="where the money comes from, when no amount of each source is known"
    )
    follows: DisclosureRef | None = Field(default=None, description="the tender's notice whose result this is")

    @property
    def row_count(self) -> int:
        """How many payments were made."""
        return len(self.payments)

    @property
    def paid_fen(self) -> int:
        """Sum of all payments, in fen."""
        return sum(p.amount_fen for p in self.payments)

    def findings(self, period: str) -> tuple[Finding, ...]:
        """Funds that do not make the budget, a winning bid that is not the contract, overpayment, days out of order."""
        days = [
            ("body.tendered_on", self.tendered_on, "招标日期"),
            ("body.started_on", self.started_on, "开工日期"),
            ("body.finished_on", self.finished_on, "完工日期"),
            ("body.accepted_on", self.accepted_on, "验收日期"),
        ]
        return (
            *super().findings(period),
            *sum_finding(
                "project.funds",
                "body.budget_fen",
                self.budget_fen if self.funds else None,
                sum(f.amount_fen for f in self.funds),
                words=("预算", "资金来源相加"),
            ),
            *self._part_findings(),
            *self._bid_findings(),
            *self._payment_findings(),
            *ordered(days, "project.days"),
        )

    def _parts(self) -> tuple[tuple[str, str, str, int, int], ...]:
        """What the parts make beside what is stated of the whole: code, place, word, stated, computed."""
        pairs = (
            ("budget_fen", "预算", self.budget_fen, [p.budget_fen for p in self.parts]),
            ("settled_fen", "结算金额", self.settled_fen, [p.settled_fen for p in self.parts]),
        )
        return tuple(
            ("project.parts", f"body.{at}", word, stated, sum(f or 0 for f in made))
            for at, word, stated, made in pairs
            if stated is not None and made and None not in made
        )

    def _part_findings(self) -> tuple[Finding, ...]:
        return tuple(
            f
            for code, at, word, stated, made in self._parts()
            for f in sum_finding(code, at, stated, made, words=(word, "各个子项相加"))
        )

    def compare(self, period: str) -> tuple[Check, ...]:
        """The budget beside where the money comes from, the contract beside the winning bid."""
        found = []
        if self.budget_fen is not None and self.funds:
            funds = sum(f.amount_fen for f in self.funds)
            words = "写的预算，和各项资金来源相加"
            found.append(money_check("project.funds", "body.budget_fen", words, self.budget_fen, funds))
        won = [b for b in self.bids if b.won]
        if len(won) == 1 and self.contract_fen is not None:
            words = "写的合同价，和中标价"
            price = won[0].amount_fen
            found.append(money_check("project.bids", "body.contract_fen", words, self.contract_fen, price))
        found += [
            money_check(code, at, f"写的{word}，和各个子项相加", stated, made)
            for code, at, word, stated, made in self._parts()
        ]
        return (*super().compare(period), *found)

    def _bid_findings(self) -> tuple[Finding, ...]:
        won = [b for b in self.bids if b.won]
        if len(won) > 1:
            return (off("project.bids", "body.bids", "中标的只能有一家，请核对。"),)
        if won and self.contract_fen is not None and won[0].amount_fen != self.contract_fen:
            message = f"合同价 {yuan(self.contract_fen)} 元与中标价 {yuan(won[0].amount_fen)} 元不符，请核对。"
            return (off("project.bids", "body.contract_fen", message),)
        return ()

    def _payment_findings(self) -> tuple[Finding, ...]:
        limit = self.settled_fen if self.settled_fen is not None else self.contract_fen
        if limit is None or self.paid_fen <= limit:
            return ()
        return (
            off(
                "project.payments", "body.payments", f"已付 {yuan(self.paid_fen)} 元多于应付 {yuan(limit)} 元，请核对。"
            ),
        )
