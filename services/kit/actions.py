"""The trail: every action of a member of staff is a row in its own transaction, chained by SHA-256 afterwards.

Acting costs one INSERT and no lock. A leader gives the rows that were committed meanwhile their positions, so nobody's
open transaction can be passed over. Whoever changes, removes or reorders a chained row breaks a link.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from services.kit.db import Connection, Row

#: Rows linked or checked in one go.
BATCH: Final = 2000


@dataclass(slots=True)
class Subject:
    """What a request turned out to be about, gathered while it runs."""

    object: str | None = None
    village_code: str | None = None


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
    """Note what is acted on: the first one named stands for the action. Outside a request it does nothing."""
    subject = _subject.get()
    if subject is not None:
        subject.object = subject.object or thing
        subject.village_code = subject.village_code or village_code


@dataclass(frozen=True, slots=True)
class Who:
    """Who acted; all None when signing in failed for a name that nobody has."""

    staff_id: str | None
    role: str | None
    scope: str | None


NOBODY: Final = Who(None, None, None)

INSERT_ACTION = """
INSERT INTO action (happened_at, actor_id, actor_role, actor_scope, action, object, village_code, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def record(conn: Connection, who: Who, action: str, at: datetime, subject: Subject | None = None) -> None:
    """Write an action into the caller's transaction; `action` is a route's template or a constant word."""
    subject = subject or Subject()
    about = (subject.object, subject.village_code)
    await conn.execute(INSERT_ACTION, at, who.staff_id, who.role, who.scope, action, *about, _request_id())


INSERT_ACTIONS = """
INSERT INTO action (happened_at, actor_id, actor_role, actor_scope, action, object, request_id)
SELECT $1, $2, $3, $4, $5, object, $7 FROM unnest($6::text[]) WITH ORDINALITY AS t (object, n) ORDER BY n
"""


async def record_all(conn: Connection, who: Who, action: str, at: datetime, things: Sequence[str | None]) -> None:
    """Write an action for each of some things into the caller's transaction, in one statement; `things` of [None]: for no one thing."""
    await conn.execute(INSERT_ACTIONS, at, who.staff_id, who.role, who.scope, action, list(things), _request_id())


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
    position: int | None
    link: bytes | None

    def linked(self, position: int, before: bytes) -> bytes:
        """The row's link: SHA-256 over the link before it and everything the row says, its place included."""
        said: list[Any] = [position, self.id, self.happened_at.astimezone(UTC).isoformat()]
        said += [self.actor_id, self.actor_role, self.actor_scope, self.action]
        said += [self.object, self.village_code, self.request_id]
        return hashlib.sha256(before + json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()).digest()


def _action(row: Row) -> Action:
    return Action(
        row["id"],
        row["happened_at"],
        row["actor_id"],
        row["actor_role"],
        row["actor_scope"],
        row["action"],
        row["object"],
        row["village_code"],
        row["request_id"],
        row["position"],
        row["link"],
    )


@dataclass(frozen=True, slots=True)
class Chain:
    """Both ends: the anchor is the last removed row, the head the last linked one."""

    anchor_position: int
    anchor_link: bytes
    head_position: int
    head_link: bytes


LOCK_CHAIN = "SELECT anchor_position, anchor_link, head_position, head_link FROM action_chain FOR UPDATE"


async def lock_chain(conn: Connection) -> Chain:
    """Both ends, held until the transaction ends: linking, pruning and checking go one after the other."""
    row = await conn.fetchrow(LOCK_CHAIN)
    if row is None:
        message = "the row of action_chain is gone"
        raise LookupError(message)
    return Chain(row["anchor_position"], row["anchor_link"], row["head_position"], row["head_link"])


SELECT_PENDING = "SELECT * FROM action WHERE position IS NULL ORDER BY id LIMIT $1"
LINK_ROWS = """
UPDATE action SET position = t.position, link = t.link
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) AS t (id, position, link) WHERE action.id = t.id
"""
MOVE_HEAD = "UPDATE action_chain SET head_position = $1, head_link = $2"


async def link_pending(conn: Connection) -> int:
    """Chain up to one batch of rows that were committed since; returns how many."""
    chain = await lock_chain(conn)
    rows = [_action(r) for r in await conn.fetch(SELECT_PENDING, BATCH)]
    if not rows:
        return 0
    position, link = chain.head_position, chain.head_link
    positions, links = [], []
    for row in rows:
        position += 1
        link = row.linked(position, link)
        positions.append(position)
        links.append(link)
    await conn.execute(LINK_ROWS, [r.id for r in rows], positions, links)
    await conn.execute(MOVE_HEAD, position, link)
    return len(rows)


#: The chain's beginning goes as far as every row is old; one younger row keeps all behind it.
SELECT_PRUNABLE = """
SELECT position, link FROM action
WHERE position <= $2 AND position < coalesce(
    (SELECT min(position) FROM action WHERE happened_at >= $1 AND position IS NOT NULL), $2 + 1)
ORDER BY position DESC LIMIT 1
"""
MOVE_ANCHOR = "UPDATE action_chain SET anchor_position = $1, anchor_link = $2"
DELETE_UP_TO = "DELETE FROM action WHERE position <= $1"


async def prune(conn: Connection, before: datetime) -> int:
    """Remove rows older than a moment from the chain's beginning and keep the last one's link; returns its position."""
    chain = await lock_chain(conn)
    last = await conn.fetchrow(SELECT_PRUNABLE, before, chain.head_position)
    if last is None:
        return chain.anchor_position
    # A broken chain must stay visible: nothing is removed from one.
    if await first_broken(conn, chain) is not None:
        return chain.anchor_position
    await conn.execute(MOVE_ANCHOR, last["position"], last["link"])
    await conn.execute(DELETE_UP_TO, last["position"])
    return int(last["position"])


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place that does not hold, and what is wrong there."""

    position: int
    why: str


@dataclass(frozen=True, slots=True)
class Head:
    """A head that somebody noted earlier: the chain must still go through it."""

    position: int
    link: bytes


SELECT_CHAINED = "SELECT * FROM action WHERE position > $1 ORDER BY position LIMIT $2"


async def first_broken(conn: Connection, chain: Chain, noted: Head | None = None) -> Broken | None:
    """Compute every link anew from the anchor to the head; the first that does not hold, or None."""
    position, link = chain.anchor_position, chain.anchor_link
    if noted is not None and noted.position > chain.head_position:
        return Broken(chain.head_position + 1, "the chain ends before the head that was noted")
    while rows := [_action(r) for r in await conn.fetch(SELECT_CHAINED, position, BATCH)]:
        for row in rows:
            position += 1
            if row.position != position:
                return Broken(position, "a row is missing")
            link = row.linked(position, link)
            if link != row.link:
                return Broken(position, "the row or its place was changed")
            if noted is not None and noted.position == position and noted.link != link:
                return Broken(position, "not the head that was noted")
    if (position, link) != (chain.head_position, chain.head_link):
        return Broken(position + 1, "rows at the end are missing")
    return None


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
    """Newest first."""
    within = list(wanted.within) if wanted.within is not None else None
    span = (wanted.since, wanted.until)
    if within is not None and wanted.actor_id is None and wanted.object is None:
        before = before_id if before_id is not None else _LAST
        rows = await conn.fetch(SELECT_ACTIONS_WITHIN, within, before, *span, limit)
    else:
        rows = await conn.fetch(SELECT_ACTIONS, wanted.actor_id, wanted.object, *span, within, before_id, limit)
    return [_action(r) for r in rows]
