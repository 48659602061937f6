"""Approvals that wait for their undo time to pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.kit.db import Connection, Row, affected


@dataclass(frozen=True, slots=True)
class ApprovalItem:
    """One disclosure of a batch. `problem`: why it could not be approved, as people read it."""

    disclosure_id: UUID
    edition: int
    secrecy_checked_by: str | None
    state: str = "waiting"
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """A batch of approvals by one person."""

    id: UUID
    actor_id: str
    created_at: datetime
    due_at: datetime
    undone_at: datetime | None
    #: Where the request came from.
    address: str | None
    items: tuple[ApprovalItem, ...]


INSERT_APPROVAL = """
INSERT INTO approval (id, actor_id, created_at, due_at, address) VALUES ($1, $2, $3, $4, $5)
"""
INSERT_ITEMS = """
INSERT INTO approval_item (approval_id, disclosure_id, edition, secrecy_checked_by, state)
SELECT $1, d, e, s, 'waiting' FROM unnest($2::uuid[], $3::int[], $4::text[]) AS t (d, e, s)
"""


async def insert_approval(conn: Connection, approval: Approval) -> None:
    made = (approval.id, approval.actor_id, approval.created_at, approval.due_at, approval.address)
    await conn.execute(INSERT_APPROVAL, *made)
    items = approval.items
    await conn.execute(
        INSERT_ITEMS,
        approval.id,
        [i.disclosure_id for i in items],
        [i.edition for i in items],
        [i.secrecy_checked_by for i in items],
    )


SELECT_APPROVAL = "SELECT * FROM approval WHERE id = $1"
LOCK_APPROVAL = "SELECT * FROM approval WHERE id = $1 FOR UPDATE"
SELECT_ITEMS = "SELECT * FROM approval_item WHERE approval_id = $1 ORDER BY disclosure_id"


async def select_approval(conn: Connection, approval_id: UUID) -> Approval | None:
    """A batch with its items."""
    return await _approval(conn, await conn.fetchrow(SELECT_APPROVAL, approval_id))


async def lock_approval(conn: Connection, approval_id: UUID) -> Approval | None:
    """A batch with its items, held until the transaction ends."""
    return await _approval(conn, await conn.fetchrow(LOCK_APPROVAL, approval_id))


async def _approval(conn: Connection, row: Row | None) -> Approval | None:
    if row is None:
        return None
    items = tuple(_item(r) for r in await conn.fetch(SELECT_ITEMS, row["id"]))
    made = (row["id"], row["actor_id"], row["created_at"], row["due_at"], row["undone_at"], row["address"])
    return Approval(*made, items)


def _item(row: Row) -> ApprovalItem:
    return ApprovalItem(row["disclosure_id"], row["edition"], row["secrecy_checked_by"], row["state"], row["problem"])


UNDO_APPROVAL = "UPDATE approval SET undone_at = $2 WHERE id = $1"
UNDO_ITEMS = "UPDATE approval_item SET state = 'undone' WHERE approval_id = $1 AND state = 'waiting'"


async def undo_approval(conn: Connection, approval_id: UUID, at: datetime) -> None:
    await conn.execute(UNDO_APPROVAL, approval_id, at)
    await conn.execute(UNDO_ITEMS, approval_id)


SELECT_DUE_ITEMS = """
SELECT a.id, i.disclosure_id FROM approval a JOIN approval_item i ON i.approval_id = a.id
WHERE i.state = 'waiting' AND a.due_at <= $1 ORDER BY a.due_at, i.disclosure_id LIMIT $2
"""


async def select_due_items(conn: Connection, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """Items whose undo time has passed: batch and disclosure."""
    return [(r["id"], r["disclosure_id"]) for r in await conn.fetch(SELECT_DUE_ITEMS, now, limit)]


SELECT_WAITING = """
SELECT i.disclosure_id, a.id FROM approval_item i JOIN approval a ON a.id = i.approval_id
WHERE i.state = 'waiting' AND i.disclosure_id = ANY($1::uuid[])
"""


async def select_waiting(conn: Connection, disclosures: Sequence[UUID]) -> dict[UUID, UUID]:
    """Which of some disclosures wait to be approved, and in which batch."""
    return {r["disclosure_id"]: r["id"] for r in await conn.fetch(SELECT_WAITING, list(disclosures))}


SELECT_BATCHES = """
SELECT DISTINCT i.approval_id FROM approval_item i JOIN disclosure d ON d.id = i.disclosure_id
WHERE i.state = 'waiting' AND d.village_code = ANY($1::text[]) ORDER BY i.approval_id
"""


async def select_batches(conn: Connection, villages: Sequence[str]) -> list[UUID]:
    """Batches in which disclosures of some villages wait."""
    return [r["approval_id"] for r in await conn.fetch(SELECT_BATCHES, list(villages))]


UPDATE_ITEM = """
UPDATE approval_item SET state = $3, problem = $4 WHERE approval_id = $1 AND disclosure_id = $2 AND state = 'waiting'
"""


async def update_item(
    conn: Connection, approval_id: UUID, disclosure_id: UUID, state: str, problem: str | None
) -> bool:
    """Note how it went; False when it was undone or done meanwhile."""
    return affected(await conn.execute(UPDATE_ITEM, approval_id, disclosure_id, state, problem)) == 1
