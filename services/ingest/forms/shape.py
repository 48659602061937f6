"""沿用上月格式: the body of a new period in the shape of the last one, without its figures; pure."""

from collections.abc import Mapping
from typing import Any, Final

#: What stays of a ledger's line: its words and accounts. Amounts, days, vouchers and invoices are the month's own.
_LINE: Final = ("summary", "direction", "account", "to_account", "method", "category", "payee", "payee_ref", "handler")
_ENTRY: Final = (
    "name",
    "payee_ref",
    "household",
    "group",
    "household_size",
    "category",
    "rate_fen",
    "quantity",
    "unit_rate",
)


#: Kinds of which one period looks like the next.
SHAPED: Final = frozenset({"ledger", "roster", "table", "notice"})


def same_shape(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body to show in a form, not yet a valid one: figures are left out, openings are the last closings."""
    match body["kind"]:
        case "ledger":
            accounts = [{"account": a["account"], "opening_fen": a["closing_fen"]} for a in body["accounts"]]
            return {"kind": "ledger", "accounts": accounts, "lines": [_only(line, _LINE) for line in body["lines"]]}
        case "roster":
            words = _only(body, ("kind", "title", "standard", "quantity_unit"))
            return {**words, "entries": [_only(e, _ENTRY) for e in body["entries"]]}
        case "table":
            return {**_only(body, ("kind", "title", "columns", "checks", "group_by")), "rows": _rows(body)}
        case "notice":
            return _only(body, ("kind", "title", "signed_by"))
        case _:
            return {"kind": body["kind"]}


def _only(holder: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: holder[name] for name in names if holder.get(name) is not None}


def _rows(body: Mapping[str, Any]) -> list[list[Any]]:
    """Words stay. Where every row must add up to its last balance (期初 + … = 期末), the next one begins with it."""
    keys = [c["key"] for c in body["columns"]]
    words = {c["key"] for c in body["columns"] if c.get("type", "text") in {"text", "name"}}
    chained = any("opening" in c["plus"] and c["equals"] == "closing" for c in body.get("checks", ()))
    carried = {"opening": "closing"} if chained else {}
    made = []
    for row in body["rows"]:
        cells = dict(zip(keys, row, strict=True))
        made.append([cells[k] if k in words else cells.get(carried.get(k, "")) for k in keys])
    return made
