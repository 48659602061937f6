"""A used city starts again as it is: whatever the sample's setting says, whoever has another password, whatever fails."""

import asyncio
import csv
import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from deploy.local.faults import told
from deploy.local.home import Home, free_port
from deploy.local.origin import _origin_of
from deploy.local.postgres import Postgres
from deploy.local.sample import loader
from deploy.local.sample.city import CityClient
from deploy.local.sample.manifest import Plan, Waived
from deploy.local.sample.registry import PILOT, Village, read_staff
from tests.running import CITY_PATIENCE_S, ROOT, RunningCity, start_city, stop_city

CLERK = "clerk-210881006206"


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("used")
    folder.chmod(0o711)
    return folder / "home"


def said(home: Path, awaited: str = "") -> str:
    """What the last start printed, in one line, once this stands in it: a sample is counted when the city is ready."""
    give_up = time.monotonic() + CITY_PATIENCE_S
    while awaited not in (words := re.sub(r"\s+", " ", (home.parent / f"{home.name}.log").read_text())):
        assert time.monotonic() < give_up, f"{awaited!r} was not said: {words}"
        time.sleep(0.2)
    return words


def accounts(home: Path) -> set[str]:
    return {r["username"] for r in csv.DictReader(io.StringIO((home / "staff.csv").read_text()))}


def sanwu(home: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments, "--json"],
        env={"SANWU_HOME": str(home), "PATH": "/usr/bin:/bin"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def query(home: Path, statement: str) -> list[Any]:
    async def ask() -> list[Any]:
        conn = await asyncpg.connect(Postgres(Home(home)).dsn("sanwu_admin"))
        try:
            return list(await conn.fetch(statement))
        finally:
            await conn.close()

    return asyncio.run(ask())


@pytest.mark.timeout(2 * CITY_PATIENCE_S)
def test_home_begun_without_a_sample_never_gets_one(home: Path) -> None:
    port = free_port(avoid=set())
    stop_city(start_city(home, port, "none"))
    assert accounts(home) == {"operator"}
    # As a home from before the note: the registry itself tells.
    (home / "city.json").unlink()
    city = start_city(home, port, "small")
    try:
        assert "This home was begun with SANWU_SAMPLE=none and stays so: small needs a SANWU_HOME of its own." in said(
            home
        )
        assert "Traceback" not in said(home)
        assert accounts(home) == {"operator"}
        assert json.loads((home / "city.json").read_text()) == {"sample": "none", "seeded": True, "loaded": True}
        assert [s["username"] for s in sanwu(home, "staff", "list")["staff"]] == ["operator"]
        assert query(home, "SELECT 1 FROM ingest.disclosure") == []
    finally:
        stop_city(city)


@pytest.mark.timeout(3 * CITY_PATIENCE_S)
def test_sample_city_goes_on_without_people_who_have_other_passwords(home: Path) -> None:
    port = free_port(avoid=set())
    first = start_city(home, port, "small")
    try:
        assert "left out" not in said(home)
        sanwu(home, "staff", "reset", CLERK)
        _change_own_password(first, "clerk-210881006208")
        sanwu(home, "staff", "end", "supervisor-210881006206-2")
        waivers = query(home, "SELECT count(*) AS n FROM ingest.waiver")[0]["n"]
        # What the sample would ask again of everybody, were it to begin anew.
        query(home, "DELETE FROM ingest.declaration")
    finally:
        stop_city(first)
    # The newest note is younger than this home.
    (home / "city.json").unlink()
    second = start_city(home, port, "full")
    try:
        assert "This home was begun with SANWU_SAMPLE=small and stays so" in said(home)
        said(home, "The sample goes on without")
        assert f"{CLERK} does not sign in with what stands in staff.csv any more" in said(home)
        assert "clerk-210881006208 does not sign in" in said(home)
        assert "Traceback" not in said(home)
        failed = query(home, "SELECT count(*) AS n FROM registry_trail.action WHERE action = 'sign-in failed'")
        assert failed[0]["n"] == 2
        assert query(home, "SELECT count(*) AS n FROM ingest.waiver")[0]["n"] == waivers
        members = {s["username"]: s["role"] for s in sanwu(home, "staff", "list")["staff"]}
        assert members["supervisor-210881006206-2"] is None
    finally:
        stop_city(second)
    (home / "staff.csv").write_text("username,oddity\noperator,1\n")
    third = start_city(home, port, "small")
    try:
        said(home, "! The sample is not as planned; the city serves on. TypeError:")
        assert "Traceback" not in said(home)
        assert "Traceback" in (home / "logs" / "sample.log").read_text()
        assert httpx2.get(f"{third.url}/").status_code == 200
        assert third.process.poll() is None
    finally:
        stop_city(third)
    assert third.process.returncode == 0


def _change_own_password(city: RunningCity, username: str) -> None:
    changed = {"username": username, "password": city.password(username), "new_password": "另一个够长的密码-2026"}
    answer = httpx2.post(f"{city.url}/registry/v1/sign-in", json=changed, timeout=30)
    assert answer.is_success, answer.text


async def test_waiver_of_a_cell_that_was_opened_is_left_out_in_a_sentence(small_city: RunningCity) -> None:

    progress = loader.Progress(entered=lambda: None)
    village = Village("210881006206", "", PILOT)
    nobody = Village("210881006999", "", PILOT)
    plan = Plan((), (), {}, "2026-10", (Waived(village, "V09", "2026Q3", "已经公开。"),), (), (), {})
    async with CityClient(small_city.url, read_staff(small_city.home)) as city:
        await loader.load(city, plan, progress)
        assert [line.split(":")[0] for line in progress.left_out] == ["210881006206 V09 2026Q3"]
        assert "409 already_opened" in progress.left_out[0]
        stranger = Waived(nobody, "V09", "2026Q3", "没有这个人。")
        await loader.load(city, plan._replace(waived=(stranger,)), progress)
        assert city.absent == {"clerk-210881006999": "clerk-210881006999 does not stand in staff.csv"}


@pytest.mark.parametrize(
    ("made_up", "townships", "sample"),
    [(True, 1, "small"), (True, 27, "full"), (False, 27, "none"), (False, 1, "none")],
)
def test_what_an_older_home_was_begun_as_is_told_by_its_registry(made_up: bool, townships: int, sample: str) -> None:  # noqa: FBT001 - a row of the table
    city = {"kind": "city", "sample": made_up}
    states = [city, *({"kind": "township", "sample": False} for _ in range(townships))]
    found = _origin_of([json.dumps({"code": "1", "revisions": [{"kind": "city"}, s]}) for s in states])
    assert found is not None
    assert (found.sample, found.seeded, found.loaded) == (sample, True, False)
    assert _origin_of([]) is None


def test_a_failure_of_any_kind_is_told_in_one_sentence() -> None:
    assert told(ExceptionGroup("", [ExceptionGroup("", [KeyError("clerk\nno")])])) == "KeyError: 'clerk\\nno'"
    assert told(TimeoutError()).count("\n") == 0
