"""Entering: the form of an item, pasting, last month's shape, drafts, two people on one draft."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.contracts.bodies import Body
from services.contracts.catalogue import ItemKind, ItemRevision
from services.contracts.duties import publishing_holder
from services.contracts.values import Frequency
from services.ingest import store
from services.ingest.api import DeskDep, ReadingDeskDep, parse_body
from services.ingest.commands.attachments import attach
from services.ingest.commands.desk import (
    Desk,
    chain_notes,
    chain_of,
    duty_of,
    item_of,
    require_reach,
    require_right,
    visible_edition,
)
from services.ingest.commands.entering import correct, create, create_nil, discard, save
from services.ingest.errors import (
    FormTooPlainError,
    UnknownDisclosureError,
)
from services.ingest.pages import forms
from services.ingest.pages.compare import Change, changes
from services.ingest.pages.exchange import exchange_of
from services.ingest.pages.forms import Form
from services.ingest.pages.forms.paste import paste
from services.ingest.pages.forms.shape import same_shape
from services.ingest.pages.frame import (
    ENTERING,
    checked_period,
    needed,
    refused,
    render,
    texts,
    texts_and_file,
    to,
    whole,
)
from services.ingest.pages.kept import KeptRoute
from services.ingest.store import Disclosure
from services.ingest.workflow import Action, State, allows, enters
from services.kit.errors import ConflictError, InvalidInputError, SanwuError

router = APIRouter(route_class=KeptRoute)


def dump(body: Body) -> dict[str, Any]:
    """A body as the forms take it."""
    return body.model_dump(mode="json", exclude_none=True)


@router.get("/new")
async def choose(
    request: Request, desk: ReadingDeskDep, village: Annotated[str, Query(max_length=12)] = ""
) -> Response:
    """Choose village, item and period: on-event items, earlier periods (补录), whatever the to-do does not name."""
    desk.actor.require(*ENTERING)
    villages = desk.reference.villages(desk.actor.scope)
    items = [
        (code, i.revisions[-1]) for code, i in sorted(desk.reference.items.items()) if _mine(desk, i.revisions[-1])
    ]
    return render(
        request, desk, "choose.html", villages=villages, village=village, items=items, on_event=Frequency.ON_EVENT
    )


def _mine(desk: Desk, item: ItemRevision) -> bool:
    is_within = not desk.actor.affairs or item.affair in desk.actor.affairs
    return is_within and enters(desk.actor.role, publishing_holder(item))


@router.get("/form")
async def new(
    request: Request,
    desk: ReadingDeskDep,
    village: Annotated[str, Query(max_length=12)],
    item: Annotated[str, Query(max_length=3)],
    period: Annotated[str, Query(max_length=10)],
    shape: Annotated[str, Query(max_length=1)] = "",
) -> Response:
    """The form of an empty cell, or the draft that stands in it."""
    desk.actor.require(*ENTERING)
    checked_period(period.strip())
    village, item, period = village.strip(), item.strip(), period.strip()
    duty_of(desk, village, item, period)
    revision = item_of(desk, item, period)
    require_reach(desk, village, revision)
    require_right(desk, Action.SAVE, revision)
    taken = await store.select_cell(desk.conn, village, item, period)
    if taken is not None:
        return to(f"/desk/disclosures/{taken.id}")
    last = await store.select_last_body(desk.conn, village, item, period)
    if shape and last is not None:
        form = forms.form_of(item, revision, (village, period), same_shape(dump(last)))
    else:
        form = forms.read_form(item, revision, {"village": village, "period": period, **_balances(last)})
    notes = await chain_notes(desk, village, item, period) if revision.kind is ItemKind.LEDGER else []
    return await _form(request, desk, form, None, has_last=last is not None and not shape, notes=notes)


def _balances(last: Body | None) -> dict[str, str]:
    """A ledger begins with the closings of an earlier period, whether or not its lines are wanted."""
    if last is None or last.kind != "ledger":
        return {"accounts.0.account": "库存现金", "accounts.1.account": "银行存款"} if last is None else {}
    found = {}
    for n, account in enumerate(last.accounts):
        found[f"accounts.{n}.account"] = forms.account_words(account.account)
        found[f"accounts.{n}.opening_fen"] = forms.to_yuan(account.closing_fen)
    return {**found, "accounts.~count": str(len(last.accounts) + 1)}


async def _form_values(desk: Desk, form: Form, disclosure: Disclosure | None, **more: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "form": form,
        "disclosure": disclosure,
        "notes": [],
        "has_last": False,
        "unsaved": None,
        "note": "",
        "exchange": await exchange_of(desk, disclosure, form) if disclosure is not None else [],
    }
    return {**values, "row_field": forms.row_field, "keep_field": forms.keep_field, **more}


async def _form(request: Request, desk: Desk, form: Form, disclosure: Disclosure | None, **more: Any) -> Response:
    return render(request, desk, "form.html", **await _form_values(desk, form, disclosure, **more))


# -- the present content ------------------------------------------------------------------------------------------


@router.get("/disclosures/{disclosure_id}/edit")
async def edit(request: Request, disclosure_id: UUID, desk: ReadingDeskDep) -> Response:
    """The form with the present content."""
    desk.actor.require(*ENTERING)
    found = await found_for(desk, disclosure_id)
    require_right(desk, Action.SAVE, item_of(desk, found.item, found.period))
    if not allows(found.state, Action.SAVE) and not allows(found.state, Action.CORRECT):
        return to(f"/desk/disclosures/{found.id}")
    edition = await visible_edition(desk, found, found.edition)
    if edition is None:
        raise UnknownDisclosureError
    if edition.body.row_count > forms.MAX_FORM_ROWS:
        raise FormTooPlainError
    form = forms.form_of(
        found.item, item_of(desk, found.item, found.period), (found.village_code, found.period), dump(edition.body)
    )
    if found.state is State.RETURNED:
        forms.note_faults(
            form, [(n.at, f"退回：{n.reason}") for n in await store.select_note_lines(desk.conn, found.id)]
        )
    note = edition.note or "" if found.published_edition else ""
    notes = [f.message for f in await chain_of(desk, found, edition)]
    return await _form(request, desk, form, found, note=note, notes=notes)


async def found_for(desk: Desk, disclosure_id: UUID) -> Disclosure:
    """A disclosure in one's own part of the tree and of the affairs."""
    found = await store.select_disclosure(desk.conn, disclosure_id)
    if found is None:
        raise UnknownDisclosureError
    require_reach(desk, found.village_code, item_of(desk, found.item, found.period))
    return found


# -- what comes in ------------------------------------------------------------------------------------------------


@router.post("/form")
async def post_form(request: Request, desk: DeskDep) -> Response:
    """Every button of the form; whatever is wrong comes back with what was typed."""
    return await _pressed(request, desk, await texts(request))


async def _pressed(request: Request, desk: Desk, fields: Mapping[str, str]) -> Response:
    desk.actor.require(*ENTERING)
    period = checked_period(fields.get("period", "").strip())
    item, village = fields.get("item", "").strip(), fields.get("village", "").strip()
    form = forms.read_form(item, item_of(desk, item, period), fields)
    require_reach(desk, village, item_of(desk, item, period))
    require_right(desk, Action.SAVE, item_of(desk, item, period))
    disclosure = await _of_form(desk, fields, form)
    verb, _, path = fields.get("action", "save").partition(":")
    if verb == "more" and path in form.counts:
        forms.add_rows(form, path)
    elif verb == "paste" and path in form.counts:
        notes = paste(form, path, fields.get(f"{path}.~paste", ""))
        forms.to_body(form)
        return await _form(
            request, desk, form, disclosure, notes=notes or ["已带入，请核对。"], note=fields.get("note", "")
        )
    elif verb != "columns":
        return await _save(request, desk, form, disclosure, fields)
    return await _form(request, desk, form, disclosure, note=fields.get("note", ""))


async def _of_form(desk: Desk, fields: Mapping[str, str], form: Form) -> Disclosure | None:
    """The disclosure that the form is about: the one it was opened from, or the one that now stands in its cell."""
    try:
        disclosure_id = UUID(fields.get("id", ""))
    except ValueError:
        return await store.select_cell(desk.conn, form.village, form.item, form.period)
    return await found_for(desk, disclosure_id)


async def _save(
    request: Request, desk: Desk, form: Form, disclosure: Disclosure | None, fields: Mapping[str, str]
) -> Response:
    version, note = whole(fields.get("version", "")), fields.get("note", "").strip() or None
    if disclosure is not None and version != disclosure.edition:
        raise refused(request, desk, "conflict.html", status=409, **await _conflict(desk, form, disclosure, note))
    try:
        saved = await _keep(desk, form, disclosure, note)
    except (InvalidInputError, ConflictError) as error:
        forms.note_faults(form, [(f.at, f.message) for f in error.faults])
        if not error.faults and not form.faults:
            form.homeless.append(error.detail)
        values = await _form_values(desk, form, disclosure, note=note or "")
        raise refused(request, desk, "form.html", status=error.status, **values) from error
    return to(f"/desk/disclosures/{saved.id}")


async def _keep(desk: Desk, form: Form, disclosure: Disclosure | None, note: str | None) -> Disclosure:
    raw = forms.to_body(form)
    if raw is None:
        raise InvalidInputError
    body = parse_body(raw)
    if disclosure is None:
        return (await create(desk, form.village, form.item, form.period, body)).disclosure
    if allows(disclosure.state, Action.CORRECT):
        return (await correct(desk, disclosure.id, disclosure.edition, note, body)).disclosure
    return (await save(desk, disclosure.id, disclosure.edition, body, note)).disclosure


async def _conflict(desk: Desk, form: Form, theirs: Disclosure, note: str | None) -> dict[str, Any]:
    """What stands now beside what was typed."""
    edition = await store.select_edition(desk.conn, theirs.id, theirs.edition)
    difference: list[Change] = []
    if edition is not None:
        revision = item_of(desk, theirs.item, theirs.period)
        now = forms.form_of(theirs.item, revision, (theirs.village_code, theirs.period), dump(edition.body))
        difference = changes(now, form)
    staff = desk.reference.staff.get(theirs.saved_by)
    who = (staff.name or staff.username) if staff is not None else "另一位同事"
    return {"form": form, "theirs": theirs, "difference": difference, "who": who, "note": note or ""}


@router.post("/attachments")
async def post_attachment(request: Request, desk: DeskDep) -> Response:
    """A file for the form that is being filled in; the form comes back with it and with all that was typed."""
    fields, name, data = await texts_and_file(request)
    desk.actor.require(*ENTERING)
    period = checked_period(fields.get("period", "").strip())
    revision = item_of(desk, fields.get("item", ""), period)
    form = forms.read_form(fields.get("item", ""), revision, fields)
    # Before anything of the cell is shown again.
    require_reach(desk, form.village, revision)
    require_right(desk, Action.SAVE, revision)
    disclosure = await _of_form(desk, fields, form)
    values = await _form_values(desk, form, disclosure, note=fields.get("note", ""))
    try:
        if not data:
            raise InvalidInputError("请先选择文件，再点“上传附件”。")  # noqa: EM101 - one place
        made = await attach(desk, desk.objects, form.village, data)
    except SanwuError as error:
        form.homeless += [f.message for f in error.faults] or [error.detail]
        raise refused(request, desk, "form.html", status=error.status, **values) from error
    grid = form.grid("attachments")
    n = form.counts["attachments"]
    form.counts["attachments"] = n + 1
    form.values[f"{grid.path}.{n}.digest"] = made.digest
    form.values[f"{grid.path}.{n}.title"] = fields.get("upload-title", "").strip() or name or "附件"
    return render(request, desk, "form.html", **{**values, "notes": ["附件已上传。保存草稿后才算数。"]})


@router.post("/nil")
async def nil(request: Request, desk: DeskDep) -> Response:
    """One tap: nothing happened in this period; the page that comes is the draft to hand in."""
    fields = await texts(request)
    period = checked_period(fields.get("period", "").strip())
    saved = await create_nil(desk, fields.get("village", ""), fields.get("item", ""), period)
    return to(f"/desk/disclosures/{saved.disclosure.id}")


@router.post("/disclosures/{disclosure_id}/discard")
async def give_up(request: Request, disclosure_id: UUID, desk: DeskDep) -> Response:
    """Give a draft up; of a correction the published edition stays."""
    fields = await texts(request)
    needed(fields, "sure", "请先勾选“确定作废”。")
    after = await discard(desk, disclosure_id, whole(fields.get("version", "")))
    return to(f"/desk/disclosures/{after.id}" if after is not None else "/desk")
