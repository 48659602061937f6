"""What money went for, in villagers' words: the account titles of the books (公益支出, 管理费用) say nothing to a reader.

A line is put under the first purpose one of whose words stands in its summary. That is a reading of the summary and no more:
the page says so, and what no word fits stays 别的.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.contracts.bodies import Direction, Line

#: Purpose and the words of it; the first that fits counts, so what is special stands before what is general.
PURPOSES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("水费、电费、路灯", ("电费", "水费", "路灯", "用电", "用水", "灯泡", "变压器", "电表")),
    ("打扫卫生、运垃圾", ("保洁", "垃圾", "清扫", "清运", "扫帚", "卫生", "厕所", "清雪", "扫雪", "环境整治")),
    ("慰问、救助", ("慰问", "困难", "救助", "抚恤", "走访", "低保", "五保", "重阳", "春节")),
    ("打井、浇地", ("机井", "打井", "水泵", "灌溉", "浇地", "抽水", "机电井")),
    ("修路、修桥、修沟", ("路", "桥", "沟", "渠", "涵", "水泥", "砂", "石子", "沥青", "挖掘", "护坡")),
    ("雇人干活", ("工资", "用工", "误工", "劳务", "工钱", "护林", "看护", "值班", "人工", "出工")),
    ("干部报酬、补贴", ("报酬", "补贴", "补助")),
    ("修房子、修广场", ("维修", "修缮", "广场", "门窗", "屋面", "粉刷", "健身")),
    ("办公、印刷、电话", ("纸", "墨", "印刷", "打印", "复印", "电话", "网费", "宽带", "办公", "文具", "邮")),
    ("开会、学习、宣传", ("会议", "培训", "学习", "报刊", "党报", "宣传", "标语", "横幅", "活动")),
    ("种地、栽树", ("种子", "化肥", "农药", "树苗", "苗木", "植树", "绿化", "农机")),
    ("土地补偿、分红", ("补偿", "分红", "收益分配")),
    ("交税、手续费、保险", ("税", "手续费", "保险", "审计费", "评估费")),
)
OTHER: Final = "别的"
#: More stand together: a villager looks for where most of it went.
_SHOWN: Final = 4
_WHOLE: Final = 100


@dataclass(frozen=True, slots=True)
class Purpose:
    """What lines of one purpose come to; `official` is the account title that most of the money has, `percent` of all spending."""

    name: str
    official: str | None
    fen: int
    count: int
    percent: int


def purpose_of(summary: str) -> str:
    """The purpose that a summary tells of; `别的` when none of its words is known."""
    return next((name for name, words in PURPOSES if any(word in summary for word in words)), OTHER)


def purposes(lines: Iterable[Line]) -> tuple[Purpose, ...]:
    """Where the spending of some lines went, the most first and the rest together; nothing where reversals leave none.

    The sums are exact and make the whole; percents are rounded.
    """
    spent = _by_purpose(line for line in lines if line.direction is Direction.OUT)
    sums = {name: sum(x.amount_fen for x in of) for name, of in spent.items()}
    whole = sum(sums.values())
    if whole <= 0 or min(sums.values()) < 0:
        return ()
    # Of equal sums the one that was met first: a page must not differ from process to process.
    named = sorted(filter(OTHER.__ne__, sums), key=sums.__getitem__, reverse=True)
    rest = [line for name in (*named[_SHOWN:], OTHER) for line in spent.get(name, ())]
    found = [_purpose(name, spent[name], whole) for name in named[:_SHOWN]]
    return (*found, *_together(rest, whole))


def _together(rest: Sequence[Line], whole: int) -> Sequence[Purpose]:
    """What is told as one; lines of many titles have none in common."""
    return [replace(_purpose(OTHER, rest, whole), official=None)] if rest else []


def _by_purpose(lines: Iterable[Line]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(purpose_of(line.summary), []).append(line)
    return found


def _purpose(name: str, lines: Sequence[Line], whole: int) -> Purpose:
    titles: Counter[str | None] = Counter()
    for line in lines:
        titles[line.category] += line.amount_fen
    fen = titles.total()
    return Purpose(name, titles.most_common(1)[0][0], fen, len(lines), (2 * _WHOLE * fen + whole) // (2 * whole))
