"""Take a file of what hangs where: all of it or nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.kit import actions
from services.kit.errors import Fault, InvalidInputError
from services.qr.bulk.places import Known, PlaceFault, PlaceFaultsError, Wanted, read_places
from services.qr.commands.codes import issue_codes, say_codes
from services.qr.errors import CodeHangsAlreadyError, TooManyCodesError
from services.qr.store import codes
from services.qr.store.codes import CodeRow
from services.qr.visit import Caller, Changing


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file made: new codes, and codes whose place it told."""

    issued: Sequence[CodeRow]
    placed: Sequence[CodeRow]


#: Where a fault of the whole file stands.
_FILE: Final = "file"
_NOT_TAKEN: Final = "文件没有导入，请按提示修改后再传。"


def _refuse(faults: Sequence[PlaceFault]) -> InvalidInputError:
    told = [Fault(f"{_FILE}[{f.line}]" + (f".{f.column}" if f.column else ""), f.sentence()) for f in faults]
    return InvalidInputError(_NOT_TAKEN, faults=told)


async def read_file(caller: Caller, data: bytes) -> list[Wanted]:
    """Read a file against the sender's part of the tree; InvalidInputError with every fault. Before any transaction."""
    ref = caller.reference
    known = Known(ref.villages(caller.actor.scope), ref.items, caller.today)
    try:
        return await asyncio.to_thread(read_places, data, known)
    except PlaceFaultsError as error:
        raise _refuse(error.faults) from error


async def import_places(desk: Changing, wanted: Sequence[Wanted]) -> Imported:
    """Issue what is new, tell where the others hang; InvalidInputError names lines whose codes do not fit."""
    villages = {w.village for w in wanted}
    only = villages.pop() if len(villages) == 1 else None
    actions.about(f"division/{only or desk.actor.scope}", only)
    await codes.lock_villages(desk.conn, [w.village for w in wanted])
    placed = await _place(desk, [w for w in wanted if w.code is not None])
    new = [w for w in wanted if w.code is None]
    try:
        issued = await issue_codes(desk, [(w.village, w.target) for w in new])
    except (CodeHangsAlreadyError, TooManyCodesError) as error:
        raise InvalidInputError(_NOT_TAKEN, faults=[Fault(_FILE, error.detail)]) from error
    return Imported(issued, placed)


async def _place(desk: Changing, wanted: Sequence[Wanted]) -> list[CodeRow]:
    held = {r.code: r for r in await codes.select_all_codes(desk.conn, sorted({w.village for w in wanted}))}
    faults, placed = [], []
    for each in wanted:
        row = held.get(each.code or "")
        if row is None:
            faults.append(PlaceFault(each.line, "码号", f"这个村没有码号为 {each.code} 的码，请核对"))
        elif row.state == "revoked":
            faults.append(PlaceFault(each.line, "码号", f"{each.code} 已经作废，请改填新码，或留空发新码"))
        elif row.target.kind is not each.target.kind:
            faults.append(PlaceFault(each.line, "用途", f"{each.code} 发的时候是另一种用途，请核对"))
        elif row.target.place != each.target.place:
            placed.append(replace(row, target=replace(row.target, place=each.target.place)))
    if faults:
        raise _refuse(faults)
    await codes.update_places(desk.conn, placed)
    await say_codes(desk.conn, placed, desk.now, desk.actor)
    return placed
