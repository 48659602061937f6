"""One disclosure: its content with findings beside their lines, what changed, what others said, the steps to take."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.contracts.bodies import Ledger
from services.contracts.duties import publishing_holder
from services.contracts.values import previous_period, yuan
from services.ingest import forms, workflow
from services.ingest.commands.attachments import export_file
from services.ingest.commands.doubts import offer_notices
from services.ingest.commands.findings import findings_of
from services.ingest.commands.sheets import code_of, signers_of
from services.ingest.errors import UnknownDisclosureError
from services.ingest.forms import Form, Grid
from services.ingest.gate.findings import must_be_mended, needs_reviewer
from services.ingest.gate.sheets import sheet_svg
from services.ingest.pages.compare import Change, changes, shown
from services.ingest.pages.entry import dump
from services.ingest.pages.exchange import exchange_of
from services.ingest.pages.frame import render_in_turns
from services.ingest.pages.vouchers import papers_shown
from services.ingest.store.approvals import select_waiting
from services.ingest.store.cells import select_body_of_cell
from services.ingest.store.contents import Edition
from services.ingest.store.disclosures import Disclosure, Filter, select_edition, select_note_lines
from services.ingest.store.lists import select_disclosures
from services.ingest.store.opinions import select_authors, select_opinions
from services.ingest.store.typed import select_typed
from services.ingest.visit import CallerDep, ChangingDep, Reading, ReadingDep
from services.ingest.workflow import Action, State
from services.kit import outbox
from services.kit.errors import SanwuError
from services.kit.route import Route
from services.kit.visit import EXPORTS, may

router = APIRouter(route_class=Route)
#: States in which what stands in the way is shown.
_UNDER_WAY: Final = frozenset({State.DRAFT, State.RETURNED, State.SUBMITTED, State.CONFIRMED})


@dataclass(frozen=True, slots=True)
class Row:
    """A row to read: texts by column, the place it has in the body, what was found in it."""

    number: int
    at: str
    cells: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A grid to read: only the columns in which anything stands."""

    label: str
    heads: tuple[tuple[str, bool], ...]
    rows: tuple[Row, ...]


def blocks_of(form: Form, remarks: dict[str, list[str]]) -> list[Block]:
    """The grids of a form as tables to read, with remarks by field beside their rows."""
    return [_block(form, grid, remarks) for grid in form.spec.grids if form.used(grid) and grid.path not in _HIDDEN]


_HIDDEN: Final = frozenset({"columns", "attachments", "paragraphs"})


def _block(form: Form, grid: Grid, remarks: dict[str, list[str]]) -> Block:
    used = form.used(grid)
    cells = [c for c in grid.cells if any(form.value(forms.row_field(grid, n, c)) for n in used)]
    rows = []
    for place, n in enumerate(used):
        texts = tuple(shown(c.kind, form.value(forms.row_field(grid, n, c)), c.options) for c in cells)
        names = [forms.row_field(grid, n, c) for c in grid.cells]
        said = tuple(r for name in names for r in remarks.get(name, ()))
        rows.append(Row(place + 1, f"body.{grid.path}[{place}]", texts, said))
    heads = tuple((c.label, c.kind.name in {"money", "wan", "whole", "quantity"}) for c in cells)
    return Block(grid.label, heads, tuple(rows))


@router.get("/disclosures/{disclosure_id}", dependencies=[may(*workflow.READERS)])
async def disclosure_page(request: Request, disclosure_id: UUID, desk: ReadingDep) -> Response:
    """The page of one disclosure: content, findings, words, and the steps that one can take."""
    found = await desk.disclosure(disclosure_id)
    return await render_in_turns(request, desk, "disclosure.html", **await page_values(desk, found))


async def page_values(desk: Reading, d: Disclosure, error: SanwuError | None = None) -> dict[str, Any]:
    """Everything that the page of a disclosure shows."""
    edition = await desk.visible_edition(d, d.edition)
    item = desk.item_of(d)
    steps = workflow.actions_for(desk.actor.role, d.state, publishing_holder(item))
    half = await select_typed(desk.conn, d.id)
    values: dict[str, Any] = {
        "d": d,
        "edition": edition,
        "item": item,
        "error": error,
        "typed": {},
        "actions": await _offered(desk, d, steps),
        "opinions": await select_opinions(desk.conn, d.id, d.edition) if edition is not None else (),
        "note_lines": await select_note_lines(desk.conn, d.id) if d.state is State.RETURNED else (),
        "profile": desk.profile(d.village_code),
        "withdrawn_by": desk.reference.name_of(d.withdrawn_by) if d.withdrawn_by is not None else "",
        "is_party": workflow.PARTIES.get(desk.actor.role) in item.confirmations,
        "is_author": desk.actor.staff_id in await select_authors(desk.conn, d, d.published_edition or 0),
        "delegated": desk.reference.delegation(desk.actor.staff_id, d.village_code, desk.today) is not None,
        "signers": signers_of(desk, d.village_code),
        "under_way": d.state in _UNDER_WAY,
        "findings": (),
        "half_filled": half,
        "half_filled_by": desk.reference.name_of(half.saved_by) if half is not None else "",
        "needs_reviewer": needs_reviewer,
        "must_be_mended": must_be_mended,
        "masked": False,
        # Villagers count editions that were public; the desk's own numbers count savings.
        "public_number": await outbox.count_said(desk.conn, "disclosure", str(d.id), "disclosure.approved.v1"),
    }
    values["next_one"] = await _next_to_approve(desk, d) if Action.APPROVE.value in values["actions"] else None
    if edition is not None:
        values |= await _content_values(desk, d, edition)
        values["exchange"] = await exchange_of(desk, d, values["form"])
    return values


async def _next_to_approve(desk: Reading, d: Disclosure) -> UUID | None:
    """What stands behind this one in the list of a reviewer."""
    wanted = Filter(
        desk.villages(), items=desk.items_within(), states=[d.state.value], after=d.id, limit=1, undecided=True
    )
    return next((n.id for n in await select_disclosures(desk.conn, wanted)), None)


async def _offered(desk: Reading, d: Disclosure, steps: Iterable[Action]) -> set[str]:
    """Those of the steps that a role could take which make sense here; the others have no button."""
    pointless: set[Action] = set()
    if d.key_dies_at is None or d.withdrawal_kind == "personal_data":
        pointless |= {Action.RESTORE}
    if d.key_dies_at is None or d.withdrawal_kind != "personal_data" or d.withdrawn_by == desk.actor.staff_id:
        pointless |= {Action.ERASE}
    if d.release != "file" or d.filed_at is not None:
        pointless |= {Action.FILE}
    waiting = await select_waiting(desk.conn, [d.id]) if d.state is State.CONFIRMED else {}
    if waiting:
        pointless |= {Action.APPROVE, Action.RETURN}
    return {step.value for step in steps} - pointless


async def _content_values(desk: Reading, d: Disclosure, edition: Edition) -> dict[str, Any]:
    form = await asyncio.to_thread(_form, desk, d, edition)
    await offer_notices(desk, form)
    found = await findings_of(desk, d, edition)
    remarks: dict[str, list[str]] = {}
    used: forms.UsedRows = {}
    for f in found:
        name = forms.field_of(form, f.at, used)
        if name is not None:
            remarks.setdefault(name, []).append(f.message)
    for line in await select_note_lines(desk.conn, d.id):
        name = forms.field_of(form, line.at, used)
        if name is not None:
            remarks.setdefault(name, []).append(f"退回：{line.reason}")
    accepted = {(a.code, a.at): a.reason for a in edition.accepted}
    return {
        "form": form,
        "findings": found,
        "to_grant": any(needs_reviewer(f.code) for f in found),
        "accepted": accepted,
        "said_before": await _said_before(desk, d),
        "blocks": await asyncio.to_thread(blocks_of, form, remarks),
        "singles": [
            (c, shown(c.kind, form.value(c.path), c.options))
            for c in form.spec.cells
            if form.value(c.path) and c.path != "table"
        ],
        "paragraphs": edition.body.paragraphs if edition.body.kind == "notice" else (),
        "inner_table": edition.body.table if edition.body.kind == "notice" else None,
        "attachments": edition.body.attachments,
        "papers": await papers_shown(desk, d, edition.body),
        "since_public": await _since_public(desk, d, form),
        "since_last": await _since_last(desk, d, edition),
    }


def _form(desk: Reading, d: Disclosure, edition: Edition) -> Form:
    revision = desk.item_of(d)
    return forms.form_of(d.item, revision, (d.village_code, d.period), dump(edition.body))


async def _said_before(desk: Reading, d: Disclosure) -> dict[tuple[str, str], str]:
    """Reasons that the public edition was approved with: a correction has to give its own, and may keep them."""
    if d.published_edition is None or d.published_edition == d.edition:
        return {}
    public = await select_edition(desk.conn, d.id, d.published_edition)
    return {(a.code, a.at): a.reason for a in public.accepted} if public is not None else {}


async def _since_public(desk: Reading, d: Disclosure, form: Form) -> list[Change] | None:
    """What a correction changes against the edition that everybody reads; None when it is none."""
    if d.published_edition is None or d.published_edition == d.edition:
        return None
    public = await select_edition(desk.conn, d.id, d.published_edition)
    if public is None:
        return None
    return await asyncio.to_thread(lambda: changes(_form(desk, d, public), form))


async def _since_last(desk: Reading, d: Disclosure, edition: Edition) -> list[tuple[str, str, str]]:
    """The main figures beside those of the period before."""
    before = previous_period(d.period)
    last = await select_body_of_cell(desk.conn, d.village_code, d.item, before) if before is not None else None
    if last is None or last.kind != edition.body.kind:
        return []
    if isinstance(last, Ledger) and isinstance(edition.body, Ledger):
        return _ledger_figures(last, edition.body)
    return [("行数", str(last.row_count), str(edition.body.row_count))]


def _ledger_figures(last: Ledger, now: Ledger) -> list[tuple[str, str, str]]:
    figures = [
        ("笔数", str(len(last.lines)), str(len(now.lines))),
        ("收入（元）", yuan(last.income_fen), yuan(now.income_fen)),
        ("支出（元）", yuan(last.expense_fen), yuan(now.expense_fen)),
    ]
    closings = {a.account: a.closing_fen for a in last.accounts}
    for a in now.accounts:
        old = yuan(closings[a.account]) if a.account in closings else "无此账户"
        figures.append((f"{forms.account_words(a.account)}结余（元）", old, yuan(a.closing_fen)))
    return figures


@router.get("/disclosures/{disclosure_id}/sheet", dependencies=[may(*workflow.READERS), EXPORTS])
async def sheet(request: Request, disclosure_id: UUID, desk: ChangingDep) -> Response:
    """核对单: the whole content to print and sign; its code names this very edition."""
    found = await desk.disclosure(disclosure_id)
    values = await page_values(desk, found)
    if values["edition"] is None:
        raise UnknownDisclosureError
    return await render_in_turns(request, desk, "sheet.html", **values, code=sheet_svg(code_of(found)))


@router.get("/attachments/{digest}", dependencies=[may(*workflow.READERS)])
async def attachment(digest: str, caller: CallerDep, small: str = "") -> Response:
    """A file that a village handed in, for staff who may see the village; `small`: the little picture of a voucher."""
    content, media_type = await export_file(caller, digest, small=bool(small))
    return Response(content, media_type=media_type, headers={"cache-control": "private, no-store"})
