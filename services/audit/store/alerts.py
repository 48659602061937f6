"""SQL of alerts, episodes and evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import AwareDatetime, Field, StringConstraints

from services.audit.rules.facts import CellKey
from services.contracts.alert import Subject
from services.kit.db import Connection, Row

AlertState = Literal["open", "cleared"]


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert as it stands."""

    alert_id: str
    rule: str
    rule_version: str
    subject: Subject
    level: int
    state: AlertState
    sentence: str
    episode: int
    raised_at: datetime
    cleared_at: datetime | None
    evidence_hash: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The alert of one subject before it is judged again; empty strings and 0 when there never was one."""

    state: str
    episode: int
    level: int
    evidence_hash: str


SELECT_STANDINGS = """
SELECT k.id, coalesce(a.state, '') AS state, coalesce(a.episode, 0) AS episode, coalesce(a.level, 0) AS level,
       coalesce(a.evidence_hash, '') AS evidence_hash
FROM unnest($1::text[]) AS k (id) LEFT JOIN alert a ON a.alert_id = k.id
"""


async def select_standings(conn: Connection, alert_ids: Sequence[str]) -> dict[str, Standing]:
    """What is stored of each subject."""
    rows = await conn.fetch(SELECT_STANDINGS, alert_ids)
    return {r["id"]: Standing(r["state"], r["episode"], r["level"], r["evidence_hash"]) for r in rows}


SELECT_STALE = """
SELECT a.* FROM alert a JOIN unnest($2::text[], $3::text[], $4::text[]) AS k (village, item, period)
    ON (a.village, a.item, a.period) = (k.village, k.item, k.period)
WHERE a.state = 'open' AND a.rule = ANY($1::text[]) AND a.alert_id <> ALL($5::text[])
"""


async def select_stale(
    conn: Connection, rules: Sequence[str], keys: Sequence[CellKey], judged: Sequence[str]
) -> list[AlertRow]:
    """Open alerts of some rules on cells that were judged without their subject now."""
    columns = ([k.village for k in keys], [k.item for k in keys], [k.period for k in keys])
    return [_alert(r) for r in await conn.fetch(SELECT_STALE, rules, *columns, judged)]


UPSERT_ALERT = """
INSERT INTO alert (alert_id, rule, rule_version, village, item, period, account, level, state, sentence, episode,
                   raised_at, evidence_hash, question)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $10, $11, $12, $13)
ON CONFLICT (alert_id) DO UPDATE SET
    rule_version = excluded.rule_version, level = excluded.level, state = 'open', sentence = excluded.sentence,
    episode = excluded.episode, evidence_hash = excluded.evidence_hash, cleared_at = NULL,
    raised_at = CASE WHEN alert.episode = excluded.episode THEN alert.raised_at ELSE excluded.raised_at END
RETURNING raised_at
"""


async def upsert_alert(conn: Connection, alert: AlertRow) -> datetime:
    """Store an open alert; returns when its episode began."""
    s = alert.subject
    raised_at: datetime = await conn.fetchval(
        UPSERT_ALERT,
        alert.alert_id,
        alert.rule,
        alert.rule_version,
        s.village,
        s.item,
        s.period,
        s.account,
        alert.level,
        alert.sentence,
        alert.episode,
        alert.raised_at,
        alert.evidence_hash,
        s.question,
    )
    return raised_at


INSERT_EPISODE = "INSERT INTO episode (alert_id, episode, raised_at, raised_by) VALUES ($1, $2, $3, $4)"


async def insert_episode(conn: Connection, alert_id: str, episode: int, at: datetime, cause: str) -> None:
    await conn.execute(INSERT_EPISODE, alert_id, episode, at, cause)


INSERT_EVIDENCE = """
INSERT INTO evidence (alert_id, episode, hash, made_at, pack) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (alert_id, episode, hash) DO NOTHING
"""


async def insert_evidence(conn: Connection, alert: AlertRow, pack: str, now: datetime) -> None:
    """Keep a pack; the same finding again in one episode is the same pack."""
    await conn.execute(INSERT_EVIDENCE, alert.alert_id, alert.episode, alert.evidence_hash, now, pack)


CLEAR_ALERT = """
WITH ended AS (
    UPDATE episode SET cleared_at = $2, cleared_by = $3 WHERE alert_id = $1 AND cleared_at IS NULL
)
UPDATE alert SET state = 'cleared', cleared_at = $2 WHERE alert_id = $1
"""


async def clear_alert(conn: Connection, alert_id: str, at: datetime, cause: str) -> None:
    """Set an alert cleared and end its open episode; `cause` is the event's id, or `clock` and the time."""
    await conn.execute(CLEAR_ALERT, alert_id, at, cause)


# -- reading ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts are asked for; `villages` None is the whole city, `items` None the whole catalogue."""

    villages: Sequence[str] | None
    rule: str | None = None
    state: AlertState | None = None
    level: int | None = None
    items: Sequence[str] | None = None


class AlertPlace(NamedTuple):
    """A place in the order of alerts: most serious first, then newest."""

    level: Annotated[int, Field(ge=1, le=3)]
    raised_at: AwareDatetime
    alert_id: Annotated[str, StringConstraints(pattern="^[0-9a-f]{30}$")]


SELECT_ALERTS = """
SELECT * FROM alert
WHERE ($1::text[] IS NULL OR village = ANY($1)) AND ($2::text IS NULL OR rule = $2)
  AND ($3::text IS NULL OR state = $3) AND ($4::integer IS NULL OR level = $4)
  AND ($5::integer IS NULL OR (level, raised_at, alert_id) < ($5, $6::timestamptz, $7::text))
  AND ($9::text[] IS NULL OR item = ANY($9))
ORDER BY level DESC, raised_at DESC, alert_id DESC LIMIT $8
"""


async def select_alerts(conn: Connection, wanted: AlertFilter, after: AlertPlace | None, limit: int) -> list[AlertRow]:
    """Alerts in order, from after a place."""
    place = (after.level, after.raised_at, after.alert_id) if after else (None, None, None)
    chosen = (wanted.villages, wanted.rule, wanted.state, wanted.level)
    rows = await conn.fetch(SELECT_ALERTS, *chosen, *place, limit, wanted.items)
    return [_alert(r) for r in rows]


COUNT_OPEN = """
SELECT level, count(*) AS n FROM alert
WHERE state = 'open' AND ($1::text[] IS NULL OR village = ANY($1)) AND ($2::text[] IS NULL OR item = ANY($2))
GROUP BY level
"""


async def count_open(conn: Connection, wanted: AlertFilter) -> dict[int, int]:
    """Open alerts by level, in the villages and of the items that are asked for."""
    return {r["level"]: r["n"] for r in await conn.fetch(COUNT_OPEN, wanted.villages, wanted.items)}


SELECT_ALERT = "SELECT * FROM alert WHERE alert_id = $1"


async def select_alert(conn: Connection, alert_id: str) -> AlertRow | None:
    row = await conn.fetchrow(SELECT_ALERT, alert_id)
    return _alert(row) if row else None


def _alert(row: Row) -> AlertRow:
    return AlertRow(
        alert_id=row["alert_id"],
        rule=row["rule"],
        rule_version=row["rule_version"],
        subject=Subject(
            village=row["village"],
            item=row["item"],
            period=row["period"],
            account=row["account"],
            question=row["question"],
        ),
        level=row["level"],
        state=row["state"],
        sentence=row["sentence"],
        episode=row["episode"],
        raised_at=row["raised_at"],
        cleared_at=row["cleared_at"],
        evidence_hash=row["evidence_hash"],
    )


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that an alert was open; the causes are event ids, or `clock` and the time."""

    episode: int
    raised_at: datetime
    raised_by: str
    cleared_at: datetime | None
    cleared_by: str | None


SELECT_EPISODES = """
SELECT episode, raised_at, raised_by, cleared_at, cleared_by FROM episode WHERE alert_id = $1 ORDER BY episode DESC
"""


async def select_episodes(conn: Connection, alert_id: str) -> list[Episode]:
    """An alert's history, newest first."""
    rows = await conn.fetch(SELECT_EPISODES, alert_id)
    return [Episode(r["episode"], r["raised_at"], r["raised_by"], r["cleared_at"], r["cleared_by"]) for r in rows]


SELECT_PACK = "SELECT pack FROM evidence WHERE alert_id = $1 AND episode = $2 AND hash = $3"


async def select_pack(conn: Connection, alert: AlertRow) -> str:
    """The evidence that an alert stands on, canonical JSON."""
    pack: str = await conn.fetchval(SELECT_PACK, alert.alert_id, alert.episode, alert.evidence_hash)
    return pack


SELECT_BLIND = """
SELECT village, item, period FROM alert
WHERE rule = 'D02' AND state = 'open' AND village = ANY($1::text[]) AND period = ANY($2::text[])
"""


async def select_blind(conn: Connection, villages: Sequence[str], periods: Sequence[str]) -> set[CellKey]:
    """Cells that are blind as the rule said last."""
    return {CellKey(r["village"], r["item"], r["period"]) for r in await conn.fetch(SELECT_BLIND, villages, periods)}
