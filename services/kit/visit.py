"""What a route works with, as one value: in which process, over which connection, by whom, when.

A route says by `may(…)` who may call it, and takes one visit: one dependency each, for FastAPI walks through all that a
dependency needs itself, anew for everybody who asks for it.

`Reading` is a signed-in reader's: no transaction and so no lock. `Changing` has one transaction, recorded in the trail,
committed before the first byte of the answer leaves. `Public` needs nobody signed in. `Visit` and `Caller` are the same two
with no connection taken, for what needs none or does slow work first. A service declares its own kinds once, in its
`visit.py`, with its settings and `Own`; routes, pages and the commands behind them take nothing else.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final, Generic, TypeVar, cast
from urllib.parse import urlsplit

from fastapi import Depends, Request, params
from fastapi.security import APIKeyCookie, HTTPBearer, SecurityScopes

from services.contracts.base import Role
from services.kit import actions, metrics
from services.kit.auth import Actor, read_token
from services.kit.clock import local_day
from services.kit.cookies import TOKEN
from services.kit.db import INFRASTRUCTURE_ERRORS, Connection
from services.kit.errors import ForbiddenError, UnauthenticatedError
from services.kit.reference import Reference
from services.kit.runtime import AnyRuntime, Own_co, Runtime, Settings_co
from services.kit.settings import Settings

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: Everybody who can sign in.
STAFF: Final = tuple(role for role in Role if role is not Role.SYSTEM)
#: So long after a look into the database nobody who is unknown is looked for again.
_HEARD_S: Final = 0.05


@dataclass(frozen=True)
class Visit(Generic[Settings_co, Own_co]):
    """A request of anybody, before a connection is taken."""

    runtime: Runtime[Settings_co, Own_co]
    now: datetime

    @property
    def reference(self) -> Reference:
        """The service's copy of divisions, catalogue, staff."""
        return self.runtime.reference

    @property
    def settings(self) -> Settings_co:
        """The service's settings."""
        return self.runtime.settings

    @property
    def own(self) -> Own_co:
        """What the service made when it started."""
        return self.runtime.own

    @property
    def today(self) -> date:
        """The day in Shanghai at `now`."""
        return local_day(self.now)


@dataclass(frozen=True)
class Public(Visit[Settings_co, Own_co]):
    """A request of anybody, with a connection: each statement on its own."""

    conn: Connection


@dataclass(frozen=True)
class Reading(Public[Settings_co, Own_co]):
    """A request of a member of staff: each statement on its own, so no lock."""

    actor: Actor


@dataclass(frozen=True)
class Changing(Reading[Settings_co, Own_co]):
    """A request of a member of staff within one transaction, in the trail, committed before the answer leaves."""


@dataclass(frozen=True)
class Caller(Visit[Settings_co, Own_co]):
    """A member of staff whose request does slow work outside of its transaction; checks come first all the same."""

    actor: Actor
    request: Request

    @asynccontextmanager
    async def reading(self, kind: "type[ReadingT]") -> AsyncIterator["ReadingT"]:
        """A connection for the checks before the slow work, or for the answer after it; what is looked at is in the trail."""
        async with _reading(self.request, self.actor, kind) as desk:
            yield desk

    @asynccontextmanager
    async def changing(self, kind: "type[ChangingT]") -> AsyncIterator["ChangingT"]:
        """The transaction of this request, in the trail as any other; committed at the end of the block."""
        async with audited_transaction(self.request, self.actor) as conn:
            yield kind(self.runtime, self.now, conn, self.actor)

    async def record_export(self, thing: str, village: str | None) -> None:
        """Put into the trail that something is handed out, whatever the method; in a transaction of its own."""
        self.request.state.exports = True
        async with audited_transaction(self.request, self.actor):
            actions.about(thing, village)


PublicT = TypeVar("PublicT", bound=Public[Settings, object])
ReadingT = TypeVar("ReadingT", bound=Reading[Settings, object])
ChangingT = TypeVar("ChangingT", bound=Changing[Settings, object])
VisitT = TypeVar("VisitT", bound=Visit[Settings, object])
CallerT = TypeVar("CallerT", bound=Caller[Settings, object])


# -- who asks


#: How a request says who it is from; here for OpenAPI, the tokens are read below.
_BEARER: Final = HTTPBearer(
    scheme_name="bearer",
    bearerFormat="JWT",
    description="`access_token` of POST /registry/v1/sign-in, good for 15 minutes.",
    auto_error=False,
)
_COOKIE: Final = APIKeyCookie(
    scheme_name="cookie",
    name=TOKEN.plain,
    description="The same token as pages hold it; unsafe methods only from our own pages. Over HTTPS: `__Host-sanwu_token`.",
    auto_error=False,
)


def runtime_of(request: Request) -> AnyRuntime:
    """The runtime that `create_web` put into the application."""
    return cast("AnyRuntime", request.app.state.runtime)


@dataclass(frozen=True, slots=True)
class _Shown:
    """The token that a request shows. `old`: under a name that is not set any more."""

    token: str
    old: bool = False


def _token(request: Request) -> _Shown | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if token:
        return _Shown(token) if scheme.lower() == "bearer" else None
    settings = runtime_of(request).settings
    cookie = TOKEN.read(request.cookies, settings)
    old = TOKEN.read_old(request.cookies, settings) if not cookie else None
    if not cookie and not old:
        return None
    if request.method not in SAFE_METHODS:
        require_same_origin(request)
    return _Shown(cookie or old or "", old=not cookie)


def require_same_origin(request: Request) -> None:
    """ForbiddenError unless a request comes from our own pages: what a browser adds by itself a foreign page could use."""
    if request.headers.get("sec-fetch-site") == "same-origin":
        return
    origin, public = request.headers.get("origin"), urlsplit(runtime_of(request).settings.public_url)
    if origin is None or urlsplit(origin)[:2] != public[:2]:
        detail = "请求不是从本站页面发出的。"
        raise ForbiddenError(detail)


async def current_actor(
    request: Request,
    allowed: SecurityScopes,
    _bearer: Annotated[object, Depends(_BEARER)],
    _cookie: Annotated[object, Depends(_COOKIE)],
) -> Actor:
    """Who asks, as a dependency: see `require_actor`."""
    return await find_actor(request, [Role(name) for name in allowed.scopes])


def actor_of(request: Request) -> Actor:
    """Who asks, as the route's `may` has found; of a route without one, anybody who is signed in."""
    found: Actor | None = getattr(request.state, "actor", None)
    return found or require_actor(request, ())


async def find_actor(request: Request, roles: Collection[Role]) -> Actor:
    """As `require_actor`; who is not known here is looked for in the database before anybody is sent away.

    A service may have several processes, and one of them has heard of a new account or key before the others.
    """
    try:
        return require_actor(request, roles)
    except UnauthenticatedError:
        if _token(request) is None:
            raise
        # Forged tokens, however many, are a few looks in a second.
        with suppress(*INFRASTRUCTURE_ERRORS):
            await runtime_of(request).reference.refresh(unless_within_s=_HEARD_S)
        return require_actor(request, roles)


def require_actor(request: Request, roles: Collection[Role]) -> Actor:
    """Who asks; UnauthenticatedError when nobody is signed in, ForbiddenError for none of the roles (none named: any)."""
    shown = _token(request)
    if shown is None:
        raise UnauthenticatedError
    runtime = runtime_of(request)
    now = runtime.clock.now()
    # Asked again when a body has come, against whose clock (services/kit/incoming.py) a token's end does not count.
    request.state.asked_at = asked_at = getattr(request.state, "asked_at", now)
    actor = read_token(shown.token, runtime.reference, now, asked_at)
    if shown.old and actor.session_id is not None:
        # Since tokens name their session the cookie has its other name: somebody put this one there.
        raise UnauthenticatedError
    # From here on it is somebody: a refusal is theirs.
    request.state.actor = actor
    if roles:
        actor.require(*roles)
    return actor


def may(*roles: Role) -> params.Depends:
    """For a route's `dependencies`: who may call it. Checked before anything else is done, and told by OpenAPI."""
    return params.Security(current_actor, scopes=[role.value for role in roles])


async def note_refusal(request: Request, code: str) -> None:
    """Put into the trail that somebody who is signed in was refused, when all that they wanted is undone."""
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is not None:
        runtime = runtime_of(request)
        subject: actions.Subject = getattr(request.state, "subject", None) or actions.Subject()
        await runtime.noted.refuse(
            runtime.database, actor.who, action_of(request, subject), runtime.clock.now(), subject, code
        )


# -- the kinds as dependencies


@asynccontextmanager
async def audited_transaction(request: Request, actor: Actor) -> AsyncIterator[Connection]:
    """A transaction; what a member of staff changed goes into the trail with the change itself, an error leaves neither."""
    with actions.gathering() as subject:
        request.state.subject = subject
        async with runtime_of(request).database.transaction() as conn:
            yield conn
            if request.method not in SAFE_METHODS or hasattr(request.state, "exports"):
                now = runtime_of(request).clock.now()
                await actions.record(conn, actor.who, action_of(request, subject), now, subject)


def action_of(request: Request, subject: actions.Subject) -> str:
    """How the trail calls what a request asks for: its method, its route's template, the steps that this does not tell."""
    template = metrics.route_of(request.url.path, getattr(request.scope.get("route"), "path", None))
    told = template.rpartition("/")[2] in subject.steps
    return " ".join([request.method, template, *([] if told else subject.steps)])


async def _mark_export(request: Request) -> None:
    request.state.exports = True


#: For a GET route that changes nothing and hands a file out: `dependencies=[EXPORTS]` puts it into the trail.
EXPORTS: Final = params.Depends(_mark_export)


def visit_dep(kind: type[VisitT]) -> params.Depends:
    """The dependency that makes a visit of anybody, with no connection taken."""

    async def visit(request: Request) -> VisitT:
        runtime = runtime_of(request)
        return kind(runtime, runtime.clock.now())

    return params.Depends(visit)


def public_dep(kind: type[PublicT], within_s: float) -> params.Depends:
    """The dependency that makes a visit of anybody; a reader waits no longer than `within_s` for the database."""

    async def visit(request: Request) -> AsyncIterator[PublicT]:
        runtime = runtime_of(request)
        async with runtime.database.connection_within(within_s) as conn:
            yield kind(runtime, runtime.clock.now(), conn)

    return params.Depends(visit, scope="function")


def caller_dep(kind: type[CallerT]) -> params.Depends:
    """The dependency that makes a visit of a member of staff, with no connection taken."""

    async def visit(request: Request) -> CallerT:
        runtime = runtime_of(request)
        return kind(runtime, runtime.clock.now(), actor_of(request), request)

    return params.Depends(visit)


@asynccontextmanager
async def _reading(request: Request, actor: Actor, kind: type[ReadingT]) -> AsyncIterator[ReadingT]:
    runtime = runtime_of(request)
    with actions.gathering() as subject:
        request.state.subject = subject
        async with runtime.database.connection() as conn:
            yield kind(runtime, now := runtime.clock.now(), conn, actor)
            if subject.looked:
                await runtime.noted.look(conn, actor.who, action_of(request, subject), now, subject)


def reading_dep(kind: type[ReadingT]) -> params.Depends:
    """The dependency that makes the visit of a member of staff who changes nothing."""

    async def visit(request: Request) -> AsyncIterator[ReadingT]:
        async with _reading(request, actor_of(request), kind) as desk:
            yield desk

    return params.Depends(visit, scope="function")


def changing_dep(kind: type[ChangingT]) -> params.Depends:
    """The dependency that makes a visit which changes something, or hands a file out.

    `scope="function"`: the commit runs before the answer is sent; without it FastAPI answers first.
    """

    async def visit(request: Request) -> AsyncIterator[ChangingT]:
        runtime, actor = runtime_of(request), actor_of(request)
        async with audited_transaction(request, actor) as conn:
            yield kind(runtime, runtime.clock.now(), conn, actor)

    return params.Depends(visit, scope="function")
