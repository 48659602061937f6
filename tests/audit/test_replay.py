"""Order and repeats do not matter; a replay finds what the stream found; packs are recomputed outside."""

import json
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer import BadParameter

from services.audit.__main__ import replay as replay_command
from services.audit.store.facts import chunks
from services.audit.visit import limits_of
from services.contracts.base import Event
from tests.audit.conftest import OWN
from tests.audit.events import Disclosure, accounts_of, at, give_keys, ledger
from tests.builders import FAR_VILLAGE, NEIGHBOUR, VILLAGE
from tests.conftest import Served
from tests.emptying import empty

Tick = Callable[[], Awaitable[None]]
ROOT = Path(__file__).parents[2]


def story() -> tuple[list[Disclosure], list[Event]]:
    """Three months in three villages: chains that break and hold, a correction, a withdrawal, lateness of two kinds."""
    months = ("2026-08", "2026-09", "2026-10")
    mine = [Disclosure(VILLAGE, p) for p in months]
    theirs = [Disclosure(NEIGHBOUR, p) for p in months]
    far = Disclosure(FAR_VILLAGE)
    again = Disclosure(NEIGHBOUR, "2026-09", 2)
    events: list[Event] = []
    closings = (120_000, 98_500, 77_001)
    for month, d in enumerate(mine):
        day = at(f"2026-{9 + month:02}-10 02:00")
        opening = closings[month - 1] if month else 141_500
        events += [
            d.submitted(day),
            d.confirmed(day),
            d.approved(ledger(opening, closings[month]), day),
            d.published(day),
        ]
    for month, d in enumerate(theirs):
        day = at(f"2026-{9 + month:02}-20 02:00")
        body = ledger(120_000 + month, 98_500 + month, totals=(60_000 + month, 81_500))
        events += [
            d.submitted(day),
            d.returned(day),
            d.submitted(day),
            d.confirmed(day),
            d.approved(body, day),
            d.published(day),
        ]
    theirs[2].edition = 2
    events += [theirs[2].submitted(at("2026-11-21 02:00")), theirs[2].confirmed(at("2026-11-21 03:00"))]
    events += [theirs[2].approved(ledger(98_500), at("2026-11-21 04:00")), theirs[1].withdrawn(at("2026-11-22 02:00"))]
    events += [theirs[1].unpublished(at("2026-11-22 02:01")), again.approved(ledger(99, 1), at("2026-11-23 02:00"))]
    events += [far.submitted(at("2026-11-10 02:00")), far.confirmed(at("2026-11-11 02:00"))]
    # Before the duties: a bank account that is gone from June on, a month that was withdrawn, one that came last.
    early = [Disclosure(FAR_VILLAGE, f"2026-{month:02}") for month in (3, 4, 5, 6, 7)]
    both, cash = accounts_of(cash=(5, 5), bank=(7, 7)), accounts_of(cash=(5, 5))
    march, april, may, june, july = early
    events += [march.approved(both, at("2026-11-12 02:00")), april.approved(cash, at("2026-11-12 02:00"))]
    events += [july.approved(cash, at("2026-11-12 03:00")), april.withdrawn(at("2026-11-12 04:00"))]
    events += [may.approved(both, at("2026-11-13 02:00")), june.approved(cash, at("2026-11-13 02:00"))]
    return [*mine, *theirs, far, again, *early], events


async def found(admin: asyncpg.Connection) -> list[tuple[object, ...]]:
    """Every word of every rule with how often it was said of a cell, and of hits account, level, sentence and the evidence's hash."""
    rows = await admin.fetch("""
        SELECT r.key AS rule, v.village, v.period, w.key AS said, w.value::int, a.account, a.level, a.sentence, a.evidence_hash
        FROM audit.verdict v CROSS JOIN jsonb_each(v.rules) AS r CROSS JOIN jsonb_each(r.value) AS w
        LEFT JOIN audit.alert a ON a.state = 'open' AND w.key = 'hit'
            AND (a.rule, a.village, a.item, a.period) = (r.key, v.village, v.item, v.period)
        ORDER BY 1, 2, 3, 4, 6
    """)
    return [tuple(r) for r in rows]


async def replay(audit: Served, as_of: int | None = None, **asked: Any) -> int:
    return await replay_command(as_of=as_of, **asked)(audit.runtime)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Lines printed since the last time."""

    def lines() -> list[str]:
        return capsys.readouterr().out.splitlines()

    return lines


async def test_the_story_holds_what_it_promises(audit: Served, admin: asyncpg.Connection, tick: Tick) -> None:
    disclosures, events = story()
    await give_keys(audit, *disclosures)
    await audit.hear(*events)
    await tick()
    hits = {(r[0], r[1], r[2]) for r in await found(admin) if r[3] == "hit"}
    assert hits == {
        ("A03", VILLAGE, "2026-10"),
        ("A02", NEIGHBOUR, "2026-09"),
        ("A03", NEIGHBOUR, "2026-09"),
        ("A02", NEIGHBOUR, "2026-10"),
        ("A03", NEIGHBOUR, "2026-10"),
        ("D01", NEIGHBOUR, "2026-09"),
        ("A02", FAR_VILLAGE, "2026-06"),
        ("D01", FAR_VILLAGE, "2026-08"),
        ("D01", FAR_VILLAGE, "2026-09"),
        ("D01", FAR_VILLAGE, "2026-10"),
        ("D02", FAR_VILLAGE, "2026-09"),
        # Withdrawn, and entered anew with other figures.
        ("D12", NEIGHBOUR, "2026-09"),
        # With the township since Wednesday 11 November; it had until Monday.
        ("D03", FAR_VILLAGE, "2026-10"),
    }


async def test_twenty_orders_with_repeats_end_in_the_same_words_and_hashes(
    audit: Served, admin: asyncpg.Connection, tick: Tick, said: Callable[[], list[str]]
) -> None:
    disclosures, events = story()
    results = []
    for seed in range(20):
        await empty(admin, *OWN)
        await give_keys(audit, *disclosures)
        chosen = random.Random(seed)  # noqa: S311 - the same orders in every run
        heard = [*events, *chosen.choices(events, k=len(events) // 10)]
        if seed:
            chosen.shuffle(heard)
        for n, event in enumerate(heard):
            await audit.hear(event)
            if n % 10 == 9:
                await tick()
        await tick()
        results.append(await found(admin))
        assert await replay(audit) == 0, said()
        assert said()[-1] == "same"
    assert all(r == results[0] for r in results)


async def test_a_replay_names_what_was_lost_gained_and_changed(
    audit: Served, admin: asyncpg.Connection, tick: Tick, said: Callable[[], list[str]]
) -> None:
    disclosures, events = story()
    await give_keys(audit, *disclosures)
    await audit.hear(*events)
    await tick()
    await admin.execute("DELETE FROM audit.alert WHERE rule = 'D01' AND village = $1 AND period = '2026-09'", NEIGHBOUR)
    await admin.execute("UPDATE audit.alert SET evidence_hash = 'other' WHERE rule = 'A03' AND village = $1", VILLAGE)
    await admin.execute(
        "DELETE FROM audit.fact WHERE village = $1 AND period = '2026-09' AND kind = 'approved'", NEIGHBOUR
    )
    assert await replay(audit) == 1
    lines = said()
    told = [" ".join(line.split()[:2]) for line in lines[:-2]]
    assert told == ["changed A03", "gained D01", "lost A02", "lost A03"]
    assert lines[-1] == "differs"


async def test_a_replay_as_of_a_fact_knows_only_what_had_been_heard(
    audit: Served, admin: asyncpg.Connection, tick: Tick, said: Callable[[], list[str]]
) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    await audit.hear(d.approved(ledger(closing=1), at("2026-11-10 02:00")))
    d.edition = 2
    first = await admin.fetchval("SELECT max(seq) FROM audit.fact")
    await audit.hear(d.approved(ledger(), at("2026-11-11 02:00")))
    await tick()
    assert await replay(audit) == 0
    assert await replay(audit, first) == 1
    assert any(line.startswith("gained A03") for line in said())


async def test_a_replay_of_one_rule_leaves_the_others_alone(
    audit: Served, admin: asyncpg.Connection, said: Callable[[], list[str]]
) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    await audit.hear(d.approved(ledger(closing=1, totals=(1, 1)), at("2026-11-10 02:00")))
    await admin.execute("DELETE FROM audit.alert")
    assert await replay(audit, rules="A03") == 1
    [gained, *_] = said()
    assert gained.split()[:2] == ["gained", "A03"]
    assert gained.endswith(f"{VILLAGE} F01 2026-10 期末余额与期初加收支算出的相差 -984.99 元，请说明。")
    assert await replay(audit, rules="D07,A02") == 0


async def test_what_another_value_would_change_is_told_and_changes_nothing(
    audit: Served, admin: asyncpg.Connection, said: Callable[[], list[str]]
) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    await audit.hear(d.approved(ledger(closing=98_495), at("2026-11-10 02:00")))
    assert await replay(audit, rules="A03", settings=["A03.tolerance_fen=4"]) == 1
    assert said()[0].startswith("changed A03")
    assert await replay(audit, rules="A03", settings=["A03.tolerance_fen=5"]) == 1
    assert said()[0].startswith("lost A03")
    assert await replay(audit, rules="A03") == 0
    assert await admin.fetchval("SELECT state FROM audit.alert WHERE rule = 'A03'") == "open"


async def test_what_limits_of_a_place_would_find_is_told(
    audit: Served, said: Callable[[], list[str]], tmp_path: Path
) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    await audit.hear(d.approved(ledger(), at("2026-11-10 02:00")))
    text = '[[B02]]\nfrom = 2026-01-01\ncash_on_hand_fen = 98_499\nsource = "本市文件"\n'
    (tmp_path / "210881.toml").write_text(text)
    assert await replay(audit, rules="B02", limits=tmp_path) == 1
    assert said()[0].endswith("期末库存现金 985.00 元，超过限额 984.99 元。")
    (tmp_path / "210881.toml").write_text(text.replace("98_499", "98_500"))
    limits_of.cache_clear()
    assert await replay(audit, rules="B02", limits=tmp_path) == 0


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"rules": "A01,Z99"}, "there is no rule Z99"),
        ({"settings": ["A03.tolerance=5"]}, "A03.tolerance=5 is no RULE.name=number"),
        ({"settings": ["A03.tolerance_fen=five"]}, "is no RULE.name=number"),
        ({"settings": ["A03.tolerance_fen=-5"]}, "is no RULE.name=number"),
        ({"limits": Path("/nowhere/limits")}, "没有这个文件夹"),
        ({"rules": "A01", "settings": ["A03.tolerance_fen=5"]}, "these have values: A01.tolerance_fen"),
    ],
)
async def test_a_rule_or_value_that_is_not_there_is_named(audit: Served, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(BadParameter, match=told):
        await replay(audit, **asked)


async def test_a_replay_touches_no_alert_and_says_nothing(audit: Served, admin: asyncpg.Connection, tick: Tick) -> None:
    disclosures, events = story()
    await give_keys(audit, *disclosures)
    await audit.hear(*events)
    await tick()
    tables = ("alert", "episode", "evidence", "verdict", "event", "outbox", "fact")
    before = {t: await admin.fetch(f"SELECT t::text AS row FROM audit.{t} t ORDER BY 1") for t in tables}
    await replay(audit)
    assert {t: await admin.fetch(f"SELECT t::text AS row FROM audit.{t} t ORDER BY 1") for t in tables} == before
    assert await admin.fetchval("SELECT count(*) FROM audit.replay_alert") > 0


def check(*paths: Path) -> subprocess.CompletedProcess[str]:
    """The command as people run it, with no settings at all."""
    command = [sys.executable, "-m", "services.audit", "check", *map(str, paths)]
    return subprocess.run(command, cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=False)


async def test_every_stored_pack_is_recomputed_outside_the_city(
    audit: Served, admin: asyncpg.Connection, tick: Tick, tmp_path: Path
) -> None:
    disclosures, events = story()
    await give_keys(audit, *disclosures)
    await audit.hear(*events)
    await tick()
    packs = [r["pack"] for r in await admin.fetch("SELECT pack FROM audit.evidence")]
    assert len(packs) >= 9
    paths = []
    for n, pack in enumerate(packs):
        paths.append(tmp_path / f"{n}.json")
        paths[-1].write_text(pack)
    done = check(*paths)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": agrees\n") == len(packs)


async def test_a_forged_pack_and_a_strange_file_are_told(
    audit: Served, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    await audit.hear(d.approved(ledger(closing=1), at("2026-11-10 02:00")))
    pack = json.loads(await admin.fetchval("SELECT pack FROM audit.evidence"))
    pack["sentence"] = "期末余额与期初加收支算出的相差 1.00 元，请说明。"
    forged, strange, missing = tmp_path / "forged.json", tmp_path / "strange.json", tmp_path / "missing.json"
    forged.write_text(json.dumps(pack))
    strange.write_text("[]")
    done = check(forged, strange, missing)
    assert done.returncode == 1
    assert done.stdout.count(": differs\n") == 3
    assert "sentence: stated" in done.stdout


@pytest.mark.parametrize(
    ("sizes", "found"),
    [
        ({}, []),
        ({"a": 9}, [["a"]]),
        ({"a": 4, "b": 6, "c": 1}, [["a", "b"], ["c"]]),
        ({"a": 4, "b": 7, "c": 3}, [["a"], ["b", "c"]]),
        ({"a": 1, "b": 50, "c": 1}, [["a"], ["b"], ["c"]]),
    ],
)
def test_a_replay_reads_so_many_villages_as_have_so_many_facts(sizes: dict[str, int], found: list[list[str]]) -> None:
    assert list(chunks(sizes, 10)) == found
