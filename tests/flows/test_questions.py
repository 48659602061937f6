"""A question's whole way through the real broker: asked while it is away, answered at the desk, unclear, answered by the township."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from pydantic import SecretStr

from services.contracts.topics import QUESTION_KEYS, TOPICS
from services.kit.consumer import Effects, PartitionedConsumer
from services.kit.relay import Relay
from services.publish import jobs
from tests import builders
from tests.conftest import Place, Served, ServiceFactory

SEAL = SecretStr("a long random text that ingest and publish share")
PATH = "/ingest/v1/questions"
CLERK, REVIEWER = "clerk-210881006206", "reviewer-210881006"


@asynccontextmanager
async def connected(*services: Served) -> AsyncIterator[None]:
    """Each service's relay and consumer, as `serve` runs them."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for served in services:
            runtime, name = served.runtime, served.service.name
            handlers = {"project": served.service.project, "react": served.service.react}
            effects = Effects(runtime.settings, runtime.reference, runtime.clock, **handlers)
            heard = [t for t in TOPICS if name in t.consumers]
            consumer = PartitionedConsumer(name, runtime.settings, runtime.database, effects, heard)
            tasks.create_task(Relay(runtime.database, runtime.settings).run(stop))
            tasks.create_task(consumer.run(stop))
        try:
            yield
        finally:
            stop.set()


async def until(look: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """Ask again and again until it is so."""
    async with asyncio.timeout(60):
        while await look() != wanted:  # noqa: ASYNC110 - what another process says has no event here
            await asyncio.sleep(0.1)


async def test_a_question_goes_its_whole_way_and_waits_for_a_broker_that_is_away(
    place: Place, service: ServiceFactory, tmp_path_factory: Any
) -> None:
    home = tmp_path_factory.mktemp("home")
    publish = await service("publish", home=home, key_seal=SEAL)
    ingest = await service("ingest", key_seal=SEAL)

    async def ask_publish() -> Any:
        return (await publish.client.get(f"/api/v1/questions/{made['ref']}")).json()

    async def ask_desk() -> list[tuple[str, str, list[str | None]]]:
        items = (await ingest.client.get(PATH, headers=ingest.bearer(REVIEWER))).json()["items"]
        return [(q["state"], q["holder"], [w["text"] for w in q["words"]]) for q in items]

    async def answer(who: str, text: str) -> None:
        path = f"{PATH}/{made['ref']}/answer"
        done = await ingest.client.post(path, json={"text": text}, headers=ingest.bearer(who))
        assert done.status_code == 200, done.text

    async def texts() -> list[str | None]:
        return [w["text"] for w in (await ask_publish())["words"]]

    # Nobody has made the topics yet, and the broker may not run at all.
    asked = await publish.client.post(
        "/api/v1/questions",
        json={"about": builders.VILLAGE, "text": "为什么付两次钱？", "shows": "question", "contact": "村东头小卖部"},
    )
    assert asked.status_code == 201, asked.text
    made = asked.json()
    assert await ask_desk() == []
    await place.apply_topics()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(connected(publish, ingest))
        await until(ask_desk, [("asked", "village", ["为什么付两次钱？"])])
        one = await ingest.client.get(f"{PATH}/{made['ref']}", headers=ingest.bearer(REVIEWER))
        assert one.json()["contact"] == "村东头小卖部"
        await answer(CLERK, "第一次修村东头，第二次修村西头。")
        await until(texts, ["为什么付两次钱？", "第一次修村东头，第二次修村西头。"])
        unclear = await publish.client.post(
            f"/api/v1/questions/{made['ref']}/unclear", json={"text": "两次是同一天的票。"}
        )
        assert (unclear.status_code, unclear.json()["holder"]) == (200, "township")
        said = ["为什么付两次钱？", "第一次修村东头，第二次修村西头。", "两次是同一天的票。"]
        await until(ask_desk, [("township", "township", said)])
        await answer(REVIEWER, "镇里看过两张票据，第二张开错了日期，已让村里更正。")
        await until(texts, [*said, "镇里看过两张票据，第二张开错了日期，已让村里更正。"])
        assert (await ask_publish())["state"] == "answered"
        # The question is over, and nobody can read any more how its asker is reached.
        # (The broker takes nothing from the future, so the days have passed in the table.)
        async with publish.runtime.database.transaction() as conn:
            await conn.execute("UPDATE question SET closes_at = asked_at")
        await jobs.destroy_of_questions(publish.runtime)

        async def contact() -> Any:
            got = await ingest.client.get(f"{PATH}/{made['ref']}", headers=ingest.bearer(REVIEWER))
            return got.json()["contact"]

        await until(contact, None)
    async with ingest.runtime.database.connection() as conn:
        rows = await conn.fetch("SELECT aggregate_id, key FROM shred_key ORDER BY aggregate_id")
    keys = {r["aggregate_id"]: r["key"] for r in rows}
    assert keys[made["id"]].startswith("w1:")
    assert keys[f"{made['id']}:contact"] is None
    assert QUESTION_KEYS.producer == "publish"
