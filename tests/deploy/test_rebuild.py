"""The read model built anew beside the serving one: nothing lost, nothing doubled, nothing said, and what differs is refused."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
import uuid_utils.compat
from aiokafka import AIOKafkaProducer

from services.contracts.base import Event
from services.contracts.bodies import Ledger, body_digest
from services.contracts.disclosure import (
    ApprovedContent,
    DisclosureApproved,
    DisclosureConfirmed,
    DisclosureErased,
    DisclosureRestored,
    DisclosureSubmitted,
    DisclosureWithdrawn,
)
from services.contracts.topics import DISCLOSURES
from services.kit.consumer import Effects, Handling, PartitionedConsumer
from services.kit.rebuild.build import NEAR
from services.kit.shred import seal
from services.publish.handlers import PROJECT, REACT, on_approved
from services.publish.rebuild import rebuild_command
from services.publish.store import marks
from tests import builders
from tests.conftest import Place, Served, ServiceFactory

VILLAGES = (builders.VILLAGE, builders.NEIGHBOUR, builders.FAR_VILLAGE)
MARKER = "只出现一次的摘要"
UNDER_WAY = 130
assert UNDER_WAY > NEAR / 2


def under_way(n: int) -> list[Event]:
    """The events of a disclosure that waits for its approval; every third came late, in the wrong order."""
    village = VILLAGES[n % 3]
    told = {"item": "F01", "period": "2026-11", "edition": 1, "digest": "0" * 64}
    stamps = [{**builders.stamp(f"under-way-{n}", version, village), "village_code": village} for version in (1, 2)]
    events: list[Event] = [
        DisclosureSubmitted(**stamps[0], **told, accepted=(), sealed=None),
        DisclosureConfirmed(**stamps[1], **told, confirmation="supervisors", complete=n % 2 == 0),
    ]
    return events if n % 3 else events[::-1]


@dataclass(slots=True)
class City:
    """Publish with its consumer on a real log, and what was put there."""

    place: Place
    served: Served
    producer: AIOKafkaProducer
    said: list[Event] = field(default_factory=list)

    async def say(self, *events: Event) -> None:
        """Put events on the topic of disclosures as the relay does."""
        for event in events:
            headers = {"type": event.type, "aggregate": event.aggregate, "aggregate_id": event.aggregate_id}
            headers["aggregate_version"] = str(event.aggregate_version)
            await self.producer.send(
                self.place.prefix + DISCLOSURES.name,
                event.model_dump_json().encode(),
                key=(event.village_code or "").encode(),
                headers=[(name, text.encode()) for name, text in headers.items()],
            )
        await self.producer.flush()
        self.said += events

    async def approved(self, village: str, summary: str = "修村部水管", **more: Any) -> DisclosureApproved:
        """An edition that everybody may read, put on the topic."""
        identity, tag = str(uuid_utils.compat.uuid7()), "disclosure.approved.v1"
        plain = builders.ledger()
        body = Ledger.model_validate(
            {**plain, "lines": [{**plain["lines"][0], "summary": summary}, *plain["lines"][1:]]}
        )
        async with self.served.runtime.database.transaction() as conn:
            sealed = await seal(conn, identity, tag, ApprovedContent(body=body, accepted=()), builders.NOW)
        stamp = {**builders.stamp(identity, 3, village), "village_code": village}
        told = {"item": "F01", "period": "2026-10", "edition": 1, "digest": body_digest(body)}
        event = DisclosureApproved(
            **stamp,
            **told,
            history=False,
            submitted_at=builders.NOW,
            submitted_by="clerk",
            confirmed_at=builders.NOW,
            accepted=(),
            sealed=sealed,
            **more,
        )
        await self.say(event)
        return event

    async def withdrawn(self, of: DisclosureApproved) -> None:
        """The same one, taken back."""
        await self.after(of, 4, DisclosureWithdrawn, was_published=True)

    async def after(self, of: DisclosureApproved, version: int, kind: Any, **more: Any) -> None:
        """A later event of the same one."""
        stamp = {**builders.stamp(of.aggregate_id, version, of.village_code), "village_code": of.village_code}
        told = {"item": of.item, "period": of.period, "edition": of.edition}
        reason = {"reason": "填错了村"} if "reason" in kind.model_fields else {}
        await self.say(kind(**stamp, **told, **reason, **more))

    @asynccontextmanager
    async def consuming(self) -> AsyncIterator[None]:
        """Publish's own consumer, meanwhile; all that was said is heard at the end."""
        runtime = self.served.runtime
        consumer = PartitionedConsumer(
            "publish",
            runtime.settings,
            runtime.database,
            Effects(runtime.settings, runtime.reference, self.served.clock, project=PROJECT, react=REACT),
            (DISCLOSURES,),
        )
        stop = asyncio.Event()
        task = asyncio.create_task(consumer.run(stop))
        try:
            yield
            await self.until(self.heard)
        finally:
            stop.set()
            await task

    async def heard(self) -> bool:
        rows = await self.fetch("SELECT coalesce(sum(next_offset), 0) AS n FROM consumer_offset")
        return int(rows[0]["n"]) >= len(self.said)

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(30):
            while not await condition():  # noqa: ASYNC110 - the other side is another process
                await asyncio.sleep(0.1)

    async def fetch(self, query: Any, *args: object) -> Any:
        async with self.served.runtime.database.connection() as conn:
            return await conn.fetch(query, *args)

    async def rebuild(self, **flags: bool) -> int:
        """The command, in this process."""
        return await rebuild_command(PROJECT)(as_json=True, **flags)(self.served.runtime)

    async def model(self) -> list[str]:
        """Every row of the read model, as text."""
        rows = await self.fetch(
            "SELECT p::text AS t FROM publication p UNION ALL SELECT e::text FROM edition e"
            " UNION ALL SELECT s::text FROM step s UNION ALL SELECT c::text FROM code c ORDER BY t"
        )
        return [r["t"] for r in rows]

    async def own(self) -> list[int]:
        """Counts of what a rebuild must not touch."""
        names = ("event", "outbox", "announced", "change", "dirty", "aggregate_seen", "shred_key", "parked_event")
        return [(await self.fetch(f"SELECT count(*) AS n FROM publish.{n}"))[0]["n"] for n in names]

    async def schemas(self) -> list[str]:
        rows = await self.fetch(
            "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'publish_%' AND nspname <> 'publish_trail' ORDER BY 1"
        )
        return [r["nspname"] for r in rows]

    def environment(self) -> dict[str, str]:
        """For the command in a process of its own."""
        settings = self.served.runtime.settings
        return {
            **os.environ,
            "SANWU_DATABASE_URL": settings.database_url.get_secret_value(),
            "SANWU_KAFKA": settings.kafka,
            "SANWU_REGISTRY_ROOT": json.dumps(settings.registry_root),
            "SANWU_KAFKA_USERNAME": settings.kafka_username,
            "SANWU_KAFKA_PASSWORD": settings.kafka_password.get_secret_value(),
            "SANWU_HTTP_PORT": "0",
            "SANWU_HOME": str(settings.home),
            "SANWU_TOPIC_PREFIX": settings.topic_prefix,
        }


@pytest_asyncio.fixture(scope="module")
async def city(place: Place, service: ServiceFactory, tmp_path_factory: Any) -> AsyncIterator[City]:
    """Thirty disclosures of three villages, one let out by the village itself; three withdrawn, that one too.

    So many more are under way that a rebuild reads most of the log before it holds the consumers.
    """
    await place.apply_topics()
    served = await service("publish", home=tmp_path_factory.mktemp("home"))
    async with AIOKafkaProducer(**place.parts.kafka.broker().options(), linger_ms=5) as producer:
        city = City(place, served, producer)
        async with city.consuming():
            opened = [await city.approved(VILLAGES[n % 3], release="file" if n == 0 else "approve") for n in range(30)]
            for event in opened[:3]:
                await city.withdrawn(event)
            await city.say(*(step for n in range(UNDER_WAY) for step in under_way(n)))
        yield city


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, Any]]:
    """What the command printed."""

    def read() -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
        return answer

    return read


async def test_rebuilt_model_is_the_same_and_nothing_is_said(city: City, told: Callable[[], dict[str, Any]]) -> None:
    before, own = await city.model(), await city.own()
    path = f"/api/v1/villages/{builders.VILLAGE}/disclosures"
    # The pool's statements are prepared before the switch and used after it.
    answer = (await city.served.client.get(path)).json()
    assert len(answer["items"]) == 10
    assert await city.rebuild() == 0
    outcome = told()
    assert outcome["switched"] is True
    assert outcome["records"] == 33 + 2 * UNDER_WAY
    assert outcome["differences"] == []
    assert await city.model() == before
    assert await city.own() == own
    assert (await city.served.client.get(path)).json() == answer
    assert sorted(await city.schemas()) == ["publish_old_1", "publish_read"]


async def test_what_comes_during_a_rebuild_is_neither_lost_nor_doubled(city: City) -> None:
    async with city.consuming():

        async def go_on() -> None:
            for n in range(40):
                await city.approved(VILLAGES[n % 3])

        talking = asyncio.create_task(go_on())
        statuses = [await city.rebuild() for _ in range(2)]
        await talking
    assert statuses == [0, 0]
    opened = {e.aggregate_id for e in city.said if isinstance(e, DisclosureApproved)}
    rows = await city.fetch("SELECT disclosure_id FROM publication")
    assert sorted(r["disclosure_id"] for r in rows) == sorted(opened)
    assert await city.rebuild(check=True) == 0


async def test_difference_is_refused_by_village_unless_accepted(
    city: City, told: Callable[[], dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    before = await city.model()
    await city.fetch("UPDATE publication SET closing_fen = 1 WHERE village_code = $1", builders.NEIGHBOUR)
    await city.fetch("DELETE FROM edition WHERE disclosure_id IN (SELECT disclosure_id FROM publication"
                     " WHERE village_code = $1 AND withdrawn_at IS NULL LIMIT 2)", builders.FAR_VILLAGE)  # fmt: skip
    assert await city.rebuild() == 1
    out, err = capsys.readouterr()
    outcome = json.loads(out)
    assert outcome["switched"] is False
    places = {(d["village"], d["table"]) for d in outcome["differences"]}
    assert places == {(builders.NEIGHBOUR, "publication"), (builders.FAR_VILLAGE, "edition")}
    assert err.strip().splitlines()[-1].endswith("--accept switches all the same.")
    assert (await city.fetch("SELECT count(*) AS n FROM publication WHERE closing_fen = 1"))[0]["n"] > 0
    assert not [s for s in await city.schemas() if s.startswith("publish_read_")]
    assert await city.rebuild(accept=True) == 0
    assert len(told()["differences"]) == 2
    assert await city.model() == before


async def test_one_bit_of_a_content_is_a_difference(city: City, told: Callable[[], dict[str, Any]]) -> None:
    before = await city.model()
    flip = (
        "UPDATE edition SET sealed = set_bit(sealed, 100, 1 - get_bit(sealed, 100)) WHERE disclosure_id ="
        " (SELECT min(disclosure_id) FROM publication WHERE village_code = $1 AND withdrawn_at IS NULL)"
    )
    await city.fetch(flip, builders.NEIGHBOUR)
    assert await city.rebuild(check=True) == 1
    (difference,) = told()["differences"]
    assert (difference["village"], difference["table"]) == (builders.NEIGHBOUR, "edition")
    assert difference["serving_rows"] == difference["built_rows"]
    await city.fetch(flip, builders.NEIGHBOUR)
    assert await city.model() == before


async def test_withdrawn_content_leaves_the_old_model_too(city: City, admin: asyncpg.Connection) -> None:
    async with city.consuming():
        event = await city.approved(builders.VILLAGE, MARKER)
    assert await city.rebuild() == 0
    async with city.consuming():
        await city.withdrawn(event)
    tables = await admin.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS t FROM pg_tables WHERE schemaname LIKE 'publish%'"
    )
    assert len(tables) > 20
    for row in tables:
        found = await admin.fetch(f"SELECT 1 FROM {row['t']} x WHERE x::text LIKE '%' || $1 || '%'", MARKER)
        assert not found, row["t"]


async def test_what_is_withheld_stays_away_over_a_rebuild_and_what_came_back_stays(city: City) -> None:
    async with city.consuming():
        event = await city.approved(builders.VILLAGE, MARKER)
        await city.after(
            event, 4, DisclosureWithdrawn, was_published=True, key_dies_at=builders.NOW + timedelta(days=7)
        )
    page, data = f"/d/{event.aggregate_id}", f"/api/v1/disclosures/{event.aggregate_id}"
    for _ in range(2):
        assert [(await city.served.client.get(p)).status_code for p in (page, data)] == [410, 410]
        assert await city.fetch("SELECT 1 FROM edition WHERE disclosure_id = $1", event.aggregate_id) == []
        assert await city.rebuild() == 0
    async with city.consuming():
        await city.after(event, 5, DisclosureRestored, is_public=True)
    for _ in range(2):
        shown = await city.served.client.get(page)
        assert (shown.status_code, "又恢复公开" in shown.text, MARKER in shown.text) == (200, True, True)
        assert (await city.served.client.get(data)).json()["restored_reason"] == "填错了村"
        assert await city.rebuild() == 0
    async with city.consuming():
        await city.after(
            event, 6, DisclosureWithdrawn, was_published=True, key_dies_at=builders.NOW + timedelta(days=7)
        )
        await city.after(event, 7, DisclosureErased)
    assert await city.rebuild() == 0
    assert (await city.served.client.get(page)).status_code == 410
    assert await city.fetch("SELECT 1 FROM withheld WHERE disclosure_id = $1", event.aggregate_id) == []


async def test_parked_record_is_passed_over_and_comes_by_its_replay(
    city: City, told: Callable[[], dict[str, Any]]
) -> None:
    stranger = str(uuid_utils.compat.uuid7())
    bad = DisclosureConfirmed(
        **builders.stamp(stranger, 2, builders.VILLAGE),
        item="F01",
        period="2026-10",
        edition=1,
        digest="0" * 64,
        confirmation="supervisors",
        complete=True,
    )
    headers = [("type", b"disclosure.confirmed.v1"), ("aggregate_id", stranger.encode())]
    topic = city.place.prefix + DISCLOSURES.name
    async with city.consuming():
        await city.producer.send_and_wait(topic, b'{"no": "event"}', key=b"210881006206", headers=headers)
        city.said.append(bad)
    assert (await city.fetch("SELECT count(*) AS n FROM parked_event"))[0]["n"] == 1
    assert await city.rebuild() == 0
    outcome = told()
    assert (outcome["passed_over"], outcome["failed"]) == (1, [])
    assert (await city.fetch("SELECT count(*) AS n FROM parked_event"))[0]["n"] == 1


async def test_a_handler_cannot_write_beside_the_read_model(
    city: City, capsys: pytest.CaptureFixture[str], told: Callable[[], dict[str, Any]]
) -> None:
    own, before = await city.own(), await city.model()

    async def chatter(h: Handling, event: DisclosureApproved) -> None:
        await on_approved(h, event)
        await marks.insert_marks(h.conn, [("village", event.village_code)])
        await h.conn.execute("DELETE FROM announced")

    assert await rebuild_command({**PROJECT, DisclosureApproved: chatter})(as_json=True)(city.served.runtime) == 0
    assert told()["differences"] == []

    async def meddle(h: Handling, event: DisclosureApproved) -> None:
        await h.model.execute("DELETE FROM announced WHERE disclosure_id = $1", event.aggregate_id)

    assert await rebuild_command({**PROJECT, DisclosureApproved: meddle})(as_json=True)(city.served.runtime) == 1
    assert "the old model serves on: UndefinedTableError" in capsys.readouterr().err
    assert await city.own() == own
    assert await city.model() == before


async def test_a_handler_that_fails_is_told_and_keeps_no_other_away(
    city: City, told: Callable[[], dict[str, Any]]
) -> None:
    before = await city.model()
    victim = (await city.fetch("SELECT disclosure_id FROM publication WHERE withdrawn_at IS NULL LIMIT 1"))[0][0]

    async def fail(h: Handling, event: DisclosureApproved) -> None:
        await on_approved(h, event)
        if event.aggregate_id == victim:
            message = "not this one"
            raise ValueError(message)

    assert await rebuild_command({**PROJECT, DisclosureApproved: fail})(as_json=True)(city.served.runtime) == 1
    outcome = told()
    assert [line.rsplit(": ", 1)[-1] for line in outcome["failed"]] == ["ValueError('not this one')"]
    assert outcome["differences"] == []
    assert await city.model() == before


async def test_killed_rebuild_leaves_the_old_model_and_the_next_one_starts_clean(city: City) -> None:
    before = await city.model()
    number = (await city.fetch("SELECT last_value AS n FROM read_model_number"))[0]["n"] + 1
    command = [sys.executable, "-m", "services.publish", "rebuild"]
    rebuild = await asyncio.create_subprocess_exec(*command, env=city.environment(), stderr=subprocess.DEVNULL)
    await city.until(lambda: _has(city, f"publish_read_{number}"))
    rebuild.send_signal(signal.SIGKILL)
    await rebuild.wait()
    assert f"publish_read_{number}" in await city.schemas()
    assert await city.model() == before
    assert await city.rebuild() == 0
    assert f"publish_read_{number}" not in await city.schemas()
    assert await city.model() == before


async def _has(city: City, schema: str) -> bool:
    return schema in await city.schemas()


async def test_second_rebuild_at_the_same_time_is_one_sentence(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    session = await city.served.runtime.database.dedicated()
    await session.fetchval("SELECT pg_try_advisory_lock(hashtext('rebuild'), hashtext(current_user))")
    try:
        assert await city.rebuild() == 1
    finally:
        await session.close()
    assert capsys.readouterr().err == "Another rebuild of this service runs: wait until it has ended.\n"


async def test_old_models_are_dropped_on_demand(city: City) -> None:
    assert await city.rebuild() == 0
    assert any(s.startswith("publish_old_") for s in await city.schemas())
    assert await city.rebuild(drop_old=True) == 0
    assert await city.schemas() == ["publish_read"]
