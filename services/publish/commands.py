"""What publish says: one function a change, each in the transaction of the event that caused it, each said once."""

from services.contracts.disclosure import DisclosureApproved, DisclosureWithdrawn
from services.contracts.publication import PublicationPublished, PublicationWithdrawn
from services.kit import outbox
from services.kit.db import Connection
from services.publish import store


async def announce_published(conn: Connection, event: DisclosureApproved) -> None:
    """Say that an edition can be read by everybody; nothing when its content is gone already."""
    known = await store.select_publications(conn, [event.aggregate_id])
    publication = known.get(event.aggregate_id)
    if publication is None or publication.withdrawn_at is not None:
        return
    if not await store.insert_announced(conn, event.aggregate_id, event.edition, "published"):
        return
    stamp = await outbox.stamp(
        conn, "publication", event.aggregate_id, at=event.occurred_at, village_code=event.village_code
    )
    await outbox.append(
        conn,
        PublicationPublished(
            **{**stamp, "village_code": event.village_code},
            item=event.item,
            period=event.period,
            edition=event.edition,
            digest=event.digest,
            history=event.history,
            published_at=event.occurred_at,
            first_published_at=publication.first_published_at,
        ),
    )


async def announce_withdrawn(conn: Connection, event: DisclosureWithdrawn) -> None:
    """Say that the content is gone; nothing when it was never public."""
    if not event.was_published:
        return
    if not await store.insert_announced(conn, event.aggregate_id, event.edition, "withdrawn"):
        return
    stamp = await outbox.stamp(
        conn, "publication", event.aggregate_id, at=event.occurred_at, village_code=event.village_code
    )
    await outbox.append(
        conn,
        PublicationWithdrawn(
            **{**stamp, "village_code": event.village_code},
            item=event.item,
            period=event.period,
            edition=event.edition,
        ),
    )
