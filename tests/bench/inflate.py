"""Ten years behind a city that runs: `python -m tests.bench.inflate HOME [YEARS]`, or `inflate_city(home, years)`.

Whatever every village owed in the years before, and has not, is opened now: in the tables of ingest, publish and audit as if
they had heard it, by the database itself but for contents, which the services' own code closes. Duties begin so much
earlier in every copy of the reference data. Nothing of it stands on a topic. One in fifty came late and had an alert
meanwhile. What every village lacks of today stays as it was, so whatever grows, grows with history alone.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
import psutil

from deploy.local.home import Home, read_json
from deploy.local.info import KEY_SEAL
from deploy.local.postgres import ADMIN, SERVICES, Postgres
from services.contracts.catalogue import CalendarYear, Item, Profile, WorkCalendar
from services.contracts.division import Division, DivisionKind
from services.contracts.duties import DutyDivision, duty, periods_due
from services.contracts.values import Frequency
from tests.bench import decade, sealed
from tests.bench.decade import Slot, Span
from tests.bench.sealed import Made

YEARS: Final = 10
#: Of a thousand, so many were opened after they were due.
_LATE: Final = 20

_REFERENCE: Final = "SELECT kind, payload::text AS payload FROM ingest.reference WHERE kind IN ('division', 'item', 'profile', 'calendar')"
#: In each service's own copy, so that none waits for another.
_BEGIN_EARLIER: Final = """
UPDATE {}.reference SET changed_in = pg_current_xact_id(), payload = jsonb_set(payload, '{{revisions}}', (
    SELECT jsonb_agg(CASE WHEN r ->> 'duties_from' IS NULL THEN r ELSE r || jsonb_build_object('duties_from', $1::date) END ORDER BY n)
    FROM jsonb_array_elements(payload -> 'revisions') WITH ORDINALITY AS t (r, n)))
WHERE kind = 'division' AND payload @? '$.revisions[*] ? (@.duties_from != null)'
"""
_CONTENTS: Final = """
CREATE TEMPORARY TABLE closed (id text, key text, public bytea, body bytea, remarks bytea, said bytea);
CREATE TEMPORARY TABLE kind_of (item text, kind text, lines integer)
"""
_SEALED: Final = (
    """
UPDATE ingest.edition e SET kind = k.kind, body = NULL, body_sealed = c.body, remarks_sealed = c.remarks
FROM closed c JOIN cell ON cell.id = c.id::uuid JOIN kind_of k USING (item) WHERE e.disclosure_id = cell.id
""",
    """
UPDATE ingest.confirmation w SET names = '[]', said_sealed = c.said FROM closed c WHERE w.disclosure_id = c.id::uuid
""",
    "INSERT INTO ingest.shred_key SELECT id, key FROM closed",
    "INSERT INTO publish.shred_key SELECT id, key FROM closed",
    "INSERT INTO audit.shred_key SELECT id, key FROM closed",
)
#: Ledgers have what the earliest one of their village begins with, from beginning to end.
_PUBLISH: Final = (
    """
INSERT INTO publish_read.publication (disclosure_id, village_code, item, period, edition, digest, history, nil, first_published_at,
    published_at, kind, line_count, opening_fen, income_fen, expense_fen, closing_fen, sums)
SELECT cell.id::text, village, cell.item, period, 1, md5(cell.id::text), false, false, at, at, kind, lines,
    stands.fen, CASE WHEN kind = 'ledger' THEN 0 END, CASE WHEN kind = 'ledger' THEN 0 END, stands.fen,
    CASE WHEN kind = 'ledger' THEN jsonb_build_object('accounts', stands.accounts, 'income_stated_fen', NULL, 'expense_stated_fen', NULL) END
FROM cell JOIN kind_of USING (item)
LEFT JOIN (
    SELECT DISTINCT ON (village_code, item) village_code AS village, item, opening_fen, sums -> 'accounts' AS accounts
    FROM publish_read.publication WHERE sums IS NOT NULL AND withdrawn_at IS NULL ORDER BY village_code, item, period
) AS first USING (village, item)
CROSS JOIN LATERAL (
    SELECT sum((a ->> 'opening_fen')::bigint) AS fen, jsonb_agg(jsonb_build_object('account', a -> 'account', 'opening_fen', a -> 'opening_fen',
        'income_fen', 0, 'expense_fen', 0, 'transfer_fen', 0, 'closing_fen', a -> 'opening_fen')) AS accounts
    FROM jsonb_array_elements(coalesce(first.accounts, '[{"account": "bank", "opening_fen": 5000000}]')) AS a
    WHERE kind = 'ledger'
) AS stands
""",
    "INSERT INTO publish_read.edition (disclosure_id, edition, published_at, sealed) SELECT cell.id::text, 1, at, public FROM cell JOIN closed ON closed.id = cell.id::text",
    """
INSERT INTO publish_read.declaration (village_code, quarter, edition, answers, confirmed_at)
SELECT village_code, quarter, edition, (SELECT jsonb_object_agg(a ->> 'item', a -> 'days') FROM jsonb_array_elements(answers) AS a), confirmed_at
FROM ingest.declaration WHERE state = 'confirmed' ON CONFLICT DO NOTHING
""",
    """
WITH head AS (UPDATE publish.change_head SET position = position + (SELECT count(*) FROM cell) RETURNING position)
INSERT INTO publish.change (position, disclosure_id, village_code, item, period, edition, kind, changed_at)
SELECT head.position + 1 - row_number() OVER (ORDER BY at DESC, id DESC), id::text, village, item, period, 1, 'published', at FROM cell, head
""",
    "INSERT INTO publish.announced SELECT id::text, 1, 'published' FROM cell",
    "INSERT INTO publish.aggregate_seen SELECT 'disclosure', id::text, 3 FROM cell",
    # As at midnight.
    """
INSERT INTO publish.dirty (kind, key) SELECT DISTINCT 'village', village FROM cell
UNION ALL SELECT DISTINCT 'township', left(village, 9) FROM cell UNION ALL SELECT 'city', ''
""",
)
_FACTS: Final = """
INSERT INTO audit.fact (event_id, kind, village, item, period, disclosure, edition, version, occurred_at, heard_at, data)
SELECT md5(id::text || said.kind)::uuid, said.kind, village, cell.item, period, id::text, 1, said.version, said.at, said.at, said.data
FROM cell JOIN kind_of k USING (item)
LEFT JOIN (
    SELECT DISTINCT ON (village, item) village, item, data -> 'accounts' AS accounts
    FROM audit.fact WHERE kind = 'approved' AND data ? 'accounts' ORDER BY village, item, period
) AS first USING (village, item)
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(key, jsonb_build_array(value -> 0, 0, 0, 0, 0, value -> 0)) AS accounts
    FROM jsonb_each(coalesce(first.accounts, '{"bank": [5000000]}'))
) AS stands
CROSS JOIN LATERAL (VALUES
    ('submitted', 1, at - interval '2 days', '{}'::jsonb),
    ('confirmed', 2, at - interval '1 day', jsonb_build_object('by', 'supervisor-' || village, 'complete', true)),
    ('approved', 3, at, jsonb_build_object('nil', false, 'figures', md5(cell.item), 'submitted_at', at - interval '2 days',
        'confirmed_at', at - interval '1 day', 'submitted_by', 'clerk-' || village, 'approved_by', 'reviewer-' || left(village, 9),
        'release', 'approve', 'delegation', NULL, 'noted', false)
        || CASE WHEN k.kind = 'ledger' THEN jsonb_build_object('totals', jsonb_build_array(0, 0), 'lines', jsonb_build_array(0, 0), 'accounts', stands.accounts)
           ELSE '{}' END),
    ('published', 1, at, jsonb_build_object('first_published_at', at))
) AS said (kind, version, at, data)
ORDER BY said.at, id, said.version
"""
#: The name of an alert as `rules.judge.alert_id` makes it.
_NAMED: Final = """
left(encode(sha256(convert_to(format('["%s","%s",1,{%s"item":"%s","period":"%s","village":"%s"}]', left(village, 6), rule,
    CASE WHEN account IS NULL THEN '' ELSE format('"account":"%s",', account) END, item, period, village), 'UTF8')), 'hex'), 30)
"""
_AUDIT: Final = (
    _FACTS,
    """
INSERT INTO audit.fact (event_id, kind, village, item, period, disclosure, edition, version, occurred_at, heard_at, data)
SELECT md5(village_code || quarter)::uuid, 'declared', village_code, a ->> 'item', told.period, village_code || ':' || quarter, edition, 1,
    confirmed_at, confirmed_at, jsonb_build_object('nil', told.nil)
FROM ingest.declaration CROSS JOIN LATERAL jsonb_array_elements(answers) AS a
CROSS JOIN LATERAL (
    SELECT quarter, a -> 'days' = '[]' UNION ALL SELECT d, false FROM jsonb_array_elements_text(a -> 'days') AS d
) AS told (period, nil)
WHERE state = 'confirmed' ON CONFLICT DO NOTHING
""",
    # The clock looks again at what was overdue until now.
    """
INSERT INTO audit.deadline (village, item, period, due_at) SELECT village, item, period, due_at FROM cell
ON CONFLICT (village, item, period) DO UPDATE SET again_at = now()
""",
    "INSERT INTO audit.aggregate_seen SELECT 'disclosure', id::text, 3 FROM cell",
    """
INSERT INTO audit.verdict (village, item, period, rules)
SELECT village, item, period, jsonb_build_object('D01', passed, 'D03', passed, 'D07', '{"n/a 没有更正过": 1}'::jsonb, 'D10', passed, 'D11', passed)
    || CASE WHEN length(period) < 10 THEN jsonb_build_object('D02', passed) ELSE '{}' END
    || CASE WHEN accounts = 0 THEN '{}' ELSE jsonb_build_object('A01', passed, 'A02', jsonb_build_object('pass', accounts), 'A03',
        jsonb_build_object('pass', accounts)) || $unseen${
            "A05": {"n/a 看不见：本地没有填写应附凭证的金额": 1}, "A06": {"n/a 已撤回或内容不可见": 1}, "B01": {"n/a 已撤回或内容不可见": 1},
            "B04": {"n/a 看不见：本地没有填写应经民主议定的金额": 1}, "L01": {"n/a 看不见：本地没有填写需要上一级审批的金额": 1},
            "L03": {"n/a 已撤回或内容不可见": 1}, "L05": {"n/a 本期或上期没有可读的明细": 1}
        }$unseen$::jsonb END
FROM (
    SELECT village, item, period, '{"pass": 1}'::jsonb AS passed,
        coalesce((SELECT count(*) FROM jsonb_object_keys(data -> 'accounts')), 0) AS accounts
    FROM cell JOIN audit.fact f USING (village, item, period) WHERE f.kind = 'approved' AND f.disclosure = cell.id::text
) AS judged
ON CONFLICT DO NOTHING
""",
    f"""
WITH late AS (SELECT {_NAMED} AS alert, c.* FROM (SELECT 'D01' AS rule, NULL AS account, * FROM cell WHERE dice < {_LATE}) AS c),
episodes AS (INSERT INTO audit.episode SELECT alert, 1, due_at, 'clock', at, 'clock' FROM late),
packs AS (INSERT INTO audit.evidence SELECT alert, 1, md5(alert), due_at, '{{"facts": []}}' FROM late)
INSERT INTO audit.alert (alert_id, rule, rule_version, village, item, period, level, state, sentence, episode, raised_at, cleared_at, evidence_hash)
SELECT alert, 'D01', '1.0', village, item, period, 1, 'cleared', '逾期没有公开。', 1, due_at, at, md5(alert) FROM late
""",
)


class Copy(NamedTuple):
    """The reference data of a city that count for duties."""

    divisions: Sequence[Division]
    items: Sequence[Item]
    profile: Profile
    calendar: WorkCalendar


async def inflate_city(home: Path, years: int = YEARS) -> int:
    """Give a running city so many years; returns how many disclosures it got."""
    conn = await asyncpg.connect(Postgres(Home(home)).dsn(ADMIN), command_timeout=3600)
    try:
        made = await inflate(conn, str(read_json(home / "secrets.json")[KEY_SEAL]), datetime.now(UTC), years)
        await conn.execute("VACUUM ANALYZE")
        return made
    finally:
        await conn.close()


async def inflate(conn: asyncpg.Connection, key_seal: str | None, now: datetime, years: int) -> int:
    """Write the years before a moment as the superuser of a city's database; returns how many disclosures those are."""
    of = await _reference(conn)
    first = date(now.year - years, now.month, 1)
    async with conn.transaction():
        await conn.execute("SET LOCAL work_mem = '256MB'")
        await decade.make_cells(conn, list(_owed(of, first, now)), now, _LATE)
        await decade.fill_ingest(conn, _codes(of, *_KINDS), of.items, Span(first, now))
        await _close_contents(conn, key_seal)
        for statement in (*_SEALED, *_PUBLISH, *_AUDIT):
            await conn.execute(statement)
    for service in SERVICES:
        await conn.execute(_BEGIN_EARLIER.format(service), first)
    return int(await conn.fetchval("SELECT count(*) FROM cell"))


_KINDS: Final = (DivisionKind.VILLAGE, DivisionKind.COMMUNITY)


async def _reference(conn: asyncpg.Connection) -> Copy:
    told: dict[str, list[str]] = {}
    for row in await conn.fetch(_REFERENCE):
        told.setdefault(row["kind"], []).append(row["payload"])
    return Copy(
        [Division.model_validate_json(p) for p in told["division"]],
        [Item.model_validate_json(p) for p in told["item"]],
        Profile.model_validate_json(told["profile"][0]),
        WorkCalendar(tuple(CalendarYear.model_validate_json(p) for p in told["calendar"])),
    )


def _codes(of: Copy, *kinds: DivisionKind) -> list[str]:
    return sorted(d.code for d in of.divisions if d.now.kind in kinds)


def _owed(of: Copy, first: date, now: datetime) -> Iterator[tuple[list[str], list[Slot]]]:
    """What villages of one kind owe alike since a day, the newest of each item first."""
    for kind in _KINDS:
        codes = _codes(of, kind)
        if codes:
            one = DutyDivision(codes[0], kind, first)
            yield codes, [s for item in of.items for s in _slots(of, item, one, now)]


def _slots(of: Copy, item: Item, one: DutyDivision, now: datetime) -> Iterator[Slot]:
    if item.revisions[-1].frequency is Frequency.ON_EVENT:
        periods = decade.event_days(one.duties_from or now.date(), now.date() - timedelta(days=30))
    else:
        periods = list(periods_due(item, one, of.profile, of.calendar, now))[::-1]
    for n, period in enumerate(periods):
        owed = duty(item, one, period, of.profile, of.calendar)
        if owed.applies and owed.due_at < now:
            # Nothing is the newest: all of it was opened.
            yield Slot(item.code, period, owed.due_at, n + 1)


async def _close_contents(conn: asyncpg.Connection, key_seal: str | None) -> None:
    await conn.execute(_CONTENTS)
    rows = await conn.fetch("SELECT id::text, item, village FROM cell ORDER BY id")
    made = [Made(*row) for row in rows]
    kinds = [(item, b.kind, b.row_count) for item, b in ((m, sealed.body(m)) for m in sorted({m.item for m in made}))]
    await conn.copy_records_to_table("kind_of", records=kinds)
    for closed in sealed.close_all(made, key_seal, psutil.cpu_count() or 1):
        await conn.copy_records_to_table("closed", records=closed)
    await conn.execute(
        "CREATE INDEX ON closed (id); ANALYZE closed; CREATE INDEX ON cell (id); ANALYZE cell; ANALYZE kind_of"
    )


def main() -> int:
    """Inflate the city of a home."""
    home, years = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else YEARS
    sys.stdout.write(f"{asyncio.run(inflate_city(home, years))} disclosures of {years} years\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
