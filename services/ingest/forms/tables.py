"""The form of a table, whose columns its author names: units, sums and checks follow the columns; pure.

Within one form a column keeps its key; a body gets a new one where the column was made into something else, so that
neither a key nor a check goes on speaking of what is no longer there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from services.contracts.bodies import Column, ColumnType, Table
from services.contracts.bodies.columns import adds_up, bare_name, counts_people_of_schemes, in_wan
from services.contracts.catalogue import ItemKind
from services.ingest.forms.columns import next_key
from services.ingest.forms.spec import ATTACHMENTS, Cell, Grid, Spec
from services.ingest.forms.values import (
    CHOICE,
    FLAG,
    HIDDEN,
    MEASURED,
    MONEY,
    QUANTITY,
    TEXT,
    WAN,
    WAN_BEFORE,
    WHOLE,
    Kind,
)

_TYPES: Final = (
    ("text", "文字"),
    ("name", "人名或单位（网上按规定遮盖）"),
    ("amount", "金额"),
    ("count", "整数"),
    ("quantity", "带小数的数量"),
)
_SUMS: Final = (
    ("", "看列名和单位"),
    ("yes", "相加"),
    ("no", "不相加（单价、标准、年限等）"),
    ("group", "按这一列分组小计"),
)
_COLUMNS: Final = Grid(
    "columns",
    "列",
    (
        Cell("name", "列名", size=18),
        Cell("type", "填什么", CHOICE, options=_TYPES),
        Cell("unit", "单位", size=6),
        Cell("sum", "合计", CHOICE, options=_SUMS),
        Cell("key", "列的代号", HIDDEN),
        Cell("was", "原来的列名", HIDDEN),
    ),
    start=0,
    more=1,
    limit=20,
    hint="金额的单位写 元 或 万元，填的数就按这个单位算。删去列名就是去掉这一列。改动后点“按新的列显示”。",
    named_by="name",
)
_KINDS: Final = MappingProxyType(
    {
        ColumnType.TEXT: TEXT,
        ColumnType.NAME: TEXT,
        ColumnType.AMOUNT: MONEY,
        ColumnType.COUNT: WHOLE,
        ColumnType.QUANTITY: MEASURED,
    }
)
_ROWS_HINT: Final = "空着的行不用管。不是量出来的数可以写 约50.17、16多：照写公开，不参加合计。合计、小计可以照原件写成一行，系统会核对，不会重复相加。"
_CHECK: Final = "~check-"
#: What stands in a column of the form beside the fields of a body's column.
_FORM_ONLY: Final = ("was",)


@dataclass(frozen=True, slots=True)
class TableForm:
    """What a table's form is made of: columns as typed, checks of the body, keys for which a total is stated."""

    columns: Sequence[Mapping[str, Any]]
    checks: Sequence[Mapping[str, Any]] = ()
    stated: Collection[str] = ()


def table_spec(table: TableForm) -> Spec:
    """The form of a table."""
    known = [_column(c) for c in table.columns]
    kinds = [_kind(c, column) for c, column in zip(table.columns, known, strict=True)]
    labels = [_label(c) for c in table.columns]
    cells = tuple(
        Cell(c["key"], label, kind, size=8 if kind is not TEXT else 12)
        for c, label, kind in zip(table.columns, labels, kinds, strict=True)
    )
    totals = [
        Cell(f"quantity_totals.{c['key']}", f"{label}合计", QUANTITY, size=14)
        if kind is MEASURED
        else Cell(f"totals.{c['key']}", f"{label}合计", kind, size=14)
        for n, (c, label, kind) in enumerate(zip(table.columns, labels, kinds, strict=True))
        if kind is not TEXT and (c["key"] in table.stated or _may_total(known, n))
    ]
    rows = Grid("rows", "内容", cells, start=8, more=10, hint=_ROWS_HINT, listed=True, pasted=True)
    foot = (*totals, *_check_cells(table))
    return Spec(ItemKind.TABLE, (Cell("title", "标题", size=40),), (rows, _COLUMNS, ATTACHMENTS), foot)


def _column(typed: Mapping[str, Any]) -> Column:
    """A column as the contracts read it, whatever was typed."""
    kind = typed["type"] if typed["type"] in set(ColumnType) else ColumnType.TEXT
    said = {"yes": True, "no": False}.get(str(typed.get("sum", "")))
    return Column.model_construct(
        key=typed["key"], name=typed["name"], type=ColumnType(kind), unit=typed["unit"] or None, sum=said
    )


def _kind(typed: Mapping[str, Any], column: Column) -> Kind:
    if in_wan(column):
        return WAN_BEFORE if typed.get("before") else WAN
    return _KINDS[column.type]


def _label(typed: Mapping[str, Any]) -> str:
    return f"{typed['name']}（{typed['unit']}）" if typed["unit"] else str(typed["name"])


def _may_total(known: Sequence[Column], n: int) -> bool:
    return adds_up(known, (), n) and not counts_people_of_schemes(known, n)


# -- checks of every row ------------------------------------------------------------------------------------------


def _check_cells(table: TableForm) -> list[Cell]:
    names = {c["key"]: c["name"] for c in table.columns}
    return [
        Cell(f"{_CHECK}{n}", f"每一行都核对：{_equation(check, names)}", FLAG)
        for n, check in enumerate(table.checks)
        if _keys(check) <= set(names) and not _renamed(table.columns, check)
    ]


def _equation(check: Mapping[str, Any], names: Mapping[str, str]) -> str:
    plus = " + ".join(names[k] for k in check["plus"])
    minus = "".join(f" − {names[k]}" for k in check.get("minus", ()))
    return f"{plus}{minus} = {names[check['equals']]}"


def _keys(check: Mapping[str, Any]) -> set[str]:
    return {*check.get("plus", ()), *check.get("minus", ()), str(check.get("equals", ""))}


def _renamed(columns: Sequence[Mapping[str, Any]], check: Mapping[str, Any]) -> bool:
    return any(is_another(c) for c in columns if c["key"] in _keys(check))


def is_another(column: Mapping[str, Any]) -> bool:
    """Tell whether a column of the form was made into something else: 应交 is still 应交金额, but not 起拍价格."""
    was, name = bare_name(str(column.get("was", ""))), bare_name(str(column.get("name", "")))
    return bool(was) and was not in name and name not in was


# -- a body's table in a form -------------------------------------------------------------------------------------


def for_form(body: Mapping[str, Any]) -> dict[str, Any]:
    """A table's body with columns as the form shows them: choices in words, and the name that a column came with."""
    seems = _as_it_seems(body)
    columns = []
    for column in body["columns"]:
        said, key = column.get("sum"), column["key"]
        choice = "" if said is None or said == seems.get(key) else ("yes" if said else "no")
        choice = "group" if body.get("group_by") == key else choice
        is_before = said is None and bool(body["rows"])
        columns.append(
            {"unit": "", "type": "text", **column, "sum": choice, "was": column["name"], "before": is_before}
        )
    checks = {f"{_CHECK}{n}": True for n in range(len(body.get("checks", ())))}
    return {**{k: v for k, v in body.items() if k != "group_by"}, "columns": columns, **checks}


def _as_it_seems(body: Mapping[str, Any]) -> dict[str, bool | None]:
    """Whether each column would be summed if nothing were said."""
    bare = [{k: v for k, v in c.items() if k != "sum"} for c in body["columns"]]
    settled = Table.model_validate({"columns": bare, "rows": body["rows"]}).settled()
    return {c.key: c.sum for c in settled.columns}


# -- and back -----------------------------------------------------------------------------------------------------


def from_form(columns: Sequence[Mapping[str, Any]], body: dict[str, Any]) -> dict[str, str]:
    """Make a body of what the form holds; columns come with the form's keys. Returns the new key of each old one."""
    renamed = _new_keys(columns)
    made = body["columns"]
    for column, typed in zip(made, columns, strict=False):
        column["key"] = renamed[typed["key"]]
        said = column.pop("sum", "")
        if said == "group":
            body["group_by"] = column["key"]
        elif said:
            column["sum"] = said == "yes"
        for name in _FORM_ONLY:
            column.pop(name, None)
    _keep_totals(body, renamed)
    body["checks"] = _kept_checks(columns, body, renamed)
    return renamed


def _new_keys(columns: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    taken = [str(c["key"]) for c in columns]
    renamed = {}
    for column in columns:
        key = str(column["key"])
        renamed[key] = next_key(taken) if is_another(column) else key
        taken.append(renamed[key])
    return renamed


def _keep_totals(body: dict[str, Any], renamed: Mapping[str, str]) -> None:
    """Totals follow their columns; those of a column that is gone, or is a number no longer, go with it."""
    for field, types in (("totals", {"amount", "count"}), ("quantity_totals", {"quantity"})):
        totals = body.pop(field, None)
        summed = {c["key"] for c in body["columns"] if c.get("type") in types}
        kept = (
            {renamed[k]: v for k, v in totals.items() if renamed.get(k) in summed} if isinstance(totals, dict) else {}
        )
        if kept:
            body[field] = kept


def _kept_checks(
    columns: Sequence[Mapping[str, Any]], body: dict[str, Any], renamed: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Checks that were not taken off and whose columns are all still what they were."""
    ticked = {name for name in list(body) if name.startswith(_CHECK) and body.pop(name)}
    checks, summed = body.get("checks"), {c["key"] for c in body["columns"] if c.get("type") in {"amount", "count"}}
    if not isinstance(checks, list):
        return []
    return [
        {"plus": list(c.get("plus", ())), "minus": list(c.get("minus", ())), "equals": c["equals"]}
        for n, c in enumerate(checks)
        if isinstance(c, dict)
        and f"{_CHECK}{n}" in ticked
        and {renamed.get(k) for k in _keys(c)} <= summed
        and not _renamed(columns, c)
    ]
