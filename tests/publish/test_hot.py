"""Rendered bodies: headers, encodings, 304, who may answer when the database is away, what happens to broken files."""

import asyncio
import gzip
import os
import shutil
import signal
import sys
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import brotli
import pytest

from deploy.local.home import free_port
from services.contracts.disclosure import DisclosureWithdrawn
from services.kit.db import SlowInTransactionWarning
from services.publish import jobs
from services.publish.handlers import on_withdrawn
from services.publish.hot import absent
from services.publish.hot.answers import HTML, Answer, Body, BrokenFileError, negotiated, pack, plain
from services.publish.hot.files import (
    Heard,
    file_of,
    keep_same,
    open_release,
    remove_disclosures,
    remove_rendered,
    tell_heard,
    write_all,
)
from services.publish.hot.front import Store
from services.publish.hot.standby import find
from services.publish.render.cells import Cells
from services.publish.render.village import shown_on_page
from services.publish.store import cells, marks
from tests import builders
from tests.conftest import Place
from tests.publish import bodies

PAGE = f"/v/{builders.VILLAGE}"


async def raw(publish: Any, path: str, accept: str) -> Any:
    """The bytes as they travel."""
    async with publish.served.client.stream("GET", path, headers={"accept-encoding": accept}) as answer:
        return answer, b"".join([part async for part in answer.aiter_raw()])


async def test_rendered_page_travels_in_the_best_encoding_with_its_headers(publish: Any) -> None:
    await publish.opened()
    await publish.rendered()
    plain, content = await raw(publish, PAGE, "identity")
    zipped, small = await raw(publish, PAGE, "gzip, deflate")
    brotlied, smallest = await raw(publish, PAGE, "gzip, deflate, br")
    assert gzip.decompress(small) == content == brotli.decompress(smallest)
    assert len(smallest) < len(small) < len(content)
    tags = {a.headers["etag"] for a in (plain, zipped, brotlied)}
    assert len(tags) == 3
    for answer in (plain, zipped, brotlied):
        assert answer.headers["cache-control"] == "public, max-age=5, stale-while-revalidate=60, stale-if-error=86400"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_known_tag_answers_304_and_head_sends_no_body(publish: Any) -> None:
    await publish.opened()
    await publish.rendered()
    first = await publish.get(PAGE)
    again = await publish.get(PAGE, 304, If_None_Match=first.headers["etag"])
    assert again.content == b""
    assert (await publish.get(PAGE, 200, If_None_Match='"other"')).content == first.content
    head = await publish.served.client.head(PAGE)
    assert (head.status_code, head.content) == (200, b"")


async def test_rendered_bodies_answer_while_the_database_is_away(publish: Any) -> None:
    event = await publish.opened()
    await publish.rendered()
    database = publish.served.runtime.database
    pool, database._pool = database._pool, None
    try:
        for path in (
            PAGE,
            "/",
            "/t/210881006",
            f"{PAGE}/F01",
            f"/d/{event.aggregate_id}",
            f"/api/v1/disclosures/{event.aggregate_id}",
        ):
            await publish.get(path)
        missing = await publish.get(f"/d/{event.aggregate_id}/1", 503)
        assert "暂时打不开" in missing.text
        assert (await publish.get("/api/v1/changes", 503)).json()["code"] == "unavailable"
    finally:
        database._pool = pool


async def test_what_was_heard_a_day_ago_says_so_and_is_kept_by_nobody_until_news_come(
    publish: Any, place: Place
) -> None:
    await place.apply_topics()
    event = await publish.opened()
    await publish.rendered()
    data = f"/api/v1/disclosures/{event.aggregate_id}"
    rendered = publish.served.runtime.settings.rendered
    fresh = [(await publish.get(path)).content for path in (PAGE, data)]
    for silent_for, told in ((timedelta(hours=23), False), (timedelta(hours=25), True)):
        heard = builders.NOW - silent_for
        tell_heard(rendered, int(heard.timestamp()))
        await asyncio.sleep(1.1)
        page, json = await publish.get(PAGE), await publish.get(data)
        assert ("2026年11月23日 09:00 以后没有收到新的消息" in page.text) is told
        # Programs get the same figures, and the moment in the words of HTTP.
        assert json.content == fresh[1]
        assert ("last-modified" in json.headers, json.headers["cache-control"] == "no-store") == (told, told)
    assert (await publish.get(PAGE, 304, If_None_Match=page.headers["etag"])).content == b""
    assert page.text.replace("\n", "").count("没有收到新的消息") == 1
    # Written by the job, once Kafka says that nothing is left to read.
    await jobs.tell_how_far_heard(publish.served.runtime)
    await asyncio.sleep(1.1)
    assert [(await publish.get(path)).content for path in (PAGE, data)] == fresh


async def test_a_publish_that_cannot_ask_kafka_does_not_say_that_it_has_heard_all(publish: Any) -> None:
    runtime = publish.served.runtime
    away = replace(
        runtime, settings=runtime.settings.model_copy(update={"kafka": f"127.0.0.1:{free_port(avoid=set())}"})
    )
    before = Heard(runtime.settings.rendered).view[0]
    tell_heard(runtime.settings.rendered, 1)
    await jobs.tell_how_far_heard(away)
    assert Heard(runtime.settings.rendered).view[0] == 1
    tell_heard(runtime.settings.rendered, before)


async def test_readers_do_not_wait_for_a_database_that_hangs(publish: Any, place: Place, admin: Any) -> None:
    event = await publish.opened()
    await publish.rendered()
    path = f"/d/{event.aggregate_id}/1"
    await publish.get(path)
    backends = [r[0] for r in await admin.fetch("SELECT pid FROM pg_stat_activity WHERE application_name ~ 'publish'")]
    hung = [place.parts.pg.process.pid, *backends]
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)
    try:
        # Without a deadline of its own this took the pool's 5 and the driver's 10 seconds.
        async with asyncio.timeout(10):
            asked = [publish.get(p, 503) for p in (path, f"/api/v1/villages/{builders.VILLAGE}/duties")]
            answers = await asyncio.gather(*asked)
            await publish.get(PAGE)
    finally:
        for pid in hung:
            os.kill(pid, signal.SIGCONT)
    assert "暂时打不开" in answers[0].text
    assert (answers[1].json()["code"], answers[1].headers["retry-after"]) == ("unavailable", "2")
    await publish.get(path)


async def test_the_page_of_an_item_goes_with_what_is_withdrawn_of_it_comes_back_in_time_and_no_other_goes(
    publish: Any,
) -> None:
    event = await publish.opened()
    async with publish.served.runtime.database.transaction() as conn:
        await marks.insert_marks(conn, [("items", builders.VILLAGE)])
    await publish.rendered()
    release = publish.served.runtime.own.bodies.release
    target, other = (file_of(release, f"{PAGE}/{item}") for item in ("F01", "V01"))
    assert target is not None
    assert other is not None
    assert "2026年10月" in plain(target.read_bytes()).content.decode()
    await publish.withdrawn(event)
    assert not target.exists()
    assert other.exists()
    assert "已撤回" in (await publish.get(f"{PAGE}/F01")).text
    await publish.rendered()
    assert "已撤回" in plain(target.read_bytes()).content.decode()


async def test_nothing_of_a_withdrawn_disclosure_is_left_in_any_file(publish: Any) -> None:
    told = builders.ledger()
    told["lines"][0]["summary"] = "修枇杷山水管"
    event = await publish.opened(body=told)
    await publish.rendered()
    rendered = publish.served.runtime.settings.rendered
    # What an earlier release left behind counts too: whoever serves the files alone looks into all of them.
    shutil.copytree(publish.served.runtime.own.bodies.release, rendered / "0123456789abcdef")
    telling = [f for f in rendered.rglob("*.body") if "修枇杷山水管" in plain(f.read_bytes()).content.decode()]
    assert {find(rendered, p) is not None for p in (f"/d/{event.aggregate_id}", PAGE)} == {True}
    assert len(telling) >= 4
    await publish.withdrawn(event)
    assert not [f for f in telling if f.exists()]
    assert find(rendered, f"/d/{event.aggregate_id}") is None
    assert find(rendered, f"/api/v1/disclosures/{event.aggregate_id}") is None


async def test_a_withdrawal_removes_bodies_before_its_commit_and_beside_the_event_loop(publish: Any) -> None:
    event = await publish.opened()
    await publish.rendered()
    target = file_of(publish.served.runtime.own.bodies.release, f"/d/{event.aggregate_id}")
    assert target is not None
    assert target.exists()
    called: set[str] = set()

    def note(_frame: object, what: str, of: Any) -> None:
        if what == "c_call":
            called.add(of.__name__)

    withdrawal = DisclosureWithdrawn(**publish.frame(event, 1), reason="填错了村", was_published=True)
    async with publish.served.runtime.database.transaction() as conn:
        # Sees the calls of this thread alone.
        sys.setprofile(note)
        try:
            await on_withdrawn(publish.served.handling(conn), withdrawal)
        finally:
            sys.setprofile(None)
        assert not target.exists()
    assert not called & {"unlink", "fsync"}


async def test_no_body_is_written_with_a_transaction_open(publish: Any, tmp_path: Path) -> None:
    async with publish.served.runtime.database.transaction():
        with pytest.warns(SlowInTransactionWarning):
            await asyncio.to_thread(write_all, tmp_path, [])
        with pytest.warns(SlowInTransactionWarning):
            await asyncio.to_thread(remove_disclosures, tmp_path / "release")


async def test_body_that_was_not_rendered_is_made_on_request_and_then_kept(publish: Any) -> None:
    event = await publish.opened()
    path = f"/d/{event.aggregate_id}"
    release = publish.served.runtime.own.bodies.release
    target = file_of(release, path)
    assert target is not None
    assert not target.exists()
    before = await publish.get(path)
    await publish.rendered()
    assert target.exists()
    after = await publish.get(path)
    assert after.content == before.content
    assert after.headers["etag"] == before.headers["etag"]
    assert dict(after.headers).keys() <= dict(before.headers).keys()


async def test_replaced_and_removed_files_are_seen_at_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "release", 1_000_000)
    target = file_of(tmp_path / "release", "/v/210881006206")
    assert target is not None
    write_all(tmp_path, [(target, pack(Body(b"old", HTML)))])
    old = store.get("/v/210881006206")
    write_all(tmp_path, [(target, pack(Body(b"new", HTML)))])
    new = store.get("/v/210881006206")
    assert old is not None
    assert new is not None
    assert (old.variants["identity"][1]["body"], new.variants["identity"][1]["body"]) == (b"old", b"new")
    remove_rendered(tmp_path, [("village", "210881006206")])
    assert store.get("/v/210881006206") is None


async def test_folder_removed_by_hand_is_seen_within_a_second(tmp_path: Path) -> None:
    store = Store(tmp_path / "all" / "release", 1_000_000)
    target = file_of(tmp_path / "all" / "release", "/v/210881006206")
    assert target is not None
    write_all(tmp_path / "all", [(target, pack(Body(b"old", HTML)))])
    assert store.get("/v/210881006206") is not None
    shutil.rmtree(tmp_path / "all")
    await asyncio.sleep(0.6)
    assert store.get("/v/210881006206") is None
    write_all(tmp_path / "all", [(target, pack(Body(b"new", HTML)))])
    assert store.get("/v/210881006206") is not None
    remove_rendered(tmp_path / "all", [("village", "210881006206")])
    assert store.get("/v/210881006206") is None


def test_memory_is_bounded_and_the_least_read_goes_first(tmp_path: Path) -> None:
    size = len(pack(Body(b"x" * 100, HTML)))
    store = Store(tmp_path / "release", 2 * size)
    for code in ("210881006201", "210881006202", "210881006203"):
        target = file_of(tmp_path / "release", f"/v/{code}")
        assert target is not None
        write_all(tmp_path, [(target, pack(Body(b"x" * 100, HTML)))])
        assert store.get(f"/v/{code}") is not None
    assert list(store._kept) == ["/v/210881006202", "/v/210881006203"]


@pytest.mark.parametrize("cut", [0, 10, 200])
def test_file_that_is_not_whole_counts_as_missing(cut: int) -> None:
    packed = pack(Body("公开".encode() * 100, HTML))
    with pytest.raises(BrokenFileError):
        Answer(packed[:cut])


@pytest.mark.parametrize(
    "path",
    [
        "/../etc/passwd",
        "/v/..",
        "/v/2108810062066",
        "/d/a/b",
        "/d/",
        "//",
        "/d/\x00",
        "/v/\uff12\uff11\uff10881006206",
        "",
    ],
)
def test_strange_paths_have_no_file(path: str, tmp_path: Path) -> None:
    assert file_of(tmp_path, path) is None


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        (b"gzip, deflate, br", "br"),
        (b"gzip;q=1.0, br;q=0", "gzip"),
        (b"identity", "identity"),
        (b"*", "br"),
        (b"GZIP", "gzip"),
        (b"", "identity"),
        (b"\xff\x00", "identity"),
    ],
)
def test_encoding_is_what_the_reader_takes(accept: bytes, encoding: str) -> None:
    assert negotiated(accept) == encoding


def test_new_release_removes_the_old_ones(tmp_path: Path) -> None:
    (tmp_path / "old" / "v").mkdir(parents=True)
    assert open_release(tmp_path, tmp_path / "new") is True
    assert open_release(tmp_path, tmp_path / "new") is False
    assert [p.name for p in tmp_path.iterdir()] == ["new"]


async def test_midnight_marks_every_village_once(publish: Any) -> None:
    runtime = publish.served.runtime
    await jobs.mark_everything_daily(runtime)
    await publish.rendered()
    assert "已晚8天" in (await publish.get(f"/v/{builders.NEIGHBOUR}")).text
    publish.served.clock.advance(hours=14)
    await jobs.mark_everything_daily(runtime)
    await publish.rendered()
    assert "已晚9天" in (await publish.get(f"/v/{builders.NEIGHBOUR}")).text
    await jobs.mark_everything_daily(runtime)
    async with runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM dirty") == 0
    publish.served.clock.advance(hours=-14)


async def test_steps_wait_two_seconds_for_each_other_and_what_is_let_out_for_nothing(publish: Any) -> None:
    runtime, renderer = publish.served.runtime, jobs.Renderer()

    async def waiting() -> set[str]:
        async with runtime.database.connection() as conn:
            return {r["kind"] for r in await conn.fetch("SELECT kind FROM dirty WHERE kind NOT IN ('item', 'items')")}

    async def step() -> None:
        async with runtime.database.transaction() as conn:
            await marks.insert_marks(conn, [("village", builders.VILLAGE)])

    await publish.rendered()
    await renderer.run(runtime)
    await step()
    await step()
    await renderer.run(runtime)
    assert await waiting() == {"village"}
    # What is let out in the same village takes them along.
    await publish.opened(period="2025-03")
    await renderer.run(runtime)
    assert await waiting() <= {"township", "city"}
    await step()
    await renderer.run(runtime)
    assert "village" in await waiting()
    await asyncio.sleep(2)
    await renderer.run(runtime)
    assert await waiting() == set()


async def test_a_village_that_keeps_changing_is_rendered_every_two_seconds_and_what_was_let_out_at_once(
    publish: Any,
) -> None:
    runtime, renderer = publish.served.runtime, jobs.Renderer()

    async def waiting() -> set[str]:
        async with runtime.database.connection() as conn:
            found = {r["kind"] for r in await conn.fetch("SELECT kind FROM dirty")}
        return found & {"disclosure", "village"}

    await publish.rendered()
    # A first change of a quiet village is shown at once.
    await publish.opened(period="2023-01")
    await renderer.run(runtime)
    assert await waiting() == set()
    await publish.opened(period="2023-02")
    await renderer.run(runtime)
    assert await waiting() == {"village"}
    async with asyncio.timeout(20):
        while await waiting():
            await asyncio.sleep(0.5)
            await renderer.run(runtime)


async def test_an_approval_renders_the_page_of_its_item_alone_and_no_old_one_stands_meanwhile(publish: Any) -> None:
    runtime, village = publish.served.runtime, builders.FAR_VILLAGE
    own, other = (file_of(runtime.own.bodies.release, f"/v/{village}/{item}") for item in ("F02", "V01"))
    assert own is not None
    assert other is not None
    await jobs.mark_everything_daily(runtime)
    for _ in range(20):
        # Every item of every village, a few villages a run.
        await publish.rendered()
    before = other.stat().st_mtime_ns
    event = await publish.opened(village=village, item="F02", period="2026Q3", body=bodies.notice())
    renderer = jobs.Renderer()
    await renderer.run(runtime)
    assert not own.exists()
    assert f"/d/{event.aggregate_id}" in (await publish.get(f"/v/{village}/F02")).text
    await publish.rendered()
    assert f"/d/{event.aggregate_id}".encode() in plain(own.read_bytes()).content
    assert other.stat().st_mtime_ns == before


async def test_a_page_that_was_marked_many_times_is_rendered_once(publish: Any) -> None:
    runtime, subjects = publish.served.runtime, [("items", builders.VILLAGE), ("items", builders.NEIGHBOUR)]
    await publish.rendered()
    for _ in range(3):
        async with runtime.database.transaction() as conn:
            await marks.insert_marks(conn, subjects)
    async with runtime.database.connection() as conn:
        oldest = await marks.select_marks(conn, ["items"], 1)
        both = await marks.select_marks(conn, ["items"], 2)
    assert [m.subject for m in oldest] == subjects[:1] * 3
    assert len(both) == 6
    for _ in range(3):
        await publish.rendered()
    async with runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM dirty") == 0


async def test_a_page_that_cannot_be_made_holds_no_other_up_and_tells_nothing_old(publish: Any) -> None:
    runtime, village = publish.served.runtime, builders.FAR_VILLAGE
    broken, sound = [await publish.opened(village=village, period=period) for period in ("2014-01", "2014-02")]
    await publish.rendered()
    release = runtime.own.bodies.release
    files = [f for event in (broken, sound) if (f := file_of(release, f"/d/{event.aggregate_id}")) is not None]
    for f in files:
        os.utime(f, (1, 1))
    seal = "UPDATE edition SET sealed = overlay(sealed PLACING $2 FROM 20) WHERE disclosure_id = $1"
    subjects = [("disclosure", broken.aggregate_id), ("disclosure", sound.aggregate_id)]
    async with runtime.database.transaction() as conn:
        # A bit of it fell over on the disk.
        await conn.execute(seal, broken.aggregate_id, b"\x00\x00")
        await marks.insert_marks(conn, subjects)
    renderer = jobs.Renderer()
    for _ in range(2):
        await renderer.run(runtime)
    assert files[1].stat().st_mtime > 1
    assert not files[0].exists()
    async with runtime.database.connection() as conn:
        left = await conn.fetch("SELECT kind, key FROM dirty WHERE kind = 'disclosure'")
        assert [(r["kind"], r["key"]) for r in left] == subjects[:1]
    # Set aside by this process, and tried again by one that begins.
    await renderer.run(runtime)
    async with runtime.database.transaction() as conn:
        await conn.execute("DELETE FROM dirty WHERE key = $1", broken.aggregate_id)


@pytest.mark.parametrize("harm", ["none", "another", "cut", "empty", "no line", "no object", "gone"])
def test_a_page_that_is_the_same_is_left_as_one_of_now_and_any_other_is_written(tmp_path: Path, harm: str) -> None:
    target, body = tmp_path / "page.body", Body(b"<p>the same</p>" * 50, HTML)
    write_all(tmp_path, [(target, pack(body))])
    os.utime(target, (1, 1))
    packed = target.read_bytes()
    match harm:
        case "another":
            body = Body(body.content, HTML, 410)
        case "cut":
            target.write_bytes(packed[:-1])
        case "empty":
            target.write_bytes(b"")
        case "no line":
            target.write_bytes(packed.replace(b"\n", b" ", 1))
        case "no object":
            target.write_bytes(b"[]\n" + packed)
        case "gone":
            target.unlink()
    assert keep_same(target, body) is (harm == "none")
    if harm == "none":
        assert target.read_bytes() == packed
        assert target.stat().st_mtime > 1


async def test_a_village_page_of_ten_years_reads_what_it_shows(publish: Any) -> None:
    runtime, village = publish.served.runtime, builders.FAR_VILLAGE
    for year in range(2016, 2026):
        for month in (1, 6, 12):
            await publish.opened(village=village, period=f"{year}-{month:02}")
    newest = await publish.opened(village=village, period="2026-02")
    async with runtime.database.connection() as conn:
        loaded = await runtime.own.bodies.load(conn, [("village", village)])
    assert len(loaded.cells[village].known) > 30
    # Of the ledgers the newest month, which is its whole year so far, and the one whose closing it opens with.
    assert sorted(p.period for p in loaded.publications.values() if p.item == "F01") == ["2025-12", "2026-02"]
    page = runtime.own.bodies.render(loaded, ("village", village))[f"/v/{village}"].content.decode()
    assert "2026年已公开的1个月" in page
    assert f"/d/{newest.aggregate_id}" in page
    await publish.rendered()
    listed = (await publish.get(f"/v/{village}/F01")).text
    assert "2026年2月" in listed
    assert "2025年6月" not in listed
    for year in range(2016, 2026):
        assert f'href="/v/{village}/F01/{year}"' in listed
        earlier = (await publish.get(f"/v/{village}/F01/{year}")).text
        assert all(f"{year}年{month}月" in earlier for month in (1, 6, 12))
        assert f"{year - 1}年6月" not in earlier


@pytest.mark.parametrize("of_item", ["210881006206/F99", "210881006206/f01", "999999999999/F01", "210881006206/F01/x"])
async def test_an_item_that_is_none_has_no_page_and_leaves_no_mark(publish: Any, of_item: str) -> None:
    await publish.get(f"/v/{of_item}", 404)
    async with publish.served.runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM dirty WHERE key = $1", of_item) == 0


async def test_a_page_that_is_awaited_is_there_as_soon_as_its_file_is(publish: Any) -> None:
    path = "/d/01a20c91-0000-7000-8000-0000000000ff"
    client, release = publish.served.client, publish.served.runtime.own.bodies.release
    first, again = await client.get(path), await client.get(path)
    assert (first.status_code, again.status_code) == (404, 404)
    # The same answer to the letter: nobody was asked a second time.
    assert first.headers["x-request-id"] == again.headers["x-request-id"]
    target = file_of(release, path)
    assert target is not None
    await asyncio.to_thread(write_all, release.parent, [(target, pack(Body(b"<p>now</p>", HTML)))])
    assert (await client.get(path)).text == "<p>now</p>"


async def test_a_page_that_is_awaited_is_made_for_who_waits_when_nobody_else_makes_it(
    publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(absent, "_MADE_SOON_S", 0.0)
    event = await publish.approved(period="2024-07")
    paths = [f"/d/{event.aggregate_id}", f"/api/v1/disclosures/{event.aggregate_id}"]
    for path in (*paths, *paths):
        await publish.get(path, 404)
    await publish.served.hear(event)
    # Until its file may be there it is waited for, then it is made for whoever asks.
    for path in paths:
        await publish.get(path)


async def test_who_heard_that_a_page_is_not_there_gets_its_file_or_after_a_while_one_made_for_them(
    publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, unmade = str(uuid.uuid4()), str(uuid.uuid4())
    for disclosure in (made, unmade):
        await publish.get(f"/d/{disclosure}", 404)
        await publish.opened(disclosure, period=f"2019-0{1 + (disclosure == made)}")
        await publish.get(f"/d/{disclosure}", 404)
    await publish.rendered()
    assert "x-request-id" not in (await publish.get(f"/d/{made}")).headers
    target = file_of(publish.served.runtime.own.bodies.release, f"/d/{unmade}")
    assert target is not None
    # Whoever renders it hangs.
    target.unlink()
    monkeypatch.setattr(absent, "_MADE_SOON_S", 0.1)
    await asyncio.sleep(0.2)
    assert "x-request-id" in (await publish.get(f"/d/{unmade}")).headers


async def test_a_reader_waits_a_moment_for_the_file_of_what_was_let_out_just_now(publish: Any) -> None:
    event = await publish.opened(period="2024-08")
    path = f"/d/{event.aggregate_id}"
    target = file_of(publish.served.runtime.own.bodies.release, path)
    assert target is not None
    asked = asyncio.create_task(publish.get(path))
    await asyncio.sleep(0.05)
    assert not asked.done()
    await publish.rendered()
    assert "x-request-id" not in (await asked).headers
    target.unlink()
    await asyncio.sleep(0.5)
    assert "x-request-id" in (await publish.get(path)).headers


async def test_the_outline_of_a_village_leads_to_the_page_that_all_its_cells_lead_to(publish: Any) -> None:
    """Corrected, withdrawn, late, nothing to tell, other shapes of period: of what is open the page reads only some."""
    runtime, village = publish.served.runtime, "210881116202"
    opened = [
        await publish.opened(village=village, item=item, period=period)
        for item, period in (
            *(("F01", f"{year}-{month:02}") for year in (2024, 2025) for month in (1, 11, 12)),
            ("F01", "2026-09"),
            ("F01", "2026-10"),
            ("F01", "2026Q3"),
            ("F02", "2026"),
            ("F02", "2026H1"),
            ("F03", "2026Q1"),
            ("F03", "2026Q2"),
            ("V07", "2026-10-02"),
        )
    ]
    await publish.opened(village=village, item="F01", period="2026-08", body=builders.ledger(lines=[], totals=None))
    for event in (opened[7], opened[9], opened[13]):
        await publish.withdrawn(event)
    async with runtime.database.connection() as conn:
        outline = (await cells.select_outlines(conn, [village]))[village]
        whole = (await cells.select_cell_facts(conn, [village]))[village]
        loaded = await runtime.own.bodies.load(conn, [("village", village)])
    assert len(outline.known) < len(whole.known) == len(opened) + 1
    assert shown_on_page(outline.known) == shown_on_page(whole.known)
    assert set(outline.opened or ()) == set(Cells(whole).opened)
    assert opened[7].aggregate_id not in shown_on_page(outline.known), "withdrawn, and others of its item are open"
    as_before = replace(loaded, cells={village: whole}, standing_now={})
    subject = ("village", village)
    assert runtime.own.bodies.render(loaded, subject) == runtime.own.bodies.render(as_before, subject)
