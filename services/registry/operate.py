"""Operators' commands on the machine itself: `catalogue check|apply FILE`, `staff list|import|reset|end`, `keys …`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer import Argument, Option

from services.contracts.base import Role
from services.contracts.staff import MACHINE
from services.kit import trail
from services.kit.auth import Actor
from services.kit.cli import By, Told, at_once, new_app, on_runtime
from services.kit.clock import local_day
from services.kit.db import Connection
from services.kit.encoded import base64url_of
from services.kit.keypair import public_half
from services.registry.commands import imports, passwords, states
from services.registry.commands import staff as accounts
from services.registry.commands.staff import Secrets
from services.registry.store import credentials
from services.registry.visit import Changing, RegistryRuntime

CATALOGUE: Final = new_app("The catalogue of items.")
STAFF: Final = new_app("Accounts of staff.")
KEYS: Final = new_app("The key that signs tokens, and the root key that vouches for it.")
File = Annotated[Path, Argument(help="CSV file.", exists=True, dir_okay=False)]
Username = Annotated[str, Argument(help="User name.")]


def _desk(runtime: RegistryRuntime, conn: Connection) -> Changing:
    """The machine, which stands for the whole city."""
    city = runtime.reference.city()
    machine = Actor(MACHINE, MACHINE, Role.OPERATOR, city.code if city is not None else "", MACHINE)
    return Changing(runtime, runtime.clock.now(), conn, machine)


@asynccontextmanager
async def _changing(runtime: RegistryRuntime) -> AsyncIterator[Changing]:
    """A transaction in which the machine changes something."""
    async with runtime.database.transaction() as conn:
        yield _desk(runtime, conn)


async def _note_staff(desk: Changing, by: str | None, action: str, *usernames: str) -> None:
    ids = await credentials.select_usernames(desk.conn)
    things = [f"staff/{ids[username]}" for username in usernames]
    await trail.note_command(desk.conn, desk.runtime, by, f"staff {action}", things)


# -- catalogue


@CATALOGUE.command("check")
@on_runtime
async def check_catalogue(runtime: RegistryRuntime, file: File) -> Told:
    """Read a catalogue file and tell what would change; its faults by line."""
    items = imports.read_catalogue(file.read_bytes(), local_day(runtime.clock.now()))
    return Told(
        {"items": len(items), "differences": [asdict(d) for d in imports.differences(runtime.reference, items)]}
    )


@CATALOGUE.command("apply")
@on_runtime
async def apply_catalogue(runtime: RegistryRuntime, file: File, *, by: By = None) -> Told:
    """Take over every item of a catalogue file that differs, from today."""
    data = file.read_bytes()
    async with _changing(runtime) as desk:
        found = imports.differences(runtime.reference, imports.read_catalogue(data, desk.today))
        changed = await imports.apply_catalogue(desk, data)
        things = [f"item/{item}" for item in dict.fromkeys(d.item for d in found)]
        await trail.note_command(desk.conn, runtime, by, "catalogue apply", things)
    return Told({"changed": changed})


# -- staff


@STAFF.command("list")
@on_runtime
async def list_staff(runtime: RegistryRuntime) -> Told:
    """Accounts with role and scope; never a password."""
    return Told({"staff": _listed(runtime)})


@STAFF.command("import")
@on_runtime
async def import_staff(runtime: RegistryRuntime, file: File, *, by: By = None) -> Told:
    """Add the accounts of a CSV file; passwords of known ones stay."""
    rows = imports.read_staff_file(file.read_bytes())
    async with runtime.database.connection() as conn:
        plan = await imports.plan_staff(_desk(runtime, conn), rows)
    made = await imports.make_accounts(plan)
    async with _changing(runtime) as desk:
        plan, secrets = await imports.apply_staff(desk, plan, made)
        await _note_staff(desk, by, "import", *plan.new, *plan.changed)
    return Told({"new": plan.new, "changed": plan.changed, "secrets": [_secrets(s) for s in secrets]})


@STAFF.command("reset")
@on_runtime
async def reset_staff(runtime: RegistryRuntime, username: Username, *, by: By = None) -> Told:
    """Give an account a new password, shown once, and end its sessions."""
    one_time = await passwords.make_one_time()
    async with _changing(runtime) as desk:
        secrets = await accounts.reset_unchecked(desk, await desk.lock_account(username), one_time)
        await _note_staff(desk, by, "reset", username)
    return Told(_secrets(secrets))


@STAFF.command("end")
@on_runtime
async def end_staff(runtime: RegistryRuntime, username: Username, *, by: By = None) -> Told:
    """End an account's service and its sessions, everywhere."""
    async with _changing(runtime) as desk:
        member = await accounts.end_unchecked(desk, await desk.lock_account(username))
        await _note_staff(desk, by, "end", username)
    return Told({"username": member.username, "ended": str(member.revisions[-1].until)})


# -- keys


@KEYS.command("rotate-signing")
@on_runtime
async def rotate_signing(
    runtime: RegistryRuntime,
    *,
    leaked: Annotated[
        bool, Option("--at-once", help="Somebody else may have the key: nothing it signed counts.")
    ] = False,
    by: By = None,
) -> Told:
    """Let a new key sign tokens from a minute later on; sessions go on."""
    async with _changing(runtime) as desk:
        kid, begins = await states.rotate_signer(desk.conn, desk.now, at_once=leaked)
        await trail.note_command(desk.conn, runtime, by, "keys rotate-signing", [f"signer/{kid}"])
    return Told({"kid": kid, "begins": begins.isoformat()}, [f"{kid} signs from {begins.isoformat()} on"])


@KEYS.command("new-root")
@at_once
def new_root() -> Told:
    """Make a root key: the private half for SANWU_REGISTRY_ROOT_KEY, the public one for everybody's SANWU_REGISTRY_ROOT."""
    root = Ed25519PrivateKey.generate()
    private, public = base64url_of(root.private_bytes_raw()), public_half(root)
    return Told({"private": private, "public": public}, [f"private {private}", f"public  {public}"])


def _secrets(secrets: Secrets) -> dict[str, Any]:
    return {**asdict(secrets), "totp_uri": secrets.totp_uri}


def _listed(runtime: RegistryRuntime) -> list[dict[str, Any]]:
    today = local_day(runtime.clock.now())
    found = []
    for member in sorted(runtime.reference.staff.values(), key=lambda s: s.username):
        held = member.at(today)
        role, scope = (held.role.value, held.scope) if held else (None, None)
        found.append({"username": member.username, "name": member.name, "role": role, "scope": scope})
    return found
