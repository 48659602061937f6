"""Every route of the five applications, asked through the real gateway as people do: as nobody and as every role.

Each role asks inside its scope and outside it.
"""

from collections import Counter

import httpx2
import pytest
from fastapi.routing import iter_route_contexts

from deploy.docs.openapi import application
from services.contracts.base import Role
from services.contracts.topics import SERVICES, ServiceName
from services.registry.visit import make_own
from tests.builders import VILLAGE, staff_id
from tests.house.rights import RIGHTS, Row
from tests.house.stage import INSIDE, OUTSIDE, STRANGERS, Stage, filled
from tests.registry.accounts import OWN_PAGE

#: For the machines behind the gateway, which keeps them from everybody else.
INNER = {f"GET /{name}" for name in ("livez", "readyz", "metrics")}
ROWS = [
    pytest.param(name, row, id=f"{name} {row.route} {' '.join(row.at.values())}")
    for name in SERVICES
    for row in RIGHTS[name]
    if row.route not in INNER
]


def routes_of(name: ServiceName) -> set[str]:
    """Every route with its method, those of included and mounted applications too."""
    found: set[str] = set()
    for route in iter_route_contexts(application(name).routes):
        path = getattr(route, "path_format", None) or route.path
        found |= {f"{method} {path}" for method in getattr(route, "methods", None) or ("MOUNT",)}
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_every_route_has_a_row_and_every_row_a_route(name: ServiceName) -> None:
    assert routes_of(name) == {row.route for row in RIGHTS[name]}


def test_everybody_is_there() -> None:
    assert set(INSIDE) == set(OUTSIDE) == set(Role) - {Role.SYSTEM}


async def ask(gate: httpx2.AsyncClient, stage: Stage, row: Row, who: str | None) -> int:
    """The status that somebody gets at the gateway; what was changed is put back."""
    method, _, path = row.route.partition(" ")
    for place, value in row.at.items():
        path = path.replace(f"{{{place}}}", str(filled(stage, value)))
    sent = {name: filled(stage, value) for name, value in row.sent.items()}
    headers = {**OWN_PAGE, **(stage.served.bearer(who) if who is not None else {})}
    answer = await gate.request("GET" if method == "MOUNT" else method, path, headers=headers, **sent)
    assert answer.status_code < 500, (row.route, who, answer.text)
    if method in {"POST", "PUT", "DELETE"} and answer.status_code < 400:
        await stage.tables.put_back()
    return answer.status_code


@pytest.mark.parametrize("name", SERVICES)
async def test_health_is_for_the_machines_behind_the_gateway(
    gate: httpx2.AsyncClient, stages: dict[ServiceName, Stage], name: ServiceName
) -> None:
    for route in INNER:
        path = route.removeprefix("GET ")
        assert (await stages[name].served.client.get(path)).status_code == 200
        assert (await gate.get(path, headers=stages[name].served.bearer(INSIDE[Role.OPERATOR]))).status_code == 404


@pytest.mark.parametrize(("name", "row"), ROWS)
async def test_roles_get_what_the_table_says_and_no_more(
    gate: httpx2.AsyncClient, stages: dict[ServiceName, Stage], name: ServiceName, row: Row
) -> None:
    stage, wrong = stages[name], []
    statuses: Counter[str] = Counter()
    for who, expected in askers(row):
        status = await ask(gate, stage, row, who)
        got = {401: "unknown", 403: "refused"}.get(status, "allowed")
        if expected == "hidden" and status == 404:
            got = "hidden"
        statuses["works"] += expected == "allowed" and status < 400
        if got != expected:
            wrong.append((who, expected, status))
    assert wrong == []
    assert bool(statuses["works"]) is row.works


def askers(row: Row) -> list[tuple[str | None, str]]:
    """Who asks, and what they get."""
    if not row.who:
        return [(None, "allowed"), (INSIDE[Role.CLERK], "allowed")]
    elsewhere = "allowed" if row.outside == "same" else row.outside
    inside = [(name, "allowed" if role in row.who else "refused") for role, name in INSIDE.items()]
    outside = [(name, elsewhere if role in row.who else "refused") for role, (name, _) in OUTSIDE.items()]
    strangers = (
        [(n, row.outside if r in row.who else "refused") for r, (n, _) in STRANGERS.items()] if row.affair else []
    )
    return [(None, "unknown"), *inside, *outside, *strangers]


@pytest.mark.parametrize(
    ("path", "waiver"),
    [("/ingest/v1/waivers", "账册送审计"), ("/desk/waivers", "账册送审计"), ("/desk", "有 1 份申请等您决定")],
)
async def test_lists_hold_nothing_of_affairs_that_are_not_ones_own(
    gate: httpx2.AsyncClient, stages: dict[ServiceName, Stage], path: str, waiver: str
) -> None:
    stage = stages["ingest"]
    told = await gate.get(path, headers=stage.served.bearer(INSIDE[Role.REVIEWER]))
    assert waiver in told.text
    for name, _ in STRANGERS.values():
        answer = await gate.get(path, headers=stage.served.bearer(name))
        assert waiver not in answer.text


#: What leaves as a file or on paper, with what the trail calls it.
EXPORTED = [
    ("ingest", "GET /ingest/v1/attachments/{digest}", "attachment", "attachment/"),
    ("ingest", "GET /desk/attachments/{digest}", "attachment", "attachment/"),
    ("ingest", "GET /desk/disclosures/{disclosure_id}/sheet", "submitted", "disclosure/"),
    ("qr", "GET /qr/v1/codes/{code}.svg", "code", "code/"),
    ("qr", "GET /qr/v1/codes/{code}.png", "code", "code/"),
    ("qr", "GET /qr/v1/codes/{code}/photograph", "hung", "code/"),
    ("qr", "GET /qr/v1/posters", "village", "division/"),
    ("qr", "GET /qr/v1/posters.zip", "village", "division/"),
]


@pytest.mark.parametrize(("name", "route", "thing", "prefix"), EXPORTED)
async def test_what_is_handed_out_is_in_the_trail_and_what_is_refused_was_not_handed_out(
    gate: httpx2.AsyncClient, stages: dict[ServiceName, Stage], name: ServiceName, route: str, thing: str, prefix: str
) -> None:
    stage = stages[name]
    row = next(r for r in RIGHTS[name] if r.route == route)
    before = await _noted(stage, route)
    assert await ask(gate, stage, row, OUTSIDE[Role.CLERK][0]) in {403, 404}
    assert await ask(gate, stage, row, None) == 401
    assert await ask(gate, stage, row, INSIDE[Role.CLERK]) == 200
    clerk = staff_id(INSIDE[Role.CLERK])
    assert (await _noted(stage, route))[len(before) :] == [(clerk, prefix + stage.things[thing], VILLAGE)]


async def _noted(stage: Stage, route: str) -> list[tuple[str, str, str]]:
    async with stage.served.runtime.database.connection() as conn:
        rows = await conn.fetch(
            "SELECT actor_id, object, village_code FROM action WHERE action = $1 AND refused IS NULL ORDER BY id",
            route,
        )
    return [(r["actor_id"], r["object"], r["village_code"]) for r in rows]


async def test_who_signs_out_through_the_gateway_is_out(
    gate: httpx2.AsyncClient, stages: dict[ServiceName, Stage]
) -> None:
    account = {"username": "clerk-target", "password": stages["registry"].things["password"]}
    own_page = {"accept": "text/html", "sec-fetch-site": "same-origin"}
    async with httpx2.AsyncClient(base_url=gate.base_url, timeout=30, headers=own_page) as person:
        assert (await person.post("/sign-in", data=account)).status_code == 303
        assert (await person.get("/account")).status_code == 200
        await person.post("/sign-out", follow_redirects=True)
        # That an account signed in with this browser is known from now on; it opens nothing.
        assert set(person.cookies) == {"sanwu_device"}
        assert (await person.get("/account")).status_code == 303


async def test_who_guesses_through_the_gateway_is_braked_whatever_address_they_claim(
    gate: httpx2.AsyncClient, stages: dict[ServiceName, Stage]
) -> None:
    runtime = stages["registry"].served.runtime
    kept, runtime.own = runtime.own, make_own(runtime.settings, runtime.database, runtime.clock, runtime.reference)
    statuses: Counter[int] = Counter()
    for n in range(43):
        claimed = {"x-forwarded-for": f"198.51.{n}.1", "x-real-ip": f"198.51.{n}.1", "forwarded": f"for=198.51.{n}.1"}
        guess = {"username": f"clerk-{n}", "password": "wrong"}
        statuses[(await gate.post("/registry/v1/sign-in", json=guess, headers=claimed)).status_code] += 1
    runtime.own = kept
    await stages["registry"].tables.put_back()
    assert statuses == {401: 30, 429: 13}
