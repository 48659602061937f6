"""Generated documents: current, well formed, and nothing of the code is missing in them."""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from prometheus_client import REGISTRY

from deploy.docs import ROOT, stale
from deploy.docs.openapi import application
from deploy.docs.reference import front_placeholders, placeholders, settings_of, variable
from services.contracts.base import Role
from services.contracts.topics import EVENTS, SERVICES, TOPICS, ServiceName
from services.kit.problems import codes
from tests.house.rights import RIGHTS
from tests.told import roles_of

OPENAPI = {name: json.loads((ROOT / f"docs/openapi/{name}.json").read_text("utf-8")) for name in SERVICES}
ASYNCAPI: dict[str, Any] = json.loads((ROOT / "docs/asyncapi.json").read_text("utf-8"))


def text_of(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def references(value: Any) -> list[str]:
    """Every `$ref` below a value."""
    if isinstance(value, dict):
        here = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return [*here, *(r for inner in value.values() for r in references(inner))]
    return [r for inner in value for r in references(inner)] if isinstance(value, list) else []


def resolve(document_: Any, reference: str) -> Any:
    place = document_
    for part in reference.removeprefix("#/").split("/"):
        place = place[part]
    return place


def operations(name: ServiceName) -> dict[str, dict[str, Any]]:
    return {f"{m.upper()} {p}": op for p, ops in OPENAPI[name]["paths"].items() for m, op in ops.items()}


def test_every_generated_document_is_what_the_code_says() -> None:
    assert stale() == {}, "run python -m deploy.docs"


# -- OpenAPI ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_openapi_is_well_formed(name: ServiceName) -> None:
    told = OPENAPI[name]
    assert told["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(told).validate()
    for reference in references(told):
        assert resolve(told, reference) is not None
    for schema in told["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator({"components": told["components"], **schema})
    names = [op["operationId"] for op in operations(name).values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", SERVICES)
def test_openapi_holds_every_route_of_the_api_and_no_page(name: ServiceName) -> None:
    told = set(operations(name))
    assert told
    assert not [
        r
        for r in told
        if re.search(r"/(desk|inspect|posters|admin|sign-in|livez|readyz|metrics)$", r) and "v1" not in r
    ]
    assert set(application(name).openapi()["paths"]) == set(OPENAPI[name]["paths"])


@pytest.mark.parametrize("name", SERVICES)
def test_routes_that_ask_who_is_there_say_so_and_name_roles(name: ServiceName) -> None:
    for route, operation in operations(name).items():
        who = frozenset[Role]().union(*(row.who for row in RIGHTS[name] if row.route == route))
        assert who <= set(roles_of(operation)), route
        assert bool(roles_of(operation)) is bool(who), route
        assert ("401" in operation["responses"]) is (bool(who) or route == "POST /registry/v1/sign-in"), route


@pytest.mark.parametrize("name", SERVICES)
def test_every_parameter_says_what_it_is(name: ServiceName) -> None:
    told = [(route, p) for route, op in operations(name).items() for p in op.get("parameters", [])]
    assert [(route, p["name"]) for route, p in told if not p.get("description")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_refusals_are_problems_and_every_code_of_the_service_stands_there(name: ServiceName) -> None:
    told = OPENAPI[name]
    assert "HTTPValidationError" not in json.dumps(told)
    for operation in operations(name).values():
        for status, answer in operation["responses"].items():
            full = resolve(told, answer["$ref"]) if "$ref" in answer else answer
            if status.startswith(("4", "5")):
                assert list(full["content"]) == ["application/problem+json"]
    for status, known in codes(import_module(f"services.{name}.errors")).items():
        described = told["components"]["responses"][f"Problem{status}"]["description"]
        assert [code for code in known if f"`{code}`" not in described] == []


def test_the_content_of_a_disclosure_is_told_by_kind() -> None:
    schemas = OPENAPI["ingest"]["components"]["schemas"]
    assert sorted(schemas["DisclosureIn"]["properties"]["body"]["discriminator"]["mapping"]) == [
        "contract",
        "decision",
        "ledger",
        "notice",
        "project",
        "roster",
        "table",
    ]


def test_a_name_of_a_schema_means_one_thing() -> None:
    """`Decision` is what is decided of a waiver; a decision that is disclosed has the same name in the code."""
    told = OPENAPI["ingest"]
    parameters = operations("ingest")["POST /ingest/v1/waivers/{waiver_id}/{decision}"]["parameters"]
    decision = next(p for p in parameters if p["name"] == "decision")
    assert resolve(told, decision["schema"]["$ref"])["enum"] == ["grant", "refuse", "end"]
    body = told["components"]["schemas"]["DisclosureIn"]["properties"]["body"]
    kind = body["discriminator"]["mapping"]["decision"]
    assert "meeting" in resolve(told, kind)["properties"]


# -- AsyncAPI -----------------------------------------------------------------------------------------------------


def test_asyncapi_is_well_formed() -> None:
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    for reference in references(ASYNCAPI):
        assert resolve(ASYNCAPI, reference) is not None
    for schema in ASYNCAPI["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator({"components": ASYNCAPI["components"], **schema})


def test_every_topic_is_a_channel_with_its_writer_readers_and_events() -> None:
    channels = {c["address"]: (name, c) for name, c in ASYNCAPI["channels"].items()}
    assert list(channels) == [t.name for t in TOPICS]
    for topic in TOPICS:
        name, channel = channels[topic.name]
        told = {
            (op["action"], op["tags"][0]["name"])
            for op in ASYNCAPI["operations"].values()
            if op["channel"]["$ref"] == f"#/channels/{name}"
        }
        assert told == {("send", topic.producer), *(("receive", c) for c in topic.consumers)}
        if topic.events:
            assert list(channel["messages"]) == [e.model_fields["type"].default for e in topic.events]


def test_every_event_is_a_message_whose_schema_takes_its_golden_example() -> None:
    messages = ASYNCAPI["components"]["messages"]
    assert set(messages) == {*EVENTS, "dead-letter"}
    seen = set()
    for path in sorted(Path(ROOT / "services/contracts/examples").rglob("*.json")):
        example = json.loads(path.read_text("utf-8"))
        if not isinstance(example, dict) or example.get("type") not in EVENTS:
            continue
        schema = {"components": ASYNCAPI["components"], **messages[example["type"]]["payload"]}
        jsonschema_rs.validate(schema, example)
        seen.add(example["type"])
    assert seen == set(EVENTS)


# -- settings, metrics --------------------------------------------------------------------------------------------


def test_every_setting_has_its_row() -> None:
    text = text_of("settings.md")
    for name in SERVICES:
        for field, told in settings_of(name).model_fields.items():
            assert f"| `{variable(field)}` |" in text
            assert told.description, field
            assert told.description in text
    assert {"SANWU_LISTEN", "SANWU_CERTIFICATE"} <= set(front_placeholders())
    for placeholder in (*placeholders(), *front_placeholders()):
        assert f"| `{placeholder}` |" in text


def test_every_metric_that_a_process_shows_has_its_row() -> None:
    for name in SERVICES:
        import_module(f"services.{name}.__main__")
    text = text_of("metrics.md")
    for metric in REGISTRY.collect():
        shown = f"{metric.name}_total" if metric.type == "counter" else metric.name
        if not shown.startswith(("python_", "process_")):
            assert f"| `{shown}` | {metric.type} |" in text
            assert metric.documentation


# -- the map and the page -----------------------------------------------------------------------------------------


def test_the_map_names_every_topic_and_event() -> None:
    text = text_of("map.md")
    assert [t.name for t in TOPICS if f"| `{t.name}` |" not in text] == []
    assert [tag for tag in EVENTS if f"`{tag}`" not in text] == []


def test_the_page_names_the_five_services_and_needs_nothing_foreign() -> None:
    page = text_of("site/index.html")
    assert re.findall(r"<style|style=|https?://| on\w+=|javascript:", page) == []
    assert set(re.findall(r"(?:src|href)=\"(/[^\"]*)\"", page)) == {
        *(f"/docs/{name}" for name in ("page.css", "page.js", "swagger-ui.css", "swagger-ui-bundle.js")),
        "/docs/asyncapi.json",
        *(f"/docs/openapi/{name}.json" for name in SERVICES),
    }
    # Scripts in files alone: the gateway lets no other run.
    assert len(re.findall(r"<script", page)) == len(re.findall(r"<script src=\"[^\"]+\" defer></script>", page)) == 2
    chinese, english = re.findall(r"<header lang=.*?</header>", page, re.DOTALL)
    for name in SERVICES:
        assert f'href="?service={name}"' in chinese
        assert f'href="?service={name}&amp;lang=en"' in english
