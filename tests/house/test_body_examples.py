"""Every body of the API has an example, so that a viewer shows one for every route: whole, and true to its schema."""

import inspect
import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel

from deploy.docs import ROOT
from services.contracts.bodies import BODY
from services.contracts.catalogue import CalendarYear, Profile
from services.contracts.topics import SERVICES, ServiceName
from services.kit.trail import ActionOut


def models(name: ServiceName) -> list[type[BaseModel]]:
    """Models of a service's bodies; queries are no bodies."""
    schemas = import_module(f"services.{name}.schemas")
    own = [
        m
        for n, m in vars(schemas).items()
        if inspect.isclass(m) and m.__module__ == schemas.__name__ and n.isidentifier()
    ]
    return [m for m in own if issubclass(m, BaseModel) and not m.__name__.startswith("_") and "Query" not in m.__name__]


MODELS = [*(m for name in SERVICES for m in models(name)), ActionOut, CalendarYear, Profile]


def examples_of(model: type[BaseModel]) -> list[Any]:
    extra = model.model_config.get("json_schema_extra")
    assert isinstance(extra, dict), f"{model.__name__} has no example"
    found = extra["examples"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.__module__}.{m.__name__}")
def test_every_body_has_an_example_of_its_own_that_is_whole(model: type[BaseModel]) -> None:
    inherited = [b.model_config.get("json_schema_extra") for b in model.__mro__[1:] if issubclass(b, BaseModel)]
    assert model.model_config.get("json_schema_extra") not in inherited
    for example in examples_of(model):
        read = model.model_validate_json(json.dumps(example))
        # What comes in may leave out what has a default; what goes out is always all there, written as it is sent.
        if model.model_config.get("extra") != "forbid":
            assert read.model_dump(mode="json") == example


def test_the_accounts_of_the_examples_add_up() -> None:
    ingest = import_module("services.ingest.schemas")
    for model in (ingest.DisclosureIn, ingest.SaveIn, ingest.CorrectIn, ingest.DetailOut):
        for example in examples_of(model):
            assert BODY.validate_python(example["body"]).findings("2026-10") == ()


# -- as the documents have them -----------------------------------------------------------------------------------


class NoExampleError(Exception):
    """Neither a schema nor its parts have one."""


def example_of(told: dict[str, Any], schema: dict[str, Any]) -> Any:
    """As a viewer finds it: the schema's own, else made of those of its parts."""
    if "$ref" in schema:
        return example_of(told, told["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "examples" in schema:
        return schema["examples"][0]
    for choice in schema.get("anyOf", ()):
        try:
            return example_of(told, choice)
        except NoExampleError:
            continue
    kinds = schema.get("type", [])
    if kinds == "array":
        return [example_of(told, schema["items"])]
    if kinds == "object" and "properties" in schema:
        return {name: example_of(told, inner) for name, inner in schema["properties"].items()}
    if kinds == "null" or "null" in kinds:
        return None
    raise NoExampleError


def bodies(told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON body by its route: what is sent, and every answer of success."""
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            route = f"{method.upper()} {path}"
            answers = [a for status, a in operation["responses"].items() if status.startswith("2")]
            for each in (operation.get("requestBody", {}), *answers):
                if "application/json" in each.get("content", {}):
                    yield route, each["content"]["application/json"]["schema"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_route_has_an_example_of_its_request_and_of_its_answer(name: ServiceName) -> None:
    told = json.loads((ROOT / f"docs/openapi/{name}.json").read_text("utf-8"))
    seen, without = 0, set()
    for route, schema in bodies(told):
        try:
            example = example_of(told, schema)
        except NoExampleError:
            without.add(route)
            continue
        whole = {"components": told["components"], **schema}
        jsonschema_rs.validator_for(whole, validate_formats=True).validate(example)
        seen += 1
    assert without == set()
    assert seen > 3


@pytest.mark.parametrize("name", SERVICES)
def test_every_example_in_a_document_fits_the_schema_that_it_stands_in(name: ServiceName) -> None:
    told = json.loads((ROOT / f"docs/openapi/{name}.json").read_text("utf-8"))
    checked = 0
    for schema in told["components"]["schemas"].values():
        validator = jsonschema_rs.validator_for({"components": told["components"], **schema}, validate_formats=True)
        for example in schema.get("examples", ()):
            validator.validate(example)
            checked += 1
    assert checked > 3
