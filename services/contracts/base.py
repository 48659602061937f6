"""The envelope around every event, and the two model bases.

Readers ignore fields they do not know; writers are held by the type checker (`init_forbid_extra`).
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Literal, TypedDict, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.contracts.values import ShortText, VillageCode


class Model(BaseModel):
    """A frozen value that travels in events."""

    model_config = ConfigDict(frozen=True, extra="ignore", json_schema_serialization_defaults_required=True)


class Role(StrEnum):
    """Who acts (terms: docs/glossary.md). `system` is a service's own clock or reaction."""

    CLERK = "clerk"
    ACCOUNTANT = "accountant"
    PRINCIPAL = "principal"
    SUPERVISOR = "supervisor"
    REVIEWER = "reviewer"
    DEPARTMENT = "department"
    INSPECTOR = "inspector"
    OPERATOR = "operator"
    SYSTEM = "system"


class Stamp(TypedDict):
    """The envelope's fields, ready to be spread into an event."""

    event_id: UUID
    occurred_at: AwareDatetime
    aggregate_id: str
    aggregate_version: int
    village_code: str | None
    actor_id: str | None
    actor_role: Role
    traceparent: str | None


class Event(Model):
    """What happened, once, in the past tense. `aggregate_version` counts 1, 2, 3 … within one aggregate."""

    event_id: UUID = Field(description="UUIDv7 (RFC 9562)")
    type: str = Field(description="`noun.verb_past.vN`")
    occurred_at: AwareDatetime = Field(description="UTC, RFC 3339")
    aggregate: str = Field(description="kind of the thing that changed")
    aggregate_id: ShortText
    aggregate_version: int = Field(ge=1)
    village_code: VillageCode | None = Field(description="12 digits, or null where no village is meant")
    actor_id: ShortText | None = Field(description="opaque id of the person who acted; null for the system")
    actor_role: Role
    traceparent: str | None = Field(default=None, description="W3C Trace Context of the request that caused it")


class Revision(Model):
    """A state that held from one day up to, not including, another; `until` null means it still holds."""

    since: date
    until: date | None = None

    def holds(self, day: date) -> bool:
        """Tell whether this revision is in force on a local day."""
        return self.since <= day and (self.until is None or day < self.until)


AnyRevision = TypeVar("AnyRevision", bound=Revision)


def revision_at(revisions: Sequence[AnyRevision], day: date) -> AnyRevision:
    """Pick the newest revision (of some, oldest first) that began by a local day; before all of them, the first.

    A revision that has ended and was not followed stays the last word: a retired item keeps its name.
    """
    return next((r for r in reversed(revisions) if r.since <= day), revisions[0])


class Sealed(Model):
    """Content under the aggregate's own key: AES-256-GCM (NIST SP 800-38D), base64, nonce of 96 bits.

    The associated data is `aggregate_id` + `:` + `event type`, so a sealed text cannot be moved to another event.
    """

    algorithm: Literal["A256GCM"] = "A256GCM"
    nonce: str
    ciphertext: str


def _is_none(value: int | None) -> bool:
    return value is None


class Finding(Model):
    """Something that does not add up in well-formed input. `at` is a path like `body.lines[3].amount_fen`.

    `start` and `end` are the characters of a text that it is about, where it is about some.
    """

    code: ShortText
    at: ShortText
    message: str
    start: int | None = Field(default=None, exclude_if=_is_none)
    end: int | None = Field(default=None, exclude_if=_is_none)


class AcceptedFinding(Model):
    """A finding that its author explained; the reason is free text and therefore only ever travels sealed."""

    code: ShortText
    at: ShortText
    reason: ShortText
