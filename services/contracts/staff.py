"""Staff and signing keys: who may act where, and which key vouches for it. Never a password, never a TOTP secret."""

from datetime import date, datetime, timedelta
from typing import Final, Literal

from pydantic import AwareDatetime, Field

from services.contracts.base import Event, Model, Revision, Role
from services.contracts.catalogue import Affair
from services.contracts.values import DivisionCode, ShortText


class StaffRevision(Revision):
    """A person's role and the part of the division tree it reaches, in a span of time."""

    role: Role
    scope: DivisionCode
    affairs: tuple[Affair, ...] = Field(default=(), description="which of the three affairs; none named means all")


class Delegation(Revision):
    """A township's written word that one person may both hand in and approve within a part of the tree (一人多岗)."""

    scope: DivisionCode
    document: ShortText = Field(description="the paper that says so, shown with every approval that rests on it")


class Reset(Model):
    """Somebody gave an account a new password, and could use it until its owner chose another."""

    by: ShortText = Field(description="the id of who did it; `machine` for the command on the machine itself")
    at: AwareDatetime


class EndedSession(Model):
    """A session that was ended: its tokens open nothing from then on."""

    session_id: ShortText = Field(description="`sid` of the tokens")
    at: AwareDatetime


#: A token lives for 15 minutes; whoever ended its session need not be remembered for longer.
ENDED_KEPT: Final = timedelta(minutes=20)
#: Who did it when it was the operators' command on the machine itself.
MACHINE: Final = "machine"
#: How long a reset is remembered with the account, and keeps whoever did it from approving what the account handed in.
RESETS_KEPT: Final = timedelta(days=30)


class Staff(Model):
    """One member of staff with history, oldest revision first; no revision in force means no access."""

    staff_id: ShortText
    username: ShortText
    name: ShortText | None = Field(
        default=None, description="the person's name, for signatures; null shows the username"
    )
    revisions: tuple[StaffRevision, ...] = Field(min_length=1)
    delegations: tuple[Delegation, ...] = ()
    sessions_not_before: AwareDatetime = Field(description="tokens issued earlier are void")
    resets: tuple[Reset, ...] = Field(default=(), description="of the last 30 days, oldest first")
    ended_sessions: tuple[EndedSession, ...] = Field(
        default=(), description="of the last 20 minutes, as long as their tokens could live"
    )

    @property
    def called(self) -> str:
        """The person's name; the username until one is given."""
        return self.name or self.username

    def resets_since(self, moment: datetime) -> tuple[Reset, ...]:
        """Resets that are remembered at a moment."""
        return tuple(r for r in self.resets if r.at > moment - RESETS_KEPT)

    def at(self, day: date) -> StaffRevision | None:
        """Return the role in force on a day, or None."""
        return next((r for r in reversed(self.revisions) if r.holds(day)), None)


def name_of(staff_id: str, staff: Staff | None) -> str:
    """How an account is called on pages; nobody in particular when it is not known."""
    if staff_id == MACHINE:
        return "服务器上的管理命令"
    return staff.called if staff is not None else "另一位同事"


class Signer(Model):
    """A public Ed25519 key (RFC 8032) that signs tokens; raw 32 bytes, base64url without padding (RFC 8037 `x`)."""

    kid: ShortText
    public_key: ShortText
    not_after: AwareDatetime | None = None
    not_before: AwareDatetime | None = Field(default=None, description="no token that it signed is older")


class StaffSet(Event):
    """`staff.set.v1`: a person's whole state; topic `sanwu.staff`, key = `staff:<id>`."""

    type: Literal["staff.set.v1"] = "staff.set.v1"
    aggregate: Literal["staff"] = "staff"
    staff: Staff


class SignerSet(Event):
    """`signer.set.v1`: a signing key's whole state; topic `sanwu.staff`, key = `signer:<kid>`."""

    type: Literal["signer.set.v1"] = "signer.set.v1"
    aggregate: Literal["signer"] = "signer"
    signer: Signer
