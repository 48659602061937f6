"""What ingest hears: that an approved disclosure can be read by everybody. Nothing of ingest is rebuilt, so it is `REACT`."""

from typing import Final
from uuid import UUID

from services.contracts.publication import PublicationPublished
from services.ingest.store.disclosures import update_published
from services.kit.consumer import Handlers, Handling


async def on_publication_published(h: Handling, event: PublicationPublished) -> None:
    """Set the state to published and note which edition and when; a withdrawal that came first stays."""
    await update_published(h.conn, UUID(event.aggregate_id), event.edition, event.first_published_at)


REACT: Final[Handlers] = {PublicationPublished: on_publication_published}
