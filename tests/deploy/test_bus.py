"""Who may do what on the bus: every service against every topic, strangers, wrong passwords, a home from before."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.fetch import FetchRequest

from deploy.local import rights, topics
from deploy.local.home import Home
from deploy.local.kafka import Kafka
from services.contracts.topics import SERVICES, TOPICS
from services.kit.broker import Broker

_ANSWER_S = 20.0
BY_NAME = {topic.name: topic for topic in TOPICS}
READS = {(name, topic.name) for topic in TOPICS for name in topic.consumers}
WRITES = {(topic.producer, topic.name) for topic in TOPICS}
ALL = {(name, topic.name) for topic in TOPICS for name in SERVICES}


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kafka]:
    async with Kafka(tmp_path_factory.mktemp("bus")) as broker:
        await topics.apply(broker.broker())
        async with AIOKafkaProducer(**broker.broker().options()) as producer:
            for topic in TOPICS:
                await producer.send_and_wait(topic.name, b"{}", key=b"k", partition=0)
        yield broker


async def may_write(broker: Broker) -> set[str]:
    """Topics that take a record of this user, as its relay sends one."""
    written = set()
    async with AIOKafkaProducer(**broker.options(), enable_idempotence=True, acks="all") as producer:
        for topic in TOPICS:
            with suppress(TopicAuthorizationFailedError):
                async with asyncio.timeout(_ANSWER_S):
                    await producer.send_and_wait(topic.name, b"{}", key=b"k", partition=0)
                written.add(topic.name)
    return written


async def may_read(broker: Broker) -> set[str]:
    """Topics of which the broker gives this user records; asked by hand, since the driver asks again for ever."""
    client = AIOKafkaClient(**broker.options())
    await client.bootstrap()
    try:
        node = client.get_random_node()
        asked = [(name, [(0, 0, 1 << 20)]) for name in BY_NAME]
        answer: Any = await client.send(node, FetchRequest(100, 1, 1 << 20, 0, asked))
    finally:
        await client.close()
    codes = {topic: partitions[0][1] for topic, partitions in answer.topics}
    assert set(codes.values()) <= {0, TopicAuthorizationFailedError.errno}
    return {name for name in BY_NAME if codes[name] == 0}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_writes_and_reads_what_is_declared_and_nothing_else(kafka: Kafka, service: str) -> None:
    assert {(service, name) for name in await may_write(kafka.broker(service))} == {
        w for w in WRITES if w[0] == service
    }
    assert {(service, name) for name in await may_read(kafka.broker(service))} == {r for r in READS if r[0] == service}


def test_the_declarations_leave_something_to_refuse() -> None:
    # Were everybody allowed everything, the test above would hold as well.
    assert len(ALL) == 105
    assert len(WRITES) == 21
    assert len(READS) == 27


async def test_a_service_has_no_group_but_its_own(kafka: Kafka) -> None:
    consumer = AIOKafkaConsumer("sanwu.keys", **kafka.broker("audit").options(), group_id="publish")

    async def join() -> None:
        async with asyncio.timeout(_ANSWER_S):
            await consumer.start()
            await consumer.getone()

    try:
        with pytest.raises(GroupAuthorizationFailedError):
            await join()
    finally:
        await consumer.stop()


async def test_a_service_can_neither_make_topics_nor_look_at_rights(kafka: Kafka) -> None:
    admin = AIOKafkaAdminClient(**kafka.broker("registry").options())
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic("sanwu.mine", 1, 1)])
        assert [code for _, code, *_ in answer.topic_errors] == [TopicAuthorizationFailedError.errno]
        with pytest.raises(ClusterAuthorizationFailedError):
            await rights.given(admin)
    finally:
        await admin.close()


async def refusal(options: Mapping[str, Any]) -> type[BaseException]:
    client = AIOKafkaClient(**options, request_timeout_ms=3_000)
    try:
        await client.bootstrap()
        answer = await client.fetch_all_metadata()
    except KafkaError as error:
        return type(error)
    finally:
        await client.close()
    message = f"was let in: {answer}"
    raise AssertionError(message)


async def test_nobody_gets_in_without_a_name_or_with_a_wrong_password(kafka: Kafka) -> None:
    right = kafka.broker("ingest")
    refused = {SaslAuthenticationFailed, KafkaConnectionError}
    assert await refusal({"bootstrap_servers": kafka.bootstrap}) in refused
    for wrong in (
        replace(right, password="guessed"),
        replace(right, username="nobody"),
        replace(right, username="broker"),
    ):
        assert await refusal(wrong.options()) in refused
    # The brokers' own way in is for nobody else, whatever password they have.
    inside = f"127.0.0.1:{kafka.home.port('kafka-inside')}"
    plain = {**right.options(), "bootstrap_servers": inside, "sasl_mechanism": "PLAIN"}
    assert await refusal(plain) in refused
    assert await refusal({**right.options(), "bootstrap_servers": inside}) is not None


async def test_rights_that_are_too_much_are_told_and_taken_back(kafka: Kafka) -> None:
    assert await topics.differences(kafka.broker()) == []
    too_much = rights.Right(2, "sanwu.staff", 3, "User:qr", "*", 4, 3)
    admin = AIOKafkaAdminClient(**kafka.broker().options())
    await admin.start()
    try:
        await rights._send(admin, rights._Give([too_much]), "creation_responses")
    finally:
        await admin.close()
    assert await topics.differences(kafka.broker()) == ["qr may write topic sanwu.staff: nothing declares this right"]
    await topics.apply(kafka.broker())
    assert await topics.differences(kafka.broker()) == []
    assert "sanwu.staff" not in await may_write(kafka.broker("qr"))


def test_passwords_stand_in_private_files_and_on_no_command_line(kafka: Kafka) -> None:
    secrets = {kafka.home.password(f"kafka-{name}") for name in (*SERVICES, "operator", "broker")}
    assert len(secrets) == 7
    holders = [
        f for f in kafka.home.path.rglob("*") if f.is_file() and any(s.encode() in f.read_bytes() for s in secrets)
    ]
    assert {f.name for f in holders} == {"secrets.json", "1.properties"}
    assert all(f.stat().st_mode & 0o077 == 0 for f in holders)
    assert not any(secret in " ".join(kafka.command()) for secret in secrets)


class Before(Kafka):
    """A broker as it was started before anybody needed a name."""

    def _properties(self, data: Path) -> str:
        lines = [
            line
            for line in super()._properties(data).splitlines()
            if not re.match(r"listener|advertised|inter\.broker|sasl|authorizer|super|allow", line)
        ]
        port, controller = self.port, self._controller_port_of(self.node)
        return "\n".join(
            [
                *lines,
                f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
                f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}",
                "inter.broker.listener.name=PLAINTEXT",
                "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n",
            ]
        )

    def _inside(self) -> dict[str, str]:
        return {"bootstrap_servers": self.address}

    async def settle(self) -> None:
        """It had nobody to let in."""


async def test_a_home_from_before_keeps_its_records_and_then_lets_in_nobody_without_a_name(tmp_path: Path) -> None:
    home = Home(tmp_path)
    async with Before(home) as old:
        client = {"bootstrap_servers": old.bootstrap}
        admin = AIOKafkaAdminClient(**client)
        await admin.start()
        await admin.create_topics([NewTopic("sanwu.codes", 3, 1)])
        await admin.close()
        async with AIOKafkaProducer(**client, acks="all") as producer:
            for n in range(100):
                await producer.send_and_wait("sanwu.codes", f"{n}".encode(), key=b"k", partition=n % 3)
    async with Kafka(home) as new:
        assert await refusal(client) in {SaslAuthenticationFailed, KafkaConnectionError}
        await topics.apply(new.broker())
        found: list[int] = []
        consumer = AIOKafkaConsumer("sanwu.codes", **new.broker("publish").options(), auto_offset_reset="earliest")
        async with consumer, asyncio.timeout(_ANSWER_S):
            while len(found) < 100:
                found.append(int((await consumer.getone()).value or b""))
        assert sorted(found) == list(range(100))
