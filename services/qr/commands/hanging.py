"""A clerk hangs a code and says so from there: place on the ground, photograph."""

from typing import Final

from services.contracts.base import Role
from services.contracts.code import read_code
from services.kit import actions
from services.kit.errors import Fault
from services.kit.limited import Limits, OverLimitError, run_limited
from services.qr.commands.codes import lock_valid, revoke_held, say_codes
from services.qr.errors import NoPhotographError, UnknownCodeError, UnusablePhotographError
from services.qr.gate.photographs import MAX_BYTES, UnusableFileError, read_answer
from services.qr.store import codes, hangings
from services.qr.store.hangings import Hanging, Spot
from services.qr.visit import Caller, Changing, Reading

MAY_HANG: Final = (Role.CLERK, Role.REVIEWER, Role.OPERATOR)
_LIMITS: Final = Limits(seconds=15.0, memory_mib=512, answer_bytes=2 * 1024 * 1024)
_HUNG: Final = "新码已经挂出"


async def _made_anew(caller: Caller, data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise UnusablePhotographError(faults=[Fault("file", "照片太大，最多 10 MiB，请把手机相机的照片大小调小再拍。")])
    try:
        written = await run_limited("services.qr.gate.photographs", data, _LIMITS, who=caller.actor.staff_id)
        return read_answer(written)
    except OverLimitError as error:
        raise UnusablePhotographError(faults=[Fault("file", "这张照片打不开，请重新拍一张。")]) from error
    except UnusableFileError as error:
        raise UnusablePhotographError(faults=[Fault("file", str(error))]) from error


async def record_hanging(caller: Caller, code: str, spot: Spot | None, data: bytes | None) -> Hanging:
    """Keep where a code was seen to hang; the code in whose place it hangs counts no more.

    Raises as `lock_valid`, UnusablePhotographError. The photograph is made anew, outside of the transaction.
    """
    await _require_reach(caller, code)
    photograph = await _made_anew(caller, data) if data else None
    async with caller.changing(Changing) as desk:
        held = await lock_valid(desk, code)
        hanging = Hanging(held.code, desk.now, desk.actor.staff_id, spot, photograph is not None)
        await hangings.upsert_hanging(desk.conn, hanging, photograph)
        before = await codes.lock_code(desk.conn, held.replaces) if held.replaces else None
        if before is not None and before.state == "valid":
            revoked = await revoke_held(desk, before, _HUNG)
            await say_codes(desk.conn, [revoked], desk.now, desk.actor)
    return hanging


async def _require_reach(caller: Caller, code: str) -> None:
    """Nobody makes the machine open a file for a code that is not theirs."""
    known = read_code(code)
    async with caller.reading(Reading) as desk:
        row = await codes.select_code(desk.conn, known) if known else None
    if row is None:
        raise UnknownCodeError(code)
    caller.actor.require_scope(caller.reference, row.village)


async def export_photograph(desk: Changing, code: str) -> bytes:
    """The photograph of a code where it hangs, for staff of its village; who took it is in the trail."""
    known = read_code(code)
    row = await codes.select_code(desk.conn, known) if known else None
    if row is None:
        raise UnknownCodeError(code)
    actions.about(f"code/{row.code}", row.village)
    desk.actor.require_scope(desk.reference, row.village)
    found = await hangings.select_photograph(desk.conn, row.code)
    if found is None:
        raise NoPhotographError
    return found
