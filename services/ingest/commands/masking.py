"""Personal data in a draft: put stars over it (遮盖), or, for the township, let it stand with a reason."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.contracts import privacy
from services.contracts.bodies import BODY, Body
from services.contracts.values import canonical_json
from services.ingest.commands.entering import save
from services.ingest.commands.findings import Reason, Saved, accepted_of, findings_of, look_at, refuse_personal
from services.ingest.errors import MissingReasonError, NothingToMaskError
from services.ingest.gate.findings import needs_reviewer
from services.ingest.metrics import count_step
from services.ingest.store.contents import remarks_of
from services.ingest.store.disclosures import update_remarks
from services.ingest.visit import Changing
from services.ingest.workflow import Action
from services.kit.errors import Fault


async def mask(
    desk: Changing, disclosure_id: UUID, version: int, wanted: Sequence[tuple[str, str]] | None = None
) -> Saved:
    """Make the next edition with stars over what was found: everything, or what `wanted` names by code and place."""
    disclosure = await desk.lock_for(Action.MASK, disclosure_id, version)
    content = await desk.content_of(disclosure)
    covered = await asyncio.to_thread(_covered, content.body, None if wanted is None else set(wanted))
    if covered is None:
        raise NothingToMaskError
    count_step(Action.MASK, disclosure)
    return await save(desk, disclosure_id, version, await look_at(covered), content.note)


def _covered(body: Body, wanted: set[tuple[str, str]] | None) -> Body | None:
    """A body with stars over what was found; None when nothing is to be covered."""
    value = body.model_dump(mode="json", exclude_none=True)
    found = False
    # All places before the first star: they are told from the value that is changed below.
    for place in list(privacy.places(value, "body")):
        hits = [h for h in place.hits if wanted is None or (f"privacy.{h.kind}", place.at) in wanted]
        if hits:
            found = True
            _put(value, place.keys, place.text, hits)
    return BODY.validate_json(canonical_json(value)) if found else None


def _put(value: Any, keys: tuple[str | int, ...], text: str, hits: list[privacy.Hit]) -> None:
    for key in keys[:-1]:
        value = value[key]
    # A number in a column of numbers cannot carry stars: the cell is left blank.
    value[keys[-1]] = privacy.cover(text, hits) if isinstance(value[keys[-1]], str) else None


async def accept(desk: Changing, disclosure_id: UUID, version: int, reasons: Sequence[Reason]) -> Saved:
    """Let personal data in a draft stand, for the township; the reasons go with it when it is handed in."""
    disclosure = await desk.lock_for(Action.ACCEPT, disclosure_id, version)
    edition = await desk.content_of(disclosure)
    found = await findings_of(desk, disclosure, edition)
    for n, reason in enumerate(reasons):
        refuse_personal(reason.text, f"accept[{n}].reason")
    given = [a for a in accepted_of(found, reasons) if needs_reviewer(a.code)]
    if not given:
        raise MissingReasonError(faults=[Fault("accept", "请在要同意公开的那一处写明原因")])
    kept = {(a.code, a.at): a for a in (*edition.accepted, *given)}
    await update_remarks(desk.conn, disclosure, remarks_of(replace(edition, accepted=tuple(kept.values()))))
    return Saved(count_step(Action.ACCEPT, disclosure), found)
