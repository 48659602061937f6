"""What staff are answered is kept by nobody on the way; what comes in is checked on every route; traces are of one form."""

import json

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from deploy.docs.openapi import application
from services.contracts.base import Role
from services.contracts.topics import SERVICES, ServiceName
from services.kit.route import Route
from services.kit.visit import SAFE_METHODS
from tests.builders import VILLAGE
from tests.house.rights import RIGHTS, Row
from tests.house.stage import INSIDE, Stage, filled
from tests.house.test_hostile import address

ROWS = [
    pytest.param(name, row, id=f"{name} {row.route} {' '.join(row.at.values())}")
    for name in SERVICES
    for row in RIGHTS[name]
    if row.who
]


@pytest.mark.parametrize("name", SERVICES)
def test_every_route_of_people_takes_what_comes_in_by_the_one_way(name: ServiceName) -> None:
    found = [getattr(r, "original_route", r) for r in iter_route_contexts(application(name).routes)]
    others = {r.path for r in found if isinstance(r, APIRoute) and not isinstance(r, Route)}
    # A strange code on a wall, whatever is in it, gets its page with words of warning.
    assert others == {"/livez", "/readyz", "/metrics", *(("/c/{code}",) if name == "qr" else ())}
    assert [r.path for r in found if not set(getattr(r, "methods", None) or ()) <= SAFE_METHODS | {"HEAD"}] == [
        r.path for r in found if isinstance(r, Route) and not set(r.methods or ()) <= SAFE_METHODS
    ]


@pytest.mark.parametrize(("name", "row"), ROWS)
async def test_no_answer_to_staff_is_kept_on_the_way(
    stages: dict[ServiceName, Stage], name: ServiceName, row: Row
) -> None:
    stage = stages[name]
    method, url = row.route.partition(" ")[0], address(stage, row, {})
    member = INSIDE[next(r for r in Role if r in row.who)]
    sent = {kind: filled(stage, value) for kind, value in row.sent.items() if kind != "params"}
    for who in (None, member):
        for accept in ("text/html", "application/json"):
            headers = {"accept": accept, **(stage.served.bearer(who) if who is not None else {})}
            answer = await stage.served.client.request(method, url, headers=headers, **sent)
            if method not in SAFE_METHODS and answer.status_code < 400:
                await stage.tables.put_back()
            kept = answer.headers.get("cache-control", "")
            assert "no-store" in kept, (row.route, who, accept, answer.status_code, kept)


PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (PARENT, PARENT),
        (PARENT.upper(), None),
        (f"{PARENT}-what-else", None),
        (PARENT.replace("00-", "ff-", 1), None),
        ("00-" + "0" * 32 + "-00f067aa0ba902b7-01", None),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01", None),
        ("210881196003136666", None),
        ("x" * 100, None),
        (PARENT[:-1] + "\xff", None),
    ],
)
async def test_an_event_keeps_a_trace_of_the_standards_form_alone(
    stages: dict[ServiceName, Stage], told: str, kept: str | None
) -> None:
    served = stages["ingest"].served
    body = {"village": VILLAGE, "item": "F01", "period": "2026-07", "reason": "账册送审计"}
    headers = {**served.bearer(INSIDE[Role.CLERK]), "traceparent": told}
    answer = await served.client.post(
        "/ingest/v1/waivers", json=body, headers={n.encode(): v.encode("latin-1") for n, v in headers.items()}
    )
    assert answer.status_code == 201, answer.text
    events = await served.said("waiver.filed.v1")
    assert [json.loads(e)["traceparent"] for e in events if answer.json()["id"] in e] == [kept]
    await stages["ingest"].tables.put_back()
