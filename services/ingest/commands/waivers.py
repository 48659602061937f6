"""Waivers (不公开备案): a village asks not to open a cell, the township grants, refuses or ends it."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

import uuid_utils.compat

from services.contracts.disclosure import WaiverContent, WaiverEnded, WaiverFiled, WaiverGranted, WaiverRefused
from services.ingest.commands.checking import refuse_own_reset
from services.ingest.commands.findings import refuse_personal
from services.ingest.errors import (
    AlreadyOpenedError,
    ItemDoesNotApplyError,
    MissingReasonError,
    SamePersonError,
    UnknownWaiverError,
    WaiverExistsError,
    WrongStateError,
)
from services.ingest.store.cells import select_cell
from services.ingest.store.waivers import Waiver, WaiverLiveError, insert_waiver, lock_waiver, update_waiver
from services.ingest.visit import Changing
from services.ingest.workflow import RIGHTS, Errand
from services.kit import actions
from services.kit.errors import Fault
from services.kit.outbox import append


class WaiverDecision(StrEnum):
    """What the township does with a waiver."""

    GRANT = "grant"
    REFUSE = "refuse"
    END = "end"


@dataclass(frozen=True, slots=True)
class _Turn:
    before: str
    after: str
    event: type[WaiverGranted | WaiverRefused | WaiverEnded]


_TURNS: Final = MappingProxyType(
    {
        WaiverDecision.GRANT: _Turn("filed", "granted", WaiverGranted),
        WaiverDecision.REFUSE: _Turn("filed", "refused", WaiverRefused),
        WaiverDecision.END: _Turn("granted", "ended", WaiverEnded),
    }
)
FILERS: Final = RIGHTS[Errand.FILE_WAIVER]
DECIDERS: Final = RIGHTS[Errand.DECIDE_WAIVER]


async def file_waiver(desk: Changing, village: str, item: str, period: str, reason: str) -> Waiver:
    """Store a village's request not to open a cell and append `waiver.filed.v1`; villagers will read the reason."""
    owed = desk.duty(village, item, period)
    desk.require_reach(village, desk.item(item, period))
    if not owed.applies:
        raise ItemDoesNotApplyError(faults=[Fault("item", f"{village} 没有事项 {item}")])
    refuse_personal(reason, "reason")
    cell = await select_cell(desk.conn, village, item, period)
    if cell is not None and cell.published_at is not None:
        raise AlreadyOpenedError
    waiver = Waiver(
        id=uuid_utils.compat.uuid7(),
        village_code=village,
        item=item,
        period=period,
        state="filed",
        reason=reason,
        decision=None,
        filed_by=desk.actor.staff_id,
        filed_at=desk.now,
        decided_by=None,
        decided_at=None,
        ended_at=None,
    )
    actions.about(f"waiver/{waiver.id}", village)
    try:
        await insert_waiver(desk.conn, waiver)
    except WaiverLiveError as error:
        raise WaiverExistsError from error
    await _append_event(desk, waiver, WaiverFiled, reason)
    return waiver


async def decide_waiver(desk: Changing, waiver_id: UUID, decision: WaiverDecision, reason: str | None) -> Waiver:
    """Grant, refuse or end a waiver and append the event of it; refusing and ending need a reason."""
    actions.step(decision.value)
    waiver = await lock_waiver(desk.conn, waiver_id)
    if waiver is None:
        raise UnknownWaiverError
    actions.about(f"waiver/{waiver.id}", waiver.village_code)
    desk.require_reach(waiver.village_code, desk.item_of(waiver))
    turn = _TURNS[decision]
    if waiver.state != turn.before:
        raise WrongStateError(state=waiver.state)
    if decision is not WaiverDecision.GRANT and reason is None:
        raise MissingReasonError(faults=[Fault("reason", "请写明原因")])
    if reason is not None:
        refuse_personal(reason, "reason")
    if decision is WaiverDecision.GRANT:
        refuse_own_reset(desk, waiver.filed_by, waiver.filed_at)
        if waiver.filed_by == desk.actor.staff_id:
            _require_delegation(desk, waiver.village_code)
    after = await update_waiver(desk.conn, waiver.id, turn.after, reason, desk.actor.staff_id, desk.now)
    # Villagers read why it was asked for; why it was refused or ended is the township's own word.
    await _append_event(desk, waiver, turn.event, waiver.reason if decision is WaiverDecision.GRANT else reason or "")
    return after


def _require_delegation(desk: Changing, village: str) -> None:
    if desk.reference.delegation(desk.actor.staff_id, village, desk.today) is None:
        raise SamePersonError


async def _append_event(
    desk: Changing,
    waiver: Waiver,
    event: type[WaiverFiled | WaiverGranted | WaiverRefused | WaiverEnded],
    reason: str,
) -> None:
    tag = event.model_fields["type"].default
    said = event(
        **await desk.stamp("waiver", str(waiver.id), waiver.village_code),
        item=waiver.item,
        period=waiver.period,
        sealed=await desk.seal(waiver.id, tag, WaiverContent(reason=reason)),
    )
    await append(desk.conn, said)
