"""The catalogue file: CSV text in, items with one revision each out.

Columns are those of `deploy/data/catalogue.csv`. `confirmations` is `none` or several of supervisors, principal,
accountant joined by `;`. Blank `keep_months` means the web keeps it without end.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Final

from services.contracts.catalogue import Affair, Item, ItemKind, ItemRevision, Masking, due_fits, parse_due
from services.contracts.values import Frequency
from services.registry.bulk.rows import Row, note_twins, read_rows, refuse_faulty

COLUMNS: Final = (
    "code",
    "affair",
    "name",
    "plain_name",
    "kind",
    "frequency",
    "due",
    "masking",
    "board",
    "confirmations",
    "secrecy",
    "applies",
    "publisher",
    "notice_days",
    "keep_months",
    "province_item",
    "basis",
)
_CODE: Final = re.compile(r"[PVF][0-9]{2}")
_LETTERS: Final = {Affair.PARTY: "P", Affair.VILLAGE: "V", Affair.FINANCE: "F"}
_BASIS_LIMIT: Final = 2000
_FITTING: Final = {
    Frequency.MONTHLY: "month:15",
    Frequency.QUARTERLY: "quarter:15",
    Frequency.HALF_YEAR: "half:20",
    Frequency.YEARLY: "year:03-31 或 year+1:01-31",
    Frequency.ON_EVENT: "event:10d 或 event:10wd",
}


class _YesNo(StrEnum):
    YES = "yes"
    NO = "no"


class _Applies(StrEnum):
    BOTH = "both"
    VILLAGE = "village"
    COMMUNITY = "community"


class _Confirmation(StrEnum):
    SUPERVISORS = "supervisors"
    PRINCIPAL = "principal"
    ACCOUNTANT = "accountant"


def _due(row: Row) -> str | None:
    due, frequency = row.text("due"), row.choice("frequency", Frequency)
    if due is None or frequency is None:
        return None
    try:
        parse_due(due)
    except ValueError:
        row.refuse("due", f"“{due}”不是期限的写法，这一行应写作 {_FITTING[frequency]}")
        return None
    if not due_fits(due, frequency):
        row.refuse("due", f"“{due}”与公开频次 {frequency.value} 不符，应写作 {_FITTING[frequency]}")
        return None
    return due


def _confirmations(row: Row) -> tuple[str, ...] | None:
    value = row.text("confirmations")
    if value is None or value == "none":
        return None if value is None else ()
    parts = [part.strip() for part in value.split(";")]
    known = [c.value for c in _Confirmation]
    if len(set(parts)) != len(parts) or any(part not in known for part in parts):
        row.refuse("confirmations", f"“{value}”不对，应为 none，或 {'、'.join(known)} 中的一个或几个，用分号 ; 隔开")
        return None
    return tuple(parts)


def _code(row: Row) -> str | None:
    code, affair = row.matching("code", _CODE, "P、V 或 F 加两位数字，如 F01"), row.choice("affair", Affair)
    if code is not None and affair is not None and not code.startswith(_LETTERS[affair]):
        row.refuse("code", f"“{code}”与 affair 列的 {affair.value} 不符，应以 {_LETTERS[affair]} 开头")
    return code


def _item(row: Row, since: date) -> Item | None:
    code = _code(row)
    values = {
        "since": since,
        "affair": row.cells["affair"],
        "name": row.text("name"),
        "plain_name": row.text("plain_name"),
        "kind": row.choice("kind", ItemKind),
        "frequency": row.cells["frequency"],
        "due": _due(row),
        "masking": row.choice("masking", Masking),
        "board": row.choice("board", Masking),
        "confirmations": _confirmations(row),
        "secrecy": row.choice("secrecy", _YesNo) is _YesNo.YES,
        "applies": row.choice("applies", _Applies),
        "publisher": row.text("publisher"),
        "notice_days": row.whole("notice_days", 0, 365),
        "keep_months": row.whole("keep_months", 1, 600) if row.cells["keep_months"] else None,
        "province_item": row.optional_text("province_item"),
        "basis": row.text("basis", _BASIS_LIMIT),
    }
    if code is None or row.faults:
        return None
    return Item(code=code, revisions=(ItemRevision.model_validate(values),))


def read_items(data: str | bytes, since: date) -> list[Item]:
    """Read a catalogue file; every item holds from `since`. FileFaultsError lists all faults."""
    rows = read_rows(data, COLUMNS)
    items = [item for row in rows if (item := _item(row, since)) is not None]
    note_twins(rows, "code")
    refuse_faulty(rows)
    return items
