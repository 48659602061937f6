"""The documents for whoever reads the code first are true: `docs/ways.md` names functions, `docs/tables.md` tables that are there."""

import ast
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from services.contracts.topics import SERVICES
from services.kit import park
from services.kit.consumer import Effects, replay
from services.kit.park import Decision
from services.kit.record import Incoming
from services.publish.handlers import PROJECT
from tests import builders
from tests.conftest import ServiceFactory
from tests.kit.ground import confirmed, record
from tests.running import ROOT

WAYS: Final = (ROOT / "docs/ways.md").read_text("utf-8")
TABLES: Final = (ROOT / "docs/tables.md").read_text("utf-8")
LETTERS: Final = "abcdef"
HEADER: Final = ["table", "a row is", "key", "written by", "rows go"]


# -- functions ----------------------------------------------------------------------------------------------------


@cache
def functions_of(path: Path) -> frozenset[str]:
    """Functions of a module, methods as Class.method."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        found |= {prefix + f.name for f in inner if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)}
    return frozenset(found)


def named(text: str) -> list[tuple[str, str]]:
    """Files of the project that a text names between backticks, each with the function behind it or an empty word."""
    return re.findall(r"`([\w/.-]+/[\w.-]+\.py)(?::([^`]*))?`", text)


def lost_functions(text: str) -> list[str]:
    """What a text names and the code does not have."""
    return [
        f"{file}:{function}"
        for file, function in named(text)
        if not (ROOT / file).is_file() or (function and function not in functions_of(ROOT / file))
    ]


@pytest.mark.parametrize("text", [WAYS, TABLES], ids=["ways", "tables"])
def test_every_function_that_is_named_exists(text: str) -> None:
    assert sum(bool(function) for _, function in named(text)) > 40
    assert lost_functions(text) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "services/kit/relay.py:Relay.fly",
        "services/kit/relay.py:run",
        "services/kit/relay.py:Relay",
        "services/kit/relays.py:Relay.run",
        "services/kit/relays.py",
        "services/kit/relay.py:Relay.run()",
    ],
)
def test_a_function_that_is_gone_is_seen(wrong: str) -> None:
    right = "`services/kit/relay.py:Relay.run` `services/kit/outbox.py:append` `services/kit/park.py` "
    assert lost_functions(right) == []
    assert lost_functions(f"{right} `{wrong}` sends") == [wrong if ":" in wrong else f"{wrong}:"]


# -- ways ---------------------------------------------------------------------------------------------------------


def faults_of_ways(text: str) -> list[str]:
    """Where the ways a to f are not told one after the other, each by a numbered list and one diagram."""
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    letters = [part[1] if re.match(r"\([a-z]\) \S", part) else part[:20] for part in parts]
    faults = [] if letters == list(LETTERS) else [f"the ways are {letters}"]
    return faults + [fault for letter, part in zip(letters, parts, strict=True) for fault in _faults_of(letter, part)]


def _faults_of(way: str, part: str) -> list[str]:
    steps = re.findall(r"^(\d+)\. (.*)", part, re.MULTILINE)
    faults = []
    if not steps or [int(n) for n, _ in steps] != list(range(1, len(steps) + 1)):
        faults.append(f"{way}: steps are not counted 1, 2, 3 …")
    faults += [f"{way}: step {n} names no function" for n, step in steps if not re.match(r"`\S+\.py:\S+` — \S", step)]
    diagrams = re.findall(r"^```mermaid\n(.*?)^```$", part, re.MULTILINE | re.DOTALL)
    if len(diagrams) != 1 or not diagrams[0].startswith("sequenceDiagram\n"):
        return [*faults, f"{way}: not one sequence diagram"]
    return faults + [f"{way}: {stranger} is no message, or of nobody" for stranger in _strangers(diagrams[0])]


def _strangers(diagram: str) -> list[str]:
    """Who sends or gets a message of a diagram, or has a note, and is not introduced."""
    known = set(re.findall(r"^ *(?:actor|participant) (\w+) as \S", diagram, re.MULTILINE))
    speak = re.findall(r"^ *(\w+)--?>>(\w+): \S", diagram, re.MULTILINE)
    over = re.findall(r"^ *Note over (\w+),(\w+): \S", diagram, re.MULTILINE)
    told = re.findall(r"^ *(?!actor|participant|sequenceDiagram|opt|end|Note)(\S.*)", diagram, re.MULTILINE)
    # A message ends for Mermaid where a # or a ; stands.
    said = [line for line in told if not re.match(r"\w+--?>>\w+: [^#;]+$", line)]
    return sorted({name for pair in (*speak, *over) for name in pair} - known) + said


def test_the_six_ways_are_told_each_with_its_steps_and_its_diagram() -> None:
    assert faults_of_ways(WAYS) == []


WAY = "## ({}) From → to\n\n1. `a.py:b` — one.\n2. `c.py:d` — two.\n\n```mermaid\n{}\n```\n"
DIAGRAM = "sequenceDiagram\n  actor A as a\n  participant B as b\n  A->>B: asks\n  B-->>A: answers"


def six(**changed: str) -> str:
    return "".join(changed.get(letter, WAY.format(letter, DIAGRAM)) for letter in LETTERS)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (six(c=""), "the ways are ['a', 'b', 'd', 'e', 'f']"),
        (six(b=WAY.format("c", DIAGRAM), c=WAY.format("b", DIAGRAM)), "the ways are ['a', 'c', 'b', 'd', 'e', 'f']"),
        (six(a=WAY.format("a", DIAGRAM).replace("mermaid", "")), "a: not one sequence diagram"),
        (six(a=WAY.format("a", "flowchart LR\n  A --> B")), "a: not one sequence diagram"),
        (six(f=WAY.format("f", DIAGRAM) * 2), "the ways are ['a', 'b', 'c', 'd', 'e', 'f', 'f']"),
        (six(d=WAY.format("d", DIAGRAM + "\n  B->>C: asks")), "d: C is no message, or of nobody"),
        (six(d=WAY.format("d", DIAGRAM + "\n  B asks A")), "d: B asks A is no message, or of nobody"),
        (six(d=WAY.format("d", DIAGRAM + "\n  A->>B: to #s")), "d: A->>B: to #s is no message, or of nobody"),
        (six(e=WAY.format("e", DIAGRAM).replace("2.", "3.")), "e: steps are not counted 1, 2, 3 …"),
        (six(e=WAY.format("e", DIAGRAM).replace("`c.py:d` —", "Then")), "e: step 2 names no function"),
    ],
)
def test_a_way_that_is_not_told_is_seen(text: str, fault: str) -> None:
    assert faults_of_ways(six()) == []
    assert faults_of_ways(text) == [fault]


# -- tables -------------------------------------------------------------------------------------------------------

#: Every table of a service's schemas with its primary key; those of its own schema and of its trail by their bare names.
SELECT_TABLES: Final = """
SELECT CASE WHEN n.nspname::text IN ($1::text, $1::text || '_trail') THEN c.relname ELSE n.nspname || '.' || c.relname END AS name,
    (SELECT string_agg(a.attname, ', ' ORDER BY k.place)
     FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
     WHERE i.indrelid = c.oid AND i.indisprimary) AS key
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT LIKE 'pg_temp%'
  AND (n.nspname::text IN ($1::text, $1::text || '_trail') OR n.nspowner = to_regrole($1::text))
"""
Tables = Mapping[str, Mapping[str, str]]


async def tables_of(admin: asyncpg.Connection) -> dict[str, dict[str, str]]:
    """Tables and their keys by service; what all of them have is the kit's."""
    found: dict[str, dict[str, str]] = {}
    for service in SERVICES:
        rows = await admin.fetch(SELECT_TABLES, service)
        found[service] = {r["name"]: r["key"] for r in rows}
    common = set[str].intersection(*(set(tables) for tables in found.values()))
    own = {s: {t: key for t, key in tables.items() if t not in common} for s, tables in found.items()}
    return {"kit": {t: found["registry"][t] for t in common}, **own}


def faults_of_tables(text: str, there: Tables) -> list[str]:
    """Where a page of tables says something else than the schemas."""
    parts = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    faults = [f"{s} has no part" for s in there if s not in parts] + [
        f"{s} is no service" for s in parts if s not in there
    ]
    for service, tables in there.items():
        rows = [
            [c.strip() for c in line.split("|")[1:-1]]
            for line in re.findall(r"^\|.*", parts.get(service, ""), re.MULTILINE)
        ]
        told = rows[2:]
        faults += [f"{service}: {row[:1]} says too little" for row in told if len(row) != len(HEADER) or not all(row)]
        if rows and rows[0] != HEADER:
            faults.append(f"{service}: the columns are {rows[0]}")
        keys = [(row[0].strip("`"), row[2].strip("`")) for row in told if len(row) == len(HEADER)]
        names = [name for name, _ in keys]
        faults += [f"{service}: {name} is not told" for name in sorted(tables) if name not in names]
        faults += [f"{service}: {name} is gone" for name in names if name not in tables]
        faults += [f"{service}: {name} is told twice" for name in sorted(set(names)) if names.count(name) > 1]
        faults += [
            f"{service}: the key of {name} is {tables[name]}" for name, key in keys if tables.get(name, key) != key
        ]
    return faults


async def test_every_table_stands_under_its_service_and_none_that_is_gone(admin: asyncpg.Connection) -> None:
    there = await tables_of(admin)
    assert {"event", "outbox", "schema_migrations"} <= set(there["kit"])
    assert "publish_read.publication" in there["publish"]
    assert not [name for tables in there.values() for name in tables if name.startswith("event_")]
    assert faults_of_tables(TABLES, there) == []


async def test_a_table_that_nobody_told_of_is_seen(admin: asyncpg.Connection) -> None:
    work = admin.transaction()
    await work.start()
    await admin.execute("CREATE TABLE qr.unheard_of (day date, code text, PRIMARY KEY (code, day))")
    await admin.execute("CREATE TABLE publish_read.seen (n int PRIMARY KEY)")
    there = await tables_of(admin)
    await work.rollback()
    assert there["qr"]["unheard_of"] == "code, day"
    assert faults_of_tables(TABLES, there) == ["publish: publish_read.seen is not told", "qr: unheard_of is not told"]


THERE: Final[Tables] = {"kit": {"event": "at, id"}, "qr": {"code": "code"}}
HEAD: Final = "| table | a row is | key | written by | rows go |\n|---|---|---|---|---|\n"
EVENT: Final = "| `event` | said | `at, id` | all | never |\n"
CODE: Final = "| `code` | a code | `code` | qr | never |\n"
PAGE: Final = f"# Tables\n\n## kit\n\n{HEAD}{EVENT}\n## qr\n\n{HEAD}{CODE}"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (PAGE.replace(CODE, ""), ["qr: code is not told"]),
        (PAGE + CODE.replace("`code` |", "`scan` |", 1), ["qr: scan is gone"]),
        (PAGE.replace(CODE, EVENT + CODE), ["qr: event is gone"]),
        (PAGE + CODE, ["qr: code is told twice"]),
        (PAGE.replace("`at, id`", "`id`"), ["kit: the key of event is at, id"]),
        (PAGE.replace("| never |\n\n", "| |\n\n"), ["kit: ['`event`'] says too little"]),
        (PAGE.replace("## qr", "## scanner"), ["qr has no part", "scanner is no service", "qr: code is not told"]),
        (PAGE.replace("| rows go |", "| kept |", 1), [f"kit: the columns are {[*HEADER[:-1], 'kept']}"]),
    ],
)
def test_a_page_that_says_something_else_is_seen(text: str, faults: list[str]) -> None:
    assert faults_of_tables(PAGE, THERE) == []
    assert faults_of_tables(text, THERE) == faults


# -- a parked record ----------------------------------------------------------------------------------------------


async def test_a_record_parked_by_hand_is_replayed(service: ServiceFactory) -> None:
    publish = await service("publish")
    runtime: Any = publish.runtime
    key, value, headers = record(confirmed("d1", 2))
    by_hand = Incoming("sanwu.disclosures", 0, 41, key, value, headers)
    async with runtime.database.transaction() as conn:
        await conn.execute(
            "INSERT INTO step (disclosure_id, village_code, item, period, version) VALUES ('d1', $1, 'F01', '2026-10', 1)",
            builders.VILLAGE,
        )
        await park.set_aside(conn, by_hand, "by hand", publish.clock.now())
    # A breakpoint in publish's handler, on_confirmed, stops here.
    effects = Effects(runtime.settings, runtime.reference, publish.clock, project=PROJECT)
    decision = Decision("测试", "a test", publish.clock.now())
    assert await replay(runtime.database, effects, "disclosure:d1", decision) == 1
    async with runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT confirmed_at FROM step WHERE disclosure_id = 'd1'") == builders.NOW
        assert await conn.fetchval("SELECT count(*) FROM parked_event") == 0
        assert await conn.fetchval("SELECT decision || ' ' || error FROM park_decision") == "replayed by hand"
