"""HTTP bodies of ingest, in and out."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from services.contracts.base import Finding
from services.contracts.bodies import BODY
from services.contracts.bodies.base import Day
from services.contracts.catalogue import ItemCode
from services.contracts.disclosure import DeclaredItem, LineReason, Opinion, WithdrawalKind
from services.contracts.values import Digest, Period, ShortText, Text, VillageCode
from services.kit.examples import read_examples

example = read_examples(__file__)


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _AsBody:
    """Tells OpenAPI what a content looks like that is taken as it comes: it is read by the kind of its item."""

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(BODY.core_schema)


RawBody = Annotated[dict[str, Any], _AsBody()]


class DisclosureIn(_In, json_schema_extra=example("DisclosureIn")):
    """A new draft. `body` is read by the kind of the item."""

    village: VillageCode
    item: ItemCode
    period: Period
    body: RawBody


class SaveIn(_In, json_schema_extra=example("SaveIn")):
    """New content for version `version`; `note` says what a correction changes and why."""

    version: int = Field(ge=1)
    body: RawBody
    note: Text | None = None


class NilIn(_In, json_schema_extra=example("NilIn")):
    """A cell in which nothing happened."""

    village: VillageCode
    item: ItemCode
    period: Period


class StepIn(_In, json_schema_extra=example("StepIn")):
    """A step on version `version`."""

    version: int = Field(ge=1)


class FindingName(_In, json_schema_extra=example("FindingName")):
    """Which finding is meant, as it was told."""

    code: ShortText
    at: ShortText
    message: str | None = None
    start: int | None = None
    end: int | None = None


class AcceptIn(_In, json_schema_extra=example("AcceptIn")):
    """A finding with the author's reason; a bare code means every finding of that code."""

    finding: FindingName | ShortText
    reason: ShortText


class SubmitIn(StepIn, json_schema_extra=example("SubmitIn")):
    """Submitting, with a reason for each finding."""

    accept: list[AcceptIn] = Field(default_factory=list, max_length=200)
    secrecy_checked_by: ShortText | None = None


class MaskIn(StepIn, json_schema_extra=example("MaskIn")):
    """Putting stars over personal data; without `findings`, over all that was found."""

    findings: list[FindingName] | None = Field(default=None, max_length=200)


class GrantIn(StepIn, json_schema_extra=example("GrantIn")):
    """Letting personal data stand, for the township, each with a reason."""

    accept: list[AcceptIn] = Field(min_length=1, max_length=200)


class ConfirmIn(StepIn, json_schema_extra=example("ConfirmIn")):
    """A party's word; with `sheet` (a photograph's digest), what the supervisors of `names` signed on paper."""

    opinion: Literal["agree", "dissent"] = "agree"
    reason: Text | None = None
    names: list[ShortText] = Field(default_factory=list, max_length=10)
    sheet: Digest | None = None


class ApproveIn(StepIn, json_schema_extra=example("ApproveIn")):
    """Letting out; items with a secrecy check need the name of who made it."""

    secrecy_checked_by: ShortText | None = None


class ReasonIn(StepIn, json_schema_extra=example("ReasonIn")):
    """A step that needs a reason."""

    reason: Text


class WithdrawIn(ReasonIn, json_schema_extra=example("WithdrawIn")):
    """Withdrawing; `personal_data` can go for good at once, when a second person agrees."""

    kind: WithdrawalKind = "content"


class LineReasonIn(_In, json_schema_extra=example("LineReasonIn")):
    """What is wrong with one place."""

    at: ShortText
    reason: Text


class ReturnIn(ReasonIn, json_schema_extra=example("ReturnIn")):
    """Sending back, with a reason for the whole and for single places."""

    lines: list[LineReasonIn] = Field(default_factory=list, max_length=200)


class CorrectIn(StepIn, json_schema_extra=example("CorrectIn")):
    """Beginning a correction, from the published content or with another."""

    note: Text | None = None
    body: RawBody | None = None


class ApprovalItemIn(_In, json_schema_extra=example("ApprovalItemIn")):
    """One disclosure to approve, in its present edition."""

    id: UUID
    version: int = Field(ge=1)
    secrecy_checked_by: ShortText | None = None


class ApprovalIn(_In, json_schema_extra=example("ApprovalIn")):
    """Disclosures to approve once the time to undo has passed."""

    items: list[ApprovalItemIn] = Field(min_length=1, max_length=200)


class WaiverIn(_In, json_schema_extra=example("WaiverIn")):
    """A cell that the village asks not to open, and why; villagers read the reason."""

    village: VillageCode
    item: ItemCode
    period: Period
    reason: Text


class DecisionIn(_In, json_schema_extra=example("DecisionIn")):
    """Why a waiver is refused or ends."""

    reason: Text | None = None


class AnswerIn(_In, json_schema_extra=example("AnswerIn")):
    """Whether an on-event item had events in the quarter: its days, none for no."""

    item: ItemCode
    days: list[Day] = Field(default_factory=list, max_length=100)


class DeclarationIn(_In, json_schema_extra=example("DeclarationIn")):
    """A quarter's answers: one for every on-event item that the village has."""

    answers: list[AnswerIn] = Field(max_length=100)


class EditionIn(_In, json_schema_extra=example("EditionIn")):
    """Which edition of a quarter's page a step is meant for; 409 when there is a newer one."""

    edition: int = Field(ge=1)


class EditionReasonIn(EditionIn, json_schema_extra=example("EditionReasonIn")):
    """Which edition of a quarter's page is sent back, and why."""

    reason: Text


class SavedOut(BaseModel, json_schema_extra=example("SavedOut")):
    """A draft after saving: its new version, and in `findings` what does not add up."""

    id: str
    version: int
    state: str
    findings: list[Finding]


class DisclosureOut(BaseModel, json_schema_extra=example("DisclosureOut")):
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


class ReturnOut(BaseModel, json_schema_extra=example("ReturnOut")):
    """One time that a version was sent back; `difference` tells what was changed since."""

    version: int
    reason: str
    lines: list[LineReason]
    by: str | None = Field(description="who sent it back, by id; null when it was not kept")
    at: datetime | None


class DetailOut(DisclosureOut, json_schema_extra=example("DetailOut")):
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


class ChangeOut(BaseModel, json_schema_extra=example("ChangeOut")):
    """One place that differs, with what stood there and what stands there now; null for nothing."""

    at: str
    before: Any
    after: Any


class DifferenceOut(BaseModel, json_schema_extra=example("DifferenceOut")):
    """What changed; null when there is nothing before."""

    changes: list[ChangeOut] | None


class ApprovalItemOut(BaseModel, json_schema_extra=example("ApprovalItemOut")):
    """How it stands with one disclosure of a batch."""

    id: str
    version: int
    state: str
    problem: str | None


class ApprovalOut(BaseModel, json_schema_extra=example("ApprovalOut")):
    """A batch of approvals, carried out at `due_at` unless it was taken back."""

    id: str
    due_at: datetime
    undone_at: datetime | None
    items: list[ApprovalItemOut]


class WaiverOut(BaseModel, json_schema_extra=example("WaiverOut")):
    """A waiver (不公开备案): that a village asks not to open a cell, and what the township decided."""

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


class DeclarationOut(BaseModel, json_schema_extra=example("DeclarationOut")):
    """The newest edition of a quarter's page (本期无此事项): answers, and how far they are agreed to."""

    village: str
    quarter: str
    edition: int
    state: str
    answers: list[DeclaredItem]
    submitted_at: datetime
    confirmed_at: datetime | None
    note: str | None


class AttachmentOut(BaseModel, json_schema_extra=example("AttachmentOut")):
    """A file that was taken in; bodies name it by its digest."""

    digest: str
    media_type: str
    bytes: int


class ImportedDraftOut(SavedOut, json_schema_extra=example("ImportedDraftOut")):
    """A draft that an import made."""

    village: str
    item: str
    period: str


class ImportOut(BaseModel, json_schema_extra=example("ImportOut")):
    """An import with what it made."""

    id: str
    name: str
    imported_at: datetime
    undone_at: datetime | None
    disclosures: list[ImportedDraftOut]


class UndoneOut(BaseModel, json_schema_extra=example("UndoneOut")):
    """What an undone import removed, and what stays because somebody worked on it."""

    removed: list[str]
    kept: list[DisclosureOut]


class LateOut(BaseModel, json_schema_extra=example("LateOut")):
    """Days past due by who held the cell."""

    village: int
    agency: int
    township: int
    department: int


class CellOut(BaseModel, json_schema_extra=example("CellOut")):
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


def without_withdrawn(answer: Any, gone: Collection[str]) -> Any:
    """An answer of these routes without what it told of withdrawn disclosures; what is left answers a repetition truly."""
    if not isinstance(answer, dict):
        return answer
    if answer.get("id") in gone:
        return {"id": answer["id"], "state": "withdrawn"}
    if isinstance(drafts := answer.get("disclosures"), list):
        empty = {"state": "withdrawn", "findings": []}
        return {**answer, "disclosures": [{**d, **empty} if d["id"] in gone else d for d in drafts]}
    return answer
