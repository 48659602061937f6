"""All SQL of ingest; rows leave as frozen values."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from services.contracts.base import AcceptedFinding, Finding
from services.contracts.bodies import Body, Ledger
from services.ingest.workflow import State
from services.kit.db import Connection, Row, UniqueViolationError


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A disclosure as it stands, without its content."""

    id: UUID
    village_code: str
    item: str
    period: str
    state: State
    edition: int
    digest: str
    history: bool
    created_at: datetime
    saved_by: str
    submitted_at: datetime | None
    submitted_by: str | None
    confirmed_at: datetime | None
    approved_at: datetime | None
    published_at: datetime | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition's content, the reasons given for its findings, and what was found in it when it was saved."""

    body: Body
    accepted: tuple[AcceptedFinding, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class NewDisclosure:
    """What is known when a draft is made."""

    id: UUID
    village_code: str
    item: str
    period: str
    digest: str
    history: bool
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Filter:
    """Which disclosures a list shows; None does not restrict."""

    villages: Sequence[str]
    item: str | None = None
    period: str | None = None
    states: Sequence[str] | None = None
    after: UUID | None = None
    limit: int = 50


class CellTakenError(Exception):
    """The cell has a disclosure already."""


def _disclosure(row: Row) -> Disclosure:
    values: dict[str, Any] = {name: row[name] for name in Disclosure.__dataclass_fields__}
    return Disclosure(**{**values, "state": State(row["state"])})


async def _changed(conn: Connection, statement: LiteralString, *values: object) -> Disclosure:
    """Run a statement that returns the one row it changed."""
    row = await conn.fetchrow(statement, *values)
    assert row is not None  # noqa: S101 - inserted, or locked by this transaction
    return _disclosure(row)


INSERT_DISCLOSURE = """
INSERT INTO disclosure (id, village_code, item, period, state, edition, digest, history, created_at, saved_by)
VALUES ($1, $2, $3, $4, 'draft', 1, $5, $6, $7, $8)
RETURNING *
"""


async def insert_disclosure(conn: Connection, new: NewDisclosure) -> Disclosure:
    """Make a draft; CellTakenError when its cell is taken."""
    values = (new.id, new.village_code, new.item, new.period, new.digest, new.history, new.at, new.by)
    try:
        return await _changed(conn, INSERT_DISCLOSURE, *values)
    except UniqueViolationError as error:
        raise CellTakenError from error


INSERT_EDITION = """
INSERT INTO edition (disclosure_id, edition, body, findings, saved_by, saved_at)
VALUES ($1, $2, $3::jsonb, $4::jsonb, $5, $6)
"""


async def insert_edition(conn: Connection, of: Disclosure, edition: Edition, by: str, at: datetime) -> None:
    found = json.dumps([f.model_dump() for f in edition.findings])
    await conn.execute(
        INSERT_EDITION, of.id, of.edition, edition.body.model_dump_json(exclude_none=True), found, by, at
    )


SELECT_DISCLOSURE = "SELECT * FROM disclosure WHERE id = $1"


async def select_disclosure(conn: Connection, disclosure_id: UUID) -> Disclosure | None:
    row = await conn.fetchrow(SELECT_DISCLOSURE, disclosure_id)
    return _disclosure(row) if row else None


LOCK_DISCLOSURE = "SELECT * FROM disclosure WHERE id = $1 FOR UPDATE"


async def lock_disclosure(conn: Connection, disclosure_id: UUID) -> Disclosure | None:
    """The disclosure, held until the transaction ends."""
    row = await conn.fetchrow(LOCK_DISCLOSURE, disclosure_id)
    return _disclosure(row) if row else None


SELECT_CELL = """
SELECT * FROM disclosure WHERE village_code = $1 AND item = $2 AND period = $3 AND state <> 'withdrawn' LIMIT 1
"""


async def select_cell(conn: Connection, village: str, item: str, period: str) -> Disclosure | None:
    """What stands in a cell."""
    row = await conn.fetchrow(SELECT_CELL, village, item, period)
    return _disclosure(row) if row else None


SELECT_DISCLOSURES = """
SELECT * FROM disclosure
WHERE village_code = ANY($1::text[])
  AND ($2::text IS NULL OR item = $2) AND ($3::text IS NULL OR period = $3)
  AND ($4::text[] IS NULL OR state = ANY($4::text[])) AND ($5::uuid IS NULL OR id < $5)
ORDER BY id DESC LIMIT $6
"""


async def select_disclosures(conn: Connection, wanted: Filter) -> list[Disclosure]:
    """Newest first."""
    states = list(wanted.states) if wanted.states is not None else None
    rows = await conn.fetch(
        SELECT_DISCLOSURES, list(wanted.villages), wanted.item, wanted.period, states, wanted.after, wanted.limit
    )
    return [_disclosure(r) for r in rows]


SELECT_EDITION = """
SELECT body::text AS body, accepted::text AS accepted, findings::text AS findings FROM edition WHERE disclosure_id = $1 AND edition = $2
"""


async def select_edition(conn: Connection, disclosure_id: UUID, edition: int) -> Edition | None:
    """An edition's content; None once withdrawn."""
    row = await conn.fetchrow(SELECT_EDITION, disclosure_id, edition)
    if row is None:
        return None
    accepted = tuple(AcceptedFinding.model_validate(a) for a in json.loads(row["accepted"]))
    found = tuple(Finding.model_validate(f) for f in json.loads(row["findings"]))
    return Edition(Ledger.model_validate_json(row["body"]), accepted, found)


SELECT_PREVIOUS_BODY = """
SELECT e.body::text AS body FROM disclosure d JOIN edition e ON e.disclosure_id = d.id AND e.edition = d.edition
WHERE d.village_code = $1 AND d.item = $2 AND d.period = $3 AND d.state NOT IN ('withdrawn', 'draft', 'returned')
"""


async def select_previous_body(conn: Connection, village: str, item: str, period: str) -> Body | None:
    """What the village handed in for a period, whether published yet or not."""
    row = await conn.fetchrow(SELECT_PREVIOUS_BODY, village, item, period)
    return Ledger.model_validate_json(row["body"]) if row else None


UPDATE_SAVED = """
UPDATE disclosure SET edition = $2, digest = $3, state = 'draft', saved_by = $4, note = NULL WHERE id = $1
RETURNING *
"""


async def update_saved(conn: Connection, disclosure_id: UUID, edition: int, digest: str, by: str) -> Disclosure:
    return await _changed(conn, UPDATE_SAVED, disclosure_id, edition, digest, by)


UPDATE_SUBMITTED = """
UPDATE disclosure SET state = $2::text, submitted_at = $3, submitted_by = $4, note = NULL,
    confirmed_at = CASE WHEN $2::text = 'confirmed' THEN $3::timestamptz END
WHERE id = $1
RETURNING *
"""
UPDATE_ACCEPTED = "UPDATE edition SET accepted = $3::jsonb WHERE disclosure_id = $1 AND edition = $2"


async def update_submitted(
    conn: Connection, disclosure: Disclosure, state: State, accepted: Sequence[AcceptedFinding], by: str, at: datetime
) -> Disclosure:
    """Hand an edition in, with the reasons given for its findings."""
    if accepted:
        reasons = json.dumps([a.model_dump() for a in accepted])
        await conn.execute(UPDATE_ACCEPTED, disclosure.id, disclosure.edition, reasons)
    return await _changed(conn, UPDATE_SUBMITTED, disclosure.id, state, at, by)


INSERT_CONFIRMATION = """
INSERT INTO confirmation (disclosure_id, edition, kind, actor_id, confirmed_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
"""
COUNT_CONFIRMATIONS = "SELECT count(*) FROM confirmation WHERE disclosure_id = $1 AND edition = $2 AND kind = $3"


async def insert_confirmation(conn: Connection, disclosure: Disclosure, kind: str, by: str, at: datetime) -> int:
    """Note an opinion; returns how many different people have confirmed this edition."""
    await conn.execute(INSERT_CONFIRMATION, disclosure.id, disclosure.edition, kind, by, at)
    count: int = await conn.fetchval(COUNT_CONFIRMATIONS, disclosure.id, disclosure.edition, kind)
    return count


UPDATE_CONFIRMED = "UPDATE disclosure SET state = 'confirmed', confirmed_at = $2 WHERE id = $1 RETURNING *"


async def update_confirmed(conn: Connection, disclosure_id: UUID, at: datetime) -> Disclosure:
    return await _changed(conn, UPDATE_CONFIRMED, disclosure_id, at)


UPDATE_RETURNED = "UPDATE disclosure SET state = 'returned', note = $2, confirmed_at = NULL WHERE id = $1 RETURNING *"


async def update_returned(conn: Connection, disclosure_id: UUID, reason: str) -> Disclosure:
    return await _changed(conn, UPDATE_RETURNED, disclosure_id, reason)


UPDATE_APPROVED = "UPDATE disclosure SET state = 'approved', approved_at = $2 WHERE id = $1 RETURNING *"


async def update_approved(conn: Connection, disclosure_id: UUID, at: datetime) -> Disclosure:
    return await _changed(conn, UPDATE_APPROVED, disclosure_id, at)


UPDATE_PUBLISHED = """
UPDATE disclosure SET published_at = $2, state = CASE WHEN state = 'approved' THEN 'published' ELSE state END
WHERE id = $1
"""


async def update_published(conn: Connection, disclosure_id: UUID, at: datetime) -> None:
    """Note that everybody can read it; a withdrawal that came first stays."""
    await conn.execute(UPDATE_PUBLISHED, disclosure_id, at)


UPDATE_WITHDRAWN = "UPDATE disclosure SET state = 'withdrawn', note = $2 WHERE id = $1 RETURNING *"
DELETE_EDITIONS = "DELETE FROM edition WHERE disclosure_id = $1"


async def update_withdrawn(conn: Connection, disclosure_id: UUID, reason: str) -> Disclosure:
    """Keep the tombstone with its reason; the content of every edition goes."""
    await conn.execute(DELETE_EDITIONS, disclosure_id)
    return await _changed(conn, UPDATE_WITHDRAWN, disclosure_id, reason)
