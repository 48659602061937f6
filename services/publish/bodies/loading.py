"""What bodies are made from, read in a handful of statements: of years of publications, those that are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from services.kit.clock import local_day
from services.kit.db import Connection
from services.publish.render.cells import CellFacts
from services.publish.render.item import shown_of_item
from services.publish.render.places import Village
from services.publish.render.questions import Question, Tally, Word
from services.publish.render.rows import Code, Edition, Publication, edition_before
from services.publish.render.sentences import MONEY_ITEM, newest_month
from services.publish.render.standing import Standing, together
from services.publish.render.village import shown_on_page
from services.publish.store import adoptions, cells, marks, publications, questions, standings, steps
from services.publish.store.adoptions import Adopted

_RECENT: Final = 8
#: Questions that a page shows: of a village so many that wait and so many others, of a disclosure so many.
_QUESTIONS: Final = 3
#: Addresses that a disclosure's page shows of those who took it over.
_ADDRESSES: Final = 5


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the database said about some subjects, at one moment."""

    now: datetime
    publications: dict[str, Publication]
    #: Of villages' own pages, and of the pages of their items.
    cells: dict[str, CellFacts]
    cells_of_items: dict[str, CellFacts]
    #: Ids of what the page of each village shows.
    on_page: dict[str, list[str]]
    editions: dict[tuple[str, int], Edition]
    times: dict[str, list[tuple[int, datetime]]]
    codes: dict[str, list[Code]]
    before: dict[str, Publication]
    #: The other open steps of the matter of each disclosure.
    steps: dict[str, list[Publication]]
    newest: dict[str, Publication]
    recent: list[Publication]
    #: What villages lack, as told when they were rendered; those rendered now are added.
    standings: dict[str, Standing]
    #: Of villages and of disclosures, by code and id; what was said of each; how many wait in villages of a list.
    questions: dict[str, list[Question]]
    words: dict[UUID, list[Word]]
    tallies: dict[str, Tally]
    #: How often disclosures were taken over, and where.
    adopted: dict[str, Adopted] = field(default_factory=dict)
    standing_now: dict[str, Standing] = field(default_factory=dict)
    #: Whether names that leave the web some day are left out already.
    faded: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What some subjects show: disclosures, villages' own pages, pages of their items (village, item, year: None for the newest), villages below townships, the front page."""

    disclosures: Sequence[str]
    villages: Sequence[str]
    pages: Sequence[tuple[str, str, str | None]]
    below: Sequence[str]
    front: bool
    #: Villages that are counted for the front page.
    everywhere: Sequence[str] = ()

    @property
    def of_items(self) -> list[str]:
        """Villages of which cells stand on pages of single items."""
        return sorted({village for village, _, _ in self.pages})


async def load(conn: Connection, wanted: Wanted, now: datetime) -> Loaded:
    """Read what the bodies of some subjects are made from."""
    ids = wanted.disclosures
    facts = await cells.select_outlines(conn, wanted.villages)
    of_items = await cells.select_cell_facts(conn, wanted.of_items, items=sorted({item for _, item, _ in wanted.pages}))
    on_page = {village: shown_on_page(facts[village].known) for village in wanted.villages}
    listed = _listed(wanted, of_items, on_page)
    shown = await publications.select_publications(conn, listed)
    times = await publications.select_edition_times(conn, ids) if ids else {}
    contents = _contents(wanted, facts, shown, times)
    asked, words = await _questions(conn, wanted)
    return Loaded(
        now=now,
        publications=shown,
        cells=facts,
        cells_of_items=of_items,
        on_page=on_page,
        editions=await publications.select_editions(conn, contents),
        times=times,
        codes=await marks.select_codes(conn, wanted.villages) if wanted.villages else {},
        before=await publications.select_before(conn, ids) if ids else {},
        steps=await steps.select_steps(conn, ids) if ids else {},
        newest=await publications.select_newest_of_item(conn, wanted.below, MONEY_ITEM) if wanted.below else {},
        recent=await publications.select_recent(conn, _RECENT) if wanted.front else [],
        standings=await standings.select_standings(conn) if wanted.below or wanted.front else {},
        questions=asked,
        words=words,
        tallies=await _tallies(conn, wanted, now),
        adopted=await adoptions.select_adopted(conn, ids, _ADDRESSES) if ids else {},
    )


async def _questions(conn: Connection, wanted: Wanted) -> tuple[dict[str, list[Question]], dict[UUID, list[Word]]]:
    """A few questions of each page that shows some, by the village's code or the disclosure's id, and what was said of them."""
    of_villages = await questions.select_short(conn, wanted.villages, _QUESTIONS) if wanted.villages else {}
    of_disclosures = (
        await questions.select_of_disclosures(conn, wanted.disclosures, _QUESTIONS) if wanted.disclosures else {}
    )
    found = of_villages | of_disclosures
    return found, await questions.select_words(conn, [q for each in found.values() for q in each])


async def _tallies(conn: Connection, wanted: Wanted, now: datetime) -> dict[str, Tally]:
    villages = [*wanted.villages, *wanted.below, *wanted.everywhere]
    return await questions.select_tallies(conn, villages, local_day(now)) if villages else {}


def _listed(wanted: Wanted, of_items: Mapping[str, CellFacts], on_page: Mapping[str, Sequence[str]]) -> list[str]:
    """Ids of the publications that are shown: of years of them, few."""
    found = {*wanted.disclosures, *(i for shown in on_page.values() for i in shown)}
    for village, item, year in wanted.pages:
        found |= {*shown_of_item(of_items[village].known, item, year)}
    return sorted(found)


def _contents(
    wanted: Wanted,
    facts: Mapping[str, CellFacts],
    shown: Mapping[str, Publication],
    times: Mapping[str, Sequence[tuple[int, datetime]]],
) -> list[tuple[str, int]]:
    """Editions whose content is read: what is shown whole, and the newest month of a village's page."""
    months = (newest_month(facts[village].known) for village in wanted.villages)
    ids = [*wanted.disclosures, *(m.disclosure_id for m in months if m is not None)]
    found = {(i, shown[i].edition) for i in ids if i in shown}
    # What a correction changed is told from the public edition before it; savings between them were never public.
    found |= {(i, n) for i in times if i in shown and (n := edition_before(times[i], shown[i].edition))}
    return sorted(found)


def standing_of(loaded: Loaded, villages: Sequence[Village]) -> Standing | None:
    """What villages lack together; None as long as not all of them were counted."""
    known = [s for v in villages if (s := loaded.standings.get(v.code)) is not None]
    return together(known) if len(known) == len(villages) else None


def lacks(loaded: Loaded, villages: Sequence[Village]) -> list[bool | None]:
    """Of each village whether it lacks something; None where nobody counted yet."""
    found = (loaded.standings.get(v.code) for v in villages)
    return [bool(s.missing) if s is not None else None for s in found]


def tally_of(loaded: Loaded, villages: Sequence[Village]) -> Tally:
    """How many questions wait in villages together."""
    return sum((loaded.tallies[v.code] for v in villages if v.code in loaded.tallies), Tally())
