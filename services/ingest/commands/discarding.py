"""Drafts given up: deleted, or withdrawn where others have heard of them."""

from collections.abc import Sequence
from uuid import UUID

from services.contracts.bodies import body_digest
from services.contracts.disclosure import DisclosureDiscarded
from services.ingest.commands.withdrawing import withdraw_and_erase
from services.ingest.metrics import count_step
from services.ingest.store.attachments import delete_uses
from services.ingest.store.disclosures import Disclosure, delete_drafts, select_edition, update_discarded
from services.ingest.visit import Changing
from services.ingest.workflow import Action
from services.kit.outbox import append
from services.kit.shred import drop_untold


async def discard(desk: Changing, disclosure_id: UUID, version: int) -> Disclosure | None:
    """Delete a draft. Of a correction the published edition is the newest again, and is returned.

    A draft that was never let out is deleted; one that others had heard of is withdrawn and erased instead. None for both.
    """
    disclosure = await desk.lock_for(Action.DISCARD, disclosure_id, version)
    count_step(Action.DISCARD, disclosure)
    if disclosure.published_edition is None:
        await _remove(desk, [disclosure])
        return None
    public = await select_edition(desk.conn, disclosure.id, disclosure.published_edition)
    assert public is not None  # noqa: S101 - its number says that it was published and not withdrawn
    digest = body_digest(public.body)
    after = await update_discarded(desk.conn, disclosure, digest, nil=public.body.nil)
    await append(desk.conn, DisclosureDiscarded(**await desk.stamp_of(after)))
    return after


async def discard_all(desk: Changing, drafts: Sequence[Disclosure]) -> None:
    """Delete first drafts, which the caller has locked and which were never public, in as many statements as for one."""
    for draft in drafts:
        desk.require_step(Action.DISCARD, draft, 1)
        count_step(Action.DISCARD, draft)
    await _remove(desk, drafts)


async def _remove(desk: Changing, drafts: Sequence[Disclosure]) -> None:
    # Others have heard of it when it was handed in or delivered: then it ends as what it is, withdrawn.
    told = [d for d in drafts if d.submitted_at is not None or d.delivered_at is not None]
    if told:
        await withdraw_and_erase(desk, told, "草稿作废，没有公开过。")
    untold = [d.id for d in drafts if d.submitted_at is None and d.delivered_at is None]
    if untold:
        await delete_uses(desk.conn, untold, desk.now)
        await delete_drafts(desk.conn, untold)
        await drop_untold(desk.conn, [str(i) for i in untold])
