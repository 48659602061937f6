"""The page of one disclosure: its facts, its content or its tombstone, its editions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.contracts.bodies import Ledger
from services.contracts.catalogue import Masking
from services.publish.render.ledger import LedgerView, ledger_view
from services.publish.render.masking import masked_body
from services.publish.render.places import Items, Village, affair_of, item_at, official_name, plain_name, title
from services.publish.render.rows import Publication
from services.publish.render.words import affair_words, day_words, period_words, time_words


@dataclass(frozen=True, slots=True)
class EditionView:
    """One edition that can still be read."""

    number: int
    published: str
    url: str


@dataclass(frozen=True, slots=True)
class DisclosurePage:
    """Everything on a disclosure's page; `ledger` is None once it was withdrawn."""

    village: Village
    title: str
    plain: str
    official: str
    affair: str
    period: str
    publisher: str | None
    edition: int
    newest: int
    published: str
    editions: tuple[EditionView, ...]
    nil: bool
    ledger: LedgerView | None
    withdrawn: str | None
    reason: str | None
    history_url: str


def disclosure_page(
    village: Village,
    items: Items,
    p: Publication,
    edition: int,
    times: Sequence[tuple[int, datetime]],
    body: Ledger | None,
) -> DisclosurePage:
    """Put the page of one edition together; `times` tells when each edition was published."""
    revision = item_at(items, p.item, p.period)
    masking = revision.masking if revision is not None else Masking.SURNAME
    published = dict(times).get(edition, p.published_at)
    return DisclosurePage(
        village=village,
        title=title(items, p.item, p.period),
        plain=plain_name(items, p.item, p.period),
        official=official_name(items, p.item, p.period),
        affair=affair_words(affair_of(items, p.item, p.period), community=village.is_community),
        period=period_words(p.period),
        publisher=revision.publisher if revision is not None else None,
        edition=edition,
        newest=p.edition,
        published=time_words(published),
        editions=tuple(
            EditionView(n, time_words(at), f"/d/{p.disclosure_id}" + ("" if n == p.edition else f"/{n}"))
            for n, at in times
        ),
        nil=body is not None and not body.lines,
        ledger=ledger_view(body, masked_body(body, masking), aggregate=masking is Masking.AGGREGATE) if body else None,
        withdrawn=day_words(p.withdrawn_at) if p.withdrawn_at is not None else None,
        reason=p.reason,
        history_url=f"/v/{p.village_code}/{p.item}",
    )
