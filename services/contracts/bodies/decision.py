"""A decision (会议决定、四议一审两公开): who met, how they voted, what was resolved, how far it is carried out."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from services.contracts.base import Finding, Model
from services.contracts.bodies.base import Content, Day, off, ordered
from services.contracts.values import ShortText, Text


class Meeting(StrEnum):
    """Which body decided; quorums differ by it (农村集体经济组织法 26–28, 村民委员会组织法)."""

    VILLAGERS = "villagers"
    REPRESENTATIVES = "representatives"
    MEMBERS = "members"
    MEMBER_REPRESENTATIVES = "member_representatives"
    COMMITTEE = "committee"
    PARTY_BRANCH = "party_branch"
    PARTY_MEMBERS = "party_members"
    TWO_COMMITTEES = "two_committees"


class Votes(Model):
    """People: entitled to come, present, and how those present voted."""

    entitled: int = Field(ge=1, le=1_000_000, description="应到")
    present: int = Field(ge=0, le=1_000_000, description="实到")
    in_favour: int = Field(ge=0, le=1_000_000, description="同意")
    against: int = Field(default=0, ge=0, le=1_000_000, description="不同意")
    abstained: int = Field(default=0, ge=0, le=1_000_000, description="弃权")


class Step(Model):
    """One of the four deliberations (四议): 提议, 商议, 审议, 决议, or the review between them."""

    name: ShortText
    date: Day
    note: ShortText | None = None


class Decision(Content):
    """A decision with its votes. `held_on` is the day of the deciding meeting."""

    kind: Literal["decision"] = "decision"
    title: ShortText
    meeting: Meeting
    held_on: Day
    votes: Votes | None = None
    steps: tuple[Step, ...] = Field(default=(), max_length=10)
    resolution: Text
    resolution_id: ShortText | None = Field(
        default=None, description="会议决议编号: its own number, by which lines, contracts and projects name it"
    )
    implementation: Text | None = Field(default=None, description="实施情况")

    @property
    def row_count(self) -> int:
        """How many steps are told."""
        return len(self.steps)

    def findings(self, period: str) -> tuple[Finding, ...]:
        """More people present than entitled, votes that are not those of the people present, steps out of order."""
        days = [(f"body.steps[{n}].date", s.date, f"“{s.name}”的日期") for n, s in enumerate(self.steps)]
        return (*super().findings(period), *self._vote_findings(), *ordered(days, "decision.steps"))

    def _vote_findings(self) -> tuple[Finding, ...]:
        v = self.votes
        if v is None:
            return ()
        found = []
        if v.present > v.entitled:
            found.append(
                off("decision.present", "body.votes.present", f"实到 {v.present} 人多于应到 {v.entitled} 人。")
            )
        cast = v.in_favour + v.against + v.abstained
        if cast != v.present:
            message = f"同意、不同意、弃权相加是 {cast}，实到是 {v.present}，请核对。"
            found.append(off("decision.votes", "body.votes.in_favour", message))
        return tuple(found)
