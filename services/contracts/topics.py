"""All topics on one screen: who writes, who reads, what travels. `docs/map.md` is drawn from here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field, TypeAdapter, ValidationError

from services.contracts.alert import AlertCleared, AlertRaised
from services.contracts.base import Event
from services.contracts.catalogue import CalendarSet, ItemSet, ProfileSet
from services.contracts.code import CodeSet
from services.contracts.disclosure import (
    AnswerGiven,
    AnswerHandedUp,
    AnswerHidden,
    DeclarationConfirmed,
    DeclarationSubmitted,
    DisclosureApproved,
    DisclosureConfirmed,
    DisclosureCorrected,
    DisclosureDelivered,
    DisclosureDiscarded,
    DisclosureErased,
    DisclosureFiled,
    DisclosureRestored,
    DisclosureReturned,
    DisclosureSubmitted,
    DisclosureWithdrawn,
    WaiverEnded,
    WaiverFiled,
    WaiverGranted,
    WaiverRefused,
)
from services.contracts.division import DivisionSet
from services.contracts.keys import KeySet, QuestionKeySet, WrappedKeySet
from services.contracts.publication import PublicationPublished, PublicationWithdrawn
from services.contracts.question import QuestionAsked, QuestionJoined, QuestionUnclear
from services.contracts.scan import CodeHealthChanged, ScansCounted
from services.contracts.staff import SignerSet, StaffSet
from services.contracts.trail import HEADS

ServiceName = Literal["registry", "ingest", "publish", "audit", "qr"]
SERVICES: Final[tuple[ServiceName, ...]] = get_args(ServiceName)

_FOREVER: Final = MappingProxyType({"retention.ms": "-1", "cleanup.policy": "delete", "flush.ms": "1000"})
#: Tombstones live a week, longer than any pause of a rebuild.
_COMPACTED: Final = MappingProxyType(
    {
        "cleanup.policy": "compact",
        "min.cleanable.dirty.ratio": "0.1",
        "delete.retention.ms": "604800000",
        "flush.ms": "1000",
    },
)
#: What is no truth of its own, and told anew as a whole sum: a season is enough for whoever was away.
_SEASON: Final = MappingProxyType({"retention.ms": "7776000000", "cleanup.policy": "delete", "flush.ms": "1000"})
_SHREDDED: Final = MappingProxyType({**_COMPACTED, "max.compaction.lag.ms": "3600000", "segment.ms": "600000"})


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `first`: its records are acknowledged before any other of the same batch is sent.

    `signed`: its records count only when the registry's root key signed them.
    """

    name: str
    key: str
    producer: ServiceName
    consumers: tuple[ServiceName, ...]
    events: tuple[type[Event], ...]
    partitions: int
    compacted: bool = False
    first: bool = False
    signed: bool = False
    config: Mapping[str, str] = field(default_factory=dict)


def _log(name: str, producer: ServiceName, consumers: tuple[ServiceName, ...], *events: type[Event]) -> Topic:
    return Topic(f"sanwu.{name}", "village_code", producer, consumers, events, 24, config=_FOREVER)


def _dead_letters(service: ServiceName) -> Topic:
    return Topic(f"{service}.dlq", "the record's own key", service, (), (), 1, config=_FOREVER)


def _heads(service: ServiceName) -> Topic:
    return Topic(f"{service}.heads", "the service", service, ("audit",), (HEADS[service],), 1, config=_FOREVER)


DIVISIONS: Final = Topic(
    "sanwu.divisions",
    "code",
    "registry",
    ("ingest", "publish", "audit", "qr"),
    (DivisionSet,),
    3,
    compacted=True,
    signed=True,
    config=_COMPACTED,
)
CATALOGUE: Final = Topic(
    "sanwu.catalogue",
    "item:<code> · profile:<code> · calendar:<year>",
    "registry",
    ("ingest", "publish", "audit", "qr"),
    (ItemSet, ProfileSet, CalendarSet),
    3,
    compacted=True,
    signed=True,
    config=_COMPACTED,
)
STAFF: Final = Topic(
    "sanwu.staff",
    "staff:<id> · signer:<kid>",
    "registry",
    ("ingest", "publish", "audit", "qr"),
    (StaffSet, SignerSet),
    3,
    compacted=True,
    signed=True,
    config=_COMPACTED,
)
KEYS: Final = Topic(
    "sanwu.keys",
    "aggregate id",
    "ingest",
    ("publish", "audit"),
    (KeySet, WrappedKeySet),
    # Tiny records, one for each disclosure: few partitions make few and larger batches for those who keep copies.
    3,
    compacted=True,
    first=True,
    config=_SHREDDED,
)
#: Keys of questions: publish makes and destroys them, so they have a topic with its own one writer.
QUESTION_KEYS: Final = Topic(
    "publish.keys",
    "aggregate id",
    "publish",
    ("ingest",),
    (QuestionKeySet,),
    3,
    compacted=True,
    first=True,
    config=_SHREDDED,
)
#: The topics of keys by the service that makes and destroys them.
KEYS_OF: Final[Mapping[ServiceName, Topic]] = MappingProxyType({t.producer: t for t in (KEYS, QUESTION_KEYS)})
KEY_TOPICS: Final = frozenset(t.name for t in KEYS_OF.values())
DISCLOSURES: Final = _log(
    "disclosures",
    "ingest",
    ("publish", "audit"),
    DisclosureDelivered,
    DisclosureSubmitted,
    DisclosureConfirmed,
    DisclosureReturned,
    DisclosureApproved,
    DisclosureFiled,
    DisclosureCorrected,
    DisclosureDiscarded,
    DisclosureWithdrawn,
    DisclosureRestored,
    DisclosureErased,
    WaiverFiled,
    WaiverGranted,
    WaiverRefused,
    WaiverEnded,
    DeclarationSubmitted,
    DeclarationConfirmed,
    AnswerGiven,
    AnswerHandedUp,
    AnswerHidden,
)
PUBLICATIONS: Final = _log("publications", "publish", ("ingest", "audit"), PublicationPublished, PublicationWithdrawn)
QUESTIONS: Final = _log("questions", "publish", ("ingest", "audit"), QuestionAsked, QuestionUnclear, QuestionJoined)
#: Nobody inside reads alerts yet; cases will.
ALERTS: Final = _log("alerts", "audit", (), AlertRaised, AlertCleared)
CODES: Final = Topic("sanwu.codes", "code", "qr", ("publish",), (CodeSet,), 3, compacted=True, config=_COMPACTED)
#: Nobody inside hears scans yet: docs/codes.md tells what audit will find in them.
SCANS: Final = Topic(
    "sanwu.scans",
    "day · code",
    "qr",
    (),
    (ScansCounted, CodeHealthChanged),
    3,
    config=_SEASON,
)

TOPICS: Final[tuple[Topic, ...]] = (
    DIVISIONS,
    CATALOGUE,
    STAFF,
    KEYS,
    QUESTION_KEYS,
    DISCLOSURES,
    PUBLICATIONS,
    QUESTIONS,
    ALERTS,
    CODES,
    SCANS,
    *(_heads(name) for name in SERVICES),
    *(_dead_letters(name) for name in SERVICES),
)

#: Every event type by its tag, and the topic that carries it.
EVENTS: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {e.model_fields["type"].default: e for t in TOPICS for e in t.events},
)
TOPIC_OF: Final[Mapping[str, Topic]] = MappingProxyType(
    {e.model_fields["type"].default: t for t in TOPICS for e in t.events},
)


class UnknownEventTypeError(ValueError):
    """An event of a type that this version of the code does not know."""


_ADAPTERS: Final[Mapping[str, TypeAdapter[Any]]] = MappingProxyType(
    {tag: TypeAdapter(model) for tag, model in EVENTS.items()}
)


def parse(tag: str, value: bytes) -> Event:
    """Read one event; UnknownEventTypeError for a strange tag, ValidationError for a malformed value."""
    adapter = _ADAPTERS.get(tag)
    if adapter is None:
        raise UnknownEventTypeError(tag)
    event: Event = adapter.validate_json(value)
    return event


def topic_schema(topic: Topic) -> dict[str, Any]:
    """JSON Schema of everything that travels on a topic."""
    adapter: TypeAdapter[Any]
    if len(topic.events) == 1:
        adapter = TypeAdapter(topic.events[0])
    else:
        union: Any = topic.events[0]
        for model in topic.events[1:]:
            union = union | model
        adapter = TypeAdapter(Annotated[union, Field(discriminator="type")])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **adapter.json_schema(mode="serialization"),
        "title": topic.name,
    }


__all__ = [
    "EVENTS",
    "SERVICES",
    "TOPICS",
    "TOPIC_OF",
    "ServiceName",
    "Topic",
    "UnknownEventTypeError",
    "ValidationError",
    "parse",
    "topic_schema",
]
