"""HTTP bodies of the registry, in and out."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.contracts.base import Role
from services.contracts.catalogue import Affair, CalendarYear, ProfileRevision
from services.contracts.values import DivisionCode, ShortText

NewUsername = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{1,62}$")]
#: As typed: no blank is taken off.
Password = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class SignInIn(BaseModel):
    """Name, password; the second factor's code; a new password when the old one was for one time."""

    model_config = ConfigDict(extra="forbid")

    username: ShortText
    password: Password
    totp: Annotated[str, StringConstraints(max_length=20)] | None = None
    new_password: Password | None = None


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


class DelegationOut(BaseModel):
    """A document that lets somebody both hand in and approve within a part of the tree."""

    scope: str
    document: str
    since: date
    until: date | None


class StaffOut(BaseModel):
    """An account; never its secrets. Role and scope are null, and `ended` is set, when it has ended."""

    staff_id: str
    username: str
    name: str | None
    role: Role | None
    scope: str | None
    affairs: tuple[Affair, ...]
    ended: date | None
    delegations: list[DelegationOut]
    signed_in_at: datetime | None


class SecretsOut(BaseModel):
    """Told once. The password must be changed at the first sign-in; null means that it stays as it is."""

    username: str
    one_time_password: str | None
    totp_secret: str | None
    totp_uri: str | None = Field(description="for an authenticator application, as a QR code")


class StaffWithSecretsOut(BaseModel):
    """An account after a change, and what is told once."""

    staff: StaffOut
    secrets: SecretsOut
    warnings: list[str] = Field(description="accounts of the same name that reach the same village")


class PostIn(BaseModel):
    """What somebody is to be; no affairs named means all three."""

    model_config = ConfigDict(extra="forbid")

    name: ShortText | None = None
    role: Role
    scope: DivisionCode
    affairs: tuple[Affair, ...] = ()
    namesake: ShortText | None = Field(
        default=None, description="how this is known to be another person than the account of the same name"
    )


class StaffIn(PostIn):
    """A new account."""

    username: NewUsername


class DelegationIn(BaseModel):
    """One person may both hand in and approve within `scope`, because `document` says so; from today unless stated."""

    model_config = ConfigDict(extra="forbid")

    scope: DivisionCode
    document: ShortText
    since: date | None = None
    until: date | None = None


class DelegationEndIn(BaseModel):
    """Which delegation ends."""

    model_config = ConfigDict(extra="forbid")

    document: ShortText


class ImportOut(BaseModel):
    """What a staff file changes, by usernames, or changed when `applied`."""

    applied: bool
    new: list[str]
    changed: list[str]
    unchanged: int
    secrets: list[SecretsOut]
    warnings: list[str] = Field(description="accounts of the same name that reach the same village")


class SessionOut(BaseModel):
    """Where somebody is signed in."""

    id: str
    created_at: datetime
    expires_at: datetime


class ResetOut(BaseModel):
    """Somebody gave this account a new password."""

    by: str
    at: datetime


class AccountOut(BaseModel):
    """One's own account."""

    staff_id: str
    username: str
    name: str
    role: Role
    scope: str
    affairs: tuple[Affair, ...]
    sessions: list[SessionOut]
    resets: list[ResetOut] = Field(description="who gave this account a new password in the last 30 days")


class PasswordIn(BaseModel):
    """One's own password, old and new."""

    model_config = ConfigDict(extra="forbid")

    password: Password
    new_password: Password


class DifferenceOut(BaseModel):
    """A field that a catalogue file states otherwise; `before` is null for a new item."""

    item: str
    field: str
    before: Any
    after: Any


class CatalogueCheckOut(BaseModel):
    """What a catalogue file would change; `absent` items stay as they are."""

    items: int
    differences: list[DifferenceOut]
    absent: list[str]


class CatalogueAppliedOut(BaseModel):
    """How many items changed."""

    changed: int


class CalendarIn(BaseModel):
    """A year's working days as announced. Weekends may stand in `days_off`: nobody works on them anyway."""

    model_config = ConfigDict(extra="forbid")

    days_off: list[date] = Field(max_length=200)
    working_weekends: list[date] = Field(max_length=60)
    source: ShortText = Field(description="the announcement: 国办发明电〔2026〕… 号")


class CalendarsOut(BaseModel):
    """The years that are known, and those that should be."""

    items: list[CalendarYear]
    next: None = None
    missing: list[int] = Field(description="years whose due days are judged by weekends alone until they are entered")


class ProfileIn(ProfileRevision):
    """A deadline profile from today on; `since` and `until` are set by the registry and refused here."""

    model_config = ConfigDict(extra="forbid")

    since: None = Field(default=None, exclude=True)  # type: ignore[assignment] # the day is today, nobody states it
    until: None = Field(default=None, exclude=True)
