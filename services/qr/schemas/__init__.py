"""HTTP bodies of qr, in and out."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from services.contracts.code import CodeKind
from services.contracts.values import ShortText, VillageCode
from services.kit.examples import read_examples

example = read_examples(__file__)


class CodeOut(BaseModel, json_schema_extra=example("CodeOut")):
    """A code; `url` is what stands inside its picture, `replaces` the code that counts until this one hangs."""

    code: str
    village: str
    purpose: str
    kind: CodeKind
    place: str | None
    item: str | None
    period: str | None
    subject: str | None
    serial: int
    state: str
    replaces: str | None
    issued_at: datetime
    url: str


class IssueIn(BaseModel, json_schema_extra=example("IssueIn")):
    """A code that is wanted: of a place, of an asset, a project, a contract, or of a month's bulletin."""

    model_config = ConfigDict(extra="forbid")

    village: VillageCode
    kind: CodeKind
    place: ShortText | None = Field(default=None, description="where it will hang")
    item: ShortText | None = Field(default=None, description="the item whose page it opens: of things and bulletins")
    period: ShortText | None = Field(default=None, description="of a bulletin: its month")
    subject: ShortText | None = Field(default=None, description="of a thing: its name, printed on the label")


class RevokeIn(BaseModel, json_schema_extra=example("RevokeIn")):
    """Why a code no longer counts: torn off, pasted over, found elsewhere; without `replace` nothing takes its place."""

    model_config = ConfigDict(extra="forbid")

    reason: ShortText
    replace: bool = True


class RevokedOut(BaseModel, json_schema_extra=example("RevokedOut")):
    """The code that counts no more, and the one that takes its place, if any does."""

    revoked: CodeOut
    issued: CodeOut | None


class RotatedOut(BaseModel, json_schema_extra=example("RotatedOut")):
    """The code that counts until its successor hangs, and the successor."""

    current: CodeOut
    issued: CodeOut


class HangingOut(BaseModel, json_schema_extra=example("HangingOut")):
    """Where a code was seen to hang; `photograph`: there is one, for staff."""

    code: str
    hung_at: datetime
    latitude: float | None
    longitude: float | None
    accuracy_m: int | None
    photograph: bool


class PlacesOut(BaseModel, json_schema_extra=example("PlacesOut")):
    """What a file of places made: new codes, and codes whose place it told."""

    issued: list[CodeOut]
    placed: list[CodeOut]
