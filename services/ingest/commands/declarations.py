"""The quarter's yes/no page (本期无此事项): the clerk answers for every on-event item, the supervisors agree."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from services.contracts.disclosure import DeclarationConfirmed, DeclarationSubmitted, DeclaredItem
from services.contracts.values import Frequency, period_bounds, period_frequency
from services.ingest.errors import (
    FuturePeriodError,
    IncompleteDeclarationError,
    SamePersonError,
    StaleVersionError,
    UnknownDeclarationError,
    WrongPeriodError,
    WrongStateError,
)
from services.ingest.store.waivers import (
    Declaration,
    insert_agreement,
    insert_declaration,
    lock_declaration,
    update_declaration,
)
from services.ingest.visit import Changing
from services.ingest.workflow import RIGHTS, Errand
from services.kit import actions
from services.kit.errors import Fault
from services.kit.outbox import append
from services.kit.reference import Reference

FILERS: Final = RIGHTS[Errand.DECLARE]
CONFIRMERS: Final = RIGHTS[Errand.CONFIRM_DECLARATION]
RETURNERS: Final = RIGHTS[Errand.RETURN_DECLARATION]


def asked_items(reference: Reference, village: str, quarter: str) -> list[str]:
    """Codes of the on-event items that a village has to answer for in a quarter."""
    last = period_bounds(quarter)[1]
    kind = reference.divisions[village].now.kind
    return [
        code
        for code, item in sorted(reference.items.items())
        if (of := item.at(last)).frequency is Frequency.ON_EVENT
        and of.applies in {"both", kind.value}
        and not item.retired(last)
    ]


async def declare(desk: Changing, village: str, quarter: str, answers: Sequence[DeclaredItem]) -> Declaration:
    """Store the next edition of a quarter's answers and append `declaration.submitted.v1`; it takes the place of the one before."""
    desk.require_village(village)
    actions.step("declare")
    actions.about(f"declaration/{village}:{quarter}", village)
    desk.actor.require_scope(desk.reference, village)
    _check_quarter(desk, quarter)
    _check_answers(asked_items(desk.reference, village, quarter), quarter, answers)
    before = await lock_declaration(desk.conn, village, quarter)
    made = Declaration(
        village_code=village,
        quarter=quarter,
        edition=before.edition + 1 if before is not None else 1,
        state="submitted",
        answers=tuple(sorted(answers, key=lambda a: a.item)),
        submitted_by=desk.actor.staff_id,
        submitted_at=desk.now,
        confirmed_at=None,
        note=None,
    )
    if not await insert_declaration(desk.conn, made):
        # Somebody else answered at the same moment, and there was no row yet to wait at.
        raise StaleVersionError(current_version=made.edition)
    await _append_event(desk, made, DeclarationSubmitted)
    return made


def _check_quarter(desk: Changing, quarter: str) -> None:
    if period_frequency(quarter) is not Frequency.QUARTERLY:
        raise WrongPeriodError(faults=[Fault("quarter", f"{quarter} 不是季度，应写作 2026Q3")])
    if period_bounds(quarter)[1] >= desk.today:
        raise FuturePeriodError(faults=[Fault("quarter", f"{quarter} 还没有期满")])


def _check_answers(asked: Sequence[str], quarter: str, answers: Sequence[DeclaredItem]) -> None:
    """Every item answered once, no other, each day within the quarter."""
    first, last = period_bounds(quarter)
    given = [a.item for a in answers]
    faults = [Fault("answers", f"事项 {code} 还没有回答") for code in asked if code not in given]
    for n, answer in enumerate(answers):
        if answer.item not in asked:
            faults.append(Fault(f"answers[{n}].item", f"{answer.item} 不是本村要回答的随时公开事项"))
        if answer.item in given[:n]:
            faults.append(Fault(f"answers[{n}].item", f"{answer.item} 回答了两次"))
        faults += [
            Fault(f"answers[{n}].days[{m}]", f"{day} 不在 {quarter} 内")
            for m, day in enumerate(answer.days)
            if not first <= day <= last
        ]
    if faults:
        raise IncompleteDeclarationError(faults=faults)


async def _lock(desk: Changing, village: str, quarter: str, edition: int) -> Declaration:
    desk.actor.require_scope(desk.reference, village)
    declaration = await lock_declaration(desk.conn, village, quarter)
    if declaration is None:
        raise UnknownDeclarationError
    actions.about(f"declaration/{village}:{quarter}", village)
    if declaration.edition != edition:
        raise StaleVersionError(current_version=declaration.edition)
    if declaration.state != "submitted":
        raise WrongStateError(state=declaration.state)
    return declaration


async def confirm_declaration(desk: Changing, village: str, quarter: str, edition: int) -> Declaration:
    """Store a supervisor's agreement; with the last one needed, confirm the page and append `declaration.confirmed.v1`."""
    actions.step("confirm")
    declaration = await _lock(desk, village, quarter, edition)
    if declaration.submitted_by == desk.actor.staff_id:
        raise SamePersonError
    count = await insert_agreement(desk.conn, declaration, desk.actor.staff_id, desk.now)
    if count < desk.profile(village).supervisors_needed:
        return declaration
    await update_declaration(desk.conn, declaration, "confirmed", None, desk.now)
    await _append_event(desk, declaration, DeclarationConfirmed)
    return replace(declaration, state="confirmed", confirmed_at=desk.now)


async def return_declaration(desk: Changing, village: str, quarter: str, edition: int, reason: str) -> Declaration:
    """Set a quarter's page to returned with the reason; the clerk answers anew. No event tells of it."""
    actions.step("return")
    declaration = await _lock(desk, village, quarter, edition)
    await update_declaration(desk.conn, declaration, "returned", reason, desk.now)
    return replace(declaration, state="returned", note=reason)


async def _append_event(
    desk: Changing, d: Declaration, event: type[DeclarationSubmitted | DeclarationConfirmed]
) -> None:
    said = event(
        **await desk.stamp("declaration", f"{d.village_code}:{d.quarter}", d.village_code),
        quarter=d.quarter,
        edition=d.edition,
        answers=d.answers,
    )
    await append(desk.conn, said)
