"""What a clerk is asked before handing in, of the body itself and of it beside earlier periods."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from services.contracts.base import Finding
from services.contracts.bodies import Body, Contract, Project
from services.contracts.values import period_words
from services.ingest.commands.findings import titles_of
from services.ingest.forms import Form, with_notices
from services.ingest.gate.doubts import Setting, doubts
from services.ingest.gate.earlier import Earlier, against_earlier
from services.ingest.store.cells import BodyBefore, select_bodies_before, select_known_notices, select_notices
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
    lost = await _lost_notices(desk, of)
    found = await asyncio.to_thread(_look, of, settings, earlier)
    return {d: (*findings, *([_LOST] if d in lost else [])) for d, findings in found.items()}


_LOST: Final = Finding(
    code="notice.unknown",
    at="body.follows",
    message="找不到接着的那份招标、招租公告，可能已经撤回，请重新选一份，或不选。",
)


async def _lost_notices(desk: Reading, of: Sequence[Of]) -> frozenset[UUID]:
    """Results of a notice that the village does not have."""
    named = {
        d.id: (body.follows, d.village_code) for d, body in of if isinstance(body, Contract | Project) and body.follows
    }
    known = await select_known_notices(desk.conn, [follows for follows, _ in named.values()]) if named else frozenset()
    return frozenset(key for key, place in named.items() if place not in known)


async def offer_notices(desk: Reading, form: Form) -> None:
    """Let the author of a contract or a project choose which notice it is the result of."""
    if not any(c.path == "follows" for c in form.spec.cells):
        return
    found = await select_notices(desk.conn, form.village, form.item, desk.today - _SINCE)
    titles = await titles_of(desk, found)
    notices = {str(d.id): f"{titles.get(d.id, '公告')}（{period_words(d.period)}）" for d in found}
    form.spec = with_notices(form.spec, notices, form.value("follows"))


#: What a notice led to is entered by then.
_SINCE: Final = timedelta(days=730)


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
