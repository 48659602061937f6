"""Events of the topic `sanwu.disclosures`, written by `ingest`.

Disclosures on their way from the clerk to everybody, waivers (不公开备案), the quarter's yes/no pages (本期无此事项),
answers to villagers' questions. What is answered is sealed under the question's key, which publish made.
Before approval a disclosure's events carry digests only; the approved event carries the body. Bodies and free text are
sealed under the key of their own aggregate.
"""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from services.contracts.base import AcceptedFinding, Event, Model, Sealed
from services.contracts.bodies import Body
from services.contracts.bodies.base import Day
from services.contracts.catalogue import ItemCode
from services.contracts.question import Answerer, QuestionRef
from services.contracts.values import Digest, Period, ShortText, Text, VillageCode

#: Whose word confirms an edition (column `confirmations` of the catalogue).
Party = Literal["supervisors", "principal", "accountant"]


class FindingRef(Model):
    """Which finding was accepted, and where; the reason is sealed."""

    code: ShortText
    at: ShortText


class DisclosureEvent(Event):
    """What all events of a disclosure say."""

    aggregate: Literal["disclosure"] = "disclosure"
    village_code: VillageCode
    item: ItemCode
    period: Period
    edition: int = Field(ge=1)


class DisclosureDelivered(DisclosureEvent):
    """`disclosure.delivered.v1`: the accounting agency handed its material over as a draft; the village holds it now."""

    type: Literal["disclosure.delivered.v1"] = "disclosure.delivered.v1"


class SubmittedContent(Model):
    """What `disclosure.submitted` seals: each finding that was explained, with its reason."""

    accepted: tuple[AcceptedFinding, ...]


class DisclosureSubmitted(DisclosureEvent):
    """`disclosure.submitted.v1`: the clerk handed an edition in."""

    type: Literal["disclosure.submitted.v1"] = "disclosure.submitted.v1"
    digest: Digest
    accepted: tuple[FindingRef, ...]
    sealed: Sealed | None = Field(description="the reasons for accepted findings; null when there are none")


class Opinion(Model):
    """One party's word on an edition, by name. `sheet`: a photograph of the signed sheet stands for it."""

    party: Party
    opinion: Literal["agree", "dissent"]
    names: tuple[ShortText, ...] = Field(min_length=1, max_length=10, description="whose word it is, in full")
    reason: Text | None = Field(default=None, description="what a dissenter says (不同意见)")
    sheet: Digest | None = None
    brought_by: ShortText | None = Field(default=None, description="who brought the sheet, by name")
    at: AwareDatetime


class DisclosureConfirmed(DisclosureEvent):
    """`disclosure.confirmed.v1`: one party gave its word; `complete` when nobody else has to. Names stay out."""

    type: Literal["disclosure.confirmed.v1"] = "disclosure.confirmed.v1"
    digest: Digest
    confirmation: Party
    opinion: Literal["agree", "dissent"] = "agree"
    complete: bool
    by_sheet: bool = Field(default=False, description="a photograph of a signed sheet speaks, not an account")
    brought_by: ShortText | None = Field(default=None, description="the id of who brought the sheet; null without one")


class LineReason(Model):
    """Why one place was sent back; `at` is a path like `body.lines[3]`."""

    at: ShortText
    reason: Text


class ReturnedContent(Model):
    """What `disclosure.returned` seals: why, as a whole and line by line."""

    reason: Text
    lines: tuple[LineReason, ...] = ()


class DisclosureReturned(DisclosureEvent):
    """`disclosure.returned.v1`: sent back to the clerk."""

    type: Literal["disclosure.returned.v1"] = "disclosure.returned.v1"
    sealed: Sealed


class ApprovedContent(Model):
    """What `disclosure.approved` seals: the content with all that is said beside it."""

    body: Body
    accepted: tuple[AcceptedFinding, ...]
    opinions: tuple[Opinion, ...] = ()
    note: Text | None = Field(default=None, description="what a correction changed and why (更正说明)")
    secrecy_checked_by: ShortText | None = Field(default=None, description="who ticked 保密审查, by name")


class DisclosureApproved(DisclosureEvent):
    """`disclosure.approved.v1`: it was let out; whole public state, so a repeated event is harmless.

    The envelope's actor let it out: the township, or with `release` `file` whoever confirmed last.
    """

    type: Literal["disclosure.approved.v1"] = "disclosure.approved.v1"
    digest: Digest
    history: bool = Field(description="a period before the village's duties began (补录)")
    submitted_at: AwareDatetime
    submitted_by: ShortText
    confirmed_at: AwareDatetime
    accepted: tuple[FindingRef, ...]
    release: Literal["approve", "file"] = "approve"
    noted: bool = Field(default=False, description="a correction that says what it changed")
    delegation: ShortText | None = Field(
        default=None, description="the paper that lets one person hand in and approve; null when they are two"
    )
    sealed: Sealed


class DisclosureFiled(DisclosureEvent):
    """`disclosure.filed.v1`: the township took note of what the village let out itself (备案)."""

    type: Literal["disclosure.filed.v1"] = "disclosure.filed.v1"


class DisclosureCorrected(DisclosureEvent):
    """`disclosure.corrected.v1`: a correction of a published edition was begun; `edition` is the new one's number."""

    type: Literal["disclosure.corrected.v1"] = "disclosure.corrected.v1"


class DisclosureDiscarded(DisclosureEvent):
    """`disclosure.discarded.v1`: a correction was given up; `edition` is the published one that stays."""

    type: Literal["disclosure.discarded.v1"] = "disclosure.discarded.v1"


WithdrawalKind = Literal["content", "personal_data"]


class DisclosureWithdrawn(DisclosureEvent):
    """`disclosure.withdrawn.v1`: nobody can read it any more; the reason stays readable and holds no personal data.

    Without `key_dies_at` it is gone for good. With it, it is gone from everybody's sight, and can be restored until
    `disclosure.erased.v1` says that it is gone for good.
    """

    type: Literal["disclosure.withdrawn.v1"] = "disclosure.withdrawn.v1"
    reason: Text
    was_published: bool
    kind: WithdrawalKind = Field(default="content", description="why: a mistake in it, or somebody's personal data")
    key_dies_at: AwareDatetime | None = Field(
        default=None, description="until when it can be restored; null: the key died with this event"
    )
    recent: int | None = Field(
        default=None, ge=1, description="how many let-out ones this person withdrew in 30 days, this one included"
    )


class DisclosureRestored(DisclosureEvent):
    """`disclosure.restored.v1`: a withdrawal was a mistake; the same editions can be read again."""

    type: Literal["disclosure.restored.v1"] = "disclosure.restored.v1"
    reason: Text
    is_public: bool = Field(description="whether editions were public when it was withdrawn")


class DisclosureErased(DisclosureEvent):
    """`disclosure.erased.v1`: a withdrawn disclosure's content is gone for good, key and all."""

    type: Literal["disclosure.erased.v1"] = "disclosure.erased.v1"


# -- waivers ------------------------------------------------------------------------------------------------------


class WaiverEvent(Event):
    """What all events of a waiver say: one cell that the village asks not to open."""

    aggregate: Literal["waiver"] = "waiver"
    village_code: VillageCode
    item: ItemCode
    period: Period


class WaiverContent(Model):
    """What a waiver's events seal: why it should not be opened, why it was refused, why it ended."""

    reason: Text


class WaiverFiled(WaiverEvent):
    """`waiver.filed.v1`: the village asked not to open a cell."""

    type: Literal["waiver.filed.v1"] = "waiver.filed.v1"
    sealed: Sealed


class WaiverGranted(WaiverEvent):
    """`waiver.granted.v1`: the township agreed; villagers read the reason, which is sealed here again."""

    type: Literal["waiver.granted.v1"] = "waiver.granted.v1"
    sealed: Sealed


class WaiverRefused(WaiverEvent):
    """`waiver.refused.v1`: the township did not agree; the duty stands."""

    type: Literal["waiver.refused.v1"] = "waiver.refused.v1"
    sealed: Sealed


class WaiverEnded(WaiverEvent):
    """`waiver.ended.v1`: a granted waiver no longer holds; the duty is there again."""

    type: Literal["waiver.ended.v1"] = "waiver.ended.v1"
    sealed: Sealed


# -- the quarter's yes/no page ------------------------------------------------------------------------------------


class DeclaredItem(Model):
    """Whether an on-event item had events in a quarter: no days means no (本期无此事项), each day is one event."""

    item: ItemCode
    days: tuple[Day, ...] = Field(max_length=100)


class DeclarationEvent(Event):
    """What all events of a quarter's yes/no page say; the aggregate's id is `<village>:<quarter>`."""

    aggregate: Literal["declaration"] = "declaration"
    village_code: VillageCode
    quarter: Period = Field(description="2026Q3")
    edition: int = Field(ge=1)
    answers: tuple[DeclaredItem, ...]


class DeclarationSubmitted(DeclarationEvent):
    """`declaration.submitted.v1`: the clerk answered for every on-event item."""

    type: Literal["declaration.submitted.v1"] = "declaration.submitted.v1"


class DeclarationConfirmed(DeclarationEvent):
    """`declaration.confirmed.v1`: the supervisors agree; public from now on, a later edition takes its place."""

    type: Literal["declaration.confirmed.v1"] = "declaration.confirmed.v1"


# -- answers to villagers' questions ------------------------------------------------------------------------------


class AnswerEvent(Event):
    """What all events of an answer say; the aggregate's id is the question's. Who answered is told by unit, never by name."""

    aggregate: Literal["answer"] = "answer"
    village_code: VillageCode
    ref: QuestionRef
    round: int = Field(ge=0, description="how often an answer had been called unclear")
    item: ItemCode | None = Field(description="of the cell that the question is about")
    period: Period | None
    asked_at: AwareDatetime = Field(description="when the question was asked")


class AnswerContent(Model):
    """What `answer.given` seals: the words of the answer, without personal data."""

    text: Text


class AnswerGiven(AnswerEvent):
    """`answer.given.v1`: the village or the township answered; everybody may read it."""

    type: Literal["answer.given.v1"] = "answer.given.v1"
    by: Answerer
    disclosure: ShortText | None = Field(default=None, description="id of a disclosure that the answer points to")
    sealed: Sealed


class AnswerHandedUp(AnswerEvent):
    """`answer.handed_up.v1`: the village handed the question to the township, whose days begin."""

    type: Literal["answer.handed_up.v1"] = "answer.handed_up.v1"
    due: date = Field(description="the local day until which the township has to answer")


class AnswerHidden(AnswerEvent):
    """`answer.hidden.v1`: the township took a question out of everybody's sight; the reason stays, and holds no personal data."""

    type: Literal["answer.hidden.v1"] = "answer.hidden.v1"
    reason: Text
