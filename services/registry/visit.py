"""What routes and commands of the registry work with, and who may do what: roles here, whose accounts and data too."""

import hmac
from dataclasses import dataclass
from typing import Annotated, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.contracts.base import Role
from services.contracts.division import DivisionKind
from services.contracts.staff import Staff
from services.kit import actions, visit
from services.kit.clock import Clock
from services.kit.db import Database
from services.kit.errors import ForbiddenError, NotFoundError
from services.kit.reference import Reference
from services.kit.runtime import Runtime
from services.registry.memory import AddressBrakes, Places
from services.registry.settings import RegistrySettings
from services.registry.store import credentials, references

#: Who changes accounts and reference data; where in the tree, is asked of each.
MAY_MANAGE: Final = (Role.OPERATOR,)
#: Who sees the list of accounts and gives new passwords; whose, `Reading.may_reset` tells.
MAY_RESET: Final = (Role.OPERATOR, Role.REVIEWER)
#: Whom a township's reviewer may give a new password.
BELOW_REVIEWER: Final = frozenset({Role.CLERK, Role.ACCOUNTANT, Role.PRINCIPAL, Role.SUPERVISOR})


_VILLAGE: Final = frozenset({DivisionKind.VILLAGE, DivisionKind.COMMUNITY})


@dataclass(frozen=True, slots=True)
class Own:
    """What the registry makes when it starts."""

    brakes: AddressBrakes
    #: Of sites: ten times what one network may.
    sites: AddressBrakes
    places: Places
    #: By which names that nobody has are put together: who does not have it cannot tell which share a place.
    nobodies_key: bytes

    def under_nobody(self, username: str) -> str:
        """Under what failures of a name that nobody has count."""
        return f"nobody/{hmac.digest(self.nobodies_key, username.encode(), 'sha256').hex()[:4]}"


def make_own(settings: RegistrySettings, _database: Database, _clock: Clock, _reference: Reference) -> Own:
    """Begin with nobody's failures in mind."""
    at_once, again = settings.address_failures, settings.address_again
    return Own(
        brakes=AddressBrakes(at_once, again),
        sites=AddressBrakes(10 * at_once, again / 10),
        places=Places(settings.sign_in_places),
        # Of every process of the city the same, or a name that nobody has would have more attempts than one that somebody has.
        nobodies_key=HKDF(SHA256(), 32, None, b"sanwu names that nobody has").derive(settings.root.private_bytes_raw()),
    )


RegistryRuntime = Runtime[RegistrySettings, Own]
#: Somebody who is not signed in yet, or any more.
Visit = visit.Visit[RegistrySettings, Own]


class Reading(visit.Reading[RegistrySettings, Own]):
    """Somebody of the staff who looks."""

    async def account(self, username: str) -> Staff:
        """An account as it stands in the database; NotFoundError for an unknown name."""
        credential = await credentials.select_credential(self.conn, username)
        kept = await references.select_reference(self.conn, "staff", credential.staff_id) if credential else None
        if kept is None:
            detail = f"没有用户名为 {username} 的账号。"
            raise NotFoundError(detail)
        return Staff.model_validate_json(kept)

    def is_own(self, staff: Staff) -> bool:
        """Tell whether an account is the caller's."""
        return self.actor.staff_id == staff.staff_id

    def require_reach(self, staff: Staff) -> None:
        """Raise ForbiddenError unless the caller's part of the tree holds the account."""
        if not self.reference.covers(self.actor.scope, staff.revisions[-1].scope):
            detail = f"账号 {staff.username} 不在您的管辖范围内。"
            raise ForbiddenError(detail)

    def may_reset(self, staff: Staff) -> bool:
        """Tell whether the caller may give an account a new password: operators, and reviewers for those below them."""
        role, last = self.actor.role, staff.revisions[-1]
        if self.is_own(staff) or not self.reference.covers(self.actor.scope, last.scope):
            return False
        return role is Role.OPERATOR or (role is Role.REVIEWER and last.role in BELOW_REVIEWER)


class Changing(Reading, visit.Changing[RegistrySettings, Own]):
    """Somebody of the staff, or a command on the machine, who changes accounts or reference data."""

    async def lock_account(self, username: str) -> Staff:
        """An account, held until the transaction ends; NotFoundError for an unknown name."""
        # An import that read the person before would set the old state after this one.
        await references.lock_registry(self.conn)
        staff = await self.account(username)
        self.about(staff)
        return staff

    def about(self, staff: Staff) -> None:
        """Note for the trail which account is acted on, and its village, if it is one of a village."""
        scope = self.reference.divisions.get(staff.revisions[-1].scope)
        village = scope.code if scope is not None and scope.now.kind in _VILLAGE else None
        actions.about(f"staff/{staff.staff_id}", village)

    async def lock_managed_account(self, username: str) -> Staff:
        """An account of the caller's part of the tree, held until the transaction ends.

        NotFoundError for an unknown name, ForbiddenError for an account outside.
        """
        staff = await self.lock_account(username)
        self.require_reach(staff)
        return staff

    async def lock_whole_city(self) -> None:
        """Hold what is one for all, catalogue, profiles, calendar: ForbiddenError for who is not of the whole city."""
        city = self.reference.city()
        if city is not None:
            self.actor.require_scope(self.reference, city.code)
        await references.lock_registry(self.conn)


class Caller(visit.Caller[RegistrySettings, Own]):
    """Somebody of the staff who needs no connection, or none while passwords are hashed."""


ReadingDep = Annotated[Reading, visit.reading_dep(Reading)]
ChangingDep = Annotated[Changing, visit.changing_dep(Changing)]
CallerDep = Annotated[Caller, visit.caller_dep(Caller)]
VisitDep = Annotated[Visit, visit.visit_dep(Visit)]
