"""A plain FastAPI application that keeps a ledger as ingest does: the same rows by the same statements, and nothing around it.

No signing in, no rights, no gate, no findings, no trail of refusals, no event and no outbox; pydantic reads the same models. Run
as `python -m tests.bench.plain PORT` with ingest's settings, it is what `submit` compares ingest with.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, cast
from uuid import UUID

import asyncpg
import uuid_utils.compat
import uvloop
from fastapi import FastAPI, Header, HTTPException
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from pydantic import BaseModel

from services.contracts.bodies import Body, body_digest
from services.contracts.values import Period, VillageCode
from services.ingest.schemas import SavedOut, SubmitIn
from services.ingest.settings import IngestSettings
from services.ingest.store.contents import Edition
from services.ingest.store.disclosures import (
    Disclosure,
    NewDisclosure,
    insert_disclosures,
    insert_editions,
    lock_disclosure,
    select_edition,
    update_submitted,
)
from services.ingest.workflow import State
from services.kit import actions, route
from services.kit.answers import at_rest
from services.kit.db import Connection
from services.kit.shred import use_key_seal

WHO = actions.Who("plain", "clerk", "210881006206")


class New(BaseModel):
    """A new draft."""

    village: VillageCode
    item: str
    period: Period
    body: Body


def create_app(pool: asyncpg.Pool) -> FastAPI:
    """Two routes over a pool."""
    app = FastAPI()

    @app.post("/ingest/v1/disclosures", status_code=201)
    async def create(new: New, idempotency_key: Annotated[str, Header()]) -> SavedOut:
        now, digest = datetime.now(UTC), body_digest(new.body)
        row = NewDisclosure(
            uuid_utils.compat.uuid7(), new.village, new.item, new.period, digest, history=True, nil=new.body.nil
        )
        async with _transaction(pool) as conn:
            await conn.execute(route.CLAIM_KEY, WHO.staff_id, "POST /plain", idempotency_key, digest, now)
            made = await insert_disclosures(conn, [row], "plain", now, delivered=False)
            await insert_editions(conn, [(made[row.id], Edition(new.body))], "plain", now)
            told = SavedOut(id=str(row.id), version=1, state=State.DRAFT, findings=[])
            kept = at_rest(told.model_dump_json())
            await conn.execute(route.SAVE_ANSWER, WHO.staff_id, "POST /plain", idempotency_key, 201, kept)
            await _note(conn, made[row.id], now)
        return told

    @app.post("/ingest/v1/disclosures/{disclosure_id}/submit")
    async def submit(disclosure_id: UUID, body: SubmitIn) -> SavedOut:
        now = datetime.now(UTC)
        async with _transaction(pool) as conn:
            known = await lock_disclosure(conn, disclosure_id)
            edition = await select_edition(conn, disclosure_id, body.version)
            if known is None or edition is None:
                raise HTTPException(404)
            after = await update_submitted(conn, known, edition, State.SUBMITTED, "plain", now)
            await _note(conn, after, now)
        return SavedOut(id=str(after.id), version=after.edition, state=after.state, findings=[])

    return app


async def _note(conn: Connection, about: Disclosure, now: datetime) -> None:
    await actions.record(conn, WHO, "POST /plain", now, actions.Subject(f"disclosure/{about.id}", about.village_code))


@asynccontextmanager
async def _transaction(pool: asyncpg.Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as conn, conn.transaction():
        yield cast("Connection", conn)


@asynccontextmanager
async def _pool(settings: IngestSettings) -> AsyncIterator[asyncpg.Pool]:
    url = settings.database_url.get_secret_value()
    async with asyncpg.create_pool(url, min_size=2, max_size=settings.pool_size) as pool:
        yield pool


async def serve(port: int) -> None:
    """Serve until SIGTERM, by the server that serves ingest."""
    settings = IngestSettings.load()
    use_key_seal(settings.key_seal)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with _pool(settings) as pool:
        server = Server(
            create_app(pool),
            address="127.0.0.1",
            port=port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            log_access=False,
            log_enabled=False,
        )
        serving = asyncio.ensure_future(server.serve())
        await stop.wait()
        server.stop()  # type: ignore[no-untyped-call] # granian ships no types
        await serving


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
