"""Making what was let out searchable, and adding up what firms were paid."""

import asyncio
from collections.abc import Sequence
from typing import Final

from services.kit.log import get_logger
from services.publish.render.rows import Edition, Publication
from services.publish.store import publications, searchable
from services.publish.visit import PublishRuntime

log = get_logger(__name__)

#: Contents in one go; what is let out meanwhile goes first.
_AT_ONCE: Final = 20


async def make_searchable(runtime: PublishRuntime) -> None:
    """Make what was let out searchable, some seconds after it could be read; a content that cannot be read is told and left."""
    while await _make_some_searchable(runtime):
        runtime.beat()


async def _make_some_searchable(runtime: PublishRuntime) -> bool:
    """False when nothing waits, or all that does is held by somebody."""
    async with runtime.database.connection() as conn:
        ids = await searchable.select_waiting(conn, _AT_ONCE)
        if not ids:
            return False
        known = await publications.select_publications(conn, ids)
        wanted = [(i, p.edition) for i, p in known.items() if p.is_live]
        editions = await publications.select_editions(conn, wanted)
    made = await asyncio.to_thread(_made, [(known[i], edition) for (i, _), edition in editions.items()])
    unread = set(ids) - {one.disclosure_id for one in made}
    async with runtime.database.transaction() as conn:
        kept = [await searchable.put(conn, one) for one in made]
        await searchable.drop_waiting(conn, sorted(unread))
    return bool(unread) or any(kept)


def _made(pairs: Sequence[tuple[Publication, Edition]]) -> list[searchable.Made]:
    found = []
    for p, edition in pairs:
        try:
            found.append(searchable.made_of(p, edition))
        except ValueError:
            log.exception("content cannot be searched", disclosure=p.disclosure_id)
    return found
