"""Administration of accounts on pages: the same commands as the API's."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from services.contracts.base import Role
from services.contracts.catalogue import Affair
from services.contracts.staff import Delegation
from services.contracts.values import DivisionCode, ShortText
from services.kit.errors import InvalidInputError
from services.kit.pages import BlankIsNone
from services.kit.web import ActorDep, Reading, RuntimeDep, Transaction
from services.registry import store
from services.registry.api.staff import (
    Username,
    chosen_staff,
    office_of,
    secrets_out,
    staff_out,
    take_file,
    warnings_of,
)
from services.registry.commands import passwords
from services.registry.commands import staff as accounts
from services.registry.commands.staff import Post
from services.registry.pages.frame import page
from services.registry.schemas import NewUsername

router = APIRouter(prefix="/admin")
PAGE_SIZE = 100


class Filters(BaseModel):
    """What the list is narrowed to; blank fields narrow nothing."""

    search: Annotated[ShortText | None, BlankIsNone] = None
    role: Annotated[Role | None, BlankIsNone] = None
    scope: Annotated[DivisionCode | None, BlankIsNone] = None
    after: Annotated[ShortText | None, BlankIsNone] = None


class PostForm(BaseModel):
    """What somebody is to be."""

    name: Annotated[ShortText | None, BlankIsNone] = None
    role: Role
    scope: DivisionCode
    affairs: tuple[Affair, ...] = ()
    namesake: Annotated[ShortText | None, BlankIsNone] = None

    def post(self) -> Post:
        """The form as the commands want it."""
        return Post(self.name, self.role, self.scope, self.affairs, self.namesake)


class NewForm(PostForm):
    """A new account."""

    username: NewUsername


class DelegationForm(BaseModel):
    """A document that lets somebody both hand in and approve."""

    scope: DivisionCode
    document: ShortText
    until: Annotated[date | None, BlankIsNone] = None


@router.get("")
async def start() -> Response:
    """The first page of the administration."""
    return RedirectResponse("/admin/staff", 303)


@router.get("/staff")
async def listed(
    request: Request, runtime: RuntimeDep, actor: ActorDep, conn: Reading, filters: Annotated[Filters, Query()]
) -> Response:
    """Accounts with role, scope and last sign-in; below, a form for a new one."""
    found = chosen_staff(runtime, actor, filters.search, filters.role, filters.scope)
    rest = [s for s in found if filters.after is None or s.username > filters.after]
    shown = rest[:PAGE_SIZE]
    signed_in = await store.select_signed_in(conn, [s.staff_id for s in shown])
    return page(
        request,
        actor,
        "staff_list.html",
        filters=filters,
        count=len(found),
        accounts=[staff_out(s, runtime, signed_in) for s in shown],
        places={c: d.now.name for c, d in runtime.reference.divisions.items()},
        more=shown[-1].username if len(rest) > PAGE_SIZE else None,
    )


@router.post("/staff")
async def create(
    request: Request, runtime: RuntimeDep, actor: ActorDep, conn: Transaction, form: Annotated[NewForm, Form()]
) -> Response:
    """Open an account and show its one-time password, once."""
    office = await office_of(runtime, actor, conn)
    member, secrets = await accounts.create(office, form.username, form.post(), await passwords.one_time())
    warnings = warnings_of(runtime, member)
    return page(request, actor, "secrets.html", secrets=[secrets_out(secrets)], warnings=warnings)


@router.get("/staff/{username}")
async def one(
    username: Username, request: Request, runtime: RuntimeDep, actor: ActorDep, conn: Transaction
) -> Response:
    """An account with everything that may be done to it."""
    actor.require(Role.OPERATOR, Role.REVIEWER)
    member = await accounts.find(conn, username)
    resettable = accounts.may_reset(actor, runtime.reference, member)
    if actor.role is Role.OPERATOR:
        accounts.require_manager(actor, runtime.reference, member)
    elif not resettable:
        actor.require(Role.OPERATOR)
    signed_in = await store.select_signed_in(conn, [member.staff_id])
    account = staff_out(member, runtime, signed_in)
    manages = actor.role is Role.OPERATOR
    last = member.revisions[-1]
    return page(
        request,
        actor,
        "staff_one.html",
        account=account,
        member=member,
        last=last,
        manages=manages,
        resettable=resettable,
        warnings=warnings_of(runtime, member),
        resets=[(runtime.reference.name_of(r.by), r.at) for r in member.resets_since(runtime.clock.now())],
    )


@router.post("/staff/{username}/change")
async def change(
    username: Username,
    request: Request,
    runtime: RuntimeDep,
    actor: ActorDep,
    conn: Transaction,
    form: Annotated[PostForm, Form()],
) -> Response:
    """Another name, role, scope or affairs."""
    _, secrets = await accounts.change(await office_of(runtime, actor, conn), username, form.post())
    if secrets.totp_secret is not None:
        return page(request, actor, "secrets.html", secrets=[secrets_out(secrets)])
    return _back(username)


def _back(username: str) -> Response:
    return RedirectResponse(f"/admin/staff/{username}", 303)


@router.post("/staff/{username}/end")
async def end(username: Username, runtime: RuntimeDep, actor: ActorDep, conn: Transaction) -> Response:
    """End an account."""
    await accounts.end(await office_of(runtime, actor, conn), username)
    return _back(username)


@router.post("/staff/{username}/revoke")
async def revoke(username: Username, runtime: RuntimeDep, actor: ActorDep, conn: Transaction) -> Response:
    """Void every session of somebody."""
    await accounts.revoke(await office_of(runtime, actor, conn), username)
    return _back(username)


@router.post("/staff/{username}/reset")
async def reset(
    username: Username, request: Request, runtime: RuntimeDep, actor: ActorDep, conn: Transaction
) -> Response:
    """Show a new one-time password, once."""
    secrets = await accounts.reset(await office_of(runtime, actor, conn), username, await passwords.one_time())
    return page(request, actor, "secrets.html", secrets=[secrets_out(secrets)])


@router.post("/staff/{username}/delegations")
async def delegate(
    username: Username, runtime: RuntimeDep, actor: ActorDep, conn: Transaction, form: Annotated[DelegationForm, Form()]
) -> Response:
    """Put a delegation on record, from today."""
    office = await office_of(runtime, actor, conn)
    delegation = Delegation(since=office.today, until=form.until, scope=form.scope, document=form.document)
    await accounts.delegate(office, username, delegation)
    return _back(username)


@router.post("/staff/{username}/delegations/end")
async def end_delegation(
    username: Username, runtime: RuntimeDep, actor: ActorDep, conn: Transaction, document: Annotated[ShortText, Form()]
) -> Response:
    """End today what rests on a document."""
    await accounts.end_delegation(await office_of(runtime, actor, conn), username, document)
    return _back(username)


@router.get("/import")
async def import_form(request: Request, actor: ActorDep) -> Response:
    """Choose a staff file."""
    actor.require(Role.OPERATOR)
    return page(request, actor, "staff_import.html", result=None, error=None, text="")


@router.post("/import")
async def import_file(
    request: Request,
    runtime: RuntimeDep,
    actor: ActorDep,
    conn: Transaction,
    file: Annotated[UploadFile | None, File()] = None,
    text: Annotated[str, Form()] = "",
) -> Response:
    """Show what a staff file would change, with every fault."""
    data = await file.read() if file is not None and file.size else text.encode()
    office = await office_of(runtime, actor, conn)
    try:
        result = await take_file(office, data, apply=False)
    except InvalidInputError as error:
        return page(request, actor, "staff_import.html", result=None, error=error, text="")
    return page(request, actor, "staff_import.html", result=result, error=None, text=data.decode("utf-8-sig"))


@router.post("/import/apply")
async def apply_file(
    request: Request, runtime: RuntimeDep, actor: ActorDep, conn: Transaction, text: Annotated[str, Form()]
) -> Response:
    """Take a staff file whole; what was made up for new accounts is shown once."""
    result = await take_file(await office_of(runtime, actor, conn), text.encode(), apply=True)
    return page(request, actor, "staff_import.html", result=result, error=None, text="")
