"""pgbench on the rows of a ledger: what ingest's own statements cost when nothing stands around them."""

import json
import subprocess
import zlib
from pathlib import Path
from typing import Any, Final

from deploy.local.postgres import BIN
from services.contracts.topics import DISCLOSURES, KEYS
from services.ingest.store import disclosures as store
from services.kit import actions, outbox, route, shred
from tests.bench.load import LoadError

SCRIPT: Final = "ledger.sql"


def write(folder: Path, body: dict[str, Any]) -> None:
    """The script of one ledger."""
    (folder / SCRIPT).write_text(_transactions(body))


def ledgers_a_second(folder: Path, dsn: str, clients: int, seconds: int) -> float:
    """Run it for a while, statements prepared."""
    command = [str(BIN / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-T", str(seconds)]
    done = subprocess.run(
        [*command, "-f", str(folder / SCRIPT), dsn], capture_output=True, text=True, check=False, timeout=seconds + 60
    )
    if done.returncode or "aborted" in done.stderr:
        raise LoadError(done.stderr)
    return float(next(line for line in done.stdout.splitlines() if line.startswith("tps")).split()[2])


def _sql(statement: str, *values: str) -> str:
    """A statement of ours with its parameters written in."""
    for place in range(len(values), 0, -1):
        statement = statement.replace(f"${place}", values[place - 1])
    return " ".join(statement.split()).rstrip(";") + ";\n"


def _transactions(body: dict[str, Any]) -> str:
    """What one ledger costs the database: the draft's transaction and the submission's, as ingest runs them."""
    packed = zlib.compress(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), 6)
    # Sealed: a nonce before and a tag behind.
    sealed, remarks = (f"ARRAY['\\x{'00' * 12}{data.hex()}{'00' * 16}'::bytea]" for data in (packed, b"x" * 150))
    this, day, key = "md5(:key::text)::uuid", "'2010-01-01'", "(:key)::text"
    village = "lpad((:key % 1000000000000)::text, 12, '0')"
    answer = (
        f"json_build_object('about', json_build_array(json_build_object('id', {this})), 'closed', repeat('x', 200))"
    )
    action = ("now()", "'bench'", "'clerk'", "'210881006206'", "'POST /bench'", "'disclosure/x'", village, "'r'")
    noted = _sql(actions.INSERT_ACTION, *action, "'127.0.0.1'", "NULL", "NULL")
    ids = f"ARRAY[({this})::text]"
    return "".join(
        [
            "\\set key random(1, 9000000000000000)\n",
            "BEGIN;\n",
            _sql(route.CLAIM_KEY, "'bench'", "'bench'", key, "'digest'", "now()"),
            _sql(
                store.INSERT_DISCLOSURES,
                *(f"ARRAY[{value}]" for value in (this, village, "'F07'", day, "'d'", "true", "false")),
                "now()",
                "'pgbench'",
                "false",
            ),
            _sql(shred.SELECT_KEYS, ids),
            _sql(shred.INSERT_KEYS, ids, "ARRAY['w1:' || repeat('k', 80)]"),
            _sql(
                store.INSERT_EDITIONS, f"ARRAY[{this}]", "ARRAY[1]", "ARRAY['F']", sealed, remarks, "'pgbench'", "now()"
            ),
            _sql(route.SAVE_ANSWER, "'bench'", "'bench'", key, "201", f"({answer})::text"),
            noted,
            "COMMIT;\nBEGIN;\n",
            _sql(store.LOCK_DISCLOSURE, this),
            _sql(store.SELECT_EDITIONS, f"ARRAY[{this}]", "ARRAY[1]"),
            _sql(store.UPDATE_SUBMITTED, this, "'submitted'", "now()", "'pgbench'"),
            _said("disclosure.submitted.v1", "disclosure", this, DISCLOSURES.name, 900),
            _sql(shred.SELECT_KEYS, ids),
            _sql(shred.SELECT_TOLD, f"({this})::text"),
            _said("key.set.v2", "key", this, KEYS.name, 500),
            noted,
            "COMMIT;\n",
        ],
    )


def _said(event_type: str, aggregate: str, this: str, topic: str, size: int) -> str:
    """An aggregate's next version and an event of it, queued."""
    payload = "'" + json.dumps({"item": "F07", "pad": "y" * size}) + "'"
    headers = "'" + json.dumps({"id": "x" * 36, "type": event_type, "aggregate": aggregate}) + "'"
    event = ("gen_random_uuid()", "now()", f"'{event_type}'", f"'{aggregate}'", f"({this})::text", "1", payload)
    return _sql(outbox.BUMP_VERSION, f"'{aggregate}'", f"({this})::text") + _sql(
        outbox.INSERT_EVENT, *event, f"'{topic}'", f"({this})::text", headers
    )
