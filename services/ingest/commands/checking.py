"""Checking: the words of supervisors and others, returning, approving (which lets an edition out), filing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.contracts.bodies import Body, Ledger
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
from services.contracts.words import ROLE_NAMES
from services.ingest import workflow
from services.ingest.commands.findings import refuse_personal
from services.ingest.commands.sheets import Sheet, require_signers, use_sheet
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
from services.ingest.metrics import count_step
from services.ingest.store.contents import Edition
from services.ingest.store.disclosures import (
    Disclosure,
    update_approved,
    update_confirmed,
    update_filed,
    update_returned,
)
from services.ingest.store.opinions import select_authors, select_opinions, upsert_opinion
from services.ingest.store.returns import Return, insert_return
from services.ingest.store.vouchers import select_cleared_by
from services.ingest.visit import Changing
from services.ingest.workflow import Action
from services.kit.errors import Fault
from services.kit.outbox import append


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says of an edition; with a `sheet`, what several people signed on paper."""

    opinion: Literal["agree", "dissent"] = "agree"
    reason: str | None = None
    names: tuple[str, ...] = ()
    sheet: Sheet | None = None


async def confirm(desk: Changing, disclosure_id: UUID, version: int, word: Word | None = None) -> Disclosure:
    """Store a party's word; the last one needed confirms the edition and, where the profile releases by filing, lets it out."""
    disclosure = await desk.lock_for(Action.CONFIRM, disclosure_id, version)
    word = word or Word()
    if word.opinion == "dissent" and word.reason is None:
        raise MissingReasonError(faults=[Fault("reason", "请写明不同意见的内容")])
    for n, text in enumerate(word.names):
        refuse_personal(text, f"names[{n}]")
    if word.reason is not None:
        # Villagers read what a dissenter says.
        refuse_personal(word.reason, "reason")
    parties = desk.item_of(disclosure).confirmations
    party = _party(desk, parties, word)
    if word.sheet is None:
        await require_other_person(desk, disclosure)
        names: tuple[str, ...] = (_signature(desk),)
    else:
        names = await _accept_sheet(desk, disclosure, word.sheet, word.names)
    opinion = Opinion(
        party=party,
        opinion=word.opinion,
        names=names,
        reason=word.reason,
        sheet=word.sheet.digest if word.sheet is not None else None,
        brought_by=_bearer(desk) if word.sheet is not None else None,
        at=desk.now,
    )
    await upsert_opinion(desk.conn, disclosure, opinion, desk.actor.staff_id)
    return count_step(Action.CONFIRM, await _confirm_when_complete(desk, disclosure, opinion, parties))


def _party(desk: Changing, parties: Sequence[Party], word: Word) -> Party:
    """For whom this person speaks here; refuses who may not, and who was not asked."""
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


async def _accept_sheet(desk: Changing, disclosure: Disclosure, sheet: Sheet, names: Sequence[str]) -> tuple[str, ...]:
    """Store that a sheet was used, and return whose word it is.

    Whoever wrote any edition is refused as its bearer: the paper is what others say of it.
    """
    if desk.actor.staff_id in await select_authors(desk.conn, disclosure, after=0):
        raise SheetBearerError
    signers = require_signers(desk, disclosure.village_code, names)
    await use_sheet(desk, disclosure, sheet)
    return signers


def _bearer(desk: Changing) -> str:
    """How the reviewer reads who brought a sheet: role and name."""
    name = desk.actor.name if desk.actor.name != desk.actor.username else ""
    return f"{ROLE_NAMES[desk.actor.role]}{name}"


#: A person of whom the registry knows no name signs as what they are; a login name is nobody else's business.
def _signature(desk: Changing) -> str:
    return desk.actor.name if desk.actor.name != desk.actor.username else ROLE_NAMES[desk.actor.role]


async def _confirm_when_complete(
    desk: Changing, disclosure: Disclosure, opinion: Opinion, parties: Sequence[Party]
) -> Disclosure:
    """Append `disclosure.confirmed.v1` for a word that was stored.

    When it was the last one needed, the state becomes confirmed first; where the profile releases by filing, the edition is
    then let out in the same transaction.
    """
    profile = desk.profile(disclosure.village_code)
    opinions = await select_opinions(desk.conn, disclosure.id, disclosure.edition)
    by_account = profile.release == "file"
    complete = not workflow.open_parties(parties, opinions, profile.supervisors_needed, by_account=by_account)
    after = await update_confirmed(desk.conn, disclosure.id, desk.now) if complete else disclosure
    event = DisclosureConfirmed(
        **await desk.stamp_of(disclosure),
        digest=disclosure.digest,
        confirmation=opinion.party,
        opinion=opinion.opinion,
        complete=complete,
        by_sheet=opinion.sheet is not None,
        brought_by=desk.actor.staff_id if opinion.sheet is not None else None,
    )
    await append(desk.conn, event)
    if complete and profile.release == "file":
        return await let_out(desk, after, await desk.content_of(after), release="file")
    return after


async def send_back(
    desk: Changing, disclosure_id: UUID, version: int, reason: str, lines: Sequence[LineReason] = ()
) -> Disclosure:
    """Return it to the clerk: store the reason and one for each place that is wrong, append `disclosure.returned.v1`."""
    disclosure = await desk.lock_for(Action.RETURN, disclosure_id, version)
    refuse_personal(reason, "reason")
    for n, line in enumerate(lines):
        refuse_personal(line.reason, f"lines[{n}].reason")
    returned = Return(disclosure.edition, reason, tuple(lines), desk.actor.staff_id, desk.now)
    await insert_return(desk.conn, await desk.content_of(disclosure), disclosure, returned)
    after = await update_returned(desk.conn, disclosure.id, reason, lines)
    content = ReturnedContent(reason=reason, lines=tuple(lines))
    event = DisclosureReturned(
        **await desk.stamp_of(disclosure),
        sealed=await desk.seal(disclosure.id, "disclosure.returned.v1", content),
    )
    await append(desk.conn, event)
    return count_step(Action.RETURN, after)


async def approve(
    desk: Changing, disclosure_id: UUID, version: int, secrecy_checked_by: str | None = None
) -> Disclosure:
    """Approve a confirmed edition and let it out (`let_out`); whoever wrote, saved or handed it in needs a delegation."""
    disclosure = await desk.lock_for(Action.APPROVE, disclosure_id, version)
    delegation = await require_other_person(desk, disclosure, unless_delegated=True)
    refuse_own_reset(desk, disclosure.submitted_by, disclosure.submitted_at)
    edition = await desk.content_of(disclosure)
    if secrecy_checked_by is not None:
        refuse_personal(secrecy_checked_by, "secrecy_checked_by")
    by = secrecy_checked_by or edition.secrecy_checked_by
    if delegation is not None and not desk.item_of(disclosure).confirmations:
        await refuse_unseen(desk, disclosure, edition.body)
    if desk.item_of(disclosure).secrecy and by is None:
        raise SecrecyCheckMissingError(faults=[Fault("secrecy_checked_by", "请写明保密审查人的姓名")])
    after = await let_out(desk, disclosure, edition, delegation=delegation, secrecy_checked_by=by)
    return count_step(Action.APPROVE, after)


async def let_out(
    desk: Changing,
    disclosure: Disclosure,
    edition: Edition,
    *,
    release: Literal["approve", "file"] = "approve",
    delegation: str | None = None,
    secrecy_checked_by: str | None = None,
) -> Disclosure:
    """Set the state to approved and append `disclosure.approved.v1` with the content, encrypted; publish follows from it.

    Checks nothing: whoever calls it has.
    """
    assert disclosure.submitted_at is not None  # noqa: S101 - held by the workflow
    assert disclosure.submitted_by is not None  # noqa: S101 - held by the workflow
    assert disclosure.confirmed_at is not None  # noqa: S101 - held by the workflow
    after = await update_approved(desk.conn, disclosure.id, desk.now, release)
    content = ApprovedContent(
        body=edition.body,
        accepted=edition.accepted,
        opinions=await select_opinions(desk.conn, disclosure.id, disclosure.edition),
        note=edition.note,
        secrecy_checked_by=secrecy_checked_by or edition.secrecy_checked_by,
    )
    event = DisclosureApproved(
        **await desk.stamp_of(disclosure),
        digest=disclosure.digest,
        history=disclosure.history,
        submitted_at=disclosure.submitted_at,
        submitted_by=disclosure.submitted_by,
        confirmed_at=disclosure.confirmed_at,
        accepted=tuple(FindingRef(code=a.code, at=a.at) for a in edition.accepted),
        release=release,
        noted=edition.note is not None and disclosure.published_edition is not None,
        delegation=delegation,
        sealed=await desk.seal(disclosure.id, "disclosure.approved.v1", content),
    )
    await append(desk.conn, event)
    return after


async def file(desk: Changing, disclosure_id: UUID, version: int) -> Disclosure:
    """Note that the township has taken note of what a village let out itself (备案), and append `disclosure.filed.v1`."""
    disclosure = await desk.lock_for(Action.FILE, disclosure_id, version)
    if disclosure.release != "file" or disclosure.filed_at is not None:
        raise AlreadyFiledError
    after = await update_filed(desk.conn, disclosure.id, desk.now)
    await append(desk.conn, DisclosureFiled(**await desk.stamp_of(disclosure)))
    return count_step(Action.FILE, after)


async def require_other_person(desk: Changing, disclosure: Disclosure, *, unless_delegated: bool = False) -> str | None:
    """Refuse who saved any edition since the public one, or handed in.

    With `unless_delegated` a delegation on file lets them, and its document is returned; None for everybody else.
    """
    if desk.actor.staff_id not in await select_authors(desk.conn, disclosure, disclosure.published_edition or 0):
        return None
    document = desk.reference.delegation(desk.actor.staff_id, disclosure.village_code, desk.today)
    if (document is None or not unless_delegated) and desk.actor.staff_id != disclosure.submitted_by:
        detail = "录入、保存过这份内容的人不能自己核对或审核，请由别人来办。"
        raise SamePersonError(detail)
    if document is None or not unless_delegated:
        raise SamePersonError
    return document


async def refuse_unseen(desk: Changing, disclosure: Disclosure, body: Body) -> None:
    """Refuse to let out what nobody else looks at, when a voucher's picture in it was cleared without anything covered."""
    shown = {d for line in body.lines for d in line.pictures} if isinstance(body, Ledger) else set()
    if shown and await select_cleared_by(desk.conn, disclosure.village_code, shown):
        detail = "有凭证图标为“无需遮盖”，公开前要由另一个人看过。请由别人审核，或者把图遮盖好。"
        raise SamePersonError(detail)


def refuse_own_reset(desk: Changing, account: str | None, acted_at: datetime | None) -> None:
    """Refuse whoever gave the account that handed something in a new password before it did, and so could have been it."""
    handed_in_by = desk.reference.staff.get(account or "")
    if handed_in_by is None or acted_at is None:
        return
    if any(r.by == desk.actor.staff_id and r.at <= acted_at for r in handed_in_by.resets_since(desk.now)):
        raise ResetByYouError
