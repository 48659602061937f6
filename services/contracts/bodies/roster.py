"""A roster (名单): people or households with what each got, earned, applied for or was elected to."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final, Literal

from pydantic import Field

from services.contracts.base import Finding, Model
from services.contracts.bodies.base import (
    MAX_LINES,
    TEN_THOUSAND,
    Content,
    Quantity,
    count_finding,
    measured,
    off,
    sum_finding,
    ten_thousandths,
)
from services.contracts.bodies.rows import is_sum_label
from services.contracts.checks import Check, count_check, money_check
from services.contracts.households import CardTail, HouseholdRef
from services.contracts.values import FEN_LIMIT, Fen, ShortText, Text, yuan

#: A yuan and a fen in 10⁻⁸ yuan: what a quantity and a rate of four decimals each make.
_OF_YUAN: Final = TEN_THOUSAND * TEN_THOUSAND
_OF_FEN: Final = _OF_YUAN // 100
#: Items of the catalogue that are elections: who stands and who wins is public in them, whatever their masking says.
ELECTIONS: Final = frozenset({"V15"})


class Standing(StrEnum):
    """Who stood for election and who won: both are public by law, the list of voters is not."""

    CANDIDATE = "candidate"
    ELECTED = "elected"


class Entry(Model):
    """One person or household. `days` × `rate_fen` makes `amount_fen` where all three stand (用工).

    So do `quantity` × `unit_rate` (补贴：面积 × 标准), times the household's people where it is paid for each of them.
    """

    name: ShortText
    payee_ref: ShortText | None = None
    group: ShortText | None = Field(default=None, description="村民小组")
    household_size: int | None = Field(default=None, ge=1, le=100, description="people of the household")
    category: ShortText | None = Field(default=None, description="职务、类别、档次、岗位")
    days: Quantity | None = Field(default=None, description="工数")
    rate_fen: Fen | None = Field(default=None, description="fen per day")
    quantity: Quantity | None = Field(default=None, description="面积、头数…, in the roster's `quantity_unit`")
    unit_rate: Quantity | None = Field(
        default=None, description="yuan for each unit or each person, as written, at most four decimals"
    )
    amount_fen: Fen | None = None
    goods: ShortText | None = Field(default=None, description="things given, as counted: 大米 2 袋")
    votes: int | None = Field(default=None, ge=0, le=1_000_000)
    standing: Standing | None = Field(default=None, description="选举：候选人、当选")
    remark: ShortText | None = None
    household: HouseholdRef | None = Field(
        default=None, description="made of `card_tail`; by it the household finds its own line, and nobody else"
    )
    card_tail: CardTail | None = Field(
        default=None, exclude=True, description="last four digits of the card that is paid to (一卡通); never kept"
    )

    @property
    def is_sum(self) -> bool:
        """Tell whether the row only adds up the ones above it (合计): it is nobody."""
        return is_sum_label(self.name)

    @property
    def identity(self) -> tuple[str, str | None, int | None, int | None]:
        """What tells one person or household from another: name, group, size, and what was got.

        Pay for days worked is no sign of another person: one can work twice in a month.
        """
        got = self.amount_fen if self.days is None else None
        return "".join(self.name.split()), self.group, self.household_size, got

    @property
    def stood(self) -> bool:
        """Tell whether this is a candidate: said so, or told by votes and by words such as 候选人."""
        words = f"{self.category or ''}{self.remark or ''}"
        return self.standing is not None or self.votes is not None or "候选" in words or "当选" in words

    @property
    def products(self) -> tuple[int, ...]:
        """What the amount may come to, in 10⁻⁸ yuan: quantity × rate, the same for each person, or people × rate."""
        if self.unit_rate is None:
            return ()
        rate, people = ten_thousandths(self.unit_rate), self.household_size
        if self.quantity is None:
            return (people * rate * TEN_THOUSAND,) if people is not None else ()
        by_quantity = ten_thousandths(self.quantity) * rate
        return (by_quantity,) if people is None else (by_quantity, by_quantity * people, people * rate * TEN_THOUSAND)


class RosterTotals(Model):
    """Totals as the author states them."""

    entries: int | None = Field(default=None, ge=0, le=FEN_LIMIT, description="户数或人次：名单有几行")
    people: int | None = Field(default=None, ge=0, le=FEN_LIMIT, description="人数：各户人口相加")
    amount_fen: Fen | None = None
    quantity: Quantity | None = Field(default=None, description="面积、数量 of all rows, as written")


class Ballots(Model):
    """How many could vote and did (换届选举)."""

    registered: int = Field(ge=1, le=1_000_000, description="登记参加选举的村民")
    cast: int = Field(ge=0, le=1_000_000, description="参加投票的人")
    valid: int | None = Field(default=None, ge=0, le=1_000_000, description="有效票")


class Listed(Model):
    """A row of a roster that was checked before: who, which tells a row that only adds others up, and how much."""

    name: str
    amount_fen: int | None = None


def _amount_fen(entries: Sequence[Entry | Listed]) -> int:
    return sum(e.amount_fen or 0 for e in entries if not is_sum_label(e.name))


class RosterOutline(Content):
    """A roster that was checked before, by names and amounts alone."""

    kind: Literal["roster"] = "roster"
    entries: tuple[Listed, ...]

    @property
    def nil(self) -> bool:
        """Tell whether nobody is on it."""
        return not self.entries

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self.entries)

    @property
    def amount_fen(self) -> int:
        """Sum of all amounts, in fen."""
        return _amount_fen(self.entries)


class Roster(Content):
    """A roster. `standard` tells by which rule or rate people got it; no entries mean that nobody did."""

    kind: Literal["roster"] = "roster"
    title: ShortText | None = None
    standard: Text | None = None
    quantity_unit: ShortText | None = Field(
        default=None, description="亩、头、株: what `quantity` of the entries counts"
    )
    entries: tuple[Entry, ...] = Field(max_length=MAX_LINES)
    totals: RosterTotals | None = None
    ballots: Ballots | None = None

    @property
    def nil(self) -> bool:
        """Tell whether nobody is on it."""
        return not self.entries

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self.entries)

    @property
    def persons(self) -> tuple[Entry, ...]:
        """The people and households; rows that only add these up are none."""
        return tuple(e for e in self.entries if not e.is_sum)

    @property
    def amount_fen(self) -> int:
        """Sum of all amounts, in fen."""
        return _amount_fen(self.entries)

    @property
    def quantity(self) -> int:
        """Sum of all quantities, in ten-thousandths of the unit."""
        return sum(ten_thousandths(e.quantity) for e in self.persons if e.quantity is not None)

    @property
    def people(self) -> int:
        """People of all households; an entry without a size is one person."""
        return sum(e.household_size or 1 for e in self.persons)

    def findings(self, period: str) -> tuple[Finding, ...]:
        """Totals that the entries do not make, days × rate that is not the amount, one person twice."""
        stated = self.totals or RosterTotals()
        return (
            *super().findings(period),
            *count_finding("roster.count", "body.totals.entries", stated.entries, len(self.persons), "户数或人次合计"),
            *count_finding("roster.people", "body.totals.people", stated.people, self.people, "人数合计"),
            *sum_finding(
                "roster.total",
                "body.totals.amount_fen",
                stated.amount_fen,
                self.amount_fen,
                words=("金额合计", "逐行相加"),
            ),
            *self._quantity_findings(),
            *self._sum_row_findings(),
            *self._product_findings(),
            *self._twice_findings(),
        )

    def _twice_findings(self) -> tuple[Finding, ...]:
        """One person in two rows, alike in name, group, size of the household and amount."""
        first: dict[object, int] = {}
        found = []
        for n, e in enumerate(self.entries):
            if e.is_sum:
                continue
            before = first.setdefault((*e.identity, e.amount_fen, e.days, e.category, e.goods), n)
            if before != n:
                message = f"第 {n + 1} 行和第 {before + 1} 行的姓名、小组、人口、金额都一样，像是一个人写了两次。写重了请删去一行；没有写重请说明原因。"
                found.append(off("roster.twice", f"body.entries[{n}].name", message))
        return tuple(found)

    def compare(self, period: str) -> tuple[Check, ...]:
        """Every stated total beside what the list makes, and sums typed as rows beside what stands above them."""
        said = self.totals or RosterTotals()
        counts = (
            ("roster.count", "entries", "写的户数或人次，和名单里数出来的", said.entries, len(self.persons), ""),
            ("roster.people", "people", "写的人数，和各户人口相加", said.people, self.people, "人"),
        )
        found = [count_check(c, f"body.totals.{f}", w, n, made, u) for c, f, w, n, made, u in counts if n is not None]
        if said.amount_fen is not None:
            words = "写的金额合计，和逐行相加"
            found.append(money_check("roster.total", "body.totals.amount_fen", words, said.amount_fen, self.amount_fen))
        if said.quantity is not None:
            words, unit = "写的面积、数量合计，和逐行相加", self.quantity_unit or ""
            stated, made = measured(ten_thousandths(said.quantity)), measured(self.quantity)
            found.append(count_check("roster.quantity", "body.totals.quantity", words, stated, made, unit))
        for n, fen, computed in self.sum_rows():
            words = f"第{n + 1}行写的合计，和上面各行相加"
            found.append(money_check("roster.total", f"body.entries[{n}].amount_fen", words, fen, computed))
        return (*super().compare(period), *found)

    def sum_rows(self) -> Iterator[tuple[int, int, int]]:
        """Rows that add up what stands above: number, amount stated, amount computed of all above or of the last part."""
        above = part = 0
        for n, e in enumerate(self.entries):
            if not e.is_sum:
                above, part = above + (e.amount_fen or 0), part + (e.amount_fen or 0)
            elif e.amount_fen is not None:
                yield n, e.amount_fen, part if "小计" in e.name or e.amount_fen == part else above
                part = 0

    def _sum_row_findings(self) -> tuple[Finding, ...]:
        told = self.totals.amount_fen if self.totals is not None else None
        return tuple(
            off(
                "roster.total",
                f"body.entries[{n}].amount_fen",
                f"第 {n + 1} 行“{self.entries[n].name}”写的是 {yuan(stated)} 元，上面各行相加是 {yuan(computed)} 元，请核对。",
            )
            for n, stated, computed in self.sum_rows()
            if stated not in {computed, told}
        )

    def _quantity_findings(self) -> tuple[Finding, ...]:
        stated = self.totals.quantity if self.totals is not None else None
        if stated is None or ten_thousandths(stated) == self.quantity:
            return ()
        unit = self.quantity_unit or ""
        message = f"面积、数量合计 {stated}{unit} 与逐行相加 {measured(self.quantity)}{unit} 不符，请核对。"
        return (off("roster.quantity", "body.totals.quantity", message),)

    def _subsidy_finding(self, n: int, e: Entry) -> Finding | None:
        """Quantity × rate that is not the amount; villages pay out whole fen, jiao or yuan, so less than a yuan is none."""
        if e.amount_fen is None or not e.products or e.is_sum:
            return None
        if any(abs(made - e.amount_fen * _OF_FEN) < _OF_YUAN for made in e.products):
            return None
        made = yuan(e.products[0] // _OF_FEN)
        factors = [f"{e.quantity}{self.quantity_unit or ''}"] if e.quantity is not None else [f"{e.household_size} 人"]
        message = (
            f"第 {n + 1} 行 {factors[0]} × {e.unit_rate} 元是 {made} 元，金额写的是 {yuan(e.amount_fen)} 元，请核对。"
        )
        return off("roster.product", f"body.entries[{n}].amount_fen", message)

    def _product_findings(self) -> tuple[Finding, ...]:
        found = []
        for n, e in enumerate(self.entries):
            if (subsidy := self._subsidy_finding(n, e)) is not None:
                found.append(subsidy)
            if e.days is None or e.rate_fen is None or e.amount_fen is None or e.is_sum:
                continue
            # To the fen: a third of a day's pay has more decimals than money.
            if abs(ten_thousandths(e.days) * e.rate_fen - e.amount_fen * TEN_THOUSAND) > TEN_THOUSAND // 2:
                message = f"第 {n + 1} 行 {e.days} 个工 × {yuan(e.rate_fen)} 元不等于 {yuan(e.amount_fen)} 元，请核对。"
                found.append(off("roster.product", f"body.entries[{n}].amount_fen", message))
        return tuple(found)
