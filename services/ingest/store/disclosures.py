"""Disclosures and their editions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from services.contracts.base import AcceptedFinding, Finding
from services.contracts.bodies import BODY, Body
from services.contracts.disclosure import LineReason
from services.ingest.workflow import State
from services.kit.db import Connection, Row


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
    published_edition: int | None
    release: str | None
    filed_at: datetime | None
    delivered_at: datetime | None
    nil: bool
    first_submitted_at: datetime | None
    first_confirmed_at: datetime | None
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None
    withdrawn_from: str | None = None
    withdrawal_kind: str | None = None
    key_dies_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Edition:
    """An edition's content, the reasons given for its findings, and what was found in it when it was saved."""

    body: Body
    accepted: tuple[AcceptedFinding, ...] = ()
    findings: tuple[Finding, ...] = ()
    note: str | None = None
    secrecy_checked_by: str | None = None


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
    nil: bool
    delivered: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which disclosures a list shows; None does not restrict.

    `to_file`: only what the village let out and nobody took note of; `undecided`: not in a batch that waits.
    """

    villages: Sequence[str]
    item: str | None = None
    period: str | None = None
    items: Sequence[str] | None = None
    states: Sequence[str] | None = None
    after: UUID | None = None
    limit: int = 50
    to_file: bool = False
    undecided: bool = False


class CellTakenError(Exception):
    """The cell has a disclosure already."""


def disclosure_of(row: Row) -> Disclosure:
    """A row of the table."""
    values: dict[str, Any] = {name: row[name] for name in Disclosure.__dataclass_fields__}
    return Disclosure(**{**values, "state": State(row["state"])})


async def changed(conn: Connection, statement: LiteralString, *values: object) -> Disclosure:
    """Run a statement that returns the one row it changed."""
    row = await conn.fetchrow(statement, *values)
    assert row is not None  # noqa: S101 - inserted, or locked by this transaction
    return disclosure_of(row)


INSERT_DISCLOSURE = """
INSERT INTO disclosure
    (id, village_code, item, period, state, edition, digest, history, created_at, saved_by, nil, delivered_at)
VALUES ($1, $2, $3, $4, 'draft', 1, $5, $6, $7, $8, $9, CASE WHEN $10 THEN $7::timestamptz END)
ON CONFLICT DO NOTHING
RETURNING *
"""


async def insert_disclosure(conn: Connection, new: NewDisclosure) -> Disclosure:
    """Make a draft; CellTakenError when its cell is taken, and the transaction can go on."""
    values = (new.id, new.village_code, new.item, new.period, new.digest, new.history, new.at, new.by)
    row = await conn.fetchrow(INSERT_DISCLOSURE, *values, new.nil, new.delivered)
    if row is None:
        raise CellTakenError
    return disclosure_of(row)


INSERT_EDITION = """
INSERT INTO edition (disclosure_id, edition, body, findings, saved_by, saved_at, note)
VALUES ($1, $2, $3::jsonb, $4::jsonb, $5, $6, $7)
"""


async def insert_edition(conn: Connection, of: Disclosure, edition: Edition, by: str, at: datetime) -> None:
    found = json.dumps([f.model_dump() for f in edition.findings])
    body = edition.body.model_dump_json(exclude_none=True)
    await conn.execute(INSERT_EDITION, of.id, of.edition, body, found, by, at, edition.note)


SELECT_DISCLOSURE = "SELECT * FROM disclosure WHERE id = $1"


async def select_disclosure(conn: Connection, disclosure_id: UUID) -> Disclosure | None:
    row = await conn.fetchrow(SELECT_DISCLOSURE, disclosure_id)
    return disclosure_of(row) if row else None


LOCK_DISCLOSURE = "SELECT * FROM disclosure WHERE id = $1 FOR UPDATE"


async def lock_disclosure(conn: Connection, disclosure_id: UUID) -> Disclosure | None:
    """The disclosure, held until the transaction ends."""
    row = await conn.fetchrow(LOCK_DISCLOSURE, disclosure_id)
    return disclosure_of(row) if row else None


SELECT_DISCLOSURES = """
SELECT * FROM disclosure
WHERE village_code = ANY($1::text[])
  AND ($2::text IS NULL OR item = $2) AND ($3::text IS NULL OR period = $3)
  AND ($4::text[] IS NULL OR state = ANY($4::text[])) AND ($5::uuid IS NULL OR id < $5)
  AND ($7::text[] IS NULL OR item = ANY($7::text[]))
  AND (NOT $8::boolean OR (release = 'file' AND filed_at IS NULL))
  AND (NOT $9::boolean OR NOT EXISTS (
    SELECT FROM approval_item i WHERE i.disclosure_id = disclosure.id AND i.state = 'waiting'
  ))
ORDER BY id DESC LIMIT $6
"""


async def select_disclosures(conn: Connection, wanted: Filter) -> list[Disclosure]:
    """Newest first."""
    states = list(wanted.states) if wanted.states is not None else None
    items = list(wanted.items) if wanted.items is not None else None
    cell = (list(wanted.villages), wanted.item, wanted.period)
    page = (states, wanted.after, wanted.limit, items)
    rows = await conn.fetch(SELECT_DISCLOSURES, *cell, *page, wanted.to_file, wanted.undecided)
    return [disclosure_of(r) for r in rows]


SELECT_EDITION = """
SELECT body::text AS body, accepted::text AS accepted, findings::text AS findings, note, secrecy_checked_by
FROM edition WHERE disclosure_id = $1 AND edition = $2
"""


async def select_edition(conn: Connection, disclosure_id: UUID, edition: int) -> Edition | None:
    """An edition's content; None once withdrawn."""
    row = await conn.fetchrow(SELECT_EDITION, disclosure_id, edition)
    if row is None:
        return None
    accepted = tuple(AcceptedFinding.model_validate(a) for a in json.loads(row["accepted"]))
    found = tuple(Finding.model_validate(f) for f in json.loads(row["findings"]))
    return Edition(BODY.validate_json(row["body"]), accepted, found, row["note"], row["secrecy_checked_by"])


UPDATE_SAVED = """
UPDATE disclosure SET edition = $2, digest = $3, state = 'draft', saved_by = $4, nil = $5, note = NULL, note_lines = '[]',
    published_edition = CASE WHEN state = 'approved' THEN edition ELSE published_edition END
WHERE id = $1
RETURNING *
"""


async def update_saved(conn: Connection, of: Disclosure, digest: str, by: str, *, nil: bool) -> Disclosure:
    """The next edition of a draft; of what was let out, a correction: publish has it or gets it before the next one."""
    return await changed(conn, UPDATE_SAVED, of.id, of.edition + 1, digest, by, nil)


UPDATE_SUBMITTED = """
UPDATE disclosure SET state = $2::text, submitted_at = $3, submitted_by = $4, note = NULL, note_lines = '[]',
    confirmed_at = CASE WHEN $2::text = 'confirmed' THEN $3::timestamptz END
WHERE id = $1
RETURNING *
"""
UPDATE_ACCEPTED = """
UPDATE edition SET accepted = $3::jsonb, secrecy_checked_by = $4 WHERE disclosure_id = $1 AND edition = $2
"""


async def update_accepted(conn: Connection, disclosure: Disclosure, edition: Edition) -> None:
    """Keep the reasons given for an edition's findings."""
    reasons = json.dumps([a.model_dump() for a in edition.accepted])
    await conn.execute(UPDATE_ACCEPTED, disclosure.id, disclosure.edition, reasons, edition.secrecy_checked_by)


async def update_submitted(
    conn: Connection, disclosure: Disclosure, edition: Edition, state: State, by: str, at: datetime
) -> Disclosure:
    """Hand an edition in, with the reasons given for its findings."""
    if edition.accepted or edition.secrecy_checked_by is not None:
        await update_accepted(conn, disclosure, edition)
    return await changed(conn, UPDATE_SUBMITTED, disclosure.id, state, at, by)


UPDATE_CONFIRMED = "UPDATE disclosure SET state = 'confirmed', confirmed_at = $2 WHERE id = $1 RETURNING *"


async def update_confirmed(conn: Connection, disclosure_id: UUID, at: datetime) -> Disclosure:
    return await changed(conn, UPDATE_CONFIRMED, disclosure_id, at)


UPDATE_RETURNED = """
UPDATE disclosure SET state = 'returned', note = $2, note_lines = $3::jsonb, confirmed_at = NULL WHERE id = $1 RETURNING *
"""


async def update_returned(
    conn: Connection, disclosure_id: UUID, reason: str, lines: Sequence[LineReason]
) -> Disclosure:
    return await changed(conn, UPDATE_RETURNED, disclosure_id, reason, json.dumps([x.model_dump() for x in lines]))


SELECT_NOTE_LINES = "SELECT note_lines::text FROM disclosure WHERE id = $1"


async def select_note_lines(conn: Connection, disclosure_id: UUID) -> tuple[LineReason, ...]:
    """Reasons beside places, of the last return."""
    text: str = await conn.fetchval(SELECT_NOTE_LINES, disclosure_id)
    return tuple(LineReason.model_validate(x) for x in json.loads(text))


UPDATE_APPROVED = """
UPDATE disclosure SET state = 'approved', approved_at = $2, release = $3, filed_at = NULL,
    first_submitted_at = coalesce(first_submitted_at, submitted_at),
    first_confirmed_at = coalesce(first_confirmed_at, confirmed_at)
WHERE id = $1 RETURNING *
"""


async def update_approved(conn: Connection, disclosure_id: UUID, at: datetime, release: str) -> Disclosure:
    return await changed(conn, UPDATE_APPROVED, disclosure_id, at, release)


UPDATE_FILED = "UPDATE disclosure SET filed_at = $2 WHERE id = $1 RETURNING *"


async def update_filed(conn: Connection, disclosure_id: UUID, at: datetime) -> Disclosure:
    return await changed(conn, UPDATE_FILED, disclosure_id, at)


UPDATE_PUBLISHED = """
UPDATE disclosure SET published_at = coalesce(published_at, $2), published_edition = greatest(published_edition, $3),
    state = CASE WHEN state = 'approved' AND edition = $3 THEN 'published' ELSE state END
WHERE id = $1 AND state <> 'withdrawn'
"""


async def update_published(conn: Connection, disclosure_id: UUID, edition: int, at: datetime) -> None:
    """Note that everybody can read an edition; a withdrawal that came first stays."""
    await conn.execute(UPDATE_PUBLISHED, disclosure_id, at, edition)


UPDATE_DISCARDED = """
UPDATE disclosure SET state = CASE WHEN published_at IS NULL THEN 'approved' ELSE 'published' END, edition = published_edition, note = NULL, note_lines = '[]',
    digest = $2, nil = $3
WHERE id = $1 RETURNING *
"""
DELETE_LATER_EDITIONS = "DELETE FROM edition WHERE disclosure_id = $1 AND edition > $2"
DELETE_LATER_OPINIONS = "DELETE FROM confirmation WHERE disclosure_id = $1 AND edition > $2"


async def update_discarded(conn: Connection, disclosure: Disclosure, digest: str, *, nil: bool) -> Disclosure:
    """Give a correction up: the published edition is the newest again."""
    await conn.execute(DELETE_LATER_OPINIONS, disclosure.id, disclosure.published_edition)
    await conn.execute(DELETE_LATER_EDITIONS, disclosure.id, disclosure.published_edition)
    return await changed(conn, UPDATE_DISCARDED, disclosure.id, digest, nil)


DELETE_EDITIONS = "DELETE FROM edition WHERE disclosure_id = $1"
DELETE_OPINIONS = "DELETE FROM confirmation WHERE disclosure_id = $1"


DELETE_DRAFT = "DELETE FROM disclosure WHERE id = $1"


async def delete_draft(conn: Connection, disclosure_id: UUID) -> None:
    """Remove a draft that nobody but its authors ever saw."""
    await conn.execute(DELETE_EDITIONS, disclosure_id)
    await conn.execute(DELETE_OPINIONS, disclosure_id)
    await conn.execute(DELETE_DRAFT, disclosure_id)
