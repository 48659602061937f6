"""Withdrawing in two steps: out of everybody's sight at once, gone for good when the time to undo it has passed.

At once for good is what was never let out, and personal data once a second person agrees. Until then inspectors can read
it, and the township can bring it back as it was.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.contracts.disclosure import DisclosureErased, DisclosureRestored, DisclosureWithdrawn, WithdrawalKind
from services.ingest.commands.findings import refuse_personal
from services.ingest.errors import (
    AlreadyEnteredError,
    ErasedError,
    NotPersonalDataError,
    PersonalDataError,
    SecondPersonError,
)
from services.ingest.metrics import count_step
from services.ingest.schemas import without_withdrawn
from services.ingest.store.attachments import delete_uses
from services.ingest.store.disclosures import CellTakenError, Disclosure, lock_disclosure
from services.ingest.store.withdrawals import (
    Withdrawal,
    count_withdrawn,
    select_to_erase,
    update_erased,
    update_restored,
    update_withdrawn,
)
from services.ingest.visit import Changing, IngestRuntime, stamp_of
from services.ingest.workflow import Action, State
from services.kit import actions, answers
from services.kit.db import Connection
from services.kit.errors import Fault
from services.kit.outbox import append, append_all
from services.kit.shred import shred

#: Over how many days a person's withdrawals are counted, for audit.
_RECENT: Final = timedelta(days=30)
_PERSONAL: Final[WithdrawalKind] = "personal_data"


async def withdraw(
    desk: Changing, disclosure_id: UUID, version: int, reason: str, kind: WithdrawalKind = "content"
) -> Disclosure:
    """Set the state to withdrawn and append `disclosure.withdrawn.v1`: villagers no longer read it.

    What was let out can be restored for as long as the settings say; anything else is erased at once.
    """
    disclosure = await desk.lock_for(Action.WITHDRAW, disclosure_id, version)
    refuse_personal(reason, "reason")
    keep = timedelta(days=desk.settings.withdrawal_days)
    if not _was_let_out(disclosure) or not keep:
        (ended,) = await withdraw_and_erase(desk, [disclosure], reason, kind)
        return count_step(Action.WITHDRAW, ended)
    said = Withdrawal(reason, desk.actor.staff_id, desk.now, kind, desk.now + keep)
    after = await _hide(desk, [disclosure.id], said)
    await append_all(desk.conn, await _events(desk, [disclosure], said))
    return count_step(Action.WITHDRAW, after[disclosure.id])


def _was_let_out(disclosure: Disclosure) -> bool:
    """Tell whether anybody outside may have read it."""
    return disclosure.published_edition is not None or disclosure.state in {State.APPROVED, State.PUBLISHED}


async def withdraw_and_erase(
    desk: Changing, disclosures: Sequence[Disclosure], reason: str, kind: WithdrawalKind = "content"
) -> list[Disclosure]:
    """Withdraw disclosures and erase them in the same transaction, in as many statements as for one.

    Their contents and words are deleted, their files queued for deletion, their keys shredded; `disclosure.withdrawn.v1`
    tells of each.
    """
    said, ids = Withdrawal(reason, desk.actor.staff_id, desk.now, kind, None), [d.id for d in disclosures]
    await _hide(desk, ids, said)
    after = await _erase(desk.conn, ids, await _events(desk, disclosures, said), desk.now)
    return [after[i] for i in ids]


async def _hide(desk: Changing, ids: Sequence[UUID], said: Withdrawal) -> dict[UUID, Disclosure]:
    """Set the state to withdrawn, and take figures and reasons out of the answers that are kept for repeated requests."""
    gone = {str(i) for i in ids}
    await answers.rewrite(desk.conn, sorted(gone), lambda answer: without_withdrawn(answer, gone))
    return await update_withdrawn(desk.conn, ids, said)


async def _events(desk: Changing, disclosures: Sequence[Disclosure], said: Withdrawal) -> list[DisclosureWithdrawn]:
    let_out = {d.id for d in disclosures if _was_let_out(d)}
    recent = await count_withdrawn(desk.conn, desk.actor.staff_id, desk.now - _RECENT) if let_out else 0
    stamps = await desk.stamps_of(disclosures)
    return [
        DisclosureWithdrawn(
            **stamps[d.id],
            reason=said.reason,
            was_published=d.id in let_out,
            kind=said.kind,
            key_dies_at=said.key_dies_at,
            recent=(recent or None) if d.id in let_out else None,
        )
        for d in disclosures
    ]


async def restore(desk: Changing, disclosure_id: UUID, version: int, reason: str) -> Disclosure:
    """Put a withdrawn disclosure back into its state before and append `disclosure.restored.v1` with the public reason."""
    disclosure = await desk.lock_for(Action.RESTORE, disclosure_id, version)
    refuse_personal(reason, "reason")
    if disclosure.key_dies_at is None:
        raise ErasedError
    if disclosure.withdrawal_kind == _PERSONAL:
        raise PersonalDataError
    try:
        after = await update_restored(desk.conn, disclosure.id)
    except CellTakenError as error:
        cell_words = f"{disclosure.village_code} 的 {disclosure.item} {disclosure.period}"
        raise AlreadyEnteredError(faults=[Fault("period", f"{cell_words} 撤回后已经重新录入")]) from error
    event = DisclosureRestored(
        **await desk.stamp_of(disclosure),
        reason=reason,
        is_public=disclosure.published_edition is not None,
    )
    await append(desk.conn, event)
    return count_step(Action.RESTORE, after)


async def agree_to_erase(desk: Changing, disclosure_id: UUID, version: int) -> Disclosure:
    """Erase withdrawn personal data now, by a second person's word, and not when the time to undo has passed."""
    disclosure = await desk.lock_for(Action.ERASE, disclosure_id, version)
    if disclosure.key_dies_at is None:
        raise ErasedError
    if disclosure.withdrawal_kind != _PERSONAL:
        raise NotPersonalDataError
    if disclosure.withdrawn_by == desk.actor.staff_id:
        raise SecondPersonError
    event = DisclosureErased(**await desk.stamp_of(disclosure))
    after = await _erase(desk.conn, [disclosure.id], [event], desk.now)
    return count_step(Action.ERASE, after[disclosure.id])


async def _erase(
    conn: Connection, ids: Sequence[UUID], events: Sequence[DisclosureWithdrawn | DisclosureErased], at: datetime
) -> dict[UUID, Disclosure]:
    """Delete content and words, queue files for deletion, append the events that tell of it, shred the keys."""
    after = await update_erased(conn, ids)
    await delete_uses(conn, ids, at)
    await append_all(conn, events)
    await shred(conn, [str(i) for i in ids], at)
    return after


async def erase_due(runtime: IngestRuntime, limit: int) -> int:
    """Erase what nobody brought back in time, each in a transaction of its own; returns how many were looked at."""
    database, now = runtime.database, runtime.clock.now()
    async with database.connection() as conn:
        due = await select_to_erase(conn, now, limit)
    for disclosure_id in due:
        async with database.transaction() as conn:
            disclosure = await lock_disclosure(conn, disclosure_id)
            if disclosure is None or disclosure.key_dies_at is None or disclosure.key_dies_at > now:
                continue
            event = DisclosureErased(**await stamp_of(conn, disclosure, now))
            await _erase(conn, [disclosure.id], [event], now)
            # It rests on the word of whoever withdrew it, whose own row tells from where; here the clock acts.
            subject = actions.Subject(f"disclosure/{disclosure.id}", disclosure.village_code)
            await actions.record(conn, actions.CLOCK, "erased in time", now, subject)
    return len(due)
