"""Heads of the trails at audit: kept as they are heard, shown to inspectors with whether they hold, told to operators from Kafka too."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from services.contracts.topics import TOPIC_OF
from services.contracts.trail import HEADS, TrailHead, signed_text
from services.kit import actions, heads, trail
from services.kit.consumer.log import LogAwayError, read_whole
from services.kit.encoded import base64url_of
from services.kit.keypair import private_key, public_half_of
from services.kit.relay import Relay
from tests import builders
from tests.conftest import Place, Served, ServiceFactory

KEY = base64.urlsafe_b64encode(bytes(range(32))).rstrip(b"=").decode()
KEYS = {"ingest": public_half_of(KEY), "qr": public_half_of(KEY)}
_numbers = iter(range(1, 1000))


def head(
    service: str, position: int, at: datetime = builders.NOW, *, link: str = "a" * 64, key: str = KEY
) -> TrailHead:
    """A head as a service says it."""
    private = private_key(key)
    signature = base64url_of(private.sign(signed_text(service, position, link, at)))
    stamp = {**builders.stamp(service, version=next(_numbers)), "occurred_at": at}
    return HEADS[service](**stamp, position=position, link=link, signature=signature)


@pytest_asyncio.fixture
async def audit(service: ServiceFactory) -> AsyncIterator[Served]:
    """Audit, which has heard of no head."""
    served = await service("audit", trail_keys=KEYS)
    async with served.runtime.database.transaction() as conn:
        await conn.execute("DELETE FROM trail_head")
    yield served


async def told(audit: Served) -> dict[str, dict[str, object]]:
    """What the API says, by service."""
    answer = await audit.client.get("/audit/v1/heads", headers=audit.bearer("inspector-210881"))
    assert answer.status_code == 200, answer.text
    return {h["service"]: h for h in answer.json()["items"]}


async def test_the_newest_head_of_each_service_is_told_with_whether_it_holds(audit: Served) -> None:
    await audit.hear(
        head("ingest", 5, builders.NOW - timedelta(hours=3)),
        head("ingest", 9, builders.NOW - timedelta(hours=1)),
        head("qr", 2, builders.NOW - timedelta(days=3)),
        head("publish", 4),
    )
    found = await told(audit)
    assert list(found) == ["registry", "ingest", "publish", "audit", "qr"]
    assert (found["ingest"]["position"], found["ingest"]["valid"], found["ingest"]["late"]) == (9, True, False)
    assert (found["qr"]["position"], found["qr"]["valid"], found["qr"]["late"]) == (2, True, True)
    # Nobody knows a key of publish here.
    assert (found["publish"]["position"], found["publish"]["valid"]) == (4, False)
    assert (found["registry"]["position"], found["registry"]["link"], found["registry"]["valid"]) == (None, None, False)


@pytest.mark.parametrize(
    ("second", "contradicts"),
    [
        (head("ingest", 9, builders.NOW), False),
        (head("ingest", 10, builders.NOW, link="b" * 64), False),
        (head("ingest", 9, builders.NOW, link="b" * 64), True),
        (head("ingest", 8, builders.NOW, link="b" * 64), True),
    ],
)
async def test_a_service_that_signs_otherwise_than_before_is_shown(
    audit: Served, second: TrailHead, *, contradicts: bool
) -> None:
    await audit.hear(head("ingest", 9, builders.NOW - timedelta(hours=1)), second)
    assert (await told(audit))["ingest"]["contradicts"] is contradicts


async def test_a_forged_head_accuses_nobody(audit: Served) -> None:
    other = base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()
    await audit.hear(head("ingest", 9, builders.NOW - timedelta(hours=1)), head("ingest", 3, key=other))
    found = (await told(audit))["ingest"]
    assert (found["valid"], found["contradicts"]) == (False, False)


async def test_inspectors_have_a_page_to_print_which_says_valid_only_of_what_holds(audit: Served) -> None:
    await audit.hear(head("ingest", 812, link="0123456789abcdef" + "f" * 48), head("publish", 4))
    headers = {**audit.bearer("inspector-210881006"), "accept": "text/html"}
    page = (await audit.client.get("/inspect/trail", headers=headers)).text
    assert "0123456789abcdef</code>" in page
    assert "812" in page
    assert page.count("签名有效") == 1
    assert page.count("签名无效，请立即检查") == 1
    assert page.count("还没有签过") == 3
    clerk = {**audit.bearer("clerk-210881006206"), "accept": "text/html"}
    assert (await audit.client.get("/inspect/trail", headers=clerk)).status_code == 403


async def test_heads_travel_by_a_topic_of_their_service_and_are_read_back_whole(
    place: Place, service: ServiceFactory
) -> None:
    qr, audit = await service("qr", trail_key=KEY, trail_keys=KEYS), await service("audit")
    await place.apply_topics()
    async with qr.runtime.database.transaction() as conn:
        who = actions.Who("s-1", "operator", builders.CITY)
        await actions.record(conn, who, "POST /x", builders.NOW, actions.Subject("code/1"))

    await trail.link(qr.runtime)
    await heads.say_head(qr.runtime)
    stop = asyncio.Event()
    relay = asyncio.create_task(Relay(qr.runtime.database, qr.runtime.settings).run(stop))

    found: list[TrailHead] = []
    async with asyncio.timeout(60):
        while not found:
            records = await read_whole(audit.runtime.settings, [TOPIC_OF["head.qr.v1"]])
            found = [e for r in records if isinstance(e := r.event(), TrailHead)]
            await asyncio.sleep(0.2)
    stop.set()
    await relay
    assert [(h.aggregate_id, h.position) for h in found] == [("qr", 1)]
    assert json.loads((await qr.said("head.qr.v1"))[0])["signature"] == found[0].signature


async def test_a_broker_that_is_away_is_said(audit: Served) -> None:
    away = audit.runtime.settings.model_copy(update={"kafka": "127.0.0.1:1"})

    with pytest.raises(LogAwayError):
        await read_whole(away, [TOPIC_OF["head.qr.v1"]])
