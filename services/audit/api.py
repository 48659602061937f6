"""JSON routes of audit, for inspectors and operators within their part of the tree."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query

from services.audit.errors import UnknownAlertError
from services.audit.rules import BY_ID, RULES
from services.audit.rules.base import Rule
from services.audit.schemas import AlertDetailOut, AlertOut, AlertQuery, CoverageOut, EpisodeOut, RuleOut, SubjectOut
from services.audit.store import alerts
from services.audit.store.alerts import AlertFilter, AlertPlace, AlertRow, CoverageCount
from services.contracts.base import Role
from services.contracts.division import DivisionKind
from services.contracts.values import DivisionCode, Period
from services.kit.auth import Actor
from services.kit.db import Connection
from services.kit.errors import Fault, InvalidInputError
from services.kit.reference import Reference
from services.kit.web import ActorDep, PageDep, Reading, RuntimeDep

router = APIRouter(prefix="/audit/v1")
_ALERT_ID: Final = re.compile("[0-9a-f]{30}")


@dataclass(frozen=True, slots=True)
class Console:
    """What a reader of alerts works with; only inspectors and operators get one."""

    conn: Connection
    actor: Actor
    reference: Reference

    def villages(self, division: str | None) -> list[str] | None:
        """Villages of a part of the caller's tree, or of all of it; None for the whole city, so that nothing is listed."""
        code = division or self.actor.scope
        self.actor.require_scope(self.reference, code)
        if self.reference.divisions[code].now.kind is DivisionKind.CITY:
            return None
        return [v.code for v in self.reference.villages(code)]

    async def alert(self, alert_id: str) -> AlertRow:
        """An alert within the caller's scope."""
        found = await alerts.select_alert(self.conn, alert_id) if _ALERT_ID.fullmatch(alert_id) else None
        if found is None:
            raise UnknownAlertError
        self.actor.require_scope(self.reference, found.subject.village)
        return found


async def _console(conn: Reading, actor: ActorDep, runtime: RuntimeDep) -> Console:
    actor.require(Role.INSPECTOR, Role.OPERATOR)
    return Console(conn, actor, runtime.reference)


ConsoleDep = Annotated[Console, Depends(_console)]


def known_rule(rule_id: str | None) -> str | None:
    """A rule's id as it came in; InvalidInputError for one that nobody wrote."""
    if rule_id is not None and rule_id not in BY_ID:
        fault = Fault("query.rule", f"没有规则 {rule_id}，应为 {'、'.join(BY_ID)} 之一")
        raise InvalidInputError(faults=[fault])
    return rule_id


def read_place(text: str | None) -> AlertPlace | None:
    """A place in the order of alerts out of a cursor's text; InvalidInputError when it is none of ours."""
    if text is None:
        return None
    level, _, rest = text.partition(" ")
    raised_at, _, alert_id = rest.partition(" ")
    try:
        place = AlertPlace(int(level), datetime.fromisoformat(raised_at), alert_id)
    except ValueError:
        place = None
    if place is None or place.raised_at.tzinfo is None or place.level not in {1, 2, 3} or "\x00" in alert_id:
        raise InvalidInputError(faults=[Fault("query.cursor", "不是本接口给出的游标，请从头读取")])
    return place


def write_place(alert: AlertRow) -> str:
    """The place of an alert as a cursor's text."""
    return f"{alert.level} {alert.raised_at.isoformat()} {alert.alert_id}"


@router.get("/alerts")
async def list_alerts(console: ConsoleDep, page: PageDep, query: Annotated[AlertQuery, Query()]) -> dict[str, Any]:
    """Alerts within the caller's scope, the most serious first, then the newest."""
    villages = console.villages(query.village or query.division)
    wanted = AlertFilter(villages, known_rule(query.rule), query.state, query.level)
    found = await alerts.select_alerts(console.conn, wanted, read_place(page.after), page.limit + 1)
    shown = found[: page.limit]
    return page.answer([alert_out(a) for a in shown], write_place(shown[-1]) if len(found) > page.limit else None)


@router.get("/alerts/{alert_id}")
async def one_alert(alert_id: str, console: ConsoleDep) -> AlertDetailOut:
    """An alert, its episodes and its evidence pack, which `check` recomputes."""
    alert = await console.alert(alert_id)
    history = await alerts.select_episodes(console.conn, alert_id)
    return AlertDetailOut(
        **alert_out(alert).model_dump(),
        episodes=[
            EpisodeOut(
                episode=e.episode,
                raised_at=e.raised_at,
                raised_by=e.raised_by,
                cleared_at=e.cleared_at,
                cleared_by=e.cleared_by,
            )
            for e in history
        ],
        evidence=json.loads(await alerts.select_pack(console.conn, alert)),
    )


@router.get("/rules")
async def list_rules(_console: ConsoleDep) -> dict[str, Any]:
    """Every rule, with its settings, its law and the false alarms to rule out first."""
    return {"items": [rule_out(r) for r in RULES], "next": None}


@router.get("/coverage")
async def coverage(console: ConsoleDep, period: Period, division: DivisionCode | None = None) -> dict[str, Any]:
    """What each rule said of a period, and on how much it could say nothing."""
    villages = console.villages(division)
    counts = await alerts.select_coverage(console.conn, period, villages)
    return {"items": [_coverage_out(r, [c for c in counts if c.rule == r.id]) for r in RULES], "next": None}


# -- answers ------------------------------------------------------------------------------------------------------


def alert_out(alert: AlertRow) -> AlertOut:
    """An alert as it leaves."""
    s = alert.subject
    return AlertOut(
        id=alert.alert_id,
        rule=alert.rule,
        village=s.village,
        subject=SubjectOut(village=s.village, item=s.item, period=s.period, account=s.account),
        level=alert.level,
        state=alert.state,
        sentence=alert.sentence,
        raised_at=alert.raised_at,
        cleared_at=alert.cleared_at,
        episode=alert.episode,
    )


def rule_out(rule: Rule) -> RuleOut:
    """A rule as it leaves."""
    return RuleOut(
        id=rule.id,
        version=rule.version,
        status=rule.status,
        level=rule.level,
        kind=rule.kind,
        subject=rule.subject,
        reads=list(rule.reads),
        settings=dict(rule.settings),
        zh=rule.zh,
        en=rule.en,
        law=rule.law,
        explanation=rule.explanation,
        false_alarms=list(rule.false_alarms),
        code=rule.code,
    )


def _coverage_out(rule: Rule, counts: Sequence[CoverageCount]) -> CoverageOut:
    def of(result: str) -> int:
        return sum(c.count for c in counts if c.result == result)

    return CoverageOut(
        rule=rule.id,
        judged=sum(c.count for c in counts),
        hit=of("hit"),
        passed=of("pass"),
        not_applicable={c.reason: c.count for c in counts if c.result == "n/a"},
    )
