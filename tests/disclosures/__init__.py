"""Tables of real disclosures, as bodies: columns by what stands in them, cells as the desk's forms would take them."""

import json
from pathlib import Path
from typing import Any

from services.contracts.bodies import Table

_HERE = Path(__file__).parent


def sheet(name: str, place: int = 0) -> list[list[str]]:
    """A table of a disclosure as printed: heads, then rows."""
    found: list[list[str]] = json.loads((_HERE / f"{name}.json").read_text("utf-8"))["tables"][place]
    return found


def as_table(printed: list[list[str]], types: dict[str, str]) -> Table:
    """The body of a printed table. `types`: the columns that are no text, `amount` with a unit as `amount 万元`."""
    heads, *rows = printed
    columns: list[dict[str, Any]] = []
    for n, head in enumerate(heads):
        kind, _, unit = types.get(head, "text").partition(" ")
        columns.append({"key": f"c{n}", "name": head, "type": kind, **({"unit": unit} if unit else {})})
    cells = [[_cell(column, text) for column, text in zip(columns, row, strict=True)] for row in rows]
    return Table.model_validate({"kind": "table", "columns": columns, "rows": cells}).settled()


def _cell(column: dict[str, Any], text: str) -> str | int | None:
    if not text:
        return None
    if column["type"] == "count":
        return int(text)
    if column["type"] == "amount":
        return round(float(text) * (1_000_000 if column.get("unit") == "万元" else 100))
    return text
