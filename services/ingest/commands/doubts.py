"""What a clerk is asked before handing in, of the body itself and of it beside earlier periods."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from services.contracts.base import Finding
from services.contracts.bodies import Body
from services.ingest.gate.doubts import Setting, doubts
from services.ingest.gate.earlier import Earlier, against_earlier
from services.ingest.store.cells import BodyBefore, select_bodies_before
from services.ingest.store.disclosures import Disclosure
from services.ingest.visit import Reading

#: Kinds of which one period is like another.
_COMPARED = frozenset({"ledger", "roster", "table", "notice"})
_FEN_OF_YUAN = 100
Of = tuple[Disclosure, Body]


async def doubts_of(desk: Reading, of: Sequence[Of]) -> dict[UUID, tuple[Finding, ...]]:
    """Of many bodies at once: one statement for the three periods before each, the reading beside the loop."""
    compared = [(d, body) for d, body in of if body.kind in _COMPARED]
    before = await select_bodies_before(desk.conn, [(d.village_code, d.item, d.period) for d, _ in compared])
    earlier = {d.id: found for (d, _), found in zip(compared, before, strict=True)}
    settings = [_setting(desk, d) for d, _ in of]
    return await asyncio.to_thread(_look, of, settings, earlier)


def _setting(desk: Reading, d: Disclosure) -> Setting:
    return Setting(
        today=desk.today,
        notice_days=desk.item_of(d).notice_days or 0,
        cash_limit_fen=desk.settings.cash_limit_yuan * _FEN_OF_YUAN,
    )


def _look(
    of: Sequence[Of], settings: Sequence[Setting], earlier: dict[UUID, list[BodyBefore]]
) -> dict[UUID, tuple[Finding, ...]]:
    found = {}
    for (d, body), setting in zip(of, settings, strict=True):
        known = [Earlier(e.period, e.body()) for e in earlier.get(d.id, ())]
        beside = against_earlier(body.model_dump(mode="json", exclude_none=True), known) if known else ()
        found[d.id] = (*doubts(body, setting), *beside)
    return found
