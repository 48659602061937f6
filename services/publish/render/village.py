"""The village page: the five sentences, the biggest lines, what is open, what is missing, the codes on the walls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from services.contracts.bodies import Direction, Ledger
from services.contracts.catalogue import Affair, Masking
from services.contracts.duties import CellKey, CellState, Duty, GridCell, late_by
from services.contracts.values import Frequency, local_day, period_bounds, period_words
from services.contracts.words import HOLDERS, PURPOSES
from services.publish.render.cells import CellFacts, declared_nil, grid, live_by_cell, missing, waived
from services.publish.render.ledger import LineView, biggest
from services.publish.render.masking import masked_body
from services.publish.render.places import Items, Village, affair_of, item_at, official_name, plain_name
from services.publish.render.rows import Code, Publication
from services.publish.render.sentences import Sentence, five_sentences, newest_month
from services.publish.render.words import affair_words, day_words

_BIGGEST: Final = 3
_SHOWN_MISSING: Final = 5


@dataclass(frozen=True, slots=True)
class MoneyView:
    """The newest month of money."""

    period: str
    sentences: tuple[Sentence, ...]
    spent: tuple[LineView, ...]
    received: tuple[LineView, ...]
    line_count: int
    nil: bool
    url: str


@dataclass(frozen=True, slots=True)
class EntryView:
    """One disclosure in a list."""

    url: str
    plain: str
    official: str
    period: str
    published: str
    state: str
    history_url: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item of which nothing is open yet, and how that stands."""

    plain: str
    state: str
    late: bool
    url: str


@dataclass(frozen=True, slots=True)
class AffairView:
    """One affair: what is open, the newest of each item; and every other item that applies here."""

    name: str
    entries: tuple[EntryView, ...]
    others: tuple[ItemView, ...]


@dataclass(frozen=True, slots=True)
class MissingView:
    """Something that should be open and is not."""

    plain: str
    official: str
    period: str
    state: str
    due: str
    due_word: str
    held_by: str
    since: str | None


@dataclass(frozen=True, slots=True)
class UnopenedView:
    """Something that is not opened, or did not happen, and why."""

    plain: str
    official: str
    period: str
    reason: str | None
    since: str | None


@dataclass(frozen=True, slots=True)
class CodeView:
    """A valid code on a wall."""

    code: str
    serial: int
    where: str


@dataclass(frozen=True, slots=True)
class VillageFacts:
    """What a village's page is made from: `ledger` is the full body of its newest month."""

    village: Village
    cells: CellFacts
    ledger: Ledger | None
    codes: Sequence[Code]


@dataclass(frozen=True, slots=True)
class VillagePage:
    """Everything on a village's page."""

    village: Village
    money: MoneyView | None
    affairs: tuple[AffairView, ...]
    missing: tuple[MissingView, ...]
    missing_more: tuple[MissingView, ...]
    waived: tuple[UnopenedView, ...]
    nil: tuple[UnopenedView, ...]
    codes: tuple[CodeView, ...]
    as_of: str


def state_words(p: Publication, duty: Duty | None = None) -> str:
    """How a disclosure stands, in villagers' words; `duty` tells whether it came late."""
    if p.withdrawn_at is not None:
        return "已撤回"
    if p.corrected:
        return f"已更正（第{p.edition}版）"
    late_days = late_by(duty, p.first_published_at) if duty is not None and not p.history else 0
    if late_days:
        return f"晚了{late_days}天才公开"
    return "这段时间没有这件事" if p.nil else "已公开"


def entry(items: Items, p: Publication, duty: Duty | None = None) -> EntryView:
    """A disclosure for a list."""
    return EntryView(
        url=f"/d/{p.disclosure_id}",
        plain=plain_name(items, p.item, p.period),
        official=official_name(items, p.item, p.period),
        period=period_words(p.period),
        published=day_words(p.withdrawn_at or p.published_at),
        state=state_words(p, duty),
        history_url=f"/v/{p.village_code}/{p.item}",
    )


def _money(items: Items, publications: Sequence[Publication], month: Publication, ledger: Ledger) -> MoneyView:
    revision = item_at(items, month.item, month.period)
    shown = masked_body(ledger, revision.masking if revision is not None else Masking.SURNAME)
    assert isinstance(shown, Ledger)  # noqa: S101 - masking keeps the kind
    return MoneyView(
        period=period_words(month.period),
        sentences=five_sentences(month, publications),
        spent=biggest(shown, Direction.OUT, _BIGGEST),
        received=biggest(shown, Direction.IN, _BIGGEST),
        line_count=len(shown.lines),
        nil=month.nil,
        url=f"/d/{month.disclosure_id}",
    )


def _newest_by_item(publications: Sequence[Publication]) -> list[Publication]:
    """One publication an item, of the newest period; a withdrawn one only where nothing else is left."""

    def rank(p: Publication) -> tuple[bool, date, datetime]:
        # An old month that was brought up to date today does not hide the present one.
        return p.withdrawn_at is None, period_bounds(p.period)[1], p.published_at

    found: dict[str, Publication] = {}
    for p in publications:
        if p.item not in found or rank(p) > rank(found[p.item]):
            found[p.item] = p
    return list(found.values())


#: Of several cells of an item, the one that people ask about first.
_FIRST_ASKED: Final = (CellState.NOT_OPENED, CellState.IN_PROGRESS, CellState.WAIVED, CellState.NIL)
_STANDS: Final = {
    CellState.NOT_OPENED: "还没公开",
    CellState.IN_PROGRESS: "正在办",
    CellState.WAIVED: "不公开（已备案，看理由）",
    CellState.NIL: "这段时间没有这件事",
}


def _others(
    items: Items, facts: VillageFacts, by_item: Mapping[str, Sequence[GridCell]], today: date
) -> dict[Affair, list[ItemView]]:
    """Items that apply here and of which nothing was ever open."""
    opened = {p.item for p in facts.cells.publications}
    found: dict[Affair, list[ItemView]] = {}
    for code, item in sorted(items.items()):
        revision = item.at(today)
        applies = revision.applies in {"both", facts.village.kind.value}
        if code in opened or not applies or item.retired(today):
            continue
        states = {c.cell.state for c in by_item.get(code, ())}
        state = next((s for s in _FIRST_ASKED if s in states), None)
        waiting = "有事才公开" if revision.frequency is Frequency.ON_EVENT else "还没到期"
        words = _STANDS[state] if state is not None else waiting
        late = state is CellState.NOT_OPENED
        view = ItemView(revision.plain_name, words, late, f"/v/{facts.village.code}/{code}")
        found.setdefault(revision.affair, []).append(view)
    return found


def _affairs(items: Items, facts: VillageFacts, of: Sequence[GridCell], today: date) -> tuple[AffairView, ...]:
    newest = _newest_by_item(facts.cells.publications)
    duties = {c.key: c.duty for c in of}
    by_item: dict[str, list[GridCell]] = {}
    for cell in of:
        by_item.setdefault(cell.key.item, []).append(cell)
    others = _others(items, facts, by_item, today)
    return tuple(
        AffairView(
            affair_words(affair, community=facts.village.is_community),
            tuple(
                entry(items, p, duties.get(CellKey(p.item, p.period)))
                for p in newest
                if affair_of(items, p.item, p.period) is affair
            ),
            tuple(others.get(affair, ())),
        )
        for affair in (Affair.FINANCE, Affair.VILLAGE, Affair.PARTY)
    )


def _missing_view(items: Items, found: GridCell) -> MissingView:
    duty, cell = found.duty, found.cell
    late = f"还没公开，已晚{found.late_days}天" if found.late_days else "还没公开"
    return MissingView(
        plain=plain_name(items, duty.item, duty.period),
        official=official_name(items, duty.item, duty.period),
        period=period_words(duty.period),
        state="正在办" if cell.state is CellState.IN_PROGRESS else late,
        due=f"{duty.due.year}年{duty.due.month}月{duty.due.day}日",
        due_word="参考期限" if duty.reference else "公开时限",
        held_by=HOLDERS[cell.held_by or "village"],
        since=day_words(cell.since) if cell.since is not None else None,
    )


def _unopened(items: Items, found: GridCell, reason: str | None) -> UnopenedView:
    key = found.key
    return UnopenedView(
        plain=plain_name(items, key.item, key.period),
        official=official_name(items, key.item, key.period),
        period=period_words(key.period),
        reason=reason,
        since=day_words(found.cell.since) if found.cell.since is not None else None,
    )


def village_page(
    facts: VillageFacts,
    items: Items,
    owed: Sequence[Duty],
    make: Callable[[CellKey], Duty | None],
    now: datetime,
) -> VillagePage:
    """Put a village's page together; `make` gives the duty of a cell that is not owed periodically."""
    publications = facts.cells.publications
    month = newest_month(publications)
    money = None
    if month is not None and facts.ledger is not None:
        money = _money(items, publications, month, facts.ledger)
    cells = grid(facts.cells, owed, make, now)
    lacking = [_missing_view(items, m) for m in missing(cells)]
    return VillagePage(
        village=facts.village,
        money=money,
        affairs=_affairs(items, facts, cells, local_day(now)),
        missing=tuple(lacking[:_SHOWN_MISSING]),
        missing_more=tuple(lacking[_SHOWN_MISSING:]),
        waived=tuple(_unopened(items, c, w.reason) for c, w in waived(cells, facts.cells.waivers)),
        nil=tuple(_unopened(items, c, None) for c in declared_nil(cells, live_by_cell(publications))),
        codes=tuple(CodeView(c.code, c.serial, c.place or PURPOSES.get(c.purpose, "")) for c in facts.codes),
        as_of=day_words(now),
    )


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Everything on the page of one item of a village."""

    village: Village
    plain: str
    official: str
    affair: str
    entries: tuple[EntryView, ...]
    missing: tuple[MissingView, ...]
    waived: tuple[UnopenedView, ...]
    nil: tuple[UnopenedView, ...]


def item_page(
    village: Village,
    facts: CellFacts,
    items: Items,
    cells: Sequence[GridCell],
    item: str,
    now: datetime,
) -> ItemPage:
    """Put the page of one item together: all periods that are open, and those that are not and why."""
    cells = [c for c in cells if c.key.item == item]
    duties = {c.key: c.duty for c in cells}
    found = sorted(
        (p for p in facts.publications if p.item == item), key=lambda p: (p.period, p.published_at), reverse=True
    )
    newest = found[0].period if found else local_day(now).isoformat()
    return ItemPage(
        village=village,
        plain=plain_name(items, item, newest),
        official=official_name(items, item, newest),
        affair=affair_words(affair_of(items, item, newest), community=village.is_community),
        entries=tuple(entry(items, p, duties.get(CellKey(p.item, p.period))) for p in found),
        missing=tuple(_missing_view(items, m) for m in missing(cells)),
        waived=tuple(_unopened(items, c, w.reason) for c, w in waived(cells, facts.waivers)),
        nil=tuple(_unopened(items, c, None) for c in declared_nil(cells, live_by_cell(found))),
    )
