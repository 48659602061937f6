"""Accounts: from files, and one by one.

Operators manage the accounts within their part of the tree, and never end or change their own. A township's reviewer
may reset the accounts of villages and agency below. Secrets are told once, in the answer, and rest nowhere in clear.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import uuid_utils.compat

from services.contracts import privacy
from services.contracts.base import Role
from services.contracts.catalogue import Affair
from services.contracts.division import DivisionKind
from services.contracts.staff import ENDED_KEPT, Delegation, EndedSession, Reset, Staff, StaffRevision
from services.contracts.words import DIVISIONS
from services.kit import actions
from services.kit.db import Connection
from services.kit.errors import Fault, ForbiddenError, InvalidInputError, NotFoundError
from services.registry.bulk.staff import StaffRow
from services.registry.commands import passwords, second_factor
from services.registry.commands.namesakes import namesakes
from services.registry.commands.passwords import OneTime
from services.registry.commands.states import set_accounts
from services.registry.errors import OwnAccountError, SamePersonTwiceError, UsernameTakenError
from services.registry.store import credentials, references, sessions
from services.registry.visit import Changing

#: Ended sessions that an account's state names at most.
_MOST_ENDED: Final = 50
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
        return second_factor.enrolment(self.totp_secret, self.username) if self.totp_secret else None


# -- from files


async def hash_passwords(rows: Sequence[StaffRow]) -> list[credentials.Credential]:
    """Credentials of new accounts whose passwords a file states."""
    hashes = await asyncio.gather(*(passwords.hash_password(r.password) for r in rows))
    return [
        credentials.Credential(new_id(), row.username, secret, totp_secret=row.totp_secret)
        for row, secret in zip(rows, hashes, strict=True)
    ]


def new_id() -> str:
    """A new account's opaque id."""
    return str(uuid_utils.compat.uuid7())


async def set_staff(
    conn: Connection, rows: Sequence[StaffRow], fresh: Sequence[credentials.Credential], today: date, now: datetime
) -> int:
    """Add new accounts and change known ones as a file says; passwords and second factors of known ones stay.

    Returns how many changed.
    """
    if fresh:
        await credentials.insert_credentials(conn, fresh, now)
    await credentials.enrol(conn, {r.username: r.totp_secret for r in rows if r.totp_secret is not None}, now)
    accounts = await accounts_of(conn, rows)
    after = [with_row(known, staff_id, row, today, now) for row in rows for staff_id, known in [accounts[row.username]]]
    return await set_accounts(conn, [staff for staff in after if staff is not None], now)


async def accounts_of(conn: Connection, rows: Sequence[StaffRow]) -> dict[str, tuple[str, Staff | None]]:
    """Accounts that rows of a file name and that there are, by username: id and state, None when it was never set."""
    found = await credentials.select_accounts(conn, [r.username for r in rows])
    return {u: (i, Staff.model_validate_json(state) if state else None) for u, (i, state) in found.items()}


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


def _check_post(desk: Changing, post: Post) -> None:
    division = desk.reference.divisions.get(post.scope)
    if division is None:
        raise InvalidInputError(faults=[Fault("scope", f"没有代码为 {post.scope} 的区划")])
    if not desk.reference.covers(desk.actor.scope, post.scope):
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


async def _refuse_or_record_namesake(desk: Changing, staff: Staff, namesake: str | None) -> None:
    """Refuse an account by which one person would check themselves, by name and place; a stated reason goes to the trail."""
    others = desk.reference.staff.values()
    found = [n for n in namesakes(desk.reference, staff, others, desk.today) if n.refused]
    if not found:
        return
    if namesake is None:
        raise SamePersonTwiceError(faults=[Fault("namesake", f"{staff.username} {n.sentence}") for n in found])
    about = actions.Subject(f"staff/{staff.staff_id}: {namesake}")
    await actions.record(desk.conn, desk.actor.who, "staff namesake", desk.now, about)


async def create(desk: Changing, username: str, post: Post, one_time: OneTime) -> tuple[Staff, Secrets]:
    """Open an account; `one_time` is its first password and that one's hash."""
    _check_post(desk, post)
    await references.lock_registry(desk.conn)
    if await credentials.select_credential(desk.conn, username) is not None:
        raise UsernameTakenError
    staff_id = new_id()
    secret = second_factor.new_secret() if post.role in second_factor.TOTP_ROLES else None
    credential = credentials.Credential(staff_id, username, one_time.hash, totp_secret=secret, must_change=True)
    await credentials.insert_credentials(desk.conn, [credential], desk.now)
    revision = StaffRevision(since=desk.today, role=post.role, scope=post.scope, affairs=post.affairs)
    staff = Staff(
        staff_id=staff_id,
        username=username,
        name=post.name,
        revisions=(revision,),
        sessions_not_before=desk.now,
    )
    desk.about(staff)
    await _refuse_or_record_namesake(desk, staff, post.namesake)
    await set_accounts(desk.conn, [staff], desk.now)
    return staff, Secrets(username, one_time.password, secret)


async def change(desk: Changing, username: str, post: Post) -> tuple[Staff, Secrets]:
    """Another name, role, scope or affairs; an ended account is taken up again. A role that needs one gets a secret."""
    staff = await desk.lock_managed_account(username)
    _check_post(desk, post)
    last = staff.revisions[-1]
    if desk.is_own(staff) and (last.role, last.scope) != (post.role, post.scope):
        raise OwnAccountError
    changed = _with_post(staff, post, desk.today)
    if (changed.name, changed.revisions) != (staff.name, staff.revisions):
        await _refuse_or_record_namesake(desk, changed, post.namesake)
    secret = None
    credential = await credentials.select_credential(desk.conn, username)
    if post.role in second_factor.TOTP_ROLES and credential is not None and credential.totp_secret is None:
        secret = second_factor.new_secret()
        await credentials.set_totp(desk.conn, staff.staff_id, secret, desk.now)
    if changed != staff:
        await set_accounts(desk.conn, [changed], desk.now)
    return changed, Secrets(username, None, secret)


async def end(desk: Changing, username: str) -> Staff:
    """End an account today: no role from now on, every session void. Its history stays."""
    staff = await desk.lock_managed_account(username)
    if desk.is_own(staff):
        raise OwnAccountError
    return await end_unchecked(desk, staff)


async def end_unchecked(desk: Changing, staff: Staff) -> Staff:
    """End an account today without checking rights: `end` has checked them, the command on the machine itself may.

    Deletes its sessions and sets its last revision as ended; one that has ended before is returned as it is.
    """
    last = staff.revisions[-1]
    await sessions.delete_sessions_of(desk.conn, staff.staff_id)
    await sessions.forget_devices_of(desk.conn, staff.staff_id)
    if last.until is not None and last.until <= desk.today:
        return staff
    ended = (*staff.revisions[:-1], last.model_copy(update={"until": desk.today}))
    staff = staff.model_copy(update={"revisions": ended, "sessions_not_before": desk.now})
    await set_accounts(desk.conn, [staff], desk.now)
    return staff


async def revoke(desk: Changing, username: str) -> None:
    """Void every token and session of a person, everywhere, by event; NotFoundError for an unknown name."""
    staff = await desk.lock_managed_account(username)
    await void_sessions(desk.conn, staff.staff_id, desk.now)


async def load_staff(conn: Connection, staff_id: str) -> Staff | None:
    """An account as it stands in the database."""
    kept = await references.select_reference(conn, "staff", staff_id)
    return Staff.model_validate_json(kept) if kept else None


async def void_sessions(
    conn: Connection, staff_id: str, now: datetime, *, but: str | None = None, resets: Sequence[Reset] | None = None
) -> None:
    """Delete an account's sessions and set it with every token void up to now, in every service by event.

    The session `but` stays, and gets a new token as soon as its page asks; `resets` are set with it.
    """
    # An import that read the person before would set the old state after this one.
    await references.lock_registry(conn)
    staff = await load_staff(conn, staff_id)
    await sessions.delete_sessions_of(conn, staff_id, but=but)
    if staff is not None:
        changes: dict[str, object] = {"sessions_not_before": now, "ended_sessions": ()}
        if resets is not None:
            changes["resets"] = tuple(resets)
        await set_accounts(conn, [staff.model_copy(update=changes)], now)


async def end_tokens(conn: Connection, staff_id: str, session_id: str, now: datetime) -> None:
    """Void the tokens of one session, in every service by event, for as long as they could live."""
    await references.lock_registry(conn)
    staff = await load_staff(conn, staff_id)
    if staff is None:
        return
    kept = [e for e in staff.ended_sessions if e.at > now - ENDED_KEPT]
    if len(kept) >= _MOST_ENDED:
        # Nobody signs out so often; with all tokens void, pages in use ask for new ones.
        changes: dict[str, object] = {"sessions_not_before": now, "ended_sessions": ()}
    else:
        changes = {"ended_sessions": (*kept, EndedSession(session_id=session_id, at=now))}
    await set_accounts(conn, [staff.model_copy(update=changes)], now)


async def reset(desk: Changing, username: str, one_time: OneTime) -> Secrets:
    """A new one-time password, and a new second factor where there is one or must be; every session is void."""
    staff = await desk.lock_account(username)
    if desk.is_own(staff):
        detail = "不能重置自己的账号；改密码请到“我的账号”。"
        raise OwnAccountError(detail)
    if not desk.may_reset(staff):
        detail = f"您不能重置账号 {username}。"
        raise ForbiddenError(detail)
    return await reset_unchecked(desk, staff, one_time)


async def reset_unchecked(desk: Changing, staff: Staff, one_time: OneTime) -> Secrets:
    """Reset an account without checking rights: `reset` has checked them, the command on the machine itself may.

    Stores the password, a new second factor (or none) and the reset, forgets failures, voids every session.
    """
    conn, now = desk.conn, desk.now
    credential = await credentials.select_credential(conn, staff.username)
    needed = staff.revisions[-1].role in second_factor.TOTP_ROLES or (credential is not None and credential.totp_secret)
    secret = second_factor.new_secret() if needed else None
    await credentials.set_password(conn, staff.staff_id, one_time.hash, now, must_change=True)
    await credentials.set_totp(conn, staff.staff_id, secret, now)
    await credentials.forget_failures(conn, staff.username, f"own/{staff.username}")
    await sessions.forget_devices_of(conn, staff.staff_id)
    # Whoever did it could use the account until its owner chooses another password: everybody is to know.
    resets = (*staff.resets_since(now), Reset(by=desk.actor.staff_id, at=now))
    await void_sessions(conn, staff.staff_id, now, resets=resets)
    return Secrets(staff.username, one_time.password, secret)


async def delegate(desk: Changing, username: str, delegation: Delegation) -> Staff:
    """Put on record that somebody may both hand in and approve within a part of the tree, on a document."""
    staff = await desk.lock_managed_account(username)
    desk.actor.require_scope(desk.reference, delegation.scope)
    if desk.is_own(staff):
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
    await set_accounts(desk.conn, [staff], desk.now)
    return staff


async def end_delegation(desk: Changing, username: str, document: str) -> Staff:
    """End today what rests on a document; what was approved before stays right."""
    staff = await desk.lock_managed_account(username)
    live = [d for d in staff.delegations if d.document == document and (d.until is None or d.until > desk.today)]
    if not live:
        detail = f"账号 {username} 没有依据“{document}”的有效授权。"
        raise NotFoundError(detail)
    until = desk.today
    rest = tuple(d.model_copy(update={"until": until}) if d in live else d for d in staff.delegations)
    staff = staff.model_copy(update={"delegations": rest})
    await set_accounts(desk.conn, [staff], desk.now)
    return staff
