"""What the OpenAPI documents say of reading routes, against what the services answer: who may, and in which shape."""

from typing import Any

import jsonschema_rs
import pytest

from deploy.docs.openapi import document
from services.contracts.base import Role
from services.contracts.topics import SERVICES, ServiceName
from tests.builders import STAFF
from tests.conftest import ServiceFactory
from tests.told import lists_of, operations, roles_of

#: What a route must be asked with.
QUERIES = {
    "GET /api/v1/changes/stream": {"seconds": "1"},
    "GET /audit/v1/coverage": {"period": "2026-10"},
    "GET /qr/v1/posters": {"division": "210881006206"},
    "GET /qr/v1/posters.zip": {"division": "210881006206"},
    "GET /qr/v1/posters/preview.png": {"division": "210881006206"},
}
#: One username of each role.
NAMES = {role: username for username, (role, _) in reversed(STAFF.items())}


def lists(name: ServiceName) -> list[str]:
    """Reading routes that need no place of anything that would have to exist."""
    return [f"GET {p}" for p, ops in document(name)["paths"].items() if "get" in ops and "{" not in p]


def schema_of(name: ServiceName, route: str) -> dict[str, Any]:
    told = document(name)
    content = told["paths"][route.removeprefix("GET ")]["get"]["responses"]["200"]["content"]
    return {"components": told["components"], **content["application/json"]["schema"]}


@pytest.mark.parametrize("name", SERVICES)
async def test_roles_that_are_named_may_read_and_no_others(service: ServiceFactory, name: ServiceName) -> None:
    served = await service(name)
    assert set(NAMES) == set(Role) - {Role.SYSTEM}
    for route in lists(name):
        for role, username in NAMES.items():
            answer = await served.client.get(
                route.removeprefix("GET "), params=QUERIES.get(route), headers=served.bearer(username)
            )
            who = roles_of(operations(name)[route])
            allowed = not who or role in who
            refused = answer.status_code == 403 and "required_roles" in answer.json()
            assert refused is not allowed, (route, role, answer.text)


@pytest.mark.parametrize("name", SERVICES)
async def test_lists_have_the_shape_that_is_told(service: ServiceFactory, name: ServiceName) -> None:
    served = await service(name)
    for route in set(lists(name)) & set(lists_of(name)):
        reader = NAMES[(roles_of(operations(name)[route]) or (Role.OPERATOR,))[-1]]
        answer = await served.client.get(
            route.removeprefix("GET "), params=QUERIES.get(route), headers=served.bearer(reader)
        )
        assert answer.status_code == 200, (route, answer.text)
        jsonschema_rs.validate(schema_of(name, route), answer.json())


@pytest.mark.parametrize("name", SERVICES)
async def test_nobody_reads_without_signing_in_where_roles_are_named(
    service: ServiceFactory, name: ServiceName
) -> None:
    served = await service(name)
    for route in lists(name):
        answer = await served.client.get(route.removeprefix("GET "), params=QUERIES.get(route))
        assert (answer.status_code == 401) is bool(roles_of(operations(name)[route])), (route, answer.text)
