"""Lines of all villages by what stands in them: disclosures by their marks, then the contents of a few of them, read anew.

A request opens a bounded number of contents whatever is asked: who wants more goes on from the place that it is given.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from services.contracts.bodies import BODY
from services.contracts.catalogue import Masking
from services.kit.db import Connection
from services.kit.log import get_logger
from services.kit.shred import mark_of
from services.publish.render.firm import FirmSum
from services.publish.render.found import Hit, LineTerms, NumberTerms, Terms, Where, Words, hits_in, persons_in
from services.publish.render.passages import NumberKind, going, numbered, of_village, paid, runs_of, under
from services.publish.render.places import Items, Village
from services.publish.render.query import Span, read_query
from services.publish.render.rows import Edition
from services.publish.render.search import Found, search
from services.publish.render.sentences import MONEY_ITEM
from services.publish.store import publications, searchable
from services.publish.store.searchable import FoundPlace, FoundRow, Sought, firm_with, key_of

log = get_logger(__name__)

#: Contents that a request opens at most.
OPENED: Final = 24
#: More villages than that are told apart when their contents are read.
_MARKED_VILLAGES: Final = 16
_BEHIND_ALL: Final = 2**31
_FIRMS_SHOWN: Final = 5
FoundLines = tuple[list[Hit], FoundPlace | None]


@dataclass(frozen=True, slots=True)
class Look:
    """How a reader looks: by which catalogue, on which day, from which place on, at how many lines."""

    items: Items
    today: date
    after: FoundPlace | None
    limit: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for: villages and items by name, and what to look for in contents; None when there is nothing."""

    found: Found
    sought: Sought | None
    terms: Words
    persons: Sequence[str]


def ask(text: str, villages: Sequence[Village], items: Items, today: date) -> Asked:
    """Read a search. Words that name a village say where, the others what; nobody is looked for by a person's name."""
    query = read_query(text, today)
    found = search(query.rest, villages, items)
    narrowed = bool(query.amounts or query.spans)
    typed = found.words or ([] if narrowed or _is_named(query.rest, found) else [query.rest])
    terms = Words(tuple(dict.fromkeys(runs_of(" ".join(typed)))), query.amounts)
    persons = persons_in(terms.words)
    if persons or not (terms.marks or terms.amounts):
        return Asked(found, None, terms, persons)
    sought = Sought(marks=terms.marks, any_of=terms.sizes, fens=terms.range, items=list(items))
    if found.words or narrowed:
        sought = _in_villages(sought, found.codes)
    return Asked(found, _in_spans(sought, query.spans), terms, persons)


def _in_villages(sought: Sought, codes: frozenset[str]) -> Sought:
    """Only in some villages; in all where none is named."""
    if not codes:
        return sought
    several = [of_village(code) for code in sorted(codes)] if 1 < len(codes) <= _MARKED_VILLAGES else sought.any_of
    return replace(sought, within=(min(codes), max(codes)), villages=codes, any_of=several)


def _in_spans(sought: Sought, spans: Sequence[Span]) -> Sought:
    """Only in periods that are named: of 去年 10月 the days of the one, the months of the other."""
    if not spans:
        return sought
    days = (max(span.first for span in spans), min(span.last for span in spans))
    narrow = min(spans, key=lambda span: (not span.of_any_year, span.last - span.first))
    return replace(sought, days=days, periods=narrow.patterns)


def _is_named(rest: str, found: Found) -> bool:
    """Tell whether what was typed is a village and no more; a part of its name may be a word as well."""
    return any(rest in {v.code, v.name} or v.name.startswith(rest) for v in found.villages)


async def find(conn: Connection, look: Look, sought: Sought, terms: Terms) -> FoundLines:
    """Hits behind a place, newest period first, and the place to go on from; None at the end."""
    rows = await searchable.select_sought(conn, sought, look.after, OPENED + 1)
    return await _read(conn, look, rows, terms, sought.villages)


async def _read(
    conn: Connection, look: Look, rows: Sequence[FoundRow], terms: Terms, villages: frozenset[str] | None = None
) -> FoundLines:
    """Read what was found by its marks, one row more than are opened; None: of all villages."""
    opened = [r for r in rows[:OPENED] if villages is None or r.village in villages]
    editions = await publications.select_editions(conn, [(r.disclosure_id, r.edition) for r in opened])
    hits = await asyncio.to_thread(_hits, look, opened, editions, terms)
    if len(hits) > look.limit:
        last = hits[look.limit - 1]
        until = next(r.until for r in opened if r.disclosure_id == last.where.disclosure_id)
        return hits[: look.limit], FoundPlace(until, last.where.disclosure_id, last.number)
    if len(rows) <= OPENED:
        return hits, None
    return hits, FoundPlace(rows[OPENED - 1].until, rows[OPENED - 1].disclosure_id, _BEHIND_ALL)


def _hits(look: Look, rows: Iterable[FoundRow], editions: dict[tuple[str, int], Edition], terms: Terms) -> list[Hit]:
    """What is found in contents, one more than is shown; what was closed meanwhile is passed over."""
    found: list[Hit] = []
    for row in rows:
        edition = editions.get((row.disclosure_id, row.edition))
        if edition is None:
            continue
        where = Where(row.disclosure_id, row.village, row.item, row.period)
        try:
            body = BODY.validate_json(edition.body)
        except ValueError:
            # By today's rules nobody reads it: one content must not keep everything else from being found.
            log.warning("content cannot be searched", disclosure=row.disclosure_id)
            continue
        of_it = hits_in(look.items, where, body, terms, look.today)
        if look.after is not None and look.after.disclosure_id == row.disclosure_id:
            of_it = [hit for hit in of_it if hit.number > look.after.number]
        found += of_it
        if len(found) > look.limit:
            break
    return found


def line_marks(terms: LineTerms, firm: str | None) -> tuple[list[str], list[str], tuple[int, int] | None]:
    """For lines of ledgers: what every such ledger is marked with, what one of, and the amounts that it has one of, whatever their sign."""
    marks = [going(terms.direction)] if terms.direction is not None else []
    marks += [under(terms.category)] if terms.category is not None else []
    marks += [paid(firm)] if firm is not None else []
    if terms.least_fen is None or terms.least_fen <= 0:
        return marks, [], None
    most = terms.most_fen if terms.most_fen is not None else 2**53
    exact = Words((), ((terms.least_fen, most),))
    return [*marks, *exact.marks], exact.sizes, (terms.least_fen, most)


# -- numbers ------------------------------------------------------------------------------------------------------


async def load_numbered(conn: Connection, look: Look, village: str, kind: NumberKind, number: str) -> FoundLines:
    """What of a village bears a number, and what names it."""
    if not runs_of(number):
        return [], None
    sought = Sought([numbered(kind, number)], within=(village, village), items=list(look.items))
    return await find(conn, look, sought, NumberTerms(kind, number))


# -- firms --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Firm:
    """What a firm was paid: by year, in one year by village, and the lines of that year from a place on."""

    key: str
    name: str
    year: str
    years: Sequence[FirmSum]
    villages: Sequence[FirmSum]
    hits: Sequence[Hit]
    following: FoundPlace | None


def firm_key(firm: str) -> str:
    """The key of a firm, of its name as `firm_of` reads it."""
    return key_of(mark_of(firm))


def is_firm_with(key: str) -> LineTerms:
    """Lines in which the firm of a key was paid."""
    mark = firm_with(key)
    return LineTerms(firm=lambda name: mark_of(name) == mark)


async def load_firm(conn: Connection, look: Look, key: str, year: str | None) -> Firm | None:
    """What a firm was paid by all villages together, of a year or the newest; None when nothing of it is open."""
    mark = firm_with(key)
    years = await searchable.select_firm_years(conn, mark) if _tells_lines(look) else []
    told = year or next((y.of for y in years), None)
    if told is None or told not in {y.of for y in years}:
        return None
    villages = await searchable.select_firm_villages(conn, mark, MONEY_ITEM, told)
    rows = await searchable.select_firm_disclosures(conn, mark, MONEY_ITEM, told, look.after, OPENED + 1)
    hits, following = await _read(conn, look, rows, is_firm_with(key))
    # By its name as the newest ledger writes it; a name that is a person's by today's rules leads nowhere.
    name = next((hit.line.payee for hit in hits if hit.line is not None), None)
    return Firm(key, name, told, years, villages, hits, following) if name is not None else None


def _tells_lines(look: Look) -> bool:
    """Tell whether ledgers are open line by line, by the catalogue of the day."""
    item = look.items.get(MONEY_ITEM)
    return item is not None and item.at(look.today).masking is not Masking.AGGREGATE


def firms_in(hits: Sequence[Hit], words: Sequence[str]) -> list[tuple[str, str]]:
    """Firms among hits that words name, by key and name as written, in the order of the hits."""
    found: dict[str, str] = {}
    for hit in hits:
        if hit.firm is not None and hit.line is not None and any(word in hit.firm for word in words):
            found.setdefault(firm_key(hit.firm), hit.line.payee or hit.firm)
    return list(found.items())[:_FIRMS_SHOWN]
