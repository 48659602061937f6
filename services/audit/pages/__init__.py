"""The inspectors' desk: alerts of one's part of the tree, one page an alert, the rules explained."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from services.audit.api import AlertPage, SheetPage, known_rule, place_of, resets_of, seq_of, sheets_of
from services.audit.commands import witnesses
from services.audit.grid import absences, counts_of, grid_of
from services.audit.pages.evidence import PERSON, shown_fact
from services.audit.rules import BY_ID, LEADS, LEADS_BY_ID, RULES
from services.audit.rules.grid import Absence, Stretch, spots
from services.audit.schemas import ConsoleQuery, GridQuery
from services.audit.store import alerts, facts, leads
from services.audit.store.alerts import AlertFilter, AlertRow, AlertState
from services.audit.store.leads import LeadPlace, LeadRow
from services.audit.visit import MAY_SUSPECT, MAY_WATCH, Reading, ReadingDep
from services.contracts.account import account_words
from services.contracts.alert import Subject
from services.contracts.base import Role
from services.contracts.division import DivisionKind
from services.contracts.staff import RESETS_KEPT
from services.contracts.values import Frequency, period_bounds, period_of, period_words
from services.contracts.words import (
    AFFAIRS,
    CELL_STATES,
    HOLDERS,
    ROLE_NAMES,
    cell_words,
)
from services.kit.listing import Cursor, Page
from services.kit.pages import pages_of
from services.kit.reference import Reference
from services.kit.route import Route
from services.kit.signature import count_refused
from services.kit.visit import may

router = APIRouter(prefix="/inspect", route_class=Route, include_in_schema=False, dependencies=[may(*MAY_WATCH)])
STATIC = "/inspect/static"

LeadPage = Annotated[Page[LeadPlace], Depends(Cursor[LeadPlace](LeadPlace))]
LEVELS: Mapping[int, str] = {3: "重点", 2: "关注", 1: "提醒"}
#: The grid looks back over a year.
MONTHS_BACK = 12
STATES: Mapping[AlertState, str] = {"open": "未消除", "cleared": "已消除"}
ABSENCES: Mapping[Absence, str] = {
    Absence.UNANSWERED: "没有回答有无",
    Absence.NOT_DUE: "未到期",
    Absence.BEFORE_DUTIES: "上线以前",
    Absence.NO_SUCH_ITEM: "不设此项",
}
STATUSES: Mapping[str, str] = {"draft": "草拟", "trial": "试行", "active": "启用", "retired": "停用"}
_TRAILS: Mapping[str, str] = {
    "registry": "登录、账号、目录",
    "ingest": "录入、核对、审核",
    "publish": "公开网站",
    "audit": "监督",
    "qr": "码和码牌",
}


class Names:
    """Codes in words, for templates."""

    def __init__(self, reference: Reference) -> None:
        """Names as this reference copy has them."""
        self._reference = reference

    def division(self, code: str) -> str:
        """A division by its name; its code when it is not known."""
        found = self._reference.divisions.get(code)
        return found.now.name if found else code

    def township(self, code: str) -> str:
        """The name of what stands above a village."""
        found = self._reference.divisions.get(code)
        return self.division(found.now.parent) if found and found.now.parent else ""

    def item(self, subject: Subject) -> str:
        """An item's name as it was in the subject's period."""
        if subject.item is None or subject.period is None:
            return subject.item or ""
        return self.item_in(subject.item, subject.period)

    def item_in(self, code: str, period: str) -> str:
        """An item's name as it was in a period."""
        item = self._reference.items.get(code)
        return item.at(period_bounds(period)[1]).name if item is not None else code

    def sentence(self, alert: AlertRow) -> str:
        """An alert's sentence with its item and period in words."""
        subject, said = alert.subject, alert.sentence
        if subject.item is None or subject.period is None or not said.startswith(f"{subject.item} {subject.period}"):
            return said
        return f"{self.item(subject)}，{period_words(subject.period)}{said.removeprefix(f'{subject.item} {subject.period}').lstrip()}"

    def step(self, step: str) -> str:
        """A step of the arithmetic, members of staff by name."""
        return PERSON.sub(lambda m: self._reference.name_of(m[0]) if m[0] in self._reference.staff else m[0], step)

    def person(self, staff_id: str | None) -> str:
        """A member of staff by name."""
        return self._reference.name_of(staff_id) if staff_id is not None else "未记录"

    def account(self, account: str) -> str:
        """An account as people here call it."""
        return account_words(account)


def _page(request: Request, desk: Reading, template: str, **values: Any) -> Response:
    words: dict[str, Any] = {"may_suspect": desk.actor.role in MAY_SUSPECT}
    words |= {"levels": LEVELS, "states": STATES, "rules": BY_ID, "names": Names(desk.reference), "roles": ROLE_NAMES}
    return pages_of(request).answer(template, **{"static": STATIC, "actor": desk.actor, **words, **values})


@router.get("")
async def overview(
    request: Request, desk: ReadingDep, page: AlertPage, query: Annotated[ConsoleQuery, Query()]
) -> Response:
    """Alerts of my part of the tree, the most serious first."""
    wanted = AlertFilter(
        villages=desk.villages(query.division or None),
        rule=known_rule(query.rule or None),
        state=None if query.state == "all" else query.state,
        level=int(query.level) if query.level else None,
        items=desk.items,
    )
    found = await alerts.select_alerts(desk.conn, wanted, page.after, page.fetch_limit)
    more = page.following(found, place_of)
    recent = await resets_of(desk, desk.now - RESETS_KEPT)
    return _page(
        request,
        desk,
        "alerts.html",
        refused=await count_refused(desk.conn),
        watched=[r for r in recent if r.account_role is Role.INSPECTOR],
        alerts=found[: page.limit],
        counts=await alerts.count_open(desk.conn, wanted),
        divisions=_below(desk),
        chosen=query,
        more=str(request.url.include_query_params(cursor=more).query) if more else None,
        first=page.after is None,
    )


def _below(desk: Reading) -> list[tuple[str, str]]:
    """Divisions that the filter offers: the townships of a city, the villages of a township."""
    below = desk.reference.children(desk.actor.scope)
    return [(d.code, d.now.name) for d in below if d.now.kind is not DivisionKind.ZONE]


@router.get("/alerts/{alert_id}")
async def one_alert(alert_id: str, request: Request, desk: ReadingDep) -> Response:
    """One alert on one page that can be printed."""
    alert = await desk.alert(alert_id)
    pack = json.loads(await alerts.select_pack(desk.conn, alert))
    history = await alerts.select_episodes(desk.conn, alert_id)
    causes = [c for e in history for c in (e.raised_by, e.cleared_by) if c and not c.startswith("clock")]
    sources = await facts.select_disclosures(desk.conn, [*causes, *(f[0] for f in pack["facts"] if f[0])])
    return _page(
        request,
        desk,
        "alert.html",
        alert=alert,
        rule=BY_ID[alert.rule],
        pack=pack,
        facts=[shown_fact(f, sources, desk.reference) for f in pack["facts"]],
        episodes=history,
        sources=sources,
        now=desk.now,
    )


def _months(desk: Reading) -> list[str]:
    """The months that the grid offers, the last full one first."""
    months: list[str] = []
    day = desk.today.replace(day=1)
    for _ in range(MONTHS_BACK):
        day = (day - timedelta(days=1)).replace(day=1)
        months.append(period_of(day, Frequency.MONTHLY))
    return months


def _columns(desk: Reading, affair: str, month: str) -> list[tuple[str, str]]:
    """Items of the caller's affairs, and of the chosen one, with their names of that month."""
    last = period_bounds(month)[1]
    allowed = desk.items
    return [
        (code, item.at(last).name)
        for code, item in sorted(desk.reference.items.items())
        if (allowed is None or code in allowed) and affair in {"", item.at(last).affair} and not item.retired(last)
    ]


@router.get("/grid")
async def grid(request: Request, desk: ReadingDep, query: Annotated[GridQuery, Query()]) -> Response:
    """三务公开一张表: the townships of a city by item, or the villages of a township by item."""
    months = _months(desk)
    month = query.month or months[0]
    parts = desk.parts(query.division or None)
    place = query.division or desk.actor.scope
    columns = _columns(desk, query.affair, month)
    values: dict[str, Any] = {"place": place, "month": month, "affair": query.affair, "columns": columns}
    values |= {
        "months": months,
        "affairs": AFFAIRS,
        "cell_states": CELL_STATES,
        "holders": HOLDERS,
        "cell_words": cell_words,
    }
    values |= {"divisions": _below(desk), "rows": sorted(set(parts.values()))}
    if all(v == p for v, p in parts.items()):
        cells, blind = await grid_of(desk, list(parts), Stretch.around(month))
        values["spots"] = {v: spots(its, blind) for v, its in cells.items()}
    else:
        values["counts"] = await counts_of(desk, parts, Stretch.around(month))
    values["absences"] = absences(desk, parts, [code for code, _ in columns], Stretch.around(month))
    return _page(request, desk, "grid.html", **values, absence_words=ABSENCES)


@router.get("/sheets")
async def sheets(
    request: Request, desk: ReadingDep, page: SheetPage, division: Annotated[str, Query(max_length=12)] = ""
) -> Response:
    """核对单: where paper spoke instead of accounts, and who brought it; the photograph stands at the desk."""
    found = await sheets_of(desk, division or None, page)
    more = page.following(found, seq_of)
    values = {"division": division, "divisions": _below(desk), "sheets": found[: page.limit], "more": more}
    return _page(request, desk, "sheets.html", **values)


@router.get("/leads", dependencies=[may(*MAY_SUSPECT)])
async def suspected(
    request: Request, desk: ReadingDep, page: LeadPage, division: Annotated[str, Query(max_length=12)] = ""
) -> Response:
    """疑点: what rules of kind L suspect, the gravest first. Nobody but inspectors sees it, and nothing else tells it."""
    found = await leads.select_leads(
        desk.conn, desk.villages(division or None), desk.items, page.after, page.fetch_limit
    )
    more = page.following(found, _lead_place)
    values = {"division": division, "leads": found[: page.limit], "more": more, "rules": LEADS_BY_ID}
    return _page(request, desk, "leads.html", **values, packs={row.lead_id: json.loads(row.pack) for row in found})


def _lead_place(row: LeadRow) -> LeadPlace:
    return LeadPlace(row.level, row.amount_fen, row.lead_id)


@router.get("/resets")
async def password_resets(request: Request, desk: ReadingDep) -> Response:
    """重置记录: who gave whose account a new password, in one's part of the tree."""
    return _page(request, desk, "resets.html", resets=await resets_of(desk, None))


@router.get("/trail")
async def trail(request: Request, desk: ReadingDep) -> Response:
    """操作记录的凭证: how far each trail goes, signed, to be printed or noted down every day."""
    found = await witnesses(desk)
    return _page(request, desk, "trail.html", heads=found, places=_TRAILS, now=desk.now)


@router.get("/rules")
async def explain(request: Request, desk: ReadingDep) -> Response:
    """What each rule looks at, on what ground, and what to rule out first."""
    suspecting = LEADS if desk.actor.role in MAY_SUSPECT else ()
    return _page(request, desk, "rules.html", all_rules=(*RULES, *suspecting), statuses=STATUSES)
