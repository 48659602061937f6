"""The one typed way in: every route of the five applications keeps to it, and a route that does not is seen."""

import inspect
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_type_hints

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from deploy.docs.openapi import application
from services.contracts.topics import SERVICES, ServiceName
from services.kit import visit
from services.kit.auth import Actor
from services.kit.listing import Listing
from services.kit.route import IdempotentRoute, Route
from services.kit.runtime import Runtime
from services.kit.visit import STAFF, current_actor, may

#: Visits of somebody who is signed in.
OF_STAFF = (visit.CallerT, visit.ReadingT, visit.ChangingT)
#: Addresses for machines, and what is served from a folder.
PLAIN = {"/livez", "/readyz", "/metrics"}


def _all(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _all(inner)


def faults_of(app: FastAPI) -> list[str]:
    """What is wrong with the routes of an application, each with its path."""
    return [f"{r.path_format}: {what}" for r in iter_route_contexts(app.routes) for what in _faults(r)]


def _made_by(call: Any) -> Any:
    """What a dependency makes: of a visit's, the variable that stands for its kind."""
    made = get_type_hints(call).get("return") if inspect.isroutine(call) else None
    return next(iter(get_args(made)), made)


def _faults(route: Any) -> Iterator[str]:
    dependant = getattr(route, "dependant", None)
    if dependant is None or route.path_format in PLAIN:
        return
    calls = [d.call for d in _all(dependant)]
    roles = {r for d in _all(dependant) if d.call is current_actor for r in d.own_oauth_scopes or ()}
    if not roles and (current_actor in calls or any(_made_by(c) in OF_STAFF for c in calls)):
        yield "asks who is there and does not say who may"
    if route.methods <= visit.SAFE_METHODS and any(map(_opens, calls)) and visit._mark_export not in calls:
        yield "only reads, and opens a transaction"
    for call in _asked_in_transaction(dependant):
        yield f"asks {call.__name__} while its transaction is open: name it before the visit"
    if not route.include_in_schema:
        return
    if not isinstance(getattr(route, "original_route", route), Route):
        yield "does not read its body before it opens a transaction"
    if dict in {route.response_model, getattr(route.response_model, "__origin__", None)} and "words" not in route.name:
        yield "answers with something that has no model"


def _opens(call: Any) -> bool:
    """Tell whether a dependency opens the request's transaction."""
    return _made_by(call) is visit.ChangingT


def _in_order(dependant: Dependant) -> Iterator[Any]:
    """What FastAPI calls for a route, in its order: what a dependency needs itself comes before it."""
    for inner in dependant.dependencies:
        yield from _in_order(inner)
        yield inner.call


def _asked_in_transaction(dependant: Dependant) -> Iterator[Any]:
    """A service's own dependencies that run between the begin of the transaction and the route.

    They read forms and photographs and hash passwords, so none may; the plumbing's do neither.
    """
    calls = list(dict.fromkeys(_in_order(dependant)))
    first = next((n for n, call in enumerate(calls) if _opens(call)), len(calls))
    for call in calls[first:]:
        if not getattr(call, "__module__", "").startswith("services.kit."):
            yield call


@pytest.mark.parametrize("name", SERVICES)
def test_routes_say_who_may_and_readers_open_no_transaction(name: ServiceName) -> None:
    assert faults_of(application(name)) == []


class _Changing(visit.Changing[Any, Any]):
    pass


class _Reading(visit.Reading[Any, Any]):
    pass


class _Caller(visit.Caller[Any, Any]):
    pass


_ChangingDep = Annotated[_Changing, visit.changing_dep(_Changing)]
_ReadingDep = Annotated[_Reading, visit.reading_dep(_Reading)]
_CallerDep = Annotated[_Caller, visit.caller_dep(_Caller)]


def _built(dependencies: list[Any], answers: Any, route_class: type[Any], *, transaction: bool) -> FastAPI:
    router = APIRouter(route_class=route_class)

    async def read(desk: _ChangingDep) -> None:
        return

    async def look(desk: _ReadingDep) -> None:
        return

    router.add_api_route(
        "/things",
        read if transaction else look,
        methods=["GET"],
        dependencies=dependencies,
        response_model=answers,
    )
    app = FastAPI()
    app.include_router(router)
    return app


@pytest.mark.parametrize(
    ("dependencies", "answers", "route_class", "transaction", "fault"),
    [
        ([may(*STAFF)], Listing[int], Route, False, None),
        ([may(*STAFF), visit.EXPORTS], Listing[int], Route, True, None),
        ([], Listing[int], Route, False, "asks who is there and does not say who may"),
        ([may(*STAFF)], Listing[int], Route, True, "only reads, and opens a transaction"),
        ([may(*STAFF)], dict[str, int], Route, False, "answers with something that has no model"),
        ([may(*STAFF)], Listing[int], APIRoute, False, "does not read its body before it opens a transaction"),
    ],
)
def test_a_route_that_goes_another_way_is_seen(
    *, dependencies: list[Any], answers: Any, route_class: Any, transaction: bool, fault: str | None
) -> None:
    app = _built(dependencies, answers, route_class, transaction=transaction)
    assert [f for f in faults_of(app) if f.startswith("/things")] == ([f"/things: {fault}"] if fault else [])


async def _hash() -> str:
    return ""


async def _read(_hashed: Annotated[str, Depends(_hash)]) -> str:
    return ""


@pytest.mark.parametrize(
    ("late", "asked"),
    [(False, []), (True, ["_hash", "_read"])],
)
def test_slow_work_that_a_route_names_behind_its_transaction_is_seen(*, late: bool, asked: list[str]) -> None:
    async def before(read: Annotated[str, Depends(_read)], desk: _ChangingDep) -> None:
        return

    async def behind(desk: _ChangingDep, read: Annotated[str, Depends(_read)]) -> None:
        return

    app, router = FastAPI(), APIRouter(route_class=IdempotentRoute, dependencies=[may(*STAFF)])
    router.add_api_route("/things", behind if late else before, methods=["POST"])
    app.include_router(router)
    told = [f"/things: asks {name} while its transaction is open: name it before the visit" for name in asked]
    assert [f for f in faults_of(app) if f.startswith("/things")] == told


def test_a_runtime_has_no_member_of_unknown_type() -> None:
    assert [name for name, hint in get_type_hints(Runtime).items() if hint is Any] == []


def test_every_way_to_ask_who_is_there_without_saying_who_may_is_seen() -> None:
    async def changes(desk: _ChangingDep) -> None:
        return

    async def looks(desk: _ReadingDep) -> None:
        return

    async def calls(desk: _CallerDep) -> None:
        return

    async def asks(actor: Annotated[Actor, Depends(current_actor)]) -> None:
        return

    app, router = FastAPI(), APIRouter(route_class=Route)
    for name, endpoint in (("changes", changes), ("looks", looks), ("calls", calls), ("asks", asks)):
        router.add_api_route(f"/{name}", endpoint, methods=["POST"])
    app.include_router(router)
    fault = "asks who is there and does not say who may"
    assert [f for f in faults_of(app) if fault in f] == [
        f"/{n}: {fault}" for n in ("changes", "looks", "calls", "asks")
    ]
