"""OpenAPI 3.1 of each service, as FastAPI makes it of the routes and what they declare (`services.kit.route`).

The application is built without a database: a route's form is known before anything is asked.
"""

import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from pydantic import SecretStr

from deploy.docs.text import as_json
from services.contracts.topics import ServiceName
from services.kit.clock import SystemClock
from services.kit.db import Database
from services.kit.encoded import base64url_of
from services.kit.keypair import public_half
from services.kit.reference import Reference
from services.kit.runtime import Runtime
from services.kit.service import AnyService

OPENAPI: Final = Path("docs/openapi")


@cache
def application(service: ServiceName) -> FastAPI:
    """A service's routes, with nothing behind them."""
    definition: AnyService = import_module(f"services.{service}.__main__").SERVICE
    clock, root = SystemClock(), Ed25519PrivateKey.generate()
    with tempfile.TemporaryDirectory() as home:
        settings = definition.settings(
            database_url=SecretStr("postgresql://nobody@localhost/none"),
            kafka="localhost:9092",
            kafka_username=service,
            kafka_password=SecretStr("none"),
            registry_root=(public_half(root),),
            registry_root_key=SecretStr(base64url_of(root.private_bytes_raw())),
            http_port=0,
            home=Path(home),
        )
        database = Database(settings, service)
        reference = Reference(database)
        own = definition.make_own(settings, database, clock, reference)
        runtime = Runtime(service, settings, database, clock, reference, own)
        module = import_module(f"services.{service}.app")
        # Publish wraps its application into one that answers from rendered bodies.
        app = getattr(module, "create_behind", module.create_app)(runtime)
    assert isinstance(app, FastAPI)  # noqa: S101 - what create_app promises
    return app


def document(service: ServiceName) -> dict[str, Any]:
    """A service's OpenAPI document, as a value."""
    return application(service).openapi()


def openapi_text(service: ServiceName) -> str:
    """The document as it is checked in."""
    return as_json(document(service))
