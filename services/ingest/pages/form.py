"""The entry form without script: fields of a page to a ledger body and back; pure.

Money is typed in yuan with up to two decimals. A wrong cell is told by its row and column; what was typed stays.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from services.contracts.bodies import Body

ACCOUNT_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {"cash": "库存现金", "bank": "银行存款", "imprest": "备用金"}
)
DIRECTION_WORDS: Final[Mapping[str, str]] = MappingProxyType({"out": "支出", "in": "收入", "transfer": "内部划转"})
#: Accounts that the plain form offers; the API takes more.
ACCOUNTS: Final = ("cash", "bank")
#: Cells of a line, as the form names them.
CELLS: Final = ("date", "summary", "direction", "amount", "account", "category", "payee", "word", "no")
START_ROWS: Final = 12
MORE_ROWS: Final = 10
MAX_ROWS: Final = 200
_YUAN: Final = re.compile(r"-?\d{1,13}(\.\d{1,2})?", re.ASCII)
_WHOLE: Final = re.compile(r"\d{1,9}", re.ASCII)
#: Chinese input methods type U+FF10.. digits, stop, comma and hyphen.
_FULL_WIDTH: Final = {**{0xFF10 + n: str(n) for n in range(10)}, 0xFF0E: ".", 0xFF0C: ",", 0xFF0D: "-"}


class CellError(ValueError):
    """A cell's text is not what it should be."""


@dataclass(slots=True)
class Form:
    """What stands in the fields: balances by account, rows of text; `faults` by field name."""

    village: str
    period: str
    balances: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, str]] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def used_rows(self) -> list[tuple[int, dict[str, str]]]:
        """Rows in which anything but a chosen option stands."""
        typed = ("date", "summary", "amount", "category", "payee", "no")
        return [(n, r) for n, r in enumerate(self.rows) if any(r[c] for c in typed)]


def to_fen(text: str) -> int:
    """Yuan as typed to fen: `1,234.5` -> 123450; full-width digits are understood, anything else is CellError."""
    plain = text.strip().translate(_FULL_WIDTH).replace(",", "")
    if not _YUAN.fullmatch(plain):
        message = "金额应写成 1234.50 这样的数字，单位是元"
        raise CellError(message)
    sign = -1 if plain.startswith("-") else 1
    whole, _, part = plain.lstrip("-").partition(".")
    return sign * (int(whole) * 100 + int((part + "00")[:2]))


def to_yuan(fen: int) -> str:
    """Fen as the form shows it: 123450 -> `1234.50`."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02}"


def whole(text: str) -> int | None:
    """A small whole number as typed; None when it is none."""
    return int(text) if _WHOLE.fullmatch(text) else None


def read_form(fields: Mapping[str, str]) -> Form:
    """Take over the fields as they are."""
    count = whole(fields.get("rows", "")) or START_ROWS
    rows = [{cell: fields.get(f"{cell}-{n}", "").strip() for cell in CELLS} for n in range(min(count, MAX_ROWS))]
    balances = {f"{a}-{end}": fields.get(f"{a}-{end}", "").strip() for a in ACCOUNTS for end in ("opening", "closing")}
    return Form(fields.get("village", ""), fields.get("period", "").strip(), balances, rows)


def empty_form(village: str, period: str) -> Form:
    """A form to begin with."""
    return read_form({"village": village, "period": period})


def holds(body: Body) -> bool:
    """Tell whether the plain form has a place for every account and line of a body; saving it would lose the others."""
    return len(body.lines) <= MAX_ROWS and all(a.account in ACCOUNTS for a in body.accounts)


def form_of(village: str, period: str, body: Body) -> Form:
    """The form that shows a body which it `holds`."""
    fields: dict[str, str] = {"village": village, "period": period, "rows": str(len(body.lines) + MORE_ROWS)}
    for a in body.accounts:
        fields[f"{a.account}-opening"] = to_yuan(a.opening_fen)
        fields[f"{a.account}-closing"] = to_yuan(a.closing_fen)
    for n, line in enumerate(body.lines):
        voucher = line.voucher
        values = {
            "date": line.date.isoformat(),
            "summary": line.summary,
            "direction": line.direction,
            "amount": to_yuan(line.amount_fen),
            "account": line.account,
            "category": line.category or "",
            "payee": line.payee or "",
            "word": voucher.word if voucher else "",
            "no": str(voucher.no) if voucher else "",
        }
        fields.update({f"{cell}-{n}": value for cell, value in values.items()})
    return read_form(fields)


def to_body(form: Form) -> dict[str, Any] | None:
    """The body in the form, or None with `faults` filled in."""
    body = {"kind": "ledger", "accounts": _accounts(form), "lines": [_line(form, n, r) for n, r in form.used_rows]}
    return None if form.faults else body


def _fen(form: Form, name: str, text: str) -> int:
    try:
        return to_fen(text)
    except CellError as error:
        form.faults[name] = str(error)
        return 0


def _accounts(form: Form) -> list[dict[str, Any]]:
    accounts = []
    for account in ACCOUNTS:
        opening, closing = form.balances[f"{account}-opening"], form.balances[f"{account}-closing"]
        if opening or closing:
            accounts.append(
                {
                    "account": account,
                    "opening_fen": _fen(form, f"{account}-opening", opening),
                    "closing_fen": _fen(form, f"{account}-closing", closing),
                },
            )
    if not accounts:
        form.faults["cash-opening"] = "请填写至少一个账户的期初和期末余额，没有就填 0"
    return accounts


def _line(form: Form, n: int, row: Mapping[str, str]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "date": row["date"],
        "summary": row["summary"],
        "direction": row["direction"] or "out",
        "amount_fen": _fen(form, f"amount-{n}", row["amount"]),
        "account": row["account"] or "cash",
    }
    if line["direction"] == "transfer":
        line["to_account"] = "bank" if line["account"] == "cash" else "cash"
    for optional in ("category", "payee"):
        if row[optional]:
            line[optional] = row[optional]
    if row["no"]:
        number = whole(row["no"])
        if number is None:
            form.faults[f"no-{n}"] = "凭证号应为数字"
        else:
            line["voucher"] = {"word": row["word"] or "记", "no": number}
    return line


_LINE_FIELDS: Final = {
    "date": "date",
    "summary": "summary",
    "amount_fen": "amount",
    "account": "account",
    "category": "category",
}
_PLACE: Final = re.compile(r"body\.lines\[(\d+)\](?:\.(\w+))?")


def note_faults(form: Form, faults: Sequence[tuple[str, str]]) -> list[str]:
    """Put faults of the body at the cells they come from; returns those that have no cell."""
    used = [n for n, _ in form.used_rows]
    homeless = []
    for at, message in faults:
        match = _PLACE.match(at)
        if match is not None and int(match[1]) < len(used):
            cell = _LINE_FIELDS.get(match[2] or "", "summary")
            form.faults.setdefault(f"{cell}-{used[int(match[1])]}", message)
        else:
            homeless.append(message)
    return homeless
