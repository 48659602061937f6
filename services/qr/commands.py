"""What changes codes: the first one of a village, and a new one in place of one that no longer counts.

A village's serials count 1, 2, 3 …, held unique by the table: what has been issued is never issued again.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.contracts.base import Role
from services.contracts.code import Code, CodeSet
from services.kit import actions, outbox
from services.kit.auth import Actor
from services.kit.db import Connection
from services.qr import metrics, store
from services.qr.errors import CodeChangedError, CodeRevokedError, UnknownCodeError
from services.qr.render.code import ALPHABET, LENGTH, read_code
from services.qr.store import CodeRow, Purpose
from services.qr.visit import Changing

#: A supervisor watches what is posted and does not post it.
MAY_PRINT: Final = (Role.CLERK, Role.REVIEWER, Role.INSPECTOR, Role.OPERATOR)
MAY_REVOKE: Final = (Role.REVIEWER, Role.OPERATOR)


@dataclass(frozen=True, slots=True)
class Replaced:
    """A code that counts no more, and the one issued in its place."""

    revoked: CodeRow
    issued: CodeRow


def _new_code() -> str:
    """40 random bits: nobody guesses a neighbour's, and nothing in it tells whose it is."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def _row(village: str, purpose: Purpose, place: str | None, serial: int, now: datetime) -> CodeRow:
    return CodeRow(_new_code(), village, purpose, place, serial, "valid", now)


async def _say(conn: Connection, row: CodeRow, now: datetime, actor: Actor | None) -> None:
    stamp = await outbox.stamp(
        conn,
        "code",
        row.code,
        at=now,
        village_code=row.village,
        actor_id=actor.staff_id if actor else None,
        actor_role=actor.role if actor else Role.SYSTEM,
    )
    state = Code(
        code=row.code,
        village=row.village,
        purpose=row.purpose,
        place=row.place,
        serial=row.serial,
        state=row.state,
        issued_at=row.issued_at,
    )
    await outbox.append(conn, CodeSet(**stamp, code=state), key=row.code)
    metrics.CODES_SAID.labels(state=row.state).inc()


async def issue_first_code(conn: Connection, village: str, now: datetime) -> bool:
    """Give a village its board's code, serial 1; False when it ever had one.

    The one chance in 10^12 that the code is taken raises UniqueViolationError: the event comes again, with another.
    """
    row = _row(village, "board", None, 1, now)
    if not await store.insert_code(conn, row):
        return False
    await _say(conn, row, now, None)
    return True


async def revoke_code(desk: Changing, code: str, reason: str) -> Replaced:
    """Make a code count no more and issue its village's next serial for the same place.

    Raises UnknownCodeError, ForbiddenError (scope), CodeRevokedError (already), CodeChangedError (at the same time).
    """
    conn, now, actor = desk.conn, desk.now, desk.actor
    known = read_code(code)
    held = await store.lock_code(conn, known) if known is not None else None
    if held is None:
        raise UnknownCodeError(code)
    actions.about(f"code/{held.code}", held.village)
    actor.require_scope(desk.reference, held.village)
    if held.state == "revoked":
        raise CodeRevokedError
    await store.revoke_code(conn, held.code, now, actor.staff_id, reason)
    issued = _row(held.village, held.purpose, held.place, await store.select_last_serial(conn, held.village) + 1, now)
    if not await store.insert_code(conn, issued):
        raise CodeChangedError
    revoked = replace(held, state="revoked")
    await _say(conn, revoked, now, actor)
    await _say(conn, issued, now, actor)
    return Replaced(revoked, issued)
