"""季度有无事项: a yes or no for every on-event item, agreed to by the supervisors."""

from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from services.contracts.disclosure import DeclaredItem
from services.contracts.values import Frequency, period_bounds, period_frequency, period_of, previous_period
from services.ingest import workflow
from services.ingest.bulk.cells import CellError
from services.ingest.commands.declarations import (
    CONFIRMERS,
    FILERS,
    RETURNERS,
    asked_items,
    confirm_declaration,
    declare,
    return_declaration,
)
from services.ingest.errors import WrongPeriodError
from services.ingest.forms.values import DAY
from services.ingest.pages.frame import (
    DECLARATION_STATES,
    FieldsDep,
    checked_period,
    needed,
    refusal_page,
    render,
    to,
    whole,
)
from services.ingest.pages.kept import KeptRoute
from services.ingest.store.cells import Periods, select_cells_in
from services.ingest.store.waivers import Declaration, select_declaration_states, select_declarations
from services.ingest.visit import ChangingDep, Reading, ReadingDep
from services.kit import actions
from services.kit.errors import ConflictError, Fault, InvalidInputError
from services.kit.visit import may

router = APIRouter(route_class=KeptRoute)
#: Whose button it is; all others are for whoever answers.
_MAY: Final = MappingProxyType({"confirm": CONFIRMERS, "return": RETURNERS})


def last_quarter(desk: Reading) -> str:
    """The newest quarter that is over."""
    quarter = previous_period(period_of(desk.today, Frequency.QUARTERLY))
    assert quarter is not None  # noqa: S101 - quarters form a chain
    return quarter


@router.get("/quarters", dependencies=[may(*workflow.READERS)])
async def quarters(request: Request, desk: ReadingDep, quarter: Annotated[str, Query(max_length=10)] = "") -> Response:
    """How each village of one's scope stands with a quarter's page."""
    wanted = checked_quarter(quarter.strip() or last_quarter(desk))
    villages = desk.villages()
    if len(villages) == 1:
        return to(f"/desk/quarters/{villages[0]}/{wanted}")
    found = await select_declaration_states(desk.conn, villages, wanted)
    rows = [(v, found.get(v)) for v in villages]
    return render(request, desk, "quarters.html", quarter=wanted, rows=rows, words=DECLARATION_STATES)


def checked_quarter(text: str) -> str:
    """A quarter, or a fault at its field."""
    if period_frequency(checked_period(text)) is not Frequency.QUARTERLY:
        raise WrongPeriodError(faults=[Fault("quarter", f"{text} 不是季度，应写作 2026Q3")])
    return text


@router.get("/quarters/{village}/{quarter}", dependencies=[may(*workflow.READERS)])
async def quarter_page(request: Request, village: str, quarter: str, desk: ReadingDep) -> Response:
    """The yes/no page of a village."""
    desk.require_village(village)
    desk.actor.require_scope(desk.reference, village)
    values = await _values(desk, village, checked_quarter(quarter), {})
    return render(request, desk, "quarter.html", **values, filled=None)


async def _values(desk: Reading, village: str, quarter: str, typed: dict[str, str]) -> dict[str, Any]:
    declaration = next(iter(await select_declarations(desk.conn, [village], quarter)), None)
    role = desk.actor.role
    asked = asked_items(desk.reference, village, quarter)
    entered = await _entered(desk, village, quarter, asked) if role in FILERS else {}
    handed_in = declaration is not None and declaration.state == "submitted"
    return {
        "village": village,
        "quarter": quarter,
        "declaration": declaration,
        "asked": asked,
        "answers": typed or (_shown(declaration) if declaration is not None else entered),
        "is_filled": bool(entered) and not typed and declaration is None,
        "left_out": [] if typed else _left_out(declaration, entered, asked),
        "words": DECLARATION_STATES,
        "may_answer": role in FILERS,
        "may_confirm": handed_in and role in CONFIRMERS,
        "may_return": handed_in and role in RETURNERS,
        "faults": {},
        "last_day": period_bounds(quarter)[1],
    }


async def _entered(desk: Reading, village: str, quarter: str, asked: list[str]) -> dict[str, str]:
    """What the village entered for days of the quarter, as answers: a yes with the days. What it did not is nobody's no."""
    first, last = (day.isoformat() for day in period_bounds(quarter))
    found: dict[str, set[str]] = {}
    for d in await select_cells_in(desk.conn, [village], [Periods(code, first, last) for code in asked]):
        if first <= d.period <= last and period_frequency(d.period) is Frequency.ON_EVENT:
            found.setdefault(d.item, set()).add(d.period)
    answers = {f"answer.{item}": "yes" for item in found}
    return answers | {f"days.{item}": "、".join(sorted(days)) for item, days in found.items()}


def _left_out(declaration: Declaration | None, entered: dict[str, str], asked: list[str]) -> list[tuple[str, str]]:
    """Items that were entered for days which the answers on record do not name."""
    said = _shown(declaration) if declaration is not None else entered
    missing = {
        code: set(entered.get(f"days.{code}", "").split("、")) - set(said.get(f"days.{code}", "").split("、"))
        for code in asked
    }
    return [(code, "、".join(sorted(days - {""}))) for code, days in missing.items() if days - {""}]


def _shown(declaration: Declaration | None) -> dict[str, str]:
    """Answers as the fields show them."""
    shown = {}
    for answer in declaration.answers if declaration is not None else ():
        shown[f"answer.{answer.item}"] = "yes" if answer.days else "no"
        shown[f"days.{answer.item}"] = "、".join(d.isoformat() for d in answer.days)
    return shown


@router.post("/quarters/{village}/{quarter}", dependencies=[may(*FILERS, *RETURNERS)])
async def post_quarter(request: Request, village: str, quarter: str, fields: FieldsDep, desk: ChangingDep) -> Response:
    """Answer, agree, or send back."""
    desk.require_village(village)
    checked_quarter(quarter)
    desk.actor.require_scope(desk.reference, village)
    desk.actor.require(*_MAY.get(fields.get("action", ""), FILERS))
    faults: dict[str, str] = {}
    try:
        match fields.get("action"):
            case "confirm":
                await confirm_declaration(desk, village, quarter, whole(fields.get("edition", "")))
            case "return":
                reason = needed(fields, "reason", "请写明退回的原因。")[:2000]
                await return_declaration(desk, village, quarter, whole(fields.get("edition", "")), reason)
            case "rest":
                actions.about(f"declaration/{village}:{quarter}", village)
                asked = asked_items(desk.reference, village, quarter)
                rest = {
                    f"answer.{c}": "no" for c in asked if not fields.get(f"answer.{c}") and not fields.get(f"days.{c}")
                }
                values = await _values(desk, village, quarter, {**fields, **rest})
                return render(request, desk, "quarter.html", **values, filled=len(rest))
            case _:
                answers = read_answers(asked_items(desk.reference, village, quarter), quarter, fields, faults)
                if faults:
                    raise InvalidInputError  # noqa: TRY301 - told beside the cells
                await declare(desk, village, quarter, answers)
    except (InvalidInputError, ConflictError) as error:
        values = {**await _values(desk, village, quarter, fields), "faults": faults, "error": error, "filled": None}
        raise refusal_page(request, desk, "quarter.html", status=error.status, **values) from error
    return to(f"/desk/quarters/{village}/{quarter}")


def read_answers(asked: list[str], quarter: str, fields: dict[str, str], faults: dict[str, str]) -> list[DeclaredItem]:
    """Answers from the fields; each item's fault beside it."""
    answers = []
    for code in asked:
        chosen = fields.get(f"answer.{code}", "")
        days: list[date] = []
        for typed in fields.get(f"days.{code}", "").replace("，", "、").replace(",", "、").split("、"):
            if not typed.strip():
                continue
            try:
                days.append(date.fromisoformat(str(DAY.read(typed, quarter))))
            except CellError as error:
                faults[code] = str(error)
        if chosen not in {"yes", "no"}:
            faults.setdefault(code, "请选择“有”或“没有”")
        elif chosen == "yes" and not days:
            faults.setdefault(code, "选了“有”，请写明每件事的日期")
        elif chosen == "no" and days:
            faults.setdefault(code, "选了“没有”，日期请空着")
        answers.append(DeclaredItem(item=code, days=tuple(days[:50])))
    return answers
