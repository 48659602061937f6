"""`python -m services.registry serve`, and `import`, which reads the operator's files; reading them twice changes nothing.

Without any file it learns the calendars that were announced since.
"""

import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final, TypeVar

from typer import Option

from services.contracts.catalogue import Profile, ProfileRevision
from services.contracts.division import Division
from services.kit.cli import Refusal, Told, new_app, on_runtime
from services.kit.clock import local_day
from services.kit.db import Connection
from services.kit.keypair import public_half
from services.kit.process import main
from services.kit.service import Service
from services.registry.app import create_app
from services.registry.bulk.calendar import CalendarYearUnknownError, calendar_year
from services.registry.bulk.catalogue import read_items
from services.registry.bulk.divisions import City, read_divisions
from services.registry.bulk.rows import FileFaultsError
from services.registry.bulk.staff import read_staff
from services.registry.commands import staff as accounts
from services.registry.commands import states
from services.registry.jobs import make_jobs
from services.registry.operate import CATALOGUE, KEYS, STAFF
from services.registry.settings import RegistrySettings
from services.registry.store import credentials, references, sealed
from services.registry.visit import RegistryRuntime, make_own

Read = TypeVar("Read")


COMMANDS = new_app()
COMMANDS.add_typer(CATALOGUE, name="catalogue")
COMMANDS.add_typer(STAFF, name="staff")
COMMANDS.add_typer(KEYS, name="keys")


def _read(path: Path, parse: Callable[[bytes], Read]) -> Read:
    try:
        return parse(path.read_bytes())
    except FileFaultsError as error:
        raise Refusal("\n".join(f"{path.name}: {fault.message}" for fault in error.faults)) from None
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise Refusal(message) from None


def _with_starts(divisions: list[Division], starts: dict[str, date]) -> list[Division]:
    """Divisions with the start of duties of those that have their own."""
    return [
        d.model_copy(update={"revisions": (d.now.model_copy(update={"duties_from": starts[d.code]}),)})
        if d.code in starts
        else d
        for d in divisions
    ]


async def _set_calendars(conn: Connection, now: datetime) -> tuple[int, list[str]]:
    """Set the working days of the years about now; how many changed, and a sentence on each year not yet announced."""
    changed, unknown, today = 0, [], local_day(now)
    for year in range(today.year - 2, today.year + 2):
        try:
            changed += await states.set_calendar(conn, calendar_year(year), now)
        except CalendarYearUnknownError:
            unknown.append(f"{year} 年的节假日安排尚未公布，届时请再次导入；在此之前只按周末计算工作日。")
    return changed, unknown


@COMMANDS.command("import")
@on_runtime
async def import_files(
    runtime: RegistryRuntime,
    *,
    city: Annotated[str, Option(metavar="CODE:NAME", help="The city, as 210881:盖州市.")],
    divisions: Annotated[Path | None, Option(help="CSV: code,name,township_code,township_name,kind.")] = None,
    catalogue: Annotated[Path | None, Option(help="CSV of the items; the default profile is set with it.")] = None,
    staff: Annotated[
        Path | None,
        Option(
            help="CSV: username,password,totp_secret,role,scope and, if wanted, name,affairs,delegation;"
            " known passwords stay."
        ),
    ] = None,
    sample: Annotated[bool, Option("--sample", help="Figures are made up; every page will say so.")] = False,
    duties_from: Annotated[
        list[str] | None,
        Option(
            metavar="CODE=DATE",
            help="Where duties start (inherited below); only for divisions not known yet. May be given again.",
        ),
    ] = None,
) -> Told:
    """Read divisions, catalogue, calendar and staff from files."""
    now = runtime.clock.now()
    today = local_day(now)
    code, _, name = city.partition(":")
    of = City(code=code, name=name, since=today, sample=sample, profile="default")
    starts = {c: date.fromisoformat(d) for c, _, d in (s.partition("=") for s in duties_from or ())}
    tree = _read(divisions, lambda data: read_divisions(data, of)) if divisions else []
    items = _read(catalogue, lambda data: read_items(data, today)) if catalogue else []
    members = _read(staff, read_staff) if staff else []
    profile = Profile(code="default", revisions=(ProfileRevision(since=today, source="平台默认档案，待本市确认"),))
    async with runtime.database.connection() as conn:
        known = await credentials.select_usernames(conn)
    fresh = await accounts.hash_passwords([s for s in members if s.username not in known])
    async with runtime.database.transaction() as conn:
        await references.note_first_root(conn, public_half(runtime.settings.root), now)
        await states.ensure_signer(conn, now)
        changed = await states.set_divisions(conn, _with_starts(tree, starts), now)
        changed += await states.set_items(conn, items, now)
        if items:
            changed += await states.set_profile(conn, profile, now)
        calendars, unknown_years = await _set_calendars(conn, now)
        changed += calendars + await accounts.set_staff(conn, members, fresh, today, now)
    sentence = f"{changed} reference states said, {len(fresh)} accounts added"
    return Told({"changed": changed, "accounts": len(fresh)}, [sentence], unknown_years)


SERVICE: Final = Service(
    "registry",
    RegistrySettings,
    make_own,
    create_app,
    make_jobs=make_jobs,
    require_seal=sealed.require_seal,
    commands=COMMANDS,
)

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
