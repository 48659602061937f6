"""What was typed into forms and is no edition yet, sealed as editions are, under the key of the disclosure that it is of."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.kit.db import Connection, Row
from services.kit.shred import close, make_keys, reopen


@dataclass(frozen=True, slots=True)
class TypedForm:
    """A form as it was typed so far; `edition`: the one it was opened from, 0 of an empty cell."""

    id: UUID
    village_code: str
    item: str
    period: str
    edition: int
    revision: int
    saved_by: str
    saved_at: datetime
    #: An event beside the first of its day, begun under the id that it will have.
    is_another: bool = False


def _typed(row: Row) -> TypedForm:
    names = ("disclosure_id", *list(TypedForm.__dataclass_fields__)[1:])
    return TypedForm(*(row[name] for name in names))


def _place(revision: int) -> str:
    return f"typed_form.fields:{revision}"


SELECT_TYPED = "SELECT * FROM typed_form WHERE disclosure_id = $1"


async def select_typed(conn: Connection, disclosure_id: UUID) -> TypedForm | None:
    """What was typed of a disclosure, when anything was that is no edition."""
    row = await conn.fetchrow(SELECT_TYPED, disclosure_id)
    return _typed(row) if row else None


SELECT_BEGUN = """
SELECT t.* FROM unnest($1::text[], $2::text[], $3::text[]) AS k (village, item, period)
JOIN typed_form t ON (t.village_code, t.item, t.period) = (k.village, k.item, k.period) AND t.edition = 0 AND NOT t.is_another
WHERE NOT EXISTS (SELECT FROM disclosure d WHERE d.id = t.disclosure_id)
"""


async def select_begun(conn: Connection, cells: Sequence[tuple[str, str, str]]) -> list[TypedForm]:
    """What was typed for some empty cells (village, item, period)."""
    columns = ([c[0] for c in cells], [c[1] for c in cells], [c[2] for c in cells])
    return [_typed(r) for r in await conn.fetch(SELECT_BEGUN, *columns)]


SELECT_TYPED_IN = "SELECT * FROM typed_form WHERE village_code = ANY($1::text[]) ORDER BY saved_at DESC LIMIT 100"


async def select_typed_in(conn: Connection, villages: Sequence[str]) -> list[TypedForm]:
    """Forms that somebody left half filled in, newest first."""
    return [_typed(r) for r in await conn.fetch(SELECT_TYPED_IN, villages)]


SELECT_FIELDS = """
SELECT t.fields_sealed, t.revision, s.key FROM typed_form t JOIN shred_key s ON s.aggregate_id = t.disclosure_id::text
WHERE t.disclosure_id = $1
"""


async def select_fields(conn: Connection, typed: TypedForm) -> dict[str, str]:
    """The fields of a typed form; none once its key is destroyed."""
    row = await conn.fetchrow(SELECT_FIELDS, typed.id)
    if row is None or row["key"] is None:
        return {}
    closed = reopen(row["key"], str(typed.id), _place(row["revision"]), row["fields_sealed"])
    fields: dict[str, str] = json.loads(closed)
    return fields


#: A form that somebody else began in the meantime, in the same empty cell, stays as it is.
INSERT_TYPED = """
INSERT INTO typed_form (disclosure_id, village_code, item, period, edition, revision, fields_sealed, saved_by, saved_at, is_another)
VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING *
"""
UPDATE_TYPED = """
UPDATE typed_form SET edition = $2, revision = $3 + 1, fields_sealed = $4, saved_by = $5, saved_at = $6
WHERE disclosure_id = $1 AND revision = $3 RETURNING *
"""


async def upsert_typed(conn: Connection, typed: TypedForm, fields: Mapping[str, str]) -> TypedForm | None:
    """Keep the next revision of what was typed; None when another one than `typed.revision` (0: none) is kept by now."""
    key = (await make_keys(conn, [str(typed.id)]))[str(typed.id)]
    content = json.dumps(fields, ensure_ascii=False).encode()
    sealed = close(key, str(typed.id), _place(typed.revision + 1), content)
    by = (sealed, typed.saved_by, typed.saved_at)
    if typed.revision:
        row = await conn.fetchrow(UPDATE_TYPED, typed.id, typed.edition, typed.revision, *by)
    else:
        cell = (typed.village_code, typed.item, typed.period)
        row = await conn.fetchrow(INSERT_TYPED, typed.id, *cell, typed.edition, *by, typed.is_another)
    return _typed(row) if row else None


DELETE_TYPED = "DELETE FROM typed_form WHERE disclosure_id = ANY($1::uuid[])"


async def delete_typed(conn: Connection, ids: Sequence[UUID]) -> None:
    """Forget what was typed of some disclosures: it became an edition, was given up, or went with them."""
    await conn.execute(DELETE_TYPED, ids)
