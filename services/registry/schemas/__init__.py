"""HTTP bodies of the registry, in and out."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.contracts.base import Role
from services.contracts.catalogue import Affair, CalendarYear, ItemCode, ItemRevision, ProfileRevision
from services.contracts.values import DivisionCode, ShortText
from services.kit.examples import read_examples
from services.kit.listing import Listing

example = read_examples(__file__)

NewUsername = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{1,62}$")]
#: As typed: no blank is taken off.
Password = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class SignInIn(BaseModel, json_schema_extra=example("SignInIn")):
    """Name, password; the second factor's code; a new password when the old one was for one time."""

    model_config = ConfigDict(extra="forbid")

    username: ShortText
    password: Password
    totp: Annotated[str, StringConstraints(max_length=20)] | None = None
    new_password: Password | None = None


class SignInOut(BaseModel, json_schema_extra=example("SignInOut")):
    """A bearer token and how many seconds it lasts."""

    access_token: str
    expires_in: int


class DivisionOut(BaseModel, json_schema_extra=example("DivisionOut")):
    """A division as it stands now."""

    code: str
    name: str
    kind: str
    parent: str | None
    duties_from: str | None
    sample: bool


class DelegationOut(BaseModel, json_schema_extra=example("DelegationOut")):
    """A document that lets somebody both hand in and approve within a part of the tree."""

    scope: str
    document: str
    since: date
    until: date | None


class StaffOut(BaseModel, json_schema_extra=example("StaffOut")):
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


class SecretsOut(BaseModel, json_schema_extra=example("SecretsOut")):
    """Told once. The password must be changed at the first sign-in; null means that it stays as it is."""

    username: str
    one_time_password: str | None
    totp_secret: str | None
    totp_uri: str | None = Field(description="for an authenticator application, as a QR code")


class StaffWithSecretsOut(BaseModel, json_schema_extra=example("StaffWithSecretsOut")):
    """An account after a change, and what is told once."""

    staff: StaffOut
    secrets: SecretsOut
    warnings: list[str] = Field(description="accounts of the same name that reach the same village")


class PostIn(BaseModel, json_schema_extra=example("PostIn")):
    """What somebody is to be; no affairs named means all three."""

    model_config = ConfigDict(extra="forbid")

    name: ShortText | None = None
    role: Role
    scope: DivisionCode
    affairs: tuple[Affair, ...] = ()
    namesake: ShortText | None = Field(
        default=None, description="how this is known to be another person than the account of the same name"
    )


class StaffIn(PostIn, json_schema_extra=example("StaffIn")):
    """An account to be opened: its post and its username."""

    username: NewUsername


class DelegationIn(BaseModel, json_schema_extra=example("DelegationIn")):
    """One person may both hand in and approve within `scope`, because `document` says so; from today unless stated."""

    model_config = ConfigDict(extra="forbid")

    scope: DivisionCode
    document: ShortText
    since: date | None = None
    until: date | None = None


class DelegationEndIn(BaseModel, json_schema_extra=example("DelegationEndIn")):
    """The delegation that ends, by the document it rests on."""

    model_config = ConfigDict(extra="forbid")

    document: ShortText


class ImportOut(BaseModel, json_schema_extra=example("ImportOut")):
    """What a staff file changes, by usernames, or changed when `applied`."""

    applied: bool
    new: list[str]
    changed: list[str]
    unchanged: int
    secrets: list[SecretsOut]
    warnings: list[str] = Field(description="accounts of the same name that reach the same village")


class SessionOut(BaseModel, json_schema_extra=example("SessionOut")):
    """Where somebody is signed in."""

    id: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime = Field(
        description="when its page asked for a new token last: every 15 minutes while it is used"
    )
    address: str | None = Field(description="from where it was opened")
    browser: str | None = Field(description="in words; null for a session from before it was asked")
    current: bool = Field(description="this request is from it")


class ResetOut(BaseModel, json_schema_extra=example("ResetOut")):
    """Somebody gave this account a new password."""

    by: str
    at: datetime


class AccountOut(BaseModel, json_schema_extra=example("AccountOut")):
    """The caller's own account, with who reset it lately and where it is signed in."""

    staff_id: str
    username: str
    name: str
    role: Role
    scope: str
    affairs: tuple[Affair, ...]
    sessions: list[SessionOut]
    resets: list[ResetOut] = Field(description="who gave this account a new password in the last 30 days")


class PasswordIn(BaseModel, json_schema_extra=example("PasswordIn")):
    """One's own password, old and new."""

    model_config = ConfigDict(extra="forbid")

    password: Password
    new_password: Password


class SecondFactorIn(BaseModel, json_schema_extra=example("SecondFactorIn")):
    """One's password, and the code of the present second factor where there is one."""

    model_config = ConfigDict(extra="forbid")

    password: Password
    totp: Annotated[str, StringConstraints(max_length=20)] | None = None


class SecondFactorOut(BaseModel, json_schema_extra=example("SecondFactorOut")):
    """A secret that counts once it was confirmed by a code of it."""

    totp_secret: str
    totp_uri: str = Field(description="for an authenticator application, as a QR code")


class SecondFactorConfirmIn(BaseModel, json_schema_extra=example("SecondFactorConfirmIn")):
    """The secret that was begun, and the code that it gives now."""

    model_config = ConfigDict(extra="forbid")

    totp_secret: Annotated[str, StringConstraints(max_length=200)]
    totp: Annotated[str, StringConstraints(max_length=20)]


class DifferenceOut(BaseModel, json_schema_extra=example("DifferenceOut")):
    """A field that a catalogue file states otherwise; `before` is null for a new item."""

    item: str
    field: str
    before: Any
    after: Any


class CatalogueCheckOut(BaseModel, json_schema_extra=example("CatalogueCheckOut")):
    """What a catalogue file would change; `absent` items stay as they are."""

    items: int
    differences: list[DifferenceOut]
    absent: list[str]


class CatalogueAppliedOut(BaseModel, json_schema_extra=example("CatalogueAppliedOut")):
    """How many items changed."""

    changed: int


class CalendarIn(BaseModel, json_schema_extra=example("CalendarIn")):
    """A year's working days as announced. Weekends may stand in `days_off`: nobody works on them anyway."""

    model_config = ConfigDict(extra="forbid")

    days_off: list[date] = Field(max_length=200)
    working_weekends: list[date] = Field(max_length=60)
    source: ShortText = Field(description="the announcement: 国办发明电〔2026〕… 号")


class ItemOut(ItemRevision, json_schema_extra=example("ItemOut")):
    """An item of the catalogue as it stands today."""

    code: ItemCode


class CalendarsOut(Listing[CalendarYear], json_schema_extra=example("CalendarsOut")):
    """The years that are known, and those that should be."""

    missing: list[int] = Field(description="years whose due days are judged by weekends alone until they are entered")


class ProfileIn(ProfileRevision, json_schema_extra=example("ProfileIn")):
    """A deadline profile from today on; `since` and `until` are set by the registry and refused here."""

    model_config = ConfigDict(extra="forbid")

    since: None = Field(default=None, exclude=True)  # type: ignore[assignment] # the day is today, nobody states it
    until: None = Field(default=None, exclude=True)
