"""Withdrawing in two steps: out of everybody's sight at once, gone for good when the time to undo it has passed.

At once for good is what was never let out, and personal data once a second person agrees. Until then inspectors can read
it, and the township can bring it back as it was.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from services.contracts.disclosure import DisclosureErased, DisclosureRestored, DisclosureWithdrawn, WithdrawalKind
from services.ingest import store
from services.ingest.commands.attachments import release_files
from services.ingest.commands.desk import Desk, cell, counted, locked, refuse_personal, stamp_of
from services.ingest.errors import (
    AlreadyEnteredError,
    ErasedError,
    NotPersonalDataError,
    PersonalDataError,
    SecondPersonError,
)
from services.ingest.store import CellTakenError, Disclosure, Withdrawal
from services.ingest.workflow import Action, State
from services.kit import shred
from services.kit.db import Connection
from services.kit.errors import Fault
from services.kit.outbox import append, stamp
from services.kit.runtime import Runtime

#: Over how many days a person's withdrawals are counted, for audit.
_RECENT: Final = timedelta(days=30)
_PERSONAL: Final[WithdrawalKind] = "personal_data"


async def withdraw(
    desk: Desk, disclosure_id: UUID, version: int, reason: str, *, kind: WithdrawalKind = "content", keep: timedelta
) -> Disclosure:
    """Take it out of sight; `keep` is how long what was let out can be restored."""
    disclosure = await locked(desk, disclosure_id, version, Action.WITHDRAW)
    refuse_personal(reason, "reason")
    if not _was_let_out(disclosure) or not keep:
        return counted(await end(desk, disclosure, reason, kind), Action.WITHDRAW)
    said = Withdrawal(reason, desk.actor.staff_id, desk.now, kind, desk.now + keep)
    after = await store.update_withdrawn(desk.conn, disclosure.id, said)
    await _say_withdrawn(desk, disclosure, said)
    return counted(after, Action.WITHDRAW)


def _was_let_out(disclosure: Disclosure) -> bool:
    """Tell whether anybody outside may have read it."""
    return disclosure.published_edition is not None or disclosure.state in {State.APPROVED, State.PUBLISHED}


async def end(desk: Desk, disclosure: Disclosure, reason: str, kind: WithdrawalKind = "content") -> Disclosure:
    """Take a disclosure out for good: its content, files and key."""
    said = Withdrawal(reason, desk.actor.staff_id, desk.now, kind, None)
    await store.update_withdrawn(desk.conn, disclosure.id, said)
    after = await store.update_erased(desk.conn, disclosure.id)
    await release_files(desk.conn, disclosure.id, desk.now)
    await _say_withdrawn(desk, disclosure, said)
    await shred.shred(desk.conn, str(disclosure.id), desk.now)
    return after


async def _say_withdrawn(desk: Desk, disclosure: Disclosure, said: Withdrawal) -> None:
    was_let_out = _was_let_out(disclosure)
    recent = await store.count_withdrawn(desk.conn, desk.actor.staff_id, desk.now - _RECENT) if was_let_out else None
    event = DisclosureWithdrawn(
        **await stamp_of(desk, disclosure),
        **cell(disclosure),
        reason=said.reason,
        was_published=was_let_out,
        kind=said.kind,
        key_dies_at=said.key_dies_at,
        recent=recent or None,
    )
    await append(desk.conn, event)


async def restore(desk: Desk, disclosure_id: UUID, version: int, reason: str) -> Disclosure:
    """Undo a mistaken withdrawal: the same editions can be read again, and that it was away is told with the reason."""
    disclosure = await locked(desk, disclosure_id, version, Action.RESTORE)
    refuse_personal(reason, "reason")
    if disclosure.key_dies_at is None:
        raise ErasedError
    if disclosure.withdrawal_kind == _PERSONAL:
        raise PersonalDataError
    try:
        after = await store.update_restored(desk.conn, disclosure.id)
    except CellTakenError as error:
        cell_words = f"{disclosure.village_code} 的 {disclosure.item} {disclosure.period}"
        raise AlreadyEnteredError(faults=[Fault("period", f"{cell_words} 撤回后已经重新录入")]) from error
    event = DisclosureRestored(
        **await stamp_of(desk, disclosure),
        **cell(disclosure),
        reason=reason,
        is_public=disclosure.published_edition is not None,
    )
    await append(desk.conn, event)
    return counted(after, Action.RESTORE)


async def agree_to_erase(desk: Desk, disclosure_id: UUID, version: int) -> Disclosure:
    """A second person's word that personal data goes now, not when the time to undo has passed."""
    disclosure = await locked(desk, disclosure_id, version, Action.ERASE)
    if disclosure.key_dies_at is None:
        raise ErasedError
    if disclosure.withdrawal_kind != _PERSONAL:
        raise NotPersonalDataError
    if disclosure.withdrawn_by == desk.actor.staff_id:
        raise SecondPersonError
    event = DisclosureErased(**await stamp_of(desk, disclosure), **cell(disclosure))
    return counted(await _erase(desk.conn, disclosure, event), Action.ERASE)


async def _erase(conn: Connection, disclosure: Disclosure, event: DisclosureErased) -> Disclosure:
    after = await store.update_erased(conn, disclosure.id)
    await release_files(conn, disclosure.id, event.occurred_at)
    await append(conn, event)
    await shred.shred(conn, str(disclosure.id), event.occurred_at)
    return after


async def erase_due(runtime: Runtime, limit: int) -> int:
    """Erase what nobody brought back in time, each in a transaction of its own; returns how many were looked at."""
    database, now = runtime.database, runtime.clock.now()
    async with database.connection() as conn:
        due = await store.select_to_erase(conn, now, limit)
    for disclosure_id in due:
        async with database.transaction() as conn:
            disclosure = await store.lock_disclosure(conn, disclosure_id)
            if disclosure is None or disclosure.key_dies_at is None or disclosure.key_dies_at > now:
                continue
            village = disclosure.village_code
            envelope = await stamp(conn, "disclosure", str(disclosure.id), at=now, village_code=village)
            await _erase(
                conn, disclosure, DisclosureErased(**{**envelope, "village_code": village}, **cell(disclosure))
            )
    return len(due)
