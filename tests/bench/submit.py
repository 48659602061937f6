"""Entering and submitting one ledger of 20 lines, against pgbench running the same rows and SQL."""

import asyncio
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import asyncpg

from deploy.local import migrate
from deploy.local.postgres import BIN
from deploy.local.sample.ledgers import ledger
from services.contracts.topics import DISCLOSURES
from services.ingest.store import disclosures as store
from services.kit import actions, outbox, route
from tests.bench.load import LoadError, wrk
from tests.bench.report import Section, median, table
from tests.running import RunningCity, paused
from tests.trails import lay_trail

CLIENTS = 8
SECONDS = 6
ROUNDS = 5
TOWNSHIP = "210881006"
#: Ledgers that wrk asks for; more than a round can eat.
CELLS = 2000
PEER = "bench"


def body_of_20_lines() -> dict[str, Any]:
    """A ledger with exactly 20 lines that adds up."""
    for year in range(2016, 2026):
        for month in range(1, 13):
            period = f"{year}-{month:02}"
            body = ledger("210881006206", period, period)
            if len(body["lines"]) == 20:
                for line in body["lines"]:
                    line["date"] = "2000-01-01"
                return body
    message = "no month of the sample has 20 lines"
    raise LookupError(message)


_LUA = """
local cells = {cells}
local n = 0
local ready = {{}}
local head = {{ ["Authorization"] = "Bearer {token}", ["Content-Type"] = "application/json" }}
local keyed = {{ ["Authorization"] = "Bearer {token}", ["Content-Type"] = "application/json" }}
local tail = [[{tail}]]
request = function()
  local id = table.remove(ready)
  if id ~= nil then
    return wrk.format("POST", "/ingest/v1/disclosures/" .. id .. "/submit", head, [[{submit}]])
  end
  n = n + 1
  keyed["Idempotency-Key"] = "bench-{round}-" .. n
  return wrk.format("POST", "/ingest/v1/disclosures", keyed, cells[n] .. tail)
end
response = function(status, headers, body)
  if status == 201 then
    table.insert(ready, string.match(body, '"id":"([^"]+)"'))
  end
end
"""


async def measure(city: RunningCity) -> Section:
    """Alternate wrk on ingest's inner port and pgbench on the same server."""
    villages = await _villages(city)
    await _make_peer(city)
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as name:
        scripts = [await asyncio.to_thread(_write, Path(name), city, villages, number) for number in range(ROUNDS)]
        with paused(city, "registry", "publish", "audit", "qr"):
            for script in scripts:
                ours.append(await _ours(city, script))
                theirs.append(await asyncio.to_thread(_pgbench, city, Path(name)))
    ratio = median([o / t for o, t in zip(ours, theirs, strict=True)])
    rows = [(f"{median(ours):,.0f}", f"{median(theirs):,.0f}", f"**{ratio:.2f}**")]
    text = (
        f"One ledger = a request that makes the draft and one that submits it: sign-in token checked, gate, findings, sealed "
        f"event, outbox. {CLIENTS} connections, {ROUNDS} alternating rounds of {SECONDS} s. Peer: pgbench with {CLIENTS} "
        "clients, prepared statements, the same rows through the same statements in the same two transactions, on the same "
        "PostgreSQL. The other four services are paused meanwhile; ingest's relay and Kafka work. Bar: ratio at least 0.2, target 0.35.\n\n"
        f"{table(('ingest ledgers/s', 'pgbench ledgers/s', 'ratio (median of pairs)'), rows)}"
    )
    return Section("Submit one ledger of 20 lines", text)


async def _make_peer(city: RunningCity) -> None:
    """A database with ingest's own tables, migrated as ingest's are, that no relay looks into."""
    admin = await _connect(city, "sanwu_admin")
    try:
        await admin.execute(f"CREATE DATABASE {PEER}")
    finally:
        await admin.close()
    admin = await _connect(city, "sanwu_admin", PEER)
    try:
        await admin.execute("CREATE SCHEMA ingest AUTHORIZATION ingest")
        await lay_trail(admin)
    finally:
        await admin.close()
    await migrate.migrate("ingest", _dsn(city, "ingest", PEER))


def _write(folder: Path, city: RunningCity, villages: list[str], number: int) -> Path:
    """The scripts of one round; pgbench's stays the same."""
    folder.chmod(0o755)
    body = body_of_20_lines()
    (folder / "ledger.sql").write_text(_transactions(body))
    script = folder / f"round-{number}.lua"
    script.write_text(_lua(city, villages, body, number))
    return script


async def _villages(city: RunningCity) -> list[str]:
    conn = await _connect(city, "ingest")
    try:
        rows = await conn.fetch("SELECT key FROM reference WHERE kind = 'division' AND key LIKE $1", f"{TOWNSHIP}___")
        return [r["key"] for r in rows]
    finally:
        await conn.close()


def _dsn(city: RunningCity, role: str, database: str = "sanwu") -> str:
    password = json.loads((city.home / "secrets.json").read_text())[role]
    return f"postgresql://{role}:{password}@{city.addresses()['postgres']}/{database}"


async def _connect(city: RunningCity, role: str, database: str = "sanwu") -> asyncpg.Connection:
    return await asyncpg.connect(_dsn(city, role, database))


def _lua(city: RunningCity, villages: list[str], body: dict[str, Any], number: int) -> str:
    """A script whose cells no other round uses: on-event periods, a day each."""
    heads = []
    for n in range(CELLS):
        day = n // len(villages)
        period = f"20{10 + number:02}-{day // 28 % 12 + 1:02}-{day % 28 + 1:02}"
        head = {"village": villages[n % len(villages)], "item": "F07", "period": period}
        heads.append(f"[[{json.dumps(head)[:-1]}, ]]")
    text = json.dumps(body, ensure_ascii=False)
    return _LUA.format(
        cells="{" + ",\n".join(heads) + "}",
        token=city.token(f"reviewer-{TOWNSHIP}"),
        tail=f'"body": {text}}}',
        submit='{"version": 1, "accept": []}',
        round=number,
    )


async def _ours(city: RunningCity, script: Path) -> float:
    """Ledgers submitted a second, counted in the table, not by wrk."""
    conn = await _connect(city, "ingest")
    try:
        count = "SELECT count(*) FROM disclosure WHERE state <> 'draft'"
        before = await conn.fetchval(count)
        inner = city.addresses()["ingest"]
        await asyncio.to_thread(wrk, inner, connections=CLIENTS, seconds=SECONDS, script=script)
        return float(await conn.fetchval(count) - before) / SECONDS
    finally:
        await conn.close()


def _pgbench(city: RunningCity, folder: Path) -> float:
    """Ledgers a second by pgbench."""
    command = [str(BIN / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1", "-T", str(SECONDS)]
    done = subprocess.run(
        [*command, "-f", str(folder / "ledger.sql"), _dsn(city, "ingest", PEER)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LoadError(done.stderr)
    return float(next(line for line in done.stdout.splitlines() if line.startswith("tps")).split()[2])


def _sql(statement: str, *values: str) -> str:
    """A statement of ours with its parameters written in."""
    for place in range(len(values), 0, -1):
        statement = statement.replace(f"${place}", values[place - 1])
    return statement.strip().rstrip(";") + ";\n"


def _transactions(body: dict[str, Any]) -> str:
    """What one ledger costs the database: the draft's transaction and the submission's."""
    text = "'" + json.dumps(body, ensure_ascii=False).replace("'", "''") + "'"
    payload = "'" + json.dumps({"sealed": "x" * 400, "item": "F07", "pad": "y" * 500}) + "'"
    this, day = "md5(:key::text)::uuid", "'2010-01-01'"
    village = "lpad((:key % 1000000000000)::text, 12, '0')"
    headers = "'" + json.dumps({"id": "x" * 36, "type": "disclosure.submitted.v1", "aggregate": "disclosure"}) + "'"
    event = ("gen_random_uuid()", "now()", "'bench'", "'bench'", "(:key)::text", "1", payload)
    action = ("now()", "'bench'", "'clerk'", "'210881006206'", "'POST /bench'", "'disclosure/x'", village, "'r'")
    return "".join(
        [
            "\\set key random(1, 9000000000000000)\n",
            "BEGIN;\n",
            _sql(route.CLAIM_KEY, "'bench'", "'bench'", "(:key)::text", "'digest'", "now()"),
            _sql(
                store.INSERT_DISCLOSURES,
                *(f"ARRAY[{value}]" for value in (this, village, "'F07'", day, "'d'", "true", "false")),
                "now()",
                "'pgbench'",
                "false",
            ),
            _sql(
                store.INSERT_EDITIONS,
                *(f"ARRAY[{value}]" for value in (this, "1", text, "'[]'", "NULL")),
                "'pgbench'",
                "now()",
            ),
            _sql(route.SAVE_ANSWER, "'bench'", "'bench'", "(:key)::text", "201", "repeat('x', 200)"),
            _sql(actions.INSERT_ACTION, *action),
            "COMMIT;\nBEGIN;\n",
            _sql(store.LOCK_DISCLOSURE, this),
            _sql(store.SELECT_EDITIONS, f"ARRAY[{this}]", "ARRAY[1]"),
            _sql(store.UPDATE_SUBMITTED, this, "'submitted'", "now()", "'pgbench'"),
            _sql(outbox.BUMP_VERSION, "'bench'", "(:key)::text"),
            _sql(outbox.INSERT_EVENT, *event, f"'{DISCLOSURES.name}'", "(:key)::text", headers),
            _sql(actions.INSERT_ACTION, *action),
            "COMMIT;\n",
        ],
    )
