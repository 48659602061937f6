"""Lines that are found: what is looked for in a content that was opened, and what is shown of it. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from services.contracts.bodies import Body, Direction, Ledger, Line
from services.contracts.catalogue import Masking
from services.contracts.names import is_usual_name
from services.contracts.values import period_words
from services.publish.render.disclosure import masking_of
from services.publish.render.ledger import LineView, line_view
from services.publish.render.masking import masked_lines
from services.publish.render.passages import (
    WHOLE,
    NumberKind,
    Passage,
    exactly,
    firm_of,
    ledger_passages,
    line_number,
    may_hold,
    numbered,
    pairs_of,
    paper_number,
    passages,
    runs_of,
    size_of,
    sized,
)
from services.publish.render.places import Items, Village, item_at, plain_name
from services.publish.render.texts import public_text

_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Where:
    """Which disclosure a content is of."""

    disclosure_id: str
    village: str
    item: str
    period: str


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found: a line of a ledger as its page shows it, or of another content (number 0) the text that fits."""

    where: Where
    number: int
    text: str
    line: Line | None
    firm: str | None
    fen: int | None

    @property
    def url(self) -> str:
        """Where it stands on its page."""
        return f"/d/{self.where.disclosure_id}" + (f"#l{self.number}" if self.number else "")


class Terms(Protocol):
    """What is looked for in one content."""

    def find(self, body: Body) -> Iterator[Passage]:
        """The passages that are meant by them."""
        ...


@dataclass(frozen=True, slots=True)
class Words:
    """Every word, and an amount of each range, in one passage."""

    words: tuple[str, ...]
    amounts: tuple[tuple[int, int], ...]

    @property
    def marks(self) -> list[str]:
        """Marks that every content has in which all of it stands."""
        exact = [exactly(least) for least, most in self.amounts if least == most]
        return [*(pair for word in self.words for pair in pairs_of(word)), *exact]

    @property
    def sizes(self) -> list[str]:
        """Marks of which such a content has one, of a range of amounts."""
        wide = [(least, most) for least, most in self.amounts if least < most]
        return [sized(step) for least, most in wide[:1] for step in range(size_of(least), size_of(most) + 1)]

    @property
    def range(self) -> tuple[int, int] | None:
        """The amounts that such a content has one of."""
        return self.amounts[0] if self.amounts else None

    def find(self, body: Body) -> Iterator[Passage]:
        """The passages in which all of it stands."""
        if isinstance(body, Ledger):
            likely = [
                (n, line)
                for n, line in enumerate(body.lines, 1)
                if self._has_amounts((line.amount_fen,)) and may_hold(line, self.words)
            ]
            found = ledger_passages(body, likely) if likely else iter(())
        else:
            found = passages(body)
        return (p for p in found if self._stand_in(p))

    def _has_amounts(self, fens: Sequence[int]) -> bool:
        return all(any(least <= abs(fen) <= most for fen in fens) for least, most in self.amounts)

    def _stand_in(self, passage: Passage) -> bool:
        runs = passage.runs
        return self._has_amounts(passage.fens) and all(any(word in run for run in runs) for word in self.words)


@dataclass(frozen=True, slots=True)
class LineTerms:
    """Lines of ledgers by what stands in their columns; None: whatever it is."""

    category: str | None = None
    direction: Direction | None = None
    least_fen: int | None = None
    most_fen: int | None = None
    firm: Callable[[str], bool] | None = None

    def find(self, body: Body) -> Iterator[Passage]:
        """The lines that are meant."""
        if not isinstance(body, Ledger):
            return
        for number, line in enumerate(body.lines, 1):
            if self._is_meant(line):
                paid = firm_of(line.payee) if line.direction is Direction.OUT else None
                yield Passage(number, (line.summary,), (line.amount_fen,), paid)

    def _is_meant(self, line: Line) -> bool:
        wanted = (
            self.direction is None or line.direction is self.direction,
            self.least_fen is None or line.amount_fen >= self.least_fen,
            self.most_fen is None or line.amount_fen <= self.most_fen,
            self.category is None or runs_of(public_text(line.category or "")) == runs_of(self.category),
        )
        return all(wanted) and (self.firm is None or _is_paid(line, self.firm))


@dataclass(frozen=True, slots=True)
class NumberTerms:
    """What bears a number of a kind, and the lines, contracts and projects that name it."""

    kind: NumberKind
    number: str

    def find(self, body: Body) -> Iterator[Passage]:
        """The passages that name the number, the same to the letter but for signs and blanks."""
        if isinstance(body, Ledger):
            lines = enumerate(body.lines, 1)
            yield from ledger_passages(body, [(n, x) for n, x in lines if self._is_same(line_number(x, self.kind))])
        elif self._is_same(paper_number(body, self.kind)):
            yield from passages(body)

    def _is_same(self, number: str | None) -> bool:
        return number is not None and numbered(self.kind, number) == numbered(self.kind, self.number)


def _is_paid(line: Line, is_meant: Callable[[str], bool]) -> bool:
    firm = firm_of(line.payee) if line.direction is Direction.OUT else None
    return firm is not None and is_meant(firm)


def persons_in(words: Iterable[str]) -> list[str]:
    """Words that read as a person's name: nobody is looked for by name."""
    return [word for word in words if is_usual_name(word)]


def hits_in(items: Items, where: Where, body: Body, terms: Terms, today: date) -> list[Hit]:
    """What is found in a content, as its page shows it today; nothing where that shows totals only."""
    masking = masking_of(item_at(items, where.item, where.period), where.period, body.kind, today)
    if masking is Masking.AGGREGATE:
        return []
    found = list(terms.find(body))
    if not isinstance(body, Ledger):
        return [Hit(where, WHOLE, _told(p, terms), None, None, None) for p in found]
    shown = masked_lines(body, masking, [body.lines[p.number - 1] for p in found])
    return [
        Hit(where, p.number, line.summary, line, p.firm, line.amount_fen) for p, line in zip(found, shown, strict=True)
    ]


def _told(passage: Passage, terms: Terms) -> str:
    """Of the texts of a passage the one in which a word stands, no longer than a reader looks at."""
    words = terms.words if isinstance(terms, Words) else ()
    texts = (t for word in words for t in passage.texts if word in "\n".join(runs_of(t)))
    text = next(texts, next(iter(passage.texts), ""))
    first = next((at for word in words if (at := text.lower().find(word)) >= 0), 0)
    start = max(0, first - _LONGEST // 3)
    cut = text[start : start + _LONGEST]
    return f"{'…' if start else ''}{cut}{'…' if start + _LONGEST < len(text) else ''}"


@dataclass(frozen=True, slots=True)
class HitView:
    """A hit on a page. `when`: the day of a line, the period of another content; `firm_url`: the page of the firm that was paid, where it is one."""

    village: str
    village_url: str
    item: str
    when: str
    url: str
    text: str
    line: LineView | None
    firm_url: str | None


def hit_view(hit: Hit, village: Village, items: Items, firm_url: str | None) -> HitView:
    """A hit as people read it: where and when, what, how much, whom."""
    where = hit.where
    return HitView(
        village=village.name,
        village_url=f"/v/{village.code}",
        item=plain_name(items, where.item, where.period),
        when=period_words(hit.line.date.isoformat() if hit.line is not None else where.period),
        url=hit.url,
        text=hit.text,
        line=line_view(hit.number, hit.line) if hit.line is not None else None,
        firm_url=firm_url,
    )
