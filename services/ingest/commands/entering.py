"""What changes a disclosure: one function a step, called from the API and from the desk alike.

Each takes the row's lock first, then checks role, scope, version and state, then writes state and event together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID

import uuid_utils.compat
from pydantic import BaseModel

from services.contracts import privacy
from services.contracts.base import AcceptedFinding, Finding, Sealed, Stamp
from services.contracts.bodies import Body, body_digest
from services.contracts.catalogue import ItemRevision
from services.contracts.disclosure import (
    ApprovedContent,
    DisclosureApproved,
    DisclosureConfirmed,
    DisclosureReturned,
    DisclosureSubmitted,
    DisclosureWithdrawn,
    FindingRef,
    ReturnedContent,
    SubmittedContent,
)
from services.contracts.division import DivisionKind
from services.contracts.duties import Duty, duty
from services.contracts.values import period_bounds, previous_period
from services.ingest import metrics, store, workflow
from services.ingest.errors import (
    AlreadyEnteredError,
    FuturePeriodError,
    ItemDoesNotApplyError,
    KindNotSupportedError,
    SamePersonError,
    StaleVersionError,
    UnexplainedFindingsError,
    UnknownDisclosureError,
    UnknownItemError,
    UnknownVillageError,
    WrongPeriodError,
    WrongStateError,
    ZoneError,
)
from services.ingest.gate.bodies import SUPPORTED_KINDS
from services.ingest.gate.findings import chain_findings, findings, unexplained
from services.ingest.store import Disclosure, Edition, NewDisclosure
from services.ingest.workflow import Action, State
from services.kit import shred
from services.kit.auth import Actor
from services.kit.clock import local_day
from services.kit.db import Connection
from services.kit.errors import Fault, InvalidInputError
from services.kit.outbox import append, stamp
from services.kit.reference import Reference


@dataclass(frozen=True, slots=True)
class Desk:
    """One person's work within one transaction."""

    conn: Connection
    reference: Reference
    actor: Actor
    now: datetime


@dataclass(frozen=True, slots=True)
class Saved:
    """A disclosure after a step, with what does not add up in its newest edition."""

    disclosure: Disclosure
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a finding is right as it stands; without `at` it speaks for every finding of the code."""

    code: str
    at: str | None
    text: str


# -- what every step checks ---------------------------------------------------------------------------------------


def item_of(desk: Desk, code: str, period: str) -> ItemRevision:
    """The item as it stands in a period; UnknownItemError names the field."""
    item = desk.reference.items.get(code)
    if item is None:
        raise UnknownItemError(faults=[Fault("item", f"公开目录里没有事项 {code}")])
    return item.at(period_bounds(period)[1])


def duty_of(desk: Desk, village: str, item: str, period: str) -> Duty:
    """The cell's duty; raises for a village, item or period that cannot have one."""
    if village not in desk.reference.divisions:
        raise UnknownVillageError(faults=[Fault("village", f"没有代码为 {village} 的村（社区）")])
    kind = desk.reference.divisions[village].now.kind
    if kind is DivisionKind.ZONE:
        raise ZoneError(faults=[Fault("village", f"{village} 是开发区占位代码")])
    if kind not in {DivisionKind.VILLAGE, DivisionKind.COMMUNITY}:
        raise UnknownVillageError(faults=[Fault("village", f"{village} 不是村（社区）的代码")])
    item_of(desk, item, period)
    try:
        return duty(
            desk.reference.items[item],
            desk.reference.duty_division(village),
            period,
            desk.reference.profile(village),
            desk.reference.calendar,
        )
    except ValueError as error:
        raise WrongPeriodError(faults=[Fault("period", f"{period} 与事项 {item} 的公开频次不符")]) from error


async def _locked(desk: Desk, disclosure_id: UUID, version: int, action: Action) -> Disclosure:
    """The disclosure, locked, after the checks that every step makes, the caller's rights first."""
    desk.actor.require(*workflow.ROLES[action])
    disclosure = await store.lock_disclosure(desk.conn, disclosure_id)
    if disclosure is None:
        raise UnknownDisclosureError
    desk.actor.require_scope(desk.reference, disclosure.village_code)
    if disclosure.edition != version:
        raise StaleVersionError(current_version=disclosure.edition)
    if not workflow.allows(disclosure.state, action):
        raise WrongStateError(state=disclosure.state)
    return disclosure


async def _content(desk: Desk, disclosure: Disclosure) -> Edition:
    edition = await store.select_edition(desk.conn, disclosure.id, disclosure.edition)
    if edition is None:
        raise UnknownDisclosureError
    return edition


async def findings_of(desk: Desk, disclosure: Disclosure, edition: Edition) -> tuple[Finding, ...]:
    """What does not add up: in the content, as found when it was saved, and against the last period as it is now."""
    before = previous_period(disclosure.period)
    if before is None:
        return edition.findings
    previous = await store.select_previous_body(desk.conn, disclosure.village_code, disclosure.item, before)
    return (*(chain_findings(edition.body, previous) if previous is not None else ()), *edition.findings)


def _counted(disclosure: Disclosure, action: Action) -> Disclosure:
    metrics.ACTIONS.labels(action=action).inc()
    return disclosure


class _Cell(TypedDict):
    item: str
    period: str
    edition: int


def _cell(disclosure: Disclosure) -> _Cell:
    return _Cell(item=disclosure.item, period=disclosure.period, edition=disclosure.edition)


async def _stamp(desk: Desk, disclosure: Disclosure) -> Stamp:
    return await stamp(
        desk.conn,
        "disclosure",
        str(disclosure.id),
        at=desk.now,
        village_code=disclosure.village_code,
        actor_id=desk.actor.staff_id,
        actor_role=desk.actor.role,
    )


async def _sealed(desk: Desk, disclosure: Disclosure, event_type: str, content: BaseModel) -> Sealed:
    return await shred.seal(desk.conn, str(disclosure.id), event_type, content, desk.now)


# -- entering -----------------------------------------------------------------------------------------------------


async def create(desk: Desk, village: str, item: str, period: str, body: Body) -> Saved:
    """Make a draft in an empty cell."""
    desk.actor.require(*workflow.ROLES[Action.SAVE])
    cell = duty_of(desk, village, item, period)
    desk.actor.require_scope(desk.reference, village)
    kind = item_of(desk, item, period).kind
    if kind not in SUPPORTED_KINDS:
        raise KindNotSupportedError(faults=[Fault("item", f"{item} 的内容类型 {kind} 还不能录入")])
    if not cell.applies:
        raise ItemDoesNotApplyError(faults=[Fault("item", f"{village} 没有事项 {item}")])
    if period_bounds(period)[0] > local_day(desk.now):
        raise FuturePeriodError(faults=[Fault("period", f"{period} 还没有开始")])
    new = NewDisclosure(
        uuid_utils.compat.uuid7(), village, item, period, body_digest(body), cell.history, desk.actor.staff_id, desk.now
    )
    try:
        disclosure = await store.insert_disclosure(desk.conn, new)
    except store.CellTakenError as error:
        raise AlreadyEnteredError(faults=[Fault("period", f"{village} 的 {item} {period} 已经录入")]) from error
    return await _kept(desk, disclosure, body)


async def _kept(desk: Desk, disclosure: Disclosure, body: Body) -> Saved:
    """Keep an edition's content with what does not add up in it."""
    edition = Edition(body, (), findings(body, disclosure.period))
    await store.insert_edition(desk.conn, disclosure, edition, desk.actor.staff_id, desk.now)
    found = await findings_of(desk, disclosure, edition)
    for finding in found:
        metrics.FINDINGS.labels(code=finding.code).inc()
    return Saved(_counted(disclosure, Action.SAVE), found)


async def save(desk: Desk, disclosure_id: UUID, version: int, body: Body) -> Saved:
    """Replace a draft's or returned disclosure's content: the next edition."""
    disclosure = await _locked(desk, disclosure_id, version, Action.SAVE)
    saved = await store.update_saved(desk.conn, disclosure.id, version + 1, body_digest(body), desk.actor.staff_id)
    return await _kept(desk, saved, body)


async def submit(desk: Desk, disclosure_id: UUID, version: int, reasons: Sequence[Reason]) -> Disclosure:
    """Hand an edition in. Each finding needs a reason; UnexplainedFindingsError lists those without."""
    disclosure = await _locked(desk, disclosure_id, version, Action.SUBMIT)
    if duty_of(desk, disclosure.village_code, disclosure.item, disclosure.period).opens_on > local_day(desk.now):
        raise FuturePeriodError(faults=[Fault("period", f"{disclosure.period} 还没有期满")])
    found = await findings_of(desk, disclosure, await _content(desk, disclosure))
    _refuse_personal_reasons(reasons)
    accepted = _accepted(found, reasons)
    open_ones = unexplained(found, accepted, may_accept_privacy=desk.actor.role in workflow.ROLES[Action.APPROVE])
    if open_ones:
        raise UnexplainedFindingsError(findings=[f.model_dump() for f in open_ones])
    state = workflow.after_submit(item_of(desk, disclosure.item, disclosure.period).confirmations)
    submitted = await store.update_submitted(desk.conn, disclosure, state, accepted, desk.actor.staff_id, desk.now)
    await _say_submitted(desk, disclosure, accepted)
    return _counted(submitted, Action.SUBMIT)


def _accepted(found: Sequence[Finding], reasons: Sequence[Reason]) -> tuple[AcceptedFinding, ...]:
    """Real findings with the first reason that speaks for them."""
    accepted = []
    for f in found:
        text = next((r.text for r in reasons if r.code == f.code and r.at in {None, f.at}), None)
        if text is not None:
            accepted.append(AcceptedFinding(code=f.code, at=f.at, reason=text))
    return tuple(accepted)


def _refuse_personal_reasons(reasons: Sequence[Reason]) -> None:
    faults = [
        Fault(f.at, f.message) for n, r in enumerate(reasons) for f in privacy.findings(r.text, f"accept[{n}].reason")
    ]
    if faults:
        raise InvalidInputError(faults=faults)


async def _say_submitted(desk: Desk, disclosure: Disclosure, accepted: tuple[AcceptedFinding, ...]) -> None:
    content = SubmittedContent(accepted=accepted)
    event = DisclosureSubmitted(
        **await _stamp(desk, disclosure),
        **_cell(disclosure),
        digest=disclosure.digest,
        accepted=tuple(FindingRef(code=a.code, at=a.at) for a in accepted),
        sealed=await _sealed(desk, disclosure, "disclosure.submitted.v1", content) if accepted else None,
    )
    await append(desk.conn, event)


# -- checking -----------------------------------------------------------------------------------------------------


async def confirm(desk: Desk, disclosure_id: UUID, version: int) -> Disclosure:
    """A supervisor found it right; when enough have, it is confirmed."""
    disclosure = await _locked(desk, disclosure_id, version, Action.CONFIRM)
    _refuse_same_person(desk, disclosure)
    profile = desk.reference.profile(disclosure.village_code).at(local_day(desk.now))
    count = await store.insert_confirmation(desk.conn, disclosure, "supervisors", desk.actor.staff_id, desk.now)
    complete = count >= profile.supervisors_needed
    after = await store.update_confirmed(desk.conn, disclosure.id, desk.now) if complete else disclosure
    event = DisclosureConfirmed(
        **await _stamp(desk, disclosure),
        **_cell(disclosure),
        digest=disclosure.digest,
        confirmation="supervisors",
        complete=complete,
    )
    await append(desk.conn, event)
    return _counted(after, Action.CONFIRM)


async def send_back(desk: Desk, disclosure_id: UUID, version: int, reason: str) -> Disclosure:
    """Return it to the clerk with a reason."""
    disclosure = await _locked(desk, disclosure_id, version, Action.RETURN)
    after = await store.update_returned(desk.conn, disclosure.id, reason)
    content = ReturnedContent(reason=reason)
    event = DisclosureReturned(
        **await _stamp(desk, disclosure),
        **_cell(disclosure),
        sealed=await _sealed(desk, disclosure, "disclosure.returned.v1", content),
    )
    await append(desk.conn, event)
    return _counted(after, Action.RETURN)


async def approve(desk: Desk, disclosure_id: UUID, version: int) -> Disclosure:
    """Let it out: the approved event carries the content, sealed, and publishing follows from it."""
    disclosure = await _locked(desk, disclosure_id, version, Action.APPROVE)
    _refuse_same_person(desk, disclosure)
    assert disclosure.submitted_at is not None  # noqa: S101 - held by the workflow
    assert disclosure.submitted_by is not None  # noqa: S101 - held by the workflow
    assert disclosure.confirmed_at is not None  # noqa: S101 - held by the workflow
    edition = await _content(desk, disclosure)
    after = await store.update_approved(desk.conn, disclosure.id, desk.now)
    content = ApprovedContent(body=edition.body, accepted=edition.accepted)
    event = DisclosureApproved(
        **await _stamp(desk, disclosure),
        **_cell(disclosure),
        digest=disclosure.digest,
        history=disclosure.history,
        submitted_at=disclosure.submitted_at,
        submitted_by=disclosure.submitted_by,
        confirmed_at=disclosure.confirmed_at,
        accepted=tuple(FindingRef(code=a.code, at=a.at) for a in edition.accepted),
        sealed=await _sealed(desk, disclosure, "disclosure.approved.v1", content),
    )
    await append(desk.conn, event)
    return _counted(after, Action.APPROVE)


async def withdraw(desk: Desk, disclosure_id: UUID, version: int, reason: str) -> Disclosure:
    """End it for good: content and key go, the reason stays for everybody to read."""
    disclosure = await _locked(desk, disclosure_id, version, Action.WITHDRAW)
    faults = [Fault(f.at, f.message) for f in privacy.findings(reason, "reason")]
    if faults:
        raise InvalidInputError(faults=faults)
    after = await store.update_withdrawn(desk.conn, disclosure.id, reason)
    event = DisclosureWithdrawn(
        **await _stamp(desk, disclosure),
        **_cell(disclosure),
        reason=reason,
        was_published=disclosure.state in {State.APPROVED, State.PUBLISHED},
    )
    await append(desk.conn, event)
    await shred.shred(desk.conn, str(disclosure.id), desk.now)
    return _counted(after, Action.WITHDRAW)


def _refuse_same_person(desk: Desk, disclosure: Disclosure) -> None:
    if desk.actor.staff_id in {disclosure.submitted_by, disclosure.saved_by}:
        raise SamePersonError
