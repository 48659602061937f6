"""Disclosures and their editions."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from services.contracts.disclosure import LineReason
from services.ingest.store.contents import (
    Edition,
    Note,
    Remarks,
    close_body,
    close_note,
    close_remarks,
    edition_of,
    open_note,
    remarks_of,
)
from services.ingest.store.typed import delete_typed
from services.ingest.workflow import State
from services.kit.db import Connection, Row
from services.kit.shred import make_keys, select_keys


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
class NewDisclosure:
    """What is known when a draft is made."""

    id: UUID
    village_code: str
    item: str
    period: str
    digest: str
    history: bool
    nil: bool


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


async def disclosures_of(conn: Connection, rows: Sequence[Row]) -> list[Disclosure]:
    """Rows of the table as values; why something was sent back is opened, with one statement more for all that were."""
    keys = await select_keys(conn, returned) if (returned := [str(r["id"]) for r in rows if r["note_sealed"]]) else {}
    return [_disclosure_of(r, keys.get(str(r["id"]))) for r in rows]


def _disclosure_of(row: Row, key: str | None) -> Disclosure:
    values: dict[str, Any] = {name: row[name] for name in Disclosure.__dataclass_fields__}
    values["state"] = State(values["state"])
    if key is not None:
        values["note"] = open_note(key, str(row["id"]), row["note_sealed"]).reason
    return Disclosure(**values)


async def disclosure_of(conn: Connection, row: Row) -> Disclosure:
    """One row as a value."""
    (found,) = await disclosures_of(conn, [row])
    return found


async def update_returning(conn: Connection, statement: LiteralString, *values: object) -> Disclosure:
    """Run an INSERT or UPDATE that returns the one row it wrote."""
    row = await conn.fetchrow(statement, *values)
    assert row is not None  # noqa: S101 - inserted, or locked by this transaction
    return await disclosure_of(conn, row)


#: Of two drafts for a cell the first takes it. Cells in one order for everybody, so that two imports wait and do not deadlock.
INSERT_DISCLOSURES = """
INSERT INTO disclosure
    (id, village_code, item, period, state, edition, digest, history, nil, created_at, saved_by, delivered_at)
SELECT id, village, item, period, 'draft', 1, digest, history, nil, $8, $9, CASE WHEN $10 THEN $8::timestamptz END
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::boolean[])
    WITH ORDINALITY AS t (id, village, item, period, digest, history, nil, n)
ORDER BY village, item, period, n
ON CONFLICT DO NOTHING
RETURNING *
"""


async def insert_disclosures(
    conn: Connection, new: Sequence[NewDisclosure], by: str, at: datetime, *, delivered: bool
) -> dict[UUID, Disclosure]:
    """Make drafts, by id; those whose cell is taken are left out, and the transaction can go on."""
    if not new:
        return {}
    columns = zip(*((n.id, n.village_code, n.item, n.period, n.digest, n.history, n.nil) for n in new), strict=True)
    rows = await conn.fetch(INSERT_DISCLOSURES, *columns, at, by, delivered)
    return {d.id: d for d in await disclosures_of(conn, rows)}


#: `kind` alone is told of the content: the chain of ledgers is found by it.
INSERT_EDITIONS = """
INSERT INTO edition (disclosure_id, edition, kind, body_sealed, remarks_sealed, saved_by, saved_at)
SELECT id, edition, kind, body, remarks, $6, $7
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::bytea[], $5::bytea[]) AS t (id, edition, kind, body, remarks)
"""


async def insert_editions(conn: Connection, of: Sequence[tuple[Disclosure, Edition]], by: str, at: datetime) -> None:
    """Keep the newest edition of each of some disclosures, under the disclosure's key, which is made with the first."""
    keys = await make_keys(conn, [str(d.id) for d, _ in of])
    columns = zip(
        *(
            (
                d.id,
                d.edition,
                e.body.kind,
                close_body(keys[str(d.id)], str(d.id), d.edition, e.body),
                close_remarks(keys[str(d.id)], str(d.id), d.edition, remarks_of(e)),
            )
            for d, e in of
        ),
        strict=True,
    )
    await conn.execute(INSERT_EDITIONS, *columns, by, at)


SELECT_KNOWN = "SELECT * FROM disclosure WHERE id = ANY($1::uuid[])"


async def select_known(conn: Connection, ids: Collection[UUID]) -> dict[UUID, Disclosure]:
    """Those of some disclosures that there are, by id."""
    return {d.id: d for d in await disclosures_of(conn, await conn.fetch(SELECT_KNOWN, list(ids)))}


async def select_disclosure(conn: Connection, disclosure_id: UUID) -> Disclosure | None:
    return (await select_known(conn, [disclosure_id])).get(disclosure_id)


LOCK_DISCLOSURE = "SELECT * FROM disclosure WHERE id = $1 FOR UPDATE"


async def lock_disclosure(conn: Connection, disclosure_id: UUID) -> Disclosure | None:
    """The disclosure, held until the transaction ends."""
    row = await conn.fetchrow(LOCK_DISCLOSURE, disclosure_id)
    return await disclosure_of(conn, row) if row else None


#: The columns in clear hold what was entered before contents were sealed, until the job has sealed it.
SELECT_EDITIONS = """
SELECT e.disclosure_id, e.edition, e.body_sealed, e.remarks_sealed, s.key, e.body::text AS body, e.accepted::text AS accepted,
    e.findings::text AS findings, e.note, e.secrecy_checked_by, e.returns::text AS returns
FROM edition e JOIN unnest($1::uuid[], $2::int[]) AS k (disclosure_id, edition) USING (disclosure_id, edition)
LEFT JOIN shred_key s ON s.aggregate_id = e.disclosure_id::text
"""


async def select_editions(conn: Connection, wanted: Iterable[tuple[UUID, int]]) -> dict[tuple[UUID, int], Edition]:
    """Contents by disclosure and edition; of what was withdrawn, none."""
    keys = list(wanted)
    rows = await conn.fetch(SELECT_EDITIONS, [k[0] for k in keys], [k[1] for k in keys])
    return {(r["disclosure_id"], r["edition"]): edition_of(r) for r in rows}


async def select_edition(conn: Connection, disclosure_id: UUID, edition: int) -> Edition | None:
    """An edition's content; None once withdrawn."""
    return (await select_editions(conn, [(disclosure_id, edition)])).get((disclosure_id, edition))


UPDATE_SAVED = """
UPDATE disclosure SET edition = $2, digest = $3, state = 'draft', saved_by = $4, nil = $5, note = NULL, note_lines = '[]',
    note_sealed = NULL,
    published_edition = CASE WHEN state = 'approved' THEN edition ELSE published_edition END
WHERE id = $1
RETURNING *
"""


async def update_saved(conn: Connection, of: Disclosure, digest: str, by: str, *, nil: bool) -> Disclosure:
    """The next edition of a draft; of what was let out, a correction: publish has it or gets it before the next one."""
    return await update_returning(conn, UPDATE_SAVED, of.id, of.edition + 1, digest, by, nil)


UPDATE_SUBMITTED = """
UPDATE disclosure SET state = $2::text, submitted_at = $3, submitted_by = $4, note = NULL, note_lines = '[]', note_sealed = NULL,
    confirmed_at = CASE WHEN $2::text = 'confirmed' THEN $3::timestamptz END
WHERE id = $1
RETURNING *
"""
UPDATE_REMARKS = """
UPDATE edition SET remarks_sealed = $3, accepted = '[]', findings = '[]', note = NULL, secrecy_checked_by = NULL, returns = '[]'
WHERE disclosure_id = $1 AND edition = $2
"""


async def update_remarks(conn: Connection, of: Disclosure, remarks: Remarks) -> None:
    """Keep what is said beside an edition's content, in the place of what was said before."""
    key = (await make_keys(conn, [str(of.id)]))[str(of.id)]
    await conn.execute(UPDATE_REMARKS, of.id, of.edition, close_remarks(key, str(of.id), of.edition, remarks))


async def update_submitted(
    conn: Connection, disclosure: Disclosure, edition: Edition, state: State, by: str, at: datetime
) -> Disclosure:
    """Hand an edition in, with the reasons given for its findings."""
    if edition.accepted or edition.secrecy_checked_by is not None:
        await update_remarks(conn, disclosure, remarks_of(edition))
    return await update_returning(conn, UPDATE_SUBMITTED, disclosure.id, state, at, by)


UPDATE_ALL_SUBMITTED = """
UPDATE disclosure SET state = t.state, submitted_at = $3, submitted_by = $4,
    confirmed_at = CASE WHEN t.state = 'confirmed' THEN $3::timestamptz END
FROM unnest($1::uuid[], $2::text[]) AS t (id, state) WHERE disclosure.id = t.id
"""


async def update_all_submitted(conn: Connection, states: Mapping[UUID, State], by: str, at: datetime) -> None:
    """Hand first editions in that need no reason, each in its new state; the caller has locked them."""
    await conn.execute(UPDATE_ALL_SUBMITTED, list(states), list(states.values()), at, by)


UPDATE_CONFIRMED = "UPDATE disclosure SET state = 'confirmed', confirmed_at = $2 WHERE id = $1 RETURNING *"


async def update_confirmed(conn: Connection, disclosure_id: UUID, at: datetime) -> Disclosure:
    return await update_returning(conn, UPDATE_CONFIRMED, disclosure_id, at)


UPDATE_RETURNED = """
UPDATE disclosure SET state = 'returned', note = NULL, note_lines = '[]', note_sealed = $2, confirmed_at = NULL
WHERE id = $1 RETURNING *
"""


async def update_returned(
    conn: Connection, disclosure_id: UUID, reason: str, lines: Sequence[LineReason]
) -> Disclosure:
    key = (await make_keys(conn, [str(disclosure_id)]))[str(disclosure_id)]
    said = close_note(key, str(disclosure_id), Note(reason=reason, lines=tuple(lines)))
    return await update_returning(conn, UPDATE_RETURNED, disclosure_id, said)


SELECT_NOTE_LINES = """
SELECT d.note_lines::text AS lines, d.note_sealed, s.key FROM disclosure d
LEFT JOIN shred_key s ON s.aggregate_id = d.id::text WHERE d.id = $1
"""


async def select_note_lines(conn: Connection, disclosure_id: UUID) -> tuple[LineReason, ...]:
    """Reasons beside places, of the last return."""
    row = await conn.fetchrow(SELECT_NOTE_LINES, disclosure_id)
    assert row is not None  # noqa: S101 - asked of a disclosure that was read
    if row["note_sealed"] is not None and row["key"] is not None:
        return open_note(row["key"], str(disclosure_id), row["note_sealed"]).lines
    return tuple(LineReason.model_validate(x) for x in json.loads(row["lines"]))


UPDATE_APPROVED = """
UPDATE disclosure SET state = 'approved', approved_at = $2, release = $3, filed_at = NULL,
    first_submitted_at = coalesce(first_submitted_at, submitted_at),
    first_confirmed_at = coalesce(first_confirmed_at, confirmed_at)
WHERE id = $1 RETURNING *
"""


async def update_approved(conn: Connection, disclosure_id: UUID, at: datetime, release: str) -> Disclosure:
    return await update_returning(conn, UPDATE_APPROVED, disclosure_id, at, release)


UPDATE_FILED = "UPDATE disclosure SET filed_at = $2 WHERE id = $1 RETURNING *"


async def update_filed(conn: Connection, disclosure_id: UUID, at: datetime) -> Disclosure:
    return await update_returning(conn, UPDATE_FILED, disclosure_id, at)


UPDATE_PUBLISHED = """
UPDATE disclosure SET published_at = coalesce(published_at, $2), published_edition = greatest(published_edition, $3),
    state = CASE WHEN state = 'approved' AND edition = $3 THEN 'published' ELSE state END
WHERE id = $1 AND state <> 'withdrawn'
"""


async def update_published(conn: Connection, disclosure_id: UUID, edition: int, at: datetime) -> None:
    """Note that everybody can read an edition; a withdrawal that came first stays."""
    await conn.execute(UPDATE_PUBLISHED, disclosure_id, at, edition)


UPDATE_DISCARDED = """
UPDATE disclosure SET state = CASE WHEN published_at IS NULL THEN 'approved' ELSE 'published' END, edition = published_edition, note = NULL, note_lines = '[]', note_sealed = NULL,
    digest = $2, nil = $3
WHERE id = $1 RETURNING *
"""
DELETE_LATER_EDITIONS = "DELETE FROM edition WHERE disclosure_id = $1 AND edition > $2"
DELETE_LATER_OPINIONS = "DELETE FROM confirmation WHERE disclosure_id = $1 AND edition > $2"


async def update_discarded(conn: Connection, disclosure: Disclosure, digest: str, *, nil: bool) -> Disclosure:
    """Give a correction up: the published edition is the newest again."""
    await conn.execute(DELETE_LATER_OPINIONS, disclosure.id, disclosure.published_edition)
    await conn.execute(DELETE_LATER_EDITIONS, disclosure.id, disclosure.published_edition)
    await delete_typed(conn, [disclosure.id])
    return await update_returning(conn, UPDATE_DISCARDED, disclosure.id, digest, nil)


DELETE_EDITIONS = "DELETE FROM edition WHERE disclosure_id = ANY($1::uuid[])"
DELETE_OPINIONS = "DELETE FROM confirmation WHERE disclosure_id = ANY($1::uuid[])"


DELETE_DRAFTS = "DELETE FROM disclosure WHERE id = ANY($1::uuid[])"


async def delete_drafts(conn: Connection, ids: Sequence[UUID]) -> None:
    """Remove drafts that nobody but their authors ever saw."""
    await delete_typed(conn, ids)
    await conn.execute(DELETE_EDITIONS, ids)
    await conn.execute(DELETE_OPINIONS, ids)
    await conn.execute(DELETE_DRAFTS, ids)
