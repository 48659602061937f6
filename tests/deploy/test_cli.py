"""`sanwu` on a running city: what an operator reads and does, as tables and as JSON, and what is refused in one sentence."""

import getpass
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.running import ROOT, RunningCity
from tests.trails import rewriting

Sanwu = Callable[..., Any]


# -- dead letters -------------------------------------------------------------------------------------------------


def test_discarding_is_a_dry_run_until_it_is_meant_and_is_remembered(
    sanwu: Sanwu, sql: Callable[..., list[Any]], parked: int
) -> None:
    listed = json.loads(sanwu("dlq", "list", "--service", "publish", "--json").out)
    assert [r["id"] for r in listed["services"]["publish"]["parked"]] == [parked]
    shown = json.loads(sanwu("dlq", "show", "--service", "publish", "--id", str(parked), "--json").out)
    assert (shown["value"], shown["event_id"]) == ("{}", "01930000-0000-7000-8000-000000000001")
    choice = ("--service", "publish", "--key", "disclosure:none")
    dry = sanwu("dlq", "discard", *choice, "--json")
    assert json.loads(dry.out)["dry_run"] is True
    assert len(sql("SELECT 1 FROM publish.parked_event")) == 1
    nameless = sanwu("dlq", "discard", *choice, "--yes")
    assert nameless.sentence() == "Say who decides and why: --by NAME --why REASON."
    done = sanwu("dlq", "discard", *choice, "--yes", "--by", "王工", "--why", "演练", "--json")
    assert [r["id"] for r in json.loads(done.out)["discarded"]] == [parked]
    assert sql("SELECT 1 FROM publish.parked_event") == []
    decided = sql("SELECT * FROM publish.park_decision ORDER BY id DESC LIMIT 1")[0]
    assert (decided["decision"], decided["decided_by"], decided["reason"]) == ("discarded", "王工", "演练")
    noted = sql(
        "SELECT actor_id, object FROM publish_trail.action WHERE action = 'command dlq discard' ORDER BY id DESC LIMIT 1"
    )
    assert tuple(noted[0]) == (f"machine/{getpass.getuser()}/王工", "disclosure/none")
    assert decided["event_id"] == "01930000-0000-7000-8000-000000000001"


def test_record_that_still_cannot_be_handled_stays_parked(
    sanwu: Sanwu, sql: Callable[..., list[Any]], parked: int
) -> None:
    choice = ("--service", "publish", "--type", "disclosure.confirmed.v1")
    answer = sanwu("dlq", "replay", *choice, "--yes", "--by", "王工", "--why", "演练", "--json")
    assert answer.code == 1
    assert list(json.loads(answer.out)["failed"]) == ["disclosure:none"]
    assert "stays parked" in answer.err
    assert len(sql("SELECT 1 FROM publish.parked_event WHERE id = $1", parked)) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("dlq", "replay", "--service", "publish"), "Say which records: --id, --key or --type."),
        (("dlq", "discard", "--service", "publish", "--id", "no"), "No parked record is like that: see `dlq list`."),
        (("dlq", "list", "--service", "mail"), "mail is no service: choose registry, ingest, publish, audit, qr."),
        (("dlq", "show", "--service", "qr", "--id", "7"), "0 records are like that: give the --id of one."),
        (("posters", "000000000000", "out.pdf"), "没有代码为 000000000000 的区划。"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(sanwu: Sanwu, arguments: tuple[str, ...], sentence: str) -> None:
    assert sanwu(*arguments).sentence() == sentence


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("dlq", "replay"),
        ("republish",),
        ("republish", "--service", "ingest"),
        ("republish", "--service", "ingest", "--aggregate", "disclosure"),
        ("status", "--quiet"),
        ("catalogue", "check", "nowhere.csv"),
        ("actions", "verify", "--head", "1:00"),
        ("backup",),
    ],
)
def test_command_line_that_makes_no_sense_is_status_2(sanwu: Sanwu, arguments: tuple[str, ...]) -> None:
    answer = sanwu(*arguments)
    assert answer.code == 2
    assert answer.err.strip()
    assert "Traceback" not in answer.err


# -- the others ---------------------------------------------------------------------------------------------------


def test_republished_events_change_nothing_where_they_were_heard(
    sanwu: Sanwu, small_city: RunningCity, sql: Callable[..., list[Any]]
) -> None:
    # The service says the head of its trail when its hour has come: that is no answer to what it hears.
    said = "SELECT count(*) AS n FROM publish.event WHERE aggregate <> 'head'"
    before = sql(said)[0]["n"]
    changes = httpx2.get(f"{small_city.url}/api/v1/changes?limit=200").json()
    answer = sanwu("republish", "--service", "ingest", "--all", "--by", "王工", "--json")
    told = json.loads(answer.out)
    noted = sql("SELECT actor_id, action, object FROM ingest_trail.action ORDER BY id DESC LIMIT 1")[0]
    assert tuple(noted) == (f"machine/{getpass.getuser()}/王工", "command republish --all", None)
    assert told["queued"] == told["events"] > 20
    assert told["unknown"] == 0
    assert sql("SELECT 1 FROM publish.parked_event") == []
    assert sql(said)[0]["n"] == before
    assert httpx2.get(f"{small_city.url}/api/v1/changes?limit=200").json() == changes


def test_command_runs_as_a_module_and_says_what_there_is(command: Callable[..., Any]) -> None:
    answer = command([sys.executable, "-m", "deploy.cli", "--help"])
    assert answer.code == 0
    for name in (
        "status",
        "dlq",
        "republish",
        "rebuild",
        "replay",
        "topics",
        "catalogue",
        "staff",
        "backup",
        "restore",
    ):
        assert name in answer.out


def test_topics_are_as_declared(sanwu: Sanwu) -> None:
    assert json.loads(sanwu("topics", "check", "--json").out) == {"differences": []}
    assert json.loads(sanwu("topics", "apply", "--json").out) == {"mended": []}


def test_trail_of_staff_actions_is_whole_in_every_service(sanwu: Sanwu) -> None:
    answer = sanwu("actions", "verify", "--json")
    assert answer.code == 0
    told = json.loads(answer.out)["services"]
    assert {name: one["whole"] for name, one in told.items()} == {
        "registry": True,
        "ingest": True,
        "publish": True,
        "audit": True,
        "qr": True,
    }


def _heads_of_ingest(sql: Callable[..., list[Any]]) -> int:
    return int(sql("SELECT coalesce(max(position), 0) AS n FROM audit.trail_head WHERE service = 'ingest'")[0]["n"])


def test_a_row_that_was_rewritten_with_all_its_links_is_found_by_what_was_signed(
    sanwu: Sanwu, sql: Callable[..., list[Any]]
) -> None:
    give_up = time.monotonic() + 90
    while (signed := _heads_of_ingest(sql)) == 0:
        assert time.monotonic() < give_up
        time.sleep(1)
    whole = json.loads(sanwu("actions", "verify", "--service", "ingest", "--json").out)
    assert whole["from_kafka"] is True
    assert whole["services"]["ingest"]["heads"] >= 1
    first = sql("SELECT position, object FROM ingest_trail.action WHERE position IS NOT NULL ORDER BY position LIMIT 1")
    position, thing = first[0]
    sql("CREATE TABLE public.heads_kept AS TABLE audit.trail_head")
    sql(rewriting("ingest", position, "disclosure/another"))
    try:
        answer = sanwu("actions", "verify", "--json")
        assert answer.code == 1
        told = json.loads(answer.out)["services"]
        assert [name for name, one in told.items() if not one["whole"]] == ["ingest"]
        assert told["ingest"]["broken"]["position"] == position <= signed
        assert "it was rewritten somewhere from" in told["ingest"]["broken"]["why"]
        # Whoever also takes the heads out of the database has not taken them out of Kafka.
        sql("DELETE FROM audit.trail_head WHERE service = 'ingest'")
        again = sanwu("actions", "verify", "--service", "ingest")
        assert again.code == 1
        assert f"ingest: broken at {position}: the chain does not go through the head" in again.out
    finally:
        sql("INSERT INTO audit.trail_head SELECT * FROM public.heads_kept ON CONFLICT DO NOTHING")
        sql("DROP TABLE public.heads_kept")
        sql(rewriting("ingest", position, thing))
    assert sanwu("actions", "verify", "--service", "ingest").code == 0


def test_staff_are_listed_without_a_password(sanwu: Sanwu, small_city: RunningCity) -> None:
    answer = sanwu("staff", "list", "--json")
    assert answer.code == 0
    assert "clerk-210881006206" in answer.out
    assert small_city.password("clerk-210881006206") not in answer.out


def test_catalogue_of_the_running_city_would_change_nothing(sanwu: Sanwu, tmp_path: Path) -> None:
    answer = sanwu("catalogue", "check", str(ROOT / "deploy" / "data" / "catalogue.csv"), "--json")
    assert answer.code == 0, answer.err
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("code,name\nF01,\n")
    refused = sanwu("catalogue", "check", str(wrong))
    assert refused.code == 1
    assert "Traceback" not in refused.err


def test_posters_go_into_a_file(sanwu: Sanwu, tmp_path: Path) -> None:
    out = tmp_path / "posters.pdf"
    told = json.loads(sanwu("posters", "210881006206", str(out), "--json").out)
    assert told["bytes"] == out.stat().st_size
    assert out.read_bytes().startswith(b"%PDF-")


def test_packages_of_a_city_tell_what_is_in_them_and_go_on_where_they_were_stopped(
    sanwu: Sanwu, tmp_path: Path
) -> None:
    folder = tmp_path / "packages"
    line = ("packages", "--division", "210881", "--out", str(folder))
    first = sanwu(*line, "--json")
    assert first.code == 0, first.err
    told = json.loads(first.out.splitlines()[-1])
    (package,) = folder.glob("210881006-*-a4-*.zip")
    assert (told["packages"], told["kept"], told["bytes"]) == (1, 0, package.stat().st_size)
    assert f"1/1 {package.name}" in first.err
    with zipfile.ZipFile(package) as files:
        assert files.namelist()[0] == "装箱单.csv"
        rows = files.read("装箱单.csv").decode("utf-8-sig").splitlines()
    assert len(rows) == told["codes"] + 1
    # What was begun and not ended does not count; what is there stays.
    (folder / f".{package.name}.part").write_bytes(b"half")
    again = json.loads(sanwu(*line, "--json").out.splitlines()[-1])
    assert (again["kept"], again["bytes"]) == (1, 0)
    package.unlink()
    third = json.loads(sanwu(*line, "--json").out.splitlines()[-1])
    assert (third["kept"], third["bytes"]) == (0, told["bytes"])
    refused = sanwu("packages", "--division", "999", "--out", str(folder))
    assert (refused.code, "没有代码为 999 的区划。" in refused.err) == (1, True)


def test_rebuild_of_a_running_city_switches_and_pages_stay(sanwu: Sanwu, small_city: RunningCity) -> None:
    page = httpx2.get(f"{small_city.url}/api/v1/villages/210881006206").json()
    answer = sanwu("rebuild", "publish", "--json")
    assert answer.code == 0, answer.err
    told = json.loads(answer.out)
    assert (told["switched"], told["differences"], told["failed"]) == (True, [], [])
    assert httpx2.get(f"{small_city.url}/api/v1/villages/210881006206").json() == page
    assert json.loads(sanwu("rebuild", "publish", "--drop-old", "--json").out) == {"dropped": 1}


def test_launcher_runs_from_any_folder(small_city: RunningCity, tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, 'deploy/local'); import setup, pathlib;"
        f"setup.VENV = pathlib.Path({str(tmp_path)!r}); (setup.VENV / 'bin').mkdir();"
        f"(setup.VENV / 'bin' / 'python').symlink_to({sys.executable!r}); setup.write_launcher()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
    environment = {"PATH": "/usr/bin:/bin", "SANWU_HOME": str(small_city.home)}
    launcher = [str(tmp_path / "bin" / "sanwu"), "--help"]
    done = subprocess.run(launcher, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    # Another interpreter's folder has no packages: what matters is that the program was found and told so itself.
    assert "deploy" in done.stdout + done.stderr
