"""Codes on walls, written by `qr`: whole state per code."""

from typing import Literal

from pydantic import AwareDatetime, Field

from services.contracts.base import Event, Model
from services.contracts.values import ShortText, VillageCode


class Code(Model):
    """A code that hangs somewhere; `serial` is printed large, so that a villager can compare it with the page."""

    code: ShortText
    village: VillageCode
    purpose: Literal["board", "gate", "card"]
    place: ShortText | None
    serial: int = Field(ge=1, description="counts 1, 2, 3 … within one village")
    state: Literal["valid", "revoked"]
    issued_at: AwareDatetime


class CodeSet(Event):
    """`code.set.v1`: a code's whole state; topic `sanwu.codes`, key = code."""

    type: Literal["code.set.v1"] = "code.set.v1"
    aggregate: Literal["code"] = "code"
    code: Code
