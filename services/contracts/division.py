"""Divisions: the city, its townships, its villages. Whole state per code, history inside."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field

from services.contracts.base import Event, Model, Revision, revision_at
from services.contracts.values import DivisionCode, ShortText


class DivisionKind(StrEnum):
    """`zone` is a registry placeholder of a development zone: in the tree, without duties and without a code."""

    CITY = "city"
    TOWNSHIP = "township"
    VILLAGE = "village"
    COMMUNITY = "community"
    ZONE = "zone"


class DivisionRevision(Revision):
    """How a division stood in a span of time."""

    name: ShortText
    kind: DivisionKind
    parent: DivisionCode | None
    duties_from: date | None = Field(default=None, description="duties start here; null inherits from the parent")
    profile: ShortText | None = Field(default=None, description="deadline profile; null inherits from the parent")
    sample: bool = Field(default=False, description="made-up figures: every page must say 示例数据")


class Division(Model):
    """One division with its history, oldest revision first."""

    code: DivisionCode
    revisions: tuple[DivisionRevision, ...] = Field(min_length=1)

    def at(self, day: date) -> DivisionRevision:
        """Return the revision of a day; before the first one, the first (a village did exist before it was registered)."""
        return revision_at(self.revisions, day)

    @property
    def now(self) -> DivisionRevision:
        """How the division stands, by its newest revision."""
        return self.revisions[-1]


class DivisionSet(Event):
    """`division.set.v1`: a division's whole state; topic `sanwu.divisions`, key = code."""

    type: Literal["division.set.v1"] = "division.set.v1"
    aggregate: Literal["division"] = "division"
    division: Division
