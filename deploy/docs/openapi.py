"""OpenAPI 3.1 of each service: what FastAPI knows of its routes, set right where our answers differ from its own.

The application is built without a database: a route's form is known before anything is asked. Problems are
problem+json (RFC 9457) of `services.kit.web`, with the codes that stand in the service's `errors.py`.
"""

import copy
import inspect
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, SecretStr, TypeAdapter

from deploy.docs.routes import PARAMETERS, ROUTES, Told, who_in_words
from deploy.docs.text import as_json, first_sentence
from services.contracts.bodies import BODY
from services.contracts.topics import ServiceName
from services.kit import errors as common_errors
from services.kit.auth import TOKEN_COOKIE
from services.kit.clock import SystemClock
from services.kit.db import Database
from services.kit.errors import SanwuError
from services.kit.process import Service
from services.kit.reference import Reference
from services.kit.runtime import Runtime
from services.kit.web import SAFE_METHODS, current_actor

OPENAPI: Final = Path("docs/openapi")
_REF: Final = "#/components/schemas/{model}"
_PROBLEM_JSON: Final = "application/problem+json"
_FIRST_PROBLEM: Final = 400
#: RFC 9110's names. Python's own table differs from version to version, and documents must not.
PHRASES: Final = MappingProxyType(
    {
        200: "OK",
        201: "Created",
        202: "Accepted",
        204: "No Content",
        302: "Found",
        303: "See Other",
        307: "Temporary Redirect",
        400: "Bad Request",
        401: "Unauthorized",
        403: "Forbidden",
        404: "Not Found",
        405: "Method Not Allowed",
        409: "Conflict",
        410: "Gone",
        413: "Content Too Large",
        412: "Precondition Failed",
        415: "Unsupported Media Type",
        422: "Unprocessable Content",
        428: "Precondition Required",
        429: "Too Many Requests",
        500: "Internal Server Error",
        503: "Service Unavailable",
    }
)
_FAULT: Final = {
    "type": "object",
    "required": ["at", "message"],
    "properties": {
        "at": {"type": "string", "description": "the place in the input, as `body.lines[3].date`"},
        "message": {"type": "string", "description": "what is wrong and what to do, in Chinese"},
    },
}
_PROBLEM: Final = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `code` is for programs and stays; some codes bring members of their own.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {"type": "array", "items": _FAULT},
    },
}


class UntoldRouteError(Exception):
    """A route has no entry in `deploy/docs/routes.py`."""


# -- the application ----------------------------------------------------------------------------------------------


@cache
def application(service: ServiceName) -> FastAPI:
    """A service's routes, with nothing behind them."""
    definition: Service = import_module(f"services.{service}.__main__").SERVICE
    with tempfile.TemporaryDirectory() as home:
        settings = definition.settings(
            database_url=SecretStr("postgresql://nobody@localhost/none"),
            kafka="localhost:9092",
            http_port=0,
            home=Path(home),
        )
        database = Database(settings, service)
        runtime = Runtime(service, settings, database, SystemClock(), Reference(database))
        module = import_module(f"services.{service}.app")
        # Publish wraps its application into one that answers from rendered bodies.
        app = getattr(module, "create_behind", module.create_app)(runtime)
    assert isinstance(app, FastAPI)  # noqa: S101 - what create_app promises
    return app


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _calls(inner)


def signed_in_routes(service: ServiceName) -> set[str]:
    """Routes that ask who is there."""
    found = set()
    for route in iter_route_contexts(application(service).routes):
        dependant = getattr(route, "dependant", None)
        if dependant is not None and current_actor in set(_calls(dependant)):
            found |= {f"{method} {route.path_format}" for method in route.methods or ()}
    return found


# -- problems -----------------------------------------------------------------------------------------------------


def _errors_in(module: ModuleType) -> list[type[SanwuError]]:
    kinds = [k for k in vars(module).values() if inspect.isclass(k) and issubclass(k, SanwuError)]
    return [k for k in kinds if k.__module__ == module.__name__ and k is not SanwuError]


def codes(service: ServiceName) -> dict[int, dict[str, str]]:
    """Codes of a service's problems by status, each with its sentence."""
    found: dict[int, dict[str, str]] = {}
    for module in (common_errors, _errors_module(service)):
        for kind in _errors_in(module) if module is not None else ():
            found.setdefault(kind.status, {}).setdefault(kind.code, first_sentence(inspect.getdoc(kind)))
    return dict(sorted(found.items()))


def _errors_module(service: ServiceName) -> ModuleType | None:
    try:
        return import_module(f"services.{service}.errors")
    except ModuleNotFoundError:
        return None


def _problem_responses(service: ServiceName) -> dict[str, Any]:
    content = {_PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    found = {}
    for status, known in codes(service).items():
        told = "\n".join(f"- `{code}`: {sentence}" for code, sentence in known.items())
        found[f"Problem{status}"] = {"description": f"{PHRASES[status]}:\n\n{told}", "content": content}
    found["Problem"] = {"description": "Any other problem.", "content": content}
    return found


def _statuses(method: str, operation: Mapping[str, Any], told: Told) -> list[int]:
    """Which problems a route may answer with."""
    named = {p["name"] for p in operation.get("parameters", []) if p["in"] != "header"}
    in_path = any(p["in"] == "path" for p in operation.get("parameters", []))
    found = {503}
    if told.who:
        found |= {401, 403}
    if in_path or "division" in named:
        found.add(404)
    if named or "requestBody" in operation:
        found.add(422)
    if method not in SAFE_METHODS:
        found |= {409, 413, 422}
    return sorted(found - set(told.also))


# -- a document ---------------------------------------------------------------------------------------------------


class _Writer:
    """Goes over one service's document and sets it right."""

    def __init__(self, service: ServiceName) -> None:
        self._service = service
        self._document: dict[str, Any] = copy.deepcopy(application(service).openapi())
        self._schemas: dict[str, Any] = self._document["components"]["schemas"]
        self._signed_in = signed_in_routes(service)
        self._names: set[str] = set()

    def written(self) -> dict[str, Any]:
        """The whole document."""
        for path, operations in self._document["paths"].items():
            for method, operation in operations.items():
                self._operation(f"{method.upper()} {path}", operation)
        self._components()
        info = {
            "title": f"阳光三务 {self._service}",
            "version": self._document["info"]["version"],
            "description": self._about(),
            "license": {"name": "Apache-2.0"},
        }
        return {**self._document, "info": info, "servers": [{"url": "/"}]}

    def _about(self) -> str:
        package = inspect.getdoc(import_module(f"services.{self._service}")) or ""
        return (
            f"{package}\n\nWritten by `python -m deploy.docs` from the code. Money is `…_fen` (分), times RFC 3339, lists "
            '`{"items": […], "next": cursor or null}`. Errors are problem+json with a `code`.'
        )

    def _operation(self, name: str, operation: dict[str, Any]) -> None:
        told = ROUTES.get(name)
        if told is None:
            message = f"{name}: tell of it in deploy/docs/routes.py"
            raise UntoldRouteError(message)
        method, _, path = name.partition(" ")
        operation["operationId"] = self._short(operation["operationId"], path, method)
        operation["description"] = f"{operation.get('description', '')}\n\nWho: {who_in_words(told)}.".strip()
        operation["tags"] = [self._service]
        operation["x-roles"] = [role.value for role in told.who]
        if name in self._signed_in:
            operation["security"] = [{"bearer": []}, {"cookie": []}]
        if told.takes:
            content = {media: {"schema": schema} for media, schema in told.takes.items()}
            operation["requestBody"] = {"required": True, "content": content}
        for parameter in operation.get("parameters", []):
            name = parameter["name"]
            common = PARAMETERS.get(f"{self._service}.{name}") or PARAMETERS.get(name)
            if "description" not in parameter and common is not None:
                parameter["description"] = common
        self._answers(method, operation, told)

    def _short(self, operation_id: str, path: str, method: str) -> str:
        """The function's name, unless another route has it too."""
        tail = re.sub(r"\W", "_", f"{path}_{method.lower()}")
        short = operation_id.removesuffix(tail)
        chosen = operation_id if short in self._names else short
        self._names.add(chosen)
        return chosen

    def _answers(self, method: str, operation: dict[str, Any], told: Told) -> None:
        answers = operation["responses"]
        answers.pop("422", None)
        status, success = next(iter(answers.items()))
        success["description"] = PHRASES[int(status)]
        if told.gives:
            success["content"] = {media: {"schema": {"type": "string", "format": "binary"}} for media in told.gives}
        if told.items is not None:
            success["content"] = {"application/json": {"schema": self._list(told)}}
        for further, meaning in told.also.items():
            problem = further >= _FIRST_PROBLEM
            content = {_PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            answers[str(further)] = {"description": meaning, **({"content": content} if problem else {})}
        for code in _statuses(method, operation, told):
            answers[str(code)] = {"$ref": f"#/components/responses/Problem{code}"}
        answers["default"] = {"$ref": "#/components/responses/Problem"}

    def _list(self, told: Told) -> dict[str, Any]:
        assert told.items is not None  # noqa: S101 - asked before
        lists = {name: {"type": "array", "items": self._reference(model)} for name, model in told.beside.items()}
        return {
            "type": "object",
            "required": ["items", *lists, "next"],
            "properties": {
                "items": {"type": "array", "items": self._reference(told.items)},
                **lists,
                "next": {"type": ["string", "null"], "description": "cursor of what follows; null at the end"},
            },
        }

    def _reference(self, model: type[BaseModel] | Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(model, type):
            return dict(model)
        if model.__name__ not in self._schemas:
            schema = model.model_json_schema(mode="serialization", ref_template=_REF)
            self._schemas[model.__name__] = self._taken_in(schema, "Out")
        return {"$ref": _REF.format(model=model.__name__)}

    def _taken_in(self, schema: dict[str, Any], suffix: str) -> dict[str, Any]:
        """A schema whose `$defs` went to the components; a name that means another schema there gets the suffix."""
        known = schema.pop("$defs", {})
        renamed = {name: name + suffix for name, inner in known.items() if self._schemas.get(name, inner) != inner}
        text = json.dumps([schema, known])
        for old, new in renamed.items():
            text = text.replace(f'"{_REF.format(model=old)}"', f'"{_REF.format(model=new)}"')
        taken: dict[str, Any]
        taken, known = json.loads(text)
        self._schemas.update({renamed.get(name, name): inner for name, inner in known.items()})
        return taken

    def _components(self) -> None:
        for foreign in ("HTTPValidationError", "ValidationError"):
            self._schemas.pop(foreign, None)
        self._bodies()
        self._schemas["Problem"] = _PROBLEM
        self._document["components"] = {
            "schemas": dict(sorted(self._schemas.items())),
            "responses": _problem_responses(self._service),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "`access_token` of POST /registry/v1/sign-in, good for 15 minutes.",
                },
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": TOKEN_COOKIE,
                    "description": "The same token as pages hold it; unsafe methods only from our own pages.",
                },
            },
        }

    def _bodies(self) -> None:
        """A disclosure's content: routes take it as it comes, it is read by the kind of its item."""
        taking = [s for name, s in self._schemas.items() if name in {"DisclosureIn", "SaveIn", "CorrectIn"}]
        if not taking:
            return
        adapter: TypeAdapter[Any] = BODY
        schema = adapter.json_schema(mode="validation", ref_template=_REF)
        self._schemas["Body"] = self._taken_in(schema, "Body")
        for model in taking:
            nullable = "anyOf" in model["properties"]["body"]
            body = {"$ref": _REF.format(model="Body")}
            model["properties"]["body"] = {"anyOf": [body, {"type": "null"}]} if nullable else body


@cache
def document(service: ServiceName) -> dict[str, Any]:
    """A service's whole document."""
    return _Writer(service).written()


def openapi_text(service: ServiceName) -> str:
    """The document as it is checked in."""
    return as_json(document(service))
