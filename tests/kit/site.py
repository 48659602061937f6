"""A small application on the kit's web, for tests: it keeps notes, on this process or on a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx2
from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel

from deploy.local.home import free_port
from services.contracts.base import Role
from services.contracts.values import ShortText
from services.kit import reference, visit
from services.kit.auth import Actor
from services.kit.db import Connection
from services.kit.limited import Limits, run_limited
from services.kit.listing import Cursor, Listing, Page
from services.kit.process import _http
from services.kit.route import IdempotentRoute, Route
from services.kit.runtime import AnyRuntime, Runtime
from services.kit.settings import Settings
from services.kit.visit import STAFF, current_actor, may
from services.kit.web import create_web
from tests import builders
from tests.kit.ground import Ground


class Changing(visit.Changing[Settings, None]):
    """A visit within a transaction."""


ChangingDep = Annotated[Changing, visit.changing_dep(Changing)]
ActorDep = Annotated[Actor, Depends(current_actor)]
#: Whoever is signed in.
SIGNED_IN = [may(*STAFF)]
INSERT = "INSERT INTO effect (aggregate_id, version, note) VALUES ($1, $2, $3)"


class NoteIn(BaseModel):
    """A note: `id` is checked text, `note` is not."""

    id: ShortText
    number: int = 1
    note: str = ""


async def _late(request: Request, actor: ActorDep) -> AsyncIterator[Connection]:
    async with visit.audited_transaction(request, actor) as conn:
        yield conn


#: What FastAPI does with a plain dependency: the answer leaves first, then the block ends and the commit runs.
LateTransaction = Annotated[Connection, Depends(_late)]
#: Places of the list are words.
WORDS = Cursor[str](str)


class NumberOut(BaseModel):
    """How many notes there are."""

    n: int


async def open_site(ground: Ground, **changes: object) -> tuple[AnyRuntime, FastAPI]:
    """The application and its runtime, with the reference data of the builders."""
    database = await ground.open("publish", **changes)
    async with database.transaction() as conn:
        for event in builders.reference_events():
            await reference.project(conn, event)
    settings = ground.settings("publish", http_port=free_port(set()), **changes)
    runtime = Runtime("publish", settings, database, ground.clock, reference.Reference(database), None)
    await runtime.reference.refresh()
    app = create_web(runtime, "Keeps notes.")
    _mount(app)
    _mount_work(app)
    return runtime, app


def _mount(app: FastAPI) -> None:
    app.router.route_class = Route

    @app.post("/notes", status_code=201, dependencies=SIGNED_IN)
    async def keep(body: NoteIn, visit: ChangingDep) -> dict[str, str]:
        await visit.conn.execute(INSERT, body.id, body.number, body.note)
        return {"id": body.id}

    @app.post("/late-notes", status_code=201)
    async def keep_late(body: NoteIn, conn: LateTransaction) -> dict[str, str]:
        await conn.execute(INSERT, body.id, body.number, body.note)
        return {"id": body.id}

    kept = APIRouter(route_class=Route, dependencies=[visit.may(Role.OPERATOR)])

    @kept.post("/operators/{place}")
    async def keep_for_operators(place: str, desk: ChangingDep) -> NumberOut:
        return NumberOut(n=len(place))

    app.include_router(kept)
    once = APIRouter(route_class=IdempotentRoute, dependencies=SIGNED_IN)

    @once.post("/once/{place}", status_code=201)
    async def keep_once(place: str, body: NoteIn, visit: ChangingDep) -> NumberOut:
        await visit.conn.execute(INSERT, body.id, body.number, body.note or place)
        await asyncio.sleep(0.2)
        return NumberOut(n=await visit.conn.fetchval("SELECT max(n) FROM effect"))

    @once.post("/once-a-form")
    async def keep_form_once(visit: ChangingDep) -> NumberOut:
        await visit.conn.execute(INSERT, "d-form", 1, "a form")
        return NumberOut(n=await visit.conn.fetchval("SELECT max(n) FROM effect"))

    app.include_router(once)

    @app.get("/me")
    async def me(actor: ActorDep) -> dict[str, str]:
        return {"username": actor.username, "role": actor.role, "scope": actor.scope}

    @app.post("/me")
    async def touch(actor: ActorDep) -> dict[str, str]:
        return {"username": actor.username}

    @app.get("/list")
    async def listed(page: Annotated[Page[str], Depends(WORDS)]) -> Listing[str | None]:
        return Listing(items=[page.after], next=WORDS.text("北"))

    @app.get("/bug")
    async def bug() -> None:
        message = "a bug"
        raise RuntimeError(message)


def _mount_work(app: FastAPI) -> None:
    @app.post("/sleep")
    async def sleep(body: NoteIn) -> dict[str, str]:
        answer = await run_limited("tests.ingest.sleeper", body.note.encode(), Limits(60, 512, 1024), who=body.id)
        return {"answer": answer.decode()}


def client_of(app: FastAPI) -> httpx2.AsyncClient:
    """A client that talks to the application in this process."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1:8000")


@asynccontextmanager
async def served(runtime: AnyRuntime, app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that talks to the application over a socket, through the server that services run."""
    serving = asyncio.create_task(_http(runtime, app))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{runtime.settings.http_port}", timeout=20) as client:
        for _ in range(100):
            try:
                await client.get("/livez")
                break
            except httpx2.ConnectError:
                await asyncio.sleep(0.05)
        yield client
    runtime.stopping.set()
    await serving
