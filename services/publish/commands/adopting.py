"""已采用: an editor notes that an edition was taken over, and gets told what becomes of it. No account, nothing of a person."""

import secrets
from dataclasses import dataclass
from typing import Final

from services.kit.db import Connection
from services.kit.errors import InvalidInputError, NotFoundError
from services.publish.commands.allowances import spend_adopting
from services.publish.errors import TakerFullError, WithdrawnError
from services.publish.render.adopting import TAKER_DIGITS
from services.publish.store import adoptions, marks, publications
from services.publish.store.adoptions import Adoption
from services.publish.visit import Visit

#: As many as one feed tells of.
MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Taking:
    """What somebody took over: the public edition, where it stands if that may be shown, the secret that they have if any."""

    disclosure_id: str
    version: int
    address: str | None
    taker: str | None


async def adopt(visit: Visit, conn: Connection, taking: Taking) -> str:
    """Keep what was taken over; the secret that leads back to it, a new one without. NotFoundError, WithdrawnError, TakerFullError."""
    await spend_adopting(visit, conn)
    found = (await publications.select_publications(conn, [taking.disclosure_id])).get(taking.disclosure_id)
    if found is None:
        raise NotFoundError
    if not found.is_live:
        raise WithdrawnError
    if taking.version > found.number:
        message = f"这条公开内容没有第{taking.version}版"
        raise InvalidInputError(message)
    taker = taking.taker or secrets.token_hex(TAKER_DIGITS // 2)
    if taking.taker is not None:
        await adoptions.lock_taker(conn, taker)
        known = await adoptions.select_of_taker(conn, taker, MOST)
        if not known:
            raise NotFoundError
        if len(known) == MOST and all(a.disclosure_id != taking.disclosure_id for a in known):
            raise TakerFullError
    of = Adoption(found.disclosure_id, found.village_code, taking.version, taking.address, visit.now)
    await adoptions.upsert_adoption(conn, taker, of)
    await marks.insert_marks(conn, [("disclosure", found.disclosure_id)])
    return taker


async def give_up(conn: Connection, taker: str, disclosure_id: str | None) -> None:
    """Remove what somebody took over, or all of it; NotFoundError when there is none."""
    gone = await adoptions.delete_adoptions(conn, taker, disclosure_id)
    if not gone:
        raise NotFoundError
    await marks.insert_marks(conn, [("disclosure", i) for i in sorted(gone)])
