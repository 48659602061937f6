"""What publish hears: `PROJECT` fills the rebuildable read model, `REACT` says what became of it and marks pages for what is none of it.

Every event carries the whole public state, so a repeated one changes nothing and a late one loses against a newer.
Content exists only while its key does: a shredded key leaves a tombstone, and a tombstone never turns back.
"""

import asyncio
from functools import partial
from typing import Final

from services.contracts.catalogue import CalendarSet, ItemSet, ProfileSet
from services.contracts.code import CodeSet
from services.contracts.disclosure import (
    AnswerGiven,
    AnswerHandedUp,
    AnswerHidden,
    DeclarationConfirmed,
    DisclosureApproved,
    DisclosureConfirmed,
    DisclosureCorrected,
    DisclosureDelivered,
    DisclosureDiscarded,
    DisclosureErased,
    DisclosureEvent,
    DisclosureFiled,
    DisclosureRestored,
    DisclosureReturned,
    DisclosureSubmitted,
    DisclosureWithdrawn,
    WaiverContent,
    WaiverEnded,
    WaiverGranted,
    WaiverRefused,
)
from services.contracts.division import DivisionKind, DivisionSet
from services.kit.consumer import Handlers, Handling
from services.kit.db import after_commit
from services.kit.shred import open_sealed
from services.publish.commands import announcing, asking
from services.publish.hot.files import Subject, remove_rendered, tell_news
from services.publish.render.rows import Code, Declaration, Publication, Step, Waiver, edition_before
from services.publish.store import adoptions, hands, marks, publications, searchable, steps, unopened, withheld
from services.publish.store.keeping import Kept, keep

_EVERYTHING: Final = (("all", ""),)


def _subjects(h: Handling, event: DisclosureEvent) -> tuple[Subject, ...]:
    """What shows a disclosure: its own page, its item's, its village's, its township's list, the front page."""
    return (*_shown_in(h, event.village_code, event.item), ("disclosure", event.aggregate_id), ("city", ""))


def _shown_in(h: Handling, village_code: str, item: str | None = None) -> tuple[Subject, ...]:
    """What shows the cells of an item of a village, or of all its items."""
    village = h.reference.divisions.get(village_code)
    township = village.now.parent if village is not None else None
    of_item: Subject = ("items", village_code) if item is None else ("item", f"{village_code}/{item}")
    return (("village", village_code), of_item, *([("township", township)] if township else []))


async def _after(h: Handling, event: DisclosureEvent) -> list[Subject]:
    """The page that tells its opening beside this one's closing."""
    found = await publications.select_after(h.conn, event.village_code, event.item, event.period)
    return [("disclosure", found)] if found is not None else []


async def _steps(h: Handling, disclosure_id: str) -> list[Subject]:
    """Pages of the same matter: they lead to this one."""
    found = await steps.select_steps(h.conn, [disclosure_id])
    return [("disclosure", p.disclosure_id) for p in found.get(disclosure_id, ())]


async def on_moved_step(
    h: Handling,
    event: DisclosureDelivered | DisclosureSubmitted | DisclosureReturned | DisclosureCorrected | DisclosureDiscarded,
) -> None:
    """Note who holds the cell now: delivered, handed in, sent back, corrected or given up.

    Once it is published, nobody asks for this any more.
    """
    submitted_at = event.occurred_at if isinstance(event, DisclosureSubmitted) else None
    delivered_at = event.occurred_at if isinstance(event, DisclosureDelivered) else None
    step = Step(
        disclosure_id=event.aggregate_id,
        village_code=event.village_code,
        item=event.item,
        period=event.period,
        version=event.aggregate_version,
        submitted_at=submitted_at,
        confirmed_at=None,
        delivered_at=delivered_at,
    )
    await marks.upsert_step(h.model, step)
    await marks.insert_marks(h.conn, _shown_in(h, event.village_code, event.item))


async def on_confirmed(h: Handling, event: DisclosureConfirmed) -> None:
    """Once nobody else has to confirm, the township holds the cell."""
    if event.complete:
        await marks.confirm_step(h.model, event.aggregate_id, event.aggregate_version, event.occurred_at)
        await marks.insert_marks(h.conn, _shown_in(h, event.village_code, event.item))


def _publication(event: DisclosureApproved, kept: Kept) -> Publication:
    return Publication(
        disclosure_id=event.aggregate_id,
        village_code=event.village_code,
        item=event.item,
        period=event.period,
        edition=event.edition,
        digest=event.digest,
        history=event.history,
        nil=kept.nil,
        # The event's own time, not this service's: a rebuild must come to the same.
        first_published_at=event.occurred_at,
        published_at=event.occurred_at,
        line_count=kept.line_count,
        kind=kept.kind,
        release=event.release,
        follows=kept.follows,
        **kept.figures,
    )


def _tombstone(event: DisclosureEvent, reason: str | None) -> Publication:
    return Publication(
        disclosure_id=event.aggregate_id,
        village_code=event.village_code,
        item=event.item,
        period=event.period,
        edition=event.edition,
        digest="",
        history=False,
        nil=False,
        first_published_at=event.occurred_at,
        published_at=event.occurred_at,
        withdrawn_at=event.occurred_at,
        reason=reason,
    )


async def _bury(h: Handling, event: DisclosureEvent, reason: str | None) -> None:
    """Remove the content here: editions, figures, what it is found by, rendered bodies."""
    others = await _steps(h, event.aggregate_id)
    await publications.withdraw(h.model, _tombstone(event, reason))
    await searchable.forget(h.conn, event.aggregate_id)
    await adoptions.forget_addresses(h.conn, event.aggregate_id)
    after = await _after(h, event)
    of_item: Subject = ("item", f"{event.village_code}/{event.item}")
    subjects: list[Subject] = [("disclosure", event.aggregate_id), ("village", event.village_code), of_item, *after]
    # Within the transaction, against the rule: once the offset has moved, nobody comes back to a body that was left. After
    # the commit a crash would leave one; before the transaction a reader would have it rendered again from rows that still
    # stand. Here a file may be missing after a rollback (it is rendered anew), never left behind.
    await asyncio.to_thread(remove_rendered, h.settings.rendered, subjects)
    await marks.insert_marks(h.conn, [*_subjects(h, event), *after, *others])


async def on_approved(h: Handling, event: DisclosureApproved) -> None:
    """Open an edition to everybody."""
    key = await h.keys.find(event.aggregate_id)
    if key is None:
        await _bury(h, event, None)
        return
    place, content = (event.aggregate_id, event.type, event.edition), event.sealed
    kept = await h.model.work_out(keep, key, place, content.nonce, content.ciphertext, h.again)
    publication = _publication(event, kept)
    if not await publications.insert_edition(
        h.model, event.aggregate_id, event.edition, event.occurred_at, kept.sealed
    ):
        return
    if kept.files:
        await publications.insert_attachment_refs(h.model, kept.files, event.aggregate_id, event.village_code)
    # A correction may follow another notice than before.
    others = await _steps(h, event.aggregate_id)
    if not await publications.upsert_publication(h.model, publication):
        await publications.lower_first_published(h.model, event.aggregate_id, event.occurred_at)
    known_times = (event.submitted_at, event.confirmed_at)
    await hands.note_hands(h.model, event.aggregate_id, event.occurred_at, *known_times)
    await searchable.enqueue(h.conn, event.aggregate_id)
    # Of ten years nearly everything is public, and every page of a village looks through its steps.
    await marks.end_step(h.model, event.aggregate_id, event.aggregate_version)
    times = await publications.select_edition_times(h.conn, [event.aggregate_id])
    was_public = edition_before(times.get(event.aggregate_id, ()), event.edition)
    await marks.insert_change(h.conn, publication, "corrected" if was_public else "published", event.occurred_at)
    await marks.insert_marks(h.conn, _subjects(h, event), event.occurred_at)
    await marks.insert_marks(h.conn, [*await _after(h, event), *others, *await _steps(h, event.aggregate_id)])


async def on_withdrawn(h: Handling, event: DisclosureWithdrawn) -> None:
    """Take the content out of sight here: editions, figures, rendered bodies; for good, key copy and all, unless it can be undone."""
    await marks.delete_step(h.model, event.aggregate_id)
    if event.key_dies_at is None:
        await h.keys.destroy(event.aggregate_id)
    else:
        await withheld.withhold(h.model, event.aggregate_id)
    if event.was_published:
        await marks.forget_change(h.conn, event.aggregate_id, "restored")
        await _bury(h, event, event.reason)
        await marks.insert_change(h.conn, _tombstone(event, event.reason), "withdrawn", event.occurred_at)
    else:
        await marks.insert_marks(h.conn, _shown_in(h, event.village_code, event.item))


async def on_restored(h: Handling, event: DisclosureRestored) -> None:
    """Open again what a mistake took out of sight: the same editions, with their first day and their history."""
    if not await withheld.restore(h.model, event.aggregate_id, event.village_code, event.occurred_at, event.reason):
        return
    await searchable.enqueue(h.conn, event.aggregate_id)
    await marks.forget_change(h.conn, event.aggregate_id, "withdrawn")
    await marks.insert_change(h.conn, _tombstone(event, event.reason), "restored", event.occurred_at)
    await marks.insert_marks(h.conn, _subjects(h, event), event.occurred_at)
    await marks.insert_marks(h.conn, await _steps(h, event.aggregate_id))


async def on_erased(h: Handling, event: DisclosureErased) -> None:
    """Let go of what could have been restored, and of the key."""
    await h.keys.destroy(event.aggregate_id)
    await withheld.forget_withheld(h.model, event.aggregate_id)


async def on_filed(h: Handling, event: DisclosureFiled) -> None:
    """Show that the township took note of what the village let out itself."""
    await publications.update_filed(h.model, event.aggregate_id, event.edition, event.occurred_at)
    await marks.insert_marks(h.conn, [("disclosure", event.aggregate_id)])


async def on_waiver(h: Handling, event: WaiverGranted | WaiverRefused | WaiverEnded) -> None:
    """Keep whether a cell is waived, with the reason that everybody may read."""
    content = None
    if granted := isinstance(event, WaiverGranted):
        key = await h.keys.find(event.aggregate_id)
        if key is not None:
            plain = open_sealed(key, event.aggregate_id, event.type, event.sealed)
            content = WaiverContent.model_validate_json(plain)
    waiver = Waiver(
        waiver_id=event.aggregate_id,
        village_code=event.village_code,
        item=event.item,
        period=event.period,
        version=event.aggregate_version,
        state="granted" if granted else "over",
        reason=content.reason if content is not None else None,
        since=event.occurred_at,
    )
    await unopened.upsert_waiver(h.model, waiver)
    await marks.insert_marks(h.conn, _shown_in(h, event.village_code, event.item))


async def on_declared(h: Handling, event: DeclarationConfirmed) -> None:
    """Keep what happened in a quarter and what did not."""
    answers = {a.item: a.days for a in event.answers}
    declaration = Declaration(event.village_code, event.quarter, event.edition, answers, event.occurred_at)
    await unopened.upsert_declaration(h.model, declaration)
    await marks.insert_marks(h.conn, _shown_in(h, event.village_code))


async def on_code_set(h: Handling, event: CodeSet) -> None:
    """Keep a code's state, so that the village's page can list its valid serials."""
    code = event.code
    await marks.upsert_code(h.model, Code(code.code, code.village, code.purpose, code.place, code.serial, code.state))
    await marks.insert_marks(h.conn, [("village", code.village)])


async def on_division_set(h: Handling, event: DivisionSet) -> None:
    """A village's own change touches its pages; a change above it touches everything below."""
    if event.division.now.kind in {DivisionKind.VILLAGE, DivisionKind.COMMUNITY, DivisionKind.ZONE}:
        parents = {r.parent for r in event.division.revisions if r.parent is not None}
        townships = [("township", p) for p in sorted(parents)]
        village = event.division.code
        await marks.insert_marks(h.conn, [("village", village), ("items", village), *townships, ("city", "")])
    else:
        await marks.insert_marks(h.conn, _EVERYTHING)


async def on_rules_set(h: Handling, _event: ItemSet | ProfileSet | CalendarSet) -> None:
    """Names, masking and deadlines stand on every page."""
    await marks.insert_marks(h.conn, _EVERYTHING)


async def say_published(h: Handling, event: DisclosureApproved) -> None:
    """Announce an edition that can be read now, to readers who wait for it too."""
    after_commit(partial(tell_news, h.settings.rendered, event.aggregate_id))
    await announcing.announce_published(h.conn, event)


async def say_withdrawn(h: Handling, event: DisclosureWithdrawn) -> None:
    """Announce that content is gone, and take it out of the models that served before."""
    await withheld.hide_in_old_models(h.conn, event.aggregate_id)
    await announcing.announce_withdrawn(h.conn, event)


async def say_restored(h: Handling, event: DisclosureRestored) -> None:
    """Delete the note that the withdrawal was announced: another one will be announced again."""
    await marks.forget_withdrawal(h.conn, event.aggregate_id)


PROJECT: Final[Handlers] = {
    DisclosureDelivered: on_moved_step,
    DisclosureSubmitted: on_moved_step,
    DisclosureConfirmed: on_confirmed,
    DisclosureReturned: on_moved_step,
    DisclosureCorrected: on_moved_step,
    DisclosureApproved: on_approved,
    DisclosureDiscarded: on_moved_step,
    DisclosureFiled: on_filed,
    DisclosureWithdrawn: on_withdrawn,
    DisclosureRestored: on_restored,
    DisclosureErased: on_erased,
    WaiverGranted: on_waiver,
    WaiverRefused: on_waiver,
    WaiverEnded: on_waiver,
    DeclarationConfirmed: on_declared,
    CodeSet: on_code_set,
}
REACT: Final[Handlers] = {
    DisclosureApproved: say_published,
    DisclosureWithdrawn: say_withdrawn,
    DisclosureRestored: say_restored,
    AnswerGiven: asking.take_answer,
    AnswerHandedUp: asking.take_hand_up,
    AnswerHidden: asking.take_hidden,
    DivisionSet: on_division_set,
    ItemSet: on_rules_set,
    ProfileSet: on_rules_set,
    CalendarSet: on_rules_set,
}
