"""Reference data: set only where it differs; a file read twice changes nothing."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.contracts.base import Model, Revision, Stamp
from services.contracts.catalogue import CalendarSet, CalendarYear, Item, ItemSet, Profile, ProfileSet
from services.contracts.days import missing_years
from services.contracts.division import Division, DivisionSet
from services.contracts.staff import Signer, SignerSet, Staff, StaffSet
from services.kit import outbox, reference
from services.kit.auth import TOKEN_LIFETIME
from services.kit.db import Connection
from services.kit.keypair import public_half
from services.kit.reference import ReferenceEvent
from services.registry import metrics
from services.registry.store import references, sealed

#: Every service has heard of a new signing key by then.
HANDOVER: Final = timedelta(seconds=60)

State = TypeVar("State", bound=Model)
AnyRevision = TypeVar("AnyRevision", bound=Revision)


async def _set_states(
    conn: Connection,
    kind: str,
    states: Mapping[str, State],
    event: Callable[[Stamp, State], ReferenceEvent],
    now: datetime,
) -> int:
    """Store whole states in `reference` and append their events, in the order given; returns how many.

    Three statements, however many states there are.
    """
    if states:
        stamps = await outbox.stamp_all(conn, kind, dict.fromkeys(states), at=now)
        events = [event(stamps[key], state) for key, state in states.items()]
        await reference.project_all(conn, events)
        # A division's code is its key alone; the other topics hold several kinds.
        await outbox.append_all(conn, events, [key if kind == "division" else f"{kind}:{key}" for key in states])
        metrics.EVENTS_SET.labels(kind=kind).inc(len(events))
    return len(states)


async def set_divisions(conn: Connection, divisions: Sequence[Division], now: datetime) -> int:
    """Set every new division, and a new revision of each whose name, kind or parent differs; returns how many.

    `duties_from`, `profile` and `sample` of a known division stay as they are: a file read twice changes nothing.
    """
    known = await references.select_references(conn, "division", [d.code for d in divisions])
    states = {}
    for division in divisions:
        kept = known.get(division.code)
        state = _division_with(Division.model_validate_json(kept) if kept else None, division)
        if state is not None:
            states[state.code] = state
    return await _set_states(conn, "division", states, lambda stamp, d: DivisionSet(**stamp, division=d), now)


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
    """Set every catalogue item whose newest content differs, whatever its dates; returns how many. History stays."""
    known = await references.select_references(conn, "item", [i.code for i in items])
    states = {}
    for stated in items:
        kept = known.get(stated.code)
        item = _item_with(Item.model_validate_json(kept) if kept else None, stated)
        if item is not None:
            states[item.code] = item
    return await _set_states(conn, "item", states, lambda stamp, i: ItemSet(**stamp, item=i), now)


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
    """Tell whether two revisions have the same content, whatever their dates."""
    dates = {"since", "until"}
    return one.model_dump(exclude=dates) == other.model_dump(exclude=dates)


async def set_profile(conn: Connection, profile: Profile, now: datetime) -> int:
    """Set a deadline profile if its newest content differs; returns 0 or 1."""
    kept = await references.select_reference(conn, "profile", profile.code)
    if kept is not None and same_content(Profile.model_validate_json(kept).revisions[-1], profile.revisions[-1]):
        return 0
    return await _set_states(
        conn, "profile", {profile.code: profile}, lambda stamp, p: ProfileSet(**stamp, profile=p), now
    )


def years_missing(copy: reference.Reference, today: date) -> tuple[int, ...]:
    """Years whose working days the registry should know and does not."""
    return missing_years(today, (y.year for y in copy.years.values()))


async def set_calendar(conn: Connection, year: CalendarYear, now: datetime) -> int:
    """Set a year's calendar if it differs; returns 0 or 1."""
    kept = await references.select_reference(conn, "calendar", str(year.year))
    if kept is not None and CalendarYear.model_validate_json(kept) == year:
        return 0
    states = {str(year.year): year}
    return await _set_states(conn, "calendar", states, lambda stamp, y: CalendarSet(**stamp, calendar=y), now)


async def set_accounts(conn: Connection, staff: Sequence[Staff], now: datetime) -> int:
    """Set the whole state of each of some accounts, whether it differs or not; returns how many."""
    states = {s.staff_id: s for s in staff}
    return await _set_states(conn, "staff", states, lambda stamp, s: StaffSet(**stamp, staff=s), now)


async def ensure_signer(conn: Connection, now: datetime) -> sealed.SigningKey:
    """The key that signs tokens; the first call makes it, stores it and sets its public half for every service."""
    await references.lock_registry(conn)
    if (known := await sealed.select_signing_key(conn, now)) is not None:
        return known
    key, signer = _new_signer()
    await sealed.insert_signing_key(conn, key, now)
    await _set_signers(conn, {signer.kid: signer}, now)
    return key


async def rotate_signer(conn: Connection, now: datetime, *, at_once: bool) -> tuple[str, datetime]:
    """Let a new key sign from a minute later on, and the one before count for as long as its last token lives.

    `at_once`: the new one signs now, and what the one before signed counts no more (somebody else may have it). Sessions go
    on: whoever holds one gets a new token. Returns the new key's name and the moment from which it signs.
    """
    former = await ensure_signer(conn, now)
    begins = now if at_once else now + HANDOVER
    key, signer = _new_signer()
    await sealed.insert_signing_key(conn, key, begins)
    if at_once:
        await sealed.delete_signing_key(conn, former.kid)
    kept = await references.select_references(conn, "signer", [former.kid])
    ends = begins if at_once else begins + TOKEN_LIFETIME
    ended = {
        kid: Signer.model_validate_json(state).model_copy(update={"not_after": ends}) for kid, state in kept.items()
    }
    await _set_signers(conn, {signer.kid: signer.model_copy(update={"not_before": begins}), **ended}, now)
    return key.kid, begins


def _new_signer() -> tuple[sealed.SigningKey, Signer]:
    private = Ed25519PrivateKey.generate()
    public = public_half(private)
    kid = hashlib.sha256(public.encode()).hexdigest()[:16]
    return sealed.SigningKey(kid, private.private_bytes_raw()), Signer(kid=kid, public_key=public)


async def _set_signers(conn: Connection, signers: Mapping[str, Signer], now: datetime) -> None:
    await _set_states(conn, "signer", signers, lambda stamp, s: SignerSet(**stamp, signer=s), now)
