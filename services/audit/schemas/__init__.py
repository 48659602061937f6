"""HTTP bodies of audit, and the queries that come in."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from services.contracts.base import Role
from services.contracts.values import DivisionCode, VillageCode
from services.kit.examples import read_examples
from services.kit.listing import Listing

example = read_examples(__file__)


class AlertQuery(BaseModel):
    """Which alerts are asked for."""

    rule: str | None = Field(default=None, description="id of a rule, as D01")
    division: DivisionCode | None = Field(default=None, description="code of a township or the city")
    village: VillageCode | None = Field(default=None, description="the village's 12 digits")
    state: Literal["open", "cleared"] | None = Field(default=None, description="those in this state alone")
    level: int | None = Field(default=None, ge=1, le=3, description="1 提醒, 2 关注, 3 重点")


class ConsoleQuery(BaseModel):
    """The console's filters as the form sends them: nothing chosen is an empty text."""

    rule: str = ""
    division: str = Field(default="", pattern="^([0-9]{6}|[0-9]{9}|[0-9]{12})?$")
    state: Literal["open", "cleared", "all"] = "open"
    level: Literal["", "1", "2", "3"] = ""


class GridQuery(BaseModel):
    """The grid's choices as the form sends them; nothing chosen is an empty text."""

    division: str = Field(default="", pattern="^([0-9]{6}|[0-9]{9}|[0-9]{12})?$")
    month: str = Field(default="", pattern="^(20[0-9]{2}-(0[1-9]|1[0-2]))?$")
    affair: Literal["", "party", "village", "finance"] = ""


class SubjectOut(BaseModel, json_schema_extra=example("SubjectOut")):
    """What an alert is about; which fields are set depends on the rule."""

    village: str
    item: str | None
    period: str | None
    account: str | None
    question: str | None = Field(description="id of a villager's question")


class AlertOut(BaseModel, json_schema_extra=example("AlertOut")):
    """An alert in a list."""

    id: str
    rule: str
    village: str
    subject: SubjectOut
    level: int
    state: str
    sentence: str
    raised_at: datetime
    cleared_at: datetime | None
    episode: int


class ResetOut(BaseModel, json_schema_extra=example("ResetOut")):
    """One time that somebody gave an account a new password; ids beside names."""

    account: str
    account_name: str
    account_role: Role
    scope: str
    by: str
    by_name: str
    at: datetime


class SheetOut(BaseModel, json_schema_extra=example("SheetOut")):
    """A signed sheet that spoke for supervisors; `brought_by` is the id of who brought it."""

    disclosure: str
    village: str
    item: str
    period: str
    version: int
    brought_by: str | None
    at: datetime


class EpisodeOut(BaseModel, json_schema_extra=example("EpisodeOut")):
    """One time that an alert was open."""

    episode: int
    raised_at: datetime
    raised_by: str
    cleared_at: datetime | None
    cleared_by: str | None


class AlertDetailOut(AlertOut, json_schema_extra=example("AlertDetailOut")):
    """An alert with its history and the evidence it stands on."""

    episodes: list[EpisodeOut]
    evidence: dict[str, Any]


class RuleOut(BaseModel, json_schema_extra=example("RuleOut")):
    """A rule and what must be known of it."""

    id: str
    version: str
    status: str
    level: int
    kind: str
    subject: str
    reads: list[str]
    settings: dict[str, int]
    zh: str
    en: str
    law: str
    explanation: str
    false_alarms: list[str]
    ask: list[str] = Field(description="papers with which an inspector settles it")
    limits: dict[str, str] = Field(description="values that law or place have to set, with their words; docs/limits.md")
    code: str


class CoverageOut(BaseModel, json_schema_extra=example("CoverageOut")):
    """What a rule said of a period; `not_applicable` counts by reason."""

    rule: str
    judged: int
    hit: int
    passed: int
    not_applicable: dict[str, int]


class CellCountOut(BaseModel, json_schema_extra=example("CellCountOut")):
    """How the cells of one item stand in one part of the tree; `late_days` is their sum."""

    division: str
    item: str
    cells: int
    states: dict[str, int]
    blind: int
    late_days: int


class CoverageListing(Listing[CellCountOut], json_schema_extra=example("CoverageListing")):
    """How the cells of a period stand, and beside them what each rule could say of them."""

    rules: list[CoverageOut]


class HeadOut(BaseModel, json_schema_extra=example("HeadOut")):
    """How far a service's trail goes by the newest head that it signed; nulls where none was heard."""

    service: str
    position: int | None
    link: str | None
    at: datetime | None
    valid: bool
    late: bool
    contradicts: bool
