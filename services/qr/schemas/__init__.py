"""HTTP bodies of qr, in and out."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.contracts.values import ShortText
from services.kit.examples import read_examples

example = read_examples(__file__)


class CodeOut(BaseModel, json_schema_extra=example("CodeOut")):
    """A code; `url` is what stands inside its picture."""

    code: str
    village: str
    purpose: str
    place: str | None
    serial: int
    state: str
    issued_at: datetime
    url: str


class RevokeIn(BaseModel, json_schema_extra=example("RevokeIn")):
    """Why a code no longer counts: torn off, pasted over, found elsewhere."""

    model_config = ConfigDict(extra="forbid")

    reason: ShortText


class RevokedOut(BaseModel, json_schema_extra=example("RevokedOut")):
    """The code that counts no more, and the one that takes its place."""

    revoked: CodeOut
    issued: CodeOut
