"""Movements of money as rows of a file tell them, before anybody knows of which village and period; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from services.ingest.bulk.cells import plain
from services.ingest.workbooks.cells import Reading
from services.ingest.workbooks.days import month_day
from services.ingest.workbooks.tables import Row

#: Rows in which no money moves, by how they begin or end.
OPENING: Final = re.compile(
    r"^(上[期月年季]?(结转|转来|结余|余额|结存)|上[期月年季].{0,4}(结转|转来|结余|余额)|期初(余额|结余)?|[年月季]初(余额|结余)?|承前页|上页.{0,2}(结转|余额)|结转上[期月年])$"
)
CLOSING: Final = re.compile(
    r"^(期末(余额|结余)?|本[期月季年](余额|结余|结存)|[月季年]末(余额|结余)|结转下[期月年页]|余额|结余|结存|现有余额)$"
)
SUM: Final = re.compile(
    r"^(本[期月日年页季]|当[前月日年期]|全[年月]|收支)?.{0,4}(合计|小计|累计|总计|共计|发生额)$|^过次页$|^合\s*计|^本期发生额?$"
)
RUNNING: Final = re.compile(r"累计|过次页|承前页|本页|当页")
#: States in which an entry of a program is booked nowhere.
_NOT_BOOKED: Final = re.compile(r"草稿|作废|暂存|未提交|未入账|已删除|删除|废弃|冲销作废|取消|退回|驳回|失败")
_VOUCHER: Final = re.compile(
    r"(?:20\d\d[-年/]?(?:\d{1,2}[-月/]?)?)?(?P<word>[^\d\s\-第字号#№/]{1,6})?[\s\-字第#№/]*(?P<no>\d{1,8})\s*号?"
)
#: Of a voucher whose word the file does not tell.
NO_WORD: Final = "凭证"
_MAX_NO: Final = 99_999
_WORDS: Final = ("payee", "handler", "attestor", "approver")
_METHODS: Final = (
    ("cash", re.compile(r"现金")),
    ("card", re.compile(r"刷卡|POS|公务卡")),
    ("transfer", re.compile(r"转账|转帐|网银|支票|汇款|电汇|银行")),
)


@dataclass(slots=True)
class Movement:
    """One movement. `village`: code and name as the file says them; `period`: its own words; `day` None where only the period tells."""

    row: Row
    reading: Reading
    summary: str
    direction: str
    fen: int
    account: str | None
    day: date | None = None
    to_account: str | None = None
    words: dict[str, str] = field(default_factory=dict)
    voucher: tuple[str, int] | None = None
    village: tuple[str, str] = ("", "")
    months: tuple[str, ...] = ()
    #: Rows of the file that make it: one, or the entries of a voucher.
    rows: tuple[int, ...] = ()

    @property
    def place(self) -> str:
        """Where it stands in the file."""
        return self.reading.table.place(self.row.at)


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance that the file states. `kind`: `opening` or `closing`."""

    kind: str
    account: str | None
    fen: int
    place: str
    village: tuple[str, str] = ("", "")
    after: date | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """A sum that the file states beside what the rows above come to; `income`, `expense` in fen, (stated, computed)."""

    label: str
    place: str
    income: tuple[int, int] | None
    expense: tuple[int, int] | None

    @property
    def holds(self) -> bool:
        """Tell whether the stated sums are the computed ones."""
        return all(pair is None or pair[0] == pair[1] for pair in (self.income, self.expense))


def label_of(reading: Reading, row: Row) -> str:
    """The words by which a row may say that it is no movement: its summary, else the first of its texts."""
    for role in ("summary", "date", "title", "month", "voucher", "code", "name"):
        text = re.sub(r"\s", "", reading.text(row, role))
        if text and not text.replace(".", "").isdecimal():
            return text
    return ""


def is_booked(reading: Reading, row: Row) -> bool:
    """Tell whether an entry counts; what does not is noted with its state."""
    state = reading.text(row, "status")
    if not state or not _NOT_BOOKED.search(state):
        return True
    reading.leave_out(row, f"状态是“{state[:10]}”，没有入账")
    return False


def voucher_of(reading: Reading, row: Row) -> tuple[str, int] | None:
    """Word and number of a row's voucher: `记 - 1`, `1|41207` (the program's own number goes), `收字第3号`."""
    text = plain(reading.text(row, "voucher")).partition("|")[0].strip()
    found = _VOUCHER.fullmatch(re.sub(r"\.0+$", "", text))
    if found is None or not 1 <= int(found["no"]) <= _MAX_NO:
        return None
    word = reading.text(row, "voucher_word") or found["word"] or NO_WORD
    return word.strip("字 ")[:20] or NO_WORD, int(found["no"])


def words_of(reading: Reading, row: Row) -> dict[str, str]:
    """What a row says beside its movement: who got it, who handled it, how it was paid."""
    found = {role: text[:200] for role in _WORDS if (text := reading.text(row, role))}
    method = reading.text(row, "method")
    for code, named in _METHODS:
        if method and named.search(method):
            return found | {"method": code}
    return found


def day_cells(reading: Reading, row: Row, above: Mapping[str, str], period: str) -> tuple[str, str] | date | None:
    """A row's day from cells of month and day, the month from the row above where it is empty."""
    month = reading.text(row, "month") or above.get("month", "")
    day = reading.text(row, "day")
    if not month and not day:
        return None
    return month_day(month, day or above.get("day", ""), period)
