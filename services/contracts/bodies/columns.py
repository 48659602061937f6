"""Columns of a table: what stands in them, in which unit, and whether adding their cells up means anything."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from services.contracts.base import Model
from services.contracts.bodies.base import measured, ten_thousandths
from services.contracts.values import Fen, ShortText, yuan

ColumnKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]


class ColumnType(StrEnum):
    """What stands in a column: words, a person's name (masked on the web), fen, a number of things, a measured number."""

    TEXT = "text"
    NAME = "name"
    AMOUNT = "amount"
    COUNT = "count"
    QUANTITY = "quantity"


class Column(Model):
    """A column. `unit` of an amount tells in what its author writes; cells are fen whatever it says."""

    key: ColumnKey
    name: ShortText
    type: ColumnType = ColumnType.TEXT
    unit: ShortText | None = None
    sum: bool | None = Field(
        default=None,
        description="whether adding the cells up means anything (never for rates, prices, standards, years, durations);"
        " null in bodies from before this was asked: then name and unit tell, and 万元 may not be what was meant",
    )


_LONGEST_CELL: Final = 500


def _cell(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """Refuse a cell once and at its own place: pydantic would add the name of every type that it is not."""
    try:
        cell = read(value)
    except ValidationError as error:
        message = (
            f"文字太长，最多 {_LONGEST_CELL} 个字"
            if isinstance(value, str)
            else "应为整数（金额以分为单位）、文字，或留空"
        )
        raise ValueError(message) from error
    if isinstance(cell, str) and "\x00" in cell:
        message = "不能含有空字符（NUL）"
        raise ValueError(message)
    return cell


#: A cell: text, fen or a count, or nothing. A quantity is text.
Cell = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, max_length=_LONGEST_CELL)] | Fen | None,
    WrapValidator(_cell),
]
Row = tuple[Cell, ...]
#: Columns whose cells are integers.
SUMMED: Final = frozenset({ColumnType.AMOUNT, ColumnType.COUNT})
#: Columns whose cells are numbers of any sort.
NUMBERS: Final = SUMMED | {ColumnType.QUANTITY}
#: Columns in which words stand.
WORDS: Final = frozenset({ColumnType.TEXT, ColumnType.NAME})

_MEASURED: Final = re.compile(r"-?\d{1,12}(\.\d{1,4})?", re.ASCII)


def number(column: Column, cell: Cell) -> int | None:
    """A cell as an integer: fen, things, ten-thousandths of a unit; None where no plain number stands."""
    if isinstance(cell, int):
        return cell
    if column.type is ColumnType.QUANTITY and cell and _MEASURED.fullmatch(cell.replace(",", "")):
        return ten_thousandths(cell.replace(",", ""))
    return None


def number_words(column: Column, value: int) -> str:
    """A number of a column with its unit, for sentences."""
    match column.type:
        case ColumnType.AMOUNT:
            return f"{yuan(value)} 元"
        case ColumnType.QUANTITY:
            return f"{measured(value)} {unit_of(column)}".strip()
        case _:
            return f"{value} {unit_of(column)}".strip()


# -- units and what may be added up -------------------------------------------------------------------------------

_BRACKETS: Final = re.compile(r"[（(]([^（()）]*)[）)]")


def unit_of(column: Column) -> str:
    """The unit as said, or as it stands in brackets behind the name: `重建(户)` -> `户`."""
    inside = _BRACKETS.findall(column.name)
    return column.unit or (inside[-1].strip() if inside else "")


def bare_name(name: str) -> str:
    """A column's name without brackets and white space."""
    return re.sub(r"\s", "", _BRACKETS.sub("", name))


def in_wan(column: Column) -> bool:
    """Tell whether the author writes a column's amounts in ten thousands of yuan."""
    return column.type is ColumnType.AMOUNT and unit_of(column).startswith("万")


#: Words of rates, prices, grades and numbers of order: a sum of these says nothing.
_NO_SUM: Final = re.compile(
    r"率|比例|占比|比重|百分|标准(?!化|厂|间|件)|基准|均价|人均|户均|亩均|平均|均值|系数|指数|折扣|得分|分数|评分|名次|排名"
    r"|序号|编号|号码|年龄|楼层|等级|档次|档位|每(?!年度|月份)|(?<![总造同标交算定])价(?![款值税])"
)
_PER: Final = re.compile(r"(元|斤|公斤|千克|吨|度|角)\s*[/\uff0f]|(?<![0-9])[%\uff05‰]")
_SPAN_UNITS: Final = frozenset(
    {"年", "月", "个月", "天", "日", "季", "季度", "周", "星期", "岁", "期", "届", "号", "年度", "月份"}
)
_SPAN_NAMES: Final = re.compile(r"年限|期限|租期|工期|时长|月数|年数|天数|期数|年份|年度$|月份$|年$|月$|日期|期间|时间")
#: What is left at the end of each month is not added up over the months.
_RUNNING: Final = re.compile(r"结余|余额|结存|累计")
_TIMES: Final = re.compile(r"月份?|日期|年度?|年份|时间|期间|季度")
_LABOUR: Final = re.compile(r"工日|用工|出工|误工|义务工|人天|工时|工数")
_SCHEMES: Final = re.compile(r"项目|险种|类别|类型|种类|待遇|政策|保障")
_MEASURES: Final = frozenset({"单位", "计量单位", "数量单位"})


def adds_up(columns: Sequence[Column], rows: Sequence[Row], place: int) -> bool:
    """Tell whether a column's cells may be added up: as was said, or as names, units and rows tell."""
    column = columns[place]
    if column.type not in NUMBERS:
        return False
    return column.sum if column.sum is not None else _seems_to_add_up(columns, rows, place)


def _seems_to_add_up(columns: Sequence[Column], rows: Sequence[Row], place: int) -> bool:
    column = columns[place]
    name, unit = bare_name(column.name), unit_of(column)
    if _NO_SUM.search(name) or _PER.search(f"{name} {unit}") or unit.startswith("每"):
        return False
    if _RUNNING.search(name) and any(_TIMES.fullmatch(bare_name(c.name)) for c in columns):
        return False
    if column.type is ColumnType.AMOUNT:
        return True
    if (unit in _SPAN_UNITS or _SPAN_NAMES.search(name)) and not _LABOUR.search(name + unit):
        return False
    return column.type is ColumnType.COUNT or not _measured_in_many_units(columns, rows)


def _measured_in_many_units(columns: Sequence[Column], rows: Sequence[Row]) -> bool:
    """Whether the rows tell their own units (亩, 间, 台) and these differ."""
    places = [n for n, c in enumerate(columns) if c.type is ColumnType.TEXT and bare_name(c.name) in _MEASURES]
    return any(len({row[n] for row in rows if row[n]}) > 1 for n in places)


def counts_people_of_schemes(columns: Sequence[Column], place: int) -> bool:
    """Tell whether a column counts people per scheme: somebody may be in several of them."""
    column = columns[place]
    if column.type is not ColumnType.COUNT:
        return False
    is_people = unit_of(column) in {"人", "户", "名", "人次", "户次"} or bare_name(column.name) in {"人数", "户数"}
    return is_people and any(c.type is ColumnType.TEXT and _SCHEMES.search(bare_name(c.name)) for c in columns)
