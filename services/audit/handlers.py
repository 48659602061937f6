"""What audit does with events: `PROJECT` keeps facts, `REACT` judges the cell that each one is about."""

from typing import Any, Final, get_args

from services.audit import commands
from services.audit.rules.asking import question_cell
from services.audit.rules.details import body_data, says_something
from services.audit.rules.facts import CellKey, Fact, FactKind
from services.audit.store import facts, heads
from services.audit.visit import Bench
from services.contracts.base import Event
from services.contracts.disclosure import (
    AnswerEvent,
    AnswerGiven,
    AnswerHandedUp,
    AnswerHidden,
    ApprovedContent,
    DeclarationConfirmed,
    DisclosureApproved,
    DisclosureConfirmed,
    DisclosureCorrected,
    DisclosureDelivered,
    DisclosureDiscarded,
    DisclosureErased,
    DisclosureEvent,
    DisclosureFiled,
    DisclosureRestored,
    DisclosureReturned,
    DisclosureSubmitted,
    DisclosureWithdrawn,
    WaiverEnded,
    WaiverEvent,
    WaiverGranted,
    WaiverRefused,
)
from services.contracts.publication import PublicationEvent, PublicationPublished, PublicationWithdrawn
from services.contracts.question import QuestionAsked, QuestionEvent, QuestionUnclear
from services.contracts.staff import StaffSet
from services.contracts.trail import HEADS, TrailHead
from services.contracts.values import period_bounds
from services.kit.consumer import Handlers, Handling
from services.kit.shred import unseal

_KINDS: Final[dict[type, FactKind]] = {
    DisclosureDelivered: "delivered",
    DisclosureSubmitted: "submitted",
    DisclosureConfirmed: "confirmed",
    DisclosureReturned: "returned",
    DisclosureApproved: "approved",
    DisclosureFiled: "filed",
    DisclosureCorrected: "corrected",
    DisclosureDiscarded: "discarded",
    DisclosureWithdrawn: "withdrawn",
    DisclosureRestored: "restored",
    DisclosureErased: "erased",
    StaffSet: "reset",
    PublicationPublished: "published",
    PublicationWithdrawn: "unpublished",
    WaiverGranted: "waived",
    WaiverRefused: "waiver_over",
    WaiverEnded: "waiver_over",
    DeclarationConfirmed: "declared",
    QuestionAsked: "asked",
    QuestionUnclear: "unclear",
    AnswerGiven: "answered",
    AnswerHandedUp: "handed_up",
    AnswerHidden: "hidden",
}
assert set(_KINDS.values()) == set(get_args(FactKind))  # noqa: S101 - every kind of fact has its event
_Step = (
    DisclosureDelivered
    | DisclosureSubmitted
    | DisclosureReturned
    | DisclosureFiled
    | DisclosureCorrected
    | DisclosureDiscarded
    | DisclosureRestored
    | DisclosureErased
)
_Waiver = WaiverGranted | WaiverRefused | WaiverEnded


def _key(event: DisclosureEvent | PublicationEvent | WaiverEvent) -> CellKey:
    return CellKey(event.village_code, event.item, event.period)


async def _keep(h: Handling, event: Event, key: CellKey, data: dict[str, Any], *, edition: int = 1) -> None:
    fact = Fact(
        seq=0,
        event=str(event.event_id),
        kind=_KINDS[type(event)],
        key=key,
        disclosure=event.aggregate_id,
        edition=edition,
        version=event.aggregate_version,
        occurred_at=event.occurred_at,
        data=data,
    )
    await facts.insert_fact(h.conn, fact, h.clock.now())


async def _keep_of(h: Handling, event: DisclosureEvent | PublicationEvent, data: dict[str, Any]) -> None:
    await _keep(h, event, _key(event), data, edition=event.edition)


async def keep_step(h: Handling, event: _Step) -> None:
    """Keep that a disclosure moved; what was sealed stays sealed."""
    await _keep_of(h, event, {})


async def keep_confirmed(h: Handling, event: DisclosureConfirmed) -> None:
    """Keep whether anybody else has to confirm, who spoke, and whether a signed sheet spoke for them."""
    sheet = {"by_sheet": True, "brought_by": event.brought_by} if event.by_sheet else {}
    await _keep_of(h, event, {"complete": event.complete, "by": event.actor_id, **sheet})


async def keep_approved(h: Handling, event: DisclosureApproved) -> None:
    """Keep the sums of an approved body; a body that was shredded leaves none."""
    content = await unseal(h.conn, event.aggregate_id, event.type, event.sealed, ApprovedContent)
    data = body_data(content.body) if content is not None else {}
    known = {
        "submitted_at": event.submitted_at.isoformat(),
        "confirmed_at": event.confirmed_at.isoformat(),
        "submitted_by": event.submitted_by,
        "approved_by": event.actor_id,
        "release": event.release,
        "delegation": event.delegation,
        "noted": event.noted and (content is None or says_something(content.note)),
    }
    await _keep_of(h, event, {**data, **known})
    if event.actor_id is not None:
        await commands.keep_resets_before(h.conn, event, h.clock.now())


async def keep_withdrawn(h: Handling, event: DisclosureWithdrawn) -> None:
    """Keep who took it out of sight, and their how manyth it was."""
    data = {"by": event.actor_id, "was_published": event.was_published, "recent": event.recent, "why": event.kind}
    await _keep_of(h, event, data)


async def keep_staff(h: Handling, event: StaffSet) -> None:
    """Keep who gave an account a new password, beside what the account did and they let out."""
    await commands.keep_resets(h.conn, event.staff, h.clock.now())


async def judge_staff(h: Handling, event: StaffSet) -> None:
    """Judge what a reset account had handed in or confirmed, should its approval have been heard before."""
    keys = await facts.select_cells_of_resets(h.conn, event.staff.staff_id)
    for key in sorted(keys):
        await commands.judge_after_disclosure(h.conn, _bench(h), key, str(event.event_id))


async def keep_published(h: Handling, event: PublicationPublished) -> None:
    """Keep since when everybody can read it: that decides whether it was late."""
    await _keep_of(h, event, {"first_published_at": event.first_published_at.isoformat()})


async def keep_unpublished(h: Handling, event: PublicationWithdrawn) -> None:
    """Keep that nobody can read it any more."""
    await _keep_of(h, event, {})


async def keep_waiver(h: Handling, event: _Waiver) -> None:
    """Keep whether a cell is waived; the reason stays sealed."""
    await _keep(h, event, _key(event), {})


async def keep_declared(h: Handling, event: DeclarationConfirmed) -> None:
    """Keep the quarter's answers: a no at the quarter's cell, a yes at each day's, and days that are no longer told."""
    first, last = period_bounds(event.quarter)
    newest = await facts.select_newest_declaration(h.conn, event.village_code, event.quarter)
    # Heard after the edition that replaced it: a day that the newer one tells too has its own fact there.
    said = {"nil": False} if newest <= event.edition else {"dropped": True}
    told = {(a.item, day.isoformat()): said for a in event.answers for day in a.days}
    before = await facts.select_declared_days(h.conn, event.village_code, first, last)
    dropped = {place: {"dropped": True} for place in before - told.keys()}
    quarter = {(a.item, event.quarter): {"nil": not a.days} for a in event.answers}
    for (item, period), data in {**quarter, **told, **dropped}.items():
        await _keep(h, event, CellKey(event.village_code, item, period), data, edition=event.edition)


def _asked_about(event: QuestionEvent | AnswerEvent) -> CellKey:
    return question_cell(event.village_code, event.item, event.period, event.asked_at)


async def keep_asked(h: Handling, event: QuestionEvent) -> None:
    """Keep until when who has to answer; what was asked stays sealed."""
    rounds = event.round if isinstance(event, QuestionUnclear) else 0
    data = {"round": rounds, "due": event.due.isoformat(), "holder": event.holder}
    await _keep(h, event, _asked_about(event), data)


async def keep_answer(h: Handling, event: AnswerEvent) -> None:
    """Keep that a question was answered, handed up or hidden; what was answered stays sealed."""
    due = {"due": event.due.isoformat(), "holder": "township"} if isinstance(event, AnswerHandedUp) else {}
    await _keep(h, event, _asked_about(event), {"round": event.round, **due})


async def watch_question(h: Handling, event: QuestionEvent | AnswerEvent) -> None:
    """Leave it to the clock: an answer may be on its way in the other topic."""
    await commands.watch_question(h.conn, _bench(h), _asked_about(event))


async def keep_head(h: Handling, event: TrailHead) -> None:
    """Keep a head of a service's trail as it was signed."""
    head = commands.signed_of(event)
    await heads.insert_head(h.conn, event.event_id, head, holds=head.holds(h.settings.trail_keys))


def _bench(h: Handling) -> Bench:
    return Bench(h.reference, h.settings, h.clock.now())


async def judge_ledger(h: Handling, event: DisclosureEvent | PublicationWithdrawn) -> None:
    """Judge the cell by all that is known of it by now."""
    await commands.judge_after_disclosure(h.conn, _bench(h), _key(event), str(event.event_id))


async def judge_deadline(h: Handling, event: PublicationPublished) -> None:
    """An overdue cell that opens at last is no longer overdue."""
    await commands.judge_after_publication(h.conn, _bench(h), _key(event), str(event.event_id))


async def judge_waiver(h: Handling, event: _Waiver) -> None:
    """A waived cell is no longer overdue, one whose waiver ended may be."""
    await commands.judge_after_publication(h.conn, _bench(h), _key(event), str(event.event_id))


async def judge_declared(h: Handling, event: DeclarationConfirmed) -> None:
    """What happened is owed from now on, what did not is settled."""
    keys = [CellKey(event.village_code, a.item, event.quarter) for a in event.answers]
    first, last = period_bounds(event.quarter)
    days = await facts.select_declared_days(h.conn, event.village_code, first, last)
    keys += [CellKey(event.village_code, item, day) for item, day in sorted(days)]
    await commands.judge_after_declaration(h.conn, _bench(h), keys, str(event.event_id))


_OF_QUESTIONS: Final = (QuestionAsked, QuestionUnclear)
_OF_ANSWERS: Final = (AnswerGiven, AnswerHandedUp, AnswerHidden)
_KEEP: Final[Handlers] = {
    DisclosureDelivered: keep_step,
    DisclosureSubmitted: keep_step,
    DisclosureConfirmed: keep_confirmed,
    DisclosureReturned: keep_step,
    DisclosureApproved: keep_approved,
    DisclosureFiled: keep_step,
    DisclosureCorrected: keep_step,
    DisclosureDiscarded: keep_step,
    DisclosureWithdrawn: keep_withdrawn,
    DisclosureRestored: keep_step,
    DisclosureErased: keep_step,
    PublicationPublished: keep_published,
    PublicationWithdrawn: keep_unpublished,
    WaiverGranted: keep_waiver,
    WaiverRefused: keep_waiver,
    WaiverEnded: keep_waiver,
    DeclarationConfirmed: keep_declared,
    StaffSet: keep_staff,
    **dict.fromkeys(_OF_QUESTIONS, keep_asked),
    **dict.fromkeys(_OF_ANSWERS, keep_answer),
}
PROJECT: Final[Handlers] = {**_KEEP, **dict.fromkeys(HEADS.values(), keep_head)}
REACT: Final[Handlers] = {
    **dict.fromkeys(_KEEP, judge_ledger),
    PublicationPublished: judge_deadline,
    WaiverGranted: judge_waiver,
    WaiverRefused: judge_waiver,
    WaiverEnded: judge_waiver,
    DeclarationConfirmed: judge_declared,
    StaffSet: judge_staff,
    **dict.fromkeys((*_OF_QUESTIONS, *_OF_ANSWERS), watch_question),
}
