"""All that is open of a village, a township or the city as one ZIP, made while it is read: no file, no long transaction, little memory.

It is whole as of `cursor` of its manifest: what changed since may be in it already, and is told by the changes from there.
What is withdrawn while it is made is not in it.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response, StreamingResponse

from services.contracts.division import DivisionKind
from services.contracts.values import DivisionCode
from services.kit.errors import Fault, InvalidInputError, NotFoundError
from services.kit.route import Route
from services.publish.bodies import lists
from services.publish.bodies.loading import Loaded
from services.publish.bodies.out import CHANGES, catalogue_item_out, rfc3339, village_out
from services.publish.hot.answers import FOR_PROGRAMS
from services.publish.render.archive import ABOUT, README, Archive
from services.publish.render.export import csv_of
from services.publish.render.tabular import content_sheets
from services.publish.render.words import LICENCE, TERMS
from services.publish.store import exports, marks
from services.publish.visit import Visit, VisitDep, codes_within

router = APIRouter(prefix="/api/v1", route_class=Route, tags=["tables"])
ZIP: Final = "application/zip"
#: A line of the manifest and of the directory each.
_MOST: Final = 20_000
_AT_ONCE: Final = 10
#: Who reads slower holds a place that others wait for.
_LONGEST_S: Final = 1800
_PLACES: Final = frozenset({DivisionKind.CITY, DivisionKind.TOWNSHIP, DivisionKind.VILLAGE, DivisionKind.COMMUNITY})
_ARCHIVE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The archive.", "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}},
    429: {"description": "An archive is on its way to this address already."},
    503: {"description": "Too many archives are on their way; `Retry-After` says when to come again."},
}


async def _seated(visit: VisitDep) -> AsyncIterator[Visit]:
    with visit.own.archives.seat():
        yield visit


@router.get("/export/{division}.zip", response_class=Response, responses=_ARCHIVE)
async def archive(
    # Until the last piece has left.
    visit: Annotated[Visit, Depends(_seated, scope="request")],
    division: Annotated[DivisionCode, Path(description="code of a village, a township or the city")],
    year: Annotated[
        str | None, Query(pattern="^20[0-9]{2}$", description="only periods of this year; a city of years needs one")
    ] = None,
) -> Response:
    """All that is open of a division: a JSON and a CSV file for each disclosure, the catalogue, a manifest with SHA-256."""
    found = visit.reference.divisions.get(division)
    if found is None or found.now.kind not in _PLACES:
        raise NotFoundError
    within = codes_within("" if found.now.kind is DivisionKind.CITY else division)
    async with visit.reading() as reader:
        # Before the list: what changes between both is told again.
        head = await marks.select_newest_change(reader.conn)
        ids = await exports.select_ids(reader.conn, within, year, _MOST + 1)
    if len(ids) > _MOST:
        raise InvalidInputError(faults=[Fault("query.year", "超过2万条，请加上 year，或者按镇街、按村下载")])
    about = {
        "division": division,
        "name": found.now.name,
        "year": year,
        "made_at": rfc3339(visit.now),
        "cursor": CHANGES.text(head),
        "licence": LICENCE,
        "terms": TERMS,
    }
    headers = {
        "cache-control": "no-store",
        "x-robots-tag": "noindex",
        "link": f'<{LICENCE}>; rel="license"',
        "content-disposition": f'attachment; filename="sanwu_{division}{f"_{year}" if year else ""}.zip"',
        **FOR_PROGRAMS,
    }
    return StreamingResponse(_pieces(visit, about, ids), media_type=ZIP, headers=headers)


async def _pieces(visit: Visit, about: dict[str, str | None], ids: list[str]) -> AsyncIterator[bytes]:
    """The archive piece by piece; what cannot be finished is cut off, so that nobody takes it for whole."""
    made, withdrawn = Archive(), list[dict[str, object]]()
    async with asyncio.timeout(_LONGEST_S):
        yield await visit.own.making.make(partial(_front, visit, made, about))
        for place in range(0, len(ids), _AT_ONCE):
            if visit.runtime.stopping.is_set():
                raise ConnectionAbortedError
            some = ids[place : place + _AT_ONCE]
            async with visit.reading() as reader:
                loaded = await visit.bodies.load(reader.conn, [("disclosure", i) for i in some])
            yield await visit.own.making.make(partial(_add, visit, made, loaded, withdrawn))
        yield await visit.own.making.make(partial(_end, made, about, withdrawn))


def _front(visit: Visit, made: Archive, about: dict[str, str | None]) -> bytes:
    made.add(README, ABOUT.format(terms=TERMS, url=visit.bodies.public_url, cursor=about["cursor"]).encode())
    items = [catalogue_item_out(item, visit.today) for _, item in sorted(visit.reference.items.items())]
    told = json.dumps([i.model_dump(mode="json") for i in items], ensure_ascii=False, indent=1)
    made.add("catalogue.json", told.encode())
    made.add("catalogue.csv", csv_of([lists.catalogue_sheet(items)]))
    made.add("villages.csv", csv_of([lists.villages_sheet(village_out(v) for v in visit.bodies.villages())]))
    return made.take()


def _add(visit: Visit, made: Archive, loaded: Loaded, withdrawn: list[dict[str, object]]) -> bytes:
    for disclosure_id, p in sorted(loaded.publications.items()):
        found = visit.bodies.exported(loaded, disclosure_id)
        if found is None:
            at = rfc3339(p.withdrawn_at) if p.withdrawn_at is not None else None
            cell = {"village": p.village_code, "item": p.item, "period": p.period}
            withdrawn.append({"id": disclosure_id, **cell, "withdrawn_at": at, "reason": p.reason})
            continue
        page, content, told = found
        path = f"{p.village_code}/{p.period}_{p.item}_{disclosure_id}"
        made.add(f"{path}.json", told)
        made.add(f"{path}.csv", csv_of(content_sheets(page, content)))
    return made.take()


def _end(made: Archive, about: dict[str, str | None], withdrawn: list[dict[str, object]]) -> bytes:
    made.close(about, withdrawn)
    return made.take()
