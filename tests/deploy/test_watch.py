"""How the supervisor tells a part that hangs from one that is busy, on the real ones."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import asyncpg
import psutil
import pytest
import pytest_asyncio
from rich.console import Console

from deploy.local import watch
from deploy.local.home import Home
from deploy.local.kafka import Kafka
from deploy.local.part import Part
from deploy.local.postgres import Postgres
from deploy.local.service import standing_still
from deploy.local.stack import City
from services.kit.pulse import Pulse


def freeze(part: Part) -> None:
    """Stop the process and all that it started, as a machine does that has no time for them."""
    process = psutil.Process(part.process.pid)
    for each in (process, *process.children(recursive=True)):
        os.kill(each.pid, signal.SIGSTOP)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One that PostgreSQL's user can walk through."""
    tmp_path.chmod(0o711)
    return tmp_path


@pytest_asyncio.fixture
async def postgres(folder: Path) -> AsyncIterator[Postgres]:
    async with Postgres(folder) as part:
        yield part


async def test_postgres_in_a_checkpoint_or_full_of_people_is_not_a_hung_one(postgres: Postgres) -> None:
    dsn = postgres.dsn("sanwu_admin", "postgres")
    conn = await asyncpg.connect(dsn)
    await conn.execute("CREATE TABLE much AS SELECT generate_series(1, 200000) AS n")
    checkpoint = asyncio.ensure_future(conn.execute("CHECKPOINT"))
    assert await watch.asked(postgres) is None
    await checkpoint
    room = int(await conn.fetchval("SHOW max_connections"))
    crowd = await asyncio.gather(*(asyncpg.connect(dsn) for _ in range(room - 1)))
    with pytest.raises(asyncpg.TooManyConnectionsError):
        await asyncpg.connect(dsn)
    assert await watch.asked(postgres) is None
    for each in (conn, *crowd):
        each.terminate()


async def test_frozen_postgres_hangs_and_its_data_comes_back(postgres: Postgres) -> None:
    conn = await asyncpg.connect(postgres.dsn("sanwu_admin", "postgres"))
    await conn.execute("CREATE TABLE kept AS SELECT 7 AS n")
    freeze(postgres)
    postgres.patience = 2
    assert await watch.hung(postgres) == "does not answer"
    await postgres.kill()
    conn.terminate()
    await postgres.start()
    again = await asyncpg.connect(postgres.dsn("sanwu_admin", "postgres"))
    assert await again.fetchval("SELECT n FROM kept") == 7
    await again.close()


async def test_frozen_kafka_hangs_and_starts_again(tmp_path: Path) -> None:
    async with Kafka(tmp_path) as kafka:
        assert await watch.asked(kafka) is None
        freeze(kafka)
        kafka.patience = 2
        assert await watch.hung(kafka) == "does not answer"
        await kafka.kill()
        await kafka.start()
        assert await watch.asked(kafka) is None


class Moody(Part):
    """Answers, or not, as it is told."""

    name = "moody"
    patience = 3

    def __init__(self, home: Path, moods: list[str | None]) -> None:
        super().__init__(home)
        self.moods = moods
        self.asked = 0

    async def trouble(self) -> str | None:
        self.asked += 1
        return self.moods[min(self.asked, len(self.moods)) - 1]


async def test_an_answer_in_between_begins_the_count_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "EVERY_S", 0.01)
    part = Moody(tmp_path, ["late", "late", None, "late", "late", "says that it stands still: relay"])
    assert await watch.hung(part) == "says that it stands still: relay"
    assert part.asked == 6


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b'{"live": false, "roles": {"relay": {"age_seconds": 70, "too_old_by_seconds": 10}, "http": {"age_seconds": 1}}}',
            "relay",
        ),
        (b'{"live": false, "roles": {}}', None),
        (b"not live", None),
        (b"[1]", None),
    ],
)
def test_livez_names_the_roles_that_stand_still(body: bytes, said: str | None) -> None:
    assert standing_still(body) == (said and f"says that it stands still: {said}")


def test_what_a_service_says_of_its_roles_is_what_the_supervisor_reads() -> None:
    pulse = Pulse()
    pulse.watch("relay")
    assert standing_still(json.dumps(pulse.answer(60)).encode()) is None
    assert standing_still(json.dumps(pulse.answer(-1)).encode()) == "says that it stands still: relay"


class Sleeper(Part):
    """Is there, and nothing else."""

    name = "sleeper"

    def command(self) -> list[str]:
        return ["sleep", "600"]

    async def is_ready(self) -> bool:
        return True


@pytest.fixture
def full_disk() -> Iterator[TextIO]:
    """A file that takes nothing, as a console's does on a full disk."""
    file = Path("/dev/full").open("w")  # noqa: SIM115 - its closing fails too
    yield file
    with suppress(OSError):
        file.close()


async def test_a_part_is_started_again_though_nobody_can_be_told(folder: Path, full_disk: TextIO) -> None:
    city = City(Home(folder), 8000, Console(file=full_disk))
    part = Sleeper(city.home)
    await city._start(part)
    try:
        for _ in range(2):
            before = part.process.pid
            await part.kill()
            while part.process.pid == before:  # noqa: ASYNC110 - the keeper is another task
                await asyncio.sleep(0.05)
    finally:
        city._keepers[0].cancel()
        await part.stop()
