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
from services.kit.listing import Page
from services.kit.pages import BlankIsNone
from services.kit.route import Route
from services.kit.visit import may
from services.registry.api.staff import (
    ACCOUNTS,
    OneTimeDep,
    Username,
    choose_staff,
    import_out,
    secrets_out,
    staff_out,
    staff_page,
    warnings_of,
)
from services.registry.commands import imports
from services.registry.commands import staff as accounts
from services.registry.commands.staff import Post
from services.registry.pages.frame import page
from services.registry.schemas import NewUsername
from services.registry.store import credentials
from services.registry.visit import MAY_MANAGE, MAY_RESET, CallerDep, ChangingDep, ReadingDep

router = APIRouter(prefix="/admin", route_class=Route)
PAGE_SIZE = 100


class Filters(BaseModel):
    """What the list is narrowed to; blank fields narrow nothing."""

    search: Annotated[ShortText | None, BlankIsNone] = None
    role: Annotated[Role | None, BlankIsNone] = None
    scope: Annotated[DivisionCode | None, BlankIsNone] = None
    cursor: Annotated[ShortText | None, BlankIsNone] = None


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
    """A new account as it is typed: its post and its username."""

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


@router.get("/staff", dependencies=[may(*MAY_RESET)])
async def list_staff(request: Request, desk: ReadingDep, filters: Annotated[Filters, Query()]) -> Response:
    """Accounts with role, scope and last sign-in; below, a form for a new one."""
    found = choose_staff(desk, filters.search, filters.role, filters.scope)
    after = ACCOUNTS.place(filters.cursor) if filters.cursor is not None else None
    shown = await staff_page(desk, Page(PAGE_SIZE, after, ACCOUNTS), found)
    return page(
        request,
        desk,
        "staff_list.html",
        filters=filters,
        count=len(found),
        accounts=shown.items,
        places={c: d.now.name for c, d in desk.reference.divisions.items()},
        more=shown.next,
    )


@router.post("/staff", dependencies=[may(*MAY_MANAGE)])
async def create(
    request: Request, one_time: OneTimeDep, desk: ChangingDep, form: Annotated[NewForm, Form()]
) -> Response:
    """Open an account and show its one-time password, once."""
    member, secrets = await accounts.create(desk, form.username, form.post(), one_time)
    return page(request, desk, "secrets.html", secrets=[secrets_out(secrets)], warnings=warnings_of(desk, member))


@router.get("/staff/{username}", dependencies=[may(*MAY_RESET)])
async def one(username: Username, request: Request, desk: ReadingDep) -> Response:
    """An account with everything that may be done to it."""
    member = await desk.account(username)
    resettable = desk.may_reset(member)
    if not resettable:
        desk.actor.require(Role.OPERATOR)
    desk.require_reach(member)
    signed_in = await credentials.select_signed_in(desk.conn, [member.staff_id])
    return page(
        request,
        desk,
        "staff_one.html",
        account=staff_out(member, desk.today, signed_in.get(member.staff_id)),
        member=member,
        last=member.revisions[-1],
        manages=desk.actor.role is Role.OPERATOR,
        resettable=resettable,
        warnings=warnings_of(desk, member),
        resets=[(desk.reference.name_of(r.by), r.at) for r in member.resets_since(desk.now)],
    )


@router.post("/staff/{username}/change", dependencies=[may(*MAY_MANAGE)])
async def change(
    username: Username, request: Request, desk: ChangingDep, form: Annotated[PostForm, Form()]
) -> Response:
    """Another name, role, scope or affairs."""
    _, secrets = await accounts.change(desk, username, form.post())
    if secrets.totp_secret is not None:
        return page(request, desk, "secrets.html", secrets=[secrets_out(secrets)])
    return _back(username)


def _back(username: str) -> Response:
    return RedirectResponse(f"/admin/staff/{username}", 303)


@router.post("/staff/{username}/end", dependencies=[may(*MAY_MANAGE)])
async def end(username: Username, desk: ChangingDep) -> Response:
    """End an account today and void its sessions; back to its page."""
    await accounts.end(desk, username)
    return _back(username)


@router.post("/staff/{username}/revoke", dependencies=[may(*MAY_MANAGE)])
async def revoke(username: Username, desk: ChangingDep) -> Response:
    """Void every session of somebody."""
    await accounts.revoke(desk, username)
    return _back(username)


@router.post("/staff/{username}/reset", dependencies=[may(*MAY_RESET)])
async def reset(username: Username, request: Request, one_time: OneTimeDep, desk: ChangingDep) -> Response:
    """Show a new one-time password, once."""
    secrets = await accounts.reset(desk, username, one_time)
    return page(request, desk, "secrets.html", secrets=[secrets_out(secrets)])


@router.post("/staff/{username}/delegations", dependencies=[may(*MAY_MANAGE)])
async def delegate(username: Username, desk: ChangingDep, form: Annotated[DelegationForm, Form()]) -> Response:
    """Put a delegation on record, from today."""
    delegation = Delegation(since=desk.today, until=form.until, scope=form.scope, document=form.document)
    await accounts.delegate(desk, username, delegation)
    return _back(username)


@router.post("/staff/{username}/delegations/end", dependencies=[may(*MAY_MANAGE)])
async def end_delegation(username: Username, desk: ChangingDep, document: Annotated[ShortText, Form()]) -> Response:
    """End today what rests on a document."""
    await accounts.end_delegation(desk, username, document)
    return _back(username)


@router.get("/import", dependencies=[may(*MAY_MANAGE)])
async def import_form(request: Request, caller: CallerDep) -> Response:
    """The form that takes a staff file, as a file or pasted."""
    return page(request, caller, "staff_import.html", result=None, error=None, text="")


@router.post("/import", dependencies=[may(*MAY_MANAGE)])
async def import_file(
    request: Request,
    desk: ChangingDep,
    file: Annotated[UploadFile | None, File()] = None,
    text: Annotated[str, Form()] = "",
) -> Response:
    """Show what a staff file would change, with every fault."""
    data = await file.read() if file is not None and file.size else text.encode()
    try:
        result = import_out(await imports.plan_staff_file(desk, data))
    except InvalidInputError as error:
        return page(request, desk, "staff_import.html", result=None, error=error, text="")
    return page(request, desk, "staff_import.html", result=result, error=None, text=data.decode("utf-8-sig"))


@router.post("/import/apply", dependencies=[may(*MAY_MANAGE)])
async def apply_file(request: Request, caller: CallerDep, text: Annotated[str, Form()]) -> Response:
    """Take a staff file whole; what was made up for new accounts is shown once."""
    result = import_out(*await imports.take_staff_file(caller, text.encode()))
    return page(request, caller, "staff_import.html", result=result, error=None, text="")
