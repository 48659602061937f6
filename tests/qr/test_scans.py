"""Scans are counted by code and day and nothing else; a code that falls silent is told."""

import json
from collections import Counter

from services.contracts.scan import CodeHealthChanged, ScansCounted
from services.qr.commands import counting
from services.qr.jobs import tell_health, tell_scans
from tests.builders import FAR_VILLAGE, NEIGHBOUR, VILLAGE
from tests.conftest import Served
from tests.qr.conftest import FindCode

PHONE = {"accept": "text/html", "user-agent": "MicroMessenger/8.0.56", "x-forwarded-for": "203.0.113.99"}


async def counted(qr: Served) -> list[ScansCounted]:
    return [ScansCounted.model_validate_json(t) for t in await qr.said("scans.counted.v1")]


async def health(qr: Served) -> list[tuple[str, str]]:
    said = [CodeHealthChanged.model_validate_json(t) for t in await qr.said("code_health.changed.v1")]
    return [(e.code, e.state) for e in said]


async def scan(qr: Served, code: str, times: int = 1) -> None:
    for _ in range(times):
        await qr.client.get(f"/c/{code}", headers=PHONE)


async def test_sums_are_told_by_code_and_day_and_grow(qr: Served, valid_code: FindCode) -> None:
    one, other = [(await valid_code(v)).code for v in (VILLAGE, NEIGHBOUR)]
    await scan(qr, one, 3)
    await scan(qr, other)
    await qr.client.head(f"/c/{one}", headers=PHONE)
    await scan(qr, "00000000")
    await qr.runtime.own.counted.write()
    await tell_scans(qr.runtime)
    (event,) = await counted(qr)
    assert event.day.isoformat() == "2026-11-24"
    assert {(c.code, c.village, c.count) for c in event.counts} == {(one, VILLAGE, 3), (other, NEIGHBOUR, 1)}
    await tell_scans(qr.runtime)
    assert len(await counted(qr)) == 1
    await scan(qr, one)
    await qr.runtime.own.counted.write()
    await tell_scans(qr.runtime)
    # The whole sum: whoever hears it twice knows no more.
    assert [(c.code, c.count) for c in (await counted(qr))[-1].counts] == [(one, 4)]


async def test_nothing_of_whoever_scanned_is_kept_or_told(qr: Served) -> None:
    async with qr.runtime.database.connection() as conn:
        rows = await conn.fetch("SELECT * FROM scan_count")
        assert rows
        assert {key for row in rows for key, _ in row.items()} == {"day", "code", "count", "said"}
        texts = await conn.fetch("SELECT t::text AS t FROM scan_count AS t UNION ALL SELECT o::text FROM outbox AS o")
    told = "".join([*(r["t"] for r in texts), *await qr.said("scans.counted.v1")])
    for never in ("203.0.113.99", "MicroMessenger", "8.0.56"):
        assert never not in told


async def test_the_record_is_keyed_by_day(qr: Served) -> None:
    async with qr.runtime.database.connection() as conn:
        rows = await conn.fetch("SELECT key, headers::text AS headers FROM outbox WHERE topic = 'sanwu.scans'")
    assert rows
    assert {r["key"] for r in rows} == {"2026-11-24"}
    assert {json.loads(r["headers"])["aggregate_id"] for r in rows} == {"2026-11-24"}


async def test_what_cannot_be_written_now_is_written_later(qr: Served, valid_code: FindCode) -> None:
    code = (await valid_code(FAR_VILLAGE)).code
    await qr.runtime.own.codes.refresh()
    await qr.runtime.database.close()
    try:
        await scan(qr, code, 2)
        try:
            await qr.runtime.own.counted.write()
        except Exception:  # noqa: BLE001 - whatever a database that is away says
            lost = True
        else:
            lost = False
    finally:
        await qr.runtime.database.open()
    assert lost
    await qr.runtime.own.counted.write()
    async with qr.runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT count FROM scan_count WHERE code = $1", code) == 2


async def test_many_sums_are_told_in_records_of_so_many(qr: Served, valid_code: FindCode) -> None:
    code = (await valid_code(VILLAGE)).code
    before = len(await counted(qr))
    async with qr.runtime.database.transaction() as conn:
        await conn.execute(
            "INSERT INTO scan_count (day, code, count) SELECT '2020-01-01'::date + n, $1, 1 FROM generate_series(1, 501) AS n",
            code,
        )
    await tell_scans(qr.runtime)
    events = (await counted(qr))[before:]
    assert sum(len(e.counts) for e in events) == 502  # and the two scans of before
    assert max(len(e.counts) for e in events) <= counting.MOST
    assert Counter(e.day for e in events).most_common(1)[0][1] == 1
    # Sums of long ago go.
    await tell_health(qr.runtime)
    async with qr.runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM scan_count WHERE day < '2025-10-01'") == 0


async def test_a_code_that_hangs_and_is_not_opened_is_told_once_and_again_when_it_is(
    qr: Served, valid_code: FindCode
) -> None:
    code = (await valid_code(NEIGHBOUR)).code
    hung = await qr.client.post("/qr/v1/hangings", data={"code": code}, headers=qr.bearer("operator"))
    assert hung.status_code == 201
    await scan(qr, code)
    await qr.runtime.own.counted.write()
    await tell_health(qr.runtime)
    assert not [h for h in await health(qr) if h[0] == code]
    qr.clock.advance(days=59)
    await tell_health(qr.runtime)
    assert not [h for h in await health(qr) if h[0] == code]
    qr.clock.advance(days=1)
    await tell_health(qr.runtime)
    await tell_health(qr.runtime)
    assert [h for h in await health(qr) if h[0] == code] == [(code, "silent")]
    said = [CodeHealthChanged.model_validate_json(t) for t in await qr.said("code_health.changed.v1")]
    silent = next(e for e in said if e.code == code)
    assert (silent.days, str(silent.last_scan), silent.village_code) == (60, "2026-11-24", NEIGHBOUR)
    page = await qr.client.get("/posters", headers={"accept": "text/html", **qr.bearer("operator")})
    assert "很久没人扫" in page.text
    await scan(qr, code)
    await qr.runtime.own.counted.write()
    await tell_health(qr.runtime)
    assert [h for h in await health(qr) if h[0] == code] == [(code, "silent"), (code, "alive")]


async def test_a_revoked_code_that_is_opened_still_hangs(qr: Served, valid_code: FindCode) -> None:
    code = (await valid_code(FAR_VILLAGE)).code
    await qr.client.post(f"/qr/v1/codes/{code}/revoke", json={"reason": "换新"}, headers=qr.bearer("operator"))
    before = len(await health(qr))
    qr.clock.advance(days=5)
    await scan(qr, code)
    await qr.runtime.own.counted.write()
    await tell_health(qr.runtime)
    assert not [h for h in (await health(qr))[before:] if h[0] == code]
    qr.clock.advance(days=5)
    await scan(qr, code)
    await qr.runtime.own.counted.write()
    await tell_health(qr.runtime)
    assert [h for h in (await health(qr))[before:] if h[0] == code] == [(code, "still_hangs")]
