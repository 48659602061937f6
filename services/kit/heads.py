"""Heads of the trail, signed and said to the bus, so that whoever rewrites a chain with all its links is found.

The key is a setting and stands in no database. A head is said an hour after the last when the chain has grown, at once after
many rows, and once a day in any case. What was rewritten since the last one said is not found by them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature

from services.contracts.trail import HEADS, signed_text
from services.kit import actions, outbox
from services.kit.db import Connection
from services.kit.encoded import base64url_of, bytes_of_url
from services.kit.keypair import private_key, public_key
from services.kit.log import get_logger
from services.kit.runtime import AnyRuntime

log = get_logger(__name__)

LOOK_EVERY_S: Final = 30.0
GROWN_AFTER: Final = timedelta(hours=1)
AT_LEAST_EVERY: Final = timedelta(days=1)
MANY_ROWS: Final = 500

SELECT_LAST = """
SELECT (payload ->> 'position')::bigint AS position, payload ->> 'link' AS link, occurred_at FROM event
WHERE aggregate = 'head' AND aggregate_id = $1 ORDER BY aggregate_version DESC LIMIT 1
"""
SELECT_LINK = "SELECT encode(link, 'hex') FROM action WHERE position = $1"


@dataclass(frozen=True, slots=True)
class Signed:
    """A head as it was said: of which service, when, and the signature."""

    service: str
    position: int
    link: str
    at: datetime
    signature: str

    def holds(self, keys: Mapping[str, str]) -> bool:
        """Tell whether the service's own key signed it; False where that key is not known."""
        try:
            said = signed_text(self.service, self.position, self.link, self.at)
            public_key(keys[self.service]).verify(bytes_of_url(self.signature), said)
        except (KeyError, ValueError, InvalidSignature):
            return False
        return True


async def say_head(runtime: AnyRuntime) -> None:
    """Sign where the trail ends and append the event of it, when it is time to.

    Nothing is signed of a chain that no longer goes through the head that was said last.
    """
    if runtime.settings.trail_key is None:
        return
    async with runtime.database.transaction() as conn:
        chain, last = await actions.lock_chain(conn, runtime.service), await conn.fetchrow(SELECT_LAST, runtime.service)
        now = runtime.clock.now()
        if last is None:
            due = chain.head_position > 0
        else:
            grown, passed = chain.head_position - last["position"], now - last["occurred_at"]
            due = grown >= MANY_ROWS or (grown > 0 and passed >= GROWN_AFTER) or passed >= AT_LEAST_EVERY
        if not due:
            return
        if last is not None and not await _goes_through(conn, chain, last["position"], last["link"]):
            log.critical("the trail was rewritten: it does not go through its last head", position=last["position"])
            return
        await _append(conn, runtime, chain, now)


async def _goes_through(conn: Connection, chain: actions.Chain, position: int, link: str) -> bool:
    if position < chain.anchor_position:
        return True
    if position == chain.anchor_position:
        return chain.anchor_link.hex() == link
    return bool(await conn.fetchval(SELECT_LINK, position) == link)


async def _append(conn: Connection, runtime: AnyRuntime, chain: actions.Chain, now: datetime) -> None:
    assert runtime.settings.trail_key is not None  # noqa: S101 - the caller looked
    key = private_key(runtime.settings.trail_key.get_secret_value())
    link = chain.head_link.hex()
    signature = key.sign(signed_text(runtime.service, chain.head_position, link, now))
    event = HEADS[runtime.service](
        **await outbox.stamp(conn, "head", runtime.service, at=now),
        position=chain.head_position,
        link=link,
        signature=base64url_of(signature),
    )
    await outbox.append(conn, event)
