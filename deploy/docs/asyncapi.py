"""AsyncAPI 3.0 of the topics: channels, what each service sends and receives, messages with their schemas."""

import inspect
import json
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from deploy.docs.text import as_json, first_sentence
from services.contracts.base import Event
from services.contracts.topics import EVENTS, TOPICS, Topic

#: One golden example of each event, by topic and tag.
_EXAMPLES: Final = Path(__file__).resolve().parents[2] / "services/contracts/examples"
_BINDING: Final = "0.5.0"
_HEADERS: Final = {
    "type": "object",
    "description": "Kafka headers; the value repeats them.",
    "required": ["id", "type", "aggregate", "aggregate_id", "aggregate_version"],
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "event_id"},
        "type": {"type": "string", "description": "the event's tag"},
        "aggregate": {"type": "string"},
        "aggregate_id": {"type": "string"},
        "aggregate_version": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        "content-type": {"type": "string", "const": "application/json"},
        "signature": {
            "type": "string",
            "description": "on signed topics: Ed25519 by the registry's root key over topic, key, value and headers, base64url",
        },
    },
}
_DEAD_LETTER: Final = {
    "name": "dead letter",
    "title": "Dead letter",
    "summary": "A record that could not be used, as it came in, with why in its headers.",
    "contentType": "application/json",
    "payload": {"description": "the value of the record that was set aside"},
}


def _tag(event: type[Event]) -> str:
    tag: str = event.model_fields["type"].default
    return tag


def _message(event: type[Event], topic: Topic, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": _tag(event),
        "title": event.__name__,
        "summary": first_sentence(inspect.getdoc(event)),
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/KafkaHeaders"},
        "payload": schema,
        "examples": [{"payload": _example(event, topic)}],
        "bindings": {
            "kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": _BINDING},
        },
    }


def _example(event: type[Event], topic: Topic) -> Any:
    return json.loads((_EXAMPLES / topic.name / f"{_tag(event)}.json").read_text("utf-8"))


def _channel(topic: Topic) -> dict[str, Any]:
    names = [_tag(event) for event in topic.events] or ["dead-letter"]
    kept = topic.config
    configuration: dict[str, Any] = {"cleanup.policy": [kept["cleanup.policy"]]}
    for name in ("retention.ms", "delete.retention.ms"):
        if name in kept:
            configuration[name] = int(kept[name])
    policy = (
        "Compacted: the newest event of every key; a null value says that the key is gone." if topic.compacted else ""
    )
    signed = "Counts only with the root key's signature in the header `signature`." if topic.signed else ""
    return {
        "address": topic.name,
        "title": topic.name,
        "description": " ".join(
            filter(None, [f"Keyed by {topic.key}. Written by {topic.producer} alone.", policy, signed])
        ),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": configuration,
                "bindingVersion": _BINDING,
            },
        },
    }


def _channel_name(topic: Topic) -> str:
    return topic.name.replace(".", "-")


def _operations(topic: Topic) -> dict[str, Any]:
    """One operation for the writer and one for each reader."""
    name = _channel_name(topic)
    found = {}
    for service, action in ((topic.producer, "send"), *((c, "receive") for c in topic.consumers)):
        found[f"{service}-{action}-{name}"] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{name}"},
            "title": f"{service} {'writes' if action == 'send' else 'reads'} {topic.name}",
            "tags": [{"name": service}],
            "messages": [{"$ref": f"#/channels/{name}/messages/{_tag(event)}"} for event in topic.events]
            or [{"$ref": f"#/channels/{name}/messages/dead-letter"}],
        }
    return found


def document() -> dict[str, Any]:
    """The AsyncAPI document of all topics and events, as a value."""
    references, schemas = models_json_schema(
        [(event, "serialization") for event in EVENTS.values()], ref_template="#/components/schemas/{model}"
    )
    messages: dict[str, Any] = {}
    for topic in TOPICS:
        for event in topic.events:
            messages[_tag(event)] = _message(event, topic, references[event, "serialization"])
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "阳光三务 events",
            "version": "0.1.0",
            "description": (
                "What the five services tell each other over Apache Kafka; nothing else passes between them. Written by "
                "`python -m deploy.docs` from services/contracts. Delivery is at least once and in order per key; "
                "`event_id` tells repetitions. Each service comes by SASL/SCRAM-SHA-512 under its own name. Sealed parts are AES-256-GCM under the aggregate's key in sanwu.keys."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_channel_name(topic): _channel(topic) for topic in TOPICS},
        "operations": {name: told for topic in TOPICS for name, told in _operations(topic).items()},
        "components": {
            "messages": {**messages, "dead-letter": _DEAD_LETTER},
            "schemas": {"KafkaHeaders": _HEADERS, **schemas.get("$defs", {})},
        },
    }


def asyncapi_text() -> str:
    """The document as it is checked in."""
    return as_json(document())
