"""B07 到会不足: a body decided with too few of its members present, or with too few that agreed."""

from types import MappingProxyType
from typing import NamedTuple

from services.audit.rules.base import Case, Outcome, Settings, hit, no_duty, not_applicable, passed, rule
from services.audit.rules.papers import VoteFacts, VoteWindow
from services.contracts.bodies import Meeting
from services.contracts.words import MEETINGS


class _Share(NamedTuple):
    """A share of people: so many parts of so many; `over` when it has to be more than that."""

    parts: int
    of: int
    over: bool

    def reached(self, some: int, everybody: int) -> bool:
        """Tell whether some of everybody are enough."""
        return some * self.of > self.parts * everybody if self.over else some * self.of >= self.parts * everybody


_HALF, _TWO_THIRDS = _Share(1, 2, over=True), _Share(2, 3, over=False)
_NAMES = {_HALF: "过半数", _TWO_THIRDS: "三分之二以上"}


class _Quorum(NamedTuple):
    """How many have to come, how many to agree, of those who came or of all."""

    present: _Share
    in_favour: _Share
    of_all: bool
    law: str


_QUORUMS = MappingProxyType(
    {
        # Or two thirds of the households: whoever counts households has more than half of them too.
        "villagers": _Quorum(_HALF, _HALF, of_all=False, law="村民委员会组织法第二十二条"),
        "representatives": _Quorum(_TWO_THIRDS, _HALF, of_all=False, law="村民委员会组织法第二十六条"),
        "members": _Quorum(_TWO_THIRDS, _TWO_THIRDS, of_all=True, law="农村集体经济组织法第二十七条"),
    }
)


@rule(
    id="B07",
    version="1.0",
    status="active",
    level=2,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=VoteWindow,
    reads=("decision",),
    settings={},
    zh="到会或同意人数不足",
    en="No quorum, or too few in favour",
    law="村民委员会组织法第二十二条、第二十六条；农村集体经济组织法第二十七条",
    false_alarms=("应到人数填成了全村人口", "按户派代表开会，应到和实到都按户数填写", "表决前有人离开"),
    ask=("会议签到册", "表决票或举手表决记录"),
)
def enough_came_and_agreed(w: VoteWindow, _s: Settings) -> Outcome:
    """按开会的组织核对：村民会议到会过半数、到会的过半数同意；村民代表会议到会三分之二、到会的过半数同意；成员大会到会三分之二、全体的三分之二同意。"""
    if w.cur is None:
        return not_applicable("已撤回或内容不可见")
    quorum = _QUORUMS.get(w.cur.meeting)
    if quorum is None:
        return no_duty("这种会议没有统一的法定人数")
    entitled, present, in_favour = w.cur.entitled, w.cur.present, w.cur.in_favour
    if entitled is None or present is None or in_favour is None:
        return not_applicable("没有写应到、实到和同意人数")
    base = entitled if quorum.of_all else present
    too_few_came = not quorum.present.reached(present, entitled)
    if not too_few_came and quorum.in_favour.reached(in_favour, base):
        return passed()
    meeting = MEETINGS[Meeting(w.cur.meeting)]
    whom = "全体" if quorum.of_all else "到会的"
    steps = [
        f"{quorum.law}：到会{_NAMES[quorum.present]}，{whom}{_NAMES[quorum.in_favour]}同意",
        f"应到 {entitled} 人，实到 {present} 人，同意 {in_favour} 人",
    ]
    came = f"{meeting}应到 {entitled} 人，实到 {present} 人，没有达到{_NAMES[quorum.present]}。"
    agreed = f"{meeting}{whom} {base} 人，同意 {in_favour} 人，没有达到{_NAMES[quorum.in_favour]}。"
    return hit(steps=steps, level=2, say=came if too_few_came else agreed)


def _votes(meeting: str, entitled: int | None, present: int | None, in_favour: int | None) -> VoteWindow:
    return VoteWindow(VoteFacts("e1", meeting, entitled, present, in_favour))


CASES = (
    Case(
        "half of the villagers",
        _votes("villagers", 100, 50, 50),
        "hit",
        2,
        say="村民会议应到 100 人，实到 50 人，没有达到过半数。",
    ),
    Case("half and one", _votes("villagers", 100, 51, 26), "pass"),
    Case(
        "half of them agree",
        _votes("villagers", 100, 52, 26),
        "hit",
        2,
        say="村民会议到会的 52 人，同意 26 人，没有达到过半数。",
    ),
    Case(
        "not two thirds of the representatives",
        _votes("representatives", 30, 19, 19),
        "hit",
        2,
        say="村民代表会议应到 30 人，实到 19 人，没有达到三分之二以上。",
    ),
    Case("two thirds, half and one agree", _votes("representatives", 30, 20, 11), "pass"),
    Case("two thirds, half agree", _votes("representatives", 30, 20, 10), "hit", 2),
    Case("members: two thirds of all agree", _votes("members", 300, 250, 200), "pass"),
    Case("members: too few came", _votes("members", 300, 199, 199), "hit", 2),
    Case(
        "members: two thirds of those present alone",
        _votes("members", 300, 250, 199),
        "hit",
        2,
        say="集体经济组织成员大会全体 300 人，同意 199 人，没有达到三分之二以上。",
    ),
    Case("a committee", _votes("committee", 5, 1, 1), "n/a", reason="这种会议没有统一的法定人数"),
    Case("nobody counted", _votes("villagers", None, None, None), "n/a", reason="没有写应到、实到和同意人数"),
    Case("nobody counted who was entitled", _votes("villagers", None, 5, 5), "n/a"),
    Case("nobody counted who came", _votes("villagers", 5, None, 5), "n/a"),
    Case("nobody counted who agreed", _votes("villagers", 5, 5, None), "n/a"),
    Case("withdrawn", VoteWindow(None), "n/a", reason="已撤回或内容不可见"),
)
