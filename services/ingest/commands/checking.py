"""Checking: the words of supervisors and others, returning, letting out, filing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.contracts.disclosure import (
    ApprovedContent,
    DisclosureApproved,
    DisclosureConfirmed,
    DisclosureFiled,
    DisclosureReturned,
    FindingRef,
    LineReason,
    Opinion,
    Party,
    ReturnedContent,
)
from services.contracts.words import ROLES
from services.ingest import store, workflow
from services.ingest.commands.desk import (
    Desk,
    cell,
    content_of,
    counted,
    item_of,
    locked,
    profile_of,
    refuse_personal,
    sealed,
    stamp_of,
)
from services.ingest.commands.sheets import require_sheet_of, require_signers
from services.ingest.errors import (
    AlreadyFiledError,
    MissingReasonError,
    NobodyAskedError,
    ResetByYouError,
    SamePersonError,
    SecrecyCheckMissingError,
    SheetBearerError,
    SheetNeedsNamesError,
)
from services.ingest.store import Disclosure, Edition, Return
from services.ingest.workflow import Action
from services.kit.clock import local_day
from services.kit.errors import Fault
from services.kit.outbox import append


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says of an edition; with a `sheet`, what several people signed on paper."""

    opinion: Literal["agree", "dissent"] = "agree"
    reason: str | None = None
    names: tuple[str, ...] = ()
    sheet: str | None = None


async def confirm(desk: Desk, disclosure_id: UUID, version: int, word: Word | None = None) -> Disclosure:
    """Note a party's word; when nobody else has to speak, the edition is confirmed (and, with `file`, let out)."""
    disclosure = await locked(desk, disclosure_id, version, Action.CONFIRM)
    word = word or Word()
    if word.opinion == "dissent" and word.reason is None:
        raise MissingReasonError(faults=[Fault("reason", "请写明不同意见的内容")])
    for n, text in enumerate(word.names):
        refuse_personal(text, f"names[{n}]")
    if word.reason is not None:
        # Villagers read what a dissenter says.
        refuse_personal(word.reason, "reason")
    parties = item_of(desk, disclosure.item, disclosure.period).confirmations
    party = _party(desk, parties, word)
    if word.sheet is None:
        await refuse_same_person(desk, disclosure)
        names: tuple[str, ...] = (_signature(desk),)
    else:
        names = await _signed(desk, disclosure, word.sheet, word.names)
    opinion = Opinion(
        party=party,
        opinion=word.opinion,
        names=names,
        reason=word.reason,
        sheet=word.sheet,
        brought_by=_bearer(desk) if word.sheet is not None else None,
        at=desk.now,
    )
    await store.upsert_opinion(desk.conn, disclosure, opinion, desk.actor.staff_id)
    return counted(await _heard(desk, disclosure, opinion, parties), Action.CONFIRM)


def _party(desk: Desk, parties: Sequence[Party], word: Word) -> Party:
    """For whom this person speaks here."""
    if word.sheet is not None:
        desk.actor.require(*workflow.SHEET_BEARERS)
        if not word.names:
            raise SheetNeedsNamesError(faults=[Fault("names", "请写明核对单上签字人的姓名")])
    else:
        desk.actor.require(*workflow.PARTIES)
    party = "supervisors" if word.sheet is not None else workflow.PARTIES[desk.actor.role]
    if party not in parties:
        raise NobodyAskedError
    return party


async def _signed(desk: Desk, disclosure: Disclosure, sheet: str, names: Sequence[str]) -> tuple[str, ...]:
    """Whose word a sheet is. Whoever wrote any edition does not bring it: the paper is what others say of it."""
    if desk.actor.staff_id in await store.select_authors(desk.conn, disclosure, after=0):
        raise SheetBearerError
    signers = require_signers(desk, disclosure.village_code, names)
    await require_sheet_of(desk, disclosure, sheet)
    return signers


def _bearer(desk: Desk) -> str:
    """How the reviewer reads who brought a sheet: role and name."""
    name = desk.actor.name if desk.actor.name != desk.actor.username else ""
    return f"{ROLES[desk.actor.role]}{name}"


#: A person of whom the registry knows no name signs as what they are; a login name is nobody else's business.
def _signature(desk: Desk) -> str:
    return desk.actor.name if desk.actor.name != desk.actor.username else ROLES[desk.actor.role]


async def _heard(desk: Desk, disclosure: Disclosure, opinion: Opinion, parties: Sequence[Party]) -> Disclosure:
    """Say what was said, and go on when it was the last word needed."""
    profile = profile_of(desk, disclosure.village_code)
    opinions = await store.select_opinions(desk.conn, disclosure.id, disclosure.edition)
    by_account = profile.release == "file"
    complete = not workflow.open_parties(parties, opinions, profile.supervisors_needed, by_account=by_account)
    after = await store.update_confirmed(desk.conn, disclosure.id, desk.now) if complete else disclosure
    event = DisclosureConfirmed(
        **await stamp_of(desk, disclosure),
        **cell(disclosure),
        digest=disclosure.digest,
        confirmation=opinion.party,
        opinion=opinion.opinion,
        complete=complete,
        by_sheet=opinion.sheet is not None,
        brought_by=desk.actor.staff_id if opinion.sheet is not None else None,
    )
    await append(desk.conn, event)
    if complete and profile.release == "file":
        return await let_out(desk, after, await content_of(desk, after), release="file")
    return after


async def send_back(
    desk: Desk, disclosure_id: UUID, version: int, reason: str, lines: Sequence[LineReason] = ()
) -> Disclosure:
    """Return it to the clerk with a reason, and one for each place that is wrong."""
    disclosure = await locked(desk, disclosure_id, version, Action.RETURN)
    refuse_personal(reason, "reason")
    for n, line in enumerate(lines):
        refuse_personal(line.reason, f"lines[{n}].reason")
    returned = Return(disclosure.edition, reason, tuple(lines), desk.actor.staff_id, desk.now)
    await store.insert_return(desk.conn, disclosure, returned)
    after = await store.update_returned(desk.conn, disclosure.id, reason, lines)
    content = ReturnedContent(reason=reason, lines=tuple(lines))
    event = DisclosureReturned(
        **await stamp_of(desk, disclosure),
        **cell(disclosure),
        sealed=await sealed(desk, disclosure, "disclosure.returned.v1", content),
    )
    await append(desk.conn, event)
    return counted(after, Action.RETURN)


async def approve(desk: Desk, disclosure_id: UUID, version: int, secrecy_checked_by: str | None = None) -> Disclosure:
    """Let it out; publishing follows from the event."""
    disclosure = await locked(desk, disclosure_id, version, Action.APPROVE)
    delegation = await refuse_same_person(desk, disclosure, unless_delegated=True)
    refuse_own_reset(desk, disclosure.submitted_by, disclosure.submitted_at)
    edition = await content_of(desk, disclosure)
    if secrecy_checked_by is not None:
        refuse_personal(secrecy_checked_by, "secrecy_checked_by")
    by = secrecy_checked_by or edition.secrecy_checked_by
    if item_of(desk, disclosure.item, disclosure.period).secrecy and by is None:
        raise SecrecyCheckMissingError(faults=[Fault("secrecy_checked_by", "请写明保密审查人的姓名")])
    after = await let_out(desk, disclosure, edition, delegation=delegation, secrecy_checked_by=by)
    return counted(after, Action.APPROVE)


async def let_out(
    desk: Desk,
    disclosure: Disclosure,
    edition: Edition,
    *,
    release: Literal["approve", "file"] = "approve",
    delegation: str | None = None,
    secrecy_checked_by: str | None = None,
) -> Disclosure:
    """Say the approved event, which carries the content, sealed."""
    assert disclosure.submitted_at is not None  # noqa: S101 - held by the workflow
    assert disclosure.submitted_by is not None  # noqa: S101 - held by the workflow
    assert disclosure.confirmed_at is not None  # noqa: S101 - held by the workflow
    after = await store.update_approved(desk.conn, disclosure.id, desk.now, release)
    content = ApprovedContent(
        body=edition.body,
        accepted=edition.accepted,
        opinions=await store.select_opinions(desk.conn, disclosure.id, disclosure.edition),
        note=edition.note,
        secrecy_checked_by=secrecy_checked_by or edition.secrecy_checked_by,
    )
    event = DisclosureApproved(
        **await stamp_of(desk, disclosure),
        **cell(disclosure),
        digest=disclosure.digest,
        history=disclosure.history,
        submitted_at=disclosure.submitted_at,
        submitted_by=disclosure.submitted_by,
        confirmed_at=disclosure.confirmed_at,
        accepted=tuple(FindingRef(code=a.code, at=a.at) for a in edition.accepted),
        release=release,
        noted=edition.note is not None and disclosure.published_edition is not None,
        delegation=delegation,
        sealed=await sealed(desk, disclosure, "disclosure.approved.v1", content),
    )
    await append(desk.conn, event)
    return after


async def file(desk: Desk, disclosure_id: UUID, version: int) -> Disclosure:
    """Take note, for the township, of what a village let out itself (备案)."""
    disclosure = await locked(desk, disclosure_id, version, Action.FILE)
    if disclosure.release != "file" or disclosure.filed_at is not None:
        raise AlreadyFiledError
    after = await store.update_filed(desk.conn, disclosure.id, desk.now)
    await append(desk.conn, DisclosureFiled(**await stamp_of(desk, disclosure), **cell(disclosure)))
    return counted(after, Action.FILE)


async def refuse_same_person(desk: Desk, disclosure: Disclosure, *, unless_delegated: bool = False) -> str | None:
    """Refuse who saved any edition since the public one, or handed in.

    A delegation on file lets them approve, and its document is returned.
    """
    if desk.actor.staff_id not in await store.select_authors(desk.conn, disclosure, disclosure.published_edition or 0):
        return None
    document = desk.reference.delegation(desk.actor.staff_id, disclosure.village_code, local_day(desk.now))
    if (document is None or not unless_delegated) and desk.actor.staff_id != disclosure.submitted_by:
        detail = "录入、保存过这份内容的人不能自己核对或审核，请由别人来办。"
        raise SamePersonError(detail)
    if document is None or not unless_delegated:
        raise SamePersonError
    return document


def refuse_own_reset(desk: Desk, account: str | None, acted_at: datetime | None) -> None:
    """Refuse whoever gave the account that handed something in a new password before it did, and so could have been it."""
    handed_in_by = desk.reference.staff.get(account or "")
    if handed_in_by is None or acted_at is None:
        return
    if any(r.by == desk.actor.staff_id and r.at <= acted_at for r in handed_in_by.resets_since(desk.now)):
        raise ResetByYouError
