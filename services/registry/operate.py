"""Operators' commands on the machine itself: `catalogue check|apply FILE`, `staff list|import|reset|end`.

Each tells its outcome as one JSON object with `--json`, as lines for people otherwise; status 1 when it was refused.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from services.contracts.base import Role
from services.contracts.staff import MACHINE
from services.kit import trail
from services.kit.auth import Actor
from services.kit.clock import local_day
from services.kit.db import Connection
from services.kit.errors import SanwuError
from services.kit.runtime import Command, Runtime
from services.registry import store
from services.registry.commands import imports, passwords
from services.registry.commands import staff as accounts
from services.registry.commands.staff import Office, Secrets


def _office(runtime: Runtime, conn: Connection) -> Office:
    city = runtime.reference.city()
    now = runtime.clock.now()
    machine = Actor(MACHINE, MACHINE, Role.OPERATOR, city.code if city is not None else "", MACHINE)
    return Office(conn, runtime.reference, machine, now, local_day(now))


def _tell(arguments: argparse.Namespace, found: Mapping[str, Any]) -> int:
    if arguments.json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
        return 0
    for name, value in found.items():
        if isinstance(value, list):
            sys.stdout.write(f"{name}: {len(value)}\n")
            sys.stdout.writelines(f"  {_line(v)}\n" for v in value)
        else:
            sys.stdout.write(f"{name}: {value}\n")
    return 0


def _line(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    return "  ".join(f"{name}={item}" for name, item in value.items() if item is not None)


def _refused(arguments: argparse.Namespace, error: SanwuError) -> int:
    if arguments.json:
        faults = [{"at": f.at, "message": f.message} for f in error.faults]
        sys.stdout.write(json.dumps({"code": error.code, "detail": error.detail, "errors": faults}, ensure_ascii=False))
        sys.stdout.write("\n")
        return 1
    sys.stderr.write(f"{error.detail}\n")
    sys.stderr.writelines(f"  {f.message}\n" for f in error.faults)
    return 1


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        sys.stderr.write(f"{path}: {error.strerror}\n")
        raise SystemExit(1) from None


# -- catalogue


def _catalogue_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["check", "apply"], help="tell what a file would change, or change it")
    parser.add_argument("file", metavar="FILE", help="CSV of the items")
    trail.add_by(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


async def _catalogue(runtime: Runtime, arguments: argparse.Namespace) -> int:
    data = _read(arguments.file)
    try:
        if arguments.what == "check":
            items = imports.read_catalogue(data, local_day(runtime.clock.now()))
            found = imports.differences(runtime.reference, items)
            told = [{"item": d.item, "field": d.field, "before": d.before, "after": d.after} for d in found]
            return _tell(arguments, {"items": len(items), "differences": told})
        async with runtime.database.transaction() as conn:
            office = _office(runtime, conn)
            items = imports.read_catalogue(data, office.today)
            differing = dict.fromkeys(d.item for d in imports.differences(runtime.reference, items))
            changed = await imports.apply_catalogue(office, data)
            await trail.note_command(conn, runtime, arguments.by, "catalogue apply", [f"item/{c}" for c in differing])
        return _tell(arguments, {"changed": changed})
    except SanwuError as error:
        return _refused(arguments, error)


# -- staff


def _staff_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["list", "import", "reset", "end"])
    parser.add_argument("subject", nargs="?", metavar="USERNAME|FILE", help="an account, or the file to import")
    trail.add_by(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def _secrets(secrets: Secrets) -> dict[str, Any]:
    return {**asdict(secrets), "totp_uri": secrets.totp_uri}


def _listed(runtime: Runtime) -> list[dict[str, Any]]:
    today = local_day(runtime.clock.now())
    found = []
    for member in sorted(runtime.reference.staff.values(), key=lambda s: s.username):
        held = member.at(today)
        role, scope = (held.role.value, held.scope) if held else (None, None)
        found.append({"username": member.username, "name": member.name, "role": role, "scope": scope})
    return found


async def _staff(runtime: Runtime, arguments: argparse.Namespace) -> int:
    if arguments.what == "list":
        return _tell(arguments, {"staff": _listed(runtime)})
    if arguments.subject is None:
        sys.stderr.write("name the account, or the file to import\n")
        return 2
    try:
        async with runtime.database.transaction() as conn:
            office = _office(runtime, conn)
            told, changed = await _change(office, arguments.what, arguments.subject)
            ids = await store.select_usernames(conn)
            things = [f"staff/{ids[username]}" for username in changed]
            await trail.note_command(conn, runtime, arguments.by, f"staff {arguments.what}", things)
    except SanwuError as error:
        return _refused(arguments, error)
    return _tell(arguments, told)


async def _change(office: Office, what: str, subject: str) -> tuple[dict[str, Any], list[str]]:
    """Change accounts; what is told of it, and the user names of those that changed."""
    if what == "import":
        plan = await imports.plan_staff(office, _read(subject))
        made = await imports.apply_staff(office, plan)
        told = {"new": plan.new, "changed": plan.changed, "secrets": [_secrets(s) for s in made]}
        return told, [*plan.new, *plan.changed]
    member = await accounts.find(office.conn, subject)
    if what == "end":
        member = await accounts.end_anyone(office.conn, member, office.today, office.now)
        return {"username": member.username, "ended": str(member.revisions[-1].until)}, [member.username]
    secrets = await accounts.reset_anyone(office, member, await passwords.one_time())
    return _secrets(secrets), [member.username]


CATALOGUE: Final = Command("catalogue", "check or apply a catalogue file", _catalogue_arguments, _catalogue)
STAFF: Final = Command("staff", "list, import, reset or end accounts", _staff_arguments, _staff)
