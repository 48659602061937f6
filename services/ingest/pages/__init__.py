"""The desk: lists by role, the entry form, one page per disclosure with the steps its reader may take."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.contracts.base import Role
from services.contracts.catalogue import ItemKind
from services.contracts.duties import periods_due
from services.contracts.values import period_bounds
from services.ingest import commands, store, workflow
from services.ingest.api import DeskDep, ReadingDeskDep, parse_body
from services.ingest.commands import Desk, Reason
from services.ingest.errors import FormTooPlainError, UnknownDisclosureError, WrongPeriodError
from services.ingest.pages.form import (
    ACCOUNT_WORDS,
    ACCOUNTS,
    DIRECTION_WORDS,
    MAX_ROWS,
    MORE_ROWS,
    Form,
    empty_form,
    form_of,
    holds,
    note_faults,
    read_form,
    to_body,
    whole,
)
from services.ingest.store import Filter
from services.ingest.workflow import Action, State
from services.kit.clock import local_day
from services.kit.errors import ConflictError, Fault, InvalidInputError, SanwuError
from services.kit.pages import Pages

router = APIRouter(prefix="/desk", include_in_schema=False)
STATIC = "/desk/static"
#: The plain desk enters this item; the API takes every ledger item.
ITEM = "F01"

STATES: Mapping[State, str] = {
    State.DRAFT: "草稿",
    State.SUBMITTED: "等待村监委会核对",
    State.CONFIRMED: "等待镇街审核",
    State.RETURNED: "已退回修改",
    State.APPROVED: "已审核，正在发布",
    State.PUBLISHED: "已公开",
    State.WITHDRAWN: "已撤回",
}
#: What waits for a role, for the first list of its desk.
_WAITING: Mapping[Role, tuple[State, ...]] = {
    Role.CLERK: (State.DRAFT, State.RETURNED),
    Role.SUPERVISOR: (State.SUBMITTED,),
    Role.REVIEWER: (State.CONFIRMED,),
}


def _page(request: Request, desk: Desk, template: str, *, status: int = 200, **values: Any) -> Response:
    pages: Pages = request.app.state.pages
    common = {"static": STATIC, "actor": desk.actor, "reference": desk.reference, "states": STATES}
    return pages.answer(template, status=status, **common, **values)


async def _fields(request: Request) -> dict[str, str]:
    async with request.form(max_fields=4000, max_files=0) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


@router.get("")
async def desk_page(request: Request, desk: ReadingDeskDep) -> Response:
    """What waits for me, what is missing, and everything of my part of the tree."""
    desk.actor.require(Role.CLERK, Role.SUPERVISOR, Role.REVIEWER, Role.OPERATOR)
    villages = [v.code for v in desk.reference.villages(desk.actor.scope)]
    waiting_states = [s.value for s in _WAITING.get(desk.actor.role, ())]
    waiting = await store.select_disclosures(desk.conn, Filter(villages, states=waiting_states, limit=200))
    recent = await store.select_disclosures(desk.conn, Filter(villages, limit=50))
    missing = await _missing(desk, villages) if desk.actor.role is Role.CLERK else []
    may_enter = desk.actor.role in workflow.ROLES[Action.SAVE]
    lists: dict[str, Any] = {"waiting": waiting, "recent": recent, "missing": missing}
    return _page(request, desk, "desk.html", **lists, may_enter=may_enter, entered=ITEM)


async def _missing(desk: Desk, villages: list[str]) -> list[tuple[str, str]]:
    """Cells whose period is over and that nobody has entered: item and period."""
    missing = []
    for village in villages:
        division, profile = desk.reference.duty_division(village), desk.reference.profile(village)
        for code, item in sorted(desk.reference.items.items()):
            if item.at(local_day(desk.now)).kind is not ItemKind.LEDGER:
                continue
            periods = periods_due(item, division, profile, desk.reference.calendar, desk.now)
            missing += [(code, p) for p in periods if await store.select_cell(desk.conn, village, code, p) is None]
    return missing


@router.get("/disclosures/new")
async def new(
    request: Request,
    desk: ReadingDeskDep,
    village: Annotated[str | None, Query(max_length=12)] = None,
    period: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """An empty form; a clerk's own village is filled in."""
    desk.actor.require(*workflow.ROLES[Action.SAVE])
    code = village or (desk.actor.scope if desk.actor.role is Role.CLERK else "")
    return _form(request, desk, empty_form(code, period), disclosure=None)


def _form(
    request: Request, desk: Desk, form: Form, *, disclosure: Any, status: int = 200, homeless: list[str] | None = None
) -> Response:
    villages = desk.reference.villages(desk.actor.scope)
    values = {"form": form, "disclosure": disclosure, "villages": villages}
    choices = {"accounts": [(a, ACCOUNT_WORDS[a]) for a in ACCOUNTS], "directions": DIRECTION_WORDS.items()}
    return _page(request, desk, "form.html", status=status, **values, **choices, homeless=homeless or [])


@router.post("/disclosures/new")
async def create(request: Request, desk: DeskDep) -> Response:
    """Keep the form as a draft; a wrong cell brings the form back with what was typed."""
    fields = await _fields(request)
    return await _kept(request, desk, fields, None)


async def _kept(request: Request, desk: Desk, fields: dict[str, str], disclosure: store.Disclosure | None) -> Response:
    form = read_form(fields)
    if fields.get("action") == "more":
        rows = min(len(form.rows) + MORE_ROWS, MAX_ROWS)
        return _form(request, desk, read_form({**fields, "rows": str(rows)}), disclosure=disclosure)
    try:
        saved = await _save_form(desk, form, disclosure, fields.get("version", ""))
    except InvalidInputError as error:
        homeless = note_faults(form, [(f.at, f.message) for f in error.faults])
        return _form(request, desk, form, disclosure=disclosure, status=error.status, homeless=homeless)
    return RedirectResponse(f"/desk/disclosures/{saved.disclosure.id}", 303)


async def _save_form(desk: Desk, form: Form, disclosure: store.Disclosure | None, version: str) -> commands.Saved:
    raw = to_body(form)
    if raw is None:
        raise InvalidInputError
    body = parse_body(raw)
    if disclosure is None:
        try:
            period_bounds(form.period)
        except ValueError as error:
            raise WrongPeriodError(faults=[Fault("period", str(error))]) from error
        return await commands.create(desk, form.village, ITEM, form.period, body)
    return await commands.save(desk, disclosure.id, whole(version) or 0, body)


async def _found(desk: Desk, disclosure_id: UUID) -> store.Disclosure:
    found = await store.select_disclosure(desk.conn, disclosure_id)
    if found is None:
        raise UnknownDisclosureError
    desk.actor.require_scope(desk.reference, found.village_code)
    return found


@router.get("/disclosures/{disclosure_id}")
async def disclosure_page(request: Request, disclosure_id: UUID, desk: ReadingDeskDep) -> Response:
    """One disclosure: its content, its findings, and the steps its reader may take."""
    return await _show(request, desk, await _found(desk, disclosure_id))


async def _show(request: Request, desk: Desk, d: store.Disclosure, *, error: SanwuError | None = None) -> Response:
    edition = await store.select_edition(desk.conn, d.id, d.edition)
    found = await commands.findings_of(desk, d, edition) if edition else ()
    actions = [a.value for a in workflow.actions_for(desk.actor.role, d.state)]
    values = {"d": d, "edition": edition, "findings": found, "actions": actions, "error": error}
    words = {"account_words": ACCOUNT_WORDS, "direction_words": DIRECTION_WORDS}
    return _page(request, desk, "disclosure.html", status=error.status if error else 200, **values, **words)


@router.get("/disclosures/{disclosure_id}/edit")
async def edit(request: Request, disclosure_id: UUID, desk: ReadingDeskDep) -> Response:
    """The form with the present content."""
    found = await _found(desk, disclosure_id)
    edition = await store.select_edition(desk.conn, found.id, found.edition)
    if edition is None:
        raise UnknownDisclosureError
    if not holds(edition.body):
        raise FormTooPlainError
    return _form(request, desk, form_of(found.village_code, found.period, edition.body), disclosure=found)


@router.post("/disclosures/{disclosure_id}/edit")
async def save(request: Request, disclosure_id: UUID, desk: DeskDep) -> Response:
    """Keep the form as the next version."""
    return await _kept(request, desk, await _fields(request), await _found(desk, disclosure_id))


@router.post("/disclosures/{disclosure_id}/{action}")
async def step(request: Request, disclosure_id: UUID, action: Action, desk: DeskDep) -> Response:
    """One step by a button; what stands in its way comes back on the page."""
    fields = await _fields(request)
    version = whole(fields.get("version", "")) or 0
    try:
        await _take(desk, disclosure_id, version, action, fields)
    except (InvalidInputError, ConflictError) as error:
        return await _show(request, desk, await _found(desk, disclosure_id), error=error)
    return RedirectResponse(f"/desk/disclosures/{disclosure_id}", 303)


async def _take(desk: Desk, disclosure_id: UUID, version: int, action: Action, fields: dict[str, str]) -> None:
    reason = fields.get("reason", "").strip()
    if action in {Action.RETURN, Action.WITHDRAW} and not reason:
        detail = "请写明原因。"
        raise InvalidInputError(detail)
    match action:
        case Action.SUBMIT:
            await commands.submit(desk, disclosure_id, version, _reasons(fields))
        case Action.CONFIRM:
            await commands.confirm(desk, disclosure_id, version)
        case Action.APPROVE:
            await commands.approve(desk, disclosure_id, version)
        case Action.RETURN:
            await commands.send_back(desk, disclosure_id, version, reason)
        case Action.WITHDRAW:
            await commands.withdraw(desk, disclosure_id, version, reason)
        case Action.SAVE:
            detail = "请在填写页上保存。"
            raise InvalidInputError(detail)


def _reasons(fields: Mapping[str, str]) -> list[Reason]:
    """Reasons typed beside findings: fields `reason|code|at`."""
    given = []
    for name, text in fields.items():
        kind, _, place = name.partition("|")
        code, _, at = place.partition("|")
        if kind == "reason" and at and text.strip():
            given.append(Reason(code, at, text.strip()))
    return given
