"""Entering: the form of an item, pasting, last month's shape, drafts, two people on one draft."""

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.contracts.bodies import Body
from services.contracts.catalogue import ItemKind, ItemRevision
from services.contracts.duties import publishing_holder
from services.contracts.values import Frequency, period_frequency, period_of, previous_period
from services.ingest import forms
from services.ingest.commands.attachments import attach
from services.ingest.commands.discarding import discard
from services.ingest.commands.doubts import offer_notices
from services.ingest.commands.entering import create_nil
from services.ingest.commands.findings import chain_notes, chain_of
from services.ingest.commands.typed import typed_of
from services.ingest.errors import (
    FormTooPlainError,
    UnknownDisclosureError,
)
from services.ingest.forms import Form
from services.ingest.forms.known import PERIODS, Word, known_of
from services.ingest.forms.paste import heads_of
from services.ingest.forms.shape import SHAPED, same_shape
from services.ingest.pages.exchange import exchange_of
from services.ingest.pages.frame import (
    ENTERING,
    FieldsDep,
    UploadDep,
    checked_period,
    needed,
    render,
    to,
    whole,
)
from services.ingest.pages.kept import KeptRoute
from services.ingest.pages.same_day import another_of, begun, same_day
from services.ingest.store.cells import Periods, select_cell, select_cells_in, select_earlier_bodies, select_last_body
from services.ingest.store.disclosures import Disclosure, select_disclosure, select_note_lines
from services.ingest.store.typed import TypedForm, select_fields, select_typed
from services.ingest.visit import CallerDep, ChangingDep, Reading, ReadingDep
from services.ingest.workflow import RIGHTS, Action, State, allows, enters
from services.kit import actions
from services.kit.errors import InvalidInputError, SanwuError
from services.kit.visit import may

router = APIRouter(route_class=KeptRoute)
#: Kinds whose rows need the whole width.
_WIDE: Final = frozenset({ItemKind.LEDGER, ItemKind.ROSTER, ItemKind.TABLE})


def dump(body: Body) -> dict[str, Any]:
    """A body as the forms take it."""
    return body.model_dump(mode="json", exclude_none=True)


#: How far back a period is offered, newest first; earlier ones are typed.
_OFFERED: Final = MappingProxyType(
    {Frequency.MONTHLY: 24, Frequency.QUARTERLY: 12, Frequency.HALF_YEAR: 8, Frequency.YEARLY: 6}
)


@router.get("/new", dependencies=[may(*ENTERING)])
async def choose(
    request: Request,
    desk: ReadingDep,
    village: Annotated[str, Query(max_length=12)] = "",
    item: Annotated[str, Query(max_length=3)] = "",
) -> Response:
    """Choose village and item, then the period: on-event items, earlier periods (补录), whatever the to-do does not name."""
    villages = desk.reference.villages(desk.actor.scope)
    items = [
        (code, i.revisions[-1]) for code, i in sorted(desk.reference.items.items()) if _mine(desk, i.revisions[-1])
    ]
    revision, periods = None, []
    if village and item:
        revision = desk.item(item, period_of(desk.today, Frequency.MONTHLY))
        desk.require_village(village)
        desk.require_entering(village, revision)
        periods = await _periods(desk, village, item, revision.frequency)
    return render(
        request,
        desk,
        "choose.html",
        villages=villages,
        village=village,
        items=items,
        item=item,
        revision=revision,
        periods=periods,
        on_event=Frequency.ON_EVENT,
    )


async def _periods(desk: Reading, village: str, item: str, frequency: Frequency) -> list[tuple[str, Disclosure | None]]:
    """The periods of an item that have begun, newest first, each with what stands in it; of events the days on record."""
    period: str | None = None
    if frequency is not Frequency.ON_EVENT:
        period = period_of(desk.today, frequency)
    wanted: list[str] = []
    while period is not None and len(wanted) < _OFFERED[frequency]:
        wanted.append(period)
        period = previous_period(period)
    year = desk.today.year
    span = Periods(item, wanted[-1], wanted[0]) if wanted else Periods(item, f"{year - 1}-01-01", f"{year}-12-31")
    found = {d.period: d for d in await select_cells_in(desk.conn, [village], [span])}
    days = sorted((p for p in found if period_frequency(p) is frequency), reverse=True)[:50]
    return [(p, found.get(p)) for p in wanted or days]


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
    own = another_of(another)
    if own is not None:
        taken = await select_disclosure(desk.conn, own)
    else:
        taken = await select_cell(desk.conn, village, item, period)
        if taken is not None and (page := await same_day(request, desk, (village, item, period))) is not None:
            return page
    if taken is not None:
        return to(f"/desk/disclosures/{taken.id}")
    half = await typed_of(desk, (village, item, period), None, own)
    if half is not None:
        return await _typed_form(request, desk, half, None)
    last = await select_last_body(desk.conn, village, item, period)
    if shape and last is not None:
        form = forms.form_of(item, revision, (village, period), same_shape(dump(last)))
        form.values["another"] = another
    else:
        form = forms.read_form(
            item, revision, {"village": village, "period": period, "another": another, "as": as_kind, **_balances(last)}
        )
    notes = await chain_notes(desk, village, item, period) if revision.kind is ItemKind.LEDGER else []
    return await form_page(request, desk, form, None, has_last=not shape and _has_shape(form, last), notes=notes)


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


async def form_values(desk: Reading, form: Form, disclosure: Disclosure | None, **more: Any) -> dict[str, Any]:
    """What the page of a form shows, with nothing typed yet."""
    await offer_notices(desk, form)
    values: dict[str, Any] = {
        "form": form,
        "may_tender": disclosure is None
        and not form.spec.is_tender
        and forms.may_tender(desk.item(form.item, form.period)),
        "disclosure": disclosure,
        "notes": [],
        "has_last": False,
        "unsaved": False,
        "is_kept": False,
        "typed": None,
        "typed_by": "",
        "version": disclosure.edition if disclosure is not None else 0,
        "note": "",
        "known": await _known(desk, form),
        "heads_of": heads_of,
        "broad": form.spec.kind in _WIDE,
        "exchange": await exchange_of(desk, disclosure, form) if disclosure is not None else [],
    }
    links = forms.places_of(form)
    return {**values, "row_field": forms.row_field, "keep_field": forms.keep_field, "places": links, **more}


async def _known(desk: Reading, form: Form) -> Mapping[str, Sequence[Word]]:
    """What the village's own earlier periods suggest while a ledger is typed."""
    if form.spec.kind is not ItemKind.LEDGER:
        return {}
    bodies = await select_earlier_bodies(desk.conn, form.village, form.item, form.period, PERIODS)
    return (await asyncio.to_thread(known_of, bodies)).by_path


async def form_page(
    request: Request, desk: Reading, form: Form, disclosure: Disclosure | None, **more: Any
) -> Response:
    """The page of a form."""
    return render(request, desk, "form.html", **await form_values(desk, form, disclosure, **more))


async def _typed_form(request: Request, desk: Reading, typed: TypedForm, disclosure: Disclosure | None) -> Response:
    """The form as somebody left it half filled in, on what it was opened from: saving still finds what came since."""
    fields = await select_fields(desk.conn, typed)
    if typed.saved_by != desk.actor.staff_id:
        actions.look_at(f"disclosure/{typed.id}", typed.village_code)
    form = forms.read_form(typed.item, desk.item(typed.item, typed.period), fields)
    opened = {"typed": typed, "version": typed.edition, "typed_by": desk.reference.name_of(typed.saved_by)}
    return await form_page(request, desk, form, disclosure, note=fields.get("note", ""), **opened)


# -- the present content ------------------------------------------------------------------------------------------


@router.get("/disclosures/{disclosure_id}/edit", dependencies=[may(*ENTERING)])
async def edit(request: Request, disclosure_id: UUID, desk: ReadingDep) -> Response:
    """The form with the present content."""
    found = await desk.disclosure(disclosure_id)
    desk.require_right(Action.SAVE, desk.item_of(found))
    if not allows(found.state, Action.SAVE) and not allows(found.state, Action.CORRECT):
        return to(f"/desk/disclosures/{found.id}")
    if (typed := await select_typed(desk.conn, found.id)) is not None:
        return await _typed_form(request, desk, typed, found)
    return await _saved_form(request, desk, found)


async def _saved_form(request: Request, desk: Reading, found: Disclosure) -> Response:
    """The form of the newest edition, with what it was sent back for."""
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
    return await form_page(request, desk, form, found, note=note, notes=notes)


# -- what comes in ------------------------------------------------------------------------------------------------


def cell_of(form: Form) -> tuple[str, str, str]:
    """Village, item and period of a form."""
    return form.village, form.item, form.period


async def typed_for(desk: Reading, form: Form, disclosure: Disclosure | None) -> TypedForm | None:
    """What is kept as typed of what a form is about."""
    return await typed_of(desk, cell_of(form), disclosure, another_of(form.value("another")))


async def of_form(desk: Reading, fields: Mapping[str, str], form: Form) -> Disclosure | None:
    """The disclosure that the form is about: the one it was opened from, or the one that now stands in its cell."""
    try:
        disclosure_id = UUID(fields.get("id", ""))
    except ValueError:
        return await begun(desk, fields, form)
    return await desk.disclosure(disclosure_id)


class OpenedFrom(NamedTuple):
    """What a form that comes in was filled in on: the edition, what was kept as typed (None: nothing, or something else), the note."""

    version: int
    typed: TypedForm | None
    note: str


async def opened_from(
    desk: Reading, form: Form, disclosure: Disclosure | None, fields: Mapping[str, str]
) -> OpenedFrom:
    """What a form goes on from: not what stands there by now, or saving would not find what came since."""
    typed = await typed_for(desk, form, disclosure)
    mine = typed if goes_on(typed, fields) else None
    return OpenedFrom(whole(fields.get("version", "")), mine, fields.get("note", ""))


def goes_on(typed: TypedForm | None, fields: Mapping[str, str]) -> bool:
    """Tell whether a form that comes in was filled in on top of what is kept as typed."""
    return typed is None or typed.revision == whole(fields.get("typed", ""))


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
        disclosure = await of_form(desk, fields, form)
        opened = await opened_from(desk, form, disclosure, fields)
        values = await form_values(desk, form, disclosure, unsaved=True, **opened._asdict())
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
