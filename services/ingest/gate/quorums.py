"""Whether a meeting could decide, and did: which body, whose quorum, by which law; pure.

Numbers of articles moved with the amendments of 2025, so a sentence names the law alone. Bodies of a few people
(村委会会议, 村“两委”会议) have no number in law.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Literal

from services.contracts.base import Finding
from services.contracts.bodies import Decision, Meeting, Votes
from services.contracts.words import MEETINGS

_VILLAGES: Final = "村民委员会组织法"
_COLLECTIVES: Final = "农村集体经济组织法"
_BRANCHES: Final = "中国共产党支部工作条例（试行）"


@dataclass(frozen=True, slots=True)
class Share:
    """A share of some people; `over`: more than it, else at least it."""

    part: Fraction
    over: bool

    def least(self, of: int) -> int:
        """The smallest whole number of people that is enough: two thirds of 20 are 14, more than half 11."""
        exact = self.part * of
        return int(exact) + 1 if self.over else -int(-exact // 1)


_MORE_THAN_HALF: Final = Share(Fraction(1, 2), over=True)
_TWO_THIRDS: Final = Share(Fraction(2, 3), over=False)


@dataclass(frozen=True, slots=True)
class Quorum:
    """Who has to come, and how many have to agree: of all who are entitled, or of those present."""

    source: str
    present: Share
    present_words: str
    agree: Share
    agree_of: Literal["entitled", "present"]
    agree_words: str


_PRESENT_AGREE: Final = "到会人员的过半数同意"
QUORUMS: Final[Mapping[Meeting, Quorum]] = MappingProxyType(
    {
        # Two thirds of the households' representatives will do as well; that is more than half of whoever was counted.
        Meeting.VILLAGERS: Quorum(
            _VILLAGES,
            _MORE_THAN_HALF,
            "本村十八周岁以上村民的过半数，或者三分之二以上的户的代表到会",
            _MORE_THAN_HALF,
            "present",
            _PRESENT_AGREE,
        ),
        Meeting.REPRESENTATIVES: Quorum(
            _VILLAGES, _TWO_THIRDS, "三分之二以上的组成人员到会", _MORE_THAN_HALF, "present", _PRESENT_AGREE
        ),
        Meeting.MEMBERS: Quorum(
            _COLLECTIVES,
            _TWO_THIRDS,
            "三分之二以上有完全民事行为能力的成员到会",
            _TWO_THIRDS,
            "entitled",
            "全体成员的三分之二以上同意",
        ),
        Meeting.MEMBER_REPRESENTATIVES: Quorum(
            _COLLECTIVES,
            _TWO_THIRDS,
            "三分之二以上的成员代表到会",
            _TWO_THIRDS,
            "entitled",
            "全体成员代表的三分之二以上同意",
        ),
        Meeting.PARTY_BRANCH: Quorum(
            _BRANCHES, _MORE_THAN_HALF, "半数以上的委员到会", _MORE_THAN_HALF, "entitled", "应到委员的过半数同意"
        ),
        Meeting.PARTY_MEMBERS: Quorum(
            _BRANCHES,
            _MORE_THAN_HALF,
            "半数以上有表决权的党员到会",
            _MORE_THAN_HALF,
            "entitled",
            "应到会有表决权党员的过半数同意",
        ),
    }
)


def quorum_findings(body: Decision) -> tuple[Finding, ...]:
    """Too few who came, or too few who agreed; nothing where nobody was counted."""
    quorum, votes = QUORUMS.get(body.meeting), body.votes
    if quorum is None or votes is None:
        return ()
    return tuple(f for f in (_present(body.meeting, quorum, votes), _agreed(body.meeting, quorum, votes)) if f)


def _present(meeting: Meeting, quorum: Quorum, votes: Votes) -> Finding | None:
    needed = quorum.present.least(votes.entitled)
    if votes.present >= needed:
        return None
    words = (
        f"{MEETINGS[meeting]}要有{quorum.present_words}才能开（{quorum.source}）。应到 {votes.entitled} 人，至少要到 {needed} 人，"
        f"写的实到是 {votes.present} 人。写错了请改正；确实是这样的，请说明这个决定怎么办。"
    )
    return Finding(code="decision.quorum", at="body.votes.present", message=words)


def _agreed(meeting: Meeting, quorum: Quorum, votes: Votes) -> Finding | None:
    of = votes.entitled if quorum.agree_of == "entitled" else votes.present
    needed = quorum.agree.least(of)
    if votes.in_favour >= needed or not of:
        return None
    words = (
        f"{MEETINGS[meeting]}作决定要有{quorum.agree_words}（{quorum.source}）。至少要 {needed} 人同意，写的是 {votes.in_favour} 人。"
        f"写错了请改正；确实没有通过的，请在“决定内容”里写明没有通过，并在这里说明。"
    )
    return Finding(code="decision.majority", at="body.votes.in_favour", message=words)
