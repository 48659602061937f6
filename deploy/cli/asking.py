"""Asks every part of a city at once, under one deadline; what did not answer by then is unknown, and said to be.

    seen = await look(place)         # Seen: what each part told, or why it is at fault

One process, read-only: HTTP to the gateway and the services, one sign-in of each service's own role to PostgreSQL, one
connection to Kafka. The heavy drivers are imported while the first answers are under way.
"""

import asyncio
import importlib
import json
import shutil
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psutil
from services.kit import standing
from services.kit.broker import Broker

from deploy.local import watch
from deploy.local.faults import Fault
from deploy.local.home import read_json

#: For all questions together, from the moment when the drivers are imported. With the start of the interpreter `sanwu
#: status` stays below one and a half seconds on a machine that has time for it.
DEADLINE_S: Final = 0.75
#: On a machine that gives us less than half of a processor the others get no more: they have as much longer, up to this.
_STARVED: Final = 2.0
_MOST_PATIENCE: Final = 4.0
#: A driver that does not let go when it is told to is left behind.
_GRACE_S: Final = 0.1
#: A backlog that rests for so long stands still.
STILL_S: Final = 30.0
SERVICES: Final = ("registry", "ingest", "publish", "audit", "qr")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a city's parts are, from the files of its home."""

    home: Path
    #: By part: the gateway's URL, the services' URLs, `host:port` of PostgreSQL and Kafka.
    addresses: Mapping[str, str]
    passwords: Mapping[str, str]
    #: By service, the topics that it reads and how many partitions each has.
    reads: Mapping[str, Mapping[str, int]]

    @property
    def broker(self) -> Broker:
        """Kafka as the operator sees it; not by `deploy.local.kafka`, whose drivers would cost half of the deadline."""
        return Broker(self.addresses["kafka"], "operator", self.passwords.get("kafka-operator", ""))

    @property
    def copies(self) -> list[str]:
        """Processes that serve beside the first of their service."""
        return [name for name in self.addresses if "-" in name]

    def port(self, part: str) -> int:
        """The port of a part."""
        address = self.addresses[part]
        return urlsplit(address if "//" in address else f"//{address}").port or 80


def known_place(home: Path) -> Place:
    """The city of a home; a fault where none was ever started."""
    passwords = read_json(home / "secrets.json") if home.is_dir() else {}
    if not passwords:
        raise Fault(f"No city lives in {home}: set SANWU_HOME to its folder.")
    addresses = {name: str(value) for name, value in read_json(home / "ports.json").items()}
    reads: dict[str, Any] = read_json(home / "run" / "topics.json")
    return Place(home, addresses, {name: str(value) for name, value in passwords.items()}, reads)


SELECT_YEARS: Final = "SELECT key FROM reference WHERE kind = 'calendar'"


@dataclass(slots=True)
class Seen:
    """What was learnt in time. A part that is missing in `parts` did not answer at all."""

    #: By part, `ok` or a few words on what is wrong.
    parts: dict[str, str] = field(default_factory=dict)
    #: By service, and by copy of one: what `/livez` says, as it came.
    livez: dict[str, Any] = field(default_factory=dict)
    ready: dict[str, str] = field(default_factory=dict)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    offsets: dict[str, dict[tuple[str, int], tuple[int, float]]] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    #: By topic and partition: the log's first offset, and the next that will be written.
    log: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    #: The first offset that is younger than STILL_S, where there is one.
    young: dict[tuple[str, int], int] = field(default_factory=dict)
    disk_free_bytes: int | None = None
    kafka_bytes: int | None = None
    #: Years whose working days the registry knows.
    years: list[int] | None = None


async def look(place: Place) -> Seen:
    """Ask everybody; whoever is late is not waited for."""
    seen = Seen()
    questions = [
        _answers_itself(place, seen, "gateway"),
        _answers_itself(place, seen, "standby"),
        *(_service(place, seen, name) for name in (*SERVICES, *place.copies)),
        _postgres(place, seen),
        _kafka(place, seen),
        _disk(place, seen),
    ]
    tasks = [asyncio.create_task(_quietly(question)) for question in questions]
    await _driver("asyncpg")
    await _driver("aiokafka")
    _, late = await asyncio.wait(tasks, timeout=DEADLINE_S * _patience())
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=_GRACE_S)
    return seen


async def _driver(name: str) -> Any:
    """Import a driver in a thread: the answers come in meanwhile. Two at once wait for each other."""
    return await asyncio.to_thread(importlib.import_module, name)


def _patience() -> float:
    """How many times longer than alone everything takes on this machine now, by what became of our own time."""
    lived = time.time() - psutil.Process().create_time()
    slower = lived / max(time.process_time(), 0.1)
    return min(slower, _MOST_PATIENCE) if slower > _STARVED else 1.0


async def _quietly(question: Coroutine[Any, Any, None]) -> None:
    """A question whose failure is told by what it did not learn."""
    with suppress(OSError, ValueError, EOFError, KeyError):
        await question


async def _answers_itself(place: Place, seen: Seen, part: str) -> None:
    """A part that answers at a path of its own, whatever the services do."""
    seen.parts[part] = watch.SILENT
    try:
        await watch.http_status(place.port(part), "/livez")
        seen.parts[part] = "ok"
    except ConnectionRefusedError:
        seen.parts[part] = "does not run"


async def _service(place: Place, seen: Seen, name: str) -> None:
    seen.parts[name] = watch.SILENT
    try:
        status, body = await watch.http_status(place.port(name), "/livez")
    except ConnectionRefusedError:
        seen.parts[name] = "does not run"
        return
    with suppress(ValueError):
        seen.livez[name] = json.loads(body)
    seen.parts[name] = "ok" if status == 200 else "stands still"  # noqa: PLR2004 - HTTP's OK
    status, body = await watch.http_status(place.port(name), "/readyz")
    seen.ready[name] = "ok" if status == 200 else body.decode(errors="replace").strip()  # noqa: PLR2004 - HTTP's OK


async def _postgres(place: Place, seen: Seen) -> None:
    seen.parts["postgres"] = watch.SILENT
    try:
        if await watch.postgres_answers(place.port("postgres")):
            await _all_tables(place, seen)
    except ConnectionRefusedError:
        seen.parts["postgres"] = "does not run"


async def _all_tables(place: Place, seen: Seen) -> None:
    asyncpg = await _driver("asyncpg")
    seen.parts["postgres"] = "answers, but takes nobody in"
    await asyncio.gather(*(_tables(place, seen, name, asyncpg) for name in SERVICES))


async def _tables(place: Place, seen: Seen, name: str, asyncpg: Any) -> None:
    try:
        conn = await asyncpg.connect(
            host="127.0.0.1",
            port=place.port("postgres"),
            user=name,
            password=place.passwords[name],
            database="sanwu",
            timeout=DEADLINE_S * _MOST_PATIENCE,
            ssl=False,
        )
    except asyncpg.PostgresError as error:
        seen.parts["postgres"] = f"lets nobody in: {error}"
        return
    seen.parts["postgres"] = "ok"
    try:
        seen.tables[name] = await standing.tables(conn)
        seen.offsets[name] = await standing.offsets(conn)
        seen.events[name] = await conn.fetchval(standing.COUNT_EVENTS)
        if name == "registry":
            seen.years = [int(r["key"]) for r in await conn.fetch(SELECT_YEARS)]
    except asyncpg.PostgresError as error:
        seen.parts["postgres"] = f"refuses a question of {name}: {error}"
    finally:
        conn.terminate()


async def _kafka(place: Place, seen: Seen) -> None:
    seen.parts["kafka"] = watch.SILENT
    try:
        await watch.kafka_answers(place.port("kafka"))
    except ConnectionRefusedError:
        seen.parts["kafka"] = "does not run"
        return
    aiokafka = await _driver("aiokafka")
    seen.parts["kafka"] = "answers, but tells nothing of its log"
    driver = aiokafka.AIOKafkaConsumer(**place.broker.options(), enable_auto_commit=False)
    try:
        await driver.start()
        await _ends(place, seen, driver, aiokafka.TopicPartition)
        seen.parts["kafka"] = "ok"
    except aiokafka.errors.KafkaError as error:
        seen.parts["kafka"] = f"refuses: {type(error).__name__}"
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                await driver.stop()


async def _ends(place: Place, seen: Seen, driver: Any, partition: Any) -> None:
    topics: dict[str, int] = {f"{name}.dlq": 1 for name in SERVICES}
    for read in place.reads.values():
        topics |= read
    places = [partition(topic, n) for topic, count in topics.items() for n in range(count)]
    # Told of all topics at once the driver asks for them once; else for one after the other, a tenth of a second each.
    driver.assign(places)
    driver.pause(*places)
    # The driver asks one thing of a broker at a time; together they still cost one turn less.
    begins, ends = await asyncio.gather(driver.beginning_offsets(places), driver.end_offsets(places))
    seen.log = {(tp.topic, tp.partition): (begins[tp], ends[tp]) for tp in places}
    filled = [tp for tp in places if ends[tp] > begins[tp]]
    if filled:
        now_ms = int(time.time() * 1000)
        found = await driver.offsets_for_times({tp: now_ms - int(STILL_S * 1000) for tp in filled})
        seen.young = {(tp.topic, tp.partition): at.offset for tp, at in found.items() if at is not None}


async def _disk(place: Place, seen: Seen) -> None:
    seen.disk_free_bytes = (await asyncio.to_thread(shutil.disk_usage, place.home)).free
    seen.kafka_bytes = await asyncio.to_thread(_bytes_below, place.home / "kafka")


def _bytes_below(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            # Segments come and go.
            continue
    return total
