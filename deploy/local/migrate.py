"""Runs the migrations: the kit's (`0xxx_`) and a service's own (`1xxx_`), in its schema, as its role.

    await migrate_all(pg)                       # every service
    await migrate("ingest", pg.dsn("ingest"))   # one, also on a copy of the database

One step of the stack, never run by a service itself. dbmate keeps each service's list of applied
files in `<schema>.schema_migrations` and holds a lock in the database meanwhile.
"""

import asyncio
import os
import shutil
import sysconfig
from pathlib import Path
from typing import Final

from deploy.local import tool
from deploy.local.faults import Fault
from deploy.local.postgres import DATABASE, SERVICES, Postgres

_SERVICES_FOLDER: Final = Path(__file__).parents[2] / "services"
_LOCK_PATIENCE: Final = "60s"


async def migrate_all(pg: Postgres, database: str = DATABASE) -> None:
    """Bring every service's schema to its newest migration; the first failure is a fault."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_outcome(service, pg.dsn(service, database), folders(service))) for service in SERVICES
        ]
    for task in tasks:
        if task.result() is not None:
            raise Fault(str(task.result()))


async def migrate(service: str, dsn: str, wanted: list[Path] | None = None) -> None:
    """Bring one service's schema to its newest migration."""
    complaint = await _outcome(service, dsn, folders(service) if wanted is None else wanted)
    if complaint is not None:
        raise Fault(complaint)


def folders(service: str) -> list[Path]:
    """Return the folders that a service's migrations come from: the kit's, then its own."""
    own = _SERVICES_FOLDER / service / "migrations"
    kit = _SERVICES_FOLDER / "kit" / "migrations"
    return [kit, own]


async def _outcome(service: str, dsn: str, wanted: list[Path]) -> str | None:
    code, output = await tool.run(
        (
            _dbmate(),
            *(argument for folder in wanted for argument in ("--migrations-dir", str(folder))),
            *("--migrations-table", f"{service}.schema_migrations", "--no-dump-schema"),
            *("--migration-lock", "--migration-lock-timeout", _LOCK_PATIENCE),
            *("--env-file", os.devnull, "migrate"),
        ),
        # By the environment: a process list shows the arguments to everybody.
        {"PATH": os.environ.get("PATH", ""), "DATABASE_URL": dsn if "sslmode=" in dsn else f"{dsn}?sslmode=disable"},
    )
    return None if code == 0 else _sentence(service, output)


def _sentence(service: str, output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    file = next((line.split(": ", 1)[1] for line in reversed(lines) if line.startswith("Applying: ")), "")
    error = next((line for line in reversed(lines) if line.startswith("Error: ")), lines[-1] if lines else "no message")
    place = f"Migration {file} of {service}" if file else f"The migrations of {service}"
    return f"{place} failed: {error.removeprefix('Error: ')}"


def _dbmate() -> str:
    found = shutil.which("dbmate", path=sysconfig.get_path("scripts"))
    if found is None:
        raise Fault("dbmate is missing in the virtual environment: run `make run` again.")
    return found
