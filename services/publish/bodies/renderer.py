"""From the read model to bodies: one way for the renderer and for whoever reads before the renderer came by.

`load` reads everything that a set of subjects needs in a handful of statements; `render` asks nobody, is work for a
processor and may run in a thread. All that it leaves behind is `Loaded.standing_now`, which the job stores for the lists.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Any, Final

from services.contracts.bodies import BODY, Ledger
from services.contracts.checks import Check
from services.contracts.division import DivisionKind
from services.contracts.duties import CellKey, Duty, GridCell
from services.contracts.values import Frequency, period_bounds
from services.kit.clock import Clock, local_day
from services.kit.db import Connection
from services.kit.pages import Pages
from services.kit.reference import Reference
from services.publish.bodies.disclosed import Told, disclosure_body
from services.publish.bodies.finding import firm_key
from services.publish.bodies.loading import Loaded, Wanted, lacks, load, standing_of, tally_of
from services.publish.bodies.out import disclosure_out, gone, village_json
from services.publish.bodies.release import fingerprint
from services.publish.hot.answers import CSS, HTML, JAVASCRIPT, Body, body_of_nothing, body_of_persons, pack
from services.publish.hot.files import Subject, item_of
from services.publish.render.cells import Cells
from services.publish.render.disclosure import DisclosurePage, Opened, Shown, disclosure_page, opened
from services.publish.render.due import timing
from services.publish.render.item import ItemFacts, item_page, shown_of_item, years_of
from services.publish.render.places import Township, Village, item_at, title
from services.publish.render.questions import QuestionRow, Tally, question_row
from services.publish.render.rows import Edition, Publication, Said, edition_before
from services.publish.render.sentences import newest_month, year_so_far
from services.publish.render.township import village_rows
from services.publish.render.village import EntryView, VillageFacts, VillagePage, entry
from services.publish.render.village import village_page as put_together
from services.publish.schemas import DisclosureOut, MonthOut
from services.publish.settings import PublishSettings
from services.publish.store.adoptions import Adopted

_HERE: Final = Path(__file__).parents[1]
_VILLAGES: Final = (DivisionKind.VILLAGE, DivisionKind.COMMUNITY)
FOREVER: Final = "public, max-age=31536000, immutable"


class Bodies:
    """Renders subjects; made once a process."""

    def __init__(self, settings: PublishSettings, reference: Reference, clock: Clock) -> None:
        """Take the templates and the stylesheet; `release` changes whenever what they make could look different."""
        self.public_url = settings.public_url
        self.reference = reference
        self._clock = clock
        self.pages = Pages(reference, _HERE / "templates")
        style = (_HERE / "static" / "page.css").read_bytes()
        self.style_path = f"/assets/page-{hashlib.sha256(style).hexdigest()[:12]}.css"
        #: Packed, as it stands in a file.
        self.style = pack(Body(style, CSS, cache_control=FOREVER))
        listen = (_HERE / "static" / "listen.js").read_bytes()
        self.listen_path = f"/assets/listen-{hashlib.sha256(listen).hexdigest()[:12]}.js"
        #: What never changes under its path, packed: the stylesheet and the one script.
        self.fixed = {
            self.style_path: self.style,
            self.listen_path: pack(Body(listen, JAVASCRIPT, cache_control=FOREVER)),
        }
        households = settings.household_key is not None
        self.pages.know(style=self.style_path, site=settings.public_url, households=households, big=False)
        self.release = settings.rendered / fingerprint(f"{settings.public_url} {households}")

    # -- places -------------------------------------------------------------------------------------------------

    def township(self, code: str) -> Township | None:
        """A township by code; None for anything else."""
        division = self.reference.divisions.get(code)
        if division is None or division.now.kind is not DivisionKind.TOWNSHIP:
            return None
        city = self.reference.divisions.get(division.now.parent or "")
        return Township(code, division.now.name, city.now.name if city is not None else "")

    def village(self, code: str) -> Village | None:
        """A village or community by code; None for a zone and anything else."""
        division = self.reference.divisions.get(code)
        if division is None or division.now.kind not in _VILLAGES:
            return None
        township = self.township(division.now.parent or "")
        return Village(code, division.now.name, division.now.kind, township) if township is not None else None

    def villages_of(self, township: str) -> list[Village]:
        """Villages and communities of a township, by code."""
        found = (self.village(d.code) for d in self.reference.children(township))
        return [v for v in found if v is not None]

    def townships(self) -> list[Township]:
        """All townships of the city, by code."""
        city = self.reference.city()
        found = (self.township(d.code) for d in self.reference.children(city.code)) if city is not None else ()
        return [t for t in found if t is not None]

    def villages(self) -> list[Village]:
        """All villages and communities of the city, by township and code."""
        return [v for t in self.townships() for v in self.villages_of(t.code)]

    # -- reading ------------------------------------------------------------------------------------------------

    async def load(self, conn: Connection, subjects: Sequence[Subject]) -> Loaded:
        """Read what the subjects' bodies are made from."""
        return await load(conn, self._wanted(subjects), self._clock.now())

    def _wanted(self, subjects: Sequence[Subject]) -> Wanted:
        keys: dict[str, list[str]] = {}
        for kind, key in subjects:
            keys.setdefault(kind, []).append(key)
        single, whole = keys.get("item", ()), keys.get("items", ())
        return Wanted(
            disclosures=keys.get("disclosure", []),
            villages=keys.get("village", []),
            pages=[
                *((*item_of(key), None) for key in single),
                *((village, item, None) for village in whole for item in self.reference.items),
            ],
            below=[v.code for code in keys.get("township", ()) for v in self.villages_of(code)],
            front="city" in keys,
            everywhere=[v.code for v in self.villages()] if "city" in keys else (),
        )

    # -- rendering ----------------------------------------------------------------------------------------------

    def render(self, loaded: Loaded, subject: Subject) -> dict[str, Body]:
        """The bodies of a subject by path; empty when there is no such thing to read."""
        kind, key = subject
        match kind:
            case "village":
                return self._village(loaded, key)
            case "disclosure":
                return self._disclosure(loaded, key)
            case "item":
                return self._item(loaded, *item_of(key))
            case "items":
                return {
                    path: body for item in self.reference.items for path, body in self._item(loaded, key, item).items()
                }
            case "township":
                return self._township(loaded, key)
            case _:
                return {"/": self.html("city.html", **self._city(loaded))}

    def html(self, template: str, status: int = 200, *, of_persons: bool = False, **values: Any) -> Body:
        """A page; one of persons, or of what is gone, is not for search engines."""
        noindex = of_persons or status == HTTPStatus.GONE
        text = self.pages.text(template, noindex=noindex, **values).encode()
        if status == HTTPStatus.GONE:
            return body_of_nothing(text, HTML)
        return body_of_persons(text, HTML) if of_persons else Body(text, HTML, status)

    def _village(self, loaded: Loaded, code: str) -> dict[str, Body]:
        village = self.village(code)
        if village is None:
            return {}
        page = self.village_page(loaded, village)
        publications = _found(loaded, loaded.on_page[code])
        month = newest_month(publications)
        loaded.standing_now[code] = page.standing
        return {
            f"/v/{code}": self.html(
                "village.html",
                page=page,
                of_persons=page.of_persons,
                questions=self._asked(loaded, code),
                tally=loaded.tallies.get(code, Tally()),
            ),
            f"/api/v1/villages/{code}": village_json(
                village, self._month_json(month, publications, page.checks), page.standing
            ),
        }

    def village_page(self, loaded: Loaded, village: Village) -> VillagePage:
        """A village's page as it stands, for whatever tells of it."""
        code, reference = village.code, self.reference
        publications = _found(loaded, loaded.on_page[code])
        month = newest_month(publications)
        edition = loaded.editions.get((month.disclosure_id, month.edition)) if month is not None else None
        ledger = Ledger.model_validate_json(edition.body) if edition is not None else None
        said = edition.said if edition else Said()
        of_page = VillageFacts(village, loaded.cells[code], publications, ledger, loaded.codes.get(code, []), said)
        owed = reference.owed_keys(code, loaded.now)
        return put_together(of_page, reference.items, owed, self.duties_of(village), loaded.now)

    async def item_of_year(self, conn: Connection, village: Village, item: str, year: str) -> Body | None:
        """The page of one item of a village as it tells of an earlier year; None when nothing of it was ever open in that."""
        wanted = Wanted(disclosures=(), villages=(), pages=[(village.code, item, year)], below=(), front=False)
        loaded = await load(conn, wanted, self._clock.now())
        if year not in years_of(loaded.cells_of_items[village.code].known, item):
            return None
        (body,) = self._item(loaded, village.code, item, year).values()
        return body

    def _item(self, loaded: Loaded, code: str, item: str, year: str | None = None) -> dict[str, Body]:
        """The page of one item of a village, of a year or of the newest."""
        village, reference = self.village(code), self.reference
        if village is None or item not in reference.items:
            return {}
        facts = loaded.cells_of_items[code]
        found = _found(loaded, shown_of_item(facts.known, item, year))
        owed = reference.owed_keys(code, loaded.now, item)
        of_page = ItemFacts(item, facts, found, year)
        page = item_page(village, of_page, reference.items, owed, self.duties_of(village), loaded.now)
        return {f"/v/{code}/{item}": self.html("item.html", page=page, of_persons=page.of_persons)}

    def keys_of(self, village: Village, cells: Cells, now: datetime, period: str | None) -> list[CellKey]:
        """Which cells a village has: what it owed until now and what it opened, or those of one period, due yet or not."""
        if period is None:
            return cells.all(self.reference.owed_keys(village.code, now))
        return [key for key in cells.all(self._periodic(period)) if key.period == period]

    def grid_of(
        self, village: Village, cells: Cells, keys: Iterable[CellKey], now: datetime, most: int
    ) -> tuple[GridCell, ...]:
        """The first of some cells of a village as they stand; those that cannot be are left out."""
        make = self.duties_of(village)
        return cells.grid(islice((key for key in keys if make(key) is not None), most), make, now)

    def _periodic(self, period: str) -> list[CellKey]:
        """What may be owed for a period as such; on-event items have a cell once there is an event or an answer."""
        last = period_bounds(period)[1]
        items = sorted(self.reference.items.items())
        return [CellKey(code, period) for code, item in items if item.at(last).frequency is not Frequency.ON_EVENT]

    def duties_of(self, village: Village) -> Callable[[CellKey], Duty | None]:
        """What gives the duty of a village's cell; None where it has none."""
        # Of a duty everything is shown but whose it is, which is the page's.
        try:
            return self.reference.owing(village.code).duty
        except KeyError:
            return lambda _key: None

    def _month_json(
        self, month: Publication | None, publications: Sequence[Publication], checks: Sequence[Check]
    ) -> MonthOut | None:
        if month is None:
            return None
        months, income, expense = year_so_far(month, publications)
        return MonthOut(
            **self.disclosure_out(month).model_dump(),
            year_months=months,
            year_income_fen=income,
            year_expense_fen=expense,
            checks=list(checks),
        )

    def _disclosure(self, loaded: Loaded, disclosure_id: str) -> dict[str, Body]:
        p = loaded.publications.get(disclosure_id)
        village = self.village(p.village_code) if p is not None else None
        if p is None or village is None:
            return {}
        edition = loaded.editions.get((disclosure_id, p.edition))
        # Read and masked once, for the page and for programs.
        shown = self._shown(loaded, p, p.edition, edition)
        content = opened(self.reference.items, p, shown)
        path, json_path = f"/d/{disclosure_id}", f"/api/v1/disclosures/{disclosure_id}"
        json_body = gone(p, json_path) if content is None else self._json(p, village, shown, content)
        page = self._page(
            village, p, shown, content, self._asked(loaded, disclosure_id), loaded.adopted.get(disclosure_id)
        )
        return {path: page, json_path: json_body}

    def opened(self, loaded: Loaded, disclosure_id: str) -> tuple[DisclosurePage, Opened] | None:
        """A disclosure's newest edition as its page tells it, with the content that everybody may read; None where there is none."""
        found = self._opened(loaded, disclosure_id)
        return (found[0], found[1]) if found is not None else None

    def exported(self, loaded: Loaded, disclosure_id: str) -> tuple[DisclosurePage, Opened, bytes] | None:
        """The same, and its JSON."""
        found = self._opened(loaded, disclosure_id)
        if found is None:
            return None
        page, content, shown = found
        p = loaded.publications[disclosure_id]
        return page, content, self._json(p, page.village, shown, content).content

    def _opened(self, loaded: Loaded, disclosure_id: str) -> tuple[DisclosurePage, Opened, Shown] | None:
        p = loaded.publications.get(disclosure_id)
        village = self.village(p.village_code) if p is not None else None
        if p is None or village is None:
            return None
        shown = self._shown(loaded, p, p.edition, loaded.editions.get((p.disclosure_id, p.edition)))
        content = opened(self.reference.items, p, shown)
        return (disclosure_page(village, self.reference.items, p, shown, content), content, shown) if content else None

    def content(self, loaded: Loaded, p: Publication, edition: int) -> Opened | None:
        """One edition's content as everybody may read it; None where it is gone."""
        shown = self._shown(loaded, p, edition, loaded.editions.get((p.disclosure_id, edition)))
        return opened(self.reference.items, p, shown)

    def edition_page(self, loaded: Loaded, p: Publication, number: int, edition: Edition | None) -> Body:
        """The page of one edition of a disclosure, or of what is left of it."""
        village = self.village(p.village_code)
        if village is None:
            raise KeyError(p.village_code)
        shown = self._shown(loaded, p, number, edition)
        return self._page(village, p, shown, opened(self.reference.items, p, shown))

    def _asked(self, loaded: Loaded, of: str) -> list[QuestionRow]:
        """The few questions that stand on the page of a village or a disclosure."""
        items, now = self.reference.items, loaded.now
        return [question_row(items, q, loaded.words[q.id], now) for q in loaded.questions.get(of, ())]

    def _page(
        self,
        village: Village,
        p: Publication,
        shown: Shown,
        content: Opened | None,
        questions: Sequence[QuestionRow] = (),
        adopted: Adopted | None = None,
    ) -> Body:
        page = disclosure_page(village, self.reference.items, p, shown, content)
        status = HTTPStatus.OK if content is not None else HTTPStatus.GONE
        return self.html(
            "disclosure.html",
            status,
            page=page,
            of_persons=page.of_persons,
            firm_key=firm_key,
            about=f"{p.disclosure_id}/{page.edition}",
            questions=questions,
            adopted=adopted,
        )

    def _shown(self, loaded: Loaded, p: Publication, number: int, edition: Edition | None) -> Shown:
        times = loaded.times.get(p.disclosure_id, [])
        before = loaded.editions.get((p.disclosure_id, edition_before(times, number)))
        return Shown(
            edition=number,
            times=times,
            body=BODY.validate_json(edition.body) if edition is not None else None,
            said=edition.said if edition is not None else Said(),
            today=date.max if loaded.faded else local_day(loaded.now),
            before=BODY.validate_json(before.body) if before is not None else None,
            duty=self.reference.duty(p.village_code, CellKey(p.item, p.period)),
            earlier=loaded.before.get(p.disclosure_id),
            steps=tuple(loaded.steps.get(p.disclosure_id, ())),
        )

    def _json(self, p: Publication, village: Village, shown: Shown, content: Opened) -> Body:
        revision = item_at(self.reference.items, p.item, p.period)
        return disclosure_body(self.disclosure_out(p), p, Told(village, revision, shown, content))

    def disclosure_out(self, p: Publication) -> DisclosureOut:
        """A disclosure for JSON lists."""
        when = timing(p, self.reference.duty(p.village_code, CellKey(p.item, p.period)))
        return disclosure_out(p, when, title(self.reference.items, p.item, p.period), self.public_url)

    def _township(self, loaded: Loaded, code: str) -> dict[str, Body]:
        township = self.township(code)
        if township is None:
            return {}
        rows = village_rows(self.villages_of(code), loaded.newest, loaded.standings)
        known = [row.standing for row in rows if row.standing is not None]
        return {
            f"/t/{code}": self.html(
                "township.html",
                township=township,
                rows=rows,
                standing=standing_of(loaded, [row.village for row in rows]),
                tallies=loaded.tallies,
                tally=tally_of(loaded, [row.village for row in rows]),
                complete=sum(not s.missing for s in known),
            )
        }

    def _city(self, loaded: Loaded) -> dict[str, Any]:
        city = self.reference.city()
        places = [(t, self.villages_of(t.code)) for t in self.townships()]
        everybody = [v for _, villages in places for v in villages]
        recent = [(self.village(p.village_code), self.entry_of(p)) for p in loaded.recent]
        return {
            "city": city.now.name if city is not None else "",
            "townships": [
                (t, lacks(loaded, villages), standing_of(loaded, villages), tally_of(loaded, villages))
                for t, villages in places
            ],
            "tally": tally_of(loaded, everybody),
            "standing": standing_of(loaded, everybody),
            "recent": [(v, e) for v, e in recent if v is not None],
        }

    def entry_of(self, p: Publication) -> EntryView:
        """A disclosure in a list, with how late it came."""
        return entry(self.reference.items, p, self.reference.duty(p.village_code, CellKey(p.item, p.period)))


def _found(loaded: Loaded, ids: Iterable[str]) -> list[Publication]:
    return [p for i in ids if (p := loaded.publications.get(i)) is not None]
