"""Imports and the drafts that each made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.ingest.store.disclosures import Disclosure, disclosures_of
from services.kit.db import Connection, Row


@dataclass(frozen=True, slots=True)
class Import:
    """A file that came in."""

    id: UUID
    name: str
    imported_by: str
    scope: str
    imported_at: datetime
    undone_at: datetime | None


INSERT_IMPORT = "INSERT INTO import (id, name, imported_by, scope, imported_at) VALUES ($1, $2, $3, $4, $5)"
INSERT_IMPORT_DRAFTS = """
INSERT INTO import_draft (import_id, disclosure_id, village_code, item, period)
SELECT $1, d, v, i, p FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS t (d, v, i, p)
"""


async def insert_import(conn: Connection, made: Import, drafts: Sequence[Disclosure]) -> None:
    await conn.execute(INSERT_IMPORT, made.id, made.name, made.imported_by, made.scope, made.imported_at)
    await conn.execute(
        INSERT_IMPORT_DRAFTS,
        made.id,
        [d.id for d in drafts],
        [d.village_code for d in drafts],
        [d.item for d in drafts],
        [d.period for d in drafts],
    )


SELECT_IMPORT = "SELECT * FROM import WHERE id = $1"


async def select_import(conn: Connection, import_id: UUID) -> Import | None:
    return _import_of(await conn.fetchrow(SELECT_IMPORT, import_id))


LOCK_IMPORT = "SELECT * FROM import WHERE id = $1 FOR UPDATE"


async def lock_import(conn: Connection, import_id: UUID) -> Import | None:
    """An import, held until the transaction ends."""
    return _import_of(await conn.fetchrow(LOCK_IMPORT, import_id))


def _import_of(row: Row | None) -> Import | None:
    return Import(**{name: row[name] for name in Import.__dataclass_fields__}) if row is not None else None


SELECT_IMPORTS = "SELECT * FROM import WHERE imported_by = $1 ORDER BY id DESC LIMIT $2"


async def select_imports(conn: Connection, by: str, limit: int) -> list[Import]:
    """A person's imports, newest first."""
    rows = await conn.fetch(SELECT_IMPORTS, by, limit)
    return [made for row in rows if (made := _import_of(row)) is not None]


SELECT_IMPORT_DRAFTS = """
SELECT d.* FROM import_draft i JOIN disclosure d ON d.id = i.disclosure_id
WHERE i.import_id = $1 ORDER BY i.village_code, i.item, i.period
"""


async def select_import_drafts(conn: Connection, import_id: UUID) -> list[Disclosure]:
    """What an import made, as far as it is still there."""
    return await disclosures_of(conn, await conn.fetch(SELECT_IMPORT_DRAFTS, import_id))


LOCK_IMPORT_DRAFTS = """
SELECT d.* FROM import_draft i JOIN disclosure d ON d.id = i.disclosure_id
WHERE i.import_id = $1 ORDER BY i.village_code, i.item, i.period FOR UPDATE OF d
"""


async def lock_import_drafts(conn: Connection, import_id: UUID) -> list[Disclosure]:
    """The same, held until the transaction ends."""
    return await disclosures_of(conn, await conn.fetch(LOCK_IMPORT_DRAFTS, import_id))


UPDATE_UNDONE = "UPDATE import SET undone_at = $2 WHERE id = $1"


async def update_undone(conn: Connection, import_id: UUID, at: datetime) -> None:
    await conn.execute(UPDATE_UNDONE, import_id, at)
