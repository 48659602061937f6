"""Lots (标的): what a tender offers and a contract lets, one by one; a tender's terms before anybody has won."""

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from services.contracts.base import Finding, Model
from services.contracts.bodies.base import Day, Quantity, measured, off, ordered, ten_thousandths
from services.contracts.values import Fen, ShortText, Text, yuan

MAX_LOTS: Final = 200
#: A disclosure by its id, as a later step of the same matter names it.
DisclosureRef = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]


class Lot(Model):
    """One thing of several that are offered or let. `about`: the quantity is no measured one (约), and nobody adds it up."""

    title: ShortText = Field(description="which: 1号鱼池")
    quantity: Quantity | None = Field(default=None, description="面积、数量, in `unit`")
    unit: ShortText | None = Field(default=None, description="亩、平方米、间")
    about: bool = Field(default=False, description="约数")
    price_fen: Fen | None = Field(default=None, description="底价 of a tender, 单价 or rent of a contract")
    price_per: ShortText | None = Field(default=None, description="of what the price is: 每亩每年、每年、一共")
    term: ShortText | None = Field(default=None, description="年限、租期, as written")
    total_fen: Fen | None = Field(default=None, description="of this lot over the whole term")
    remark: ShortText | None = None

    @property
    def quantity_words(self) -> str | None:
        """The quantity as people read it: `约50.17亩`."""
        return f"{'约' if self.about else ''}{self.quantity}{self.unit or ''}" if self.quantity is not None else None


class TenderTerms(Model):
    """On which terms something is offered, before anybody has won (招标、招租、发包公告)."""

    deposit_fen: Fen | None = Field(default=None, description="保证金: given back, no income")
    step: ShortText | None = Field(default=None, description="加价幅度, as written")
    registers_from: Day | None = Field(default=None, description="报名开始")
    registers_until: Day | None = Field(default=None, description="报名截止")
    opens_on: Day | None = Field(default=None, description="开标、竞价日期")
    method: ShortText | None = Field(default=None, description="公开招标、公开竞价、公开协商")
    bidders: Text | None = Field(default=None, description="who may bid, as written")

    def findings(self) -> tuple[Finding, ...]:
        """Days that do not follow each other: registration, its end, the opening of bids."""
        days = (
            ("body.tender.registers_from", self.registers_from, "报名开始"),
            ("body.tender.registers_until", self.registers_until, "报名截止"),
            ("body.tender.opens_on", self.opens_on, "开标日期"),
        )
        return ordered(days, "tender.days")


def lots_sum(lots: Sequence[Lot]) -> tuple[int, str] | None:
    """Ten-thousandths that lots measure together, and in which unit; None where some are unlike, approximate or not told."""
    units = {lot.unit for lot in lots}
    if not lots or len(units) != 1 or any(lot.quantity is None or lot.about for lot in lots):
        return None
    return sum(ten_thousandths(lot.quantity or "0") for lot in lots), units.pop() or ""


def lots_findings(lots: Sequence[Lot], area_mu: str | None, total_fen: int | None) -> tuple[Finding, ...]:
    """Areas of lots that do not make the contract's, sums that do not make its total."""
    found = []
    made = lots_sum(lots)
    if made is not None and made[1] == "亩" and area_mu is not None and made[0] != ten_thousandths(area_mu):
        message = f"面积写的是 {area_mu} 亩，各个标的相加是 {measured(made[0])} 亩，请核对。"
        found.append(off("contract.area", "body.area_mu", message))
    totals = [lot.total_fen for lot in lots]
    if totals and total_fen is not None and None not in totals:
        whole = sum(t or 0 for t in totals)
        if whole != total_fen:
            message = f"总金额 {yuan(total_fen)} 元与各个标的的金额相加 {yuan(whole)} 元不符，请核对。"
            found.append(off("contract.lots", "body.total_fen", message))
    return tuple(found)
