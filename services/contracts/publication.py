"""Events of what villagers can see, written by `publish`."""

from typing import Literal

from pydantic import AwareDatetime, Field

from services.contracts.base import Event
from services.contracts.catalogue import ItemCode
from services.contracts.values import Digest, Period, VillageCode


class PublicationEvent(Event):
    """What all events of a publication say; the aggregate's id is the disclosure's."""

    aggregate: Literal["publication"] = "publication"
    village_code: VillageCode
    item: ItemCode
    period: Period
    edition: int = Field(ge=1)


class PublicationPublished(PublicationEvent):
    """`publication.published.v1`: an edition can be read by everybody."""

    type: Literal["publication.published.v1"] = "publication.published.v1"
    digest: Digest
    history: bool
    published_at: AwareDatetime
    first_published_at: AwareDatetime = Field(description="of the first edition: lateness counts from here")


class PublicationWithdrawn(PublicationEvent):
    """`publication.withdrawn.v1`: the content is gone, a tombstone with the reason stays."""

    type: Literal["publication.withdrawn.v1"] = "publication.withdrawn.v1"
