"""What was typed and is no edition yet: kept however incomplete, by whoever may enter it, and in nobody else's way."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import uuid_utils.compat

from services.contracts.duties import Duty
from services.contracts.values import period_bounds, period_words
from services.ingest.errors import (
    FuturePeriodError,
    ItemDoesNotApplyError,
    TypedByAnotherError,
    UnfinishedFormError,
)
from services.ingest.store.disclosures import Disclosure
from services.ingest.store.typed import (
    TypedForm,
    delete_typed,
    select_begun,
    select_typed,
    upsert_typed,
)
from services.ingest.visit import Changing, Member, Reading
from services.ingest.workflow import Action, allows
from services.kit import actions
from services.kit.clock import local_minute
from services.kit.errors import Fault
from services.kit.shred import drop_untold


@dataclass(frozen=True, slots=True)
class Opened:
    """From what a form was opened: the edition (0: none) and the revision of what was typed (0: nothing).

    `another`: the id of an event beside the first of its day, which has no disclosure yet.
    """

    edition: int
    revision: int
    another: UUID | None = None


def require_open_cell(desk: Member, village: str, item: str, period: str) -> Duty:
    """Refuse a cell that nobody can enter anything in, or not this person, or not yet."""
    owed = desk.duty(village, item, period)
    revision = desk.item(item, period)
    desk.require_entering(village, revision)
    if not owed.applies:
        name = desk.reference.divisions[village].now.name
        raise ItemDoesNotApplyError(faults=[Fault("item", f"{name}没有“{revision.name}”这个事项")])
    if period_bounds(period)[0] > desk.today:
        raise FuturePeriodError(faults=[Fault("period", f"{period_words(period)}还没有开始")])
    return owed


async def typed_of(
    desk: Reading, cell: tuple[str, str, str], disclosure: Disclosure | None, another: UUID | None = None
) -> TypedForm | None:
    """What is kept as typed for a cell (village, item, period), for `another` event of its day, or for the disclosure in it."""
    known = disclosure.id if disclosure is not None else another
    if known is not None:
        typed = await select_typed(desk.conn, known)
        # An id in an address may be anybody's.
        return typed if typed is not None and (typed.village_code, typed.item, typed.period) == cell else None
    return next(iter(await select_begun(desk.conn, [cell])), None)


async def keep_typed(
    desk: Changing,
    cell: tuple[str, str, str],
    disclosure: Disclosure | None,
    opened: Opened,
    fields: Mapping[str, str],
) -> TypedForm:
    """Keep a form as typed; TypedByAnotherError, StaleVersionError when somebody else was faster, and nothing is lost of theirs."""
    if disclosure is None:
        require_open_cell(desk, *cell)
    else:
        step = Action.CORRECT if allows(disclosure.state, Action.CORRECT) else Action.SAVE
        await desk.lock_for(step, disclosure.id, opened.edition)
    before = await typed_of(desk, cell, disclosure, opened.another)
    if (before.revision if before is not None else 0) != opened.revision:
        raise typed_by_another(desk, before)
    known = before or disclosure
    thing = known.id if known is not None else opened.another or uuid_utils.compat.uuid7()
    actions.about(f"disclosure/{thing}", cell[0])
    edition = disclosure.edition if disclosure is not None else 0
    typed = TypedForm(thing, *cell, edition, opened.revision, desk.actor.staff_id, desk.now, opened.another is not None)
    kept = await upsert_typed(desk.conn, typed, fields)
    if kept is None:
        raise typed_by_another(desk, await typed_of(desk, cell, disclosure, opened.another))
    return kept


def typed_by_another(desk: Member, typed: TypedForm | None) -> TypedByAnotherError:
    """Name who else typed, and when."""
    if typed is None:
        return TypedByAnotherError("这一份刚才在别处存成了草稿，或者作废了，您填的还没有保存。")
    who = "您在另一个窗口里" if typed.saved_by == desk.actor.staff_id else desk.reference.name_of(typed.saved_by)
    return TypedByAnotherError(f"{who} {local_minute(typed.saved_at)} 也填了这一份，您填的还没有保存。")


async def drop_typed(desk: Changing, typed: TypedForm, disclosure: Disclosure | None) -> None:
    """Give up what was typed; of an empty cell its key goes too."""
    actions.step("give up")
    actions.about(f"disclosure/{typed.id}", typed.village_code)
    desk.require_entering(typed.village_code, desk.item(typed.item, typed.period))
    await delete_typed(desk.conn, [typed.id])
    if disclosure is None:
        await drop_untold(desk.conn, [str(typed.id)])


async def require_finished(desk: Reading, disclosure: Disclosure) -> None:
    """Refuse to hand in what somebody is still changing: what they typed is not in the edition."""
    typed = await select_typed(desk.conn, disclosure.id)
    if typed is not None:
        who = desk.reference.name_of(typed.saved_by)
        detail = f"{who} {local_minute(typed.saved_at)} 还填了一半，没有存成草稿。请先“继续填写”存好，或者丢掉那些改动，再提交。"
        raise UnfinishedFormError(detail)
