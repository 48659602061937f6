"""Somebody owns the broker and writes themselves a signing key and an account: nobody believes it, and it is told."""

from datetime import date, datetime, timedelta
from pathlib import Path

import jwt
from aiokafka import AIOKafkaProducer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.cli import status
from services.contracts.base import Role
from services.contracts.staff import Signer, SignerSet, Staff, StaffRevision, StaffSet
from services.contracts.topics import SERVICES, STAFF
from services.kit import signature, standing
from services.kit.cli import read_line
from services.kit.consumer import Effects, PartitionedConsumer
from services.kit.keypair import public_half
from services.kit.process import command_line
from tests import builders
from tests.conftest import Place, Served, ServiceFactory
from tests.kit.ground import record, running, until

KEY = Ed25519PrivateKey.generate()
FORGET = ["refused", "forget", "--reason", "the test's own", "--by", "王工"]
#: What only staff may see, of each service that takes somebody in; publish takes nobody.
DOORS = {
    "registry": "/registry/v1/account",
    "ingest": "/ingest/v1/disclosures",
    "audit": "/audit/v1/alerts",
    "qr": "/qr/v1/codes",
}


def forged() -> list[tuple[bytes, bytes, dict[str, str]]]:
    """A key and a reviewer of the whole city, unsigned, and both again signed by that very key."""
    revision = StaffRevision(since=date(2026, 1, 1), role=Role.OPERATOR, scope="210881")
    staff = Staff(
        staff_id="intruder",
        username="intruder",
        revisions=(revision,),
        sessions_not_before=builders.NOW - timedelta(days=30),
    )
    signer = Signer(kid="intruder", public_key=public_half(KEY))
    events = (
        SignerSet(**builders.stamp("intruder"), signer=signer),
        StaffSet(**builders.stamp("intruder"), staff=staff),
    )
    found = []
    for event in events:
        _, value, headers = record(event)
        key = f"{event.aggregate}:intruder".encode()
        signed = {**headers, signature.HEADER: signature.sign(KEY, STAFF.name, key, value, headers).decode()}
        found += [(key, value, headers), (key, value, signed)]
    return found


async def put(place: Place) -> None:
    """Write it as the broker's own operator, whom no right holds back."""
    async with AIOKafkaProducer(**place.parts.kafka.broker().options(), acks="all") as producer:
        for key, value, headers in forged():
            pairs = [(n, v.encode()) for n, v in headers.items()]
            await producer.send_and_wait(place.prefix + STAFF.name, value, key=key, headers=pairs)


def forged_token(now: datetime) -> str:
    claims = {"iss": "sanwu-registry", "sub": "intruder", "iat": now.timestamp()}
    claims["exp"] = (now + timedelta(minutes=14)).timestamp()
    return jwt.encode(claims, KEY, algorithm="EdDSA", headers={"kid": "intruder"})


def hearing(served: Served) -> PartitionedConsumer:
    """The service's consumer of accounts and keys, with its own name on Kafka."""
    runtime = served.runtime
    effects = Effects(
        runtime.settings, runtime.reference, served.clock, project=served.service.project, react=served.service.react
    )
    return PartitionedConsumer(served.service.name, runtime.settings, runtime.database, effects, [STAFF])


async def counts(served: Served) -> int:
    async with served.runtime.database.connection() as conn:
        return await signature.count_refused(conn)


async def test_a_forged_signing_key_and_account_open_nothing_and_raise_the_alarm(
    place: Place, service: ServiceFactory, tmp_path: Path
) -> None:
    await place.apply_topics()
    city: dict[str, Served] = {name: await service(name, home=tmp_path) for name in SERVICES}
    inspector = city["audit"].bearer("inspector-210881")
    page = {**inspector, "accept": "text/html"}
    assert "冒充登记中心" not in (await city["audit"].client.get("/inspect", headers=page)).text
    await put(place)
    hear = [served for name, served in city.items() if name in STAFF.consumers]
    assert len(hear) == 4

    async def all_refused() -> bool:
        return [await counts(served) for served in hear] == [4, 4, 4, 4]

    async with running(*(hearing(served) for served in hear)):
        await until(all_refused, seconds=120)
    headers = {"authorization": f"Bearer {forged_token(builders.NOW)}"}
    for name, path in DOORS.items():
        await city[name].runtime.reference.refresh()
        assert (await city[name].client.get(path, headers=headers)).status_code == 401, name
        # The doors are real ones: whoever is truly signed in is no stranger to them.
        assert (await city[name].client.get(path, headers=inspector)).status_code in {200, 403}, name
    assert "有 4 条冒充登记中心的消息被拒收" in (await city["audit"].client.get("/inspect", headers=page)).text
    async with city["audit"].runtime.database.connection() as conn:
        rows = await conn.fetch("SELECT key, fault FROM refused_record")
        told = await standing.tables(conn)
    assert {(r["key"], r["fault"]) for r in rows} == {
        (key, fault) for key in ("signer:intruder", "staff:intruder") for fault in ("unsigned", "wrong signature")
    }
    sentence = (
        "audit: 4 records said to be the registry's and were not signed by its root key: somebody writes to Kafka"
    )
    assert [s[: len(sentence)] for s in status.of_tables("audit", {**told, "outbox_still_s": None})][-1] == sentence
    forget = read_line(command_line(city["audit"].service), FORGET, "audit")
    assert not isinstance(forget, int)
    assert await forget(city["audit"].runtime) == 0
    assert await counts(city["audit"]) == 0
