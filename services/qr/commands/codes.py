"""What changes codes: a village's first one, more of them, and a new one in place of one that no longer counts.

A village's serials count 1, 2, 3 …, held unique by the table: what has been issued is never issued again.
"""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.contracts.base import Role
from services.contracts.code import ALPHABET, LENGTH, PURPOSE_OF, Code, CodeKind, CodeSet, read_code
from services.contracts.division import DivisionKind
from services.contracts.words import CODE_KINDS
from services.kit import actions, outbox
from services.kit.auth import Actor
from services.kit.db import Connection
from services.kit.errors import Fault, InvalidInputError
from services.qr import metrics
from services.qr.bulk.targets import Target, faults_of
from services.qr.errors import (
    CodeChangedError,
    CodeHangsAlreadyError,
    CodeRevokedError,
    NoVillageError,
    TooManyCodesError,
    UnknownCodeError,
)
from services.qr.store import codes, hangings
from services.qr.store.codes import CodeRow, Issued
from services.qr.visit import Changing

#: A supervisor watches what is posted and does not post it.
MAY_PRINT: Final = (Role.CLERK, Role.REVIEWER, Role.INSPECTOR, Role.OPERATOR)
MAY_REVOKE: Final = (Role.REVIEWER, Role.OPERATOR)
MAY_ISSUE: Final = MAY_REVOKE
#: The village's page names every code that counts: so many at most.
MOST_OF_VILLAGE: Final = 300
_NONE_YET: Final = Issued(last=0, valid=0)
WITH_A_CODE: Final = frozenset({DivisionKind.VILLAGE, DivisionKind.COMMUNITY})


@dataclass(frozen=True, slots=True)
class Replaced:
    """A code that counts no more, and the one in its place; None where none was wanted."""

    revoked: CodeRow
    issued: CodeRow | None


@dataclass(frozen=True, slots=True)
class Rotated:
    """A code that counts until its successor hangs, and the successor."""

    current: CodeRow
    issued: CodeRow


def new_code() -> str:
    """40 random bits: nobody guesses a neighbour's, and nothing in it tells whose it is."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def _event_code(row: CodeRow) -> Code:
    of = row.target
    return Code(
        code=row.code,
        village=row.village,
        purpose=PURPOSE_OF[of.kind],
        # Readers of before show the place, or the purpose in its stead, which says less than the kind does.
        place=of.subject or of.place or (CODE_KINDS[of.kind] if of.kind is not CodeKind.BOARD else None),
        serial=row.serial,
        state=row.state,
        issued_at=row.issued_at,
        kind=of.kind,
        item=of.item,
        period=of.period,
    )


async def say_codes(conn: Connection, rows: Sequence[CodeRow], now: datetime, actor: Actor | None) -> None:
    """Say the whole state of some codes."""
    stamps = await outbox.stamp_all(
        conn,
        "code",
        {row.code: row.village for row in rows},
        at=now,
        actor_id=actor.staff_id if actor else None,
        actor_role=actor.role if actor else Role.SYSTEM,
    )
    said = [CodeSet(**stamps[row.code], code=_event_code(row)) for row in rows]
    await outbox.append_all(conn, said, [row.code for row in rows])
    for row in rows:
        metrics.CODES_SAID.labels(state=row.state).inc()


async def issue_first_code(conn: Connection, village: str, now: datetime) -> bool:
    """Give a village its board's code, serial 1; False when it ever had one.

    The one chance in 10^12 that the code is taken raises UniqueViolationError: the event comes again, with another.
    """
    row = CodeRow(new_code(), village, Target(CodeKind.BOARD), 1, "valid", now)
    if not await codes.insert_codes(conn, [row]):
        return False
    await say_codes(conn, [row], now, None)
    return True


async def issue_code(desk: Changing, village: str, target: Target) -> CodeRow:
    """Issue a village's next code for a place or a thing.

    Raises NoVillageError, ForbiddenError, InvalidInputError (a fault a field), CodeHangsAlreadyError, TooManyCodesError.
    """
    ref = desk.reference
    actions.about(f"division/{village}", village)
    desk.actor.require_scope(ref, village)
    if ref.divisions[village].now.kind not in WITH_A_CODE:
        raise NoVillageError
    faults = [Fault(at, f"{problem}。") for at, problem in faults_of(target, ref.items, desk.today)]
    if faults:
        raise InvalidInputError(faults=faults)
    (row,) = await issue_codes(desk, [(village, target)])
    return row


async def issue_codes(desk: Changing, wanted: Sequence[tuple[str, Target]]) -> list[CodeRow]:
    """Issue codes whose targets were looked at before; CodeHangsAlreadyError and TooManyCodesError name the village."""
    conn, now = desk.conn, desk.now
    villages = sorted({village for village, _ in wanted})
    await codes.lock_villages(conn, villages)
    known = await codes.count_of_villages(conn, villages)
    there = {(r.village, r.target): r.serial for r in await codes.select_valid_codes(conn, villages, list(CodeKind))}
    rows: list[CodeRow] = []
    new = Counter[str]()
    for village, target in wanted:
        name, issued = desk.reference.divisions[village].now.name, known.get(village, _NONE_YET)
        if (serial := there.get((village, target))) is not None:
            raise CodeHangsAlreadyError(name, serial)
        new[village] += 1
        if issued.valid + new[village] > MOST_OF_VILLAGE:
            raise TooManyCodesError(name, MOST_OF_VILLAGE)
        rows.append(CodeRow(new_code(), village, target, issued.last + new[village], "valid", now))
    if rows and not await codes.insert_codes(conn, rows):
        raise CodeChangedError
    await say_codes(conn, rows, now, desk.actor)
    return rows


async def lock_valid(desk: Changing, code: str) -> CodeRow:
    """A code that counts and is within this person's reach, held; its village's serials too, and first.

    Raises UnknownCodeError, ForbiddenError (scope), CodeRevokedError.
    """
    known = read_code(code)
    found = await codes.select_code(desk.conn, known) if known is not None else None
    if found is None:
        raise UnknownCodeError(code)
    actions.about(f"code/{found.code}", found.village)
    desk.actor.require_scope(desk.reference, found.village)
    await codes.lock_villages(desk.conn, [found.village])
    held = await codes.lock_code(desk.conn, found.code)
    if held is None or held.state == "revoked":
        raise CodeRevokedError
    return held


async def _issue_next(desk: Changing, like: CodeRow, replaces: str | None) -> CodeRow:
    last = (await codes.count_of_villages(desk.conn, [like.village]))[like.village].last
    issued = CodeRow(new_code(), like.village, like.target, last + 1, "valid", desk.now, replaces)
    if not await codes.insert_codes(desk.conn, [issued]):
        raise CodeChangedError
    return issued


async def rotate_code(desk: Changing, code: str) -> Rotated:
    """Issue the code that will hang in a code's place; the one of before counts until the new one was seen to hang.

    Raises as `lock_valid`; CodeHangsAlreadyError when its successor is issued already.
    """
    held = await lock_valid(desk, code)
    if there := await codes.select_successor(desk.conn, held.code):
        raise CodeHangsAlreadyError(desk.reference.divisions[held.village].now.name, there.serial)
    issued = await _issue_next(desk, held, held.code)
    await say_codes(desk.conn, [issued], desk.now, desk.actor)
    return Rotated(held, issued)


async def revoke_held(desk: Changing, held: CodeRow, reason: str) -> CodeRow:
    """Make a code that is held count no more, and forget how it looked where it hung."""
    await codes.revoke_code(desk.conn, held.code, desk.now, desk.actor.staff_id, reason)
    await hangings.delete_photograph(desk.conn, held.code)
    return replace(held, state="revoked")


async def revoke_code(desk: Changing, code: str, reason: str, *, replaced: bool = True) -> Replaced:
    """Make a code count no more and, where it is `replaced`, issue its village's next serial for the same place.

    A successor that waits to be hung is the one in its place. Raises as `lock_valid`; CodeChangedError (at the same time).
    """
    held = await lock_valid(desk, code)
    revoked = await revoke_held(desk, held, reason)
    there = await codes.select_successor(desk.conn, held.code)
    if there is not None or not replaced:
        await say_codes(desk.conn, [revoked], desk.now, desk.actor)
        return Replaced(revoked, there)
    issued = await _issue_next(desk, held, held.replaces)
    await say_codes(desk.conn, [revoked, issued], desk.now, desk.actor)
    return Replaced(revoked, issued)
