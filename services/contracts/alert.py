"""Alerts of provable rules, written by `audit`: ids only; evidence stays there."""

from typing import Literal

from pydantic import AwareDatetime, Field

from services.contracts.base import Event, Model
from services.contracts.catalogue import ItemCode
from services.contracts.values import Period, ShortText, VillageCode


class Subject(Model):
    """What one alert is about; which fields are set depends on the rule."""

    village: VillageCode
    item: ItemCode | None = None
    period: Period | None = None
    account: ShortText | None = None
    question: ShortText | None = Field(default=None, description="id of a villager's question")


class AlertEvent(Event):
    """What all events of an alert say; the aggregate's id is the alert's."""

    aggregate: Literal["alert"] = "alert"
    village_code: VillageCode
    rule: ShortText
    rule_version: ShortText
    subject: Subject
    level: int = Field(ge=1, le=3, description="1 提醒, 2 关注, 3 重点")
    episode: int = Field(ge=1)


class AlertRaised(AlertEvent):
    """`alert.raised.v1`: a rule found a fact that should not be."""

    type: Literal["alert.raised.v1"] = "alert.raised.v1"
    raised_at: AwareDatetime


class AlertCleared(AlertEvent):
    """`alert.cleared.v1`: a later event made the subject pass; the history stays."""

    type: Literal["alert.cleared.v1"] = "alert.cleared.v1"
    cleared_at: AwareDatetime
    cleared_by: ShortText = Field(description="id of the event that made it pass")
