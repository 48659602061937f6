"""`python -m services.registry serve`, and `import`, which reads the operator's files; reading them twice changes nothing.

Without any file it learns the calendars that were announced since.
"""

import argparse
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

from services.contracts.catalogue import Profile, ProfileRevision
from services.contracts.division import Division
from services.kit.clock import local_day
from services.kit.process import Command, Service, main
from services.kit.runtime import Runtime
from services.registry import commands, store
from services.registry.app import create_app
from services.registry.bulk.calendar import CalendarYearUnknownError, calendar_year
from services.registry.bulk.catalogue import read_items
from services.registry.bulk.divisions import City, read_divisions
from services.registry.bulk.rows import FileFaultsError
from services.registry.bulk.staff import read_staff
from services.registry.jobs import JOBS
from services.registry.operate import CATALOGUE, STAFF
from services.registry.settings import RegistrySettings

Read = TypeVar("Read")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--city", required=True, metavar="CODE:NAME", help="the city, as 210881:盖州市")
    parser.add_argument("--divisions", type=Path, help="CSV: code,name,township_code,township_name,kind")
    parser.add_argument("--catalogue", type=Path, help="CSV of the items; the default profile is set with it")
    parser.add_argument(
        "--staff",
        type=Path,
        help="CSV: username,password,totp_secret,role,scope and, if wanted, name,affairs,delegation; known passwords stay",
    )
    parser.add_argument("--sample", action="store_true", help="figures are made up; every page will say so")
    parser.add_argument(
        "--duties-from",
        action="append",
        default=[],
        metavar="CODE=DATE",
        help="where duties start (inherited below); only for divisions not known yet",
    )


def _read(path: Path, parse: Callable[[bytes], Read]) -> Read:
    try:
        return parse(path.read_bytes())
    except FileFaultsError as error:
        for fault in error.faults:
            sys.stderr.write(f"{path.name}: {fault.message}\n")
        raise SystemExit(1) from None
    except OSError as error:
        sys.stderr.write(f"{path}: {error.strerror}\n")
        raise SystemExit(1) from None


def _with_starts(divisions: list[Division], starts: dict[str, date]) -> list[Division]:
    """Divisions with the start of duties of those that have their own."""
    return [
        d.model_copy(update={"revisions": (d.now.model_copy(update={"duties_from": starts[d.code]}),)})
        if d.code in starts
        else d
        for d in divisions
    ]


async def _import(runtime: Runtime, arguments: argparse.Namespace) -> int:
    now = runtime.clock.now()
    today = local_day(now)
    code, _, name = arguments.city.partition(":")
    city = City(code=code, name=name, since=today, sample=arguments.sample, profile="default")
    starts = {c: date.fromisoformat(d) for c, _, d in (s.partition("=") for s in arguments.duties_from)}
    divisions = _read(arguments.divisions, lambda data: read_divisions(data, city)) if arguments.divisions else []
    items = _read(arguments.catalogue, lambda data: read_items(data, today)) if arguments.catalogue else []
    staff = _read(arguments.staff, read_staff) if arguments.staff else []
    profile = Profile(code="default", revisions=(ProfileRevision(since=today, source="平台默认档案，待本市确认"),))
    async with runtime.database.connection() as conn:
        known = await store.select_usernames(conn)
    fresh = await commands.hash_passwords([s for s in staff if s.username not in known])
    async with runtime.database.transaction() as conn:
        await commands.ensure_signer(conn, now)
        changed = await commands.set_divisions(conn, _with_starts(divisions, starts), now)
        changed += await commands.set_items(conn, items, now)
        if items:
            changed += await commands.set_profile(conn, profile, now)
        for year in range(today.year - 2, today.year + 2):
            try:
                changed += await commands.set_calendar(conn, calendar_year(year), now)
            except CalendarYearUnknownError:
                sys.stderr.write(f"{year} 年的节假日安排尚未公布，届时请再次导入；在此之前只按周末计算工作日。\n")
        changed += await commands.set_staff(conn, staff, fresh, today, now)
    sys.stdout.write(f"{changed} reference states said, {len(fresh)} accounts added\n")
    return 0


IMPORT = Command("import", "read divisions, catalogue, calendar and staff from files", _add_arguments, _import)
SERVICE = Service("registry", RegistrySettings, create_app, jobs=JOBS, commands=(IMPORT, CATALOGUE, STAFF))

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
