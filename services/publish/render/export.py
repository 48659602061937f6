"""A disclosure as a table for spreadsheets (RFC 4180), the same content as its page: names as they are shown, nothing hidden in cells."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

from services.contracts.account import account_words
from services.contracts.bodies import Direction, Ledger
from services.contracts.values import yuan
from services.publish.render.disclosure import DisclosurePage, Opened
from services.publish.render.shapes import BodyView
from services.publish.render.words import method_words

#: Excel takes a file without it for one of the local code page.
BYTE_ORDER_MARK: Final = "\ufeff"
#: A cell that begins with one of these, or with its full-width form, is a formula to a spreadsheet, whoever wrote it.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER: Final = re.compile(r"[-+][0-9,]+(\.[0-9]+)?", re.ASCII)
_LINE_HEADS: Final = (
    "序号",
    "日期",
    "收支",
    "事由",
    "金额（元）",
    "账户",
    "转入账户",
    "收款人、交款人",
    "科目",
    "凭证字",
    "凭证号",
    "方式",
    "经手人",
    "证明人",
    "审批人",
)
_WAYS: Final = {Direction.IN: "收入", Direction.OUT: "支出", Direction.TRANSFER: "内部划转"}
Row = Sequence[str]


def csv_of(page: DisclosurePage, content: Opened) -> bytes:
    """The table of a disclosure: a ledger's lines, else the facts and tables of the page one below the other."""
    body = content.body
    return written([_lines(body)] if isinstance(body, Ledger) and body.lines else list(_of_page(page)))


def written(tables: Iterable[Iterable[Row]]) -> bytes:
    """Tables one below the other, an empty line between."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    for number, rows in enumerate(tables):
        if number:
            writer.writerow([])
        writer.writerows(rows)
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def harmless(cell: str) -> str:
    """A text that no spreadsheet takes for a formula (CWE-1236); a negative number stays one."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell


def _lines(ledger: Ledger) -> list[Row]:
    found: list[Row] = [_LINE_HEADS]
    for number, x in enumerate(ledger.lines, 1):
        texts = (x.payee, x.category, x.voucher.word if x.voucher else None)
        payee, category, word = (harmless(text or "") for text in texts)
        people = (harmless(text or "") for text in (x.handler, x.attestor, x.approver))
        found.append(
            (
                str(number),
                x.date.isoformat(),
                _WAYS[x.direction],
                harmless(x.summary),
                yuan(x.amount_fen).replace(",", ""),
                account_words(x.account),
                account_words(x.to_account) if x.to_account else "",
                payee,
                category,
                word,
                str(x.voucher.no) if x.voucher else "",
                method_words(x.method) or "",
                *people,
            )
        )
    return found


def _of_page(page: DisclosurePage) -> Iterable[list[Row]]:
    """What the page shows of a body that is no list of lines."""
    if page.ledger is not None:
        yield [("账户", "期初", "期末"), *(_row((a.name, a.opening, a.closing)) for a in page.ledger.accounts)]
    if page.body is not None:
        yield from _of_body(page.body)


def _of_body(body: BodyView) -> Iterable[list[Row]]:
    facts = [*body.facts, *((title, "\n".join(lines)) for title, lines in body.words)]
    if facts:
        yield [_row(fact) for fact in facts]
    for table in body.tables:
        yield [tuple(h.name for h in table.heads), *map(_row, (*table.rows, *table.sums))]


def _row(cells: Row) -> Row:
    return tuple(map(harmless, cells))
