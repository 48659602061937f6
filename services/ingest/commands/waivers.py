"""Waivers (不公开备案): a village asks not to open a cell, the township grants, refuses or ends it."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

import uuid_utils.compat

from services.contracts.disclosure import WaiverContent, WaiverEnded, WaiverFiled, WaiverGranted, WaiverRefused
from services.ingest import store
from services.ingest.commands.checking import refuse_own_reset
from services.ingest.commands.desk import Desk, duty_of, item_of, refuse_personal, require_reach, stamped
from services.ingest.errors import (
    AlreadyOpenedError,
    ItemDoesNotApplyError,
    MissingReasonError,
    SamePersonError,
    UnknownWaiverError,
    WaiverExistsError,
    WrongStateError,
)
from services.ingest.store import Waiver
from services.ingest.workflow import ROLES, Errand
from services.kit import shred
from services.kit.clock import local_day
from services.kit.errors import Fault
from services.kit.outbox import append


class Decision(StrEnum):
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
        Decision.GRANT: _Turn("filed", "granted", WaiverGranted),
        Decision.REFUSE: _Turn("filed", "refused", WaiverRefused),
        Decision.END: _Turn("granted", "ended", WaiverEnded),
    }
)
FILERS: Final = ROLES[Errand.FILE_WAIVER]
DECIDERS: Final = ROLES[Errand.DECIDE_WAIVER]


async def file_waiver(desk: Desk, village: str, item: str, period: str, reason: str) -> Waiver:
    """Ask not to open a cell; the reason will stand on the village's page."""
    desk.actor.require(*FILERS)
    owed = duty_of(desk, village, item, period)
    require_reach(desk, village, item_of(desk, item, period))
    if not owed.applies:
        raise ItemDoesNotApplyError(faults=[Fault("item", f"{village} 没有事项 {item}")])
    refuse_personal(reason, "reason")
    cell = await store.select_cell(desk.conn, village, item, period)
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
    try:
        await store.insert_waiver(desk.conn, waiver)
    except store.WaiverLiveError as error:
        raise WaiverExistsError from error
    await _say(desk, waiver, WaiverFiled, reason)
    return waiver


async def decide_waiver(desk: Desk, waiver_id: UUID, decision: Decision, reason: str | None) -> Waiver:
    """Grant, refuse or end a waiver; refusing and ending need a reason."""
    desk.actor.require(*DECIDERS)
    waiver = await store.lock_waiver(desk.conn, waiver_id)
    if waiver is None:
        raise UnknownWaiverError
    require_reach(desk, waiver.village_code, item_of(desk, waiver.item, waiver.period))
    turn = _TURNS[decision]
    if waiver.state != turn.before:
        raise WrongStateError(state=waiver.state)
    if decision is not Decision.GRANT and reason is None:
        raise MissingReasonError(faults=[Fault("reason", "请写明原因")])
    if reason is not None:
        refuse_personal(reason, "reason")
    if decision is Decision.GRANT:
        refuse_own_reset(desk, waiver.filed_by, waiver.filed_at)
        if waiver.filed_by == desk.actor.staff_id:
            _require_delegation(desk, waiver.village_code)
    after = await store.update_waiver(desk.conn, waiver.id, turn.after, reason, desk.actor.staff_id, desk.now)
    # Villagers read why it was asked for; why it was refused or ended is the township's own word.
    await _say(desk, waiver, turn.event, waiver.reason if decision is Decision.GRANT else reason or "")
    return after


def _require_delegation(desk: Desk, village: str) -> None:
    if desk.reference.delegation(desk.actor.staff_id, village, local_day(desk.now)) is None:
        raise SamePersonError


async def _say(
    desk: Desk,
    waiver: Waiver,
    event: type[WaiverFiled | WaiverGranted | WaiverRefused | WaiverEnded],
    reason: str,
) -> None:
    aggregate, tag = str(waiver.id), event.model_fields["type"].default
    said = event(
        **await stamped(desk, "waiver", aggregate, waiver.village_code),
        item=waiver.item,
        period=waiver.period,
        sealed=await shred.seal(desk.conn, aggregate, tag, WaiverContent(reason=reason), desk.now),
    )
    await append(desk.conn, said)
