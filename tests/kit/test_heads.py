"""Heads of the trail: when they are signed, what their signatures hold, and that a chain written anew with all its links is found."""

import base64
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.contracts.trail import PublishHead
from services.kit import actions, heads, trail
from services.kit.heads import Signed
from services.kit.keypair import public_half_of
from services.kit.runtime import AnyRuntime
from tests import builders
from tests.kit.ground import Ground
from tests.kit.site import open_site
from tests.trails import rewriting

KEY = base64.urlsafe_b64encode(bytes(range(32))).rstrip(b"=").decode()
OTHER_KEY = base64.urlsafe_b64encode(bytes(range(1, 33))).rstrip(b"=").decode()
KEYS = {"publish": public_half_of(KEY)}
WHO = actions.Who("s-1", "clerk", builders.VILLAGE)


@pytest_asyncio.fixture
async def runtime(ground: Ground) -> AsyncIterator[AnyRuntime]:
    """Publish on the kit's ground, with a key; its trail is empty."""
    await ground.admin("TRUNCATE publish_trail.action RESTART IDENTITY")
    zero = "decode(repeat('00', 32), 'hex')"
    await ground.admin(
        "UPDATE publish_trail.action_chain SET anchor_position = 0, head_position = 0,"
        f" anchor_link = {zero}, head_link = {zero}"
    )
    opened, _ = await open_site(ground, trail_key=SecretStr(KEY), trail_keys=KEYS)
    yield opened


async def fill(runtime: AnyRuntime, count: int) -> None:
    """Some actions, chained."""
    async with runtime.database.transaction() as conn:
        for n in range(count):
            subject = actions.Subject(f"thing/{n}", builders.VILLAGE)
            await actions.record(conn, WHO, f"POST /made/{n}", runtime.clock.now(), subject)
    await trail.link(runtime)


async def said(runtime: AnyRuntime) -> list[Signed]:
    """Heads that were said, oldest first."""
    async with runtime.database.connection() as conn:
        rows = await conn.fetch(
            "SELECT payload::text AS p FROM event WHERE type = 'head.publish.v1' ORDER BY aggregate_version"
        )
    events = [PublishHead.model_validate_json(r["p"]) for r in rows]
    return [Signed(e.aggregate_id, e.position, e.link, e.occurred_at, e.signature) for e in events]


async def test_a_head_is_said_when_the_trail_begins_an_hour_later_and_once_a_day(
    runtime: AnyRuntime, ground: Ground
) -> None:
    await heads.say_head(runtime)
    assert await said(runtime) == []
    await fill(runtime, 2)
    await heads.say_head(runtime)
    await fill(runtime, 1)
    await heads.say_head(runtime)
    assert [h.position for h in await said(runtime)] == [2]
    ground.clock.advance(hours=1)
    await heads.say_head(runtime)
    ground.clock.advance(hours=23)
    await heads.say_head(runtime)
    assert [h.position for h in await said(runtime)] == [2, 3]
    ground.clock.advance(hours=1)
    await heads.say_head(runtime)
    assert [h.position for h in await said(runtime)] == [2, 3, 3]


async def test_many_rows_do_not_wait_for_the_hour(runtime: AnyRuntime) -> None:
    await fill(runtime, 1)
    await heads.say_head(runtime)
    await fill(runtime, heads.MANY_ROWS - 1)
    await heads.say_head(runtime)
    await fill(runtime, 1)
    await heads.say_head(runtime)
    assert [h.position for h in await said(runtime)] == [1, heads.MANY_ROWS + 1]


async def test_a_signature_holds_for_what_was_said_and_nothing_else(runtime: AnyRuntime) -> None:
    await fill(runtime, 2)
    await heads.say_head(runtime)
    (head,) = await said(runtime)
    assert head.holds(KEYS)
    changed = [
        Signed("ingest", head.position, head.link, head.at, head.signature),
        Signed(head.service, 1, head.link, head.at, head.signature),
        Signed(head.service, head.position, "0" * 64, head.at, head.signature),
        Signed(head.service, head.position, head.link, head.at + timedelta(microseconds=1), head.signature),
        Signed(head.service, head.position, head.link, head.at, ""),
        Signed(head.service, head.position, head.link, head.at, "ä"),
    ]
    assert not any(h.holds({**KEYS, "ingest": KEYS["publish"]}) for h in changed)
    assert not head.holds({})
    assert not head.holds({"publish": public_half_of(OTHER_KEY)})


REWRITE = rewriting("publish", 4, "disclosure/another")


async def _signed_twice(runtime: AnyRuntime, ground: Ground) -> list[actions.Head]:
    for _ in range(2):
        await fill(runtime, 3)
        await heads.say_head(runtime)
        ground.clock.advance(hours=2)
    return [actions.Head(h.position, bytes.fromhex(h.link), h.at) for h in await said(runtime)]


async def test_a_row_rewritten_with_all_its_links_is_found_between_two_signed_heads(
    runtime: AnyRuntime, ground: Ground
) -> None:
    known = await _signed_twice(runtime, ground)
    assert (await trail.verify(runtime, known))[1] is None
    await ground.admin(REWRITE)
    # The chain alone agrees with itself: this is what went unseen.
    assert (await trail.verify(runtime))[1] is None
    _, broken = await trail.verify(runtime, known)
    assert broken is not None
    assert broken.position == 4
    assert "does not go through the head 6 (signed 2026-11-24T04:00:00+00:00)" in broken.why
    assert "behind 3 (signed 2026-11-24T02:00:00+00:00)" in broken.why


async def test_nothing_is_signed_of_a_chain_that_was_rewritten(runtime: AnyRuntime, ground: Ground) -> None:
    known = await _signed_twice(runtime, ground)
    await ground.admin(REWRITE)
    await fill(runtime, 1)
    ground.clock.advance(days=2)
    await heads.say_head(runtime)
    assert len(await said(runtime)) == len(known)


async def test_rows_removed_before_their_time_are_found(runtime: AnyRuntime, ground: Ground) -> None:
    known = await _signed_twice(runtime, ground)
    await ground.admin(
        "UPDATE publish_trail.action_chain c SET anchor_position = 5, anchor_link = a.link"
        " FROM publish_trail.action a WHERE a.position = 5"
    )
    await ground.admin("DELETE FROM publish_trail.action WHERE position <= 5")
    assert (await trail.verify(runtime))[1] is None
    _, broken = await trail.verify(runtime, known)
    assert broken is not None
    assert (broken.position, "before its time" in broken.why) == (4, True)
    ground.clock.advance(days=200)
    assert (await trail.verify(runtime, known))[1] is None


async def test_without_a_key_no_head_is_said(runtime: AnyRuntime, ground: Ground) -> None:
    plain, _ = await open_site(ground)
    await fill(plain, 1)
    await heads.say_head(plain)
    assert await said(plain) == []


@pytest.mark.parametrize("text", ["", "x", "ä", "====", "a" * 500])
def test_a_strange_signature_does_not_hold(text: str) -> None:
    assert not Signed("publish", 1, "0" * 64, builders.NOW, text).holds(KEYS)
