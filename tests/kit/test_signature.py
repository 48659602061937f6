"""What the registry says counts only when its root key signed it: forged, unsigned, moved, changed, said again."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from services.contracts.base import Role
from services.contracts.staff import Signer, SignerSet, Staff, StaffRevision, StaffSet
from services.contracts.topics import STAFF, TOPICS
from services.contracts.trail import HEADS
from services.kit import metrics, signature
from services.kit.encoded import base64url_of
from services.kit.keypair import public_half
from services.kit.record import Incoming
from services.kit.relay import Relay
from services.registry.commands import states
from services.registry.jobs import keep_signed
from tests import builders
from tests.conftest import Place, ServiceFactory
from tests.kit.ground import Ground, record, running, until

ROOTS = builders.ROOT_SETTINGS["registry_root"]
STRANGER = Ed25519PrivateKey.generate()


def member(version: int, role: Role = Role.CLERK) -> StaffSet:
    """A state of one account."""
    revision = StaffRevision(since=date(2026, 1, 1), role=role, scope=builders.VILLAGE)
    staff = Staff(staff_id="s1", username="s1", revisions=(revision,), sessions_not_before=builders.NOW)
    return StaffSet(**builders.stamp("s1", version), staff=staff)


def incoming(
    event: StaffSet | SignerSet, root: Ed25519PrivateKey | None = builders.ROOT_KEY, offset: int = 0
) -> Incoming:
    key, value, headers = record(event)
    if root is not None:
        headers[signature.HEADER] = signature.sign(root, STAFF.name, key, value, headers).decode()
    return Incoming(STAFF.name, 0, offset, key, value, headers)


def test_what_the_registry_says_is_signed() -> None:
    heads = HEADS["registry"]
    said = {t.name for t in TOPICS if t.producer == "registry" and t.events and heads not in t.events}
    assert said == signature.SIGNED


def test_a_signed_record_counts() -> None:
    good = incoming(member(1))
    assert signature.fault_of(good, ROOTS) is None
    assert signature.fault_of(good, (public_half(STRANGER), *ROOTS)) is None


def test_nothing_of_a_signed_record_can_be_changed() -> None:
    good = incoming(member(1))
    later = {**good.headers, "aggregate_version": "99"}
    more = {**good.headers, "extra": ""}
    changed = {
        "value": replace(good, value=(good.value or b"").replace(b'"clerk"', b'"reviewer"')),
        "no value": replace(good, value=None),
        "key": replace(good, key=b"staff:s2"),
        "topic": replace(good, topic="sanwu.divisions"),
        "version": replace(good, headers=later),
        "headers": replace(good, headers=more),
        "signature": replace(good, headers={**good.headers, signature.HEADER: "AAAA"}),
        "no base64": replace(good, headers={**good.headers, signature.HEADER: "\ufffd"}),
    }
    assert {name: signature.fault_of(one, ROOTS) for name, one in changed.items()} == dict.fromkeys(
        changed, signature.FORGED
    )
    assert signature.fault_of(incoming(member(1), STRANGER), ROOTS) == signature.FORGED
    assert signature.fault_of(incoming(member(1), None), ROOTS) == signature.UNSIGNED


def forged_signer() -> SignerSet:
    return SignerSet(**builders.stamp("evil"), signer=Signer(kid="evil", public_key=public_half(STRANGER)))


async def test_forged_records_have_no_effect_hold_nobody_up_and_are_told(ground: Ground) -> None:
    await ground.create(STAFF)
    told = metrics.REFUSED_SIGNATURES.labels(topic=STAFF.name)
    before = told._value.get()
    # Unsigned, as whoever has the broker writes: a version that would keep all true ones out.
    forged = replace_signature(member(1_000_000, Role.REVIEWER), None)
    by_stranger = replace_signature(forged_signer(), STRANGER)
    await ground.produce(replace(STAFF, signed=False), forged, by_stranger)
    await ground.produce(STAFF, record(member(1)), record(member(2, Role.ACCOUNTANT)))
    async with running(await ground.consumer(project={}, topics_=(STAFF,))):
        await until(lambda: has_role(ground, "accountant"))
    rows = await ground.admin("SELECT kind, key FROM publish.reference ORDER BY kind")
    assert [tuple(r) for r in rows] == [("staff", "s1")]
    refused = await ground.admin("SELECT key, type, fault FROM publish.refused_record ORDER BY record_offset")
    assert [tuple(r) for r in refused] == [
        ("staff:s1", "staff.set.v1", "unsigned"),
        ("signer:evil", "signer.set.v1", "wrong signature"),
    ]
    assert told._value.get() - before >= 2
    assert await ground.admin("SELECT FROM publish.parked_event") == []


async def test_what_was_said_before_anybody_signed_raises_no_alarm_once_it_is_said_again(ground: Ground) -> None:
    await ground.create(STAFF)
    old = record(member(1))
    await ground.produce(replace(STAFF, signed=False), old)
    async with running(await ground.consumer(project={}, topics_=(STAFF,))):
        await until(lambda: is_refused(ground, 1))
        assert await ground.admin("SELECT FROM publish.reference") == []
        await ground.produce(STAFF, old)
        await until(lambda: is_refused(ground, 0))
    assert await has_role(ground, "clerk")


def replace_signature(
    event: StaffSet | SignerSet, root: Ed25519PrivateKey | None
) -> tuple[bytes, bytes, dict[str, str]]:
    one = incoming(event, root)
    return one.key, one.value or b"", dict(one.headers)


async def has_role(ground: Ground, role: str) -> bool:
    rows = await ground.admin("SELECT payload::text AS p FROM publish.reference WHERE key = 's1'")
    return bool(rows) and json.loads(rows[0]["p"])["revisions"][0]["role"] == role


async def is_refused(ground: Ground, count: int) -> bool:
    return len(await ground.admin("SELECT FROM publish.refused_record")) == count


# -- the registry's side


@pytest.fixture
async def said(place: Place, service: ServiceFactory) -> Any:
    """A registry with one account said, as a city of before the root key has it: nothing waits to be sent."""
    registry = await service("registry")

    async with registry.runtime.database.transaction() as conn:
        await states.set_accounts(conn, [member(1).staff], builders.NOW)
        await conn.execute("DELETE FROM outbox")
        await conn.execute("DELETE FROM root_used")
    return registry


async def _waiting(registry: Any) -> list[Mapping[str, Any]]:
    async with registry.runtime.database.connection() as conn:
        return [dict(r.items()) for r in await conn.fetch("SELECT key, headers::text AS headers FROM outbox")]


async def test_a_registry_says_all_of_it_once_more_under_a_root_key_that_is_new(said: Any) -> None:
    await keep_signed(said.runtime)
    first = await _waiting(said)
    assert [row["key"] for row in first] == ["staff:s1"]
    await keep_signed(said.runtime)
    assert await _waiting(said) == first
    other = Ed25519PrivateKey.generate()
    changed = said.runtime.settings.model_copy(
        update={
            "registry_root": (public_half(other), *ROOTS),
            "registry_root_key": SecretStr(base64url_of(other.private_bytes_raw())),
        }
    )
    await keep_signed(replace(said.runtime, settings=changed))
    assert len(await _waiting(said)) == 2


async def test_the_relay_signs_what_it_sends(place: Place, said: Any) -> None:
    await place.apply_topics()
    await keep_signed(said.runtime)
    ground = Ground(place.parts.pg, place.parts.kafka, place.database, place.prefix, place.parts.home)
    async with running(Relay(said.runtime.database, said.runtime.settings)):
        await until(lambda: _nothing_waits(said))
    sent = [Incoming.read(r, place.prefix) for r in await ground.log(STAFF)]
    assert {signature.fault_of(one, ROOTS) for one in sent} == {None}
    assert {one.event().type for one in sent} == {"staff.set.v1"}


async def _nothing_waits(registry: Any) -> bool:
    return not await _waiting(registry)
