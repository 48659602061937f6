"""Sums that a sentence tells (“6人，每人100元，共500元”), and that do not hold; pure.

A sentence is only judged where it leaves nothing open: one number of people, one sum for each, one for all.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from services.contracts.base import Finding
from services.contracts.bodies import Body, Ledger, Notice, Roster
from services.contracts.values import yuan

_CLAUSE: Final = re.compile(r"[。；;！？：\n]")
_NUMBER: Final = r"(\d{1,12}(?:\.\d{1,6})?)"
_EACH: Final = re.compile(rf"每(?:人|户|名|位|家)(?:发放|补助|补贴|发|给)?{_NUMBER}\s*(万?)元", re.ASCII)
_MANY: Final = re.compile(r"(?<![第\d.])(\d{1,6})\s*(?:人|户|名|位|家)(?!次|均|/|\d)", re.ASCII)
_ALL: Final = re.compile(
    rf"(?:共计|合计|总计|一共|共)(?:发放|支付|支出|补助|补贴|发|付)?(?:资金|金额)?{_NUMBER}\s*(万?)元", re.ASCII
)
_FEN: Final = {"": 100, "万": 1_000_000}


def phrase_findings(body: Body) -> Iterator[Finding]:
    """Sentences of a body whose own sum does not hold."""
    match body:
        case Ledger():
            for n, line in enumerate(body.lines):
                yield from _told(line.summary, f"body.lines[{n}].summary")
        case Notice():
            for n, text in enumerate(body.paragraphs):
                yield from _told(text, f"body.paragraphs[{n}]")
        case Roster():
            yield from _told(body.standard or "", "body.standard")
        case _:
            return


def _told(text: str, at: str) -> Iterator[Finding]:
    if "每" not in text:
        return
    for clause in _CLAUSE.split(text.replace(",", "")):
        each, whole = _EACH.findall(clause), _ALL.findall(clause)
        many = _MANY.findall(_ALL.sub("", clause))
        if not len(each) == len(many) == len(whole) == 1:
            continue
        each_fen, whole_fen = _fen(each[0]), _fen(whole[0])
        made = int(many[0]) * each_fen
        # As exact as it was written: 4.15万 speaks of hundreds of yuan.
        if abs(made - whole_fen) > _exact(whole[0]):
            message = (
                f"“{clause.strip()[:40]}”里，{many[0]} 乘每份 {yuan(int(each_fen))} 元是 {yuan(int(made))} 元，写的一共是 "
                f"{yuan(int(whole_fen))} 元，请核对是每人的数还是一共的数。"
            )
            yield Finding(code="text.each", at=at, message=message)


def _fen(said: tuple[str, str]) -> Decimal:
    return Decimal(said[0]) * _FEN[said[1]]


def _exact(said: tuple[str, str]) -> Decimal:
    digits = len(said[0].partition(".")[2])
    return Decimal(_FEN[said[1]]) / Decimal(2 * 10**digits)
