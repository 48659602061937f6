"""HTTP bodies of qr, in and out."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.contracts.values import ShortText


class CodeOut(BaseModel):
    """A code; `url` is what stands inside its picture."""

    code: str
    village: str
    purpose: str
    place: str | None
    serial: int
    state: str
    issued_at: datetime
    url: str


class RevokeIn(BaseModel):
    """Why a code no longer counts: torn off, pasted over, found elsewhere."""

    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class RevokedOut(BaseModel):
    """The code that counts no more, and the one that takes its place."""

    revoked: CodeOut
    issued: CodeOut
