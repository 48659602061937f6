"""HTTP bodies of ingest, in and out."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.contracts.base import Finding
from services.contracts.bodies.base import Day
from services.contracts.catalogue import ItemCode
from services.contracts.disclosure import DeclaredItem, LineReason, Opinion, WithdrawalKind
from services.contracts.values import Digest, Period, ShortText, Text, VillageCode


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DisclosureIn(_In):
    """A new draft. `body` is read by the kind of the item."""

    village: VillageCode
    item: ItemCode
    period: Period
    body: dict[str, Any]


class SaveIn(_In):
    """New content for version `version`; `note` says what a correction changes and why."""

    version: int = Field(ge=1)
    body: dict[str, Any]
    note: Text | None = None


class NilIn(_In):
    """A cell in which nothing happened."""

    village: VillageCode
    item: ItemCode
    period: Period


class StepIn(_In):
    """A step on version `version`."""

    version: int = Field(ge=1)


class FindingName(_In):
    """Which finding is meant, as it was told."""

    code: ShortText
    at: ShortText
    message: str | None = None
    start: int | None = None
    end: int | None = None


class AcceptIn(_In):
    """A finding with the author's reason; a bare code means every finding of that code."""

    finding: FindingName | ShortText
    reason: ShortText


class SubmitIn(StepIn):
    """Submitting, with a reason for each finding."""

    accept: list[AcceptIn] = Field(default_factory=list, max_length=200)
    secrecy_checked_by: ShortText | None = None


class MaskIn(StepIn):
    """Putting stars over personal data; without `findings`, over all that was found."""

    findings: list[FindingName] | None = Field(default=None, max_length=200)


class GrantIn(StepIn):
    """Letting personal data stand, for the township, each with a reason."""

    accept: list[AcceptIn] = Field(min_length=1, max_length=200)


class ConfirmIn(StepIn):
    """A party's word; with `sheet` (a photograph's digest), what the supervisors of `names` signed on paper."""

    opinion: Literal["agree", "dissent"] = "agree"
    reason: Text | None = None
    names: list[ShortText] = Field(default_factory=list, max_length=10)
    sheet: Digest | None = None


class ApproveIn(StepIn):
    """Letting out; items with a secrecy check need the name of who made it."""

    secrecy_checked_by: ShortText | None = None


class ReasonIn(StepIn):
    """A step that needs a reason."""

    reason: Text


class WithdrawIn(ReasonIn):
    """Withdrawing; `personal_data` can go for good at once, when a second person agrees."""

    kind: WithdrawalKind = "content"


class LineReasonIn(_In):
    """What is wrong with one place."""

    at: ShortText
    reason: Text


class ReturnIn(ReasonIn):
    """Sending back, with a reason for the whole and for single places."""

    lines: list[LineReasonIn] = Field(default_factory=list, max_length=200)


class CorrectIn(StepIn):
    """Beginning a correction, from the published content or with another."""

    note: Text | None = None
    body: dict[str, Any] | None = None


class ApprovalItemIn(_In):
    """One disclosure to approve."""

    id: UUID
    version: int = Field(ge=1)
    secrecy_checked_by: ShortText | None = None


class ApprovalIn(_In):
    """Disclosures to approve once the time to undo has passed."""

    items: list[ApprovalItemIn] = Field(min_length=1, max_length=200)


class WaiverIn(_In):
    """A cell that the village asks not to open, and why; villagers read the reason."""

    village: VillageCode
    item: ItemCode
    period: Period
    reason: Text


class DecisionIn(_In):
    """Why a waiver is refused or ends."""

    reason: Text | None = None


class AnswerIn(_In):
    """Whether an on-event item had events in the quarter: its days, none for no."""

    item: ItemCode
    days: list[Day] = Field(default_factory=list, max_length=100)


class DeclarationIn(_In):
    """The quarter's answers."""

    answers: list[AnswerIn] = Field(max_length=100)


class EditionIn(_In):
    """A step on an edition of a quarter's page."""

    edition: int = Field(ge=1)


class EditionReasonIn(EditionIn):
    """The same with a reason."""

    reason: Text


class SavedOut(BaseModel):
    """A draft after saving."""

    id: str
    version: int
    state: str
    findings: list[Finding]


class DisclosureOut(BaseModel):
    """A disclosure in a list or after a step."""

    id: str
    village: str
    item: str
    period: str
    version: int
    state: str
    history: bool
    submitted_at: datetime | None
    confirmed_at: datetime | None
    approved_at: datetime | None
    published_at: datetime | None
    published_version: int | None
    filed_at: datetime | None
    note: str | None
    withdrawal_kind: str | None
    key_dies_at: datetime | None = Field(description="until when a withdrawal can be undone; null otherwise")


class ReturnOut(BaseModel):
    """One time that a version was sent back; `difference` tells what was changed since."""

    version: int
    reason: str
    lines: list[LineReason]
    by: str | None = Field(description="who sent it back, by id; null when it was not kept")
    at: datetime | None


class DetailOut(DisclosureOut):
    """A disclosure with its content; null once withdrawn."""

    body: dict[str, Any] | None
    findings: list[Finding]
    accepted: list[dict[str, str]]
    opinions: list[Opinion]
    returned_lines: list[LineReason]
    returns: list[ReturnOut] = Field(description="every return since the public version, oldest first")
    correction_note: str | None
    sheet_signers: list[str] = Field(
        description="the village's supervisors on record, of whom a sheet's `names` are chosen"
    )
    sheet_code: str = Field(description="text of the code on the sheet that supervisors sign for this version")


class ChangeOut(BaseModel):
    """One place that differs."""

    at: str
    before: Any
    after: Any


class DifferenceOut(BaseModel):
    """What changed; null when there is nothing before."""

    changes: list[ChangeOut] | None


class ApprovalItemOut(BaseModel):
    """How it stands with one disclosure of a batch."""

    id: str
    version: int
    state: str
    problem: str | None


class ApprovalOut(BaseModel):
    """A batch of approvals."""

    id: str
    due_at: datetime
    undone_at: datetime | None
    items: list[ApprovalItemOut]


class WaiverOut(BaseModel):
    """A waiver."""

    id: str
    village: str
    item: str
    period: str
    state: str
    reason: str
    decision: str | None
    filed_at: datetime
    decided_at: datetime | None
    ended_at: datetime | None


class DeclarationOut(BaseModel):
    """A quarter's page."""

    village: str
    quarter: str
    edition: int
    state: str
    answers: list[DeclaredItem]
    submitted_at: datetime
    confirmed_at: datetime | None
    note: str | None


class AttachmentOut(BaseModel):
    """A file that was taken in; bodies name it by its digest."""

    digest: str
    media_type: str
    bytes: int


class ImportedDraftOut(SavedOut):
    """A draft that an import made."""

    village: str
    item: str
    period: str


class ImportOut(BaseModel):
    """An import with what it made."""

    id: str
    name: str
    imported_at: datetime
    undone_at: datetime | None
    disclosures: list[ImportedDraftOut]


class UndoneOut(BaseModel):
    """What an undone import removed, and what stays because somebody worked on it."""

    removed: list[str]
    kept: list[DisclosureOut]


class LateOut(BaseModel):
    """Days past due by who held the cell."""

    village: int
    agency: int
    township: int
    department: int


class CellOut(BaseModel):
    """A cell: what is owed, how it stands, who holds it."""

    village: str
    item: str
    period: str
    due: date
    state: str
    held_by: str | None
    since: datetime | None
    late: LateOut
    disclosure_id: str | None
    waiver_id: str | None
