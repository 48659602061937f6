"""The village page: the five sentences, the biggest lines, what is open, what is missing, the codes on the walls."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from services.contracts.bodies import Ledger
from services.contracts.catalogue import Affair, ItemRevision
from services.contracts.checks import Check
from services.contracts.duties import CellKey, CellState, Duty, GridCell, cell_state
from services.contracts.values import Frequency, local_day, period_bounds, period_of, period_words
from services.contracts.words import PURPOSES
from services.publish.render.cells import CellFacts, Cells, Known, L, declared_nil, missing, record_of, waived
from services.publish.render.checks import month_before
from services.publish.render.due import Make, date_words, next_duty, timing
from services.publish.render.lacking import MissingView, UnopenedView, missing_view, unopened
from services.publish.render.money import MoneyView, MonthFacts, month_of_money, year_before
from services.publish.render.places import Items, Village, affair_of, official_name, plain_name
from services.publish.render.rows import Code, Publication, Said
from services.publish.render.sentences import newest_month
from services.publish.render.standing import Standing, standing
from services.publish.render.texts import names_anybody, public_text
from services.publish.render.words import affair_words, day_words

_SHOWN_MISSING: Final = 5


@dataclass(frozen=True, slots=True)
class EntryView:
    """One disclosure in a list."""

    url: str
    plain: str
    official: str
    period: str
    published: str
    states: tuple[str, ...]
    late: str | None
    gone: bool
    history_url: str
    sums: str | None = None
    sums_agree: bool = True


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item of which nothing is open yet, and how that stands."""

    plain: str
    state: str
    late: bool
    url: str


@dataclass(frozen=True, slots=True)
class AffairView:
    """One affair: what is open, the newest of each item; and every other item that applies here. `late`: how many cells wait past their day."""

    name: str
    entries: tuple[EntryView, ...]
    others: tuple[ItemView, ...]
    late: int

    @property
    def counts(self) -> str:
        """`公开了9项，还缺2期` and what has nothing open yet: no more than was counted."""
        parts = (
            f"公开了{len(self.entries)}项" if self.entries else "还没有公开内容",
            f"缺{self.late}件" if self.late else "",
            f"另有{len(self.others)}项" if self.others else "",
        )
        return "，".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class CodeView:
    """A valid code on a wall."""

    code: str
    serial: int
    where: str


@dataclass(frozen=True, slots=True)
class VillageFacts:
    """What a village's page is made from: `ledger` is the full body of its newest month, `said` what was said of it.

    `publications` are those that `shown_on_page` names, newest first.
    """

    village: Village
    cells: CellFacts
    publications: Sequence[Publication]
    ledger: Ledger | None
    codes: Sequence[Code]
    said: Said = field(default_factory=Said)


@dataclass(frozen=True, slots=True)
class VillagePage:
    """Everything on a village's page."""

    village: Village
    money: MoneyView | None
    affairs: tuple[AffairView, ...]
    standing: Standing
    #: Said where nothing is missing, else blank.
    settled: str
    #: What waits longest of what waits past its day, money first.
    first_missing: MissingView | None
    missing: tuple[MissingView, ...]
    missing_more: tuple[MissingView, ...]
    waived: tuple[UnopenedView, ...]
    nil: tuple[UnopenedView, ...]
    codes: tuple[CodeView, ...]
    as_of: str
    checks: tuple[Check, ...]
    of_persons: bool

    @property
    def script(self) -> tuple[str, ...]:
        """What the village's loudspeaker reads out: the same figures as on the page, nothing that is not there."""
        m = self.money
        if m is None:
            return ()
        opening, year = (
            "，".join(f"{figure.before}{figure.amount}" for figure in sentence) for sentence in m.sentences
        )
        moved = "这个月没有收支。" if m.nil else f"这个月收进来{m.income.amount}，花出去{m.expense.amount}。"
        agreed = (
            "这笔账算得上。"
            if m.checks is None or m.checks.ok
            else f"账有对不上的地方：{m.checks.differences[0].words}"
        )
        return (
            f"各位乡亲，{self.village.name}{m.period}的账公开了。",
            f"{opening}。{moved}{m.until}{m.left}。",
            f"{year}。",
            f"{agreed if m.checks is not None else ''}还没公开的事项：{self.standing.words}。",
            "想看每一笔，请扫公开栏上的码，不用登录，也不收钱。",
        )

    @property
    def spoken(self) -> str:
        """The loudspeaker's sentences for a voice that is a machine's: it would stop at the commas within figures."""
        return re.sub(r"(?<=[0-9]),(?=[0-9])", "", "".join(self.script[:-1]))

    @property
    def summary(self) -> str:
        """The page in a line, for whoever gets its address sent."""
        m = self.money
        told = (
            f"{m.until}{m.left_about or m.left}，收进来{m.income.amount}，花出去{m.expense.amount}。"
            if m
            else "现在没有公开的收支。"
        )
        return f"{told}{self.standing.words}。"


def state_words(p: Publication) -> tuple[str, ...]:
    """How a disclosure stands, in villagers' words; how late it came is told beside it, whatever else holds."""
    if p.withdrawn_at is not None:
        return ("已撤回",)
    found = ["上线前的，补公开"] if p.history else []
    if p.corrected:
        found.append(f"已更正（第{p.number}版）")
    if p.nil:
        found.append("这段时间没有这件事")
    return tuple(found) or ("已公开",)


def entry(items: Items, p: Publication, duty: Duty | None = None) -> EntryView:
    """A disclosure for a list."""
    return EntryView(
        url=f"/d/{p.disclosure_id}",
        plain=plain_name(items, p.item, p.period),
        official=official_name(items, p.item, p.period),
        period=period_words(p.period),
        published=day_words(p.withdrawn_at or p.published_at),
        states=state_words(p),
        late=timing(p, duty).late,
        gone=p.withdrawn_at is not None,
        history_url=f"/v/{p.village_code}/{p.item}",
    )


def newest_by_item(publications: Sequence[L]) -> list[L]:
    """One publication an item, of the newest period; a withdrawn one only where nothing else is left."""

    def rank(p: L) -> tuple[bool, date, datetime]:
        # An old month that was brought up to date today does not hide the present one.
        return p.is_live, period_bounds(p.period)[1], p.published_at

    found: dict[str, tuple[tuple[bool, date, datetime], L]] = {}
    for p in publications:
        ranked = rank(p)
        if p.item not in found or ranked > found[p.item][0]:
            found[p.item] = ranked, p
    return [p for _, p in found.values()]


def shown_on_page(known: Sequence[Known]) -> list[str]:
    """Ids of what a village's page shows: the newest of each item, and the ledgers of which its sentences tell."""
    month = newest_month(known)
    shown = {*newest_by_item(known), *(_told_with(month, known) if month is not None else ())}
    return [p.disclosure_id for p in known if p in shown]


def _told_with(month: Known, known: Iterable[Known]) -> list[Known]:
    """The ledgers of a month's year so far, the one whose closing it opens with, and that of the same month of last year."""
    ledgers = [p for p in known if p.item == month.item and p.is_live and p.period <= month.period]
    before, last_year = month_before(ledgers, month), year_before(month.period)
    beside = [p for p in ledgers if p.period[:4] == month.period[:4] or p.period == last_year]
    return [*beside, *([before] if before is not None else [])]


#: Of several cells of an item, the one that people ask about first.
_FIRST_ASKED: Final = (CellState.NOT_OPENED, CellState.IN_PROGRESS, CellState.WAIVED, CellState.NIL)
_STANDS: Final = {
    CellState.NOT_OPENED: "还没公开",
    CellState.IN_PROGRESS: "正在办",
    CellState.WAIVED: "不公开（已备案，看理由）",
    CellState.NIL: "这段时间没有这件事",
}


def waiting_words(
    code: str, revision: ItemRevision, make: Make, now: datetime, opened: Container[tuple[str, str]] = frozenset()
) -> str:
    """What an item waits for of which nothing is due yet: an event, or the next due day; never a bare 还没到期."""
    today = make(CellKey(code, period_of(local_day(now), revision.frequency)))
    if today is None or not today.applies:
        return "这里没有这一项"
    if revision.frequency is Frequency.ON_EVENT:
        return "有事才公开"
    duty = next_duty(code, revision, make, now, opened)
    if duty is not None:
        return f"{period_words(duty.period)}的还没到期，{date_words(duty.due)}前公开"
    return "上线前的，还没有补公开"


def _others(
    items: Items, facts: VillageFacts, by_item: Mapping[str, Sequence[GridCell]], make: Make, now: datetime
) -> dict[Affair, list[ItemView]]:
    """Items that apply here and of which nothing was ever open."""
    today = local_day(now)
    opened = {p.item for p in facts.publications}
    found: dict[Affair, list[ItemView]] = {}
    for code, item in sorted(items.items()):
        revision = item.at(today)
        applies = revision.applies in {"both", facts.village.kind.value}
        if code in opened or not applies or item.retired(today):
            continue
        states = {c.cell.state for c in by_item.get(code, ())}
        state = next((s for s in _FIRST_ASKED if s in states), None)
        words = _STANDS[state] if state is not None else waiting_words(code, revision, make, now)
        late = state is CellState.NOT_OPENED
        view = ItemView(revision.plain_name, words, late, f"/v/{facts.village.code}/{code}")
        found.setdefault(revision.affair, []).append(view)
    return found


def _affairs(
    items: Items, facts: VillageFacts, of: Sequence[GridCell], make: Make, now: datetime
) -> tuple[AffairView, ...]:
    newest = sorted(newest_by_item(facts.publications), key=lambda p: p.item)
    by_item: dict[str, list[GridCell]] = {}
    for cell in of:
        by_item.setdefault(cell.key.item, []).append(cell)
    others = _others(items, facts, by_item, make, now)
    return tuple(
        AffairView(
            affair_words(affair, community=facts.village.is_community),
            tuple(
                entry(items, p, make(CellKey(p.item, p.period)))
                for p in newest
                if affair_of(items, p.item, p.period) is affair
            ),
            tuple(others.get(affair, ())),
            sum(c.late_days > 0 for c in missing(of) if affair_of(items, c.duty.item, c.duty.period) is affair),
        )
        for affair in (Affair.FINANCE, Affair.VILLAGE, Affair.PARTY)
    )


def _settled(items: Items, cells: Cells, of: Sequence[GridCell], make: Make, now: datetime) -> str:
    """What may be said where nothing is missing: no more than what was due, and what comes next."""
    opened = ((duty, cells.live(key)) for key in map(CellKey._make, cells.opened) if (duty := make(key)) is not None)
    states = [*((d, _state_of(d, p, now)) for d, p in opened), *((c.duty, c.cell.state) for c in of)]
    due = Counter(state for d, state in states if d.applies and not d.history and d.due_at <= now)
    said = settled_words(f"到{day_words(now)}", due)
    soonest = _soonest(items, cells, make, now)
    if soonest is None:
        return said
    name = plain_name(items, soonest.item, soonest.period)
    return f"{said}下一次到期是{date_words(soonest.due)}：{period_words(soonest.period)}，{name}。"


def _state_of(duty: Duty, p: Known | None, now: datetime) -> CellState:
    """How a cell stands that is open: what is not told of has content, for whatever says that nothing happened is told of."""
    return cell_state(duty, record_of(p), now).state if p is not None else CellState.OPENED


def _soonest(items: Items, cells: Cells, make: Make, now: datetime) -> Duty | None:
    """What is due next of all that is to come."""
    today = local_day(now)
    lasting = {code: item.at(today) for code, item in items.items() if not item.retired(today)}
    coming = (next_duty(code, revision, make, now, cells.opened) for code, revision in lasting.items())
    return min((d for d in coming if d is not None), key=lambda d: (d.due, d.item), default=None)


def settled_words(until: str, due: Mapping[CellState, int]) -> str:
    """How many of the things that were due are open; what is waived or did not happen is neither."""
    count, waived_count, nil_count = sum(due.values()), due.get(CellState.WAIVED, 0), due.get(CellState.NIL, 0)
    if not count:
        return f"{until}，还没有到期的事项。"
    if not waived_count and not nil_count:
        return f"{until}，到期的{count}项都公开了。"
    parts = (
        f"{count - waived_count - nil_count}项公开了",
        f"{waived_count}项经备案不公开" if waived_count else "",
        f"{nil_count}项申报没有这件事" if nil_count else "",
    )
    return f"{until}，到期的{count}项里，{'，'.join(p for p in parts if p)}。"


def village_page(facts: VillageFacts, items: Items, owed: Iterable[CellKey], make: Make, now: datetime) -> VillagePage:
    """Put a village's page together; `owed` are the cells that it owes by now, `make` gives the duty of a cell.

    Of what is open it shows the newest, of what is not, everything: cells that are open are not worked out.
    """
    month = newest_month(facts.publications)
    money: MoneyView | None = None
    checks: tuple[Check, ...] = ()
    if month is not None and facts.ledger is not None:
        money, checks = month_of_money(items, MonthFacts(month, facts.ledger, facts.said, facts.publications), make)
    cells = Cells(facts.cells)
    unopened_cells = cells.grid(cells.unopened(owed), make, now)
    lacking = [missing_view(items, m) for m in missing(unopened_cells)]
    nil = _newest_of_item(declared_nil(unopened_cells, cells.opened))
    return VillagePage(
        village=facts.village,
        money=money,
        standing=standing(unopened_cells),
        settled=_settled(items, cells, unopened_cells, make, now) if not lacking else "",
        affairs=_affairs(items, facts, unopened_cells, make, now),
        first_missing=_first_late(lacking),
        missing=tuple(lacking[:_SHOWN_MISSING]),
        missing_more=tuple(lacking[_SHOWN_MISSING:]),
        waived=tuple(unopened(items, c, w.reason) for c, w in waived(unopened_cells, facts.cells.waivers)),
        nil=tuple(unopened(items, c, None) for c in nil),
        codes=tuple(
            CodeView(c.code, c.serial, public_text(c.place) or PURPOSES.get(c.purpose, "")) for c in facts.codes
        ),
        as_of=day_words(now),
        checks=checks,
        of_persons=_names_anybody(money, checks, facts),
    )


def _first_late(lacking: Iterable[MissingView]) -> MissingView | None:
    return next((m for m in lacking if m.late), None)


def _newest_of_item(newest_first: Iterable[GridCell]) -> list[GridCell]:
    """One cell an item: years of quarters in which nothing happened stand on the item's own page."""
    found: dict[str, GridCell] = {}
    for cell in newest_first:
        found.setdefault(cell.key.item, cell)
    return list(found.values())


def _names_anybody(money: MoneyView | None, checks: Sequence[Check], facts: VillageFacts) -> bool:
    """Whether somebody stands on the page: in a big line, in a reason, in what is written of a code's place."""
    texts = (*(c.reason for c in checks), *(w.reason for w in facts.cells.waivers))
    return (money is not None and money.of_persons) or names_anybody(texts)
