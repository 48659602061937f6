"""What every step at the desk shares: who works on what, the checks that come first, the envelope that comes last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from pydantic import BaseModel

from services.contracts import privacy
from services.contracts.base import AcceptedFinding, Finding, Role, Sealed, Stamp
from services.contracts.bodies import Ledger, figures
from services.contracts.catalogue import ItemRevision, ProfileRevision
from services.contracts.division import DivisionKind
from services.contracts.duties import CellKey, Duty, publishing_holder
from services.contracts.values import period_bounds, previous_period
from services.ingest import metrics, store, workflow
from services.ingest.errors import (
    NotPublisherError,
    StaleVersionError,
    UnknownDisclosureError,
    UnknownItemError,
    UnknownVillageError,
    WrongPeriodError,
    WrongStateError,
    ZoneError,
)
from services.ingest.gate.findings import chain_findings, neighbour_notes, note_finding
from services.ingest.store import Disclosure, Edition
from services.ingest.workflow import Action, State
from services.kit import shred
from services.kit.auth import Actor
from services.kit.clock import local_day
from services.kit.db import Connection
from services.kit.errors import Fault, InvalidInputError
from services.kit.objects import Objects
from services.kit.outbox import stamp
from services.kit.reference import Reference


@dataclass(frozen=True, slots=True)
class Desk:
    """One person's work within one transaction."""

    conn: Connection
    reference: Reference
    actor: Actor
    now: datetime
    objects: Objects


@dataclass(frozen=True, slots=True)
class Saved:
    """A disclosure after a step, with what does not add up in its newest edition."""

    disclosure: Disclosure
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a finding is right as it stands; without `at` it speaks for every finding of the code."""

    code: str
    at: str | None
    text: str


def accepted_of(found: Sequence[Finding], reasons: Sequence[Reason]) -> tuple[AcceptedFinding, ...]:
    """Real findings with the first reason that speaks for them."""
    accepted = []
    for f in found:
        text = next((r.text for r in reasons if r.code == f.code and r.at in {None, f.at}), None)
        if text is not None:
            accepted.append(AcceptedFinding(code=f.code, at=f.at, reason=text))
    return tuple(accepted)


def item_of(desk: Desk, code: str, period: str) -> ItemRevision:
    """The item as it stands in a period; UnknownItemError names the field."""
    item = desk.reference.items.get(code)
    if item is None:
        raise UnknownItemError(faults=[Fault("item", f"公开目录里没有事项 {code}")])
    return item.at(period_bounds(period)[1])


def village_of(desk: Desk, village: str) -> None:
    """Refuse what is no village or community, naming the field."""
    if village not in desk.reference.divisions:
        raise UnknownVillageError(faults=[Fault("village", f"没有代码为 {village} 的村（社区）")])
    kind = desk.reference.divisions[village].now.kind
    if kind is DivisionKind.ZONE:
        raise ZoneError(faults=[Fault("village", f"{village} 是开发区占位代码")])
    if kind not in {DivisionKind.VILLAGE, DivisionKind.COMMUNITY}:
        raise UnknownVillageError(faults=[Fault("village", f"{village} 不是村（社区）的代码")])


def duty_of(desk: Desk, village: str, item: str, period: str) -> Duty:
    """The cell's duty; raises for a village, item or period that cannot have one."""
    village_of(desk, village)
    item_of(desk, item, period)
    owed = desk.reference.duty(village, CellKey(item, period))
    if owed is None:
        raise WrongPeriodError(faults=[Fault("period", f"{period} 与事项 {item} 的公开频次不符")])
    return owed


def profile_of(desk: Desk, village: str) -> ProfileRevision:
    """The choices of the village's profile today."""
    return desk.reference.profile(village).at(local_day(desk.now))


def require_reach(desk: Desk, village: str, item: ItemRevision) -> None:
    """The village lies in the actor's part of the tree, the item in the actor's part of the affairs."""
    desk.actor.require_scope(desk.reference, village)
    desk.actor.require_affair(item.affair)


def items_within(desk: Desk) -> list[str] | None:
    """Codes of the items in the actor's part of the affairs; None for all."""
    affairs = desk.actor.affairs
    if not affairs:
        return None
    return [code for code, item in desk.reference.items.items() if any(r.affair in affairs for r in item.revisions)]


def require_right(desk: Desk, action: Action, item: ItemRevision) -> None:
    """The actor's role takes this step on items of this publisher."""
    if not workflow.may(desk.actor.role, action, publishing_holder(item)):
        raise NotPublisherError


async def locked(desk: Desk, disclosure_id: UUID, version: int, action: Action) -> Disclosure:
    """The disclosure, locked, after the checks that every step makes, the caller's rights first."""
    desk.actor.require(*workflow.ROLES[action])
    disclosure = await store.lock_disclosure(desk.conn, disclosure_id)
    if disclosure is None:
        raise UnknownDisclosureError
    item = item_of(desk, disclosure.item, disclosure.period)
    require_reach(desk, disclosure.village_code, item)
    require_right(desk, action, item)
    if disclosure.edition != version:
        raise StaleVersionError(current_version=disclosure.edition)
    if not workflow.allows(disclosure.state, action):
        raise WrongStateError(state=disclosure.state)
    return disclosure


async def found_for(desk: Desk, disclosure_id: UUID) -> Disclosure:
    """A disclosure to be read, in the actor's part of the tree and of the affairs."""
    desk.actor.require(*workflow.READERS)
    disclosure = await store.select_disclosure(desk.conn, disclosure_id)
    if disclosure is None:
        raise UnknownDisclosureError
    require_reach(desk, disclosure.village_code, item_of(desk, disclosure.item, disclosure.period))
    return disclosure


async def visible_edition(desk: Desk, disclosure: Disclosure, edition: int) -> Edition | None:
    """An edition as somebody may read it: of what was withdrawn nothing, but for those who watch over it till it is erased."""
    if disclosure.state is State.WITHDRAWN and desk.actor.role not in workflow.KEEPERS:
        return None
    return await store.select_edition(desk.conn, disclosure.id, edition)


async def content_of(desk: Desk, disclosure: Disclosure) -> Edition:
    """The content of the newest edition."""
    edition = await store.select_edition(desk.conn, disclosure.id, disclosure.edition)
    if edition is None:
        raise UnknownDisclosureError
    return edition


async def findings_of(desk: Desk, disclosure: Disclosure, edition: Edition) -> tuple[Finding, ...]:
    """What does not add up: in the content, as found when it was saved, and against what was said before, as it is now."""
    return (
        *await chain_of(desk, disclosure, edition),
        *await _silent_change(desk, disclosure, edition),
        *edition.findings,
    )


async def chain_notes(desk: Desk, village: str, item: str, period: str) -> list[str]:
    """What a ledger that is begun should know of its neighbours: what it follows, what it has to tie to."""
    (chain,) = await store.select_chains(desk.conn, [(village, item, period)])
    return neighbour_notes(period, chain.before, chain.after)


async def chain_of(desk: Desk, disclosure: Disclosure, edition: Edition) -> tuple[Finding, ...]:
    """Against the nearest ledgers before and after, published or under check."""
    if not isinstance(edition.body, Ledger) or previous_period(disclosure.period) is None:
        return ()
    place = (disclosure.village_code, disclosure.item, disclosure.period)
    (chain,) = await store.select_chains(desk.conn, [place])
    return chain_findings(disclosure.period, edition.body.sums.accounts, chain.before, chain.after)


async def remarks_of(desk: Desk, disclosures: Sequence[Disclosure]) -> dict[UUID, int]:
    """How many places of each disclosure do not add up or were explained, the chain as it is now, for a list."""
    known = await store.select_remarked(desk.conn, [d.id for d in disclosures])
    chains = await store.select_chains(desk.conn, [(d.village_code, d.item, d.period) for d in disclosures])
    counts = {}
    for d, chain in zip(disclosures, chains, strict=True):
        mine = known[d.id]
        found = chain_findings(d.period, mine.accounts, chain.before, chain.after) if mine.accounts else ()
        counts[d.id] = len(mine.places | {(f.code, f.at) for f in found})
    return counts


async def _silent_change(desk: Desk, disclosure: Disclosure, edition: Edition) -> tuple[Finding, ...]:
    """A correction that changes figures and does not say why."""
    public = disclosure.published_edition
    if public is None or public == disclosure.edition or edition.note is not None:
        return ()
    before = await store.select_edition(desk.conn, disclosure.id, public)
    if before is None or figures(before.body) == figures(edition.body):
        return ()
    return (note_finding(),)


def refuse_personal(text: str, at: str) -> None:
    """Refuse a sentence beside the content with personal data in it; whoever acts may be named."""
    faults = [Fault(f.at, f.message) for f in privacy.findings(text, at) if f.code != "privacy.name"]
    if faults:
        raise InvalidInputError(faults=faults)


def counted(disclosure: Disclosure, action: Action) -> Disclosure:
    """Count a step that was taken."""
    metrics.ACTIONS.labels(action=action).inc()
    return disclosure


class Cell(TypedDict):
    """What every event of a disclosure names."""

    item: str
    period: str
    edition: int


def cell(disclosure: Disclosure) -> Cell:
    """The cell and edition of an event."""
    return Cell(item=disclosure.item, period=disclosure.period, edition=disclosure.edition)


async def stamped(desk: Desk, aggregate: str, aggregate_id: str, village: str) -> Stamp:
    """The envelope of the next event of an aggregate, by this person."""
    return await stamp(
        desk.conn,
        aggregate,
        aggregate_id,
        at=desk.now,
        village_code=village,
        actor_id=desk.actor.staff_id,
        actor_role=Role(desk.actor.role),
    )


async def stamp_of(desk: Desk, disclosure: Disclosure) -> Stamp:
    """The envelope of a disclosure's next event."""
    return await stamped(desk, "disclosure", str(disclosure.id), disclosure.village_code)


async def sealed(desk: Desk, disclosure: Disclosure, event_type: str, content: BaseModel) -> Sealed:
    """Content under the disclosure's key."""
    return await shred.seal(desk.conn, str(disclosure.id), event_type, content, desk.now)
