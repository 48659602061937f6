"""What routes, pages, jobs and commands of ingest work with: who works on what, the first checks, the last envelope."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel

from services.contracts.base import Role, Sealed, Stamp
from services.contracts.catalogue import ItemRevision, ProfileRevision
from services.contracts.division import DivisionKind
from services.contracts.duties import CellKey, Duty, publishing_holder
from services.contracts.values import period_bounds
from services.ingest import workflow
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
from services.ingest.settings import IngestSettings
from services.ingest.store.contents import Edition
from services.ingest.store.disclosures import (
    Disclosure,
    lock_disclosure,
    select_disclosure,
    select_edition,
)
from services.ingest.store.waivers import Waiver
from services.ingest.workflow import Action, State
from services.kit import actions, outbox, shred, visit
from services.kit.auth import Actor
from services.kit.clock import Clock
from services.kit.db import Connection, Database
from services.kit.errors import Fault
from services.kit.objects import Objects
from services.kit.reference import Reference
from services.kit.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Own:
    """What ingest holds while a process lives."""

    objects: Objects


def make_own(settings: IngestSettings, _database: Database, _clock: Clock, _reference: Reference) -> Own:
    """Open the store of files."""
    return Own(Objects(settings.home, settings.objects_url))


IngestRuntime = Runtime[IngestSettings, Own]


class Member(visit.Visit[IngestSettings, Own]):
    """Somebody of the staff, as far as nothing need be read: their part of the tree and of the affairs, and what is owed in it."""

    actor: Actor

    def item(self, code: str, period: str) -> ItemRevision:
        """The item as it stands in a period; UnknownItemError names the field."""
        item = self.reference.items.get(code)
        if item is None:
            raise UnknownItemError(faults=[Fault("item", f"公开目录里没有事项 {code}")])
        return item.at(period_bounds(period)[1])

    def item_of(self, of: Disclosure | Waiver) -> ItemRevision:
        """The item of a cell in which something stands."""
        return self.item(of.item, of.period)

    def require_village(self, village: str) -> None:
        """Refuse what is no village or community, naming the field."""
        if village not in self.reference.divisions:
            raise UnknownVillageError(faults=[Fault("village", f"没有代码为 {village} 的村（社区）")])
        kind = self.reference.divisions[village].now.kind
        if kind is DivisionKind.ZONE:
            raise ZoneError(faults=[Fault("village", f"{village} 是开发区占位代码")])
        if kind not in {DivisionKind.VILLAGE, DivisionKind.COMMUNITY}:
            raise UnknownVillageError(faults=[Fault("village", f"{village} 不是村（社区）的代码")])

    def duty(self, village: str, item: str, period: str) -> Duty:
        """The cell's duty; raises for a village, item or period that cannot have one."""
        self.require_village(village)
        self.item(item, period)
        owed = self.reference.duty(village, CellKey(item, period))
        if owed is None:
            raise WrongPeriodError(faults=[Fault("period", f"{period} 与事项 {item} 的公开频次不符")])
        return owed

    def profile(self, village: str) -> ProfileRevision:
        """The choices of the village's profile today."""
        return self.reference.profile(village).at(self.today)

    def villages(self, division: str | None = None) -> list[str]:
        """Codes of the villages of a division in the actor's part of the tree, or of all of it."""
        if division is not None:
            self.actor.require_scope(self.reference, division)
        return [v.code for v in self.reference.villages(division or self.actor.scope)]

    def items_within(self) -> list[str] | None:
        """Codes of the items in the actor's part of the affairs; None for all."""
        affairs = self.actor.affairs
        if not affairs:
            return None
        return [code for code, item in self.reference.items.items() if any(r.affair in affairs for r in item.revisions)]

    def require_reach(self, village: str, item: ItemRevision) -> None:
        """The village lies in the actor's part of the tree, the item in the actor's part of the affairs."""
        self.actor.require_scope(self.reference, village)
        self.actor.require_affair(item.affair)

    def require_right(self, action: Action, item: ItemRevision) -> None:
        """The actor's role takes this step on items of this publisher."""
        if not workflow.takes_step(self.actor.role, action, publishing_holder(item)):
            raise NotPublisherError

    def require_entering(self, village: str, item: ItemRevision) -> None:
        """The actor may enter the item for the village."""
        self.require_reach(village, item)
        self.require_right(Action.SAVE, item)

    def may_read(self, disclosure: Disclosure) -> bool:
        """Tell whether the content is in sight: of what was withdrawn, for those who watch over it till it is erased."""
        return disclosure.state is not State.WITHDRAWN or self.actor.role in workflow.KEEPERS


class Reading(visit.Reading[IngestSettings, Own], Member):
    """Somebody at the desk who looks."""

    async def disclosure(self, disclosure_id: UUID) -> Disclosure:
        """A disclosure to be read, in the actor's part of the tree and of the affairs."""
        disclosure = await select_disclosure(self.conn, disclosure_id)
        if disclosure is None:
            raise UnknownDisclosureError
        actions.about(f"disclosure/{disclosure.id}", disclosure.village_code)
        self.require_reach(disclosure.village_code, self.item_of(disclosure))
        return disclosure

    async def visible_edition(self, disclosure: Disclosure, edition: int) -> Edition | None:
        """An edition, when its content is in sight; that somebody else than who entered it sees it is in the trail."""
        if not self.may_read(disclosure):
            return None
        if self.actor.staff_id != disclosure.saved_by:
            actions.look_at(f"disclosure/{disclosure.id}", disclosure.village_code)
        return await select_edition(self.conn, disclosure.id, edition)

    async def content_of(self, disclosure: Disclosure) -> Edition:
        """The content of the newest edition."""
        edition = await select_edition(self.conn, disclosure.id, disclosure.edition)
        if edition is None:
            raise UnknownDisclosureError
        return edition


class CellStamp(Stamp):
    """The envelope of a disclosure's event, with the cell and the edition that each of them names."""

    item: str
    period: str
    edition: int


def _cell_stamp(stamp: Stamp, disclosure: Disclosure) -> CellStamp:
    return CellStamp(**stamp, item=disclosure.item, period=disclosure.period, edition=disclosure.edition)


async def stamp_of(conn: Connection, disclosure: Disclosure, at: datetime, actor: Actor | None = None) -> CellStamp:
    """The envelope of a disclosure's next event, by somebody or by the clock."""
    stamp = await outbox.stamp(
        conn,
        "disclosure",
        str(disclosure.id),
        at=at,
        village_code=disclosure.village_code,
        actor_id=actor.staff_id if actor is not None else None,
        actor_role=actor.role if actor is not None else Role.SYSTEM,
    )
    return _cell_stamp(stamp, disclosure)


def the_one(villages: Iterable[str]) -> str | None:
    """The village that some things are all of; None when there are several, or no things."""
    different = set(villages)
    return different.pop() if len(different) == 1 else None


class Changing(Reading, visit.Changing[IngestSettings, Own]):
    """Somebody at the desk who takes a step, or takes a file away."""

    async def lock_for(self, action: Action, disclosure_id: UUID, version: int) -> Disclosure:
        """Lock a disclosure after the checks that every step makes, the actor's rights first.

        Pages lead many steps through one route, so the role is looked at here and not only where a route says it.
        """
        actions.step(action.value)
        self.actor.require(*workflow.RIGHTS[action])
        disclosure = await lock_disclosure(self.conn, disclosure_id)
        if disclosure is None:
            raise UnknownDisclosureError
        actions.about(f"disclosure/{disclosure.id}", disclosure.village_code)
        self.require_step(action, disclosure, version)
        return disclosure

    def require_step(self, action: Action, disclosure: Disclosure, version: int) -> None:
        """Those of the checks that come once the disclosure is locked."""
        item = self.item_of(disclosure)
        self.require_reach(disclosure.village_code, item)
        self.require_right(action, item)
        if disclosure.edition != version:
            raise StaleVersionError(current_version=disclosure.edition)
        if not workflow.allows(disclosure.state, action):
            raise WrongStateError(state=disclosure.state)

    async def stamp(self, aggregate: str, aggregate_id: str, village: str) -> Stamp:
        """The envelope of the next event of an aggregate, by this person."""
        return await outbox.stamp(
            self.conn,
            aggregate,
            aggregate_id,
            at=self.now,
            village_code=village,
            actor_id=self.actor.staff_id,
            actor_role=self.actor.role,
        )

    async def stamp_of(self, disclosure: Disclosure) -> CellStamp:
        """The envelope of a disclosure's next event, by this person."""
        return await stamp_of(self.conn, disclosure, self.now, self.actor)

    async def stamps_of(self, disclosures: Sequence[Disclosure]) -> dict[UUID, CellStamp]:
        """The envelopes of the next events of many disclosures, by their ids; one statement."""
        stamps = await outbox.stamp_all(
            self.conn,
            "disclosure",
            {str(d.id): d.village_code for d in disclosures},
            at=self.now,
            actor_id=self.actor.staff_id,
            actor_role=self.actor.role,
        )
        return {d.id: _cell_stamp(stamps[str(d.id)], d) for d in disclosures}

    async def seal(self, thing: UUID, event_type: str, content: BaseModel) -> Sealed:
        """Put content under the key of a disclosure or a waiver, which is made with the first."""
        return await shred.seal(self.conn, str(thing), event_type, content, self.now)

    async def tell_key(self, disclosure: Disclosure) -> None:
        """Queue the key of what is handed in for those who will open it: it is there before they need it."""
        await shred.tell_key(self.conn, str(disclosure.id), self.now)


class Caller(visit.Caller[IngestSettings, Own], Member):
    """Somebody at the desk with a file, which is read and written while no transaction is open."""


ReadingDep = Annotated[Reading, visit.reading_dep(Reading)]
ChangingDep = Annotated[Changing, visit.changing_dep(Changing)]
CallerDep = Annotated[Caller, visit.caller_dep(Caller)]
