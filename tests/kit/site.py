"""A small application on the kit's web, for tests: it keeps notes, on this process or on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx2
from fastapi import Depends, FastAPI, Response
from pydantic import BaseModel

from deploy.local.home import free_port
from services.contracts.values import ShortText
from services.kit import reference
from services.kit.db import Connection
from services.kit.process import _http
from services.kit.runtime import Runtime
from services.kit.web import ActorDep, IdempotencyDep, PageDep, RuntimeDep, Transaction, _transaction, create_web
from tests import builders
from tests.kit.ground import Ground

#: What FastAPI does with a plain dependency: the answer leaves first, then the block ends and the commit runs.
LateTransaction = Annotated[Connection, Depends(_transaction)]
INSERT = "INSERT INTO effect (aggregate_id, version, note) VALUES ($1, $2, $3)"


class NoteIn(BaseModel):
    """A note: `id` is checked text, `note` is not."""

    id: ShortText
    number: int = 1
    note: str = ""


async def open_site(ground: Ground, **changes: object) -> tuple[Runtime, FastAPI]:
    """The application and its runtime, with the reference data of the builders."""
    database = await ground.open("publish", **changes)
    async with database.transaction() as conn:
        for event in builders.reference_events():
            await reference.project(conn, event)
    settings = ground.settings("publish", http_port=free_port(set()))
    runtime = Runtime("publish", settings, database, ground.clock, reference.Reference(database))
    await runtime.reference.refresh()
    app = create_web(runtime, "notes")
    _mount(app)
    return runtime, app


def _mount(app: FastAPI) -> None:
    @app.post("/notes", status_code=201)
    async def keep(body: NoteIn, conn: Transaction) -> dict[str, str]:
        await conn.execute(INSERT, body.id, body.number, body.note)
        return {"id": body.id}

    @app.post("/late-notes", status_code=201)
    async def keep_late(body: NoteIn, conn: LateTransaction) -> dict[str, str]:
        await conn.execute(INSERT, body.id, body.number, body.note)
        return {"id": body.id}

    @app.post("/once/{place}")
    async def keep_once(
        place: str, body: NoteIn, idempotency: IdempotencyDep, conn: Transaction, runtime: RuntimeDep
    ) -> Response:
        async def work() -> tuple[int, str]:
            await conn.execute(INSERT, body.id, body.number, body.note or place)
            await asyncio.sleep(0.2)
            row = await conn.fetchval("SELECT max(n) FROM effect")
            return 201, json.dumps({"n": row})

        return await idempotency.answer(work, runtime.clock.now())

    @app.get("/me")
    async def me(actor: ActorDep) -> dict[str, str]:
        return {"username": actor.username, "role": actor.role, "scope": actor.scope}

    @app.post("/me")
    async def touch(actor: ActorDep) -> dict[str, str]:
        return {"username": actor.username}

    @app.get("/list")
    async def listed(page: PageDep) -> dict[str, Any]:
        return page.answer([page.after], "北")

    @app.get("/bug")
    async def bug() -> None:
        message = "a bug"
        raise RuntimeError(message)


def client_of(app: FastAPI) -> httpx2.AsyncClient:
    """A client that talks to the application in this process."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1:8000")


@asynccontextmanager
async def served(runtime: Runtime, app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
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
