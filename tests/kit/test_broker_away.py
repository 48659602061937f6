"""Kafka killed and away, for a minute, while people go on submitting."""

import asyncio

import pytest

from services.kit import relay
from tests.kit.outage import AGGREGATES, Outage, Outcome, live_through


def _in_order(outcome: Outcome) -> bool:
    return outcome.versions == {name: list(range(1, 13)) for name in AGGREGATES}


async def test_what_was_accepted_while_kafka_was_away_a_minute_arrives_in_order(outage: Outage) -> None:
    outcome = await outage.task
    assert outcome.waited == 200
    assert outcome.sent == outcome.said
    assert _in_order(outcome)


async def test_pointers_deleted_before_the_ack_would_be_lost(outage: Outage, monkeypatch: pytest.MonkeyPatch) -> None:
    await asyncio.wait([outage.task])
    monkeypatch.setattr(relay, "SEND_DEADLINE_S", 1.0)
    outcome = await live_through(outage.ground, outage.broker, seconds=2, guarded=False)
    assert outcome.waited == 0
    assert outcome.sent < outcome.said
    assert not _in_order(outcome)
