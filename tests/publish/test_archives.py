"""A division as one ZIP: whole, checked by its own manifest, streamed with little memory, bounded, and without what was withdrawn."""

import asyncio
import csv
import hashlib
import io
import json
import socket
import time
import zipfile
from typing import Any

import httpx2
import psutil
import pytest

from services.kit.errors import TooManyAtOnceError, UnavailableError
from services.kit.rates import Seats
from tests import builders
from tests.publish import bodies
from tests.publish.running import Running


async def zip_of(publish: Any, division: str, query: str = "") -> tuple[zipfile.ZipFile, dict[str, Any]]:
    answer = await publish.get(f"/api/v1/export/{division}.zip{query}")
    assert answer.headers["content-type"] == "application/zip"
    assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == ("no-store", "noindex")
    assert 'rel="license"' in answer.headers["link"]
    file = zipfile.ZipFile(io.BytesIO(answer.content))
    assert file.testzip() is None
    manifest = json.loads(file.read("manifest.json"))
    assert {f["path"] for f in manifest["files"]} == set(file.namelist()) - {"manifest.json"}
    for told in manifest["files"]:
        content = file.read(told["path"])
        assert (len(content), hashlib.sha256(content).hexdigest()) == (told["bytes"], told["sha256"])
    return file, manifest


async def test_a_village_is_a_json_and_a_table_of_everything_with_a_manifest_that_fits(publish: Any) -> None:
    village = builders.FAR_VILLAGE
    ledger = await publish.opened(village=village)
    roster = await publish.opened(village=village, item="V03", period="2026Q3", body=bodies.roster())
    gone = await publish.opened(village=village, period="2026-09")
    await publish.withdrawn(gone, reason="填错了村")
    file, manifest = await zip_of(publish, village)
    names = file.namelist()
    assert {n for n in names if n.startswith(village)} == {
        f"{village}/{period}_{item}_{e.aggregate_id}.{end}"
        for e, item, period in ((ledger, "F01", "2026-10"), (roster, "V03", "2026Q3"))
        for end in ("json", "csv")
    }
    told = json.loads(file.read(f"{village}/2026-10_F01_{ledger.aggregate_id}.json"))
    assert told == (await publish.get(f"/api/v1/disclosures/{ledger.aggregate_id}")).json()
    table = file.read(f"{village}/2026-10_F01_{ledger.aggregate_id}.csv")
    assert table == (await publish.get(f"/d/{ledger.aggregate_id}.csv")).content
    everything = b"".join(file.read(n) for n in names).decode()
    assert "张某某①" in everything
    for hidden in ("张建国", "李秀英", "k1:secret", "payee_ref"):
        assert hidden not in everything
    assert [(w["id"], w["reason"]) for w in manifest["withdrawn"]] == [(gone.aggregate_id, "填错了村")]
    assert "知识共享署名 4.0" in manifest["terms"]
    assert "知识共享署名 4.0" in file.read("README.txt").decode()
    assert {i["code"] for i in json.loads(file.read("catalogue.json"))} == set(publish.served.runtime.reference.items)
    rows = list(csv.reader(io.StringIO(file.read("villages.csv").decode("utf-8-sig"))))
    assert len(rows) == len(publish.served.runtime.own.bodies.villages()) + 1


async def test_what_changes_afterwards_is_told_from_the_manifests_cursor_on(publish: Any) -> None:
    await publish.opened(item="F02", period="2012")
    _, manifest = await zip_of(publish, builders.VILLAGE)
    later = await publish.opened(item="F02", period="2013")
    changes = (await publish.get(f"/api/v1/changes?cursor={manifest['cursor']}")).json()["items"]
    assert [c["id"] for c in changes] == [later.aggregate_id]


async def test_a_township_and_the_city_hold_their_villages_and_a_year_its_periods(publish: Any) -> None:
    mine = await publish.opened(item="F02", period="2014")
    far = await publish.opened(item="F02", period="2014", village=builders.FAR_VILLAGE)
    other = await publish.opened(item="F02", period="2015")
    township, _ = await zip_of(publish, builders.TOWNSHIP)
    assert {n[:9] for n in township.namelist() if n[:6].isdigit()} == {builders.TOWNSHIP}
    city, manifest = await zip_of(publish, builders.TOWNSHIP[:6], "?year=2014")
    found = {n.partition("_F02_")[2].partition(".")[0] for n in city.namelist() if n[:6].isdigit()}
    assert found == {mine.aggregate_id, far.aggregate_id}
    assert other.aggregate_id not in found
    assert manifest["year"] == "2014"
    empty, _ = await zip_of(publish, builders.VILLAGE, "?year=2001")
    assert [n for n in empty.namelist() if n[:6].isdigit()] == []


@pytest.mark.parametrize(
    ("division", "query", "status"),
    [
        ("999999999999", "", 404),
        ("21088", "", 422),
        ("x", "", 422),
        (builders.VILLAGE, "?year=1999", 422),
        (builders.VILLAGE, "?year=20260", 422),
        (builders.VILLAGE, "?year=2026-10", 422),
    ],
)
async def test_a_division_or_a_year_that_is_none_is_refused(
    publish: Any, division: str, query: str, status: int
) -> None:
    await publish.get(f"/api/v1/export/{division}.zip{query}", status)


async def test_what_is_too_long_is_refused_and_says_how_to_ask(publish: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await publish.opened(item="F02", period="2016")
    await publish.opened(item="F02", period="2017")
    monkeypatch.setattr("services.publish.open_data.archives._MOST", 1)
    refused = await publish.get(f"/api/v1/export/{builders.TOWNSHIP[:6]}.zip", 422)
    assert refused.json()["errors"][0]["at"] == "query.year"


def test_seats_are_bounded_by_address_and_altogether() -> None:
    seats = Seats(2, 1, 30)
    with seats.seat():
        with pytest.raises(TooManyAtOnceError), seats.seat():
            pass
        assert seats.taken == 1
    full = Seats(1, 2, 30)
    with full.seat(), pytest.raises(UnavailableError) as refused, full.seat():
        pass
    assert refused.value.extra == {"retry_after_s": 30}
    assert full.taken == 0


def taken_mib(running: Running) -> float:
    return float(psutil.Process(running.process.pid).memory_info().rss) / 2**20


async def test_a_reader_who_leaves_leaves_nothing_running_and_memory_does_not_grow(
    publish: Any, running: Running
) -> None:
    body = builders.ledger()
    body["lines"] = [{**body["lines"][0], "summary": f"第{n}笔：买办公用品"} for n in range(400)]
    for number in range(60):
        await publish.opened(item="F02", period=str(2030 + number), body={**body, "totals": None})
    path = f"/api/v1/export/{builders.VILLAGE}.zip"
    async with httpx2.AsyncClient(timeout=120) as client:
        whole = (await client.get(f"{running.url}{path}")).content
        assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None
        before = taken_mib(running)
        await client.get(f"{running.url}{path}")
        assert taken_mib(running) - before < 15
    # One who reads nothing and leaves: the next gets a place at once, and the processor rests.
    one = socket.create_connection(("127.0.0.1", running.port), timeout=10)
    one.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert b"200" in one.recv(20)
    async with httpx2.AsyncClient(timeout=120) as client:
        second = await client.get(f"{running.url}{path}")
        assert (second.status_code, "retry-after" in second.headers) in {(429, True), (200, False)}
        one.close()
        for _ in range(50):
            await asyncio.sleep(0.1)
            if (await client.get(f"{running.url}{path}")).status_code == 200:
                break
        assert (await client.get(f"{running.url}{path}")).status_code == 200
    used, since = running.processor_s(), time.monotonic()
    await asyncio.sleep(2)
    assert (running.processor_s() - used) / (time.monotonic() - since) < 0.1
