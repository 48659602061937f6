"""Approving many at once with time to undo: what was chosen is carried out when the time has passed, each for itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import uuid_utils.compat

from services.ingest import store, workflow
from services.ingest.commands.checking import approve, refuse_own_reset
from services.ingest.commands.desk import Desk, item_of, require_reach
from services.ingest.errors import TooLateToUndoError, UnknownApprovalError, UnknownDisclosureError
from services.ingest.store import Approval, ApprovalItem
from services.ingest.workflow import Action
from services.kit.auth import actor_of
from services.kit.db import Connection
from services.kit.errors import SanwuError
from services.kit.objects import Objects
from services.kit.reference import Reference
from services.kit.runtime import Runtime

_LEFT: Final = "审核人已经不在岗，没有发布。"


async def approve_later(desk: Desk, items: Sequence[ApprovalItem], wait: timedelta) -> Approval:
    """Note what is to be approved once the time to undo has passed."""
    desk.actor.require(*workflow.ROLES[Action.APPROVE])
    for item in items:
        disclosure = await store.select_disclosure(desk.conn, item.disclosure_id)
        if disclosure is None:
            raise UnknownDisclosureError
        require_reach(desk, disclosure.village_code, item_of(desk, disclosure.item, disclosure.period))
        # Told now, not when its time has come; it is looked at again then.
        refuse_own_reset(desk, disclosure.submitted_by, disclosure.submitted_at)
    unique = {i.disclosure_id: i for i in items}
    made = Approval(
        uuid_utils.compat.uuid7(), desk.actor.staff_id, desk.now, desk.now + wait, None, tuple(unique.values())
    )
    await store.insert_approval(desk.conn, made)
    return made


async def approval_of(desk: Desk, approval_id: UUID) -> Approval:
    """A batch of one's own."""
    desk.actor.require(*workflow.ROLES[Action.APPROVE])
    approval = await store.lock_approval(desk.conn, approval_id)
    if approval is None or approval.actor_id != desk.actor.staff_id:
        raise UnknownApprovalError
    return approval


async def undo(desk: Desk, approval_id: UUID) -> Approval:
    """Take a batch back while it waits; TooLateToUndoError once any of it was carried out."""
    approval = await approval_of(desk, approval_id)
    if desk.now >= approval.due_at or any(i.state in {"approved", "failed"} for i in approval.items):
        raise TooLateToUndoError
    await store.undo_approval(desk.conn, approval.id, desk.now)
    return replace(approval, undone_at=desk.now, items=tuple(replace(i, state="undone") for i in approval.items))


async def carry_out(runtime: Runtime, objects: Objects, limit: int) -> int:
    """Approve what is due, each in a transaction of its own; returns how many items were looked at."""
    database, now = runtime.database, runtime.clock.now()
    async with database.connection() as conn:
        due = await store.select_due_items(conn, now, limit)
    for approval_id, disclosure_id in due:
        runtime.beat()
        problem = None
        try:
            async with database.transaction() as conn:
                await _carry_out_one(_Work(conn, runtime.reference, objects, now), approval_id, disclosure_id)
        except SanwuError as error:
            problem = error.detail
        if problem is not None:
            async with database.transaction() as conn:
                await store.update_item(conn, approval_id, disclosure_id, "failed", problem)
    return len(due)


@dataclass(frozen=True, slots=True)
class _Work:
    conn: Connection
    reference: Reference
    objects: Objects
    now: datetime


async def _carry_out_one(work: _Work, approval_id: UUID, disclosure_id: UUID) -> None:
    conn = work.conn
    approval = await store.lock_approval(conn, approval_id)
    item = next((i for i in approval.items if i.disclosure_id == disclosure_id), None) if approval else None
    if approval is None or item is None or item.state != "waiting":
        return
    actor = actor_of(approval.actor_id, work.reference, work.now)
    if actor is None:
        await store.update_item(conn, approval_id, disclosure_id, "failed", _LEFT)
        return
    # Noted first, in the same transaction: what is undone at this very moment is not approved.
    if await store.update_item(conn, approval_id, disclosure_id, "approved", None):
        desk = Desk(conn, work.reference, actor, work.now, work.objects)
        await approve(desk, disclosure_id, item.edition, item.secrecy_checked_by)
