"""A body beside the same item's earlier periods: the month before sent in once more, sums ten thousand times too big; pure.

Earlier bodies are read as JSON, not as models: they were checked when they were handed in, and only words and amounts count.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from services.contracts.base import Finding
from services.contracts.values import period_words, yuan

#: 万元 typed for 元 is ten thousand times; what differs less has another reason, and most of what differs more.
_SLIP: Final = (5_000, 20_000)
#: Fewer equal lines may well come again each month.
_FEWEST_COPIED: Final = 3
_NUMBERS: Final = re.compile(r"[\d.,，年月日号季度第一二三四五六七八九十〇零上下半]+")


#: What was checked before, as it travels.
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was said of an earlier period."""

    period: str
    body: Json


class _Sum(NamedTuple):
    """An amount of a body: by what it is known again, the likest first, what it is called and where it stands."""

    keys: tuple[tuple[str, ...], ...]
    label: str
    at: str
    fen: int


def against_earlier(body: Json, earlier: Sequence[Earlier]) -> tuple[Finding, ...]:
    """What a body has in common with earlier ones that it should not, or should have and has not; newest first."""
    same = [e for e in earlier if e.body.get("kind") == body["kind"]]
    return (*_copied(body, same), *_slips(body, same))


# -- the same once more -------------------------------------------------------------------------------------------


def _copied(body: Json, earlier: Sequence[Earlier]) -> Iterator[Finding]:
    if not earlier or (mine := _essence(body)) is None or mine != _essence(earlier[0].body):
        return
    at, what = _WHAT[body["kind"]]
    words = (
        f"{what}和{period_words(earlier[0].period)}的一模一样，像是带入了上一期没有改。"
        f"请按这一期的改；确实一样的，请说明。"
    )
    yield Finding(code="copy.earlier", at=at, message=words)


_WHAT: Final = {"ledger": ("body.lines[0].amount_fen", "每一笔的事由和金额"), "notice": ("body.paragraphs[0]", "正文")}


def _essence(body: Json) -> tuple[object, ...] | None:
    """What no two periods have in common; None of a body that may well be as the one before (a list of wages)."""
    match body["kind"]:
        case "ledger":
            lines = [(x["direction"], x["summary"], x["amount_fen"]) for x in body["lines"]]
            return tuple(lines) if len(lines) >= _FEWEST_COPIED else None
        case "notice":
            return tuple(body["paragraphs"])
        case _:
            return None


# -- ten thousand times too much ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Known:
    """What is known of one thing: the newest amount, with its period, and the extremes of all."""

    fen: int
    period: str
    most: int
    least: int


def _slips(body: Json, earlier: Sequence[Earlier]) -> Iterator[Finding]:
    known: dict[tuple[str, ...], _Known] = {}
    for e in earlier:
        for one in _sums(e.body):
            fen = abs(one.fen)
            for key in one.keys:
                of = known.setdefault(key, _Known(one.fen, e.period, fen, fen))
                of.most, of.least = max(of.most, fen), min(of.least, fen)
    for one in _sums(body):
        before = next((known[key] for key in one.keys if key in known), None)
        if before is not None and one.fen and (finding := _slip(one, before)) is not None:
            yield finding


def _slip(one: _Sum, before: _Known) -> Finding | None:
    """Each of the earlier amounts is about ten thousand times smaller, or bigger."""
    fen = abs(one.fen)
    if before.most * _SLIP[0] <= fen <= before.least * _SLIP[1]:
        times = "大"
    elif fen * _SLIP[0] <= before.least and before.most <= fen * _SLIP[1]:
        times = "小"
    else:
        return None
    words = (
        f"{one.label}写的是 {yuan(one.fen)} 元，{period_words(before.period)}是 {yuan(before.fen)} 元，{times}了约一万倍，"
        f"像是把元和万元写混了。请核对；确实如此的，请说明。"
    )
    return Finding(code="amount.slip", at=one.at, message=words)


def _sums(body: Json) -> Iterator[_Sum]:
    match body["kind"]:
        case "ledger":
            yield from map(_line, range(len(body["lines"])), body["lines"])
        case "roster":
            for n, e in enumerate(body["entries"]):
                if e.get("amount_fen"):
                    keys = (("entry", e["name"], e.get("group") or ""),)
                    yield _Sum(keys, f"第 {n + 1} 行的金额", f"body.entries[{n}].amount_fen", e["amount_fen"])
        case "table":
            yield from _cells(body)
        case _:
            return


def _line(n: int, x: Json) -> _Sum:
    what = _NUMBERS.sub("", x["summary"])
    keys: list[tuple[str, ...]] = [("summary", x["direction"], what)] if what else []
    if x.get("payee"):
        keys.append(("payee", x["direction"], x["payee"], x.get("category") or ""))
    return _Sum(tuple(keys), f"第 {n + 1} 行“{x['summary']}”", f"body.lines[{n}].amount_fen", x["amount_fen"])


def _cells(body: Json) -> Iterator[_Sum]:
    columns = body["columns"]
    words = [m for m, c in enumerate(columns) if c.get("type", "text") in {"text", "name"}]
    money = [m for m, c in enumerate(columns) if c.get("type") == "amount"]
    for n, row in enumerate(body["rows"]):
        label = next((str(row[m]) for m in words if row[m]), "")
        for m in money if label else ():
            if isinstance(row[m], int) and row[m]:
                keys = (("cell", label, columns[m]["name"]),)
                yield _Sum(keys, f"第 {n + 1} 行“{columns[m]['name']}”", f"body.rows[{n}][{m}]", row[m])
