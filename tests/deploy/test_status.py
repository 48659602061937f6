"""`sanwu status` of a running city: what it names, what it says of what it cannot know, and how it ends."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.running import ROOT, RunningCity, paused, standing_still

Sanwu = Callable[..., Any]


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
    # Somebody's task, no alarm: no package knows yet the working days of a year that is near.
    _until_only_days_are_told(sanwu)
    assert told["running"] is True
    assert told["parts"] == {"gateway": "ok", "standby": "ok", "postgres": "ok", "kafka": "ok"}


def _until_only_days_are_told(sanwu: Sanwu) -> None:
    """What everybody waited for while the sample came in is told for a minute."""
    give_up = time.monotonic() + 120
    while others := [
        n for n in json.loads(sanwu("status", "--json").out)["notes"] if "The working days of 20" not in n
    ]:
        assert time.monotonic() < give_up, others
        time.sleep(2)


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
    with paused(small_city), standing_still(small_city, part):
        told = json.loads(sanwu("status", "--json").out)
    assert told["problems"][1:] == [sentence]
    for service in told["services"].values():
        assert {
            name for name in ("outbox", "parked", "relay_leader", "lag", "dead_letters") if service[name] is None
        } == (unknown)


def test_backlog_that_rests_is_a_problem_and_a_new_record_is_none(sanwu: Sanwu, sql: Callable[..., list[Any]]) -> None:
    [(partition, end)] = sql(
        "SELECT partition, next_offset FROM publish.consumer_offset WHERE topic = 'sanwu.codes' AND next_offset > 0"
        " ORDER BY partition DESC LIMIT 1"
    )
    put = "UPDATE publish.consumer_offset SET next_offset = $1, updated_at = $2 WHERE topic = 'sanwu.codes' AND partition = $3"

    def rest(seconds: int) -> None:
        """One record before the end for so long; said anew at each look, for a consumer that joins anew handles it."""
        sql(put, end - 1, datetime.now(UTC) - timedelta(seconds=seconds), partition)

    try:
        rest(0)
        moving = json.loads(sanwu("status", "--json").out)
        assert moving["services"]["publish"]["lag"]["sanwu.codes"] == 1
        assert moving["problems"] == []
        # Nothing of it was handled for a minute, though the process looks well; once the last record of the log is older
        # than what counts as resting.
        rests = _problem_in_time(sanwu, "publish: 1 records wait on sanwu.codes", lambda: rest(70))
        assert rests.startswith("publish: 1 records wait on sanwu.codes, and none was handled for ")
        assert int(rests.split()[-2]) >= 70
    finally:
        sql(put, end, datetime.now(UTC), partition)


def _problem_in_time(sanwu: Sanwu, beginning: str, make: Callable[[], None] = lambda: None) -> str:
    """The problem that begins so, made and waited for."""
    for _ in range(60):
        make()
        problems: list[str] = json.loads(sanwu("status", "--json").out)["problems"]
        if found := next((p for p in problems if p.startswith(beginning)), None):
            return found
        time.sleep(1)
    pytest.fail(f"nobody told: {beginning}")


def test_event_that_waits_to_be_sent_is_told_by_how_long_it_waits_not_by_how_old_it_is(
    sanwu: Sanwu, sql: Callable[..., list[Any]]
) -> None:
    columns = "topic, key, occurred_at, queued_at"
    # The relay passes over a row that stands behind a refused one of its key.
    sql(
        f"INSERT INTO qr.outbox ({columns}, error) VALUES ('sanwu.codes', 'made-for-a-test', now() - interval '90 days',"
        " now() - interval '5 seconds', 'held')"
    )
    sql(f"INSERT INTO qr.outbox ({columns}) SELECT {columns} FROM qr.outbox")
    try:
        assert json.loads(sanwu("status", "--json").out)["problems"] == ["qr: Kafka refused 1 events."]
        sql("UPDATE qr.outbox SET queued_at = now() - interval '40 seconds'")
        # Once the process, too, has seen it rest for long enough.
        waited = _problem_in_time(sanwu, "qr: an event has waited")
        assert int(waited.split()[5]) >= 40
        assert waited.endswith(" s to be sent, 1 wait.")
    finally:
        sql("DELETE FROM qr.outbox WHERE key = 'made-for-a-test'")


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
