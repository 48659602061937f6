"""A household's own lines of rosters, as it alone reads them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from services.contracts.bodies.roster import Entry
from services.contracts.values import period_words
from services.publish.render.places import Items, official_name, plain_name
from services.publish.render.rows import Publication
from services.publish.render.words import amount


@dataclass(frozen=True, slots=True)
class HouseholdLine:
    """One line; `facts` are what stands in it, without remarks: others wrote those."""

    item: str
    plain: str
    official: str
    period: str
    period_words: str
    facts: tuple[tuple[str, str], ...]
    amount_fen: int | None
    disclosure_id: str


def lines_of(items: Items, bodies: Iterable[tuple[Publication, str]], ref: str) -> list[HouseholdLine]:
    """The lines of a household in some rosters (JSON), newest period first; reads all of them, whoever is asked for."""
    found = [
        _line(items, p, Entry.model_validate(entry))
        for p, body in bodies
        for entry in json.loads(body).get("entries", ())
        if entry.get("household") == ref
    ]
    return sorted(found, key=lambda line: (line.period, line.item), reverse=True)


def _line(items: Items, p: Publication, entry: Entry) -> HouseholdLine:
    fen = entry.amount_fen
    facts = (
        ("金额", amount(fen) if fen is not None else None),
        ("实物", entry.goods),
        ("类别", entry.category),
        ("小组", entry.group),
        ("家庭人口", f"{entry.household_size}人" if entry.household_size else None),
        ("面积、数量", entry.quantity),
        ("标准", f"{entry.unit_rate}元" if entry.unit_rate is not None else None),
        ("工数", entry.days),
    )
    return HouseholdLine(
        item=p.item,
        plain=plain_name(items, p.item, p.period),
        official=official_name(items, p.item, p.period),
        period=p.period,
        period_words=period_words(p.period),
        facts=tuple((name, value) for name, value in facts if value is not None),
        amount_fen=fen,
        disclosure_id=p.disclosure_id,
    )
