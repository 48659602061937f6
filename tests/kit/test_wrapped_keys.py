"""Keys rest and travel wrapped: a disk, a backup of the database or the broker's files open nothing by themselves."""

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from services.contracts.disclosure import DisclosureReturned, ReturnedContent
from services.contracts.keys import KeySet, WrappedKeySet
from services.contracts.topics import DISCLOSURES, KEYS
from services.kit import shred
from services.kit.db import Connection
from services.kit.wiping import Wiper, count_changed
from tests import builders
from tests.kit.ground import Ground, record, running, until
from tests.kit.test_shred import CONTENT, TAG, on_returned

SEAL, ANOTHER = SecretStr("x" * 32), SecretStr("y" * 32)
COLUMNS = "SELECT t::text AS t FROM ingest.shred_key t UNION ALL SELECT t::text FROM ingest.event t"


@pytest.fixture(autouse=True)
def sealed() -> Iterator[None]:
    shred.use_key_seal(SEAL)
    yield
    shred.use_key_seal(None)


async def _said(ground: Ground, conn: Connection, name: str = "d1") -> DisclosureReturned:
    sealed = await shred.seal(conn, name, TAG, CONTENT, builders.NOW)
    stamp = builders.stamp(name, 1, builders.VILLAGE)
    return DisclosureReturned(**stamp, item="F01", period="2026-10", edition=1, sealed=sealed)


async def _key_in_clear(ground: Ground, name: str = "d1") -> str:
    """A key as the version before made it, told and kept."""
    shred.use_key_seal(None)
    async with (await ground.open("ingest")).transaction() as conn:
        key = await shred.tell_key(conn, name, builders.NOW)
    shred.use_key_seal(SEAL)
    return key


async def test_no_table_and_no_topic_holds_a_key_and_readers_open_what_it_closed(ground: Ground) -> None:
    await ground.create(DISCLOSURES, KEYS)
    database = await ground.open("ingest")
    consumer = await ground.consumer(project={DisclosureReturned: on_returned}, topics_=(DISCLOSURES, KEYS))
    async with database.transaction() as conn:
        event = await _said(ground, conn)
    rows = [r["t"] for r in await ground.admin(COLUMNS)]
    # The event says that there is a key, and does not hold it.
    assert [r.count("w1:") for r in rows] == [1, 1]
    assert '""wrapped"": ""w1:""' in rows[1]
    assert "key.set.v1" not in str(rows)
    await ground.produce(DISCLOSURES, record(event))
    async with running(await ground.relay()), running(consumer):
        await until(lambda: _notes(ground, ["发票缺少盖章"]))
    assert await ground.admin("SELECT left(key, 3) AS k FROM publish.shred_key") == [("w1:",)]
    assert [len(json.loads(r.value or b"")["wrapped"]) for r in await ground.log(KEYS)] == [83]


async def _notes(ground: Ground, wanted: list[str]) -> bool:
    return [r["note"] for r in await ground.admin("SELECT note FROM publish.effect ORDER BY n")] == wanted


async def test_keys_of_the_version_before_are_wrapped_and_said_again(ground: Ground) -> None:
    await ground.create(DISCLOSURES, KEYS)
    keys = [await _key_in_clear(ground, f"d{n}") for n in range(3)]
    database = await ground.open("ingest")
    async with database.transaction() as conn:
        event = await shred.seal(conn, "d1", TAG, CONTENT, builders.NOW)
    async with running(await ground.relay()), running(await ground.consumer(topics_=(KEYS,))):
        await until(ground.nothing_waits)
        assert [await _wrap(ground) for _ in range(4)] == [2, 1, 2, 1]
        assert await _wrap(ground) == 0
        await until(ground.nothing_waits)
        await until(lambda: _known(ground, 3))
    text = str([r["t"] for r in await ground.admin(COLUMNS)])
    assert (text.count("w1:"), [k for k in keys if k in text]) == (6, [])
    assert [r["k"] for r in await ground.admin("SELECT left(key, 3) AS k FROM publish.shred_key")] == ["w1:"] * 3
    last = {r.key: r.value or b"" for r in await ground.log(KEYS)}
    told = [json.loads(v) for v in last.values()]
    assert [(len(v["wrapped"]), v["type"]) for v in told] == [(83, "key.set.v2")] * 3
    async with database.transaction() as conn:
        assert await shred.unseal(conn, "d1", TAG, event, ReturnedContent) == CONTENT


async def _wrap(ground: Ground) -> int:
    async with (await ground.open("ingest")).transaction() as conn:
        return await shred.wrap_some(conn, 2)


async def _known(ground: Ground, n: int) -> bool:
    return len(await ground.admin("SELECT FROM publish.shred_key")) == n


async def test_key_in_clear_that_arrives_is_kept_wrapped(ground: Ground) -> None:
    assert shred.key_at_rest(KeySet(**builders.stamp("d1"), key="a2V5")).startswith("w1:")


async def test_another_seal_opens_nothing_and_the_process_does_not_start(ground: Ground) -> None:
    database = await ground.open("ingest")
    async with database.transaction() as conn:
        await shred.tell_key(conn, "d1", builders.NOW)
        await shred.require_key_seal(conn)
        wrapped = (await shred.make_keys(conn, ["d1"]))["d1"]
    event = WrappedKeySet(**builders.stamp("d1"), wrapped=wrapped)
    for seal in (ANOTHER, None):
        shred.use_key_seal(seal)
        with pytest.raises(shred.KeySealError, match="SANWU_KEY_SEAL does not open the key of d1"):
            shred.key_at_rest(event)
        async with database.connection() as conn:
            with pytest.raises(shred.KeySealError):
                await shred.require_key_seal(conn)


async def test_a_wrapped_key_is_its_own_aggregates_alone(ground: Ground) -> None:
    wrapped = shred.wrap("d1", "a2V5")
    with pytest.raises(shred.KeySealError):
        shred.key_at_rest(WrappedKeySet(**builders.stamp("d2"), wrapped=wrapped))


async def test_a_destroyed_key_is_wiped_from_the_tables_pages(ground: Ground) -> None:
    database = await ground.open("ingest")
    async with database.transaction() as conn:
        keys = await shred.make_keys(conn, [f"d{n}" for n in range(50)])
        await shred.shred(conn, ["d7"], builders.NOW)
    assert keys["d7"] in await _pages(ground)
    # Statistics come when the connection rests.
    await until(lambda: _changed(ground))
    wiper, runtime = Wiper(), SimpleNamespace(database=database)
    await wiper.run(runtime)  # type: ignore[arg-type] # of a runtime it takes the database
    pages = await _pages(ground)
    assert (keys["d7"] in pages, keys["d8"] in pages) == (False, True)


async def _changed(ground: Ground) -> bool:
    async with (await ground.open("ingest")).connection() as conn:
        return await count_changed(conn) > 0


async def _pages(ground: Ground) -> str:
    """The file of the table, as it stands on the disk."""
    await ground.admin("CHECKPOINT")
    [row] = await ground.admin(
        "SELECT pg_read_binary_file(pg_relation_filepath('ingest.shred_key'), 0, pg_relation_size('ingest.shred_key')) AS b"
    )
    return bytes(row["b"]).decode("latin-1")
