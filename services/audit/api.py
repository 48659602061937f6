"""JSON routes of audit: inspectors and operators within their part of the tree, departments within their affairs too."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query

from services.audit import commands
from services.audit.commands import Bench
from services.audit.errors import UnknownAlertError
from services.audit.rules import BY_ID, RULES
from services.audit.rules.base import Rule
from services.audit.rules.facts import CellKey
from services.audit.rules.grid import Count, Stretch, count_cells
from services.audit.schemas import (
    AlertDetailOut,
    AlertOut,
    AlertQuery,
    CellCountOut,
    CoverageOut,
    EpisodeOut,
    ResetOut,
    RuleOut,
    SheetOut,
    SubjectOut,
)
from services.audit.store import alerts, notices, resets
from services.audit.store.alerts import AlertFilter, AlertPlace, AlertRow, CoverageCount
from services.audit.store.notices import SheetRow
from services.contracts.base import Role
from services.contracts.division import DivisionKind
from services.contracts.duties import GridCell
from services.contracts.values import DivisionCode, Period
from services.kit.auth import Actor
from services.kit.clock import local_day
from services.kit.db import Connection
from services.kit.errors import Fault, InvalidInputError
from services.kit.reference import Reference
from services.kit.web import ActorDep, Page, PageDep, Reading, RuntimeDep

router = APIRouter(prefix="/audit/v1")
_ALERT_ID: Final = re.compile("[0-9a-f]{30}")
#: A sequence number in a cursor has fewer.
_DIGITS: Final = 19
_MOST_RESETS: Final = 200


@dataclass(frozen=True, slots=True)
class Console:
    """What a reader of alerts works with; only inspectors, departments and operators get one."""

    conn: Connection
    actor: Actor
    reference: Reference
    bench: Bench

    @property
    def items(self) -> list[str] | None:
        """Items of the caller's affairs; None for all of the catalogue."""
        if not self.actor.affairs:
            return None
        today = local_day(self.bench.now)
        return [c for c, i in sorted(self.reference.items.items()) if i.at(today).affair in self.actor.affairs]

    def parts(self, division: str | None) -> dict[str, str]:
        """Villages within a part of the caller's tree, each with the child of that part which it belongs to."""
        code = division or self.actor.scope
        self.actor.require_scope(self.reference, code)
        if not self.reference.children(code):
            return {v.code: v.code for v in self.reference.villages(code)}
        return {v.code: c.code for c in self.reference.children(code) for v in self.reference.villages(c.code)}

    async def grid(self, villages: Sequence[str], stretch: Stretch) -> tuple[dict[str, list[GridCell]], set[CellKey]]:
        """Cells of some villages in the caller's affairs, and which of them are blind."""
        found = await commands.grid_cells(self.conn, self.bench, villages, stretch)
        allowed = self.items
        cells = {v: [c for c in its if allowed is None or c.duty.item in allowed] for v, its in found.items()}
        return cells, await alerts.select_blind(self.conn, villages, list(stretch.periods))

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
        item = self.reference.items.get(found.subject.item or "")
        if item is not None:
            self.actor.require_affair(item.at(local_day(self.bench.now)).affair)
        return found


async def _console(conn: Reading, actor: ActorDep, runtime: RuntimeDep) -> Console:
    actor.require(Role.INSPECTOR, Role.DEPARTMENT, Role.OPERATOR)
    bench = Bench(runtime.reference, runtime.settings, runtime.clock.now())
    return Console(conn, actor, runtime.reference, bench)


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
    wanted = AlertFilter(villages, known_rule(query.rule), query.state, query.level, console.items)
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
    """How the cells of a period stand, by item and part of the division; what each rule could say of them, and not."""
    parts = console.parts(division)
    cells, blind = await console.grid(list(parts), Stretch.exactly(period))
    wanted = AlertFilter(console.villages(division), items=console.items)
    counts = await alerts.select_coverage(console.conn, period, wanted)
    return {
        "items": [_count_out(*place, n) for place, n in sorted(count_cells(cells, parts, blind).items())],
        "rules": [_coverage_out(r, [c for c in counts if c.rule == r.id]) for r in RULES],
        "next": None,
    }


@router.get("/sheets")
async def list_sheets(console: ConsoleDep, page: PageDep, division: DivisionCode | None = None) -> dict[str, Any]:
    """Signed sheets that spoke for supervisors, newest first, with who brought each."""
    found = await sheets_of(console, division, page)
    items = [_sheet_out(s) for s in found[: page.limit]]
    return page.answer(items, str(found[page.limit - 1].seq) if len(found) > page.limit else None)


async def sheets_of(console: Console, division: str | None, page: Page) -> list[SheetRow]:
    """Sheets of a part of the caller's tree, one more than the page holds."""
    if page.after is not None and not (page.after.isascii() and page.after.isdigit() and len(page.after) < _DIGITS):
        raise InvalidInputError
    before = int(page.after) if page.after is not None else None
    return await notices.select_sheets(console.conn, console.villages(division), console.items, before, page.limit + 1)


@router.get("/resets")
async def list_resets(console: ConsoleDep) -> dict[str, Any]:
    """Who gave whose account a new password, newest first; inspectors and operators, within their part of the tree."""
    return {"items": await resets_of(console, None), "next": None}


async def resets_of(console: Console, since: datetime | None) -> list[ResetOut]:
    """Resets of accounts in the caller's part of the tree; a department has none to look at."""
    if console.actor.role is Role.DEPARTMENT:
        return []
    reference, scope = console.reference, console.actor.scope
    mine = {i: s.revisions[-1] for i, s in reference.staff.items() if reference.covers(scope, s.revisions[-1].scope)}
    found = await resets.select_resets(console.conn, list(mine), since, _MOST_RESETS)
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
