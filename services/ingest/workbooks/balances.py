"""A list of balances by account title (科目余额表): the openings and closings of money, parents and children never both; pure."""

from services.ingest.workbooks.accounts import account_of
from services.ingest.workbooks.cells import Reading
from services.ingest.workbooks.journal import Journal
from services.ingest.workbooks.movements import SUM, Balance, label_of
from services.ingest.workbooks.tables import Row


def read_balances(reading: Reading) -> Journal:
    """The balances of accounts of money: of titles with parts below them, the parts alone."""
    found = Journal(reading)
    rows = [row for row in reading.table.rows if not _is_sum(reading, row)]
    codes = [_code(reading, row) for row in rows]
    for n, row in enumerate(rows):
        account = account_of(_title(reading, row), codes[n]) or _above(reading, rows[:n], codes[:n], codes[n])
        if account is None:
            continue
        if codes[n] and any(code != codes[n] and code.startswith(codes[n]) for code in codes):
            reading.leave_out(row, "上级科目（用的是它下面的明细，不重复相加）")
            continue
        village = reading.text(row, "village_code"), reading.text(row, "village")
        for kind in ("opening", "closing"):
            fen = _balance(reading, row, kind)
            if fen is not None:
                found.balances.append(Balance(kind, account, fen, reading.table.place(row.at), village))
    return found


def _is_sum(reading: Reading, row: Row) -> bool:
    title = _title(reading, row)
    return bool(SUM.match(label_of(reading, row))) or title.endswith(("小计", "合计"))


def _title(reading: Reading, row: Row) -> str:
    return reading.text(row, "title").strip()


def _code(reading: Reading, row: Row) -> str:
    return reading.text(row, "code").replace(" ", "").replace(".", "")


def _above(reading: Reading, rows: list[Row], codes: list[str], code: str) -> str | None:
    """The account of a title that only its parent's code tells: 河口信用社 below 1002."""
    for row, parent in zip(reversed(rows), reversed(codes), strict=True):
        if parent and code.startswith(parent) and code != parent and (kind := account_of(_title(reading, row), parent)):
            name = account_of(f"银行存款-{_title(reading, rows[-1])}") if not _title(reading, row) else None
            return name or kind.partition(":")[0]
    return None


def _balance(reading: Reading, row: Row, kind: str) -> int | None:
    if kind in reading.roles:
        fen = reading.fen(row, kind)
        return -fen if fen is not None and reading.text(row, "balance_side") == "贷" else fen
    debit, credit = reading.fen(row, f"{kind}_debit"), reading.fen(row, f"{kind}_credit")
    return None if debit is None and credit is None else (debit or 0) - (credit or 0)
