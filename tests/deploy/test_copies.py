"""Copies of a service: how many there are, where they are asked, and that the city works with one of them gone."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest

from deploy.local import rotate, service
from deploy.local.faults import Fault
from deploy.local.home import Home
from deploy.local.info import planned
from tests.running import RunningCity, process_of

SERVICES = ["registry", "ingest", "publish", "audit", "qr"]


@pytest.mark.parametrize(
    ("told", "rendering", "processors", "copies"),
    [
        ("", "", 1, []),
        ("", "", 2, ["ingest-2", "publish-jobs"]),
        ("", "", 64, ["ingest-2", "publish-jobs"]),
        ("1", "1", 64, []),
        ("1", "", 2, ["publish-jobs"]),
        ("3", "2", 1, ["ingest-2", "ingest-3", "publish-jobs"]),
    ],
)
def test_there_are_more_processes_where_there_are_processors_for_them(
    monkeypatch: pytest.MonkeyPatch, told: str, rendering: str, processors: int, copies: list[str]
) -> None:
    monkeypatch.setenv("SANWU_WORKERS_INGEST", told)
    monkeypatch.setenv("SANWU_WORKERS_PUBLISH", rendering)
    monkeypatch.setattr(service, "processors", lambda: processors)
    assert service.process_names() == [*SERVICES, *copies]


@pytest.mark.parametrize(("name", "most"), [("SANWU_WORKERS_INGEST", 8), ("SANWU_WORKERS_PUBLISH", 2)])
@pytest.mark.parametrize("told", ["0", "9", "-1", "two", "1.5", "\uff12", " "])
def test_a_number_of_processes_that_makes_no_sense_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, most: int, told: str
) -> None:
    monkeypatch.setenv(name, told)
    with pytest.raises(Fault, match=rf"{name} is .*: give a number of processes, 1 to {most}"):
        service.process_names()


def test_a_copy_has_its_services_rights_and_a_place_and_a_name_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SANWU_WORKERS_INGEST", "2")
    info = planned(Home(tmp_path), "http://127.0.0.1:8000")
    first, copy = info.settings["ingest"], info.settings["ingest-2"]
    assert {name for name in first if first[name] != copy[name]} == {"SANWU_HTTP_PORT", "SANWU_INSTANCE"}
    for name in ("ingest", "ingest-2"):
        assert info.settings[name]["SANWU_HTTP_PORT"] == str(urlsplit(info.addresses[name]).port)
        assert info.settings[name]["SANWU_INSTANCE"] == name
    part = service.Service(Home(tmp_path), "ingest-2", lambda: copy)
    assert part.command()[-5:] == ["-m", "services.ingest", "serve", "--roles", "http,relay"]
    assert service.Service(Home(tmp_path), "ingest", lambda: first).command()[-1] == "serve"


@pytest.mark.parametrize(
    ("workers", "roles"),
    [("1", {"publish": None}), ("2", {"publish": "http,relay,consumer", "publish-jobs": "http,jobs"})],
)
def test_pages_are_made_in_one_process_of_publish(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workers: str, roles: dict[str, str | None]
) -> None:
    monkeypatch.setenv("SANWU_WORKERS_PUBLISH", workers)
    told = {}
    for name in (n for n in service.process_names() if service.service_of(n) == "publish"):
        *_, before, last = service.Service(Home(tmp_path), name, dict).command()
        told[name] = last if before == "--roles" else None
    assert told == roles


def test_readers_are_answered_and_pages_made_by_different_processes(small_city: RunningCity) -> None:
    assert {n for n in small_city.addresses() if service.service_of(n) == "publish"} == {"publish", "publish-jobs"}
    pages = 'sanwu_publish_rendered_bodies_total{kind="disclosure"}'
    told = {n: httpx2.get(f"{small_city.addresses()[n]}/metrics").text for n in ("publish", "publish-jobs")}
    rendered = {
        n: sum(float(x.rpartition(" ")[2]) for x in text.splitlines() if x.startswith(pages))
        for n, text in told.items()
    }
    assert rendered["publish"] == 0
    assert rendered["publish-jobs"] > 0
    # The one that renders is asked by nobody but operators.
    routes = [x for x in told["publish-jobs"].splitlines() if x.startswith("http_request_duration_seconds_count")]
    assert all('route="/livez"' in x or 'route="/readyz"' in x or 'route="/metrics"' in x for x in routes), routes


def test_what_nobody_waits_for_stands_back_for_what_readers_wait_for(small_city: RunningCity) -> None:
    own = psutil.Process().nice()
    yields = {
        name: process_of(small_city, name).nice() - own for name in ("publish", "publish-jobs", "ingest", "audit")
    }
    assert yields == {"publish": 0, "publish-jobs": 0, "ingest": 0, "audit": 10}


@pytest.fixture
def copy(small_city: RunningCity) -> Iterator[psutil.Process]:
    """The copy of ingest, awaited when it was ended."""
    before = process_of(small_city, "ingest-2")
    yield before
    give_up = time.monotonic() + 60
    while not _serves(small_city):
        assert time.monotonic() < give_up
        time.sleep(0.2)


def _serves(city: RunningCity) -> bool:
    try:
        return httpx2.get(f"{city.addresses()['ingest-2']}/readyz").is_success
    except httpx2.HTTPError:
        return False


def _count(city: RunningCity, name: str) -> float:
    """How many requests for the list of disclosures a process answered."""
    told = httpx2.get(f"{city.addresses()[name]}/metrics").text.splitlines()
    route = 'http_request_duration_seconds_count{method="GET",route="/ingest/v1/disclosures",status="200"}'
    return sum(float(line.rpartition(" ")[2]) for line in told if line.startswith(route))


def test_requests_go_to_both_processes_and_to_the_one_that_is_left(
    small_city: RunningCity, copy: psutil.Process
) -> None:
    clerk = {"authorization": f"Bearer {small_city.token('clerk-210881006206')}"}

    def ask() -> int:
        return httpx2.get(f"{small_city.url}/ingest/v1/disclosures", headers=clerk, timeout=20).status_code

    before = {name: _count(small_city, name) for name in ("ingest", "ingest-2")}
    assert {ask() for _ in range(20)} == {200}
    assert [_count(small_city, name) - count for name, count in before.items()] == [10, 10]
    # As a process that hangs or dies: whoever asks is answered by the other.
    os.kill(copy.pid, signal.SIGKILL)
    assert {ask() for _ in range(6)} == {200}


async def test_a_service_that_is_started_anew_is_so_in_all_its_processes(small_city: RunningCity) -> None:
    before = [process_of(small_city, name) for name in ("ingest", "ingest-2")]
    await rotate.restart_service(Home(small_city.home), "ingest")
    assert [process.is_running() for process in before] == [False, False]
    assert _serves(small_city)


def test_what_is_told_of_a_copy_stands_in_the_status(sanwu: Callable[..., Any]) -> None:
    told = json.loads(sanwu("status", "--json").out)
    assert {name: copy["process"] for name, copy in told["copies"].items()} == {"ingest-2": "ok", "publish-jobs": "ok"}
    assert "job render" in told["copies"]["publish-jobs"]["roles"]
    assert set(told["copies"]["ingest-2"]["roles"]) == {"housekeeping", "relay"}
    assert "ingest-2 ok" in sanwu("status").out
