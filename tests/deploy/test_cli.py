"""`sanwu` on a running city: what an operator reads and does, as tables and as JSON, and what is refused in one sentence."""

import asyncio
import getpass
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import psutil
import pytest

from deploy.cli.app import main
from deploy.local.home import Home
from deploy.local.postgres import Postgres
from tests.running import ROOT, RunningCity, paused


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str

    def sentence(self) -> str:
        """What stderr says, having seen that it is one sentence and exit status 1."""
        assert self.code == 1, self
        assert len(self.err.strip().splitlines()) == 1, self
        return self.err.strip()


Sanwu = Callable[..., Answer]


@pytest.fixture
def sanwu(small_city: RunningCity, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sanwu:
    """Run the command on the small city, in this process: what it calls runs in processes of its own."""

    def run(*arguments: str, home: Path = small_city.home) -> Answer:
        monkeypatch.setenv("SANWU_HOME", str(home))
        capfd.readouterr()
        code = main(list(arguments))
        return Answer(code, *capfd.readouterr())

    return run


@pytest.fixture
def sql(small_city: RunningCity) -> Callable[..., list[Any]]:
    """The superuser's look from outside."""

    def run(query: str, *args: object) -> list[Any]:
        async def ask() -> list[Any]:
            conn = await asyncpg.connect(Postgres(Home(small_city.home)).dsn("sanwu_admin"))
            try:
                return list(await conn.fetch(query, *args))
            finally:
                await conn.close()

        return asyncio.run(ask())

    return run


@pytest.fixture
def parked(sql: Callable[..., list[Any]]) -> Iterator[int]:
    """A record that publish could not read."""
    rows = sql(
        "INSERT INTO publish.parked_event (topic, partition, record_offset, key, value, headers, type, aggregate_key,"
        " error, unknown_type, parked_at) VALUES ('sanwu.disclosures', 0, 1000000, '210881006206', '{}',"
        """ '{"id": "01930000-0000-7000-8000-000000000001", "type": "disclosure.confirmed.v1"}',"""
        " 'disclosure.confirmed.v1', 'disclosure:none', 'made for a test', false, now()) RETURNING id"
    )
    yield rows[0]["id"]
    sql("DELETE FROM publish.parked_event WHERE aggregate_key = 'disclosure:none'")


# -- status -------------------------------------------------------------------------------------------------------


def test_status_of_a_healthy_city_is_well(sanwu: Sanwu) -> None:
    answer = sanwu("status", "--json")
    told = json.loads(answer.out)
    assert told["problems"] == []
    assert answer.code == 0
    assert set(told["services"]) == {"registry", "ingest", "publish", "audit", "qr"}
    publish = told["services"]["publish"]
    assert publish["ready"] is True
    assert set(publish["lag"]) >= {
        "sanwu.disclosures",
        "sanwu.divisions",
        "sanwu.catalogue",
        "sanwu.keys",
        "sanwu.codes",
    }
    assert publish["relay_leader"]["pid"] > 0
    assert publish["outbox"].keys() == {"pending", "refused", "oldest_age_s"}
    assert told["database_bytes"] > 1_000_000
    assert told["kafka_bytes"] > 100_000
    assert told["disk_free_bytes"] > 0
    assert told["running"] is True
    assert told["parts"] == {"gateway": "ok", "standby": "ok", "postgres": "ok", "kafka": "ok"}


def test_status_for_people_names_what_hangs_and_what_is_parked(
    sanwu: Sanwu, small_city: RunningCity, parked: int
) -> None:
    with paused(small_city, "qr"):
        answer = sanwu("status")
    assert answer.code == 1
    assert "dead letters" in answer.out
    assert "! qr hangs: it does not answer; the supervisor ends and starts it after some 15 s.\n" in answer.out
    assert "! The supervisor stands still, and starts nothing that fails: " in answer.out
    assert "! publish: 1 records are parked: see `sanwu dlq list --service publish`.\n" in answer.out
    assert "PostgreSQL ok, Kafka ok" in answer.out


@pytest.mark.parametrize(
    ("part", "sentence", "unknown"),
    [
        ("gateway", "The gateway does not answer: see logs/gateway.log.", set()),
        ("postgres", "PostgreSQL does not answer: see logs/postgres.log.", {"outbox", "parked", "relay_leader", "lag"}),
        ("kafka", "Kafka does not answer: see logs/kafka.log.", {"lag", "dead_letters"}),
    ],
)
def test_frozen_part_is_named_once_and_what_it_knows_is_unknown(
    sanwu: Sanwu, small_city: RunningCity, part: str, sentence: str, unknown: set[str]
) -> None:
    with paused(small_city), frozen(small_city, part):
        told = json.loads(sanwu("status", "--json").out)
    assert told["problems"][1:] == [sentence]
    for service in told["services"].values():
        assert {
            name for name in ("outbox", "parked", "relay_leader", "lag", "dead_letters") if service[name] is None
        } == (unknown)


@contextmanager
def frozen(city: RunningCity, part: str) -> Iterator[None]:
    """A part of the city with all its processes, standing still."""
    main = psutil.Process(json.loads((city.home / "run" / f"{part}.json").read_text())["pid"])
    tree = [main, *main.children(recursive=True)]
    for process in tree:
        process.suspend()
    try:
        yield
    finally:
        for process in tree:
            process.resume()


def test_backlog_that_rests_is_a_problem_and_a_new_record_is_none(sanwu: Sanwu, sql: Callable[..., list[Any]]) -> None:
    place = "topic = 'sanwu.codes' AND partition = (SELECT max(partition) FROM publish.consumer_offset"
    where = f"{place} WHERE topic = 'sanwu.codes' AND next_offset > 0)"
    sql(f"UPDATE publish.consumer_offset SET next_offset = next_offset - 1, updated_at = now() WHERE {where}")
    try:
        moving = json.loads(sanwu("status", "--json").out)
        assert moving["services"]["publish"]["lag"]["sanwu.codes"] == 1
        assert moving["problems"] == []
        # Nothing of it was handled for a minute, though the process looks well.
        sql(f"UPDATE publish.consumer_offset SET updated_at = now() - interval '70 seconds' WHERE {where}")
        until_old = [p for p in _problems_when_old(sanwu) if "sanwu.codes" in p]
        assert len(until_old) == 1
        assert until_old[0].startswith("publish: 1 records wait on sanwu.codes, and none was handled for 7")
    finally:
        sql(f"UPDATE publish.consumer_offset SET next_offset = next_offset + 1, updated_at = now() WHERE {where}")


def _problems_when_old(sanwu: Sanwu) -> list[str]:
    """Problems, asked until the last record of the log is older than what counts as resting."""
    for _ in range(40):
        problems: list[str] = json.loads(sanwu("status", "--json").out)["problems"]
        if problems:
            return problems
        time.sleep(1)
    return []


def test_event_that_waits_to_be_sent_is_told_by_how_long_it_waits_not_by_how_old_it_is(
    sanwu: Sanwu, sql: Callable[..., list[Any]]
) -> None:
    insert = (
        "INSERT INTO qr.outbox (topic, key, occurred_at, queued_at, error)"
        " VALUES ('sanwu.codes', 'made-for-a-test', now() - interval '90 days', now() - {} * interval '1 second', 'held')"
    )
    for seconds, said in ((5, []), (40, ["qr: an event has waited 4"])):
        sql(insert.format(seconds))
        # The relay passes over a row that stands behind a refused one of its key.
        sql(
            "INSERT INTO qr.outbox (topic, key, occurred_at, queued_at) SELECT topic, key, occurred_at, queued_at FROM qr.outbox"
        )
        try:
            problems = json.loads(sanwu("status", "--json").out)["problems"]
        finally:
            sql("DELETE FROM qr.outbox WHERE key = 'made-for-a-test'")
        assert "qr: Kafka refused 1 events." in problems
        assert [p[: len(s)] for p, s in zip((p for p in problems if "waited" in p), said, strict=True)] == said


def test_status_of_a_stopped_city_says_so_and_nothing_else(
    sanwu: Sanwu, small_city: RunningCity, tmp_path: Path
) -> None:
    home = tmp_path / "stopped"
    (home / "run").mkdir(parents=True)
    for name in ("secrets.json", "ports.json"):
        (home / name).write_bytes((small_city.home / name).read_bytes())
    # What a city that was killed leaves: a pid that somebody else has by now.
    (home / "run" / "city.pid").write_text(f"{os.getpid()} 1.0\n")
    answer = sanwu("status", home=home)
    assert answer.code == 3
    assert answer.out == f"! The city in {home} is stopped: `make run` starts it.\n"
    assert json.loads(sanwu("status", "--json", home=home).out)["running"] is False
    for words in (("republish", "--service", "qr", "--all"), ("dlq", "list"), ("staff", "list"), ("topics", "check")):
        assert sanwu(*words, home=home).sentence() == f"The city in {home} is stopped: `make run` starts it."


def test_status_is_asked_without_reading_the_other_commands(small_city: RunningCity) -> None:
    program = "import sys; from deploy.cli.__main__ import start; start(['status']); print(*sorted(sys.modules), file=sys.stderr)"
    environment = {**os.environ, "SANWU_HOME": str(small_city.home)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "PostgreSQL ok" in done.stdout
    assert not {"pydantic", "typer", "rich", "fastapi", "services.contracts.topics"} & set(done.stderr.split())


def test_home_without_a_city_is_one_sentence(sanwu: Sanwu, tmp_path: Path) -> None:
    answer = sanwu("status", home=tmp_path / "nothing")
    assert "No city lives in" in answer.sentence()
    assert not (tmp_path / "nothing").exists()


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
        "SELECT actor_id, object FROM publish.action WHERE action = 'command dlq discard' ORDER BY id DESC LIMIT 1"
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
        (("dlq", "show", "--service", "qr", "--id", "7"), "qr dlq: 0 records are like that: give the --id of one."),
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
    before = sql("SELECT count(*) AS n FROM publish.event")[0]["n"]
    changes = httpx2.get(f"{small_city.url}/api/v1/changes?limit=200").json()
    answer = sanwu("republish", "--service", "ingest", "--all", "--by", "王工", "--json")
    told = json.loads(answer.out)
    noted = sql("SELECT actor_id, action, object FROM ingest.action ORDER BY id DESC LIMIT 1")[0]
    assert tuple(noted) == (f"machine/{getpass.getuser()}/王工", "command republish --all", None)
    assert told["queued"] == told["events"] > 20
    assert told["unknown"] == 0
    assert sql("SELECT 1 FROM publish.parked_event") == []
    assert sql("SELECT count(*) AS n FROM publish.event")[0]["n"] == before
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
    assert json.loads(sanwu("topics", "apply", "--json").out) == {"created": []}


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
