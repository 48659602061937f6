"""Searching ten years of a whole city: every village with a ledger of each month, closed and made searchable by the services' own code."""

import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import asyncpg
import httpx2
from pydantic import SecretStr

from deploy.local.home import Home, read_json
from deploy.local.info import KEY_SEAL
from deploy.local.postgres import ADMIN, Postgres
from deploy.local.sample.ledgers import ledger
from services.contracts.bodies import BODY
from services.contracts.values import period_bounds
from services.kit import shred
from services.publish.render.rows import Edition, Publication, Said
from services.publish.store.publications import close_edition
from services.publish.store.searchable import made_by, made_of
from services.registry.bulk.divisions import read_divisions
from tests.bench.decade import VILLAGES_FILE, whole_city
from tests.bench.report import Figure, Section, table
from tests.bench.sealed import KEY
from tests.bench.spent import milliseconds_each, spent
from tests.running import RunningCity

#: Before the sample's own years.
_YEARS: Final = range(2006, 2016)
#: Bodies that differ; each stands in many villages and months.
_BODIES: Final = 480
_TIMES: Final = 40
_BAR_MS: Final = 50
_AT: Final = datetime(2016, 1, 1, tzinfo=UTC)
#: Words that stand everywhere and words that stand nowhere, amounts, periods, places, firms.
QUERIES: Final = (
    ("a word of nearly every ledger", "电费"),
    ("two words", "电费 路灯"),
    ("a word of few", "水泥"),
    ("a word of none", "直升飞机"),
    ("a village and a word", "西海村 电费"),
    ("an amount", "2310元"),
    ("a range", "2310-2400元"),
    ("a rare range", "990000-999999元"),
    ("a month long ago and a word", "2007年3月 电费"),
    ("a month of any year and a word", "3月 电费"),
    ("a firm", "供电分公司"),
)
LISTS: Final = (
    ("lines: a month", "item=F01&period=2010-05"),
    ("lines: a township, spending from 1,000 yuan", "township=210881006&direction=out&least_fen=100000"),
    ("lines: spending that hardly any ledger has", "direction=out&least_fen=99000000"),
)
_COPY: Final = {
    "publish.shred_key": ("aggregate_id", "key"),
    "publish_read.publication": (
        *("disclosure_id", "village_code", "item", "period", "edition", "digest", "history", "nil"),
        *("first_published_at", "published_at"),
    ),
    "publish_read.edition": ("disclosure_id", "edition", "published_at", "sealed"),
    "publish.searchable": (
        *("disclosure_id", "edition", "made_by", "village_code", "item", "period", "until", "marks", "amounts"),
    ),
    "publish.firm_payment": ("disclosure_id", "firm", "village_code", "item", "period", "until", "fen", "lines"),
}
_DROP: Final = "DELETE FROM {} WHERE disclosure_id LIKE 'bench-%'"


def villages() -> list[str]:
    """Codes of all villages and communities of the city."""
    return [
        d.code for d in read_divisions(VILLAGES_FILE.read_bytes(), whole_city()) if len(d.code) == len("210881006206")
    ]


async def fill(conn: asyncpg.Connection, codes: Sequence[str]) -> int:
    """Write the years; returns how many disclosures they have."""
    periods = [f"{year}-{month:02}" for year in _YEARS for month in range(1, 13)]
    texts = [
        BODY.validate_python(ledger(codes[n % len(codes)], periods[n % len(periods)], periods[0])).model_dump_json()
        for n in range(_BODIES)
    ]
    looks = [made_of(_publication("bench", codes[0], periods[0]), Edition("bench", 1, _AT, text)) for text in texts]
    rules, count = made_by(), 0
    for m, period in enumerate(periods):
        until = period_bounds(period)[1]
        rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _COPY}
        for n, code in enumerate(codes):
            at, look = (m * 7 + n) % _BODIES, looks[(m * 7 + n) % _BODIES]
            name = f"bench-{period}-{code}"
            key = shred.wrap(name, KEY)
            rows["publish.shred_key"].append((name, key))
            rows["publish_read.publication"].append((name, code, "F01", period, 1, "", True, False, _AT, _AT))
            rows["publish_read.edition"].append((name, 1, _AT, close_edition(key, name, 1, texts[at], Said())))
            cell = (code, "F01", period, until)
            rows["publish.searchable"].append((name, 1, rules, *cell, look.marks, look.amounts))
            rows["publish.firm_payment"] += [(name, firm, *cell, *of) for firm, of in look.firms.items()]
        for name, columns in _COPY.items():
            schema, _, relation = name.partition(".")
            await conn.copy_records_to_table(relation, schema_name=schema, columns=columns, records=rows[name])
        count += len(codes)
    await conn.execute(
        "VACUUM ANALYZE publish.searchable, publish.firm_payment, publish_read.publication, publish.shred_key"
    )
    return count


def _publication(disclosure_id: str, code: str, period: str) -> Publication:
    return Publication(
        disclosure_id, code, "F01", period, 1, "", history=True, nil=False, first_published_at=_AT, published_at=_AT
    )


async def clear(conn: asyncpg.Connection) -> None:
    """Take the years out again."""
    for name in _COPY:
        column = "aggregate_id" if name.endswith("shred_key") else "disclosure_id"
        await conn.execute(_DROP.format(name).replace("disclosure_id", column))


def _asked() -> Iterator[tuple[str, str]]:
    yield from ((title, f"/search?q={quote(q)}") for title, q in QUERIES)
    yield from ((title, f"/api/v1/lines?{query}") for title, query in LISTS)


async def ask(city: RunningCity) -> list[tuple[str, str, float, float, float]]:
    """Each question with what it found, its median, its slowest, its processor time in publish and PostgreSQL, in milliseconds."""
    rows = []
    async with httpx2.AsyncClient(base_url=city.addresses()["publish"], timeout=60) as client:
        firm = (await client.get("/api/v1/search", params={"q": "供电分公司"})).json()["firms"]
        pages = [*_asked(), *([("the page of a firm that every village pays", f"/f/{firm[0]['key']}")] if firm else [])]
        for title, path in pages:
            answer = await client.get(path)
            answer.raise_for_status()
            told = answer.text.count('<li><a href="/d/') or answer.text.count('"disclosure":')
            before, walls = spent(city.home), []
            for _ in range(_TIMES):
                started = time.perf_counter()
                (await client.get(path)).raise_for_status()
                walls.append((time.perf_counter() - started) * 1e3)
            each = milliseconds_each(before, spent(city.home), _TIMES)
            cpu = each["publish"] + each["postgres"]
            rows.append((title, str(told), statistics.median(walls), max(walls), cpu))
    return rows


async def measure(city: RunningCity) -> Section:
    """Fill, ask, clear."""
    home = Path(city.home)
    shred.use_key_seal(SecretStr(str(read_json(home / "secrets.json")[KEY_SEAL])))
    conn = await asyncpg.connect(Postgres(Home(home)).dsn(ADMIN), command_timeout=3600)
    try:
        count = await fill(conn, villages())
        size = await conn.fetchval(
            "SELECT pg_total_relation_size('publish.searchable') + pg_total_relation_size('publish.firm_payment')"
        )
        rows = await ask(city)
    finally:
        await clear(conn)
        await conn.close()
    told = [
        (title, found, f"{median:.0f} ms", f"{worst:.0f} ms", f"{cpu:.0f} ms")
        for title, found, median, worst, cpu in rows
    ]
    text = (
        f"{count:,} ledgers of ten years in 299 villages, of {_BODIES} different bodies; what they are found by takes "
        f"{size / 2**20:.0f} MB. Each asked {_TIMES} times, one after the other, at the service's own port. Bar: {_BAR_MS} ms.\n\n"
        + table(("asked for", "lines shown", "median", "slowest", "processor time"), told)
    )
    most = max(median for _, _, median, _, _ in rows)
    return Section(
        "Search at ten years", text, [Figure("search at ten years, slowest median", most, "at most 50 ms", "ms")]
    )
