"""HTTP bodies of what was taken over (已采用)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.kit.examples import read_examples

example = read_examples(__file__)
#: The secret that leads back to what somebody took over.
Taker = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class AdoptionIn(BaseModel, json_schema_extra=example("AdoptionIn")):
    """That somebody took an edition over; nothing of a person."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, le=10_000, description="which public edition: 1, 2, 3 …")
    address: str | None = Field(
        default=None,
        max_length=1000,
        description="where it stands now, to be shown to everybody; only of media that the city named (`adoption_hosts`). Leave it out, and nothing of it is kept",
    )
    taker: Taker | None = Field(
        default=None, description="the secret of what you took over before; without it you get one"
    )


class AdoptionOut(BaseModel, json_schema_extra=example("AdoptionOut")):
    """What was noted. `taker` is told here alone: it leads to `page`, `feed`, and to taking it back."""

    taker: str
    disclosure: str
    version: int
    page: str
    feed: str


class AdoptedOut(BaseModel, json_schema_extra=example("AdoptedOut")):
    """How often a disclosure was taken over, and some of the addresses that may be shown; as those who took it say."""

    count: int
    addresses: list[str]
