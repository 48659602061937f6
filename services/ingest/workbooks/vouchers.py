"""Lists of vouchers (凭证列表、序时簿): several rows make a voucher, debit against credit, and money is counted once; pure."""

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.contracts.values import yuan
from services.ingest.bulk.cells import CellError
from services.ingest.workbooks.accounts import account_of, title_of
from services.ingest.workbooks.cells import Reading
from services.ingest.workbooks.days import day_of, month_day, months_of
from services.ingest.workbooks.journal import Journal
from services.ingest.workbooks.movements import (
    OPENING,
    SUM,
    Movement,
    is_booked,
    label_of,
    voucher_of,
    words_of,
)
from services.ingest.workbooks.tables import Row
from services.ingest.workbooks.workbook import Value, text_of


@dataclass(slots=True)
class _Entry:
    """One side of a voucher: `fen` above 0 where it is a debit (of money: more of it), below where it is a credit."""

    row: Row
    account: str | None
    title: str
    summary: str
    fen: int
    side: str


@dataclass(slots=True)
class _Voucher:
    """Entries that belong together, with what only the first of their rows says."""

    key: tuple[str, ...]
    row: Row
    day: date | None
    months: tuple[str, ...]
    number: tuple[str, int] | None
    village: tuple[str, str]
    words: dict[str, str]
    entries: list[_Entry] = field(default_factory=list)


def is_double(reading: Reading) -> bool:
    """Tell whether a table lists both sides of vouchers: titles of money and others under debit and credit."""
    if not (reading.has("debit", "credit") or reading.has("amount", "direction")) or not (
        "title" in reading.roles or "code" in reading.roles
    ):
        return False
    kinds = {
        account_of(reading.text(row, "title"), reading.text(row, "code")) is not None
        for row in reading.table.rows
        if reading.text(row, "title") or reading.text(row, "code")
    }
    return kinds == {True, False} and not reading.has("balance")


def read_vouchers(reading: Reading, period: str) -> Journal:
    """Read vouchers and tell the movements of money in them; those without any are left out and told."""
    found = Journal(reading)
    for voucher in _gathered(reading, period):
        found.movements += _movements(reading, voucher)
    return found


def _gathered(reading: Reading, period: str) -> list[_Voucher]:
    """Rows by voucher; what only a voucher's first row says holds for those below it."""
    found: list[_Voucher] = []
    above: dict[str, Value] = {}
    for row in reading.table.rows:
        label = label_of(reading, row)
        title, code = reading.text(row, "title"), reading.text(row, "code")
        if OPENING.match(label) or SUM.match(label) or not (title or code):
            reading.leave_out(row, "合计、结转（不是逐笔）")
            continue
        if not is_booked(reading, row):
            continue
        said = {
            r: reading.value(row, r)
            for r in ("date", "month", "day", "voucher", "voucher_word", "period")
            if reading.text(row, r)
        }
        begins = bool(said.keys() & {"voucher", "date", "day"})
        if begins or not found:
            # A voucher that says its number again in every row goes on; one that says another begins.
            above = {
                **({} if "voucher" in said else above),
                **{r: above[r] for r in ("month", "period") if r in above},
                **said,
            }
            key = tuple(text_of(above.get(r)) for r in ("voucher_word", "voucher", "date", "month", "day", "period"))
            if not found or found[-1].key != key:
                found.append(_begun(reading, row, key, above, period))
        entry = _entry(reading, row, found[-1])
        if entry is not None:
            found[-1].entries.append(entry)
    return found


def _begun(reading: Reading, row: Row, key: tuple[str, ...], above: dict[str, Value], period: str) -> _Voucher:
    return _Voucher(
        key,
        row,
        _day(reading, row, above, period),
        months_of(above.get("period")),
        voucher_of(reading, row),
        (reading.text(row, "village_code"), reading.text(row, "village")),
        words_of(reading, row),
    )


def _day(reading: Reading, row: Row, above: dict[str, Value], period: str) -> date | None:
    role = "date" if above.get("date") is not None else "day"
    try:
        if role == "date":
            return day_of(above["date"], period)
        if above.get("day") is not None:
            return month_day(text_of(above.get("month")) or period[5:7], text_of(above["day"]), period)
    except CellError as error:
        reading.refuse(row, role, f"“{text_of(above.get(role))[:20]}”不对，{error}")
    return None


def _entry(reading: Reading, row: Row, voucher: _Voucher) -> _Entry | None:
    debit, credit = reading.fen(row, "debit"), reading.fen(row, "credit")
    if not reading.has("debit") and (amount := reading.fen(row, "amount")):
        is_credit = reading.text(row, "direction").startswith(("贷", "C", "c"))
        debit, credit = (None, amount) if is_credit else (amount, None)
    if debit and credit:
        reading.refuse(row, "credit", "同一行的借方和贷方都有金额，请分成两行")
        return None
    if not debit and not credit:
        return None
    title, code = reading.text(row, "title"), reading.text(row, "code")
    summary = re.sub(r"\s+", " ", reading.text(row, "summary")) or (
        voucher.entries[-1].summary if voucher.entries else ""
    )
    fen = debit or -(credit or 0)
    return _Entry(row, account_of(title, code), title_of(title), summary[:200], fen, "debit" if debit else "credit")


def _movements(reading: Reading, voucher: _Voucher) -> Iterator[Movement]:
    """What a voucher moves: money against other titles, each once; money against money is a transfer."""
    money = [e for e in voucher.entries if e.account is not None]
    others = [e for e in voucher.entries if e.account is None]
    if not voucher.entries:
        return
    total = sum(e.fen for e in voucher.entries)
    if total:
        words = f"这张凭证借贷不平，相差 {yuan(abs(total))} 元，请核对有没有少了一行"
        reading.refuse(voucher.row, "voucher" if reading.has("voucher") else None, words)
        return
    if not money:
        reading.leave_out(voucher.row, "没有动用现金、银行存款的凭证（不是收支）")
        return
    money = yield from _transfers(reading, voucher, money)
    if len({e.account for e in money}) <= 1 and money and others:
        for entry in others:
            yield _movement(reading, voucher, entry, -entry.fen, money[0].account, entry.title)
        return
    title = max(others, key=lambda e: abs(e.fen)).title if others else ""
    for entry in money:
        yield _movement(reading, voucher, entry, entry.fen, entry.account, title)


def _transfers(reading: Reading, voucher: _Voucher, money: Sequence[_Entry]) -> Generator[Movement, None, list[_Entry]]:
    """Pairs of money against money of one amount; returns the entries that are in none."""
    left = list(money)
    for to in [e for e in money if e.fen > 0]:
        paid = next((e for e in left if e.fen == -to.fen and e.account != to.account), None)
        if paid is None or to not in left:
            continue
        left = [e for e in left if e is not paid and e is not to]
        yield Movement(
            voucher.row, reading, to.summary or paid.summary, "transfer", to.fen, paid.account,
            day=voucher.day, to_account=to.account, words=dict(voucher.words), voucher=voucher.number,
            village=voucher.village, months=voucher.months, rows=(paid.row.at, to.row.at),
        )  # fmt: skip
    return left


def _movement(
    reading: Reading, voucher: _Voucher, entry: _Entry, income: int, account: str | None, title: str
) -> Movement:
    """A movement of an entry: `income` in fen as it adds to money; a red-letter line stays on its own side, below 0."""
    summary = entry.summary or next((e.summary for e in voucher.entries if e.summary), "") or title
    if not summary:
        reading.refuse(entry.row, "summary", "没有摘要，请写明这笔钱做什么用")
    words = dict(voucher.words) | words_of(reading, entry.row) | ({"category": title} if title else {})
    is_income = (entry.side == "credit") is (entry.account is None)
    return Movement(
        entry.row, reading, summary, "in" if is_income else "out", income if is_income else -income, account,
        day=voucher.day, words=words, voucher=voucher.number,
        village=voucher.village, months=voucher.months, rows=tuple(e.row.at for e in voucher.entries),
    )  # fmt: skip
