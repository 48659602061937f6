"""Lists of people and plain tables: rows of a file to rosters and tables; pure."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from services.contracts.bodies import Column, ColumnType
from services.contracts.bodies.rows import is_sum_label
from services.ingest.bulk.cells import CellError, plain, to_fen, to_quantity, to_whole
from services.ingest.forms.columns import STARTERS, next_key
from services.ingest.workbooks.cells import BLANKS, CellFault, Reading, fen_of
from services.ingest.workbooks.drafts import MAX_LINES, NAMES, UNNAMED, Made, Wanted
from services.ingest.workbooks.movements import SUM, label_of
from services.ingest.workbooks.tables import Row
from services.ingest.workbooks.villages import Directory
from services.ingest.workbooks.words import bare, role_of, unit_of
from services.ingest.workbooks.workbook import JsonObject, Value, text_of

Read = TypeVar("Read", int, str)
_TICKS: Final = frozenset({"√", "✓", "✔", "v", "V", "是", "对", "●", "○", "1"})
_MEASURED: Final = re.compile(r"([\d.,]+)\s*[^\d.,\s×x*-]{0,4}")
_MONEY_NAME: Final = re.compile(
    r"元|金额|资金|原值|现值|净值|余额|投资|应[交收付]|[已实尚][交收付欠]|预算|决算|收入|支出|价款|补助|补贴$|投入|效益"
)
_COUNT_UNITS: Final = "人户个名次座台辆间头"
_MAX_COLUMNS: Final = 20


# -- lists of people ----------------------------------------------------------------------------------------------


def rosters_of(readings: Sequence[Reading], wanted: Wanted, directory: Directory) -> tuple[list[Made], list[CellFault]]:
    """One roster for each village; sums go into the stated total, where they are checked."""
    made: dict[str, Made] = {}
    faults: list[CellFault] = []
    for reading in readings:
        ticked = _ticks(reading)
        for row in reading.table.rows:
            label = label_of(reading, row) if not reading.text(row, "name") else reading.text(row, "name")
            village = _village_of(reading, row, wanted, directory, faults)
            if not village:
                continue
            one = made.setdefault(village, _begun(village, reading, wanted, {"kind": "roster", "entries": []}))
            if is_sum_label(re.sub(r"\s", "", label)) or SUM.match(re.sub(r"\s", "", label)):
                _total(reading, row, one)
            elif not reading.text(row, "name"):
                if any(reading.text(row, r) for r in ("amount", "people", "days")):
                    reading.refuse(row, "name", "没有姓名，请补上；合计行请写“合计”")
            elif (entry := _entry(reading, row, ticked)) is not None:
                one.body["entries"].append(entry)
                one.sources.append((reading.table.place(row.at), (row.at,)))
                one.raws.append({role: reading.text(row, role) for role in ("name", "amount", "people", "category")})
    return list(made.values()), [*faults, *_too_long(made.values())]


def _too_long(made: Iterable[Made]) -> list[CellFault]:
    counted = [(one, len(one.sources)) for one in made]
    return [
        CellFault(one.sources[0][0], f"有 {n} 行，一份最多 {MAX_LINES} 行，请分成几份")
        for one, n in counted
        if n > MAX_LINES
    ]


def _begun(village: str, reading: Reading, wanted: Wanted, body: JsonObject) -> Made:
    return Made(village, wanted.item, wanted.period or reading.period, body)


def _village_of(reading: Reading, row: Row, wanted: Wanted, directory: Directory, faults: list[CellFault]) -> str:
    said = reading.text(row, "village_code"), reading.text(row, "village")
    if not any(said) or is_sum_label(said[1]):
        known = reading.village or wanted.village
        if not known and NAMES & reading.roles.keys() and not is_sum_label(label_of(reading, row)):
            faults.append(CellFault(reading.table.place(row.at), UNNAMED))
        return known
    settled = directory.settle(*said)
    if settled.fault:
        role = "village_code" if said[0] else "village"
        faults.append(CellFault(reading.table.place(row.at, reading.roles.get(role)), settled.fault))
    return settled.code


def _total(reading: Reading, row: Row, one: Made) -> None:
    fen = reading.fen(row, "amount", quiet=True)
    if fen is not None and "小计" not in label_of(reading, row):
        one.body["totals"] = {"amount_fen": fen}
    reading.leave_out(row, "合计（填到“金额合计”，用来核对）")


def _entry(reading: Reading, row: Row, ticked: Mapping[int, str]) -> JsonObject | None:
    entry: JsonObject = {"name": re.sub(r"\s+", "", reading.text(row, "name"))[:200]}
    for role in ("group", "category", "goods", "remark"):
        if text := reading.text(row, role):
            entry[role] = text[:200]
    if chosen := [name for at, name in ticked.items() if plain(text_of(row.cells[at])) in _TICKS]:
        entry["category"] = "、".join(filter(None, [entry.get("category", ""), *chosen]))[:200]
    if reading.text(row, "people"):
        entry["household_size"] = _read(reading, row, "people", _whole)
    if reading.text(row, "days"):
        entry["days"] = _read(reading, row, "days", _quantity)
    if reading.text(row, "rate"):
        _put_rate(reading, row, entry)
    if (fen := reading.fen(row, "amount")) is not None:
        entry["amount_fen"] = fen
    return {key: value for key, value in entry.items() if value is not None}


def _put_rate(reading: Reading, row: Row, entry: JsonObject) -> None:
    """A rate in money; one of another sort (`3100元/月`) is said as a remark."""
    try:
        entry["rate_fen"] = fen_of(reading.value(row, "rate"))
    except CellError:
        said = f"标准 {reading.text(row, 'rate')}"
        entry["remark"] = f"{entry['remark']}；{said}"[:200] if "remark" in entry else said[:200]


def _read(reading: Reading, row: Row, role: str, read: Callable[[str], Read]) -> Read | None:
    try:
        return read(text_of(reading.value(row, role)))
    except CellError as error:
        reading.refuse(row, role, f"“{reading.text(row, role)[:20]}”不对，{error}")
        return None


def _whole(text: str) -> int:
    return to_whole(re.sub(r"[人口个]$", "", plain(text)))


def _quantity(text: str) -> str:
    found = _MEASURED.fullmatch(plain(text))
    return to_quantity(found[1] if found else text)


def _ticks(reading: Reading) -> dict[int, str]:
    """Columns in which one of several is ticked, with the last part of their names."""
    taken = set(reading.roles.values())
    found = {}
    for n, column in enumerate(reading.table.columns):
        said = {plain(text_of(row.cells[n])) for row in reading.table.rows} - {""}
        if n not in taken and "/" in column.name and said <= _TICKS:
            found[n] = column.name.rpartition("/")[2]
    return found


# -- tables -------------------------------------------------------------------------------------------------------


def tables_of(readings: Sequence[Reading], wanted: Wanted, directory: Directory) -> tuple[list[Made], list[CellFault]]:
    """One table for each village, with the columns of the file; those that the item has keep the item's keys and checks."""
    made: dict[str, Made] = {}
    faults: list[CellFault] = []
    for reading in readings:
        notes: list[str] = []
        kept = _kept(reading, wanted.item, notes)
        columns = [column for _, column, _ in kept]
        for row in reading.table.rows:
            village = _village_of(reading, row, wanted, directory, faults)
            if not village:
                continue
            cells = [_cell(row.cells[n], column) for n, column, _ in kept]
            if village not in made:
                made[village] = _begun(village, reading, wanted, _body(columns, wanted.item))
                made[village].notes += notes
            one = made[village]
            if one.body["columns"] != _dumped(columns):
                faults.append(CellFault(reading.table.place(row.at), "这张表的列和前面的表不一样，请分开上传"))
                break
            one.body["rows"].append(cells)
            one.sources.append((reading.table.place(row.at), (row.at,)))
            one.raws.append({c.key: text_of(row.cells[n]) for n, c, _ in kept})
    return list(made.values()), [*faults, *_too_long(made.values())]


def _dumped(columns: Sequence[Column]) -> list[JsonObject]:
    return [c.model_dump(mode="json", exclude_none=True) for c in columns]


def _body(columns: Sequence[Column], item: str) -> JsonObject:
    starter = STARTERS.get(item)
    types = {c.key: c.type for c in columns}
    body: JsonObject = {"kind": "table", "columns": _dumped(columns), "rows": [], "checks": []}
    if starter is not None:
        amounts = {key for key, kind in types.items() if kind in {ColumnType.AMOUNT, ColumnType.COUNT}}
        body["checks"] = [c.model_dump(mode="json") for c in starter.checks if {*c.plus, *c.minus, c.equals} <= amounts]
        if starter.group_by in types:
            body["group_by"] = starter.group_by
    return body


def _kept(reading: Reading, item: str, notes: list[str]) -> list[tuple[int, Column, str]]:
    """The columns of a file's table as the body has them: place, column, name in the file."""
    starter = {bare(c.name): c for c in STARTERS[item].columns} if item in STARTERS else {}
    away = {reading.roles[r] for r in ("private", "ignore", "village", "village_code", "period") if r in reading.roles}
    kept: list[tuple[int, Column, str]] = []
    taken: list[str] = [c.key for c in starter.values()]
    for n, column in enumerate(reading.table.columns):
        values = [row.cells[n] for row in reading.table.rows]
        if (
            n in away
            or _is_away(reading, n)
            or (all(v in {None, ""} for v in values) and bare(column.name) not in starter)
        ):
            continue
        if len(kept) == _MAX_COLUMNS:
            notes.append(f"一张表最多 {_MAX_COLUMNS} 列，“{column.name}”和后面的列没有带入。")
            break
        like = starter.get(bare(column.name)) or starter.get(bare(column.name.rpartition("/")[2]))
        if like is not None and like.key in [c.key for _, c, _ in kept]:
            like = None
        key = like.key if like is not None else next_key(taken)
        taken.append(key)
        kept.append((n, _column(column.name, key, values, like, notes, reading.unit), column.name))
    return kept


def lacks_unit(reading: Reading, item: str) -> bool:
    """Tell whether a table has amounts of which neither the file nor the item says in what they are written."""
    starter = {bare(c.name) for c in STARTERS[item].columns} if item in STARTERS else set()
    return not reading.unit and any(
        not unit_of(column.name)
        and bare(column.name) not in starter
        and n not in reading.roles.values()
        and _type_of(column.name, [row.cells[n] for row in reading.table.rows]) is ColumnType.AMOUNT
        for n, column in enumerate(reading.table.columns)
    )


def _is_away(reading: Reading, n: int) -> bool:
    """Tell whether a column is never taken: numbers of persons, counters of rows."""
    return role_of(reading.table.columns[n].name, {}) in {"private", "ignore"}


def _column(name: str, key: str, values: Sequence[Value], like: Column | None, notes: list[str], unit: str) -> Column:
    last = name.replace("/", "·")[:100]
    kind = like.type if like is not None else _type_of(name, values)
    wanted = kind
    while kind not in {ColumnType.TEXT, ColumnType.NAME} and not all(
        _fits(v, kind, unit_of(name) or unit) for v in values
    ):
        kind = ColumnType.QUANTITY if kind is ColumnType.COUNT else ColumnType.TEXT
    if kind is ColumnType.TEXT and wanted is not ColumnType.TEXT:
        notes.append(f"“{name}”列里有不是数字的格，整列按文字带入，不会相加。")
    said = unit_of(name) or unit
    if kind is ColumnType.AMOUNT:
        return Column(key=key, name=like.name if like is not None else last, type=kind, unit=said or "元")
    return Column(
        key=key,
        name=like.name if like is not None else last,
        type=kind,
        unit=like.unit if like is not None and kind is like.type else None,
    )


def _type_of(name: str, values: Sequence[Value]) -> ColumnType:
    filled = [v for v in values if plain(text_of(v)) not in BLANKS]
    if not filled or "%" in name or "％" in name or re.search(r"年份|代码|编号|时间|日期|号$", name):  # noqa: RUF001 - full-width
        return ColumnType.NAME if re.search(r"姓名|户主|承包人|承租人|单位或个人", name) else ColumnType.TEXT
    if re.search(r"姓名|户主|承包人|承租人|申请人|单位或个人|单位或姓名", name):
        return ColumnType.NAME
    if not all(re.fullmatch(r"-?[\d,]+(\.\d+)?[^\d.,]{0,3}", plain(text_of(v))) for v in filled):
        return ColumnType.TEXT
    if _MONEY_NAME.search(name):
        return ColumnType.AMOUNT
    is_whole = all("." not in plain(text_of(v)) for v in filled)
    return ColumnType.COUNT if is_whole and re.search(rf"[{_COUNT_UNITS}]|数", name) else ColumnType.QUANTITY


def _fits(value: Value, kind: ColumnType, unit: str) -> bool:
    try:
        _cell(value, Column.model_construct(key="x", name="x", type=kind, unit=unit or None))
    except CellError:
        return False
    return True


def _cell(value: Value, column: Column) -> str | int | None:
    """A cell of the file as the body's column holds it; CellError when it does not."""
    text = text_of(value)
    if not plain(text):
        return None
    match column.type:
        case ColumnType.AMOUNT:
            if plain(text) in BLANKS:
                return None
            return fen_of(value, column.unit or "") if isinstance(value, int | float) else _fen(text, column.unit or "")
        case ColumnType.COUNT:
            return None if plain(text) in BLANKS else to_whole(re.sub(rf"[{_COUNT_UNITS}]$", "", plain(text)))
        case ColumnType.QUANTITY:
            return None if plain(text) in BLANKS else to_quantity(plain(text).replace(",", ""))
    return text[:500]


def _fen(text: str, unit: str) -> int:
    return fen_of(text, unit) if unit == "万元" else to_fen(text)
