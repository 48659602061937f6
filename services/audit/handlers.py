"""What audit does with events: `PROJECT` keeps facts, `REACT` judges the cell that each one is about."""

from typing import Any, Final, get_args

from services.audit import commands
from services.audit.commands import Bench
from services.audit.rules.facts import CellKey, Fact, FactKind, ledger_data
from services.audit.store import facts
from services.contracts.disclosure import (
    ApprovedContent,
    DisclosureApproved,
    DisclosureConfirmed,
    DisclosureEvent,
    DisclosureReturned,
    DisclosureSubmitted,
    DisclosureWithdrawn,
)
from services.contracts.publication import PublicationEvent, PublicationPublished, PublicationWithdrawn
from services.kit.consumer import Handlers, Handling
from services.kit.shred import unseal

_KINDS: Final[dict[type, FactKind]] = {
    DisclosureSubmitted: "submitted",
    DisclosureConfirmed: "confirmed",
    DisclosureReturned: "returned",
    DisclosureApproved: "approved",
    DisclosureWithdrawn: "withdrawn",
    PublicationPublished: "published",
    PublicationWithdrawn: "unpublished",
}
assert set(_KINDS.values()) == set(get_args(FactKind))  # noqa: S101 - every kind of fact has its event


def _key(event: DisclosureEvent | PublicationEvent) -> CellKey:
    return CellKey(event.village_code, event.item, event.period)


async def _keep(h: Handling, event: DisclosureEvent | PublicationEvent, data: dict[str, Any]) -> None:
    fact = Fact(
        seq=0,
        event=str(event.event_id),
        kind=_KINDS[type(event)],
        key=_key(event),
        disclosure=event.aggregate_id,
        edition=event.edition,
        version=event.aggregate_version,
        occurred_at=event.occurred_at,
        data=data,
    )
    await facts.insert_fact(h.conn, fact, h.clock.now())


async def keep_step(h: Handling, event: DisclosureSubmitted | DisclosureReturned | DisclosureWithdrawn) -> None:
    """Keep that a disclosure moved; what was sealed stays sealed."""
    await _keep(h, event, {})


async def keep_confirmed(h: Handling, event: DisclosureConfirmed) -> None:
    """Keep whether anybody else has to confirm."""
    await _keep(h, event, {"complete": event.complete})


async def keep_approved(h: Handling, event: DisclosureApproved) -> None:
    """Keep the sums of an approved body; a body that was shredded leaves none."""
    content = await unseal(h.conn, event.aggregate_id, event.type, event.sealed, ApprovedContent)
    data = ledger_data(content.body) if content is not None else {}
    times = {"submitted_at": event.submitted_at.isoformat(), "confirmed_at": event.confirmed_at.isoformat()}
    await _keep(h, event, {**data, **times})


async def keep_published(h: Handling, event: PublicationPublished) -> None:
    """Keep since when everybody can read it: that decides whether it was late."""
    await _keep(h, event, {"first_published_at": event.first_published_at.isoformat()})


async def keep_unpublished(h: Handling, event: PublicationWithdrawn) -> None:
    """Keep that nobody can read it any more."""
    await _keep(h, event, {})


def _bench(h: Handling) -> Bench:
    return Bench(h.reference, h.settings, h.clock.now())


async def judge_ledger(h: Handling, event: DisclosureEvent | PublicationWithdrawn) -> None:
    """Judge the cell by all that is known of it by now."""
    await commands.judge_after_disclosure(h.conn, _bench(h), _key(event), str(event.event_id))


async def judge_deadline(h: Handling, event: PublicationPublished) -> None:
    """An overdue cell that opens at last is no longer overdue."""
    await commands.judge_after_publication(h.conn, _bench(h), _key(event), str(event.event_id))


PROJECT: Final[Handlers] = {
    DisclosureSubmitted: keep_step,
    DisclosureConfirmed: keep_confirmed,
    DisclosureReturned: keep_step,
    DisclosureApproved: keep_approved,
    DisclosureWithdrawn: keep_step,
    PublicationPublished: keep_published,
    PublicationWithdrawn: keep_unpublished,
}
REACT: Final[Handlers] = {**dict.fromkeys(PROJECT, judge_ledger), PublicationPublished: judge_deadline}
