"""Events of a disclosure's way from the clerk to the township, written by `ingest`.

Before approval they carry digests only; the approved event carries the body, sealed under the disclosure's own key.
"""

from typing import Literal

from pydantic import AwareDatetime, Field

from services.contracts.base import AcceptedFinding, Event, Model, Sealed
from services.contracts.bodies import Body
from services.contracts.catalogue import ItemCode
from services.contracts.values import Digest, Period, ShortText, Text, VillageCode


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


class SubmittedContent(Model):
    """What `disclosure.submitted` seals."""

    accepted: tuple[AcceptedFinding, ...]


class DisclosureSubmitted(DisclosureEvent):
    """`disclosure.submitted.v1`: the clerk handed an edition in."""

    type: Literal["disclosure.submitted.v1"] = "disclosure.submitted.v1"
    digest: Digest
    accepted: tuple[FindingRef, ...]
    sealed: Sealed | None = Field(description="the reasons for accepted findings; null when there are none")


class DisclosureConfirmed(DisclosureEvent):
    """`disclosure.confirmed.v1`: one party confirmed; `complete` when nobody else has to."""

    type: Literal["disclosure.confirmed.v1"] = "disclosure.confirmed.v1"
    digest: Digest
    confirmation: Literal["supervisors", "principal", "accountant"]
    complete: bool


class ReturnedContent(Model):
    """What `disclosure.returned` seals."""

    reason: Text


class DisclosureReturned(DisclosureEvent):
    """`disclosure.returned.v1`: sent back to the clerk."""

    type: Literal["disclosure.returned.v1"] = "disclosure.returned.v1"
    sealed: Sealed


class ApprovedContent(Model):
    """What `disclosure.approved` seals."""

    body: Body
    accepted: tuple[AcceptedFinding, ...]


class DisclosureApproved(DisclosureEvent):
    """`disclosure.approved.v1`: the township let it out; whole public state, so a repeated event is harmless."""

    type: Literal["disclosure.approved.v1"] = "disclosure.approved.v1"
    digest: Digest
    history: bool = Field(description="a period before the village's duties began (补录)")
    submitted_at: AwareDatetime
    submitted_by: ShortText
    confirmed_at: AwareDatetime
    accepted: tuple[FindingRef, ...]
    sealed: Sealed


class DisclosureWithdrawn(DisclosureEvent):
    """`disclosure.withdrawn.v1`: content gone for good; the reason stays readable and holds no personal data."""

    type: Literal["disclosure.withdrawn.v1"] = "disclosure.withdrawn.v1"
    reason: Text
    was_published: bool
