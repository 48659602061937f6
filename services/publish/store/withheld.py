"""What was withdrawn and may still be restored: nothing else reads this table."""

from datetime import datetime

from services.kit.db import Connection, Model, affected

WITHHOLD = """
INSERT INTO withheld (disclosure_id, village_code, kept)
SELECT p.disclosure_id, p.village_code, jsonb_build_object(
    'publication', to_jsonb(p),
    'editions', (
        SELECT jsonb_agg(to_jsonb(e) ORDER BY e.edition) FROM edition e WHERE e.disclosure_id = p.disclosure_id
    ),
    'files', (
        SELECT coalesce(jsonb_agg(a.digest ORDER BY a.digest), '[]') FROM attachment_ref a
        WHERE a.disclosure_id = p.disclosure_id
    ))
FROM publication p
WHERE p.disclosure_id = $1 AND p.withdrawn_at IS NULL
  AND EXISTS (SELECT FROM edition e WHERE e.disclosure_id = p.disclosure_id)
ON CONFLICT (disclosure_id) DO NOTHING
"""


async def withhold(model: Model, disclosure_id: str) -> None:
    """Set what can be read aside, before it is taken out of sight."""
    await model.execute(WITHHOLD, disclosure_id)


HIDE_IN_OLD_MODELS = "SELECT read_model_hide($1)"


async def hide_in_old_models(conn: Connection, disclosure_id: str) -> None:
    """Take it out of the models that served before this one."""
    await conn.execute(HIDE_IN_OLD_MODELS, disclosure_id)


SELECT_WITHHELD = "SELECT kept::text FROM withheld WHERE disclosure_id = $1"
DELETE_TOMBSTONE = "DELETE FROM publication WHERE disclosure_id = $1 AND withdrawn_at IS NOT NULL"
INSERT_PUBLICATION = """
INSERT INTO publication SELECT (jsonb_populate_record(NULL::publication, ($1::jsonb -> 'publication')
    || jsonb_build_object('was_withdrawn_at', $2::timestamptz, 'restored_at', $3::timestamptz,
                          'restored_reason', $4::text))).*
"""
INSERT_EDITIONS = """
INSERT INTO edition SELECT e.* FROM jsonb_populate_recordset(NULL::edition, $1::jsonb -> 'editions') AS e
"""
INSERT_FILES = """
INSERT INTO attachment_ref (digest, disclosure_id, village_code)
SELECT d, $2, $3 FROM jsonb_array_elements_text($1::jsonb -> 'files') AS t (d) ON CONFLICT DO NOTHING
"""
SELECT_WITHDRAWN_AT = "SELECT withdrawn_at FROM publication WHERE disclosure_id = $1"
DELETE_WITHHELD = "DELETE FROM withheld WHERE disclosure_id = $1"


async def restore(model: Model, disclosure_id: str, village: str, at: datetime, reason: str) -> bool:
    """Bring back what was set aside, with its history; False when there is nothing, and the tombstone stays."""
    kept: str | None = await model.fetchval(SELECT_WITHHELD, disclosure_id)
    withdrawn_at: datetime | None = await model.fetchval(SELECT_WITHDRAWN_AT, disclosure_id)
    if kept is None or affected(await model.execute(DELETE_TOMBSTONE, disclosure_id)) == 0:
        return False
    await model.execute(INSERT_PUBLICATION, kept, withdrawn_at, at, reason)
    await model.execute(INSERT_EDITIONS, kept)
    await model.execute(INSERT_FILES, kept, disclosure_id, village)
    await forget_withheld(model, disclosure_id)
    return True


async def forget_withheld(model: Model, disclosure_id: str) -> None:
    """What was set aside is gone for good."""
    await model.execute(DELETE_WITHHELD, disclosure_id)
