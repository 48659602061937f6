"""Villagers read on while publish is frozen, dead or slow: the standby gives what stands on the disk, with its age."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from deploy.local.gateway import Gateway
from deploy.local.home import Home, free_port
from deploy.local.service import Standby
from services.contracts.topics import SERVICES
from services.publish.hot.answers import HTML, JSON, Body, body_of_nothing, pack
from services.publish.hot.files import file_of, remove_rendered, write_all
from tests.deploy.listener import Listener
from tests.running import RunningCity, paused

VILLAGE = "210881006206"
GONE = "/d/01a2198b-9dcd-728c-af79-1e54b8f34bae"
PAGE = "<!doctype html><html><head></head><body>\n<h1>东海村</h1></body></html>"


@dataclass(frozen=True)
class Ground:
    """A gateway in front of a standby with some files, and of a publish that answers as a test wants."""

    publish: Listener
    standby: Standby
    home: Home
    client: httpx2.AsyncClient

    @property
    def rendered(self) -> Path:
        """Where publish keeps its files."""
        return self.home.path / "publish"

    def write(self, path: str, body: Body) -> Path:
        """Have a body on the disk."""
        target = file_of(self.rendered / "release", path)
        assert target is not None
        write_all(self.rendered, [(target, pack(body))])
        return target


def _upstreams(services: str, standby: Standby) -> dict[str, str]:
    return {**{str(name): services for name in SERVICES}, "standby": standby.address}


@pytest_asyncio.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """All of it, running."""
    home = Home(tmp_path_factory.mktemp("standby") / "home")
    files = {"SANWU_HOME": str(home.path), "SANWU_HTTP_PORT": str(home.port("standby"))}
    standby = Standby(home, lambda: files)
    async with AsyncExitStack() as stack:
        publish = stack.enter_context(Listener("publish"))
        await stack.enter_async_context(standby)
        upstreams = _upstreams(publish.address, standby)
        gateway = await stack.enter_async_context(Gateway(home, free_port(avoid=set()), upstreams))
        client = await stack.enter_async_context(httpx2.AsyncClient(base_url=gateway.url, timeout=20))
        yield Ground(publish, standby, home, client)


@pytest_asyncio.fixture
async def ground(running: Ground) -> AsyncIterator[Ground]:
    """The same, with no file on the disk and a publish that the gateway asks first."""
    shutil.rmtree(running.rendered, ignore_errors=True)
    # The gateway tries a publish that was slow again after some seconds.
    for _ in range(100):
        if (await running.client.get("/")).headers.get("x-answered-by") == "publish":
            break
        await asyncio.sleep(0.2)
    yield running
    running.publish.pause_s = 0.0


async def test_while_publish_answers_the_standby_is_not_asked(ground: Ground) -> None:
    ground.write(f"/v/{VILLAGE}", Body(PAGE.encode(), HTML))
    answer = await ground.client.get(f"/v/{VILLAGE}")
    assert (answer.headers["x-answered-by"], answer.headers.get("cache-status")) == ("publish", None)


async def test_a_page_from_the_disk_says_when_it_was_made_and_is_kept_by_nobody(ground: Ground) -> None:
    target = ground.write(f"/v/{VILLAGE}", Body(PAGE.encode(), HTML))
    made = time.time() - 7200
    os.utime(target, (made, made))
    ground.publish.pause_s = 3.0
    answer = await ground.client.get(f"/v/{VILLAGE}")
    assert (answer.status_code, answer.headers["cache-status"]) == (200, "standby; hit")
    assert 7200 <= int(answer.headers["age"]) < 7300
    assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == ("no-store", "noindex")
    assert "这一页是" in answer.text
    assert "存下的" in answer.text
    assert "<h1>东海村</h1>" in answer.text
    head = await ground.client.head(f"/v/{VILLAGE}")
    assert (head.headers["cache-status"], head.content) == ("standby; hit", b"")


async def test_json_from_the_disk_is_the_same_and_tells_its_age_in_headers(ground: Ground) -> None:
    ground.write(f"/api/v1/villages/{VILLAGE}", Body(b'{"code":"210881006206"}', JSON))
    ground.publish.pause_s = 3.0
    answer = await ground.client.get(f"/api/v1/villages/{VILLAGE}")
    assert answer.json() == {"code": VILLAGE}
    assert int(answer.headers["age"]) < 60


async def test_what_was_withdrawn_is_not_there_and_its_tombstone_stays_one(ground: Ground) -> None:
    ground.write(GONE, Body(PAGE.encode(), HTML))
    ground.publish.pause_s = 1.0
    assert (await ground.client.get(GONE)).headers["cache-status"] == "standby; hit"
    remove_rendered(ground.rendered, [("disclosure", GONE.removeprefix("/d/"))])
    answer = await ground.client.get(GONE)
    assert "东海村" not in answer.text
    ground.write(GONE, body_of_nothing("<body>已撤回".encode(), HTML))
    answer = await ground.client.get(GONE)
    assert (answer.status_code, answer.headers["cache-control"]) == (410, "no-store")


@pytest.mark.parametrize("path", [f"/v/{VILLAGE}/F01", "/changes", f"/api/v1/villages/{VILLAGE}/duties", "/nothing"])
async def test_slow_answers_to_what_has_no_file_are_waited_for(ground: Ground, path: str) -> None:
    ground.publish.pause_s = 2.0
    answer = await ground.client.get(path)
    assert (answer.status_code, answer.headers["x-answered-by"]) == (200, "publish")


async def test_nothing_but_reading_goes_to_the_standby(ground: Ground) -> None:
    ground.write(f"/v/{VILLAGE}", Body(PAGE.encode(), HTML))
    ground.publish.pause_s = 2.0
    assert (await ground.client.post(f"/v/{VILLAGE}")).headers["x-answered-by"] == "publish"


async def test_a_dead_publish_leaves_its_pages_and_says_please_wait_for_the_rest(
    ground: Ground, tmp_path: Path
) -> None:
    ground.write("/", Body(PAGE.encode(), HTML))
    nobody = f"127.0.0.1:{free_port(avoid=set())}"
    upstreams = _upstreams(nobody, ground.standby)
    async with (
        Gateway(tmp_path / "dead", free_port(avoid=set()), upstreams) as gateway,
        httpx2.AsyncClient(base_url=gateway.url, timeout=20) as client,
    ):
        assert (await client.get("/")).headers["cache-status"] == "standby; hit"
        rest = await client.get(f"/v/{VILLAGE}")
        assert (rest.status_code, rest.headers["retry-after"]) == (503, "5")
        assert "请稍候再试" in rest.text
        api = await client.get(f"/api/v1/villages/{VILLAGE}")
        assert (api.status_code, api.json()["code"]) == (503, "upstream_unavailable")


async def test_half_a_file_counts_as_none(ground: Ground) -> None:
    target = ground.write(f"/v/{VILLAGE}", Body(PAGE.encode(), HTML))
    target.write_bytes(target.read_bytes()[:-10])
    ground.publish.pause_s = 1.5
    assert (await ground.client.get(f"/v/{VILLAGE}")).headers["x-answered-by"] == "publish"


@pytest.mark.parametrize("first", range(3))
async def test_whoever_comes_first_after_publish_froze_waits_for_a_moment_and_the_others_for_nothing(
    ground: Ground, first: int
) -> None:
    paths = ["/", f"/v/{VILLAGE}", f"/api/v1/villages/{VILLAGE}"]
    for path in paths:
        ground.write(path, Body(PAGE.encode(), JSON if path.startswith("/api") else HTML))
    ground.publish.pause_s = 15.0
    began = time.monotonic()
    answers = [await ground.client.get(paths[first])]
    answers += await asyncio.gather(*(ground.client.get(path) for path in paths * 10))
    assert time.monotonic() - began < 8
    assert {(a.status_code, a.headers["cache-status"]) for a in answers} == {(200, "standby; hit")}


async def test_a_page_is_no_way_around_the_size_of_a_request(ground: Ground) -> None:
    ground.write("/", Body(PAGE.encode(), HTML))
    answer = await ground.client.request("GET", "/", content=b"x" * 2_000_000)
    assert answer.status_code == 413
    assert "内容太大" in answer.text


def test_villagers_of_a_real_city_read_on_while_publish_is_frozen(small_city: RunningCity) -> None:
    with httpx2.Client(base_url=small_city.url, timeout=20) as client:
        _read_on(small_city, client)


def _read_on(small_city: RunningCity, client: httpx2.Client) -> None:
    published = client.get(f"/api/v1/villages/{VILLAGE}/disclosures").json()["items"]
    opened = next(d for d in published if d["state"] == "published")
    items = f"/v/{VILLAGE}/{opened['item']}"
    _until_on_disk(small_city.home, items)
    pages = ["/", f"/t/{VILLAGE[:9]}", f"/v/{VILLAGE}", items, f"/d/{opened['id']}"]
    records = [f"/api/v1/villages/{VILLAGE}", f"/api/v1/disclosures/{opened['id']}"]
    live = {path: client.get(path) for path in (*pages, *records)}
    assert [a.headers.get("cache-status") for a in live.values()] == [None] * len(live)
    style = live["/"].text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    with paused(small_city, "publish"):
        stored = {path: client.get(path) for path in (*pages, *records)}
        assert client.get(style).headers["content-type"] == "text/css; charset=utf-8"
    assert [(a.status_code, a.headers["cache-status"]) for a in stored.values()] == [(200, "standby; hit")] * len(live)
    for path in pages:
        assert "存下的" in stored[path].text
        assert "<main>" in stored[path].text
    for path in records:
        assert stored[path].json() == live[path].json()
        assert int(stored[path].headers["age"]) >= 0
    _until_publish_answers(client)


def _until_on_disk(home: Path, path: str) -> None:
    release = next(p for p in (home / "publish").iterdir() if p.is_dir())
    target = file_of(release, path)
    assert target is not None
    give_up = time.monotonic() + 120
    while not target.exists():
        assert time.monotonic() < give_up, "the item's page was not rendered"
        time.sleep(0.2)


def _until_publish_answers(client: httpx2.Client) -> None:
    give_up = time.monotonic() + 60
    while "cache-status" in client.get(f"/v/{VILLAGE}").headers:
        assert time.monotonic() < give_up, "the gateway did not go back to publish"
        time.sleep(0.5)
    assert "存下的" not in client.get(f"/v/{VILLAGE}").text
