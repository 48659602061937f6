"""Pages of an archive that add up: what each year's money of a village went for, what each firm was paid."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from services.kit.clock import local_day
from services.kit.db import Connection
from services.publish.bodies import finding
from services.publish.bodies.renderer import Bodies
from services.publish.bodies.spending import load_spending
from services.publish.commands.searching import make_searchable
from services.publish.hot.answers import Body
from services.publish.render.export import Sheet, csv_of
from services.publish.render.firm import firm_page
from services.publish.render.found import hit_view
from services.publish.render.places import Village
from services.publish.render.sentences import MONEY_ITEM
from services.publish.store import searchable
from services.publish.visit import PublishRuntime

#: Writes a body below a path.
Write = Callable[[str, Body], None]
_AT_ONCE: Final = 200
_CSV: Final = "text/csv; charset=utf-8; header=present"
#: Lines of a firm's year; the ledgers of all villages are in the archive too, line by line.
_LINES: Final = 20
_BEFORE_ALL: Final = -(2**63)


async def write_spending(runtime: PublishRuntime, write: Write, village: Village, years: Sequence[str]) -> list[str]:
    """What the money of some years went for, as pages and tables; returns the years of which nothing is open."""
    bodies, nothing = runtime.own.bodies, []
    for year in years:
        async with runtime.database.connection() as conn:
            page = await load_spending(conn, runtime.reference.items, village, year, local_day(runtime.clock.now()))
        if page is None:
            nothing.append(year)
            continue
        path = f"/v/{village.code}/{MONEY_ITEM}/{year}/spending"
        write(path, bodies.html("spending.html", page=page))
        write(f"{path}.csv", Body(csv_of([Sheet("钱花在哪", page.table)]), _CSV))
    return nothing


async def write_firms(runtime: PublishRuntime, write: Write, folder: Path) -> None:
    """Every firm's pages anew, one for each year. What was let out a moment ago is made searchable first, so that sums are whole."""
    await make_searchable(runtime)
    shutil.rmtree(folder / "f", ignore_errors=True)
    firm = _BEFORE_ALL
    while True:
        async with runtime.database.connection() as conn:
            firms = await searchable.select_firms(conn, MONEY_ITEM, firm, _AT_ONCE)
            for firm in firms:
                for path, body in (await _pages(conn, runtime, searchable.key_of(firm))).items():
                    write(path, body)
        if len(firms) < _AT_ONCE:
            return


async def _pages(conn: Connection, runtime: PublishRuntime, key: str) -> dict[str, Body]:
    """A firm's newest year by its address, and each other year below it."""
    look = finding.Look(runtime.reference.items, local_day(runtime.clock.now()), None, _LINES)
    newest = await finding.load_firm(conn, look, key, None)
    if newest is None:
        return {}
    pages = {
        f"/f/{key}": _page(runtime.own.bodies, newest),
        f"/f/{key}/{newest.year}": _page(runtime.own.bodies, newest),
    }
    for year in newest.years:
        found = await finding.load_firm(conn, look, key, year.of) if year.of != newest.year else None
        if found is not None:
            pages[f"/f/{key}/{year.of}"] = _page(runtime.own.bodies, found)
    return pages


def _page(bodies: Bodies, firm: finding.Firm) -> Body:
    villages = {v.code: v for v in bodies.villages()}
    url = f"/f/{firm.key}/{{}}"
    page = firm_page(firm.name, firm.year, firm.years, firm.villages, bodies.villages(), year_url=url)
    hits = [
        hit_view(hit, villages[hit.where.village], bodies.reference.items, None)
        for hit in firm.hits
        if hit.where.village in villages
    ]
    return bodies.html(
        "firm.html",
        of_persons=True,
        page=page,
        url=f"/f/{firm.key}",
        hits=hits,
        following=firm.following,
        is_first=True,
        is_stored=True,
    )
