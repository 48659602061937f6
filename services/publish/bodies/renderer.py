"""From the read model to bodies: one way for the renderer and for whoever reads before the renderer came by.

`load` reads everything that a set of subjects needs in a handful of statements; `render` asks nobody, is work for a
processor and may run in a thread. All that it leaves behind is `Loaded.standing_now`, which the job stores for the lists.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
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
from services.publish.bodies.out import gone, opinion_out, rfc3339, village_out
from services.publish.bodies.release import fingerprint
from services.publish.hot.answers import CSS, HTML, JSON, Body, body_of_nothing, body_of_persons, pack
from services.publish.hot.files import Subject
from services.publish.render.cells import CellFacts, grid
from services.publish.render.disclosure import Opened, Shown, disclosure_page, opened, publisher_name
from services.publish.render.due import timing
from services.publish.render.item import item_page
from services.publish.render.masking import public_json
from services.publish.render.places import Township, Village, item_at, title
from services.publish.render.rows import Code, Declaration, Edition, Publication, Said, Step, Waiver, edition_before
from services.publish.render.sentences import MONEY_ITEM, newest_month
from services.publish.render.standing import Standing, together
from services.publish.render.texts import names_anybody
from services.publish.render.village import EntryView, VillageFacts, entry, village_page
from services.publish.schemas import (
    DisclosureBodyOut,
    DisclosureOut,
    EditionOut,
    MonthOut,
    VillagePageOut,
)
from services.publish.settings import PublishSettings
from services.publish.store import marks, publications, standings, unopened

_HERE: Final = Path(__file__).parents[1]
_RECENT: Final = 8
_VILLAGES: Final = (DivisionKind.VILLAGE, DivisionKind.COMMUNITY)
FOREVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the database said about some subjects, at one moment."""

    now: datetime
    publications: dict[str, Publication]
    of_village: dict[str, list[Publication]]
    editions: dict[tuple[str, int], Edition]
    times: dict[str, list[tuple[int, datetime]]]
    steps: dict[str, list[Step]]
    waivers: dict[str, list[Waiver]]
    declarations: dict[str, list[Declaration]]
    codes: dict[str, list[Code]]
    before: dict[str, Publication]
    newest: dict[str, Publication]
    recent: list[Publication]
    #: What villages lack, as told when they were rendered; those rendered now are added.
    standings: dict[str, Standing]
    standing_now: dict[str, Standing] = field(default_factory=dict)


class Bodies:
    """Renders subjects; made once a process."""

    def __init__(self, settings: PublishSettings, reference: Reference, clock: Clock) -> None:
        """Take the templates and the stylesheet; `release` changes whenever what they make could look different."""
        self._public_url = settings.public_url
        self._reference = reference
        self._clock = clock
        self.pages = Pages(reference, _HERE / "templates")
        style = (_HERE / "static" / "page.css").read_bytes()
        self.style_path = f"/assets/page-{hashlib.sha256(style).hexdigest()[:12]}.css"
        #: Packed, as it stands in a file.
        self.style = pack(Body(style, CSS, cache_control=FOREVER))
        self.release = settings.rendered / fingerprint(settings.public_url)

    # -- places -------------------------------------------------------------------------------------------------

    def township(self, code: str) -> Township | None:
        """A township by code; None for anything else."""
        division = self._reference.divisions.get(code)
        if division is None or division.now.kind is not DivisionKind.TOWNSHIP:
            return None
        city = self._reference.divisions.get(division.now.parent or "")
        return Township(code, division.now.name, city.now.name if city is not None else "")

    def village(self, code: str) -> Village | None:
        """A village or community by code; None for a zone and anything else."""
        division = self._reference.divisions.get(code)
        if division is None or division.now.kind not in _VILLAGES:
            return None
        township = self.township(division.now.parent or "")
        return Village(code, division.now.name, division.now.kind, township) if township is not None else None

    def villages_of(self, township: str) -> list[Village]:
        """Villages and communities of a township, by code."""
        found = (self.village(d.code) for d in self._reference.children(township))
        return [v for v in found if v is not None]

    def townships(self) -> list[Township]:
        """All townships of the city, by code."""
        city = self._reference.city()
        found = (self.township(d.code) for d in self._reference.children(city.code)) if city is not None else ()
        return [t for t in found if t is not None]

    # -- reading ------------------------------------------------------------------------------------------------

    async def load(self, conn: Connection, subjects: Sequence[Subject]) -> Loaded:
        """Read what the subjects' bodies are made from."""
        keys: dict[str, list[str]] = {"disclosure": [], "village": [], "items": [], "township": [], "city": []}
        for kind, key in subjects:
            keys[kind].append(key)
        villages, ids = sorted({*keys["village"], *keys["items"]}), keys["disclosure"]
        shown = await publications.select_publications(conn, ids) if ids else {}
        of_village: dict[str, list[Publication]] = {code: [] for code in villages}
        for p in await publications.select_of_villages(conn, villages) if villages else ():
            of_village[p.village_code].append(p)
        months = [m for m in (newest_month(of_village[code]) for code in keys["village"]) if m is not None]
        wanted = {(p.disclosure_id, p.edition) for p in (*shown.values(), *months)}
        times = await publications.select_edition_times(conn, ids) if ids else {}
        # What a correction changed is told from the public edition before it; savings between them were never public.
        wanted |= {(i, n) for i, p in shown.items() if (n := edition_before(times.get(i, ()), p.edition))}
        listed = [v.code for code in keys["township"] for v in self.villages_of(code)]
        return Loaded(
            now=self._clock.now(),
            publications=shown,
            of_village=of_village,
            editions=await publications.select_editions(conn, sorted(wanted)) if wanted else {},
            times=times,
            steps=_by_village(await marks.select_steps(conn, villages)) if villages else {},
            waivers=_by_village(await unopened.select_waivers(conn, villages)) if villages else {},
            declarations=_by_village(await unopened.select_declarations(conn, villages)) if villages else {},
            codes=_by_village(await marks.select_codes(conn, villages)) if villages else {},
            before=await publications.select_before(conn, ids) if ids else {},
            newest=await publications.select_newest_of_item(conn, listed, MONEY_ITEM) if listed else {},
            recent=await publications.select_recent(conn, _RECENT) if keys["city"] else [],
            standings=await standings.select_standings(conn) if keys["township"] or keys["city"] else {},
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
            case "items":
                return self._items(loaded, key)
            case "township":
                return self._township(loaded, key)
            case _:
                return {"/": self.html("city.html", **self._city(loaded))}

    def html(self, template: str, status: int = 200, *, of_persons: bool = False, **values: Any) -> Body:
        """A page; one of persons, or of what is gone, is not for search engines."""
        noindex = of_persons or status == HTTPStatus.GONE
        text = self.pages.text(template, style=self.style_path, noindex=noindex, **values).encode()
        if status == HTTPStatus.GONE:
            return body_of_nothing(text, HTML)
        return body_of_persons(text, HTML) if of_persons else Body(text, HTML, status)

    def _village(self, loaded: Loaded, code: str) -> dict[str, Body]:
        village = self.village(code)
        if village is None:
            return {}
        cells = _cell_facts(loaded, code)
        month = newest_month(cells.publications)
        edition = loaded.editions.get((month.disclosure_id, month.edition)) if month is not None else None
        ledger = Ledger.model_validate_json(edition.body) if edition is not None else None
        facts = VillageFacts(village, cells, ledger, loaded.codes.get(code, []), edition.said if edition else Said())
        reference = self._reference
        owed = reference.owed(code, loaded.now)
        page = village_page(facts, reference.items, owed, self._duties_of(village), loaded.now)
        loaded.standing_now[code] = page.standing
        return {
            f"/v/{code}": self.html("village.html", page=page, of_persons=page.of_persons),
            f"/api/v1/villages/{code}": self._village_json(village, month, page.checks, page.standing),
        }

    def _items(self, loaded: Loaded, code: str) -> dict[str, Body]:
        village = self.village(code)
        if village is None:
            return {}
        facts = _cell_facts(loaded, code)
        cells = self.cells_of(village, facts, loaded.now)
        return {
            f"/v/{code}/{item}": self.item_of(village, facts, cells, item, loaded.now) for item in self._reference.items
        }

    def cells_of(
        self, village: Village, facts: CellFacts, now: datetime, period: str | None = None
    ) -> tuple[GridCell, ...]:
        """All cells of a village as they stand: what it owed until now and what it opened, or those of one period, due yet or not."""
        make = self._duties_of(village)
        if period is None:
            return grid(facts, self._reference.owed(village.code, now), make, now)
        return tuple(c for c in grid(facts, self._periodic(make, period), make, now) if c.key.period == period)

    def _periodic(self, make: Callable[[CellKey], Duty | None], period: str) -> list[Duty]:
        """What is owed for a period as such; on-event items have a cell once there is an event or an answer."""
        last = period_bounds(period)[1]
        found = (
            make(CellKey(code, period))
            for code, item in sorted(self._reference.items.items())
            if item.at(last).frequency is not Frequency.ON_EVENT
        )
        return [duty for duty in found if duty is not None]

    def _duties_of(self, village: Village) -> Callable[[CellKey], Duty | None]:
        return lambda key: self._reference.duty(village.code, key)

    def item_of(self, village: Village, facts: CellFacts, cells: Sequence[GridCell], item: str, now: datetime) -> Body:
        """The page of one item of a village."""
        make = self._duties_of(village)
        page = item_page(village, facts, self._reference.items, cells, item, make=make, now=now)
        return self.html("item.html", page=page, of_persons=page.of_persons)

    def _village_json(
        self, village: Village, month: Publication | None, checks: Sequence[Check], lacks: Standing
    ) -> Body:
        newest = MonthOut(**self.disclosure_out(month).model_dump(), checks=list(checks)) if month is not None else None
        out = VillagePageOut(
            **village_out(village).model_dump(),
            month=newest,
            missing=lacks.missing,
            late_days=lacks.late_days,
            held=dict(lacks.held),
        )
        content = out.model_dump_json().encode()
        return body_of_persons(content, JSON) if names_anybody(c.reason for c in checks) else Body(content, JSON)

    def _disclosure(self, loaded: Loaded, disclosure_id: str) -> dict[str, Body]:
        p = loaded.publications.get(disclosure_id)
        village = self.village(p.village_code) if p is not None else None
        if p is None or village is None:
            return {}
        edition = loaded.editions.get((disclosure_id, p.edition))
        # Read and masked once, for the page and for programs.
        shown = self._shown(loaded, p, p.edition, edition)
        content = opened(self._reference.items, p, shown)
        path, json_path = f"/d/{disclosure_id}", f"/api/v1/disclosures/{disclosure_id}"
        json_body = gone(p, json_path) if content is None else self._json(p, village, shown, content)
        return {path: self._page(village, p, shown, content), json_path: json_body}

    def edition_page(self, loaded: Loaded, p: Publication, number: int, edition: Edition | None) -> Body:
        """The page of one edition of a disclosure, or of what is left of it."""
        village = self.village(p.village_code)
        if village is None:
            raise KeyError(p.village_code)
        shown = self._shown(loaded, p, number, edition)
        return self._page(village, p, shown, opened(self._reference.items, p, shown))

    def _page(self, village: Village, p: Publication, shown: Shown, content: Opened | None) -> Body:
        page = disclosure_page(village, self._reference.items, p, shown, content)
        status = HTTPStatus.OK if content is not None else HTTPStatus.GONE
        return self.html("disclosure.html", status, page=page, of_persons=page.of_persons)

    def _shown(self, loaded: Loaded, p: Publication, number: int, edition: Edition | None) -> Shown:
        times = loaded.times.get(p.disclosure_id, [])
        before = loaded.editions.get((p.disclosure_id, edition_before(times, number)))
        return Shown(
            edition=number,
            times=times,
            body=BODY.validate_json(edition.body) if edition is not None else None,
            said=edition.said if edition is not None else Said(),
            today=local_day(loaded.now),
            before=BODY.validate_json(before.body) if before is not None else None,
            duty=self._reference.duty(p.village_code, CellKey(p.item, p.period)),
            earlier=loaded.before.get(p.disclosure_id),
        )

    def _json(self, p: Publication, village: Village, shown: Shown, content: Opened) -> Body:
        revision = item_at(self._reference.items, p.item, p.period)
        when = timing(p, shown.duty)
        out = DisclosureBodyOut(
            **self.disclosure_out(p).model_dump(),
            first_published_at=rfc3339(p.first_published_at),
            due=when.due.isoformat() if when.due is not None else None,
            how_due=when.how,
            reference=shown.duty is not None and when.due is not None and shown.duty.reference,
            was_withdrawn_at=rfc3339(p.was_withdrawn_at) if p.was_withdrawn_at is not None else None,
            restored_at=rfc3339(p.restored_at) if p.restored_at is not None else None,
            restored_reason=p.restored_reason,
            publisher=publisher_name(village, revision),
            release=p.release,
            approved_by=village.township.name if p.release == "approve" else None,
            filed_at=rfc3339(p.filed_at) if p.filed_at is not None else None,
            opinions=[opinion_out(o) for o in content.said.opinions],
            note=content.said.note,
            editions=[EditionOut(version=i, published_at=rfc3339(at)) for i, (_, at) in enumerate(shown.times, 1)],
            body=public_json(content.body),
            checks=list(content.checks),
        )
        text = out.model_dump_json().encode()
        return body_of_persons(text, JSON) if content.of_persons else Body(text, JSON)

    def disclosure_out(self, p: Publication) -> DisclosureOut:
        """A disclosure for JSON lists."""
        when = timing(p, self._reference.duty(p.village_code, CellKey(p.item, p.period)))
        return DisclosureOut(
            id=p.disclosure_id,
            village=p.village_code,
            item=p.item,
            period=p.period,
            version=p.number,
            state=p.state,
            published_at=rfc3339(p.published_at),
            nil=p.nil,
            history=when.history,
            late_days=when.late_days,
            title=title(self._reference.items, p.item, p.period),
            url=f"{self._public_url}/d/{p.disclosure_id}",
        )

    def _township(self, loaded: Loaded, code: str) -> dict[str, Body]:
        township = self.township(code)
        if township is None:
            return {}
        items = self._reference.items
        villages = [
            (
                v,
                entry(items, loaded.newest[v.code]) if v.code in loaded.newest else None,
                loaded.standings.get(v.code),
            )
            for v in self.villages_of(code)
        ]
        known = [s for _, _, s in villages if s is not None]
        return {
            f"/t/{code}": self.html(
                "township.html",
                township=township,
                villages=villages,
                standing=_standing_of(loaded, [v for v, _, _ in villages]),
                complete=sum(not s.missing for s in known),
            )
        }

    def _city(self, loaded: Loaded) -> dict[str, Any]:
        city = self._reference.city()
        places = [(t, self.villages_of(t.code)) for t in self.townships()]
        recent = [(self.village(p.village_code), self._entry(p)) for p in loaded.recent]
        return {
            "city": city.now.name if city is not None else "",
            "townships": [(t, len(villages), _standing_of(loaded, villages)) for t, villages in places],
            "standing": _standing_of(loaded, [v for _, villages in places for v in villages]),
            "recent": [(v, e) for v, e in recent if v is not None],
        }

    def _entry(self, p: Publication) -> EntryView:
        """A disclosure in a list, with how late it came."""
        return entry(self._reference.items, p, self._reference.duty(p.village_code, CellKey(p.item, p.period)))


def _standing_of(loaded: Loaded, villages: Sequence[Village]) -> Standing | None:
    """What villages lack together; None as long as not all of them were counted."""
    known = [s for v in villages if (s := loaded.standings.get(v.code)) is not None]
    return together(known) if len(known) == len(villages) else None


def _cell_facts(loaded: Loaded, code: str) -> CellFacts:
    return CellFacts(
        loaded.of_village[code],
        loaded.steps.get(code, []),
        loaded.waivers.get(code, []),
        loaded.declarations.get(code, []),
    )


def _by_village(rows: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.village_code, []).append(row)
    return found
