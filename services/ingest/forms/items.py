"""What the form of one item asks first, and by which words: a list of subsidies is another page than one of wages; pure.

Every list of people has the same cells. What an item does not ask for is folded away and kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from services.contracts.bodies import ELECTIONS
from services.contracts.catalogue import ItemKind
from services.ingest.forms.fields import Cell, Spec
from services.ingest.forms.values import WHOLE


@dataclass(frozen=True, slots=True)
class _List:
    """A list of people: the cells that it asks first, in their order, what some are called here, and a sentence above it."""

    first: tuple[str, ...]
    labels: Mapping[str, str]
    hint: str


_ELECTION: Final = _List(
    ("name", "category", "votes", "standing"),
    MappingProxyType({}),
    "候选人写明职位、得票，当选的选“当选”：网上照实公布。选民名单的“选举”一格空着，网上不显示。",
)
_SUBSIDY: Final = _List(
    ("name", "group", "household_size", "quantity", "unit_rate", "amount_fen", "remark"),
    MappingProxyType({"unit_rate": "每亩（每头、每人）补多少元"}),
    "面积乘标准应当等于金额，最多四位小数；按人补的，面积空着，写家庭人口。",
)
_AID: Final = _List(
    ("name", "group", "household_size", "category", "unit_rate", "amount_fen", "goods"),
    MappingProxyType({"unit_rate": "每人多少元", "category": "救助类别"}),
    "只写户主、小组、人口、类别和金额：网上不显示理由和病情，请不要写。",
)
_WAGES: Final = _List(
    ("name", "category", "amount_fen", "remark"),
    MappingProxyType({"category": "职务"}),
    "一人一行；一个人领几样的，分行写清楚是哪一样。",
)
_LISTS: Final[Mapping[str, _List]] = MappingProxyType(
    {
        **dict.fromkeys(ELECTIONS, _ELECTION),
        "V04": _SUBSIDY,
        "F06": _SUBSIDY,
        "V03": _AID,
        "V05": _AID,
        "V12": _AID,
        "V09": _WAGES,
    }
)


def by_item(code: str, spec: Spec) -> Spec:
    """The form of a kind as one item asks it."""
    wanted = _LISTS.get(code)
    if wanted is None or spec.kind is not ItemKind.ROSTER:
        return spec
    entries, *others = spec.grids
    cells = sorted(entries.cells, key=lambda c: _place(wanted, c))
    cells = [replace(c, more=c.path not in wanted.first, label=wanted.labels.get(c.path, c.label)) for c in cells]
    hint = f"空着的行不用管。{wanted.hint}{_CARDS if code not in ELECTIONS else ''}"
    grids = (replace(entries, cells=tuple(cells), hint=hint), *others)
    if code in ELECTIONS:
        return replace(spec, grids=grids, head=(*spec.head[:2], *_BALLOTS), foot=spec.foot[:1])
    return replace(spec, grids=grids)


#: An election counts ballots, not areas and amounts; what a body has of these rides along.
_BALLOTS: Final = (
    Cell("ballots.registered", "登记参加选举的村民（人）", WHOLE, size=8),
    Cell("ballots.cast", "参加投票（人）", WHOLE, size=8),
    Cell("ballots.valid", "有效票（张）", WHOLE, size=8),
)


_CARDS: Final = "本市开通了“家里的一行”的，可以填一卡通卡号的后四位：卡号不保存，只用来让这家人查到自己的一行。"


def _place(wanted: _List, cell: Cell) -> int:
    return wanted.first.index(cell.path) if cell.path in wanted.first else len(wanted.first)
