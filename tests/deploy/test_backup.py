"""The drill: a city is backed up while it runs, restored elsewhere, and is the same city; what was withdrawn stays gone."""

import asyncio
import json
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy.local import ask
from deploy.local.backup import MANIFEST, backup, check_sums, read_manifest, restore
from deploy.local.faults import Fault
from deploy.local.home import Home, free_port
from deploy.local.info import known
from deploy.local.postgres import SERVICES
from deploy.local.stack import UNFINISHED
from tests import builders
from tests.running import RunningCity, start_city, stop_city

MARKER = "备份演练的摘要"
VILLAGE = builders.VILLAGE


@dataclass(frozen=True, slots=True)
class Drill:
    """The city that was backed up, the folder, and the city that came of it."""

    city: RunningCity
    folder: Path
    manifest: dict[str, Any]
    withdrawn: str
    answers: dict[str, Any]
    restored: RunningCity


def public_answers(city: RunningCity) -> dict[str, Any]:
    """What everybody may read of every village of the city."""
    villages = httpx2.get(f"{city.url}/api/v1/villages?limit=200", timeout=30).json()["items"]
    answers: dict[str, Any] = {}
    for village in villages:
        path = f"/api/v1/villages/{village['code']}/disclosures?limit=200"
        listed = httpx2.get(f"{city.url}{path}", timeout=30).json()["items"]
        for one in listed:
            one.pop("url")
        answers[path] = listed
    first = next(one["id"] for listed in answers.values() for one in listed if one["state"] != "withdrawn")
    body = httpx2.get(f"{city.url}/api/v1/disclosures/{first}", timeout=30).json()
    return {**answers, "body": body["body"], "changes": _changes(city)}


def _changes(city: RunningCity) -> Any:
    return httpx2.get(f"{city.url}/api/v1/changes?limit=200", timeout=30).json()


def call(city: RunningCity, user: str, path: str, body: dict[str, Any], status: int) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {city.token(user)}"}
    answer = httpx2.post(f"{city.url}{path}", json=body, headers=headers, timeout=30)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


def publish_and_withdraw(city: RunningCity) -> str:
    """A ledger that was public for a moment."""
    body = builders.ledger()
    body["lines"][0]["summary"] = MARKER
    told = {"village": VILLAGE, "item": "F01", "period": "2025-03", "body": _of_march(body)}
    draft = call(city, f"clerk-{VILLAGE}", "/ingest/v1/disclosures", told, 201)
    path = f"/ingest/v1/disclosures/{draft['id']}"
    accept = [{"finding": f, "reason": "演练"} for f in draft["findings"]]
    call(city, f"clerk-{VILLAGE}", f"{path}/submit", {"version": 1, "accept": accept}, 200)
    call(city, f"supervisor-{VILLAGE}", f"{path}/confirm", {"version": 1}, 200)
    call(city, f"reviewer-{builders.TOWNSHIP}", f"{path}/approve", {"version": 1}, 200)
    until(lambda: MARKER in httpx2.get(f"{city.url}/d/{draft['id']}").text)
    call(city, f"reviewer-{builders.TOWNSHIP}", f"{path}/withdraw", {"version": 1, "reason": "演练"}, 200)
    until(lambda: httpx2.get(f"{city.url}/d/{draft['id']}").status_code == 410)
    return str(draft["id"])


def _of_march(body: dict[str, Any]) -> dict[str, Any]:
    lines = [{**line, "date": line["date"].replace("2026-10", "2025-03")} for line in body["lines"]]
    return {**body, "lines": lines}


def until(condition: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def drill(small_city: RunningCity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    withdrawn = publish_and_withdraw(small_city)
    answers = public_answers(small_city)
    place = tmp_path_factory.mktemp("drill")
    place.chmod(0o711)
    folder = place / "backup"
    manifest = asyncio.run(backup(Home(small_city.home), folder))
    asyncio.run(restore(folder, place / "home"))
    restored = start_city(place / "home", free_port(avoid=set()), "small")
    yield Drill(small_city, folder, manifest, withdrawn, answers, restored)
    stop_city(restored)


def test_restored_city_gives_the_same_answers(drill: Drill) -> None:
    assert public_answers(drill.restored) == drill.answers


def test_restored_city_has_the_same_digests(drill: Drill) -> None:
    info = known(drill.restored.home)
    digest = asyncio.run(ask.ask(info, "publish", "digest", "--json"))
    assert digest["villages"] == drill.manifest["after"]["villages"]
    assert digest["rows"]["publication"] == drill.manifest["after"]["rows"]["publication"] > 5


def test_every_consumer_has_read_the_new_log_and_nothing_is_parked(drill: Drill) -> None:
    info = known(drill.restored.home)

    async def states() -> list[Any]:
        return await asyncio.gather(*(ask.ask(info, name, "state", "--json") for name in SERVICES))

    def settled() -> bool:
        told = asyncio.run(states())
        assert [s["outside_the_log"] for s in told] == [[]] * 5
        assert [s["parked"] for s in told] == [0] * 5
        return all(sum(s["lag"].values()) == 0 and s["outbox"]["pending"] == 0 for s in told)

    until(settled, 60)
    # The log holds the city again: whoever starts from nothing reads the same.
    assert asyncio.run(ask.ask(info, "publish", "rebuild", "--check", "--json"))["differences"] == []


def test_what_was_withdrawn_stays_unreadable(drill: Drill) -> None:
    for path in (f"/d/{drill.withdrawn}", f"/api/v1/disclosures/{drill.withdrawn}"):
        answer = httpx2.get(f"{drill.restored.url}{path}")
        assert MARKER not in answer.text
        assert answer.status_code == 410


def test_restored_city_goes_on_from_there(drill: Drill) -> None:
    told = {"village": VILLAGE, "item": "F01", "period": "2025-02", "body": builders.ledger(lines=[])}
    draft = call(drill.restored, f"clerk-{VILLAGE}", "/ingest/v1/disclosures", told, 201)
    assert draft["state"] == "draft"


def test_backup_is_for_its_owner_alone(drill: Drill) -> None:
    assert stat.S_IMODE(drill.folder.stat().st_mode) == 0o700
    for name in ("home/secrets.json", "home/staff.csv", MANIFEST):
        assert stat.S_IMODE((drill.folder / name).stat().st_mode) == 0o600, name
    assert "home/secrets.json" in drill.manifest["files"]
    assert not (drill.restored.home / UNFINISHED).exists()


# -- what is refused ----------------------------------------------------------------------------------------------


@pytest.fixture
def copy(drill: Drill, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drill.folder, tmp_path / "copy"))


def refused(folder: Path, home: Path) -> str:
    with pytest.raises(Fault) as fault:
        asyncio.run(restore(folder, home))
    return str(fault.value)


def test_changed_file_is_refused_by_name_and_nothing_is_made(copy: Path, tmp_path: Path) -> None:
    file = copy / "home" / "secrets.json"
    file.write_text(file.read_text().replace("{", "{ ", 1))
    assert "home/secrets.json is not what was backed up" in refused(copy, tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_missing_file_is_refused(copy: Path, tmp_path: Path) -> None:
    (copy / "postgres" / "pg_wal.tar.gz").unlink()
    assert "pg_wal.tar.gz is missing" in refused(copy, tmp_path / "home")


def test_foreign_file_is_refused(copy: Path, tmp_path: Path) -> None:
    (copy / "home" / "more.json").write_text("{}")
    assert "does not belong to the backup" in refused(copy, tmp_path / "home")


def test_folder_without_a_manifest_is_no_backup(copy: Path, tmp_path: Path) -> None:
    (copy / MANIFEST).unlink()
    assert "is no whole backup" in refused(copy, tmp_path / "home")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', "not json"])
def test_manifest_of_another_kind_is_refused(copy: Path, tmp_path: Path, text: str) -> None:
    (copy / MANIFEST).write_text(text)
    assert "cannot be read by this version" in refused(copy, tmp_path / "home")


def test_home_that_is_not_empty_is_left_alone(drill: Drill, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    assert "is not empty: set SANWU_HOME to a new folder." in refused(drill.folder, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_second_backup_into_the_same_folder_is_refused(drill: Drill) -> None:
    with pytest.raises(Fault, match="give a new folder for each backup"):
        asyncio.run(backup(Home(drill.city.home), drill.folder))


def test_city_that_does_not_run_cannot_be_backed_up(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="does not run: start it"):
        asyncio.run(backup(Home(tmp_path / "home"), tmp_path / "backup"))
    assert not (tmp_path / "backup").exists()


def test_no_city_starts_in_half_a_restoration(tmp_path: Path, city: Any) -> None:
    Home(tmp_path / "home")
    (tmp_path / "home" / UNFINISHED).touch()
    answer = city("run", env={"SANWU_HOME": str(tmp_path / "home"), "SANWU_PORT": "8000"})
    assert "holds half a restoration: delete the folder and restore again." in answer.sentence()


def test_sums_of_an_untouched_backup_hold(drill: Drill) -> None:
    check_sums(drill.folder, read_manifest(drill.folder))
    assert json.loads((drill.folder / MANIFEST).read_text())["format"] == 1
