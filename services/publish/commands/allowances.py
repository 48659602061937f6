"""How often somebody who does not sign in may do something: asked of one place, whichever process they come to."""

from datetime import timedelta
from typing import Final

from services.kit.address import client_address, network_of
from services.kit.clock import local_day
from services.kit.db import Connection
from services.publish.errors import AskedTooOftenError
from services.publish.store import allowances
from services.publish.store.allowances import Allowance
from services.publish.visit import Visit

#: Of one village so many questions at once, and one more every so often: more than ask after a stormy meeting.
_IN_VILLAGE: Final = Allowance("asked_in", 60, timedelta(minutes=2))
#: A question that stirs a village is joined by many in one evening; beyond that a machine is at work.
_JOINED_IN_VILLAGE: Final = Allowance("joined_in", 120, timedelta(seconds=30))
#: Who knows a name would have to try 5,000 cards: so often one name of a village is looked for, from wherever.
_LOOKS_OF_NAME: Final = Allowance("looked_for", 5, timedelta(hours=1))
_LOOKS_OF_NETWORK: Final = Allowance("looked", 10, timedelta(minutes=1))


async def _use(visit: Visit, conn: Connection, allowance: Allowance, whose: str) -> int:
    # A mark of the day: tomorrow nobody can tell that it was the same.
    salt = f"{allowance.kind} {local_day(visit.now).isoformat()}".encode()
    return await allowances.use(conn, allowance, visit.own.callers.mark(salt, whose), visit.now)


def _network() -> str:
    return network_of(client_address())


async def spend_asking(visit: Visit, conn: Connection, village: str | None) -> None:
    """Count a question, or what is said to one; AskedTooOftenError when this network, or this village, had its share for now."""
    settings = visit.settings
    of_network = Allowance("asked", settings.questions_at_once, timedelta(seconds=settings.questions_again_s))
    await _spend(visit, conn, of_network, _IN_VILLAGE, village)


async def spend_joining(visit: Visit, conn: Connection, village: str) -> None:
    """Count that somebody joins a question; AskedTooOftenError as of asking. A village behind one address joins as often as it asks."""
    settings = visit.settings
    of_network = Allowance("joined", settings.questions_at_once, timedelta(seconds=settings.questions_again_s))
    await _spend(visit, conn, of_network, _JOINED_IN_VILLAGE, village)


async def spend_adopting(visit: Visit, conn: Connection) -> None:
    """Count that somebody notes what they took over; AskedTooOftenError when their network had its share for now."""
    settings = visit.settings
    of_network = Allowance("adopted", settings.questions_at_once, timedelta(seconds=settings.questions_again_s))
    wait_s = await _use(visit, conn, of_network, _network())
    if wait_s:
        detail = "从您所在的网络登记得太频繁，请过一会儿再来。"
        raise AskedTooOftenError(detail, retry_after_s=wait_s)


async def _spend(
    visit: Visit, conn: Connection, of_network: Allowance, in_village: Allowance, village: str | None
) -> None:
    wait_s = await _use(visit, conn, of_network, _network())
    if wait_s:
        raise AskedTooOftenError(retry_after_s=wait_s)
    wait_s = await _use(visit, conn, in_village, village) if village is not None else 0
    if wait_s:
        detail = "这个村刚才收到的太多，请过一会儿再来。"
        raise AskedTooOftenError(detail, retry_after_s=wait_s)


async def count_look(visit: Visit, conn: Connection, village: str, name: str) -> tuple[int, int]:
    """Count that a household looks for its lines; the seconds that its network, and that the name, has to wait, 0 for none."""
    of_network = await _use(visit, conn, _LOOKS_OF_NETWORK, _network())
    if of_network:
        return of_network, 0
    return 0, await _use(visit, conn, _LOOKS_OF_NAME, f"{village}/{''.join(name.split())}")
