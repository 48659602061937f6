"""What travels: the JSON Schema of every topic, and the map of services and topics."""

from pathlib import Path
from typing import Final

from deploy.docs.text import as_json, table
from services.contracts.topics import SERVICES, TOPICS, Topic, topic_schema

_HEAD: Final = ("topic", "key", "partitions", "producer", "consumers", "events", "policy", "schema")
SCHEMAS: Final = Path("services/contracts/schemas")


def schema_text(topic: Topic) -> str:
    """Write the JSON Schema of everything that travels on a topic."""
    return as_json(topic_schema(topic))


def _policy(topic: Topic) -> str:
    if not topic.compacted:
        return (
            "kept for ever" if topic.config.get("retention.ms") == "-1" else f"kept {topic.config['retention.ms']} ms"
        )
    return ", ".join(["compacted", *(["sent first"] if topic.first else []), *(["signed"] if topic.signed else [])])


def _row(topic: Topic) -> list[str]:
    events = " ".join(f"`{event.model_fields['type'].default}`" for event in topic.events)
    schema = f"[schema](../{SCHEMAS.as_posix()}/{topic.name}.v1.json)" if topic.events else "–"
    readers = ", ".join(topic.consumers)
    key, partitions = f"`{topic.key}`", str(topic.partitions)
    return [f"`{topic.name}`", key, partitions, topic.producer, readers, events, _policy(topic), schema]


def _node(topic: Topic) -> str:
    return topic.name.replace(".", "_")


def _flow(topic: Topic) -> list[str]:
    reads = [f"  {_node(topic)} --> {reader}" for reader in topic.consumers]
    return [f'  {topic.producer} --> {_node(topic)}(["{topic.name}"])', *reads]


def map_text() -> str:
    """Draw services and topics (mermaid), and list every topic."""
    # Dead letters would hide the picture behind five more arrows; the table has them.
    travelled = [topic for topic in TOPICS if topic.events]
    lines = [
        "# Map",
        "",
        "Written by `python -m deploy.docs` from `services/contracts/topics.py`; do not edit.",
        "",
        "Boxes are services, rounded boxes are topics; each topic has one writer. Dead letters are in the table alone.",
        "Kafka lets each service write and read what stands here and nothing else (`deploy/local/rights.py` makes its rights",
        "of it). Records of a `signed` topic count only when the registry's root key signed them.",
        "",
        "```mermaid",
        "flowchart LR",
        *(f"  {name}[{name}]" for name in SERVICES),
        *(line for topic in travelled for line in _flow(topic)),
        "```",
        "",
        *table(_HEAD, map(_row, TOPICS)),
    ]
    return "\n".join(lines) + "\n"
