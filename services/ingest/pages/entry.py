"""Entering: the form of an item, pasting, last month's shape, drafts, two people on one draft."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from services.contracts.bodies import Body
from services.contracts.catalogue import ItemKind, ItemRevision
from services.contracts.duties import publishing_holder
from services.contracts.values import Frequency
from services.ingest import forms
from services.ingest.commands.attachments import attach
from services.ingest.commands.doubts import offer_notices
from services.ingest.commands.entering import correct, create, create_nil, discard, parse_body, save
from services.ingest.commands.findings import Content, chain_notes, chain_of, look_at
from services.ingest.errors import (
    FormTooPlainError,
    UnknownDisclosureError,
)
from services.ingest.forms import Form
from services.ingest.forms.paste import paste
from services.ingest.forms.shape import SHAPED, same_shape
from services.ingest.pages.compare import Change, changes
from services.ingest.pages.exchange import exchange_of
from services.ingest.pages.frame import (
    ENTERING,
    FieldsDep,
    UploadDep,
    checked_period,
    needed,
    refusal_page,
    render,
    to,
    whole,
)
from services.ingest.pages.kept import KeptRoute
from services.ingest.pages.same_day import another_of, begun, same_day
from services.ingest.store.cells import select_cell, select_last_body
from services.ingest.store.disclosures import Disclosure, select_edition, select_note_lines
from services.ingest.visit import CallerDep, Changing, ChangingDep, Reading, ReadingDep
from services.ingest.workflow import RIGHTS, Action, State, allows, enters
from services.kit.errors import ConflictError, InvalidInputError, SanwuError
from services.kit.visit import may

router = APIRouter(route_class=KeptRoute)


def dump(body: Body) -> dict[str, Any]:
    """A body as the forms take it."""
    return body.model_dump(mode="json", exclude_none=True)


@router.get("/new", dependencies=[may(*ENTERING)])
async def choose(request: Request, desk: ReadingDep, village: Annotated[str, Query(max_length=12)] = "") -> Response:
    """Choose village, item and period: on-event items, earlier periods (补录), whatever the to-do does not name."""
    villages = desk.reference.villages(desk.actor.scope)
    items = [
        (code, i.revisions[-1]) for code, i in sorted(desk.reference.items.items()) if _mine(desk, i.revisions[-1])
    ]
    return render(
        request, desk, "choose.html", villages=villages, village=village, items=items, on_event=Frequency.ON_EVENT
    )


def _mine(desk: Reading, item: ItemRevision) -> bool:
    is_within = not desk.actor.affairs or item.affair in desk.actor.affairs
    return is_within and enters(desk.actor.role, publishing_holder(item))


@router.get("/form", dependencies=[may(*ENTERING)])
async def new(
    request: Request,
    desk: ReadingDep,
    village: Annotated[str, Query(max_length=12)],
    item: Annotated[str, Query(max_length=3)],
    period: Annotated[str, Query(max_length=10)],
    shape: Annotated[str, Query(max_length=1)] = "",
    *,
    another: Annotated[str, Query(max_length=36)] = "",
    as_kind: Annotated[str, Query(alias="as", max_length=10)] = "",
) -> Response:
    """The form of an empty cell, or the draft that stands in it."""
    checked_period(period.strip())
    village, item, period = village.strip(), item.strip(), period.strip()
    desk.duty(village, item, period)
    revision = desk.item(item, period)
    desk.require_entering(village, revision)
    taken = await select_cell(desk.conn, village, item, period)
    if taken is not None and another_of(another) is None:
        return await same_day(request, desk, (village, item, period)) or to(f"/desk/disclosures/{taken.id}")
    last = await select_last_body(desk.conn, village, item, period)
    if shape and last is not None:
        form = forms.form_of(item, revision, (village, period), same_shape(dump(last)))
        form.values["another"] = another
    else:
        form = forms.read_form(
            item, revision, {"village": village, "period": period, "another": another, "as": as_kind, **_balances(last)}
        )
    notes = await chain_notes(desk, village, item, period) if revision.kind is ItemKind.LEDGER else []
    return await _form(request, desk, form, None, has_last=not shape and _has_shape(form, last), notes=notes)


def _has_shape(form: Form, last: Body | None) -> bool:
    """Tell whether an earlier content has a shape that this form can take over."""
    return last is not None and last.kind in SHAPED and last.kind == form.spec.kind and not form.spec.is_tender


def _balances(last: Body | None) -> dict[str, str]:
    """A ledger begins with the closings of an earlier period, whether or not its lines are wanted."""
    if last is None or last.kind != "ledger":
        return {"accounts.0.account": "库存现金", "accounts.1.account": "银行存款"} if last is None else {}
    found = {}
    for n, account in enumerate(last.accounts):
        found[f"accounts.{n}.account"] = forms.account_words(account.account)
        found[f"accounts.{n}.opening_fen"] = forms.to_yuan(account.closing_fen)
    return {**found, "accounts.~count": str(len(last.accounts) + 1)}


async def _form_values(desk: Reading, form: Form, disclosure: Disclosure | None, **more: Any) -> dict[str, Any]:
    await offer_notices(desk, form)
    values: dict[str, Any] = {
        "form": form,
        "may_tender": disclosure is None
        and not form.spec.is_tender
        and forms.may_tender(desk.item(form.item, form.period)),
        "disclosure": disclosure,
        "notes": [],
        "has_last": False,
        "unsaved": None,
        "note": "",
        "exchange": await exchange_of(desk, disclosure, form) if disclosure is not None else [],
    }
    return {**values, "row_field": forms.row_field, "keep_field": forms.keep_field, **more}


async def _form(request: Request, desk: Reading, form: Form, disclosure: Disclosure | None, **more: Any) -> Response:
    return render(request, desk, "form.html", **await _form_values(desk, form, disclosure, **more))


# -- the present content ------------------------------------------------------------------------------------------


@router.get("/disclosures/{disclosure_id}/edit", dependencies=[may(*ENTERING)])
async def edit(request: Request, disclosure_id: UUID, desk: ReadingDep) -> Response:
    """The form with the present content."""
    found = await desk.disclosure(disclosure_id)
    desk.require_right(Action.SAVE, desk.item_of(found))
    if not allows(found.state, Action.SAVE) and not allows(found.state, Action.CORRECT):
        return to(f"/desk/disclosures/{found.id}")
    edition = await desk.visible_edition(found, found.edition)
    if edition is None:
        raise UnknownDisclosureError
    if edition.body.row_count > forms.MAX_FORM_ROWS:
        raise FormTooPlainError
    form = forms.form_of(found.item, desk.item_of(found), (found.village_code, found.period), dump(edition.body))
    if found.state is State.RETURNED:
        forms.note_faults(form, [(n.at, f"退回：{n.reason}") for n in await select_note_lines(desk.conn, found.id)])
    note = edition.note or "" if found.published_edition else ""
    notes = [f.message for f in await chain_of(desk, found, edition)]
    return await _form(request, desk, form, found, note=note, notes=notes)


# -- what comes in ------------------------------------------------------------------------------------------------


class _Posted(NamedTuple):
    """Fields of the form, and what is to be saved with the personal data in it; None when nothing is, or it cannot be read."""

    fields: Mapping[str, str]
    content: Content | None


async def _look_at_fields(fields: FieldsDep, caller: CallerDep) -> _Posted:
    """Look for personal data before the transaction begins."""
    try:
        period = checked_period(fields.get("period", "").strip())
        item = fields.get("item", "").strip()
        form = forms.read_form(item, caller.item(item, period), fields)
        return _Posted(fields, await look_at(_body_of(form)) if _pressed(form, fields).verb == "save" else None)
    except SanwuError:
        # Told by the form, which is read once more within the transaction.
        return _Posted(fields, None)


class _Button(NamedTuple):
    verb: str
    path: str = ""


def _pressed(form: Form, fields: Mapping[str, str]) -> _Button:
    """Which button of the form was pressed; whatever it does not know saves."""
    verb, _, path = fields.get("action", "save").partition(":")
    known = verb == "columns" or (verb in {"more", "paste"} and path in form.counts)
    return _Button(verb, path) if known else _Button("save")


def _body_of(form: Form) -> Body:
    raw = forms.to_body(form)
    if raw is None:
        raise InvalidInputError
    return parse_body(raw)


@router.post("/form", dependencies=[may(*ENTERING)])
async def post_form(
    request: Request, posted: Annotated[_Posted, Depends(_look_at_fields)], desk: ChangingDep
) -> Response:
    """Every button of the form; whatever is wrong comes back with what was typed."""
    fields = posted.fields
    period = checked_period(fields.get("period", "").strip())
    item, village = fields.get("item", "").strip(), fields.get("village", "").strip()
    form = forms.read_form(item, desk.item(item, period), fields)
    desk.require_entering(village, desk.item(item, period))
    disclosure = await _of_form(desk, fields, form)
    verb, path = _pressed(form, fields)
    if verb == "more":
        forms.add_rows(form, path)
    elif verb == "paste":
        notes = paste(form, path, fields.get(f"{path}.~paste", ""))
        forms.to_body(form)
        return await _form(
            request, desk, form, disclosure, notes=notes or ["已带入，请核对。"], note=fields.get("note", "")
        )
    elif verb == "save":
        return await _save(request, desk, form, disclosure, posted)
    return await _form(request, desk, form, disclosure, note=fields.get("note", ""))


async def _of_form(desk: Reading, fields: Mapping[str, str], form: Form) -> Disclosure | None:
    """The disclosure that the form is about: the one it was opened from, or the one that now stands in its cell."""
    try:
        disclosure_id = UUID(fields.get("id", ""))
    except ValueError:
        return await begun(desk, fields, form)
    return await desk.disclosure(disclosure_id)


async def _save(
    request: Request, desk: Changing, form: Form, disclosure: Disclosure | None, posted: _Posted
) -> Response:
    version, note = whole(posted.fields.get("version", "")), posted.fields.get("note", "").strip() or None
    if disclosure is not None and version != disclosure.edition:
        raise refusal_page(request, desk, "conflict.html", status=409, **await _conflict(desk, form, disclosure, note))
    try:
        saved = await _keep(desk, form, disclosure, note, posted.content)
    except (InvalidInputError, ConflictError) as error:
        forms.note_faults(form, [(f.at, f.message) for f in error.faults])
        if not error.faults and not form.faults:
            form.homeless.append(error.detail)
        values = await _form_values(desk, form, disclosure, note=note or "")
        raise refusal_page(request, desk, "form.html", status=error.status, **values) from error
    return to(f"/desk/disclosures/{saved.id}")


async def _keep(
    desk: Changing, form: Form, disclosure: Disclosure | None, note: str | None, looked: Content | None
) -> Disclosure:
    body = _body_of(form)
    content = looked if looked is not None and looked.body == body else await look_at(body)
    if disclosure is None:
        another = another_of(form.value("another"))
        return (await create(desk, form.village, form.item, form.period, content, another)).disclosure
    if allows(disclosure.state, Action.CORRECT):
        return (await correct(desk, disclosure.id, disclosure.edition, note, content)).disclosure
    return (await save(desk, disclosure.id, disclosure.edition, content, note)).disclosure


async def _conflict(desk: Reading, form: Form, theirs: Disclosure, note: str | None) -> dict[str, Any]:
    """What stands now beside what was typed."""
    edition = await select_edition(desk.conn, theirs.id, theirs.edition)
    difference: list[Change] = []
    if edition is not None:
        revision = desk.item_of(theirs)
        now = forms.form_of(theirs.item, revision, (theirs.village_code, theirs.period), dump(edition.body))
        difference = await asyncio.to_thread(changes, now, form)
    who = desk.reference.name_of(theirs.saved_by)
    return {"form": form, "theirs": theirs, "difference": difference, "who": who, "note": note or ""}


# Not for supervisors, who may hand files in by the API: on the desk their photograph of a sheet comes by `/sheets`.
@router.post("/attachments", dependencies=[may(*ENTERING)])
async def post_attachment(request: Request, upload: UploadDep, caller: CallerDep) -> Response:
    """A file for the form that is being filled in; the form comes back with it and with all that was typed."""
    fields = upload.fields
    period = checked_period(fields.get("period", "").strip())
    revision = caller.item(fields.get("item", ""), period)
    form = forms.read_form(fields.get("item", ""), revision, fields)
    # Before anything of the cell is shown again.
    caller.require_entering(form.village, revision)
    async with caller.reading(Reading) as desk:
        disclosure = await _of_form(desk, fields, form)
        values = await _form_values(desk, form, disclosure, note=fields.get("note", ""))
    try:
        if not upload.data:
            raise InvalidInputError("请先选择文件，再点“上传附件”。")  # noqa: EM101 - one place
        made = await attach(caller, form.village, upload.data)
    except SanwuError as error:
        form.homeless += [f.message for f in error.faults] or [error.detail]
        return render(request, caller, "form.html", status=error.status, **values)
    grid = form.grid("attachments")
    n = form.counts["attachments"]
    form.counts["attachments"] = n + 1
    form.values[f"{grid.path}.{n}.digest"] = made.digest
    form.values[f"{grid.path}.{n}.title"] = fields.get("upload-title", "").strip() or upload.name or "附件"
    return render(request, caller, "form.html", **{**values, "notes": ["附件已上传。保存草稿后才算数。"]})


@router.post("/nil", dependencies=[may(*ENTERING)])
async def nil(fields: FieldsDep, desk: ChangingDep) -> Response:
    """One tap: nothing happened in this period; the page that comes is the draft to hand in."""
    period = checked_period(fields.get("period", "").strip())
    saved = await create_nil(desk, fields.get("village", ""), fields.get("item", ""), period)
    return to(f"/desk/disclosures/{saved.disclosure.id}")


@router.post("/disclosures/{disclosure_id}/discard", dependencies=[may(*RIGHTS[Action.DISCARD])])
async def give_up(disclosure_id: UUID, fields: FieldsDep, desk: ChangingDep) -> Response:
    """Give a draft up; of a correction the published edition stays."""
    needed(fields, "sure", "请先勾选“确定作废”。")
    after = await discard(desk, disclosure_id, whole(fields.get("version", "")))
    return to(f"/desk/disclosures/{after.id}" if after is not None else "/desk")
