"""HTTP bodies of publish: what is told of the public, and what comes in from those who do not sign in."""

from typing import Annotated

from pydantic import BaseModel, Field, RootModel, StringConstraints

from services.contracts.bodies import Contract, Decision, Entry, Ledger, Line, Notice, Project, Roster, Table
from services.contracts.checks import Check
from services.contracts.households import CardTail, HouseholdRef
from services.contracts.values import Digest, ShortText
from services.kit.examples import read_examples

example = read_examples(__file__)


class WordsOut(RootModel[dict[str, dict[str, str]]], json_schema_extra=example("WordsOut")):
    """What the members of each closed set are called, by the field that holds them."""


class PlaceOut(BaseModel, json_schema_extra=example("PlaceOut")):
    """A division's code and name."""

    code: str
    name: str


class VillageOut(BaseModel, json_schema_extra=example("VillageOut")):
    """A village or community and the township it belongs to."""

    code: str
    name: str
    kind: str
    township: PlaceOut


class DivisionOut(BaseModel, json_schema_extra=example("DivisionOut")):
    """Any division of the tree; `township` is null for the city and the townships themselves."""

    code: str
    name: str
    kind: str
    parent: str | None
    township: PlaceOut | None


class LateByOut(BaseModel, json_schema_extra=example("LateByOut")):
    """Days past due by who had it on them; their sum is `late_days`.

    From the day on which it may be handed in the `agency` had it until it delivered the books, the `clerk` until it was handed in for
    the last time, the `supervisors` until they confirmed, then the `township`; what a `department` publishes itself is its own.
    """

    agency: int
    clerk: int
    supervisors: int
    township: int
    department: int


class DisclosureOut(BaseModel, json_schema_extra=example("DisclosureOut")):
    """What is public of a disclosure, without its content. `version` counts its public editions: 1, 2, 3 …

    `nil`: the village says that nothing happened; `history`: from before its duties began; `late_days`: days from the
    due day to the first publication, whatever came after. `opening_fen` to `closing_fen` are a ledger's, `amount_fen` is
    what another kind is about; null where there is none, or where it was withdrawn.
    """

    id: str
    village: str
    item: str
    period: str
    version: int
    state: str
    published_at: str
    nil: bool
    history: bool
    late_days: int
    late_by: LateByOut | None = Field(
        description="`late_days` by who had it; null of what was public before this was kept, until the read model is built anew"
    )
    opening_fen: int | None
    income_fen: int | None
    expense_fen: int | None
    closing_fen: int | None
    amount_fen: int | None
    title: str
    url: str


class OpinionOut(BaseModel, json_schema_extra=example("OpinionOut")):
    """One party's word on the edition, as the page tells it."""

    party: str
    names: list[str]
    opinion: str
    reason: str | None
    at: str
    sheet: bool


class EditionOut(BaseModel, json_schema_extra=example("EditionOut")):
    """One edition that can still be read."""

    version: int
    published_at: str
    url: str


# -- bodies as everybody may read them ----------------------------------------------------------------------------


class LineOut(Line, json_schema_extra=example("LineOut")):
    """One line of a ledger, its payee as the catalogue lets names be shown."""

    payee_ref: ShortText | None = Field(default=None, exclude=True)
    attachments: tuple[Digest, ...] = Field(default=(), exclude=True)


class LedgerOut(Ledger, json_schema_extra=example("LedgerOut")):
    """A ledger (收支明细): accounts with balances, and every line; no lines where only totals may be shown."""

    lines: tuple[LineOut, ...]


class EntryOut(Entry, json_schema_extra=example("EntryOut")):
    """One person or household, the name as the catalogue lets it be shown."""

    payee_ref: ShortText | None = Field(default=None, exclude=True)
    household: HouseholdRef | None = Field(default=None, exclude=True)


class RosterOut(Roster, json_schema_extra=example("RosterOut")):
    """A roster (名单); no entries where only totals may be shown, or its time on the web is over."""

    entries: tuple[EntryOut, ...]


class NoticeOut(Notice, json_schema_extra=example("NoticeOut")):
    """A notice (公示): words, and a table where there is one."""


class DecisionOut(Decision, json_schema_extra=example("DecisionOut")):
    """A decision (四议一审两公开): who met and voted, the steps, what was resolved."""


class ContractOut(Contract, json_schema_extra=example("ContractOut")):
    """A contract: parties, thing, term, money."""


class ProjectOut(Project, json_schema_extra=example("ProjectOut")):
    """A project: where the money comes from, who builds, what was paid, whether it passed."""


class TableOut(Table, json_schema_extra=example("TableOut")):
    """A table as its author made it; rows of persons as the catalogue lets them be shown."""


#: `kind` tells which.
BodyOut = LedgerOut | RosterOut | NoticeOut | DecisionOut | ContractOut | ProjectOut | TableOut


class DisclosureBodyOut(DisclosureOut, json_schema_extra=example("DisclosureBodyOut")):
    """A disclosure with its content, names masked as the catalogue says.

    `due` is null for what is from before the village's duties began (`history`). `how_due` tells how the day came about.
    `checks`: what the content states beside what it comes to itself, equal or not, and a ledger's opening beside the
    closing of the period before where that is open; with the village's own reason for a difference.
    """

    first_published_at: str
    due: str | None
    how_due: str
    reference: bool = Field(description="whether `due` is a reference only: the city has not confirmed the deadlines")
    was_withdrawn_at: str | None = Field(description="when it was taken out of sight, if it came back since")
    restored_at: str | None
    restored_reason: str | None
    publisher: str
    release: str
    approved_by: str | None = Field(
        description="the township that let the newest edition out, at `published_at`; null where the village did"
    )
    filed_at: str | None
    opinions: list[OpinionOut]
    note: str | None
    editions: list[EditionOut]
    body: Annotated[BodyOut, Field(discriminator="kind")]
    checks: list[Check]


class MonthOut(DisclosureOut, json_schema_extra=example("MonthOut")):
    """The newest month of money that a village has open, whether its sums agree, and the year so far.

    `year_months` months of its year are open up to it: what came in and went out in them.
    """

    year_months: int
    year_income_fen: int
    year_expense_fen: int
    checks: list[Check]


class VillagePageOut(VillageOut, json_schema_extra=example("VillagePageOut")):
    """A village with its newest month of money (null when none is open) and what it lacks.

    `missing` counts what is past due and not open, `late_days` is of the one late longest, `held` counts by holder.
    """

    month: MonthOut | None
    missing: int
    late_days: int
    held: dict[str, int]


class CatalogueItemOut(BaseModel, json_schema_extra=example("CatalogueItemOut")):
    """An item of the public catalogue as it stands today.

    `due` is its rule (`month:15`: the 15th of the next month; `event:10d`: ten days after), which a deadline profile may
    override; `masking` tells how names are shown, `keep_months` after how many months those of a roster leave the web.
    """

    code: str
    name: str
    plain_name: str
    affair: str
    kind: str
    frequency: str
    due: str
    masking: str
    confirmations: list[str]
    applies: str
    publisher: str
    keep_months: int | None
    basis: str
    retired: bool


class ChangeOut(BaseModel, json_schema_extra=example("ChangeOut")):
    """One thing that villagers could see change; `cursor` continues right behind it."""

    cursor: str
    kind: str
    id: str
    village: str
    item: str
    period: str
    version: int
    changed_at: str


class DutyOut(BaseModel, json_schema_extra=example("DutyOut")):
    """One cell: what a village owes and how that stands."""

    item: str
    period: str
    due: str
    state: str
    held_by: str | None
    since: str | None
    late_days: int
    late_by: LateByOut | None = Field(
        description="`late_days` by who had it; null of what was public before this was kept, until the read model is built anew"
    )
    how_due: str
    history: bool
    reference: bool = Field(description="whether `due` is a reference only: the city has not confirmed the deadlines")
    disclosure_id: str | None
    waiver: str | None


class HouseholdIn(BaseModel, extra="forbid", json_schema_extra=example("HouseholdIn")):
    """Who looks for the own lines: a full name as the roster has it, and the last four digits of the card that is paid to."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    card_tail: Annotated[CardTail, StringConstraints(strip_whitespace=True)]


class HouseholdLineOut(BaseModel, json_schema_extra=example("HouseholdLineOut")):
    """One line of a roster that is the household's own."""

    item: str
    title: str
    period: str
    amount_fen: int | None
    facts: dict[str, str] = Field(description="what stands in it, by its name on the page")
    url: str


class HouseholdOut(BaseModel, json_schema_extra=example("HouseholdOut")):
    """All lines of a household in the village's open rosters; none also when the name or the digits are others."""

    lines: list[HouseholdLineOut]


class FoundLineOut(BaseModel, json_schema_extra=example("FoundLineOut")):
    """A line of a ledger, or with `number` 0 another content in which something was found, as its page shows it.

    `payee` is masked as on the page; `firm` is the key of a firm that was paid, for `/api/v1/lines?firm=` and `/f/{key}`.
    """

    disclosure: str
    village: str
    item: str
    period: str
    number: int
    summary: str
    date: str | None
    direction: str | None
    amount_fen: int | None
    category: str | None
    payee: str | None
    firm: str | None
    url: str


class FirmOut(BaseModel, json_schema_extra=example("FirmOut")):
    """A firm that villages paid; equal names are taken for one firm."""

    key: str
    name: str
    url: str


class FoundItemOut(BaseModel, json_schema_extra=example("FoundItemOut")):
    """An item of the catalogue that was asked for."""

    plain_name: str
    name: str


class SearchOut(BaseModel, json_schema_extra=example("SearchOut")):
    """What a search comes to. `alike`: villages that are not what was typed and look like it; `lines`: newest period first."""

    villages: list[VillageOut]
    alike: list[VillageOut]
    items: list[FoundItemOut]
    firms: list[FirmOut]
    lines: list[FoundLineOut]
    next: str | None = Field(description="cursor of the lines that follow; null at the end")
    persons: bool = Field(description="whether a word reads as a person's name: nobody is looked for by name")
