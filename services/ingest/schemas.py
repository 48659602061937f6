"""HTTP bodies of ingest, in and out."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.contracts.base import Finding
from services.contracts.catalogue import ItemCode
from services.contracts.values import Period, ShortText, Text, VillageCode


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DisclosureIn(_In):
    """A new draft. `body` is read by the kind of the item."""

    village: VillageCode
    item: ItemCode
    period: Period
    body: dict[str, Any]


class SaveIn(_In):
    """New content for version `version`."""

    version: int = Field(ge=1)
    body: dict[str, Any]


class StepIn(_In):
    """A step on version `version`."""

    version: int = Field(ge=1)


class FindingName(_In):
    """Which finding is meant, as it was told."""

    code: ShortText
    at: ShortText
    message: str | None = None


class AcceptIn(_In):
    """A finding with the author's reason; a bare code means every finding of that code."""

    finding: FindingName | ShortText
    reason: ShortText


class SubmitIn(StepIn):
    """Submitting, with a reason for each finding."""

    accept: list[AcceptIn] = Field(default_factory=list, max_length=200)


class ReasonIn(StepIn):
    """A step that needs a reason."""

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
    note: str | None


class DetailOut(DisclosureOut):
    """A disclosure with its content; null once withdrawn."""

    body: dict[str, Any] | None
    findings: list[Finding]
    accepted: list[dict[str, str]]
