"""PostgreSQL of the local city: who may see what, and what a power cut leaves."""

import asyncio
import itertools
import os
import signal
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.local import migrate
from deploy.local.faults import Fault
from deploy.local.postgres import ADMIN, SERVICES, Postgres, dsn_within, socket_in


@pytest.fixture(scope="module")
async def pg(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    async with Postgres(tmp_path_factory.mktemp("postgres")) as server:
        for service in SERVICES:
            await _execute(server.dsn(service), "CREATE TABLE own (n int)")
        yield server


async def _execute(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize(("role", "other"), list(itertools.permutations(SERVICES, 2)))
async def test_role_is_denied_every_other_schema(pg: Postgres, role: str, other: str) -> None:
    for statement in (f"SELECT count(*) FROM {other}.own", f"CREATE TABLE {other}.mine (n int)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for schema"):
            await _execute(pg.dsn(role), statement)


@pytest.mark.parametrize("role", SERVICES)
async def test_role_reaches_neither_public_nor_another_database(pg: Postgres, role: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for schema public"):
        await _execute(pg.dsn(role), "CREATE TABLE public.mine (n int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
        await _execute(pg.dsn(role, "postgres"), "SELECT 1")


async def test_nobody_enters_without_the_password(pg: Postgres) -> None:
    for dsn in (f"postgresql://ingest@{pg.address}/sanwu", f"postgresql://{ADMIN}:x@{pg.address}/sanwu"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(dsn, passfile=os.devnull, password=None if "x@" in dsn else "")
    stored = await _execute(
        pg.dsn(ADMIN), "SELECT bool_and(rolpassword LIKE 'SCRAM-SHA-256%') FROM pg_authid WHERE rolcanlogin"
    )
    assert stored is True


async def test_server_listens_on_loopback_alone_and_checks_its_pages(pg: Postgres) -> None:
    listening = [c.laddr for c in psutil.Process(pg.process.pid).net_connections() if c.status == "LISTEN"]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert await _execute(pg.dsn(ADMIN), "SHOW data_checksums") == "on"


async def test_a_service_comes_by_the_socket_in_the_home_which_asks_for_its_password(pg: Postgres) -> None:
    own = dsn_within(pg.home.path, "ingest", pg.home.password("ingest"), pg.address)
    assert await _execute(own, "SELECT inet_server_addr() IS NULL AND current_user = 'ingest'") is True
    with pytest.raises(asyncpg.InvalidPasswordError):
        await _execute(dsn_within(pg.home.path, "ingest", "x", pg.address), "SELECT 1")
    socket = socket_in(pg.home.path, pg.address)
    owner = pg.home.path.stat().st_uid
    for place, mode in ((socket, 0o700), (socket.parent, 0o700)):
        assert (stat.S_IMODE(place.stat().st_mode), place.stat().st_uid) == (mode, owner)


@pytest.mark.parametrize("role", [ADMIN, "publish"])
async def test_nobody_is_let_in_by_the_socket_for_who_they_are(pg: Postgres, role: str) -> None:
    url = f"postgresql://{role}@/sanwu?host={pg.home.run}&port={pg.port}"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url, passfile=os.devnull, password="")


@pytest.mark.parametrize("name", ["deep" * 25, "with, a comma"])
async def test_a_home_that_is_no_address_for_a_socket_is_served_over_the_loopback(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    async with Postgres(home) as server:
        assert not list(server.home.run.glob(".s.PGSQL*"))
        url = dsn_within(home, "qr", server.home.password("qr"), server.address)
        assert url == server.dsn("qr")
        assert await _execute(url, "SELECT 1") == 1


async def test_a_cluster_of_before_gets_a_socket_and_a_socket_of_before_is_in_nobody_s_way(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    # A socket's path has 107 bytes at most.
    home = tmp_path_factory.mktemp("c") / 'an "old" & 5 %'
    async with Postgres(home) as server:
        access = server.data / "pg_hba.conf"
    access.write_text(access.read_text().replace("local ", "# "))
    # Its process is gone, and its number is somebody else's.
    left = server.home.run / ".s.PGSQL.15432"
    left.touch()
    left.with_name(f"{socket_in(home, server.address).name}.lock").write_text(f"{os.getppid()}\n")
    async with Postgres(home) as again:
        url = dsn_within(home, "qr", again.home.password("qr"), again.address)
        assert await _execute(url, "SELECT inet_server_addr() IS NULL") is True
        assert sorted(p.name for p in again.home.run.glob(".s.PGSQL*")) == [
            f".s.PGSQL.{again.port}",
            f".s.PGSQL.{again.port}.lock",
        ]
        assert access.stat().st_mode & 0o077 == 0


async def test_server_is_not_root(pg: Postgres) -> None:
    assert psutil.Process(pg.process.pid).uids().effective != 0


async def test_passwords_are_readable_by_the_owner_alone(pg: Postgres) -> None:
    assert (pg.home.path / "secrets.json").stat().st_mode & 0o077 == 0


async def test_committed_rows_survive_kill_9(pg: Postgres) -> None:
    await _execute(pg.dsn("audit"), "INSERT INTO own VALUES (41), (42)")
    # The server process alone: its children must notice and go.
    pg.process.send_signal(signal.SIGKILL)
    await pg.wait()
    await pg.start()
    assert await _execute(pg.dsn("audit"), "SELECT max(n) FROM own") == 42


async def test_database_can_be_copied_for_a_test(pg: Postgres) -> None:
    await pg.copy_database("copy_1")
    assert await _execute(pg.dsn("qr", "copy_1"), "SELECT count(*) FROM own") == 0


async def test_first_start_killed_halfway_starts_again(tmp_path: Path) -> None:
    server = Postgres(tmp_path)
    start = asyncio.create_task(server.prepare())
    await asyncio.sleep(0.15)
    start.cancel()
    await asyncio.gather(start, return_exceptions=True)
    (tmp_path / "postgres.partial").mkdir(exist_ok=True)
    async with Postgres(tmp_path) as again:
        assert await _execute(again.dsn("ingest"), "SELECT 1") == 1


async def test_migration_runs_once_in_the_service_s_schema(pg: Postgres, tmp_path: Path) -> None:
    (tmp_path / "1001_thing.sql").write_text("-- migrate:up\nCREATE TABLE thing (n int);\n-- migrate:down\n")
    for _ in range(2):
        await migrate.migrate("qr", pg.dsn("qr"), [tmp_path])
    assert await _execute(pg.dsn("qr"), "SELECT count(*) FROM qr.thing") == 0
    assert await _execute(pg.dsn("qr"), "SELECT string_agg(version, ',') FROM qr.schema_migrations") == "1001"


async def test_failed_migration_names_its_file_and_the_reason(pg: Postgres, tmp_path: Path) -> None:
    (tmp_path / "1001_bad.sql").write_text("-- migrate:up\nCREATE TABLE thing (n inf);\n-- migrate:down\n")
    with pytest.raises(Fault, match=r'1001_bad\.sql of publish failed: .*type "inf" does not exist'):
        await migrate.migrate("publish", pg.dsn("publish"), [tmp_path])
