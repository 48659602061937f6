"""What comes in from a form: saved as the next edition, or kept as it was typed; two people on one form."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from services.contracts.bodies import Body
from services.ingest import forms
from services.ingest.commands.entering import correct, create, parse_body, save
from services.ingest.commands.findings import Content, look_at
from services.ingest.commands.typed import Opened, drop_typed, keep_typed, typed_by_another
from services.ingest.forms import Form
from services.ingest.forms.paste import paste
from services.ingest.pages.compare import Change, changes
from services.ingest.pages.entry import (
    OpenedFrom,
    cell_of,
    dump,
    form_page,
    form_values,
    goes_on,
    of_form,
    opened_from,
    typed_for,
)
from services.ingest.pages.frame import ENTERING, FieldsDep, checked_period, refusal_page, render, to, whole
from services.ingest.pages.kept import KeptRoute
from services.ingest.pages.same_day import another_of
from services.ingest.store.disclosures import Disclosure, select_edition
from services.ingest.store.typed import TypedForm, delete_typed, select_fields
from services.ingest.visit import CallerDep, Changing, ChangingDep, Reading
from services.ingest.workflow import Action, allows
from services.kit.clock import local_minute
from services.kit.errors import ConflictError, InvalidInputError, SanwuError
from services.kit.pages import PageAnswerError
from services.kit.visit import may

router = APIRouter(route_class=KeptRoute)


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
    known = verb in {"columns", "drop"} or (verb in {"more", "paste"} and path in form.counts)
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
    disclosure = await of_form(desk, fields, form)
    verb, path = _pressed(form, fields)
    if verb == "save":
        return await _save(request, desk, form, disclosure, posted)
    if verb == "drop":
        return await _drop(desk, form, disclosure, fields)
    notes: list[str] = []
    if verb == "more":
        forms.add_rows(form, path)
    elif verb == "paste":
        notes = paste(form, path, fields.get(f"{path}.~paste", "")) or ["已带入，请核对。"]
        forms.to_body(form)
    opened = await opened_from(desk, form, disclosure, fields)
    return await form_page(request, desk, form, disclosure, notes=notes, unsaved=True, **opened._asdict())


async def _drop(desk: Changing, form: Form, disclosure: Disclosure | None, fields: Mapping[str, str]) -> Response:
    """Give up what was typed; the form begins again with what is saved."""
    typed = await typed_for(desk, form, disclosure)
    if not goes_on(typed, fields):
        raise typed_by_another(desk, typed)
    if typed is not None:
        await drop_typed(desk, typed, disclosure)
    if disclosure is not None:
        return to(f"/desk/disclosures/{disclosure.id}/edit")
    names = ("village", "item", "period", "another", "as")
    return to(f"/desk/form?{urlencode({name: form.value(name) for name in names if form.value(name)})}")


async def _save(
    request: Request, desk: Changing, form: Form, disclosure: Disclosure | None, posted: _Posted
) -> Response:
    opened = await opened_from(desk, form, disclosure, posted.fields)
    typed = await typed_for(desk, form, disclosure)
    is_late = disclosure is not None and opened.version != disclosure.edition
    if is_late or not goes_on(typed, posted.fields):
        page = await _conflict(desk, form, disclosure, typed, is_late=is_late)
        raise refusal_page(request, desk, "conflict.html", status=409, **page, note=opened.note)
    try:
        _body_of(form)
    except InvalidInputError as error:
        return await _save_unfinished(request, desk, form, disclosure, opened, error)
    try:
        saved = await _keep(desk, form, disclosure, opened.note.strip() or None, posted.content)
    except (InvalidInputError, ConflictError) as error:
        raise await _refused(request, desk, form, disclosure, opened, error) from error
    await delete_typed(desk.conn, [saved.id])
    return to(f"/desk/disclosures/{saved.id}")


async def _save_unfinished(
    request: Request,
    desk: Changing,
    form: Form,
    disclosure: Disclosure | None,
    opened: OpenedFrom,
    error: InvalidInputError,
) -> Response:
    """Keep what is no body yet as it was typed, and say what is missing."""
    typed, another = opened.typed, another_of(form.value("another"))
    base = Opened(opened.version, typed.revision if typed is not None else 0, another)
    try:
        kept = await keep_typed(desk, cell_of(form), disclosure, base, forms.fields_of(form, opened.note))
    except (InvalidInputError, ConflictError) as refused:
        raise await _refused(request, desk, form, disclosure, opened, refused) from refused
    _note_error(form, error)
    values = await form_values(desk, form, disclosure, **opened._replace(typed=kept)._asdict(), is_kept=True)
    return render(request, desk, "form.html", status=error.status, **values)


async def _refused(
    request: Request,
    desk: Changing,
    form: Form,
    disclosure: Disclosure | None,
    opened: OpenedFrom,
    error: SanwuError,
) -> PageAnswerError:
    """The form with what is wrong in it, as an error to raise: nothing of it is kept."""
    _note_error(form, error)
    values = await form_values(desk, form, disclosure, **opened._asdict(), unsaved=True)
    return refusal_page(request, desk, "form.html", status=error.status, **values)


def _note_error(form: Form, error: SanwuError) -> None:
    forms.note_faults(form, [(f.at, f.message) for f in error.faults])
    if not error.faults and not form.faults:
        form.homeless.append(error.detail)


@router.post("/typed", dependencies=[may(*ENTERING)])
async def post_typed(fields: FieldsDep, desk: ChangingDep) -> Response:
    """What is typed so far, sent by the page itself every few seconds; told in JSON to whoever typed it."""
    period = checked_period(fields.get("period", "").strip())
    item = fields.get("item", "").strip()
    form = forms.read_form(item, desk.item(item, period), fields)
    desk.require_entering(form.village, desk.item(item, period))
    disclosure = await of_form(desk, fields, form)
    opened = Opened(whole(fields.get("version", "")), whole(fields.get("typed", "")), another_of(form.value("another")))
    kept = forms.fields_of(form, fields.get("note", ""))
    typed = await keep_typed(desk, cell_of(form), disclosure, opened, kept)
    return JSONResponse({"typed": typed.revision, "at": local_minute(typed.saved_at)})


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


async def _conflict(
    desk: Reading, form: Form, theirs: Disclosure | None, typed: TypedForm | None, *, is_late: bool
) -> dict[str, Any]:
    """What stands now, saved (`is_late`) or as somebody typed it, beside what was typed here."""
    revision, now, by = desk.item(form.item, form.period), None, ""
    if is_late and theirs is not None:
        edition, by = await select_edition(desk.conn, theirs.id, theirs.edition), theirs.saved_by
        if edition is not None:
            now = forms.form_of(theirs.item, revision, (theirs.village_code, theirs.period), dump(edition.body))
    elif typed is not None:
        by, now = typed.saved_by, forms.read_form(form.item, revision, await select_fields(desk.conn, typed))
    difference: list[Change] = await asyncio.to_thread(changes, now, form) if now is not None else []
    return {
        "form": form,
        "theirs": theirs,
        "typed": typed,
        "is_late": is_late,
        "difference": difference,
        "who": desk.reference.name_of(by),
        "is_own": typed is not None and typed.saved_by == desk.actor.staff_id,
    }
