"""SQL of replays: the side table, and its comparison with the living alerts."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from services.kit.db import Connection


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """What a replay says of one subject that does not pass; only a hit has a hash."""

    alert_id: str
    rule: str
    result: str
    level: int
    evidence_hash: str | None
    village: str
    item: str | None
    period: str | None
    sentence: str | None


INSERT_REPLAY = """
INSERT INTO replay_alert (replay_id, alert_id, rule, result, level, evidence_hash, village, item, period, sentence)
SELECT $1, k.* FROM unnest($2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::text[],
                           $10::text[]) AS k
"""


async def insert_replay(conn: Connection, replay_id: UUID, rows: Sequence[ReplayRow]) -> None:
    await conn.execute(
        INSERT_REPLAY,
        replay_id,
        [r.alert_id for r in rows],
        [r.rule for r in rows],
        [r.result for r in rows],
        [r.level for r in rows],
        [r.evidence_hash for r in rows],
        [r.village for r in rows],
        [r.item for r in rows],
        [r.period for r in rows],
        [r.sentence for r in rows],
    )


@dataclass(frozen=True, slots=True)
class ReplayDifference:
    """One subject on which the replay and the living alerts are not of one mind."""

    alert_id: str
    rule: str
    verdict: str
    village: str
    item: str
    period: str
    sentence: str


#: A living alert whose data went missing stays open by design: the replay sees n/a and the alert is `kept`.
SELECT_DIFFERENCES = """
SELECT coalesce(a.alert_id, r.alert_id) AS alert_id, coalesce(a.rule, r.rule) AS rule,
       CASE WHEN a.alert_id IS NULL THEN 'gained'
            WHEN r.result = 'hit' AND r.evidence_hash = a.evidence_hash THEN 'same'
            WHEN r.result = 'hit' THEN 'changed'
            WHEN r.result = 'n/a' THEN 'kept'
            ELSE 'lost' END AS verdict,
       coalesce(a.village, r.village) AS village, coalesce(a.item, r.item, '') AS item,
       coalesce(a.period, r.period, '') AS period, coalesce(r.sentence, a.sentence) AS sentence
FROM (SELECT alert_id, rule, evidence_hash, village, item, period, sentence FROM alert
      WHERE state = 'open' AND rule = ANY($2::text[])) a
FULL JOIN (SELECT alert_id, rule, result, evidence_hash, village, item, period, sentence FROM replay_alert WHERE replay_id = $1) r USING (alert_id)
WHERE a.alert_id IS NOT NULL OR r.result = 'hit'
ORDER BY verdict, rule, alert_id
"""


async def select_differences(conn: Connection, replay_id: UUID, rules: Sequence[str]) -> list[ReplayDifference]:
    """Every open alert of some rules and every hit of a replay, with how they compare."""
    rows = await conn.fetch(SELECT_DIFFERENCES, replay_id, rules)
    names = [f.name for f in fields(ReplayDifference)]
    return [ReplayDifference(*(r[name] for name in names)) for r in rows]


FORGET_OTHER_REPLAYS = "DELETE FROM replay_alert WHERE replay_id <> $1"


async def forget_other_replays(conn: Connection, replay_id: UUID) -> None:
    """Keep the newest replay only."""
    await conn.execute(FORGET_OTHER_REPLAYS, replay_id)
