"""Handing in what one import made: the drafts in which everything adds up, at one press."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.contracts.base import Finding
from services.contracts.disclosure import DisclosureSubmitted
from services.ingest.commands.findings import findings_of_all
from services.ingest.commands.imports import own_import
from services.ingest.errors import FuturePeriodError, UnexplainedFindingsError
from services.ingest.metrics import count_step
from services.ingest.store.disclosures import Disclosure, select_editions, update_all_submitted
from services.ingest.store.imports import lock_import, lock_import_drafts
from services.ingest.visit import Changing, the_one
from services.ingest.workflow import Action, State
from services.kit import actions
from services.kit.errors import SanwuError
from services.kit.outbox import append_all
from services.kit.shred import tell_keys

#: Where the profile lets content out by filing, and nobody is asked for a word, it would be public at once.
_ONE_BY_ONE = "这份提交后会直接公开，请点开逐份提交。"


@dataclass(frozen=True, slots=True)
class Submitted:
    """What was handed in of an import, and what was not, with why."""

    done: tuple[UUID, ...]
    left: tuple[tuple[UUID, str], ...]


async def submit_import(desk: Changing, import_id: UUID) -> Submitted:
    """Hand in an import's drafts that need no reason: submitted, an event each. Pressed again, it goes on with what is left."""
    made = own_import(desk, await lock_import(desk.conn, import_id))
    found = await lock_import_drafts(desk.conn, import_id)
    actions.about(f"import/{made.id}", the_one(d.village_code for d in found))
    drafts = {d.id: d for d in found if d.state is State.DRAFT and d.published_edition is None}
    editions = await select_editions(desk.conn, [(d.id, d.edition) for d in drafts.values()])
    findings = await findings_of_all(desk, [(drafts[key], edition) for (key, _), edition in editions.items()])
    left: dict[UUID, str] = {}
    states: dict[UUID, State] = {}
    for key, draft in drafts.items():
        try:
            states[key] = _state_after(desk, draft, findings.get(key, ()))
        except SanwuError as error:
            left[key] = error.detail
    await _hand_in(desk, [drafts[key] for key in states], states)
    return Submitted(tuple(states), tuple(left.items()))


def _state_after(desk: Changing, draft: Disclosure, findings: Sequence[Finding]) -> State:
    """Where a draft stands once it is handed in; an error says why it cannot be."""
    desk.require_step(Action.SUBMIT, draft, draft.edition)
    item = desk.item_of(draft)
    if desk.duty(draft.village_code, draft.item, draft.period).opens_on > desk.today:
        detail = f"{draft.period} 还没有期满"
        raise FuturePeriodError(detail)
    if findings:
        detail = f"{len(findings)} 处要改正或说明：{findings[0].message}"
        raise UnexplainedFindingsError(detail)
    if not item.confirmations and desk.profile(draft.village_code).release == "file":
        raise UnexplainedFindingsError(_ONE_BY_ONE)
    return State.SUBMITTED if item.confirmations else State.CONFIRMED


async def _hand_in(desk: Changing, drafts: Sequence[Disclosure], states: dict[UUID, State]) -> None:
    if not drafts:
        return
    await update_all_submitted(desk.conn, states, desk.actor.staff_id, desk.now)
    stamps = await desk.stamps_of(drafts)
    await append_all(
        desk.conn, [DisclosureSubmitted(**stamps[d.id], digest=d.digest, accepted=(), sealed=None) for d in drafts]
    )
    await tell_keys(desk.conn, [str(d.id) for d in drafts], desk.now)
    for draft in drafts:
        count_step(Action.SUBMIT, draft)
