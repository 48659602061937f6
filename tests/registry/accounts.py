"""Accounts for the registry's tests, taken from a staff file as its import does."""

from services.kit.clock import local_day
from services.registry.bulk.staff import StaffRow, read_staff
from services.registry.commands import staff as accounts
from services.registry.commands import states
from services.registry.store import credentials
from services.registry.visit import make_own
from tests.builders import STAFF
from tests.conftest import Served

#: As a browser says that a form is from our own page.
OWN_PAGE = {"sec-fetch-site": "same-origin"}
HEAD = "username,password,totp_secret,role,scope\n"
PASSWORD = "correct-horse-battery"
#: 160 bits; the code of a moment is worked out by pyotp, as a phone would.
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
OTHER_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


async def emptied(served: Served) -> Served:
    """A registry without accounts, sessions and failures, in its tables and in mind; only the staff of builders.py stay in the reference copy."""
    async with served.runtime.database.transaction() as conn:
        await conn.execute("TRUNCATE credential, session, sign_in_failure, device")
        await conn.execute(
            "DELETE FROM reference WHERE kind = 'staff' AND NOT payload ->> 'username' = ANY($1::text[])", list(STAFF)
        )
    runtime = served.runtime
    runtime.own = make_own(runtime.settings, runtime.database, runtime.clock, runtime.reference)
    staff = runtime.reference.staff
    for gone in [s.staff_id for s in staff.values() if s.username not in STAFF]:
        del staff[gone]
    return served


async def take(served: Served, text: str) -> int:
    """Let the registry read a staff file as its import does; how many changed."""
    rows: list[StaffRow] = read_staff(text)
    now = served.clock.now()
    async with served.runtime.database.connection() as conn:
        known = await credentials.select_usernames(conn)
    fresh = await accounts.hash_passwords([r for r in rows if r.username not in known])
    async with served.runtime.database.transaction() as conn:
        await states.ensure_signer(conn, now)
        changed = await accounts.set_staff(conn, rows, fresh, local_day(now), now)
    await served.runtime.reference.refresh()
    return changed
