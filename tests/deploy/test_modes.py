"""What lies in a home is its owner's alone, and nothing of a city runs as root."""

import asyncio
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.local.faults import Fault
from deploy.local.home import Home, write_json
from deploy.local.kafka import Kafka
from deploy.local.logs import Log
from deploy.local.part import end_orphan, process_of
from deploy.local.postgres import ADMIN, Postgres
from deploy.local.supervisor import supervisor_of
from tests.running import RunningCity

ROOT_RUNS = os.geteuid() == 0
PLANTED = "210881196003136666"


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that everybody can walk to: nothing above the home keeps others out."""
    folder = Path(tempfile.mkdtemp(prefix="sanwu-modes-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
async def parts(place: Path) -> AsyncIterator[tuple[Postgres, Kafka]]:
    home = Home(place / "parts")
    async with Postgres(home) as pg, Kafka(home) as kafka:
        yield pg, kafka


def open_to_others(folder: Path) -> list[Path]:
    """What others may read, write or enter, by its mode."""
    found = []
    for path in (folder, *folder.rglob("*")):
        # Files come and go in a running city.
        with suppress(FileNotFoundError):
            told = path.lstat().st_mode
            if not stat.S_ISLNK(told) and stat.S_IMODE(told) & 0o077:
                found.append(path)
    return found


_READS_ALL = """
import os, sys
os.setgroups([]); os.setgid(60001); os.setuid(60001)
for path in sys.stdin.read().split(chr(10)):
    try:
        os.listdir(path) if os.path.isdir(path) else open(path, 'rb').read(1)
    except OSError:
        continue
    print(path)
"""


def readable_by_a_stranger(folder: Path) -> list[str]:
    """What a process of another user reads below a folder; only root can ask."""
    paths = "\n".join(map(str, [folder, *folder.rglob("*")]))
    done = subprocess.run([sys.executable, "-c", _READS_ALL], input=paths, capture_output=True, text=True, check=True)
    return done.stdout.split()


async def test_nobody_else_reads_anything_of_a_home(parts: tuple[Postgres, Kafka]) -> None:
    home = parts[0].home.path
    assert (home / "kafka/1/meta.properties").exists()
    assert (home / "logs/postgres.log").exists()
    assert open_to_others(home) == []
    if ROOT_RUNS:
        # Each file alone too: as if the folder above were open.
        assert readable_by_a_stranger(home) == []
        home.chmod(0o711)
        assert readable_by_a_stranger(home) == []
        home.chmod(0o700)


async def test_no_part_is_root_or_becomes_more_than_it_is(parts: tuple[Postgres, Kafka]) -> None:
    for part in parts:
        assert_humble(psutil.Process(part.process.pid), part.home.path)


def assert_humble(process: psutil.Process, home: Path) -> None:
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
    assert status["NoNewPrivs"] == "1"
    uids = process.uids()
    assert {uids.real, uids.effective, uids.saved} == {home.stat().st_uid}
    assert uids.real != 0
    # At most: to read what it cannot walk to.
    assert int(status["CapEff"], 16) & ~0b110 == 0
    assert int(status["CapBnd"], 16) >= int(status["CapPrm"], 16)


async def test_values_stand_in_no_log_whatever_becomes_of_the_statement(parts: tuple[Postgres, Kafka]) -> None:
    pg = parts[0]
    conn = await asyncpg.connect(pg.dsn(ADMIN, "postgres"))
    try:
        await conn.fetch("SELECT pg_sleep(2.2), $1::text", f"slow {PLANTED}")
        await conn.execute("CREATE TABLE person (number text UNIQUE CHECK (length(number) < 30), name text NOT NULL)")
        await conn.execute("INSERT INTO person VALUES ($1, 'x')", PLANTED)
        for statement, error in (
            ("INSERT INTO person VALUES ($1, 'x')", asyncpg.UniqueViolationError),
            ("INSERT INTO person VALUES ($1 || repeat('x', 30), 'x')", asyncpg.CheckViolationError),
            ("INSERT INTO person VALUES ($1, NULL)", asyncpg.NotNullViolationError),
            ("SELECT ($1::text || 'x')::bigint", asyncpg.InvalidTextRepresentationError),
        ):
            with pytest.raises(error):
                await conn.execute(statement, PLANTED)
    finally:
        await conn.close()
    await asyncio.sleep(0.3)
    told = (pg.home.logs / "postgres.log").read_text()
    assert "pg_sleep" in told
    assert PLANTED not in "".join(log.read_text(errors="replace") for log in pg.home.logs.iterdir())


def old_home(place: Path, name: str, files: int = 3) -> Path:
    """A home as it was before it was closed: open folders, all of it of whoever starts cities."""
    home = place / name
    for folder in ("logs", "objects/ab", "run"):
        (home / folder).mkdir(parents=True)
        (home / folder).chmod(0o755)
    for number in range(files):
        (home / "objects/ab" / f"{number}").touch(0o644)
    home.chmod(0o711)
    return home


def test_a_home_of_before_is_closed_and_keeps_what_it_holds(place: Path) -> None:
    path = old_home(place, "before")
    (path / "objects/ab/run").write_text("#!/bin/sh\n")
    (path / "objects/ab/run").chmod(0o755)
    outside = place / "outside"
    outside.write_text("of somebody else")
    outside.chmod(0o644)
    (path / "objects/ab/link").symlink_to(outside)
    (path / "objects/ab/loop").symlink_to(path)
    Home(path).tighten()
    assert open_to_others(path) == []
    assert stat.S_IMODE((path / "objects/ab/run").stat().st_mode) == 0o700
    assert len(list((path / "objects/ab").iterdir())) == 6
    assert (stat.S_IMODE(outside.stat().st_mode), outside.stat().st_uid) == (0o644, os.geteuid())
    if ROOT_RUNS:
        owner = path.stat().st_uid
        assert owner != 0
        assert {p.lstat().st_uid for p in path.rglob("*") if not p.is_symlink()} == {owner}
        Home(path).tighten()
        assert path.stat().st_uid == owner


def test_a_link_in_place_of_a_file_of_the_home_is_not_followed(place: Path) -> None:
    path = old_home(place, "links")
    victim = place / "victim"
    victim.write_text("as it was")
    home = Home(path)
    (home.run / "city.lock").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"), home.lock():
        pass
    (home.run / f".inner-ports.json.{os.getpid()}").symlink_to(victim)
    home.port("kafka")
    (home.logs / "kafka.log").symlink_to(victim)
    Log(home.logs / "kafka.log").write(b"words\n")
    home.tighten()
    assert victim.read_text() == "as it was"
    assert victim.stat().st_uid == os.geteuid()


def test_a_second_name_of_somebody_elses_file_is_not_given_to_the_homes_owner(place: Path) -> None:
    path = old_home(place, "second-names")
    Home(path).tighten()
    victim = place / "victim-of-a-second-name"
    victim.write_text("as it was")
    (path / "objects/ab/second").hardlink_to(victim)
    # Whoever is not root owns the home and every file that it can give a second name.
    refused = pytest.raises(Fault, match=r"objects/ab/second belongs to another user .* second name")
    with refused if ROOT_RUNS else nullcontext():
        Home(path).tighten()
    assert victim.stat().st_uid == os.geteuid()


def test_a_note_of_somebody_elses_process_ends_and_names_nobody(place: Path) -> None:
    path = old_home(place, "notes")
    Home(path).tighten()
    home = Home(path)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as victim:
        # Root's own child is not the home's owner's; of anybody else, root's first process is not.
        noted = psutil.Process(victim.pid if ROOT_RUNS else 1)
        started = noted.create_time()
        write_json(home.run / "kafka.json", {"pid": noted.pid, "started": started})
        (home.run / "city.pid").write_text(f"{noted.pid} {started}\n")
        told = supervisor_of(home.path), process_of(home, "kafka")
        assert not end_orphan(home, "kafka")
        ended = victim.poll()
        victim.communicate(b"\n")
    assert (told, ended) == ((None, None), None)


_BECOMES = """
import signal, subprocess, sys
from pathlib import Path
from deploy.local import privileges
kept = privileges.become((60001, 60001), Path("/"), 443) if sys.argv[1:] else None
for binds in (False, True):
    made = privileges.preparation(fate=signal.SIGTERM, binds=binds)
    done = subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True, preexec_fn=made, check=True)
    print(int(done.stdout.partition("CapEff:")[2].split()[0], 16) >> privileges.CAP_NET_BIND_SERVICE & 1)
print(kept)
"""


def test_the_right_to_low_ports_is_passed_on_to_the_gateway_alone() -> None:
    become = ["become"] if ROOT_RUNS else []
    done = subprocess.run([sys.executable, "-c", _BECOMES, *become], capture_output=True, text=True, check=True)
    without, with_it, kept = done.stdout.split("\n", 2)
    # Whoever is not root has no right that could be passed on.
    assert (without, with_it) == ("0", "1" if ROOT_RUNS else "0")
    told = Path("/proc/self/status").read_text().partition("CapPrm:")[2].split()[0]
    reads = int(told, 16) >> 2 & 1
    said = "root's right to read" if reads else "root's right to read and to write every file"
    assert kept.strip() in {"None", said}


def test_closing_a_hundred_thousand_files_takes_seconds_and_finding_them_closed_less(place: Path) -> None:
    path = old_home(place, "large", files=100_000)
    begin = time.process_time()
    Home(path).tighten()
    assert time.process_time() - begin < 15
    begin = time.process_time()
    Home(path).tighten()
    assert time.process_time() - begin < 4
    shutil.rmtree(path)


def test_what_a_command_of_roots_writes_into_a_home_belongs_to_its_owner(place: Path) -> None:
    home = Home(place / "written")
    home.password("ingest")
    file = home.path / "secrets.json"
    assert (file.stat().st_uid, stat.S_IMODE(file.stat().st_mode)) == (home.path.stat().st_uid, 0o600)


def test_a_home_of_somebody_else_is_one_sentence(place: Path) -> None:
    if not ROOT_RUNS:
        with pytest.raises(Fault, match="belongs to another user"):
            Home(Path("/")).tighten()
        return
    path = old_home(place, "theirs")
    Home(path).tighten()
    program = f"""
import os; from pathlib import Path; from deploy.local.home import Home
os.setuid({path.stat().st_uid + 1})
Home(Path({str(path)!r})).tighten()"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "belongs to another user" in done.stderr or "Permission denied" in done.stderr


def test_a_whole_city_is_its_homes_owner_and_no_mode_opens_it(small_city: RunningCity) -> None:
    supervisor = psutil.Process(small_city.process.pid)
    parts = supervisor.children()
    assert len(parts) > 8
    owner = small_city.home.stat().st_uid
    assert {p.uids().effective for p in [supervisor, *supervisor.children(recursive=True)]} == {owner}
    for part in parts:
        assert Path(f"/proc/{part.pid}/status").read_text().split("NoNewPrivs:")[1].split()[0] == "1"
        if ROOT_RUNS:
            assert_humble(part, small_city.home)
    assert open_to_others(small_city.home) == []
