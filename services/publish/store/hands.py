"""In whose hands a disclosure was before it was public: kept with it, so that its late days can be told by who had them."""

from datetime import datetime

from services.kit.db import Model

NOTE_HANDS = """
UPDATE publication p SET submitted_at = t.submitted, confirmed_at = t.confirmed,
    delivered_at = coalesce((SELECT s.delivered_at FROM step s WHERE s.disclosure_id = t.id), p.delivered_at)
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[]) AS t (id, at, submitted, confirmed)
WHERE p.disclosure_id = t.id AND p.first_published_at = t.at AND p.withdrawn_at IS NULL RETURNING t.id
"""


async def note_hands(
    model: Model, disclosure_id: str, at: datetime, submitted_at: datetime, confirmed_at: datetime
) -> None:
    """Note when the edition that was public first, at `at`, was handed in and confirmed, and its books delivered."""
    await model.write(NOTE_HANDS, disclosure_id, at, submitted_at, confirmed_at)
