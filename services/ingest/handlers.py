"""What ingest hears: that an approved disclosure can be read by everybody."""

from typing import Final
from uuid import UUID

from services.contracts.publication import PublicationPublished
from services.ingest import store
from services.kit.consumer import Handlers, Handling


async def on_publication_published(h: Handling, event: PublicationPublished) -> None:
    """Show on the desk when it became public."""
    await store.update_published(h.conn, UUID(event.aggregate_id), event.edition, event.first_published_at)


PROJECT: Final[Handlers] = {PublicationPublished: on_publication_published}
