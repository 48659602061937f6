"""一键导入 of a spreadsheet: what was read beside what it becomes, what is asked, what is wrong and what was left out."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.contracts.account import account_words
from services.contracts.catalogue import ItemKind
from services.contracts.values import Frequency, period_of, period_words, previous_period, yuan
from services.contracts.words import DIRECTIONS
from services.ingest.commands.workbooks import (
    MAX_WORDS,
    Preview,
    agency_of,
    answer_questions,
    drop_workbook,
    items_of,
    load_preview,
    take_workbook,
)
from services.ingest.errors import QuotaUsedUpError, UnknownItemError
from services.ingest.pages.frame import ENTERING, FieldsDep, render, render_in_turns, to
from services.ingest.store.workbooks import delete_column_words, select_column_words
from services.ingest.visit import Caller, CallerDep, ChangingDep, ReadingDep, the_one
from services.ingest.workbooks.blank import make_blank
from services.ingest.workbooks.cells import Reading as TableReading
from services.ingest.workbooks.cells import column_key
from services.ingest.workbooks.drafts import Made
from services.ingest.workbooks.plan import Question
from services.ingest.workbooks.words import ROLES
from services.ingest.workbooks.workbook import JsonView, letters, text_of
from services.kit import actions
from services.kit.errors import ConflictError, InvalidInputError, SanwuError
from services.kit.route import Route
from services.kit.visit import may

router = APIRouter(route_class=Route)
#: Rows of a page, of one draft and of all; the others are counted, and stand in the draft.
_ROWS: Final = 100
_ALL_ROWS: Final = 600
_FAULTS: Final = 200
_PLACES: Final = 40
_PERIODS: Final = 24
#: What somebody may say that a column is.
_CHOICES: Final = tuple(ROLES.items())


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a draft: what it becomes, and what the file says where that is written otherwise."""

    text: str
    raw: str = ""
    number: bool = False


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft as the preview shows it."""

    made: Made
    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    count: int
    accounts: Sequence[tuple[str, str, str, str, str, str]]


@router.get("/imports/workbooks/{workbook_id}", dependencies=[may(*ENTERING)])
async def preview_page(request: Request, workbook_id: UUID, caller: CallerDep) -> Response:
    """What a spreadsheet comes to, before anything of it is a draft."""
    return await _page(request, caller, await load_preview(caller, workbook_id))


async def _page(request: Request, caller: Caller, preview: Preview, *, error: SanwuError | None = None) -> Response:
    plan = preview.plan
    item = next((i for i in preview.office.items if i.code == preview.understood.wanted.item), None)
    return await render_in_turns(
        request,
        caller,
        "workbook.html",
        held=preview.held,
        answers=preview.answers,
        plan=plan,
        item=item,
        items=preview.office.items,
        drafts=list(_drafts(plan.made)),
        questions=[(q, _choices(q, preview)) for q in plan.questions],
        faults=plan.faults[:_FAULTS],
        left_out=[(reason, len(places), places[:_PLACES]) for reason, places in plan.left_out],
        tables=[(r, list(_columns(r))) for r in (preview.understood.taken or plan.readings)[:12]],
        roles=_CHOICES,
        lines=sum(d.count for d in _drafts(plan.made)),
        on_event=item is not None and item.frequency is Frequency.ON_EVENT,
        period_words=period_words,
        yuan=yuan,
        is_ledger=item is not None and item.kind is ItemKind.LEDGER,
        error=error,
    )


def _choices(question: Question, preview: Preview) -> Sequence[tuple[str, str]]:
    """What a question offers; the last periods where the file offers none."""
    if question.field != "period" or question.offered:
        return question.offered
    frequency = preview.understood.wanted.frequency
    if frequency is Frequency.ON_EVENT:
        return ()
    found = [period_of(preview.office.today, frequency)]
    while len(found) < _PERIODS and (before := previous_period(found[-1])) is not None:
        found.append(before)
    return [(p, period_words(p)) for p in found]


def _columns(reading: TableReading) -> Iterator[tuple[str, str, str, str, str]]:
    """Columns of a table: field, place, name, first cell, meaning."""
    roles = {n: role for role, n in reading.roles.items()}
    for n, column in enumerate(reading.table.columns):
        sample = next((t for row in reading.table.rows if (t := text_of(row.cells[n]))), "")
        role = roles.get(n, "")
        shown = "（个人信息，不显示）" if role == "private" else sample[:24]
        yield column_key(reading.table, n), letters(column.at), column.name, shown, role


def _drafts(made: Sequence[Made]) -> Iterator[DraftView]:
    left = _ALL_ROWS
    for one in made:
        rows = list(_rows(one, min(left, _ROWS)))
        left -= len(rows)
        heads = _heads(one)
        yield DraftView(one, heads, rows, len(one.sources), list(_accounts(one.body)))


def _heads(one: Made) -> Sequence[str]:
    match one.body["kind"]:
        case "ledger":
            return ("日期", "摘要", "收支", "金额", "账户", "科目", "凭证")
        case "roster":
            return ("姓名", "人口", "类别", "金额", "其他")
    return [c["name"] + (f"（{c['unit']}）" if c.get("unit") else "") for c in one.body["columns"]]


def _rows(one: Made, most: int) -> Iterator[tuple[str, Sequence[Cell]]]:
    kind = one.body["kind"]
    rows = one.body["lines" if kind == "ledger" else "entries" if kind == "roster" else "rows"]
    for (place, _), raw, row in zip(one.sources[:most], one.raws, rows, strict=False):
        match kind:
            case "ledger":
                yield place, _line(row, raw)
            case "roster":
                yield place, _entry(row, raw)
            case _:
                yield place, [_of_table(c, v, raw) for c, v in zip(one.body["columns"], row, strict=True)]


def _line(line: JsonView, raw: Mapping[str, str]) -> list[Cell]:
    account = account_words(line["account"])
    if line.get("to_account"):
        account = f"{account} 转到 {account_words(line['to_account'])}"
    voucher = f"{line['voucher']['word']}-{line['voucher']['no']}" if line.get("voucher") else ""
    return [
        _cell(line["date"], raw["date"]),
        _cell(line["summary"], raw["summary"]),
        Cell(DIRECTIONS[line["direction"]]),
        _cell(yuan(line["amount_fen"]), raw["amount"], number=True),
        _cell(account, raw["account"] if raw["account"] not in account else ""),
        Cell(line.get("category", "")),
        _cell(voucher, raw["voucher"]),
    ]


def _entry(entry: JsonView, raw: Mapping[str, str]) -> list[Cell]:
    others = (("days", "数量"), ("rate_fen", "标准"), ("goods", "实物"), ("group", "小组"), ("remark", "备注"))
    said = [f"{word} {yuan(entry[k]) if k == 'rate_fen' else entry[k]}" for k, word in others if k in entry]
    fen = entry.get("amount_fen")
    return [
        _cell(entry["name"], raw["name"]),
        Cell(str(entry.get("household_size", "")), number=True),
        _cell(entry.get("category", ""), raw["category"]),
        _cell(yuan(fen) if fen is not None else "", raw["amount"], number=True),
        Cell("；".join(said)),
    ]


def _of_table(column: JsonView, value: Any, raw: Mapping[str, str]) -> Cell:
    is_number = column["type"] in {"amount", "count", "quantity"}
    text = "" if value is None else yuan(value) + " 元" if column["type"] == "amount" else str(value)
    return _cell(text, raw[column["key"]], number=is_number)


def _cell(text: str, raw: str, *, number: bool = False) -> Cell:
    """A cell; what the file says is shown where it reads otherwise."""
    said, becomes = (re.sub(r"[,，\s¥￥元]", "", t) for t in (raw, text))
    same = not said or said == becomes or (number and _amount(said) == _amount(becomes))
    return Cell(text, "" if same else raw[:60], number)


def _amount(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _accounts(body: JsonView) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Accounts of a ledger: name, opening, income, spending, transfers, closing."""
    for account in body.get("accounts", ()):
        name = account["account"]
        moved = {"in": 0, "out": 0, "transfer": 0}
        for line in body["lines"]:
            if line["account"] == name:
                moved[line["direction"]] += (
                    -line["amount_fen"] if line["direction"] == "transfer" else line["amount_fen"]
                )
            if line.get("to_account") == name:
                moved["transfer"] += line["amount_fen"]
        figures = (account["opening_fen"], moved["in"], moved["out"], moved["transfer"], account["closing_fen"])
        opening, income, spending, transfers, closing = (yuan(f) for f in figures)
        yield account_words(name), opening, income, spending, transfers, closing


# -- answers and steps --------------------------------------------------------------------------------------------


@router.post("/imports/workbooks/{workbook_id}", dependencies=[may(*ENTERING)])
async def answer(request: Request, workbook_id: UUID, fields: FieldsDep, caller: CallerDep) -> Response:
    """Keep what was answered, and show what the file comes to now."""
    try:
        await answer_questions(caller, workbook_id, fields)
    except InvalidInputError as error:
        page = await _page(request, caller, await load_preview(caller, workbook_id), error=error)
        page.status_code = error.status
        return page
    return to(f"/desk/imports/workbooks/{workbook_id}")


@router.post("/imports/workbooks/{workbook_id}/take", dependencies=[may(*ENTERING)])
async def take(request: Request, workbook_id: UUID, caller: CallerDep) -> Response:
    """Make the drafts, all or none."""
    try:
        imported = await take_workbook(caller, workbook_id)
    except (InvalidInputError, ConflictError, QuotaUsedUpError) as error:
        page = await _page(request, caller, await load_preview(caller, workbook_id), error=error)
        page.status_code = error.status
        return page
    return to(f"/desk/imports/{imported.made.id}")


@router.post("/imports/workbooks/{workbook_id}/drop", dependencies=[may(*ENTERING)])
async def drop(workbook_id: UUID, caller: CallerDep) -> Response:
    """Forget a file that nobody wants to take in."""
    await drop_workbook(caller, workbook_id)
    return to("/desk/imports")


# -- blank spreadsheets -------------------------------------------------------------------------------------------

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/imports/templates/{item}.xlsx", dependencies=[may(*ENTERING)])
async def blank(item: str, desk: ReadingDep) -> Response:
    """A spreadsheet of an item to fill in, as the import reads it."""
    facts = next((i for i in items_of(desk) if i.code == item), None)
    if facts is None:
        raise UnknownItemError
    content = await asyncio.to_thread(make_blank, facts.kind, facts.code, facts.name)
    headers = {"content-disposition": f'attachment; filename="{facts.code}.xlsx"', "cache-control": "private, no-store"}
    return Response(content, media_type=_XLSX, headers=headers)


# -- words of columns ---------------------------------------------------------------------------------------------


@router.get("/imports/words", dependencies=[may(*ENTERING)])
async def words(request: Request, desk: ReadingDep) -> Response:
    """What the agency's column names mean, as its people said."""
    found = await select_column_words(desk.conn, agency_of(desk), MAX_WORDS)
    return render(request, desk, "column_words.html", words=found, roles=ROLES, agency=agency_of(desk))


@router.post("/imports/words", dependencies=[may(*ENTERING)])
async def forget_words(fields: FieldsDep, desk: ChangingDep) -> Response:
    """Forget what the ticked column names mean."""
    actions.about(f"agency/{agency_of(desk)}", the_one(desk.villages()))
    chosen = [name.removeprefix("word:") for name in fields if name.startswith("word:")]
    await delete_column_words(desk.conn, agency_of(desk), chosen)
    return to("/desk/imports/words")
