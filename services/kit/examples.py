"""Examples of bodies: one of each model in `examples.json` beside a service's schemas, nulls and all in its OpenAPI document."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi._compat import get_flat_models_from_fields, get_model_name_map
from fastapi.openapi.utils import get_fields_from_routes


def read_examples(schemas: str) -> Callable[[str], dict[str, Any]]:
    """For the file of a service's schemas: gives each model, by its name, its example as `json_schema_extra` takes it."""
    known = json.loads(Path(schemas).with_name("examples.json").read_text("utf-8"))
    return lambda model: {"examples": [known[model]]}


def restore_nulls(app: FastAPI, document: dict[str, Any]) -> None:
    """Put the examples of an application's models back as they are: FastAPI drops every null of its document.

    An example without a member that is required and null would not fit its own schema.
    """
    schemas = document.get("components", {}).get("schemas", {})
    models = get_flat_models_from_fields(get_fields_from_routes(app.routes), known_models=set())
    for model, name in get_model_name_map(models).items():
        extra = getattr(model, "model_config", {}).get("json_schema_extra")
        # A model that is read otherwise than it is written stands there twice.
        for each in (name, f"{name}-Input", f"{name}-Output"):
            if isinstance(extra, dict) and "examples" in schemas.get(each, {}):
                schemas[each]["examples"] = extra["examples"]
