"""Files that operators bring through the site: what they would change, then the change, all of it or nothing."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from services.contracts.base import Role
from services.contracts.catalogue import CalendarYear, Item, ItemRevision, Profile, ProfileRevision
from services.contracts.staff import Staff
from services.kit import actions
from services.kit.errors import Fault, InvalidInputError
from services.kit.reference import Reference
from services.registry import store
from services.registry.bulk.catalogue import read_items
from services.registry.bulk.rows import FileFaultsError
from services.registry.bulk.staff import StaffRow, read_staff
from services.registry.commands import passwords
from services.registry.commands.namesakes import namesakes
from services.registry.commands.staff import Office, Secrets, misplaced, set_staff, with_row
from services.registry.commands.states import followed_by, same_content, set_calendar, set_items, set_profile

Read = TypeVar("Read")
#: A county's staff is some 1,500 accounts; a password hash takes 20 ms.
MAX_NEW_ACCOUNTS = 2000


def parsed(parse: Callable[[bytes], Read], data: bytes) -> Read:
    """Read a file; InvalidInputError names line and column of every fault."""
    try:
        return parse(data)
    except FileFaultsError as error:
        faults = [Fault(_place(f.line, f.column), f.message) for f in error.faults]
        detail = "文件有错误，什么都没有改动；请按提示修改后重新导入。"
        raise InvalidInputError(detail, faults=faults) from error


def stated(make: Callable[[], CalendarYear]) -> CalendarYear:
    """Make a year's calendar of fields; InvalidInputError names the field and the day of every fault."""
    try:
        return make()
    except FileFaultsError as error:
        raise InvalidInputError(faults=[Fault(f.column, f.message) for f in error.faults]) from error


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


async def plan_staff(office: Office, data: bytes) -> StaffPlan:
    """Read a staff file and compare it with the accounts there are; InvalidInputError with every fault."""
    office.actor.require(Role.OPERATOR)
    rows = parsed(lambda text: read_staff(text, may_be_blank=True), data)
    await store.lock_registry(office.conn)
    ids = await store.select_usernames(office.conn)
    new, changed, faults = [], [], []
    everybody = dict(office.reference.staff)
    touched: list[tuple[StaffRow, Staff]] = []
    for row in rows:
        kept = await store.select_reference(office.conn, "staff", ids[row.username]) if row.username in ids else None
        known = Staff.model_validate_json(kept) if kept else None
        after = with_row(known, ids.get(row.username, "new"), row, office.today, office.now)
        faults += _faults(office, row, known, after)
        if after is not None:
            key = known.staff_id if known is not None else row.username
            # Of a new account the id is not made yet; its name is as good here.
            everybody[key] = after.model_copy(update={"staff_id": key})
            touched.append((row, everybody[key]))
        if row.username not in ids:
            new.append(row.username)
        elif after is not None:
            changed.append(row.username)
    apart, warnings = _apart(office, touched, everybody.values())
    faults += apart
    if len(new) > MAX_NEW_ACCOUNTS:
        faults.append(Fault("line 1", f"一次最多新开 {MAX_NEW_ACCOUNTS} 个账号，这个文件有 {len(new)} 个，请拆分"))
    if faults:
        detail = "文件有错误，什么都没有改动；请按提示修改后重新导入。"
        raise InvalidInputError(detail, faults=faults)
    return StaffPlan(rows, new, changed, len(rows) - len(new) - len(changed), warnings)


def _faults(office: Office, row: StaffRow, known: Staff | None, after: Staff | None) -> list[Fault]:
    at, reference = _place(row.line, "scope"), office.reference
    division = reference.divisions.get(row.scope)
    if division is None:
        return [Fault(at, f"第 {row.line} 行：没有代码为 {row.scope} 的区划")]
    if not reference.covers(office.actor.scope, row.scope) or (
        known is not None and not reference.covers(office.actor.scope, known.revisions[-1].scope)
    ):
        return [Fault(at, f"第 {row.line} 行：账号 {row.username} 不在您的管辖范围内")]
    if (problem := misplaced(row.role, division.now.kind)) is not None:
        return [Fault(at, f"第 {row.line} 行：{problem}")]
    if known is not None and known.staff_id == office.actor.staff_id and after is not None:
        return [Fault(_place(row.line, "username"), f"第 {row.line} 行：不能用导入改变自己的账号，请删去这一行")]
    return []


def _apart(
    office: Office, touched: Sequence[tuple[StaffRow, Staff]], everybody: Iterable[Staff]
) -> tuple[list[Fault], list[str]]:
    """Rows that would make one person check themselves, and pairs of one name that are only told."""
    faults, warnings = [], []
    everybody = list(everybody)
    for row, staff in touched:
        for n in namesakes(office.reference, staff, everybody, office.today):
            if n.refused and row.namesake is None:
                message = f"第 {row.line} 行：{n.sentence}，同一个人不能既录入又监督；同名不同人的请填 namesake 一列"
                faults.append(Fault(_place(row.line, "name"), message))
            else:
                warnings.append(f"{row.username} {n.sentence}，请核对是不是同一个人")
    return faults, warnings


async def apply_staff(office: Office, plan: StaffPlan) -> list[Secrets]:
    """Do what was planned; what was made up for new accounts is told once."""
    fresh_rows = [r for r in plan.rows if r.username in set(plan.new)]
    made = [r.password or passwords.one_time_password() for r in fresh_rows]
    secrets = [
        r.totp_secret or (passwords.new_secret() if r.role in passwords.TOTP_ROLES else None) for r in fresh_rows
    ]
    hashes = await asyncio.gather(*(passwords.hashed(p) for p in made))
    fresh = [
        store.Credential(passwords.new_id(), r.username, h, totp_secret=s, must_change=True)
        for r, h, s in zip(fresh_rows, hashes, secrets, strict=True)
    ]
    await set_staff(office.conn, plan.rows, fresh, office.today, office.now)
    for row in plan.rows:
        if row.namesake is not None:
            about = actions.Subject(f"staff/{row.username}: {row.namesake}")
            await actions.record(office.conn, office.actor.who, "staff namesake", office.now, about)
    return [
        Secrets(r.username, None if r.password else p, None if r.totp_secret else s)
        for r, p, s in zip(fresh_rows, made, secrets, strict=True)
        if not r.password or (s is not None and not r.totp_secret)
    ]


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
    return parsed(lambda text: read_items(text, today), data)


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


async def apply_catalogue(office: Office, data: bytes) -> int:
    """Take a catalogue file over from today; returns how many items changed."""
    _require_whole_city(office)
    await store.lock_registry(office.conn)
    return await set_items(office.conn, read_catalogue(data, office.today), office.now)


async def put_profile(office: Office, code: str, revision: ProfileRevision) -> Profile:
    """A deadline profile from today on; its history stays."""
    _require_whole_city(office)
    await store.lock_registry(office.conn)
    kept = await store.select_reference(office.conn, "profile", code)
    revision = revision.model_copy(update={"since": office.today, "until": None})
    profile = Profile(code=code, revisions=(revision,))
    if kept is not None:
        known = Profile.model_validate_json(kept)
        if same_content(known.revisions[-1], revision):
            return known
        profile = Profile(code=code, revisions=followed_by(known.revisions, revision))
    await set_profile(office.conn, profile, office.now)
    return profile


async def put_calendar(office: Office, year: CalendarYear) -> CalendarYear:
    """State a year's working days; every due day that lies in it is worked out anew by whoever shows it."""
    _require_whole_city(office)
    actions.about(f"calendar:{year.year}")
    await store.lock_registry(office.conn)
    await set_calendar(office.conn, year, office.now)
    return year


def _require_whole_city(office: Office) -> None:
    """Catalogue and profiles hold for all, so only an operator of the whole city changes them."""
    office.actor.require(Role.OPERATOR)
    city = office.reference.city()
    if city is not None:
        office.actor.require_scope(office.reference, city.code)
