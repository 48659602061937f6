"""What the OpenAPI documents tell, for tests that compare it with answers."""

from typing import Any

from deploy.docs.openapi import document
from services.contracts.base import Role
from services.contracts.topics import ServiceName


def operations(name: ServiceName) -> dict[str, dict[str, Any]]:
    """What is told of each route, by method and path."""
    return {f"{m.upper()} {p}": op for p, ops in document(name)["paths"].items() for m, op in ops.items()}


def roles_of(operation: dict[str, Any]) -> tuple[Role, ...]:
    """Who may call a route; nobody named: everybody, without signing in."""
    return tuple(Role(name) for way in operation.get("security", ())[:1] for name in way["bearer"])


def lists_of(name: ServiceName) -> list[str]:
    """Routes that answer with a list."""
    shapes = {route: op["responses"].get("200", {}).get("content", {}) for route, op in operations(name).items()}
    return [
        r for r, of in shapes.items() if "Listing" in of.get("application/json", {}).get("schema", {}).get("$ref", "")
    ]
