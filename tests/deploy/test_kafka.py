"""Kafka of the local city: topics as declared, records that survive, jars that are what they were."""

import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local import jars, topics
from deploy.local.faults import Fault
from deploy.local.kafka import Kafka


@dataclass(frozen=True)
class Topic:
    name: str
    partitions: int
    producer: str = "qr"
    consumers: tuple[str, ...] = ("publish",)
    config: dict[str, str] = field(default_factory=dict)


DECLARED = [
    Topic("sanwu.things", 24, config={"retention.ms": "-1"}),
    Topic("sanwu.codes", 3, config={"cleanup.policy": "compact"}),
]


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kafka]:
    async with Kafka(tmp_path_factory.mktemp("kafka")) as broker:
        await topics.apply(broker.broker(), topics=DECLARED)
        yield broker


async def test_topics_are_created_once(kafka: Kafka) -> None:
    await topics.apply(kafka.broker(), topics=DECLARED)
    await topics.apply(kafka.broker(), prefix="t1.", topics=DECLARED)


async def test_all_declared_topics_can_be_created(kafka: Kafka) -> None:
    await topics.apply(kafka.broker(), prefix="all.")


async def test_other_number_of_partitions_is_refused(kafka: Kafka) -> None:
    with pytest.raises(Fault, match=r"sanwu\.things has 24 partitions and not 6"):
        await topics.apply(kafka.broker(), topics=[Topic("sanwu.things", 6)])


async def test_broker_listens_on_loopback_alone(kafka: Kafka) -> None:
    connections = psutil.Process(kafka.process.pid).net_connections()
    assert {c.laddr.ip.removeprefix("::ffff:") for c in connections if c.status == "LISTEN"} == {"127.0.0.1"}


async def test_acknowledged_record_survives_kill_9(kafka: Kafka) -> None:
    async with AIOKafkaProducer(**kafka.broker().options(), acks="all") as producer:
        await producer.send_and_wait("sanwu.things", b"kept", key=b"210881006206")
    await kafka.kill()
    await kafka.start()
    consumer = AIOKafkaConsumer("sanwu.things", **kafka.broker().options(), auto_offset_reset="earliest")
    async with consumer:
        assert (await consumer.getone()).value == b"kept"


async def test_restart_keeps_cluster_and_port(kafka: Kafka) -> None:
    before = (kafka.bootstrap, (kafka.home.path / "kafka" / "cluster.id").read_text())
    again = Kafka(kafka.home.path)
    assert (again.bootstrap, (again.home.path / "kafka" / "cluster.id").read_text()) == before


def test_flipped_byte_in_a_jar_is_named(tmp_path: Path, command: Callable[..., Any]) -> None:
    for jar in jars.locked():
        (tmp_path / jar.file_name).hardlink_to(jars.FOLDER / jar.file_name)
    victim = tmp_path / "kafka_2.13-4.3.1.jar"
    content = bytearray(victim.read_bytes())
    content[1000] ^= 1
    victim.unlink()
    victim.write_bytes(content)
    with pytest.raises(Fault, match=r"kafka_2\.13-4\.3\.1\.jar is not the jar that the lock names: delete it"):
        jars.verify(tmp_path)
    answer = command([sys.executable, "-m", "deploy.local.jars", "fetch", "--folder", str(tmp_path)])
    assert "delete it and run again" in answer.sentence()


def test_jar_that_cannot_be_fetched_is_one_sentence(tmp_path: Path, command: Callable[..., Any]) -> None:
    answer = command(
        [sys.executable, "-m", "deploy.local.jars", "fetch", "--folder", str(tmp_path / "jars")],
        env={
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "https_proxy": "http://127.0.0.1:9",
            "NO_PROXY": None,
            "no_proxy": None,
        },
    )
    assert "check the network" in answer.sentence()


def test_classes_are_taken_from_the_cache_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, broker = tmp_path / "kafka-of-now.aot", Kafka(tmp_path / "home")
    monkeypatch.setattr(jars, "cache", lambda: cache)
    assert not [word for word in broker.command() if "AOT" in word]
    cache.touch()
    assert f"-XX:AOTCache={cache}" in broker.command()


def test_another_java_has_another_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    before = jars.cache()
    monkeypatch.setattr(jars, "version", lambda _name: "99")
    assert jars.cache() != before
    assert jars.cache().parent == jars.FOLDER
