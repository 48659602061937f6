"""Reference data: said again only when it differs; a file read twice changes nothing."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.contracts.base import Event, Revision, Stamp
from services.contracts.catalogue import CalendarSet, CalendarYear, Item, ItemSet, Profile, ProfileSet
from services.contracts.days import missing_years
from services.contracts.division import Division, DivisionSet
from services.contracts.staff import Signer, SignerSet, Staff, StaffSet
from services.kit import outbox, reference
from services.kit.clock import local_day
from services.kit.db import Connection
from services.kit.runtime import Runtime
from services.registry import metrics, store

AnyRevision = TypeVar("AnyRevision", bound=Revision)


async def _say(conn: Connection, event: Event, key: str) -> None:
    await reference.project(conn, event)
    await outbox.append(conn, event, key=key)
    metrics.EVENTS_SET.labels(kind=event.aggregate).inc()


async def _stamp(conn: Connection, aggregate: str, key: str, now: datetime) -> Stamp:
    return await outbox.stamp(conn, aggregate, key, at=now)


async def set_divisions(conn: Connection, divisions: Sequence[Division], now: datetime) -> int:
    """Say every new division, and a new revision of each whose name, kind or parent differs; returns how many.

    `duties_from`, `profile` and `sample` of a known division stay as they are: a file read twice changes nothing.
    """
    count = 0
    for division in divisions:
        kept = await store.select_reference(conn, "division", division.code)
        state = _division_with(Division.model_validate_json(kept) if kept else None, division)
        if state is not None:
            event = DivisionSet(**await _stamp(conn, "division", state.code, now), division=state)
            await _say(conn, event, state.code)
            count += 1
    return count


def _division_with(known: Division | None, stated: Division) -> Division | None:
    """The state after a file's division, or None when nothing changes."""
    if known is None:
        return stated
    last, new = known.now, stated.now
    if (last.name, last.kind, last.parent) == (new.name, new.kind, new.parent):
        return None
    changed = last.model_copy(update={"since": new.since, "name": new.name, "kind": new.kind, "parent": new.parent})
    ended = last.model_copy(update={"until": new.since})
    return known.model_copy(update={"revisions": (*known.revisions[:-1], ended, changed)})


async def set_items(conn: Connection, items: Sequence[Item], now: datetime) -> int:
    """Say every catalogue item whose newest content differs, whatever its dates; returns how many. History stays."""
    count = 0
    for stated in items:
        kept = await store.select_reference(conn, "item", stated.code)
        item = _item_with(Item.model_validate_json(kept) if kept else None, stated)
        if item is not None:
            await _say(conn, ItemSet(**await _stamp(conn, "item", item.code, now), item=item), f"item:{item.code}")
            count += 1
    return count


def _item_with(known: Item | None, stated: Item) -> Item | None:
    """The state after a file's item, or None when nothing changes."""
    if known is None:
        return stated
    new = stated.revisions[-1]
    if same_content(known.revisions[-1], new):
        return None
    return known.model_copy(update={"revisions": followed_by(known.revisions, new)})


def followed_by(known: Sequence[AnyRevision], new: AnyRevision) -> tuple[AnyRevision, ...]:
    """A history that goes on with a new revision; what was stated earlier on the same day never held."""
    before = [r for r in known if r.since < new.since]
    if before:
        before[-1] = before[-1].model_copy(update={"until": new.since})
    return (*before, new)


def same_content(one: Revision, other: Revision) -> bool:
    """Tell whether two revisions say the same, whatever their dates."""
    dates = {"since", "until"}
    return one.model_dump(exclude=dates) == other.model_dump(exclude=dates)


async def set_profile(conn: Connection, profile: Profile, now: datetime) -> int:
    """Say a deadline profile if it differs; returns 0 or 1."""
    kept = await store.select_reference(conn, "profile", profile.code)
    if kept is not None and same_content(Profile.model_validate_json(kept).revisions[-1], profile.revisions[-1]):
        return 0
    event = ProfileSet(**await _stamp(conn, "profile", profile.code, now), profile=profile)
    await _say(conn, event, f"profile:{profile.code}")
    return 1


def years_missing(runtime: Runtime) -> tuple[int, ...]:
    """Years whose working days the registry should know and does not."""
    return missing_years(local_day(runtime.clock.now()), (y.year for y in runtime.reference.years.values()))


async def set_calendar(conn: Connection, year: CalendarYear, now: datetime) -> int:
    """Say a year's calendar if it differs; returns 0 or 1."""
    kept = await store.select_reference(conn, "calendar", str(year.year))
    if kept is not None and CalendarYear.model_validate_json(kept) == year:
        return 0
    event = CalendarSet(**await _stamp(conn, "calendar", str(year.year), now), calendar=year)
    await _say(conn, event, f"calendar:{year.year}")
    return 1


async def say_staff(conn: Connection, staff: Staff, now: datetime) -> None:
    """Say a person's whole state."""
    event = StaffSet(**await _stamp(conn, "staff", staff.staff_id, now), staff=staff)
    await _say(conn, event, f"staff:{staff.staff_id}")


async def ensure_signer(conn: Connection, now: datetime) -> store.SigningKey:
    """The key that signs tokens; the first call makes it and tells its public half."""
    await store.lock_registry(conn)
    if (known := await store.select_signing_key(conn)) is not None:
        return known
    private = Ed25519PrivateKey.generate()
    public = base64.urlsafe_b64encode(private.public_key().public_bytes_raw()).decode().rstrip("=")
    kid = hashlib.sha256(public.encode()).hexdigest()[:16]
    key = store.SigningKey(kid, private.private_bytes_raw())
    await store.insert_signing_key(conn, key, now)
    event = SignerSet(**await _stamp(conn, "signer", kid, now), signer=Signer(kid=kid, public_key=public))
    await _say(conn, event, f"signer:{kid}")
    return key
