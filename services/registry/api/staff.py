"""Accounts: listing, opening, changing, ending, resetting, delegations, the staff file."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from services.contracts.base import Role
from services.contracts.staff import Delegation, Staff
from services.contracts.values import DivisionCode, ShortText
from services.kit.clock import local_day
from services.kit.runtime import Runtime
from services.kit.web import ActorDep, PageDep, Reading, RuntimeDep, Transaction
from services.registry import store
from services.registry.commands import imports, passwords
from services.registry.commands import staff as accounts
from services.registry.commands.namesakes import namesakes
from services.registry.commands.staff import Office, Post, Secrets
from services.registry.schemas import (
    DelegationEndIn,
    DelegationIn,
    DelegationOut,
    ImportOut,
    PostIn,
    SecretsOut,
    StaffIn,
    StaffOut,
    StaffWithSecretsOut,
)

router = APIRouter(prefix="/staff")
Username = Annotated[str, Path(max_length=100)]


async def office_of(runtime: RuntimeDep, actor: ActorDep, conn: Transaction) -> Office:
    """One change of accounts."""
    now = runtime.clock.now()
    return Office(conn, runtime.reference, actor, now, local_day(now))


def staff_out(member: Staff, runtime: Runtime, signed_in: dict[str, Any] | None = None) -> StaffOut:
    """An account as it stands."""
    today = local_day(runtime.clock.now())
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
        signed_in_at=(signed_in or {}).get(member.staff_id),
    )


def secrets_out(secrets: Secrets) -> SecretsOut:
    """What is told once."""
    return SecretsOut(
        username=secrets.username,
        one_time_password=secrets.one_time_password,
        totp_secret=secrets.totp_secret,
        totp_uri=secrets.totp_uri,
    )


def chosen_staff(runtime: Runtime, actor: Any, search: str | None, role: Role | None, scope: str | None) -> list[Staff]:
    """Accounts that somebody may see, by username: operators their part of the tree, reviewers whom they may reset."""
    actor.require(Role.OPERATOR, Role.REVIEWER)
    ref = runtime.reference
    found = [s for s in ref.staff.values() if ref.covers(actor.scope, s.revisions[-1].scope)]
    if actor.role is Role.REVIEWER:
        found = [s for s in found if accounts.may_reset(actor, ref, s)]
    if search:
        found = [s for s in found if search in s.username or search in (s.name or "")]
    if role is not None:
        found = [s for s in found if s.revisions[-1].role is role]
    if scope is not None:
        found = [s for s in found if ref.covers(scope, s.revisions[-1].scope)]
    return sorted(found, key=lambda s: s.username)


@router.get("")
async def listed(  # noqa: PLR0917 - filters of the query
    runtime: RuntimeDep,
    actor: ActorDep,
    page: PageDep,
    conn: Reading,
    search: Annotated[ShortText | None, Query(description="part of a username or name")] = None,
    role: Annotated[Role | None, Query()] = None,
    scope: Annotated[DivisionCode | None, Query(description="within this part of the tree")] = None,
) -> dict[str, Any]:
    """Accounts by username; operators see their part of the tree, reviewers those whom they may reset."""
    everybody = chosen_staff(runtime, actor, search, role, scope)
    chosen = [s for s in everybody if page.after is None or s.username > page.after]
    signed_in = await store.select_signed_in(conn, [s.staff_id for s in chosen[: page.limit]])
    items = [staff_out(s, runtime, signed_in) for s in chosen[: page.limit]]
    return page.answer(items, items[-1].username if len(chosen) > page.limit else None)


def _post(body: PostIn) -> Post:
    return Post(body.name, body.role, body.scope, body.affairs, body.namesake)


def warnings_of(runtime: Runtime, member: Staff) -> list[str]:
    """Accounts of the same name that reach the same village, in words."""
    today = local_day(runtime.clock.now())
    found = namesakes(runtime.reference, member, runtime.reference.staff.values(), today)
    return [f"{n.sentence}，请核对是不是同一个人" for n in found]


def _with_secrets(runtime: Runtime, member: Staff, secrets: Secrets) -> StaffWithSecretsOut:
    return StaffWithSecretsOut(
        staff=staff_out(member, runtime), secrets=secrets_out(secrets), warnings=warnings_of(runtime, member)
    )


@router.post("", status_code=201)
async def create(body: StaffIn, runtime: RuntimeDep, actor: ActorDep, conn: Transaction) -> StaffWithSecretsOut:
    """Open an account; its one-time password (and second factor) is told here and never again."""
    office = await office_of(runtime, actor, conn)
    member, secrets = await accounts.create(office, body.username, _post(body), await passwords.one_time())
    return _with_secrets(runtime, member, secrets)


@router.put("/{username}")
async def change(
    username: Username, body: PostIn, runtime: RuntimeDep, actor: ActorDep, conn: Transaction
) -> StaffWithSecretsOut:
    """Another name, role, scope or affairs; an ended account is taken up again."""
    office = await office_of(runtime, actor, conn)
    member, secrets = await accounts.change(office, username, _post(body))
    return _with_secrets(runtime, member, secrets)


@router.post("/{username}/end")
async def end(username: Username, runtime: RuntimeDep, actor: ActorDep, conn: Transaction) -> StaffOut:
    """End an account: no role from now on, every session void; its history stays."""
    return staff_out(await accounts.end(await office_of(runtime, actor, conn), username), runtime)


@router.post("/{username}/reset")
async def reset(username: Username, runtime: RuntimeDep, actor: ActorDep, conn: Transaction) -> SecretsOut:
    """A new one-time password, told here and never again; operators, and reviewers for those below them."""
    return secrets_out(
        await accounts.reset(await office_of(runtime, actor, conn), username, await passwords.one_time())
    )


@router.post("/{username}/revoke", status_code=204)
async def revoke(username: Username, runtime: RuntimeDep, actor: ActorDep, conn: Transaction) -> Response:
    """Void every token and session of a person; every service applies it as soon as it reads the event."""
    actor.require(Role.OPERATOR)
    await accounts.revoke(await office_of(runtime, actor, conn), username)
    return Response(status_code=204)


@router.post("/{username}/delegations", status_code=201)
async def delegate(
    username: Username, body: DelegationIn, runtime: RuntimeDep, actor: ActorDep, conn: Transaction
) -> StaffOut:
    """Put on record that somebody may both hand in and approve within a part of the tree."""
    office = await office_of(runtime, actor, conn)
    delegation = Delegation(
        since=body.since or office.today, until=body.until, scope=body.scope, document=body.document
    )
    return staff_out(await accounts.delegate(office, username, delegation), runtime)


@router.post("/{username}/delegations/end")
async def end_delegation(
    username: Username, body: DelegationEndIn, runtime: RuntimeDep, actor: ActorDep, conn: Transaction
) -> StaffOut:
    """End today what rests on a document."""
    office = await office_of(runtime, actor, conn)
    return staff_out(await accounts.end_delegation(office, username, body.document), runtime)


@router.post("/imports")
async def import_file(
    request: Request,
    runtime: RuntimeDep,
    actor: ActorDep,
    conn: Transaction,
    *,
    apply: Annotated[bool, Query(description="false: only tell what would change")] = False,
) -> ImportOut:
    """Read a staff file (CSV as the body): all of it or nothing; faults by line and column."""
    return await take_file(await office_of(runtime, actor, conn), await request.body(), apply=apply)


async def take_file(office: Office, data: bytes, *, apply: bool) -> ImportOut:
    """What a staff file changes; with `apply`, change it. New accounts without a password get one, told once."""
    plan = await imports.plan_staff(office, data)
    secrets: list[Secrets] = await imports.apply_staff(office, plan) if apply else []
    return ImportOut(
        applied=apply,
        new=plan.new,
        changed=plan.changed,
        unchanged=plan.unchanged,
        secrets=[secrets_out(s) for s in secrets],
        warnings=plan.warnings,
    )
