"""Somebody owns the broker and writes themselves a signing key and an account: nobody believes it, and it is told."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx2
import jwt
from aiokafka import AIOKafkaProducer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.info import known
from services.contracts.base import Role
from services.contracts.staff import Signer, SignerSet, Staff, StaffRevision, StaffSet
from services.contracts.topics import STAFF
from services.kit import signature
from tests import builders
from tests.kit.ground import record
from tests.running import RunningCity

Sanwu = Callable[..., Any]

KEY = Ed25519PrivateKey.generate()
#: A list that staff may see, of each service.
DOORS = {
    "registry": "/registry/v1/account",
    "ingest": "/ingest/v1/disclosures",
    "publish": "/publish/v1/actions",
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
        sessions_not_before=datetime(2026, 1, 1, tzinfo=UTC),
    )
    signer = Signer(kid="intruder", public_key=signature.public_half(KEY))
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


async def put(city: RunningCity) -> None:
    """Write it as the broker's own operator, whom no right holds back."""
    async with AIOKafkaProducer(**known(city.home).broker.options(), acks="all") as producer:
        for key, value, headers in forged():
            await producer.send_and_wait(
                STAFF.name, value, key=key, headers=[(n, v.encode()) for n, v in headers.items()]
            )


def forged_token() -> str:
    now = datetime.now(UTC)
    claims = {
        "iss": "sanwu-registry",
        "sub": "intruder",
        "iat": now.timestamp(),
        "exp": (now + timedelta(minutes=14)).timestamp(),
    }
    return jwt.encode(claims, KEY, algorithm="EdDSA", headers={"kid": "intruder"})


def refused_by_status(sanwu: Sanwu) -> dict[str, int]:
    told = json.loads(sanwu("status", "--json").out)
    return {name: state["refused_signatures"] for name, state in told["services"].items()}


def test_a_forged_signing_key_and_account_open_nothing_and_raise_the_alarm(
    sanwu: Sanwu, small_city: RunningCity
) -> None:
    inspector = {"authorization": f"Bearer {small_city.token('inspector-210881')}"}
    page = {**inspector, "accept": "text/html"}
    assert "冒充登记中心" not in httpx2.get(f"{small_city.url}/inspect", headers=page).text
    asyncio.run(put(small_city))
    hearing = {"registry": 0, "ingest": 4, "publish": 4, "audit": 4, "qr": 4}
    give_up = time.monotonic() + 60
    while refused_by_status(sanwu) != hearing and time.monotonic() < give_up:
        time.sleep(1)
    assert refused_by_status(sanwu) == hearing
    try:
        headers = {"authorization": f"Bearer {forged_token()}"}
        answers = {
            name: httpx2.get(f"{small_city.addresses()[name]}{path}", headers=headers).status_code
            for name, path in DOORS.items()
        }
        assert answers == dict.fromkeys(DOORS, 401)
        # The doors are real ones: whoever is truly signed in is no stranger to them.
        true = {
            name: httpx2.get(f"{small_city.addresses()[name]}{path}", headers=inspector).status_code
            for name, path in DOORS.items()
        }
        assert set(true.values()) <= {200, 403}
        assert true["audit"] == 200
        status = sanwu("status")
        assert status.code == 1
        assert "! audit: 4 records said to be the registry's and were not signed by its root key" in status.out
        assert "冒充登记中心" in httpx2.get(f"{small_city.url}/inspect", headers=page).text
        listed = json.loads(sanwu("refused", "list", "--service", "qr", "--json").out)["refused"]
        assert {(row["key"], row["fault"]) for row in listed} == {
            (key, fault) for key in ("signer:intruder", "staff:intruder") for fault in ("unsigned", "wrong signature")
        }
    finally:
        for name, count in hearing.items():
            if count:
                reason = "--reason=the test's own"
                assert sanwu("refused", "forget", "--service", name, reason, "--by", "王工").code == 0
    assert sum(refused_by_status(sanwu).values()) == 0
