"""Accounts: listing, opening, changing, ending, resetting, delegations, the staff file."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query

from services.contracts.base import Role
from services.contracts.staff import Delegation, Staff
from services.contracts.values import DivisionCode, ShortText
from services.kit.listing import Cursor, Listing, Page
from services.kit.route import Route
from services.kit.visit import may
from services.registry.api.files import TAKES_CSV, CsvDep
from services.registry.commands import imports, passwords
from services.registry.commands import staff as accounts
from services.registry.commands.imports import StaffPlan
from services.registry.commands.namesakes import namesakes
from services.registry.commands.passwords import OneTime
from services.registry.commands.staff import Post, Secrets
from services.registry.schemas import (
    DelegationEndIn,
    DelegationIn,
    DelegationOut,
    ImportOut,
    NewUsername,
    PostIn,
    SecretsOut,
    StaffIn,
    StaffOut,
    StaffWithSecretsOut,
)
from services.registry.store import credentials
from services.registry.visit import MAY_MANAGE, MAY_RESET, CallerDep, Changing, ChangingDep, Reading, ReadingDep

router = APIRouter(prefix="/staff", route_class=Route, tags=["staff"])
ACCOUNTS: Final = Cursor[str](NewUsername)
Username = Annotated[str, Path(max_length=100, description="the account's username")]
#: Hashing takes time: as a dependency it stands before `ChangingDep`, whose transaction must not wait for it.
OneTimeDep = Annotated[OneTime, Depends(passwords.make_one_time)]


def staff_out(member: Staff, today: date, signed_in_at: datetime | None = None) -> StaffOut:
    """An account as it stands."""
    held, last = member.at(today), member.revisions[-1]
    return StaffOut(
        staff_id=member.staff_id,
        username=member.username,
        name=member.name,
        role=held.role if held else None,
        scope=held.scope if held else None,
        affairs=held.affairs if held else (),
        ended=None if held else last.until,
        delegations=[DelegationOut(**d.model_dump()) for d in member.delegations],
        signed_in_at=signed_in_at,
    )


def secrets_out(secrets: Secrets) -> SecretsOut:
    """A new password and second factor as they leave, once."""
    return SecretsOut.model_validate(secrets, from_attributes=True)


def choose_staff(desk: Reading, search: str | None, role: Role | None, scope: str | None) -> list[Staff]:
    """Accounts that somebody may see, by username: operators their part of the tree, reviewers whom they may reset."""
    covers = desk.reference.covers
    found = [s for s in desk.reference.staff.values() if covers(desk.actor.scope, s.revisions[-1].scope)]
    if desk.actor.role is Role.REVIEWER:
        found = [s for s in found if desk.may_reset(s)]
    if search:
        found = [s for s in found if search in s.username or search in (s.name or "")]
    if role is not None:
        found = [s for s in found if s.revisions[-1].role is role]
    if scope is not None:
        found = [s for s in found if covers(scope, s.revisions[-1].scope)]
    return sorted(found, key=lambda s: s.username)


async def staff_page(desk: Reading, page: Page[str], chosen: Sequence[Staff]) -> Listing[StaffOut]:
    """A page of accounts with their last sign-ins."""
    rest = [s for s in chosen if page.after is None or s.username > page.after]
    signed_in = await credentials.select_signed_in(desk.conn, [s.staff_id for s in rest[: page.limit]])
    return page.of(rest, lambda s: s.username, lambda s: staff_out(s, desk.today, signed_in.get(s.staff_id)))


@router.get("", dependencies=[may(*MAY_RESET)])
async def listed(
    desk: ReadingDep,
    page: Annotated[Page[str], Depends(ACCOUNTS)],
    search: Annotated[ShortText | None, Query(description="part of a username or name")] = None,
    role: Annotated[Role | None, Query(description="accounts that hold this role")] = None,
    scope: Annotated[DivisionCode | None, Query(description="within this part of the tree")] = None,
) -> Listing[StaffOut]:
    """Accounts by username; operators see their part of the tree, reviewers those whom they may reset."""
    return await staff_page(desk, page, choose_staff(desk, search, role, scope))


def _post(body: PostIn) -> Post:
    return Post(body.name, body.role, body.scope, body.affairs, body.namesake)


def warnings_of(desk: Reading, member: Staff) -> list[str]:
    """Accounts of the same name that reach the same village, in words."""
    found = namesakes(desk.reference, member, desk.reference.staff.values(), desk.today)
    return [f"{n.sentence}，请核对是不是同一个人" for n in found]


def _with_secrets(desk: Reading, member: Staff, secrets: Secrets) -> StaffWithSecretsOut:
    return StaffWithSecretsOut(
        staff=staff_out(member, desk.today), secrets=secrets_out(secrets), warnings=warnings_of(desk, member)
    )


@router.post("", status_code=201, dependencies=[may(*MAY_MANAGE)])
async def create(body: StaffIn, one_time: OneTimeDep, desk: ChangingDep) -> StaffWithSecretsOut:
    """Open an account; its one-time password (and second factor) is told here and never again."""
    return _with_secrets(desk, *await accounts.create(desk, body.username, _post(body), one_time))


@router.put("/{username}", dependencies=[may(*MAY_MANAGE)])
async def change(username: Username, body: PostIn, desk: ChangingDep) -> StaffWithSecretsOut:
    """Another name, role, scope or affairs; an ended account is taken up again."""
    return _with_secrets(desk, *await accounts.change(desk, username, _post(body)))


@router.post("/{username}/end", dependencies=[may(*MAY_MANAGE)])
async def end(username: Username, desk: ChangingDep) -> StaffOut:
    """End an account: no role from now on, every session void; its history stays."""
    return staff_out(await accounts.end(desk, username), desk.today)


@router.post("/{username}/reset", dependencies=[may(*MAY_RESET)])
async def reset(username: Username, one_time: OneTimeDep, desk: ChangingDep) -> SecretsOut:
    """A new one-time password, told here and never again; operators, and reviewers for those below them."""
    return secrets_out(await accounts.reset(desk, username, one_time))


@router.post("/{username}/revoke", status_code=204, dependencies=[may(*MAY_MANAGE)])
async def revoke(username: Username, desk: ChangingDep) -> None:
    """Void every token and session of a person; every service applies it as soon as it reads the event."""
    await accounts.revoke(desk, username)


@router.post("/{username}/delegations", status_code=201, dependencies=[may(*MAY_MANAGE)])
async def delegate(username: Username, body: DelegationIn, desk: ChangingDep) -> StaffOut:
    """Put on record that somebody may both hand in and approve within a part of the tree."""
    since = body.since or desk.today
    delegation = Delegation(since=since, until=body.until, scope=body.scope, document=body.document)
    return staff_out(await accounts.delegate(desk, username, delegation), desk.today)


@router.post("/{username}/delegations/end", dependencies=[may(*MAY_MANAGE)])
async def end_delegation(username: Username, body: DelegationEndIn, desk: ChangingDep) -> StaffOut:
    """End today what rests on a document."""
    return staff_out(await accounts.end_delegation(desk, username, body.document), desk.today)


@router.post("/imports", openapi_extra=TAKES_CSV, dependencies=[may(*MAY_MANAGE)])
async def import_file(
    data: CsvDep,
    caller: CallerDep,
    *,
    apply: Annotated[bool, Query(description="false: only tell what would change")] = False,
) -> ImportOut:
    """Read a staff file (CSV as the body): all of it or nothing; faults by line and column."""
    if apply:
        return import_out(*await imports.take_staff_file(caller, data))
    async with caller.changing(Changing) as desk:
        return import_out(await imports.plan_staff_file(desk, data))


def import_out(plan: StaffPlan, secrets: Sequence[Secrets] | None = None) -> ImportOut:
    """What a staff file would change; what it changed when there are secrets to tell, be it none."""
    return ImportOut(
        applied=secrets is not None,
        new=plan.new,
        changed=plan.changed,
        unchanged=plan.unchanged,
        secrets=[secrets_out(s) for s in secrets or ()],
        warnings=plan.warnings,
    )
