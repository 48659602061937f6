"""HTTP bodies of the registry, in and out."""

from pydantic import BaseModel, ConfigDict

from services.contracts.values import ShortText


class SignInIn(BaseModel):
    """Name and password; `totp` is taken and not looked at yet."""

    model_config = ConfigDict(extra="forbid")

    username: ShortText
    password: ShortText
    totp: ShortText | None = None


class SignInOut(BaseModel):
    """A bearer token and how many seconds it lasts."""

    access_token: str
    expires_in: int


class DivisionOut(BaseModel):
    """A division as it stands now."""

    code: str
    name: str
    kind: str
    parent: str | None
    duties_from: str | None
    sample: bool


class StaffOut(BaseModel):
    """An account; never its secrets."""

    staff_id: str
    username: str
    role: str | None
    scope: str | None
