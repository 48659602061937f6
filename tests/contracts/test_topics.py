"""The table of topics: names, writers, keys, what is kept."""

import re

import pytest

from services.contracts.base import Event
from services.contracts.topics import EVENTS, SERVICES, TOPICS, Topic, topic_schema

CARRYING = [topic for topic in TOPICS if topic.events]


def test_topics_are_these() -> None:
    assert [(t.name, t.partitions, t.producer) for t in TOPICS] == [
        ("sanwu.divisions", 3, "registry"),
        ("sanwu.catalogue", 3, "registry"),
        ("sanwu.staff", 3, "registry"),
        ("sanwu.keys", 3, "ingest"),
        ("publish.keys", 3, "publish"),
        ("sanwu.disclosures", 24, "ingest"),
        ("sanwu.publications", 24, "publish"),
        ("sanwu.questions", 24, "publish"),
        ("sanwu.alerts", 24, "audit"),
        ("sanwu.codes", 3, "qr"),
        ("sanwu.scans", 3, "qr"),
        *((f"{service}.heads", 1, service) for service in SERVICES),
        ("registry.dlq", 1, "registry"),
        ("ingest.dlq", 1, "ingest"),
        ("publish.dlq", 1, "publish"),
        ("audit.dlq", 1, "audit"),
        ("qr.dlq", 1, "qr"),
    ]


def test_names_are_unique_and_kafka_takes_them() -> None:
    names = [t.name for t in TOPICS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+", name) for name in names)


def test_every_event_has_one_topic_and_its_tag() -> None:
    tags = [e.model_fields["type"].default for t in TOPICS for e in t.events]
    assert sorted(tags) == sorted(EVENTS)
    assert len(set(tags)) == len(tags)
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+\.v[1-9]", tag) for tag in tags)
    assert all(event.model_config["frozen"] for event in EVENTS.values())


def test_services_are_a_closed_list_and_nobody_hears_himself_but_for_the_heads() -> None:
    assert SERVICES == ("registry", "ingest", "publish", "audit", "qr")
    for topic in CARRYING:
        assert topic.producer in SERVICES
        assert set(topic.consumers) < set(SERVICES)
        # What audit keeps of its own trail's heads came by the bus as everybody's.
        assert topic.producer not in topic.consumers or topic.name == "audit.heads"
    # Alerts wait for their first reader, the cases; scans for audit.
    assert [t.name for t in CARRYING if not t.consumers] == ["sanwu.alerts", "sanwu.scans"]


def test_compacted_topics_are_configured_so_and_logs_are_kept_for_ever_but_for_scans() -> None:
    compacted = {t.name for t in TOPICS if t.compacted}
    assert compacted == {
        "sanwu.divisions",
        "sanwu.catalogue",
        "sanwu.staff",
        "sanwu.keys",
        "publish.keys",
        "sanwu.codes",
    }
    for topic in TOPICS:
        kept = "7776000000" if topic.name == "sanwu.scans" else "-1"  # 90 days
        policy = ("compact", None) if topic.compacted else ("delete", kept)
        assert (topic.config["cleanup.policy"], topic.config.get("retention.ms")) == policy


def test_keys_go_first_and_are_gone_within_the_hour() -> None:
    found = [t for t in TOPICS if t.first]
    assert [t.name for t in found] == ["sanwu.keys", "publish.keys"]
    for keys in found:
        assert keys.config["max.compaction.lag.ms"] == "3600000"
        assert keys.config["segment.ms"] == "600000"


@pytest.mark.parametrize("topic", CARRYING, ids=lambda t: t.name)
def test_schema_requires_the_tag_and_describes_every_event(topic: Topic) -> None:
    schema = topic_schema(topic)
    text = str(schema)
    assert schema["title"] == topic.name
    for event in topic.events:
        assert event.model_fields["type"].default in text
        assert event.__doc__ is not None
        assert str(event.model_fields["type"].default) in event.__doc__
    shapes = [schema] if len(topic.events) == 1 else schema["$defs"].values()
    branches = [shape for shape in shapes if "event_id" in shape.get("properties", {})]
    assert len(branches) == len(topic.events)
    assert all({"type", "event_id", "aggregate"} <= set(branch["required"]) for branch in branches)


def test_village_topics_always_name_the_village() -> None:
    for topic in TOPICS:
        if topic.key == "village_code":
            assert all(not _may_be_null(event) for event in topic.events)


def _may_be_null(event: type[Event]) -> bool:
    return "null" in str(event.model_json_schema()["properties"]["village_code"])
