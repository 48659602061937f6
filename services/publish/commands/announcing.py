"""What publish says of disclosures: each thing in the transaction of the event that caused it, each said once."""

from services.contracts.disclosure import DisclosureApproved, DisclosureWithdrawn
from services.contracts.publication import PublicationPublished, PublicationWithdrawn
from services.kit import outbox
from services.kit.db import Connection
from services.publish.store import marks


async def announce_published(conn: Connection, event: DisclosureApproved) -> None:
    """Say that an edition can be read by everybody; nothing when its content is gone already."""
    first_published_at = await marks.announce_if_public(conn, event.aggregate_id, event.edition)
    if first_published_at is None:
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
            first_published_at=first_published_at,
        ),
    )


async def announce_withdrawn(conn: Connection, event: DisclosureWithdrawn) -> None:
    """Say that the content is gone; nothing when it was never public."""
    if not event.was_published:
        return
    if not await marks.announce_withdrawal(conn, event.aggregate_id, event.edition):
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
