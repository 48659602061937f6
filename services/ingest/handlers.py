"""What ingest hears: what everybody can read by now, what villagers ask. Nothing of ingest is rebuilt, so it is `REACT`."""

from typing import Final
from uuid import UUID

from services.contracts.publication import PublicationPublished
from services.contracts.question import QuestionAsked, QuestionJoined, QuestionUnclear
from services.ingest.commands import answering
from services.ingest.store.disclosures import update_published
from services.kit.consumer import Handlers, Handling


async def on_publication_published(h: Handling, event: PublicationPublished) -> None:
    """Set the state to published and note which edition and when; a withdrawal that came first stays."""
    await update_published(h.conn, UUID(event.aggregate_id), event.edition, event.first_published_at)


REACT: Final[Handlers] = {
    PublicationPublished: on_publication_published,
    QuestionAsked: answering.take_question,
    QuestionUnclear: answering.take_unclear,
    QuestionJoined: answering.take_joined,
}
