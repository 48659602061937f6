"""JSON routes of audit: inspectors and operators within their part of the tree, departments within their affairs too."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query

from services.audit import commands
from services.audit.grid import counts_of
from services.audit.rules import BY_ID, RULES
from services.audit.rules.base import Rule
from services.audit.rules.grid import Count, Stretch
from services.audit.schemas import (
    AlertDetailOut,
    AlertOut,
    AlertQuery,
    CellCountOut,
    CoverageListing,
    CoverageOut,
    EpisodeOut,
    HeadOut,
    ResetOut,
    RuleOut,
    SheetOut,
    SubjectOut,
)
from services.audit.store import alerts, notices, resets, verdicts
from services.audit.store.alerts import AlertFilter, AlertPlace, AlertRow
from services.audit.store.notices import SheetRow
from services.audit.store.verdicts import CoverageCount
from services.audit.visit import MAY_WATCH, Reading, ReadingDep
from services.contracts.base import Role
from services.contracts.values import DivisionCode, Period
from services.kit.errors import Fault, InvalidInputError
from services.kit.listing import Cursor, Listing, Page, Serial
from services.kit.route import Route
from services.kit.visit import may

router = APIRouter(prefix="/audit/v1", route_class=Route, tags=["audit"], dependencies=[may(*MAY_WATCH)])
#: The newest that are told.
_MOST_RESETS: Final = 200
ALERTS: Final = Cursor[AlertPlace](AlertPlace)
AlertPage = Annotated[Page[AlertPlace], Depends(ALERTS)]
SHEETS: Final = Cursor[int](Serial)
SheetPage = Annotated[Page[int], Depends(SHEETS)]
Part = Annotated[
    DivisionCode | None,
    Query(description="code of a village, a township or the city; without it all within the caller's scope"),
]


def known_rule(rule_id: str | None) -> str | None:
    """A rule's id as it came in; InvalidInputError for one that nobody wrote."""
    if rule_id is not None and rule_id not in BY_ID:
        fault = Fault("query.rule", f"没有规则 {rule_id}，应为 {'、'.join(BY_ID)} 之一")
        raise InvalidInputError(faults=[fault])
    return rule_id


def place_of(alert: AlertRow) -> AlertPlace:
    """Where an alert stands in the list."""
    return AlertPlace(alert.level, alert.raised_at, alert.alert_id)


@router.get("/alerts")
async def list_alerts(desk: ReadingDep, page: AlertPage, query: Annotated[AlertQuery, Query()]) -> Listing[AlertOut]:
    """Alerts within the caller's scope, the most serious first, then the newest."""
    villages = desk.villages(query.village or query.division)
    wanted = AlertFilter(villages, known_rule(query.rule), query.state, query.level, desk.items)
    return page.of(await alerts.select_alerts(desk.conn, wanted, page.after, page.fetch_limit), place_of, alert_out)


@router.get("/alerts/{alert_id}")
async def one_alert(alert_id: Annotated[str, Path(description="id of the alert")], desk: ReadingDep) -> AlertDetailOut:
    """An alert, its episodes and its evidence pack, which `check` recomputes."""
    alert = await desk.alert(alert_id)
    history = await alerts.select_episodes(desk.conn, alert_id)
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
        evidence=json.loads(await alerts.select_pack(desk.conn, alert)),
    )


@router.get("/rules")
async def list_rules() -> Listing[RuleOut]:
    """Every rule, with its settings, its law and the false alarms to rule out first."""
    return Listing(items=[rule_out(r) for r in RULES])


@router.get("/coverage")
async def coverage(
    desk: ReadingDep,
    period: Annotated[Period, Query(description="2026-10, 2026Q3, 2026H1, 2026, or a day")],
    division: Part = None,
) -> CoverageListing:
    """How the cells of a period stand, by item and part of the division; what each rule could say of them, and not."""
    parts = desk.parts(division)
    counted = await counts_of(desk, parts, Stretch.exactly(period))
    wanted = AlertFilter(desk.villages(division), items=desk.items)
    counts = await verdicts.select_coverage(desk.conn, period, wanted)
    return CoverageListing(
        items=[_count_out(*place, n) for place, n in sorted(counted.items())],
        rules=[_coverage_out(r, [c for c in counts if c.rule == r.id]) for r in RULES],
    )


@router.get("/sheets")
async def list_sheets(desk: ReadingDep, page: SheetPage, division: Part = None) -> Listing[SheetOut]:
    """Signed sheets that spoke for supervisors, newest first, with who brought each."""
    return page.of(await sheets_of(desk, division, page), seq_of, _sheet_out)


async def sheets_of(desk: Reading, division: str | None, page: Page[int]) -> list[SheetRow]:
    """Sheets of a part of the caller's tree, one more than the page holds."""
    return await notices.select_sheets(desk.conn, desk.villages(division), desk.items, page.after, page.fetch_limit)


def seq_of(sheet: SheetRow) -> int:
    """Where a sheet stands in the list."""
    return sheet.seq


@router.get("/resets")
async def list_resets(desk: ReadingDep) -> Listing[ResetOut]:
    """Who gave whose account a new password, newest first; inspectors and operators, within their part of the tree."""
    return Listing(items=await resets_of(desk, None))


@router.get("/heads")
async def list_heads(desk: ReadingDep) -> Listing[HeadOut]:
    """How far the trail of staff actions goes in each service, as it was signed: to be noted outside, and compared later."""
    found = await commands.witnesses(desk)
    return Listing(items=[HeadOut.model_validate(w, from_attributes=True) for w in found])


async def resets_of(desk: Reading, since: datetime | None) -> list[ResetOut]:
    """Resets of accounts in the caller's part of the tree; a department has none to look at."""
    if desk.actor.role is Role.DEPARTMENT:
        return []
    reference, scope = desk.reference, desk.actor.scope
    mine = {i: s.revisions[-1] for i, s in reference.staff.items() if reference.covers(scope, s.revisions[-1].scope)}
    found = await resets.select_resets(desk.conn, list(mine), since, _MOST_RESETS)
    return [
        ResetOut(
            account=r.account,
            account_name=reference.name_of(r.account),
            account_role=mine[r.account].role,
            scope=mine[r.account].scope,
            by=r.by,
            by_name=reference.name_of(r.by),
            at=r.at,
        )
        for r in found
    ]


# -- answers ------------------------------------------------------------------------------------------------------


def alert_out(alert: AlertRow) -> AlertOut:
    """An alert as it leaves."""
    s = alert.subject
    return AlertOut(
        id=alert.alert_id,
        rule=alert.rule,
        village=s.village,
        subject=SubjectOut(village=s.village, item=s.item, period=s.period, account=s.account, question=s.question),
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
        ask=list(rule.ask),
        limits={limit.name: limit.zh for limit in rule.limits},
        code=rule.code,
    )


def _sheet_out(s: SheetRow) -> SheetOut:
    return SheetOut(
        disclosure=s.disclosure,
        village=s.key.village,
        item=s.key.item,
        period=s.key.period,
        version=s.edition,
        brought_by=s.brought_by,
        at=s.at,
    )


def _count_out(division: str, item: str, count: Count) -> CellCountOut:
    return CellCountOut(
        division=division,
        item=item,
        cells=sum(count.states.values()),
        states={state.value: n for state, n in count.in_order},
        blind=count.blind,
        late_days=count.late_days,
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
