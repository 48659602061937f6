"""Requests that nobody would write, made from the OpenAPI documents and sent signed in: what may come back is told there.

Every operation gets requests that keep to its schema and requests that break it. Half of them name things that exist,
so that they get as far as the database.
"""

import copy
import random
from typing import Any, Final

import httpx2
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import content_type_conformance, response_schema_conformance

from deploy.docs.openapi import document
from services.contracts.base import Role
from services.contracts.topics import SERVICES, ServiceName
from tests.builders import STAFF
from tests.conftest import Served, ServiceFactory
from tests.flows.things import Known, bearer, things_for
from tests.told import operations, roles_of

#: Requests of each sort an operation gets.
EXAMPLES: Final = 8
BASE: Final = "http://127.0.0.1:8000"
SCHEMAS: Final = {name: schemathesis.openapi.from_dict(document(name)) for name in SERVICES}
#: Reading first, see `things_for`.
OPERATIONS: Final = sorted(
    (
        (name, f"{method.upper()} {path}")
        for name in SERVICES
        for path, operations in document(name)["paths"].items()
        for method in operations
    ),
    key=lambda operation: not operation[1].startswith("GET "),
)
NAMES: Final[dict[Role, list[str]]] = {
    role: [u for u, (r, _) in STAFF.items() if r is role] for role in Role if role is not Role.SYSTEM
}


def cases(name: ServiceName, route: str, mode: GenerationMode) -> list[Any]:
    """Requests that schemathesis makes for a route, the same ones in every run."""
    method, _, path = route.partition(" ")
    found: list[Any] = []

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(SCHEMAS[name][path][method].as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        found.append(case)

    try:
        collect()
    except Unsatisfiable:
        # Any text is a good place in a path: such a route cannot be asked wrongly.
        assert mode is GenerationMode.NEGATIVE
    return found


def name_things(value: Any, known: Known, dice: random.Random, share: float) -> None:
    """Put names of things that exist where the request names one."""
    for name, inner in list(value.items()) if isinstance(value, dict) else ():
        if name in known and known[name] and dice.random() < share:
            value[name] = copy.deepcopy(dice.choice(known[name]))
        else:
            name_things(inner, known, dice, share)
    for inner in value if isinstance(value, list) else ():
        name_things(inner, known, dice, share)


def shorten(query: Any) -> None:
    """A stream of an hour is not heard to its end; what is no time stays so."""
    told = query.get("seconds", 3600)
    if str(told).isdecimal() and 0 < int(told) <= 3600:
        query["seconds"] = 1


def sender(name: ServiceName, route: str, dice: random.Random) -> str:
    """Mostly one of those who may."""
    if "/account" in route:
        return "anna"
    everybody = tuple(NAMES)
    who = roles_of(operations(name)[route]) or everybody
    return dice.choice(NAMES[dice.choice(who if dice.random() < 0.9 else everybody)])


async def send(served: Served, case: Any, username: str) -> httpx2.Response:
    prepared: Any = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    for made_up in ("authorization", "cookie"):
        prepared.headers.pop(made_up, None)
    headers = {**prepared.headers, **bearer(served, username)}
    # Names and values as they are: the client would refuse what is not ASCII.
    sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return await served.client.request(prepared.method, prepared.url, headers=sent, content=prepared.body)


def check(name: ServiceName, route: str, case: Any, answer: httpx2.Response) -> None:
    """What the document says of this status, of its code and of its body."""
    method, _, path = route.partition(" ")
    told = document(name)["paths"][path][method.lower()]["responses"]
    about = (route, case, answer.status_code, answer.text[:500])
    assert answer.status_code < 500, about
    assert str(answer.status_code) in told, about
    if answer.status_code >= 400:
        meaning = told[str(answer.status_code)]
        shared = document(name)["components"]["responses"].get(meaning.get("$ref", "").rpartition("/")[2], meaning)
        assert f"`{answer.json()['code']}`" in shared["description"], about
    case.validate_response(answer, checks=[content_type_conformance, response_schema_conformance])


@pytest.mark.parametrize(("name", "route"), OPERATIONS)
async def test_whatever_is_asked_is_answered_as_the_document_says(
    service: ServiceFactory, name: ServiceName, route: str
) -> None:
    served = await service(name)
    dice = random.Random(route)  # noqa: S311 - the same requests in every run
    statuses = set()
    known = await things_for(served, name, route)
    # What keeps to the schema names mostly things that exist, what breaks it half of the time.
    for mode, share in ((GenerationMode.POSITIVE, 0.9), (GenerationMode.NEGATIVE, 0.5)):
        for case in cases(name, route, mode):
            for place in (case.path_parameters, case.query, case.body):
                name_things(place, known, dice, share)
            if route.endswith("/stream"):
                shorten(case.query)
            answer = await send(served, case, sender(name, route, dice))
            check(name, route, case, answer)
            statuses.add(answer.status_code)
    assert statuses - {401, 403}, "nothing got further than the door"
