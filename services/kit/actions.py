"""The trail: every action of a member of staff is a row in its own transaction, chained by SHA-256 afterwards.

Acting costs one INSERT and no lock. A leader gives the rows that were committed meanwhile their positions, so nobody's
open transaction can be passed over. Whoever changes, removes or reorders a chained row breaks a link; a service's own role
cannot (`deploy/postgres/trail.sql`), and who can recompute the links is found by the heads that were signed (`heads.py`).
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from services.contracts.staff import MACHINE
from services.kit.address import client_address
from services.kit.db import Connection, Row

_LONGEST_NAME: Final = 200
#: Rows linked or checked in one go.
BATCH: Final = 2000


@dataclass(slots=True)
class Subject:
    """What a request turned out to be about, gathered while it runs."""

    object: str | None = None
    village_code: str | None = None
    #: Where the request came from that this goes back to, when it is not the one that is served now.
    address: str | None = None
    #: Content was shown that is not for everybody: such a look has a row too.
    looked: bool = False
    #: What is done to it, where a route leads to several things that can be.
    steps: list[str] = field(default_factory=list)


_subject: ContextVar[Subject | None] = ContextVar("action_subject", default=None)


@contextmanager
def gathering() -> Iterator[Subject]:
    """Let `about` tell, within this block, what is being acted on."""
    subject = Subject()
    token = _subject.set(subject)
    try:
        yield subject
    finally:
        _subject.reset(token)


def about(thing: str, village_code: str | None = None) -> None:
    """Note what is acted on, as `<kind>/<id>`, and its village: the first named stands. Outside a request it does nothing."""
    subject = _subject.get()
    if subject is not None:
        # Of what was asked for, which may be anything as long as it is refused.
        subject.object = subject.object or thing.replace("\x00", "\ufffd")[:_LONGEST_NAME]
        subject.village_code = subject.village_code or village_code


def step(name: str) -> None:
    """Note what somebody does, by its own word: the route alone may not tell it."""
    subject = _subject.get()
    if subject is not None and name not in subject.steps:
        subject.steps.append(name)


def look_at(thing: str, village_code: str | None) -> None:
    """Note that content of something is shown that is not for everybody."""
    about(thing, village_code)
    subject = _subject.get()
    if subject is not None:
        subject.looked = True


@dataclass(frozen=True, slots=True)
class Who:
    """Who acted; all None when signing in failed for a name that nobody has."""

    staff_id: str | None
    role: str | None
    scope: str | None


NOBODY: Final = Who(None, None, None)
#: What no person does: a time has passed.
CLOCK: Final = Who(MACHINE, None, None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, where that is not success: the answer's code; and of how many more of the kind the row tells."""

    refused: str
    times: int | None = None


INSERT_ACTION = """
INSERT INTO action (
    happened_at, actor_id, actor_role, actor_scope, action, object, village_code, request_id, address, refused, times
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""


async def record(
    conn: Connection,
    who: Who,
    action: str,
    at: datetime,
    subject: Subject | None = None,
    outcome: Outcome | None = None,
) -> None:
    """Write an action into the caller's transaction; `action` is a route's template or a constant word.

    Without a subject it is about the actor's own account. The address is the request's own, unless the subject names the one
    of the request that it all began with.
    """
    subject = subject or Subject(_own_account(who))
    about = (subject.object, subject.village_code)
    came_of_it = (outcome.refused, outcome.times) if outcome is not None else (None, None)
    address = subject.address or client_address()
    values = (who.staff_id, who.role, who.scope, action, *about, _request_id(), address, *came_of_it)
    await conn.execute(INSERT_ACTION, at, *values)


def _own_account(who: Who) -> str | None:
    return f"staff/{who.staff_id}" if who.staff_id is not None else None


INSERT_ACTIONS = """
INSERT INTO action (happened_at, actor_id, actor_role, actor_scope, action, object, village_code, request_id, address)
SELECT $1, $2, $3, $4, $5, object, village, $8, $9
FROM unnest($6::text[], $7::text[]) WITH ORDINALITY AS t (object, village, n) ORDER BY n
"""


async def record_all(
    conn: Connection, who: Who, action: str, at: datetime, things: Sequence[str | None], villages: Sequence[str] = ()
) -> None:
    """Write an action for each of some things into the caller's transaction, in one statement; `things` of [None]: for no one thing.

    `villages`: of each thing, where the things are of villages.
    """
    of: list[str | None] = [*villages] or [None] * len(things)
    told = (list(things), of, _request_id(), client_address())
    await conn.execute(INSERT_ACTIONS, at, who.staff_id, who.role, who.scope, action, *told)


def _request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


@dataclass(frozen=True, slots=True)
class Action:
    """A row of the trail. `position` is None until it is chained."""

    id: int
    happened_at: datetime
    actor_id: str | None
    actor_role: str | None
    actor_scope: str | None
    action: str
    object: str | None
    village_code: str | None
    request_id: str
    address: str | None
    refused: str | None
    times: int | None
    position: int | None
    link: bytes | None

    def linked(self, position: int, before: bytes) -> bytes:
        """The row's link: SHA-256 over the link before it and everything the row says, its place included.

        `link_of` in `deploy/postgres/trail.sql` says the same where rows are linked.
        """
        said: list[Any] = [position, self.id, self.happened_at.astimezone(UTC).isoformat()]
        said += [self.actor_id, self.actor_role, self.actor_scope, self.action]
        said += [self.object, self.village_code, self.request_id]
        # Rows of before these were kept have nothing here.
        since = [self.address, self.refused, self.times]
        said += since if any(value is not None for value in since) else []
        return hashlib.sha256(before + json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()).digest()


def _action(row: Row) -> Action:
    return Action(*(row[name] for name in Action.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Chain:
    """Both ends: the anchor is the last removed row, the head the last linked one."""

    anchor_position: int
    anchor_link: bytes
    head_position: int
    head_link: bytes


#: The functions are asked for in the trail's own schema: a service that was taken over could put others of the same
#: names into its own, which is looked at first.
HOLD_CHAIN = "SELECT anchor_position, anchor_link, head_position, head_link FROM {service}_trail.hold_chain()"


async def lock_chain(conn: Connection, service: str) -> Chain:
    """Both ends, held until the transaction ends: linking, pruning and checking go one after the other."""
    row = await conn.fetchrow(HOLD_CHAIN.format(service=service))
    if row is None:
        message = "the row of action_chain is gone"
        raise LookupError(message)
    return Chain(row["anchor_position"], row["anchor_link"], row["head_position"], row["head_link"])


LINK_ACTIONS = "SELECT {service}_trail.link_actions($1)"


async def link_pending(conn: Connection, service: str) -> int:
    """Chain up to one batch of rows that were committed since; returns how many."""
    linked: int = await conn.fetchval(LINK_ACTIONS.format(service=service), BATCH)
    return linked


PRUNE_ACTIONS = "SELECT {service}_trail.prune_actions($1, $2)"


async def prune(conn: Connection, service: str, before: datetime) -> int:
    """Remove up to one batch of rows older than a moment, and than half a year, from the chain's beginning.

    The last one's link is kept. One younger row keeps all behind it, and nothing is removed from what is broken, for that
    must stay visible. Returns the position of the last one that was ever removed.
    """
    position: int = await conn.fetchval(PRUNE_ACTIONS.format(service=service), before, BATCH)
    return position


#: Whose tables these are. A service that was taken over could put others of the same names before them.
SELECT_OWNERS = """
SELECT array_agg(DISTINCT pg_catalog.pg_get_userbyid(relowner)::text)
FROM pg_catalog.pg_class WHERE oid IN ('action'::regclass, 'action_chain'::regclass)
"""
OWNER: Final = "trail"


async def is_apart(conn: Connection) -> bool:
    """Tell whether the trail that is read here is the one that the service cannot change."""
    return bool(await conn.fetchval(SELECT_OWNERS) == [OWNER])


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place that does not hold, and what is wrong there."""

    position: int
    why: str


@dataclass(frozen=True, slots=True)
class Head:
    """A head that was noted earlier, or signed at a moment: the chain must still go through it."""

    position: int
    link: bytes
    at: datetime | None = None

    def __str__(self) -> str:
        """How an operator reads it."""
        return f"{self.position} ({f'signed {self.at.isoformat()}' if self.at is not None else 'noted'})"


SELECT_CHAINED = "SELECT * FROM action WHERE position > $1 ORDER BY position LIMIT $2"


async def first_broken(conn: Connection, chain: Chain, heads: Sequence[Head] = ()) -> Broken | None:
    """Compute every link anew from the anchor to the head; the first that does not hold, or None.

    Links that were computed anew with the rows they belong to are found by the first head that the chain does not go
    through: whatever was changed stands behind the last head that it does go through.
    """
    position, link = chain.anchor_position, chain.anchor_link
    passed = _Passed(heads, position, link)
    broken = passed.broken_at(position, link)
    while broken is None and (rows := [_action(r) for r in await conn.fetch(SELECT_CHAINED, position, BATCH)]):
        for row in rows:
            position += 1
            if row.position != position:
                return Broken(position, "a row is missing")
            link = row.linked(position, link)
            if link != row.link:
                return Broken(position, "the row or its place was changed")
            if (broken := passed.broken_at(position, link)) is not None:
                return broken
    if broken is None and (position, link) != (chain.head_position, chain.head_link):
        return Broken(position + 1, "rows at the end are missing")
    return broken or passed.broken_behind(position)


class _Passed:
    """Heads that a chain has to go through, in order, and the last that it did."""

    def __init__(self, heads: Sequence[Head], position: int, link: bytes) -> None:
        """`position` and `link`: where the chain begins."""
        self._ahead = sorted((h for h in heads if h.position >= position), key=lambda h: h.position, reverse=True)
        self._last = Head(position, link)

    def broken_at(self, position: int, link: bytes) -> Broken | None:
        while self._ahead and self._ahead[-1].position == position:
            head = self._ahead.pop()
            if head.link != link:
                return self._broken(head, "the chain does not go through the head")
            self._last = head
        return None

    def broken_behind(self, position: int) -> Broken | None:
        """The first head that the chain ends before."""
        return self._broken(self._ahead[-1], f"the chain ends at {position}, before the head") if self._ahead else None

    def _broken(self, head: Head, what: str) -> Broken:
        first = self._last.position + 1
        return Broken(
            min(first, head.position), f"{what} {head}; it was rewritten somewhere from {first} on, behind {self._last}"
        )


#: The actor, or all whose name begins with it and a stroke ("0" is what follows a stroke).
SELECT_ACTIONS = """
SELECT * FROM action
WHERE ($1::text IS NULL OR actor_id = $1 OR (actor_id >= $1 || '/' AND actor_id < $1 || '0')) AND ($2::text IS NULL OR object = $2)
  AND ($3::timestamptz IS NULL OR happened_at >= $3) AND ($4::timestamptz IS NULL OR happened_at < $4)
  AND ($5::text[] IS NULL OR coalesce(village_code, actor_scope) = ANY($5))
  AND ($6::bigint IS NULL OR id < $6)
ORDER BY id DESC LIMIT $7
"""
#: A part of the tree: the newest of each division, then the newest of these. Few divisions may have few actions, and to
#: look for them from the newest row on would go through the whole trail.
SELECT_ACTIONS_WITHIN = """
SELECT a.* FROM unnest($1::text[]) AS d (code) CROSS JOIN LATERAL (
    SELECT * FROM action WHERE coalesce(village_code, actor_scope) = d.code AND id < $2
      AND ($3::timestamptz IS NULL OR happened_at >= $3) AND ($4::timestamptz IS NULL OR happened_at < $4)
    ORDER BY id DESC LIMIT $5
) AS a
ORDER BY a.id DESC LIMIT $5
"""
_LAST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which actions are asked for; `within` are the divisions that the asker may see, None for all."""

    actor_id: str | None = None
    object: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    within: Sequence[str] | None = None


async def select_actions(conn: Connection, wanted: Wanted, before_id: int | None, limit: int) -> list[Action]:
    """At most so many of the actions that are wanted, newest first, from before a row on."""
    within = list(wanted.within) if wanted.within is not None else None
    span = (wanted.since, wanted.until)
    if within is not None and wanted.actor_id is None and wanted.object is None:
        before = before_id if before_id is not None else _LAST
        rows = await conn.fetch(SELECT_ACTIONS_WITHIN, within, before, *span, limit)
    else:
        rows = await conn.fetch(SELECT_ACTIONS, wanted.actor_id, wanted.object, *span, within, before_id, limit)
    return [_action(r) for r in rows]
