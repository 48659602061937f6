"""Kafka or PostgreSQL away for more than a minute, while people go on submitting: all of it is heard once, in order."""

import asyncio

import pytest

from services.kit import relay
from tests.kit.outage import ALL, BEFORE, Outages, Outcome, deleted_before_the_ack, frozen, killed


def _whole(outcome: Outcome) -> bool:
    return outcome.effects == outcome.log == ALL and outcome.sent == outcome.said and outcome.longest_s < 60


async def test_kafka_that_refuses_connections_is_waited_for(outages: Outages) -> None:
    outcome = await outages.refused
    assert outcome.waited == 200
    assert _whole(outcome)


async def test_consumer_that_takes_the_drivers_cancellation_for_its_own_would_be_gone(outages: Outages) -> None:
    assert (await outages.refused).unguarded == BEFORE


async def test_kafka_that_takes_connections_and_never_answers_is_waited_for(outages: Outages) -> None:
    outcome = await outages.hanging
    assert outcome.waited == 200
    assert _whole(outcome)


async def test_kafka_that_comes_back_at_another_address_is_found(outages: Outages) -> None:
    assert _whole(await outages.elsewhere)


async def test_consumer_that_does_not_look_whether_records_wait_would_never_find_it(outages: Outages) -> None:
    unguarded = (await outages.elsewhere).unguarded
    assert [name for name, found in unguarded.items() if found == ALL[name]] == []


async def test_database_that_is_away_is_waited_for(outages: Outages) -> None:
    assert _whole(await outages.no_database)


async def test_offset_stored_before_the_effect_would_lose_what_was_in_hand(outages: Outages) -> None:
    unguarded = (await outages.no_database).unguarded
    assert [name for name, found in unguarded.items() if 2 not in found] != []


@pytest.mark.parametrize("way", [killed, frozen])
async def test_pointers_deleted_before_the_ack_would_be_lost(
    outages: Outages, way: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.wait(outages.tasks)
    monkeypatch.setattr(relay, "SEND_DEADLINE_S", 1.0)
    ground = outages.grounds[way is frozen]
    said, sent = await deleted_before_the_ack(ground, way(outages.broker))
    assert sent < said
