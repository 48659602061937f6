"""The read model built anew, without rendering, against reading the same events with aiokafka and COPY."""

import json
import os
import time

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local import ask
from deploy.local.home import Home
from deploy.local.info import known
from deploy.local.postgres import ADMIN, Postgres
from services.contracts.topics import TOPICS
from services.publish.handlers import PROJECT
from tests.bench.report import Figure, Section, median, table
from tests.running import RunningCity

ROUNDS = 5
_COLUMNS = "topic text, partition int, place bigint, key text, value text"


async def peer(city: RunningCity) -> tuple[float, int]:
    """Seconds to read what a rebuild reads into a table, and how many records that were."""
    topics = [t for t in TOPICS if "publish" in t.consumers and any(e in PROJECT for e in t.events)]
    places = [TopicPartition(t.name, n) for t in topics for n in range(t.partitions)]
    conn = await asyncpg.connect(Postgres(Home(city.home)).dsn(ADMIN))
    driver = AIOKafkaConsumer(
        **known(city.home).broker.options(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20,
    )
    started, count = time.perf_counter(), 0
    await driver.start()
    driver.assign(places)
    ends = await driver.end_offsets(places)
    await driver.seek_to_beginning(*places)
    await conn.execute(f"CREATE TEMPORARY TABLE heard ({_COLUMNS})")
    while [tp for tp in places if await driver.position(tp) < ends[tp]]:
        polled = await driver.getmany(timeout_ms=500, max_records=4000)
        rows = [
            (r.topic, r.partition, r.offset, (r.key or b"").decode(), (r.value or b"").decode())
            for records in polled.values()
            for r in records
        ]
        await conn.copy_records_to_table("heard", records=rows)
        count += len(rows)
    seconds = time.perf_counter() - started
    await driver.stop()
    await conn.close()
    return seconds, count


async def measure(city: RunningCity) -> Section:
    """Alternating rounds; the rebuild's own clock, so that starting Python is on neither side."""
    info = known(city.home)
    before, peers, ours, counts, told = os.getloadavg()[0], [], [], set(), {}
    for _ in range(ROUNDS):
        seconds, count = await peer(city)
        peers.append(seconds)
        told = await ask.ask(info, "publish", "rebuild", "--check", "--json")
        ours.append(told["seconds"])
        counts |= {count, told["records"]}
    if len(counts) > 1:
        message = f"peer and rebuild did not read the same: {sorted(counts)} records"
        raise RuntimeError(message)
    rows = [
        (what, f"{median(of):.2f} s", f"{min(of):.2f} to {max(of):.2f} s", f"{told['records'] / median(of):,.0f}")
        for what, of in (("aiokafka and COPY", peers), ("rebuild, comparison included", ours))
    ]
    ratios = [one / other for one, other in zip(ours, peers, strict=True)]
    text = (
        f"{told['records']} records of the topics that the read model comes from, counted by both. A rebuild opens and sums "
        f"up every body, then compares both models by village. Ratio: {median(ours) / median(peers):.1f} (in the rounds "
        f"{min(ratios):.1f} to {max(ratios):.1f}). Bar: at most 4. Load of the machine (1 min) before and after: "
        f"{before:.1f}, {os.getloadavg()[0]:.1f}.\n\n"
        + table(("what", "median of the rounds", "spread", "records/s"), rows)
        + f"\n```json\n{json.dumps(told)}\n```\n"
    )
    return Section(
        "Rebuild of the read model",
        text,
        [Figure("rebuild to aiokafka and COPY", median(ours) / median(peers), "at most 4")],
    )
