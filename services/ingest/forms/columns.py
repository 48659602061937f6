"""Starter columns of the six table items: data that a clerk may change for a village's own table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from services.contracts.bodies import Check, Column, ColumnType

_TEXT, _NAME = ColumnType.TEXT, ColumnType.NAME
_AMOUNT, _COUNT, _QUANTITY = ColumnType.AMOUNT, ColumnType.COUNT, ColumnType.QUANTITY


@dataclass(frozen=True, slots=True)
class Starter:
    """Columns to begin with, sums that must hold in every row, the column that tells unlike rows apart."""

    columns: tuple[Column, ...]
    checks: tuple[Check, ...] = ()
    group_by: str | None = None


def _columns(*columns: tuple[str, str, ColumnType] | tuple[str, str, ColumnType, str]) -> tuple[Column, ...]:
    return tuple(Column(key=c[0], name=c[1], type=c[2], unit=c[3] if len(c) > 3 else None) for c in columns)  # noqa: PLR2004 - the unit is the fourth


_REMARK = ("remark", "备注", _TEXT)

STARTERS: Final[Mapping[str, Starter]] = MappingProxyType(
    {
        "V06": Starter(
            _columns(
                ("applicant", "申请人", _NAME),
                ("village_group", "村民小组", _TEXT),
                ("people", "家庭人口", _COUNT, "人"),
                ("purpose", "申请事由（新建、翻建、扩建）", _TEXT),
                ("area", "宅基地面积", _QUANTITY, "平方米"),
                ("applied_on", "申请日期", _TEXT),
                ("result", "审核结果", _TEXT),
                _REMARK,
            )
        ),
        "V17": Starter(
            _columns(
                ("scheme", "保障项目", _TEXT),
                ("people", "人数", _COUNT, "人"),
                ("amount", "金额", _AMOUNT, "元"),
                _REMARK,
            )
        ),
        "F02": Starter(
            _columns(
                ("party", "单位或个人", _NAME),
                ("nature", "债权或债务", _TEXT),
                ("cause", "形成原因", _TEXT),
                ("opening", "期初余额", _AMOUNT, "元"),
                ("increase", "本期增加", _AMOUNT, "元"),
                ("decrease", "本期减少", _AMOUNT, "元"),
                ("closing", "期末余额", _AMOUNT, "元"),
            ),
            (Check(plus=("opening", "increase"), minus=("decrease",), equals="closing"),),
            group_by="nature",
        ),
        "F03": Starter(
            _columns(
                ("side", "收入或支出", _TEXT),
                ("subject", "项目", _TEXT),
                ("budget", "本年预算", _AMOUNT, "元"),
                ("last_budget", "上年预算", _AMOUNT, "元"),
                ("last_actual", "上年决算", _AMOUNT, "元"),
                _REMARK,
            ),
            group_by="side",
        ),
        "F05": Starter(
            _columns(
                ("asset", "资产、资源名称", _TEXT),
                ("category", "类别", _TEXT),
                ("place", "坐落", _TEXT),
                ("quantity", "数量", _QUANTITY),
                ("measure", "单位", _TEXT),
                ("original", "原值", _AMOUNT, "元"),
                ("present", "现值", _AMOUNT, "元"),
                ("usage", "使用状况", _TEXT),
            )
        ),
        "F10": Starter(
            _columns(
                ("party", "承包人、承租人", _NAME),
                ("thing", "承包或租赁的标的", _TEXT),
                ("term", "合同期限", _TEXT),
                ("receivable", "应交", _AMOUNT, "元"),
                ("received", "已交", _AMOUNT, "元"),
                ("owed", "尚欠", _AMOUNT, "元"),
            ),
            (Check(plus=("receivable",), minus=("received",), equals="owed"),),
        ),
    }
)
#: A table item that a city added: two columns to begin with.
_PLAIN: Final = Starter(_columns(("subject", "项目", _TEXT), ("amount", "金额", _AMOUNT, "元"), _REMARK))


def starter(item: str) -> Starter:
    """The columns that an item's table begins with."""
    return STARTERS.get(item, _PLAIN)


def starter_body(item: str) -> dict[str, Any]:
    """An empty table of an item."""
    begun = starter(item)
    return {
        "kind": "table",
        "columns": [c.model_dump(mode="json", exclude_none=True) for c in begun.columns],
        "rows": [],
        "checks": [c.model_dump(mode="json") for c in begun.checks],
        **({"group_by": begun.group_by} if begun.group_by is not None else {}),
    }


def next_key(taken: Sequence[str]) -> str:
    """A key for a column that a clerk adds."""
    return next(key for n in range(1, len(taken) + 2) if (key := f"c{n}") not in taken)
