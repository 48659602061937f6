"""Codes on walls, written by `qr`: whole state per code."""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from pydantic import AwareDatetime, Field

from services.contracts.base import Event, Model
from services.contracts.values import ShortText, VillageCode

#: Crockford's base32: no I, L, O, U.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 8
_SHAPE: Final = re.compile(f"[{ALPHABET}]{{{LENGTH}}}", re.ASCII)
#: What people type who read a code aloud or copy it by hand.
_MISREAD: Final = str.maketrans("OIL", "011", "- ")

Purpose = Literal["board", "gate", "card"]


class CodeKind(StrEnum):
    """What a code hangs on. A household's card carries its village's or its group's code, never one of its own (ADR 0045)."""

    BOARD = "board"
    HALL = "hall"
    GATE = "gate"
    HOUSEHOLD = "household"
    ASSET = "asset"
    PROJECT = "project"
    CONTRACT = "contract"
    BULLETIN = "bulletin"


#: What readers of before, who know three purposes, take each kind for.
PURPOSE_OF: Final[Mapping[CodeKind, Purpose]] = MappingProxyType(
    {
        CodeKind.BOARD: "board",
        CodeKind.HALL: "board",
        CodeKind.BULLETIN: "board",
        CodeKind.GATE: "gate",
        CodeKind.HOUSEHOLD: "card",
        CodeKind.ASSET: "card",
        CodeKind.PROJECT: "card",
        CodeKind.CONTRACT: "card",
    }
)


def _is_none(value: str | None) -> bool:
    return value is None


class Code(Model):
    """A code that hangs somewhere; `serial` is printed large, so that a villager can compare it with the page."""

    code: ShortText
    village: VillageCode
    purpose: Purpose
    place: ShortText | None
    serial: int = Field(ge=1, description="counts 1, 2, 3 … within one village")
    state: Literal["valid", "revoked"]
    issued_at: AwareDatetime
    kind: CodeKind | None = Field(
        default=None,
        description="what it hangs on, finer than `purpose`; absent: as `purpose` says",
        exclude_if=_is_none,
    )
    item: ShortText | None = Field(
        default=None, description="the item of the catalogue whose page it leads to", exclude_if=_is_none
    )
    period: ShortText | None = Field(default=None, description="of a bulletin: its month", exclude_if=_is_none)


def read_code(text: str) -> str | None:
    """The code that somebody meant, in its one spelling; None when it cannot be one."""
    if not text.isascii():
        return None
    code = text.upper().translate(_MISREAD)
    return code if _SHAPE.fullmatch(code) else None


class CodeSet(Event):
    """`code.set.v1`: a code's whole state; topic `sanwu.codes`, key = code."""

    type: Literal["code.set.v1"] = "code.set.v1"
    aggregate: Literal["code"] = "code"
    code: Code
