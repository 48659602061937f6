"""Withdrawing, restoring and erasing disclosures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.contracts.disclosure import WithdrawalKind
from services.ingest.store.disclosures import (
    DELETE_EDITIONS,
    DELETE_OPINIONS,
    CellTakenError,
    Disclosure,
    disclosure_of,
    disclosures_of,
)
from services.ingest.store.typed import delete_typed
from services.kit.db import Connection


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Why, by whom and when something was withdrawn; `key_dies_at` is until when it can be restored."""

    reason: str
    by: str
    at: datetime
    kind: WithdrawalKind
    key_dies_at: datetime | None


UPDATE_WITHDRAWN = """
UPDATE disclosure SET withdrawn_from = state, state = 'withdrawn', note = $2, note_sealed = NULL, withdrawn_at = $3, withdrawn_by = $4,
    withdrawal_kind = $5, key_dies_at = $6
WHERE id = ANY($1::uuid[]) RETURNING *
"""
UPDATE_ERASED = """
UPDATE disclosure SET state = 'withdrawn', note_lines = '[]', note_sealed = NULL, digest = '', withdrawn_from = NULL, key_dies_at = NULL
WHERE id = ANY($1::uuid[]) RETURNING *
"""
#: What a reason said of the withdrawal goes with it; why an edition was sent back stands with the edition.
UPDATE_RESTORED = """
UPDATE disclosure d SET state = withdrawn_from, note = NULL, withdrawn_from = NULL, withdrawn_at = NULL, withdrawn_by = NULL,
    withdrawal_kind = NULL, key_dies_at = NULL
WHERE id = $1 AND NOT EXISTS (
    SELECT FROM disclosure o WHERE (o.village_code, o.item, o.period) = (d.village_code, d.item, d.period)
      AND o.id <> d.id AND o.state <> 'withdrawn' AND length(o.period) < 10
) RETURNING d.*
"""


async def update_withdrawn(conn: Connection, ids: Sequence[UUID], w: Withdrawal) -> dict[UUID, Disclosure]:
    """Out of sight, with the reason; the content stays until it is erased, what was half typed goes now."""
    await delete_typed(conn, ids)
    rows = await conn.fetch(UPDATE_WITHDRAWN, ids, w.reason, w.at, w.by, w.kind, w.key_dies_at)
    return {d.id: d for d in await disclosures_of(conn, rows)}


async def update_erased(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, Disclosure]:
    """Keep the tombstones with their reason; the content of every edition and what was said of it goes."""
    await conn.execute(DELETE_EDITIONS, ids)
    await conn.execute(DELETE_OPINIONS, ids)
    return {d.id: d for d in await disclosures_of(conn, await conn.fetch(UPDATE_ERASED, ids))}


async def update_restored(conn: Connection, disclosure_id: UUID) -> Disclosure:
    """As it stood before the withdrawal; CellTakenError when something else stands in its cell by now."""
    row = await conn.fetchrow(UPDATE_RESTORED, disclosure_id)
    if row is None:
        raise CellTakenError
    return await disclosure_of(conn, row)


SELECT_TO_ERASE = "SELECT id FROM disclosure WHERE key_dies_at <= $1 ORDER BY key_dies_at LIMIT $2"


async def select_to_erase(conn: Connection, now: datetime, limit: int) -> list[UUID]:
    """Withdrawn disclosures whose time to be restored is over."""
    return [r["id"] for r in await conn.fetch(SELECT_TO_ERASE, now, limit)]


COUNT_WITHDRAWN = """
SELECT count(*) FROM disclosure
WHERE withdrawn_by = $1 AND withdrawn_at > $2 AND (approved_at IS NOT NULL OR published_edition IS NOT NULL)
"""


async def count_withdrawn(conn: Connection, by: str, since: datetime) -> int:
    """How many a person withdrew since a moment, those that were restored aside."""
    found: int = await conn.fetchval(COUNT_WITHDRAWN, by, since)
    return found
