"""Accounts: from files, and one by one. Who may manage whom is decided here.

Operators manage the accounts within their part of the tree, and never end or change their own. A township's reviewer
may reset the accounts of villages and agency below. Secrets are told once, in the answer, and rest nowhere in clear.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from services.contracts import privacy
from services.contracts.base import Role
from services.contracts.catalogue import Affair
from services.contracts.division import DivisionKind
from services.contracts.staff import Delegation, Reset, Staff, StaffRevision
from services.contracts.words import DIVISIONS
from services.kit import actions
from services.kit.auth import Actor
from services.kit.db import Connection
from services.kit.errors import Fault, ForbiddenError, InvalidInputError, NotFoundError
from services.kit.reference import Reference
from services.registry import store
from services.registry.bulk.staff import StaffRow
from services.registry.commands import passwords
from services.registry.commands.namesakes import namesakes
from services.registry.commands.states import say_staff
from services.registry.errors import OwnAccountError, SamePersonTwiceError, UsernameTakenError

#: Whom a township's reviewer may give a new password.
BELOW_REVIEWER: Final = frozenset({Role.CLERK, Role.ACCOUNTANT, Role.PRINCIPAL, Role.SUPERVISOR})
_VILLAGE: Final = frozenset({DivisionKind.VILLAGE, DivisionKind.COMMUNITY})
_TOWNSHIP: Final = frozenset({DivisionKind.TOWNSHIP})
_PLACES: Final = {
    Role.CLERK: (_VILLAGE, "村（社区）"),
    Role.PRINCIPAL: (_VILLAGE, "村（社区）"),
    Role.SUPERVISOR: (_VILLAGE, "村（社区）"),
    Role.ACCOUNTANT: (_TOWNSHIP, DIVISIONS[DivisionKind.TOWNSHIP]),
    Role.REVIEWER: (_TOWNSHIP, DIVISIONS[DivisionKind.TOWNSHIP]),
}


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody is to be: name, role, part of the tree, affairs (none named: all three).

    `namesake`: how the operator knows that this is another person than the account of the same name (同名不同人).
    """

    name: str | None
    role: Role
    scope: str
    affairs: tuple[Affair, ...] = ()
    namesake: str | None = None


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is told once: a password to be changed at the first sign-in, and a second factor where one is needed."""

    username: str
    one_time_password: str | None
    totp_secret: str | None

    @property
    def totp_uri(self) -> str | None:
        """The second factor as an authenticator application reads it from a code."""
        return passwords.enrolment(self.totp_secret, self.username) if self.totp_secret else None


@dataclass(frozen=True, slots=True)
class Office:
    """One change of accounts: in whose transaction, by whom, when."""

    conn: Connection
    reference: Reference
    actor: Actor
    now: datetime
    today: date


# -- from files


async def set_staff(
    conn: Connection, rows: Sequence[StaffRow], fresh: Sequence[store.Credential], today: date, now: datetime
) -> int:
    """Add new accounts and change known ones as a file says; passwords and second factors of known ones stay.

    Returns how many changed.
    """
    if fresh:
        await store.insert_credentials(conn, fresh, now)
    await store.enrol(conn, {r.username: r.totp_secret for r in rows if r.totp_secret is not None}, now)
    ids = await store.select_usernames(conn)
    count = 0
    for row in rows:
        kept = await store.select_reference(conn, "staff", ids[row.username])
        staff = with_row(Staff.model_validate_json(kept) if kept else None, ids[row.username], row, today, now)
        if staff is not None:
            await say_staff(conn, staff, now)
            count += 1
    return count


def with_row(known: Staff | None, staff_id: str, row: StaffRow, today: date, now: datetime) -> Staff | None:
    """The state after a row of a file, or None when nothing changes. What the row leaves open stays as it is."""
    given = Delegation(since=today, scope=row.scope, document=row.delegation) if row.delegation else None
    if known is None:
        revision = StaffRevision(since=today, role=row.role, scope=row.scope, affairs=row.affairs or ())
        return Staff(
            staff_id=staff_id,
            username=row.username,
            name=row.name,
            revisions=(revision,),
            delegations=(given,) if given else (),
            sessions_not_before=now,
        )
    affairs = known.revisions[-1].affairs if row.affairs is None else row.affairs
    staff = _with_post(known, Post(row.name or known.name, row.role, row.scope, affairs), today)
    if given is not None and not any((d.scope, d.document) == (given.scope, given.document) for d in known.delegations):
        staff = staff.model_copy(update={"delegations": (*staff.delegations, given)})
    return None if staff == known else staff


def _with_post(known: Staff, post: Post, today: date) -> Staff:
    last = known.revisions[-1]
    revisions = known.revisions
    if last.until is not None or (last.role, last.scope, last.affairs) != (post.role, post.scope, post.affairs):
        ended = last.model_copy(update={"until": last.until or today})
        fresh = StaffRevision(since=today, role=post.role, scope=post.scope, affairs=post.affairs)
        revisions = (*known.revisions[:-1], ended, fresh)
    return known.model_copy(update={"name": post.name, "revisions": revisions})


# -- one by one


async def find(conn: Connection, username: str) -> Staff:
    """An account, held until the transaction ends; NotFoundError for an unknown name."""
    # An import that read the person before would say the old state after this one.
    await store.lock_registry(conn)
    credential = await store.select_credential(conn, username)
    kept = await store.select_reference(conn, "staff", credential.staff_id) if credential else None
    if kept is None:
        detail = f"没有用户名为 {username} 的账号。"
        raise NotFoundError(detail)
    staff = Staff.model_validate_json(kept)
    actions.about(f"staff/{staff.staff_id}")
    return staff


def require_manager(actor: Actor, reference: Reference, staff: Staff) -> None:
    """Raise ForbiddenError unless an operator's part of the tree holds the account."""
    actor.require(Role.OPERATOR)
    if not reference.covers(actor.scope, staff.revisions[-1].scope):
        detail = f"账号 {staff.username} 不在您的管辖范围内。"
        raise ForbiddenError(detail)


def may_reset(actor: Actor, reference: Reference, staff: Staff) -> bool:
    """Tell whether somebody may give an account a new password: operators, and reviewers for those below them."""
    last = staff.revisions[-1]
    if actor.staff_id == staff.staff_id or not reference.covers(actor.scope, last.scope):
        return False
    return actor.role is Role.OPERATOR or (actor.role is Role.REVIEWER and last.role in BELOW_REVIEWER)


def _check_post(office: Office, post: Post) -> None:
    division = office.reference.divisions.get(post.scope)
    if division is None:
        raise InvalidInputError(faults=[Fault("scope", f"没有代码为 {post.scope} 的区划")])
    if not office.reference.covers(office.actor.scope, post.scope):
        detail = f"区划 {post.scope} 不在您的管辖范围内。"
        raise ForbiddenError(detail)
    if (problem := misplaced(post.role, division.now.kind)) is not None:
        raise InvalidInputError(faults=[Fault("scope", problem)])


def misplaced(role: Role, kind: DivisionKind) -> str | None:
    """Why a role cannot be held at a division of a kind, or None."""
    if role is Role.SYSTEM:
        return "system 不是人的角色"
    kinds, named = _PLACES.get(role, (None, ""))
    return f"角色 {role.value} 的管辖范围应为{named}的代码" if kinds is not None and kind not in kinds else None


async def require_apart(office: Office, staff: Staff, others: Iterable[Staff], namesake: str | None) -> None:
    """Refuse an account whose name and place say that one person would check themselves; a reason goes to the trail."""
    found = [n for n in namesakes(office.reference, staff, others, office.today) if n.refused]
    if not found:
        return
    if namesake is None:
        raise SamePersonTwiceError(faults=[Fault("namesake", f"{staff.username} {n.sentence}") for n in found])
    about = actions.Subject(f"staff/{staff.staff_id}: {namesake}")
    await actions.record(office.conn, office.actor.who, "staff namesake", office.now, about)


async def create(office: Office, username: str, post: Post, one_time: tuple[str, str]) -> tuple[Staff, Secrets]:
    """Open an account; `one_time` is its first password and that one's hash."""
    office.actor.require(Role.OPERATOR)
    _check_post(office, post)
    await store.lock_registry(office.conn)
    if await store.select_credential(office.conn, username) is not None:
        raise UsernameTakenError
    staff_id = passwords.new_id()
    secret = passwords.new_secret() if post.role in passwords.TOTP_ROLES else None
    credential = store.Credential(staff_id, username, one_time[1], totp_secret=secret, must_change=True)
    await store.insert_credentials(office.conn, [credential], office.now)
    revision = StaffRevision(since=office.today, role=post.role, scope=post.scope, affairs=post.affairs)
    staff = Staff(
        staff_id=staff_id,
        username=username,
        name=post.name,
        revisions=(revision,),
        sessions_not_before=office.now,
    )
    await require_apart(office, staff, office.reference.staff.values(), post.namesake)
    await say_staff(office.conn, staff, office.now)
    return staff, Secrets(username, one_time[0], secret)


async def change(office: Office, username: str, post: Post) -> tuple[Staff, Secrets]:
    """Another name, role, scope or affairs; an ended account is taken up again. A role that needs one gets a secret."""
    staff = await find(office.conn, username)
    require_manager(office.actor, office.reference, staff)
    _check_post(office, post)
    last = staff.revisions[-1]
    if staff.staff_id == office.actor.staff_id and (last.role, last.scope) != (post.role, post.scope):
        raise OwnAccountError
    changed = _with_post(staff, post, office.today)
    if (changed.name, changed.revisions) != (staff.name, staff.revisions):
        await require_apart(office, changed, office.reference.staff.values(), post.namesake)
    secret = None
    credential = await store.select_credential(office.conn, username)
    if post.role in passwords.TOTP_ROLES and credential is not None and credential.totp_secret is None:
        secret = passwords.new_secret()
        await store.set_totp(office.conn, staff.staff_id, secret, office.now)
    if changed != staff:
        await say_staff(office.conn, changed, office.now)
    return changed, Secrets(username, None, secret)


async def end(office: Office, username: str) -> Staff:
    """End an account today: no role from now on, every session void. Its history stays."""
    staff = await find(office.conn, username)
    require_manager(office.actor, office.reference, staff)
    if staff.staff_id == office.actor.staff_id:
        raise OwnAccountError
    return await end_anyone(office.conn, staff, office.today, office.now)


async def end_anyone(conn: Connection, staff: Staff, today: date, now: datetime) -> Staff:
    """The same without asking who does it: for the operators' command on the machine itself."""
    last = staff.revisions[-1]
    await store.delete_sessions_of(conn, staff.staff_id)
    if last.until is not None and last.until <= today:
        return staff
    ended = (*staff.revisions[:-1], last.model_copy(update={"until": today}))
    staff = staff.model_copy(update={"revisions": ended, "sessions_not_before": now})
    await say_staff(conn, staff, now)
    return staff


async def revoke(office: Office, username: str) -> Staff:
    """Void every token and session of a person, everywhere, by event; NotFoundError for an unknown name."""
    staff = await find(office.conn, username)
    require_manager(office.actor, office.reference, staff)
    return await _revoke(office.conn, staff, office.now)


async def _revoke(conn: Connection, staff: Staff, now: datetime) -> Staff:
    await store.delete_sessions_of(conn, staff.staff_id)
    staff = staff.model_copy(update={"sessions_not_before": now})
    await say_staff(conn, staff, now)
    return staff


async def reset(office: Office, username: str, one_time: tuple[str, str]) -> Secrets:
    """A new one-time password, and a new second factor where there is one or must be; every session is void."""
    staff = await find(office.conn, username)
    if staff.staff_id == office.actor.staff_id:
        detail = "不能重置自己的账号；改密码请到“我的账号”。"
        raise OwnAccountError(detail)
    if not may_reset(office.actor, office.reference, staff):
        detail = f"您不能重置账号 {username}。"
        raise ForbiddenError(detail)
    return await reset_anyone(office, staff, one_time)


async def reset_anyone(office: Office, staff: Staff, one_time: tuple[str, str]) -> Secrets:
    """The same whoever does it: for the operators' command on the machine itself."""
    conn, now = office.conn, office.now
    credential = await store.select_credential(conn, staff.username)
    needed = staff.revisions[-1].role in passwords.TOTP_ROLES or (credential is not None and credential.totp_secret)
    secret = passwords.new_secret() if needed else None
    await store.set_password(conn, staff.staff_id, one_time[1], now, must_change=True)
    await store.set_totp(conn, staff.staff_id, secret, now)
    await store.forget_failures(conn, staff.username)
    # Whoever did it could use the account until its owner chooses another password: everybody is to know.
    resets = (*staff.resets_since(now), Reset(by=office.actor.staff_id, at=now))
    await _revoke(conn, staff.model_copy(update={"resets": resets}), now)
    return Secrets(staff.username, one_time[0], secret)


async def delegate(office: Office, username: str, delegation: Delegation) -> Staff:
    """Put on record that somebody may both hand in and approve within a part of the tree, on a document."""
    staff = await find(office.conn, username)
    require_manager(office.actor, office.reference, staff)
    office.actor.require_scope(office.reference, delegation.scope)
    if staff.staff_id == office.actor.staff_id:
        detail = "不能给自己登记一人多岗授权，请由另一位平台管理员操作。"
        raise OwnAccountError(detail)
    personal = [
        Fault("document", f.message)
        for f in privacy.findings(delegation.document, "document")
        if f.code != "privacy.name"
    ]
    if personal:
        raise InvalidInputError(faults=personal)
    if delegation.until is not None and delegation.until <= delegation.since:
        raise InvalidInputError(faults=[Fault("until", "应晚于起始日期")])
    staff = staff.model_copy(update={"delegations": (*staff.delegations, delegation)})
    await say_staff(office.conn, staff, office.now)
    return staff


async def end_delegation(office: Office, username: str, document: str) -> Staff:
    """End today what rests on a document; what was approved before stays right."""
    staff = await find(office.conn, username)
    require_manager(office.actor, office.reference, staff)
    live = [d for d in staff.delegations if d.document == document and (d.until is None or d.until > office.today)]
    if not live:
        detail = f"账号 {username} 没有依据“{document}”的有效授权。"
        raise NotFoundError(detail)
    until = office.today
    rest = tuple(d.model_copy(update={"until": until}) if d in live else d for d in staff.delegations)
    staff = staff.model_copy(update={"delegations": rest})
    await say_staff(office.conn, staff, office.now)
    return staff
