"""Files that operators bring through the site: what they would change, then the change, all of it or nothing."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeVar

from services.contracts.catalogue import CalendarYear, Item, ItemRevision, Profile, ProfileRevision
from services.contracts.staff import Staff
from services.kit import actions
from services.kit.errors import Fault, InvalidInputError
from services.kit.reference import Reference
from services.registry.bulk.catalogue import read_items
from services.registry.bulk.days import checked_year, read_calendar, read_days
from services.registry.bulk.rows import FileFaultsError
from services.registry.bulk.staff import StaffRow, read_staff
from services.registry.commands import passwords, second_factor
from services.registry.commands.namesakes import namesakes, plain_name
from services.registry.commands.staff import Secrets, accounts_of, misplaced, new_id, set_staff, with_row
from services.registry.commands.states import followed_by, same_content, set_calendar, set_items, set_profile
from services.registry.store import credentials, references
from services.registry.visit import Caller, Changing, Reading

Read = TypeVar("Read")
#: A county's staff is some 1,500 accounts; a password hash takes 20 ms.
MAX_NEW_ACCOUNTS = 2000
#: Of any file; who reads it reads line after line while others wait.
MAX_LINES: Final = 10_000
_NOTHING_TAKEN: Final = "文件有错误，什么都没有改动；请按提示修改后重新导入。"


def _read(parse: Callable[[bytes], Read], data: bytes) -> Read:
    """Read a file; InvalidInputError names line and column of every fault, or how many lines are too many."""
    if (lines := data.count(b"\n")) > MAX_LINES:
        message = f"文件有 {lines} 行，最多 {MAX_LINES} 行，请拆分后分次导入。"
        raise InvalidInputError(message, faults=[Fault("file", message)])
    try:
        return parse(data)
    except FileFaultsError as error:
        faults = [Fault(_place(f.line, f.column), f.message) for f in error.faults]
        raise InvalidInputError(_NOTHING_TAKEN, faults=faults) from error


def _place(line: int, column: str) -> str:
    return f"line {line}, {column}" if column else f"line {line}"


# -- staff


@dataclass(frozen=True, slots=True)
class StaffPlan:
    """What a staff file would do, by usernames."""

    rows: list[StaffRow]
    new: list[str]
    changed: list[str]
    unchanged: int
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account that a file opens, ready to be written. `told`: what was made up for it, None when nothing was."""

    credential: credentials.Credential
    told: Secrets | None


def read_staff_file(data: bytes) -> list[StaffRow]:
    """Rows of a staff file; InvalidInputError names line and column of every fault."""
    return _read(lambda text: read_staff(text, may_be_blank=True), data)


async def plan_staff(desk: Reading, rows: list[StaffRow]) -> StaffPlan:
    """Compare a staff file with the accounts there are; InvalidInputError with every fault."""
    accounts = await accounts_of(desk.conn, rows)
    new, changed, faults = [], [], []
    everybody = dict(desk.reference.staff)
    touched: list[tuple[StaffRow, Staff]] = []
    for row in rows:
        staff_id, known = accounts.get(row.username, ("new", None))
        after = with_row(known, staff_id, row, desk.today, desk.now)
        faults += _faults(desk, row, known, after)
        if after is not None:
            key = known.staff_id if known is not None else row.username
            # Of a new account the id is not made yet; its name is as good here.
            everybody[key] = after.model_copy(update={"staff_id": key})
            touched.append((row, everybody[key]))
        if row.username not in accounts:
            new.append(row.username)
        elif after is not None:
            changed.append(row.username)
    apart, warnings = _apart(desk, touched, everybody.values())
    faults += apart
    if len(new) > MAX_NEW_ACCOUNTS:
        faults.append(Fault("line 1", f"一次最多新开 {MAX_NEW_ACCOUNTS} 个账号，这个文件有 {len(new)} 个，请拆分"))
    if faults:
        raise InvalidInputError(_NOTHING_TAKEN, faults=faults)
    return StaffPlan(rows, new, changed, len(rows) - len(new) - len(changed), warnings)


def _faults(desk: Reading, row: StaffRow, known: Staff | None, after: Staff | None) -> list[Fault]:
    at, reference = _place(row.line, "scope"), desk.reference
    division = reference.divisions.get(row.scope)
    if division is None:
        return [Fault(at, f"第 {row.line} 行：没有代码为 {row.scope} 的区划")]
    if not reference.covers(desk.actor.scope, row.scope) or (
        known is not None and not reference.covers(desk.actor.scope, known.revisions[-1].scope)
    ):
        return [Fault(at, f"第 {row.line} 行：账号 {row.username} 不在您的管辖范围内")]
    if (problem := misplaced(row.role, division.now.kind)) is not None:
        return [Fault(at, f"第 {row.line} 行：{problem}")]
    if known is not None and known.staff_id == desk.actor.staff_id and after is not None:
        return [Fault(_place(row.line, "username"), f"第 {row.line} 行：不能用导入改变自己的账号，请删去这一行")]
    return []


def _apart(
    desk: Reading, touched: Sequence[tuple[StaffRow, Staff]], everybody: Iterable[Staff]
) -> tuple[list[Fault], list[str]]:
    """Rows that would make one person check themselves, and pairs of one name that are only told."""
    faults, warnings = [], []
    by_name: dict[str, list[Staff]] = {}
    for other in everybody:
        by_name.setdefault(plain_name(other.name), []).append(other)
    for row, staff in touched:
        for n in namesakes(desk.reference, staff, by_name[plain_name(staff.name)], desk.today):
            if n.refused and row.namesake is None:
                message = f"第 {row.line} 行：{n.sentence}，同一个人不能既录入又监督；同名不同人的请填 namesake 一列"
                faults.append(Fault(_place(row.line, "name"), message))
            else:
                warnings.append(f"{row.username} {n.sentence}，请核对是不是同一个人")
    return faults, warnings


async def take_staff_file(caller: Caller, data: bytes) -> tuple[StaffPlan, list[Secrets]]:
    """Take a staff file whole; what was made up for new accounts is told once."""
    rows = read_staff_file(data)
    async with caller.reading(Reading) as desk:
        plan = await plan_staff(desk, rows)
    made = await make_accounts(plan)
    async with caller.changing(Changing) as desk:
        actions.about(file_of(data))
        told = await apply_staff(desk, plan, made)
        await _record_accounts(desk, told[0])
    return told


async def _record_accounts(desk: Changing, plan: StaffPlan) -> None:
    """Put into the trail, beside the file, each account that it opened or changed."""
    found = await accounts_of(desk.conn, [r for r in plan.rows if r.username in {*plan.new, *plan.changed}])
    things = sorted(f"staff/{staff_id}" for staff_id, _ in found.values())
    await actions.record_all(desk.conn, desk.actor.who, "staff file", desk.now, things)


def file_of(data: bytes) -> str:
    """How the trail calls a file: by the beginning of its SHA-256."""
    return f"file/{hashlib.sha256(data).hexdigest()[:16]}"


async def plan_staff_file(desk: Changing, data: bytes) -> StaffPlan:
    """Tell what a staff file would change, with every fault; nothing is changed."""
    actions.about(file_of(data))
    return await plan_staff(desk, read_staff_file(data))


async def make_accounts(plan: StaffPlan) -> dict[str, NewAccount]:
    """Make what a plan's new accounts need, by username. Some 20 ms each, so it comes before the transaction."""
    new = set(plan.new)
    made = await asyncio.gather(*(_make_account(row) for row in plan.rows if row.username in new))
    return {account.credential.username: account for account in made}


async def _make_account(row: StaffRow) -> NewAccount:
    password = None if row.password else passwords.one_time_password()
    needs_secret = row.totp_secret is None and row.role in second_factor.TOTP_ROLES
    secret = second_factor.new_secret() if needs_secret else None
    credential = credentials.Credential(
        new_id(),
        row.username,
        await passwords.hash_password(password or row.password),
        totp_secret=secret or row.totp_secret,
        must_change=True,
    )
    return NewAccount(credential, Secrets(row.username, password, secret) if password or secret else None)


async def apply_staff(
    desk: Changing, plan: StaffPlan, made: Mapping[str, NewAccount]
) -> tuple[StaffPlan, list[Secrets]]:
    """Do what was planned. Accounts may have changed since then, so it is planned anew while nobody else changes them.

    What was made for a username that somebody else has opened meanwhile is dropped: the row changes that account.
    """
    await references.lock_registry(desk.conn)
    plan = await plan_staff(desk, plan.rows)
    fresh = [made[username] for username in plan.new]
    await set_staff(desk.conn, plan.rows, [f.credential for f in fresh], desk.today, desk.now)
    others = [f"staff/{row.username}: {row.namesake}" for row in plan.rows if row.namesake is not None]
    await actions.record_all(desk.conn, desk.actor.who, "staff namesake", desk.now, others)
    return plan, [f.told for f in fresh if f.told is not None]


# -- catalogue and profiles


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of an item that a file states otherwise; `before` is None for a new item."""

    item: str
    field: str
    before: Any
    after: Any


def read_catalogue(data: bytes, today: date) -> list[Item]:
    """Items of a catalogue file; InvalidInputError names line and column of every fault."""
    return _read(lambda text: read_items(text, today), data)


def differences(reference: Reference, items: list[Item]) -> list[Difference]:
    """What a catalogue file would change. Items that it leaves out stay as they are."""
    found = []
    for item in items:
        known = reference.items.get(item.code)
        before: Mapping[str, Any] = _content(known.revisions[-1]) if known else {}
        after = _content(item.revisions[-1])
        found += [
            Difference(item.code, name, before.get(name), v) for name, v in after.items() if before.get(name) != v
        ]
    return found


def _content(revision: ItemRevision) -> dict[str, Any]:
    return revision.model_dump(mode="json", exclude={"since", "until"})


async def apply_catalogue(desk: Changing, data: bytes) -> int:
    """Take a catalogue file over from today; returns how many items changed."""
    actions.about(file_of(data))
    await desk.lock_whole_city()
    return await set_items(desk.conn, read_catalogue(data, desk.today), desk.now)


async def put_profile(desk: Changing, code: str, revision: ProfileRevision) -> Profile:
    """A deadline profile from today on; its history stays."""
    actions.about(f"profile/{code}")
    await desk.lock_whole_city()
    kept = await references.select_reference(desk.conn, "profile", code)
    revision = revision.model_copy(update={"since": desk.today, "until": None})
    profile = Profile(code=code, revisions=(revision,))
    if kept is not None:
        known = Profile.model_validate_json(kept)
        if same_content(known.revisions[-1], revision):
            return known
        profile = Profile(code=code, revisions=followed_by(known.revisions, revision))
    await set_profile(desk.conn, profile, desk.now)
    return profile


# -- a year of working days


def read_calendar_file(data: bytes, year: int, source: str) -> CalendarYear:
    """A year's calendar from a file; InvalidInputError names line and column of every fault."""
    return _read(lambda text: read_calendar(text, year, source), data)


def make_year(year: int, days_off: Iterable[date], worked: Iterable[date], source: str) -> CalendarYear:
    """A year's calendar of its days; InvalidInputError names the field and the day of every fault."""
    try:
        return checked_year(year, days_off, worked, source)
    except FileFaultsError as error:
        raise _by_field(error) from error


def read_year(year: int, days_off: str, worked: str, source: str) -> CalendarYear:
    """A year's calendar of days and spans in words; InvalidInputError names the field and the day of every fault."""
    try:
        off, work = read_days(days_off, year, "days_off"), read_days(worked, year, "working_weekends")
    except FileFaultsError as error:
        raise _by_field(error) from error
    return make_year(year, off, work, source)


def _by_field(error: FileFaultsError) -> InvalidInputError:
    return InvalidInputError(faults=[Fault(f.column, f.message) for f in error.faults])


async def put_calendar(desk: Changing, year: CalendarYear) -> CalendarYear:
    """State a year's working days; every due day that lies in it is worked out anew by whoever shows it."""
    actions.about(f"calendar/{year.year}")
    await desk.lock_whole_city()
    await set_calendar(desk.conn, year, desk.now)
    return year
