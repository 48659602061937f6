"""What changes audit: judging cells, raising and clearing alerts, replaying all of it on the side.

One path for stream, clock and replay: `views` makes the same views, `rules.judge` says the same of them. Alerts,
evidence and events are written in the caller's transaction, the one that moves the consumer's offset.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import uuid_utils.compat

from services.audit import metrics
from services.audit.rules import CHAIN_RULES, CLOCK_RULES, LEDGER_RULES, RULES
from services.audit.rules.base import Rule
from services.audit.rules.evidence import canonical, make_pack
from services.audit.rules.facts import EMPTY, CellKey, Fact, fold
from services.audit.rules.judge import Judgement, judge
from services.audit.rules.window import Last, View
from services.audit.store import alerts, facts, heads, leads, replays, resets
from services.audit.store.alerts import AlertRow, Standing
from services.audit.store.leads import LeadRow
from services.audit.store.replays import ReplayDifference, ReplayRow
from services.audit.store.resets import Meeting, ResetRow
from services.audit.store.verdicts import Verdicts, upsert_verdicts
from services.audit.visit import Bench, Reading
from services.contracts.alert import AlertCleared, AlertRaised, Subject
from services.contracts.disclosure import DisclosureApproved
from services.contracts.staff import RESETS_KEPT, Staff
from services.contracts.topics import SERVICES
from services.contracts.trail import TrailHead
from services.contracts.values import Frequency, period_frequency
from services.kit import outbox
from services.kit.db import Connection, Database
from services.kit.errors import Retry
from services.kit.heads import AT_LEAST_EVERY, Signed

#: A head is said once a day at least; so long without is too long.
_LATE: Final = AT_LEAST_EVERY + timedelta(hours=1)
#: Facts and deadlines judged per read of a replay, so that memory stays flat however many years there are.
REPLAY_CHUNK: Final = 25_000


# -- judging ------------------------------------------------------------------------------------------------------


async def judge_after_disclosure(conn: Connection, bench: Bench, key: CellKey, cause: str) -> None:
    """Judge a cell of which something was heard, and the chain into the next period and the next that is open.

    Its deadlines are left to the clock, which looks soon: that nothing was published cannot be known from here.
    """
    await _lock_known(conn, bench, key)
    after = key.after()
    later = {after, await facts.select_next_open(conn, key)} - {None}
    work: list[tuple[CellKey, Sequence[Rule]]] = [(key, LEDGER_RULES)]
    work += [(k, CHAIN_RULES) for k in sorted(k for k in later if k is not None)]
    views = await _judge(conn, bench, work, cause)
    await facts.touch_deadlines(conn, [key, *([after] if after is not None else [])], bench.now)
    review, late_from = views[key].cell.review, views[key].review_due_at
    if review is not None and review.decided_at is None and late_from is not None:
        await facts.watch(conn, key, None, max(late_from, bench.now))


async def judge_after_publication(conn: Connection, bench: Bench, key: CellKey, cause: str) -> None:
    """Judge the deadlines of a cell that can now be read, or need not be any more, and of the one after it."""
    await _lock_known(conn, bench, key)
    await _judge(conn, bench, [(key, CLOCK_RULES)], cause)
    after = key.after()
    if after is not None:
        await facts.touch_deadlines(conn, [after], bench.now)


async def watch_question(conn: Connection, bench: Bench, key: CellKey) -> None:
    """Have the clock look soon at a cell of whose questions something was heard; from there on it knows when to look again."""
    await _lock_known(conn, bench, key)
    await facts.watch(conn, key, None, bench.now)


async def judge_after_declaration(conn: Connection, bench: Bench, keys: Sequence[CellKey], cause: str) -> None:
    """Watch the deadlines of events that a village declared; settle what it said did not happen."""
    await _lock_known(conn, bench, keys[0])
    known = await facts.select_facts(conn, keys)
    for key in keys:
        owed = bench.duty(key, known.get(key, ()))
        if owed is not None:
            await facts.watch(conn, key, owed.due_at, max(owed.due_at, bench.now))
    await _judge(conn, bench, [(key, CLOCK_RULES) for key in keys], cause)


async def _lock_known(conn: Connection, bench: Bench, key: CellKey) -> None:
    if key.village not in bench.reference.divisions:
        reason = f"division {key.village} is not known yet"
        raise Retry(reason)
    await facts.lock_village(conn, key.village)


async def judge_by_clock(conn: Connection, bench: Bench, keys: Sequence[CellKey]) -> None:
    """Judge cells, whose villages the caller locked, by the clock rules."""
    # What is no longer watched must not come back at every look; judging moves the others on.
    await facts.move_deadlines(conn, dict.fromkeys(keys))
    await _judge(conn, bench, [(k, CLOCK_RULES) for k in keys], f"clock {bench.now:%Y-%m-%dT%H:%M:%SZ}")


async def _judge(
    conn: Connection, bench: Bench, work: Sequence[tuple[CellKey, Sequence[Rule]]], cause: str
) -> dict[CellKey, View]:
    """Judge, compare with what is stored, store the differences and when to look again; returns what was looked at."""
    keys = [k for k, _ in work]
    chains = await facts.select_last_open(conn, keys)
    around = [*(b for k in keys if (b := k.before()) is not None), *(last for last, _ in chains.values() if last)]
    known = await facts.select_facts(conn, list(dict.fromkeys([*keys, *around])))
    lasts = {key: _last(known, *found) for key, found in chains.items()}
    views = {key: bench.view(key, known, lasts.get(key)) for key in keys}
    found: list[Judgement] = []
    verdicts: dict[CellKey, Verdicts] = {}
    again: dict[CellKey, datetime | None] = {}
    for key, rules in work:
        said = list(judge(rules, bench.city, views[key]))
        found += said
        if said:
            verdicts[key] = _verdicts(said)
        watched = [j.again_at for j in said if j.rule.moments is not None]
        if watched:
            again[key] = min((m for m in watched if m is not None), default=None)
    # Before the first write, and under the village's lock, which the caller holds: every rule is compared with what was
    # stored before this cause.
    standings = await alerts.select_standings(conn, [j.alert_id for j in found])
    if verdicts:
        await upsert_verdicts(conn, verdicts)
    await _apply_all(conn, bench, found, standings, cause)
    await _clear_stale(conn, bench, [k for k, rules in work if any(r in CHAIN_RULES for r in rules)], found, cause)
    if again:
        await facts.move_deadlines(conn, again)
    return views


def _last(known: dict[CellKey, list[Fact]], key: CellKey | None, between: frozenset[str]) -> Last:
    return Last(key.period, fold(known.get(key, ())), between) if key is not None else Last(None, EMPTY, between)


def _chains_among(known: dict[CellKey, list[Fact]]) -> dict[CellKey, Last]:
    """For every cell of some villages the nearest earlier one with an open ledger, each chain walked once."""
    found: dict[CellKey, Last] = {}
    last: dict[tuple[str, str, Frequency], Last] = {}
    for key in sorted(k for k in known if period_frequency(k.period) is not Frequency.ON_EVENT):
        place, cell = (key.village, key.item, period_frequency(key.period)), fold(known[key])
        found[key] = before = last.get(place, Last(None, EMPTY, frozenset()))
        if cell.ledger is not None:
            last[place] = Last(key.period, cell, frozenset())
        else:
            last[place] = replace(before, between=before.between | cell.accounts)
    return found


async def _clear_stale(
    conn: Connection, bench: Bench, keys: Sequence[CellKey], found: Sequence[Judgement], cause: str
) -> None:
    """Clear alerts on accounts that no longer belong to a cell: a ledger that came between speaks for them now."""
    rules = {r.id: r for r in CHAIN_RULES}
    judged = [j.alert_id for j in found if j.rule.id in rules]
    for a in await alerts.select_stale(conn, list(rules), keys, judged):
        stored = Standing(a.state, a.episode, a.level, a.evidence_hash)
        await _clear_alert(conn, bench, _Named(a.alert_id, rules[a.rule], a.subject), stored, cause)


def _verdicts(said: Iterable[Judgement]) -> Verdicts:
    """What rules say of one cell, and of how many of its subjects."""
    found: dict[str, Counter[str]] = {}
    for j in said:
        result, reason = j.outcome.result, j.outcome.reason
        if j.rule.kind == "provable":
            # What is only suspected is told by no figure either.
            metrics.JUDGED.labels(rule=j.rule.id, result=result).inc()
        found.setdefault(j.rule.id, Counter())[f"{result} {reason}" if result == "n/a" else result] += 1
    return found


async def _apply_all(
    conn: Connection, bench: Bench, found: Sequence[Judgement], standings: dict[str, Standing], cause: str
) -> None:
    """Store what is proven as alerts, what is only suspected as leads."""
    await _keep_leads(conn, bench, [j for j in found if j.rule.kind == "lead"])
    for judgement in found:
        if judgement.rule.kind == "provable":
            await _apply(conn, bench, judgement, standings[judgement.alert_id], cause)


async def _apply(conn: Connection, bench: Bench, judgement: Judgement, stored: Standing, cause: str) -> None:
    if judgement.outcome.result == "hit":
        await _raise_alert(conn, bench, judgement, stored, cause)
    elif judgement.outcome.settles and stored.state == "open":
        await _clear_alert(conn, bench, _named(judgement), stored, cause)


async def _keep_leads(conn: Connection, bench: Bench, suspected: Sequence[Judgement]) -> None:
    """Keep what rules suspect now, forget what they no longer do; nothing is said of either."""
    known = await leads.select_hashes(conn, [j.alert_id for j in suspected]) if suspected else {}
    for j in suspected:
        if j.outcome.result == "hit" and (pack := make_pack(bench.city, j))["hash"] != known.get(j.alert_id):
            await leads.upsert_lead(conn, _lead_of(j, pack, bench.now))
    if over := [j.alert_id for j in suspected if j.outcome.settles and j.alert_id in known]:
        await leads.delete_leads(conn, over)


def _lead_of(j: Judgement, pack: dict[str, Any], now: datetime) -> LeadRow:
    s, said = j.subject, j.outcome
    return LeadRow(
        lead_id=j.alert_id,
        rule=j.rule.id,
        rule_version=j.rule.version,
        key=CellKey(s.village, s.item or "", s.period or ""),
        level=said.level,
        amount_fen=said.amount_fen,
        sentence=said.say,
        found_at=now,
        hash=pack["hash"],
        pack=canonical(pack),
    )


async def _raise_alert(conn: Connection, bench: Bench, judgement: Judgement, stored: Standing, cause: str) -> None:
    """Open an episode, or bring the open one up to date; an event where it is new or its level moved.

    Nothing is written while the evidence is the same.
    """
    pack = make_pack(bench.city, judgement)
    is_open = stored.state == "open"
    if is_open and stored.evidence_hash == pack["hash"]:
        return
    alert = AlertRow(
        alert_id=judgement.alert_id,
        rule=judgement.rule.id,
        rule_version=judgement.rule.version,
        subject=judgement.subject,
        level=judgement.outcome.level,
        state="open",
        sentence=judgement.outcome.say,
        episode=stored.episode if is_open else stored.episode + 1,
        raised_at=bench.now,
        cleared_at=None,
        evidence_hash=pack["hash"],
    )
    raised_at = await alerts.upsert_alert(conn, alert)
    await alerts.insert_evidence(conn, alert, canonical(pack), bench.now)
    if not is_open:
        await alerts.insert_episode(conn, alert.alert_id, alert.episode, bench.now, cause)
        metrics.RAISED.labels(rule=alert.rule).inc()
    if not is_open or alert.level != stored.level:
        frame = await _frame(conn, bench, _named(judgement), level=alert.level, episode=alert.episode)
        await outbox.append(conn, AlertRaised(**frame, raised_at=raised_at))


async def _clear_alert(conn: Connection, bench: Bench, of: "_Named", stored: Standing, cause: str) -> None:
    await alerts.clear_alert(conn, of.alert_id, bench.now, cause)
    frame = await _frame(conn, bench, of, level=stored.level, episode=stored.episode)
    await outbox.append(conn, AlertCleared(**frame, cleared_at=bench.now, cleared_by=cause))
    metrics.CLEARED.labels(rule=of.rule.id).inc()


@dataclass(frozen=True, slots=True)
class _Named:
    """What an alert is called and about."""

    alert_id: str
    rule: Rule
    subject: Subject


def _named(judgement: Judgement) -> _Named:
    return _Named(judgement.alert_id, judgement.rule, judgement.subject)


async def _frame(conn: Connection, bench: Bench, of: _Named, *, level: int, episode: int) -> dict[str, Any]:
    """What both events of an alert say: ids only. A lead is never said."""
    if of.rule.kind != "provable":
        message = f"rule {of.rule.id} is a lead and must stay here"
        raise AssertionError(message)
    envelope = await outbox.stamp(conn, "alert", of.alert_id, at=bench.now, village_code=of.subject.village)
    return {
        **envelope,
        "rule": of.rule.id,
        "rule_version": of.rule.version,
        "subject": of.subject,
        "level": level,
        "episode": episode,
    }


# -- resets -------------------------------------------------------------------------------------------------------

#: Names a reset's fact, which no event of its own says: the staff event repeats all resets of the last days.
_RESETS: Final = UUID("6f0b8c1e-52a7-5d0e-9d3b-7a9e9a1f4c11")


async def keep_resets(conn: Connection, staff: Staff, now: datetime) -> None:
    """Keep an account's resets, and beside every approval that they meet a fact: whichever was heard first."""
    await resets.insert_resets(conn, [ResetRow(staff.staff_id, r.by, r.at) for r in staff.resets])
    await _keep_meetings(conn, await resets.select_meetings(conn, RESETS_KEPT, account=staff.staff_id), now)


async def keep_resets_before(conn: Connection, approval: DisclosureApproved, now: datetime) -> None:
    """Keep a fact for every reset that an approval meets, for the case that it was heard after them."""
    await _keep_meetings(conn, await resets.select_meetings(conn, RESETS_KEPT, approval=str(approval.event_id)), now)


async def _keep_meetings(conn: Connection, meetings: Sequence[Meeting], now: datetime) -> None:
    for m in meetings:
        name = f"{m.reset.account} {m.reset.by} {m.reset.at.isoformat()} {m.disclosure} {m.edition}"
        fact = Fact(
            seq=0,
            event=str(uuid5(_RESETS, name)),
            kind="reset",
            key=m.key,
            disclosure=m.disclosure,
            edition=m.edition,
            version=m.version,
            occurred_at=m.reset.at,
            data={"account": m.reset.account, "by": m.reset.by},
        )
        await facts.insert_fact(conn, fact, now)


# -- replay -------------------------------------------------------------------------------------------------------


async def replay(
    database: Database, bench: Bench, as_of: int | None, rules: Sequence[Rule] = RULES
) -> list[ReplayDifference]:
    """Judge everything anew by some rules from facts into the side table; how it compares with their living alerts."""
    replay_id: UUID = uuid_utils.compat.uuid7()
    async with database.connection() as conn:
        sizes = await facts.select_sizes(conn)
    for villages in facts.chunks(sizes, REPLAY_CHUNK):
        async with database.transaction() as conn:
            await _replay_villages(conn, bench, replay_id, villages, (as_of, rules))
    async with database.transaction() as conn:
        await replays.forget_other_replays(conn, replay_id)
        return await replays.select_differences(conn, replay_id, [r.id for r in rules])


async def _replay_villages(
    conn: Connection, bench: Bench, replay_id: UUID, villages: Sequence[str], what: tuple[int | None, Sequence[Rule]]
) -> None:
    as_of, rules = what
    known = await facts.select_facts_of_villages(conn, villages, as_of)
    watched = await facts.select_deadline_cells(conn, villages, bench.now)
    rows, chains = [], _chains_among(known)
    # All subjects are dirty. What passes is most of it and compares like what is not there, so it is not written.
    for key in {*known, *watched}:
        for j in judge(rules, bench.city, bench.view(key, known, chains.get(key))):
            if j.outcome.result == "pass":
                continue
            evidence_hash = make_pack(bench.city, j)["hash"] if j.outcome.result == "hit" else None
            said, s = j.outcome, j.subject
            words = (s.village, s.item, s.period, said.say or None)
            rows.append(ReplayRow(j.alert_id, j.rule.id, said.result, said.level, evidence_hash, *words))
    await replays.insert_replay(conn, replay_id, rows)


# -- the trails


def signed_of(event: TrailHead) -> Signed:
    """A head as its event says it."""
    return Signed(event.aggregate_id, event.position, event.link, event.occurred_at, event.signature)


@dataclass(frozen=True, slots=True)
class Witness:
    """How far a service's trail goes by the newest head that was heard, and whether that can be believed.

    Without a head `position` is None. `late`: none came for more than a day; `contradicts`: it once signed otherwise.
    """

    service: str
    position: int | None = None
    link: str | None = None
    at: datetime | None = None
    valid: bool = False
    late: bool = False
    contradicts: bool = False


async def witnesses(desk: Reading) -> list[Witness]:
    """Where every service's trail stands."""
    newest = await heads.select_newest(desk.conn, SERVICES)
    contradicting = await heads.select_contradicting(desk.conn)
    found = []
    for service in SERVICES:
        head = newest.get(service)
        if head is None:
            found.append(Witness(service))
            continue
        valid, late = head.holds(desk.settings.trail_keys), desk.now - head.at > _LATE
        found.append(Witness(service, head.position, head.link, head.at, valid, late, service in contradicting))
    return found
