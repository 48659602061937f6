"""Values of the read model as the public JSON tells them."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, TypeVar

from services.contracts.base import Model
from services.contracts.bodies import Body, Ledger, Roster
from services.contracts.catalogue import Item
from services.contracts.disclosure import Opinion
from services.contracts.division import Division
from services.contracts.duties import CellState, GridCell
from services.kit.listing import Cursor, Serial
from services.publish.hot import answers
from services.publish.hot.answers import PROBLEM, body_of_nothing
from services.publish.render.cells import Known
from services.publish.render.due import Timing, how_due
from services.publish.render.found import Hit
from services.publish.render.lateness import LateBy, late_by_hand
from services.publish.render.places import Township, Village
from services.publish.render.rows import Change, Publication
from services.publish.render.standing import Standing
from services.publish.render.texts import names_anybody
from services.publish.schemas import (
    BodyOut,
    CatalogueItemOut,
    ChangeOut,
    ContractOut,
    DecisionOut,
    DisclosureOut,
    DivisionOut,
    DutyOut,
    EditionOut,
    EntryOut,
    FoundLineOut,
    LateByOut,
    LedgerOut,
    LineOut,
    MonthOut,
    NoticeOut,
    OpinionOut,
    PlaceOut,
    ProjectOut,
    RosterOut,
    TableOut,
    VillageOut,
    VillagePageOut,
)

M = TypeVar("M", bound=Model)
#: Clients keep these for ever: base64 of the position's digits.
CHANGES: Final = Cursor[int](Serial)


def rfc3339(moment: datetime) -> str:
    """A moment for JSON, in UTC."""
    return moment.isoformat().replace("+00:00", "Z")


def opinion_out(of: Opinion) -> OpinionOut:
    """One party's word for JSON."""
    return OpinionOut(
        party=of.party,
        names=list(of.names),
        opinion=of.opinion,
        reason=of.reason,
        at=rfc3339(of.at),
        sheet=of.sheet is not None,
    )


def disclosure_out(p: Publication, when: Timing, title: str, public_url: str) -> DisclosureOut:
    """What is public of a disclosure without its content."""
    return DisclosureOut(
        id=p.disclosure_id,
        village=p.village_code,
        item=p.item,
        period=p.period,
        version=p.number,
        state=p.state,
        published_at=rfc3339(p.published_at),
        nil=p.nil,
        history=when.history,
        late_days=when.late_days,
        late_by=late_by_out(when.late_by),
        opening_fen=p.opening_fen,
        income_fen=p.income_fen,
        expense_fen=p.expense_fen,
        closing_fen=p.closing_fen,
        amount_fen=p.amount_fen,
        title=title,
        url=f"{public_url}/d/{p.disclosure_id}",
    )


def editions_out(url: str, times: Sequence[tuple[int, datetime]]) -> list[EditionOut]:
    """Each edition that can still be read, below the address of its disclosure."""
    return [EditionOut(version=n, published_at=rfc3339(at), url=f"{url}/{n}") for n, (_, at) in enumerate(times, 1)]


def village_out(village: Village) -> VillageOut:
    """A village with its township as the API tells it."""
    township = PlaceOut(code=village.township.code, name=village.township.name)
    return VillageOut(code=village.code, name=village.name, kind=village.kind.value, township=township)


def village_json(village: Village, month: MonthOut | None, lacks: Standing) -> answers.Body:
    """A village with its newest month and what it lacks; private where a reason names somebody."""
    out = VillagePageOut(
        **village_out(village).model_dump(),
        month=month,
        missing=lacks.missing,
        late_days=lacks.late_days,
        held=dict(lacks.held),
    )
    content = out.model_dump_json().encode()
    of_persons = month is not None and names_anybody(c.reason for c in month.checks)
    return answers.body_of_persons(content, answers.JSON) if of_persons else answers.Body(content, answers.JSON)


def division_out(division: Division, township: Township | None) -> DivisionOut:
    """A division for JSON, with the township it belongs to."""
    return DivisionOut(
        code=division.code,
        name=division.now.name,
        kind=division.now.kind.value,
        parent=division.now.parent,
        township=PlaceOut(code=township.code, name=township.name) if township is not None else None,
    )


def catalogue_item_out(item: Item, today: date) -> CatalogueItemOut:
    """An item of the catalogue for JSON, as it stands on a day."""
    now = item.at(today)
    return CatalogueItemOut(
        code=item.code,
        name=now.name,
        plain_name=now.plain_name,
        affair=now.affair.value,
        kind=now.kind,
        frequency=now.frequency.value,
        due=now.due,
        masking=now.masking.value,
        confirmations=list(now.confirmations),
        applies=now.applies,
        publisher=now.publisher,
        keep_months=now.keep_months,
        basis=now.basis,
        retired=item.retired(today),
    )


def change_out(change: Change) -> ChangeOut:
    """A change for JSON lists and streams."""
    return ChangeOut(
        cursor=CHANGES.text(change.position),
        kind=change.kind,
        id=change.disclosure_id,
        village=change.village_code,
        item=change.item,
        period=change.period,
        version=change.number,
        changed_at=rfc3339(change.changed_at),
    )


def line_out(hit: Hit, public_url: str, firm: str | None) -> FoundLineOut:
    """A line that was found, for JSON; `firm`: the key of the firm that was paid."""
    where, line = hit.where, hit.line
    return FoundLineOut(
        disclosure=where.disclosure_id,
        village=where.village,
        item=where.item,
        period=where.period,
        number=hit.number,
        summary=hit.text,
        date=line.date.isoformat() if line is not None else None,
        direction=line.direction.value if line is not None else None,
        amount_fen=hit.fen,
        category=line.category if line is not None else None,
        payee=line.payee if line is not None else None,
        firm=firm,
        url=f"{public_url}{hit.url}",
    )


def late_by_out(of: LateBy | None) -> LateByOut | None:
    """Late days by who had it, for JSON."""
    return LateByOut(**of._asdict()) if of is not None else None


def _hands_of(of: GridCell, live: Known | None, now: datetime) -> LateBy | None:
    """In whose hands the late days of a cell were; None where it is public and nobody knows any more."""
    known = live is None or not of.late_days or live.submitted_at is not None
    return late_by_hand(of.duty, of.record, now) if known else None


def duty_out(of: GridCell, live: Known | None, reason: str | None, now: datetime) -> DutyOut:
    """A cell for JSON: what opens it, and why it is waived where it is."""
    return DutyOut(
        item=of.duty.item,
        period=of.duty.period,
        due=of.duty.due.isoformat(),
        state=of.cell.state.value,
        held_by=of.cell.held_by,
        since=rfc3339(of.cell.since) if of.cell.since is not None else None,
        late_days=of.late_days,
        late_by=late_by_out(_hands_of(of, live, now)),
        how_due=how_due(of.duty) if not of.duty.history else "",
        history=of.duty.history,
        reference=of.duty.reference,
        disclosure_id=live.disclosure_id if live is not None else None,
        waiver=reason if of.cell.state is CellState.WAIVED else None,
    )


def gone(p: Publication, path: str) -> answers.Body:
    """What is left of a withdrawn disclosure, for JSON."""
    problem = {
        "type": "about:blank",
        "title": "这条公开内容已撤回。",
        "status": 410,
        "code": "withdrawn",
        "detail": f"这条公开内容已撤回。原因：{p.reason}" if p.reason else "这条公开内容已撤回。",
        "instance": path,
        "reason": p.reason,
        "withdrawn_at": rfc3339(p.withdrawn_at) if p.withdrawn_at is not None else None,
    }
    return body_of_nothing(json.dumps(problem, ensure_ascii=False).encode(), PROBLEM)


# -- bodies -------------------------------------------------------------------------------------------------------


def body_out(masked: Body) -> BodyOut:
    """A masked body as the API tells it: references to payees and inner attachments left out.

    Nothing is checked again: a text that was masked may be longer than one that may be entered.
    """
    told = _as(_OUT[masked.kind], masked)
    match masked:
        case Ledger():
            return told.model_copy(update={"lines": tuple(_as(LineOut, line) for line in masked.lines)})
        case Roster():
            return told.model_copy(update={"entries": tuple(_as(EntryOut, entry) for entry in masked.entries)})
        case _:
            return told


def _as(kind: type[M], value: Model) -> M:
    """The same fields as a model of another kind; `model_construct` takes thirty times as long, two thousand times a ledger."""
    told = kind.__new__(kind)
    fields = {"__dict__": vars(value), "__pydantic_fields_set__": value.model_fields_set}
    for name, field in {**fields, "__pydantic_extra__": None, "__pydantic_private__": None}.items():
        object.__setattr__(told, name, field)
    return told


_OUT: Final[dict[str, type[BodyOut]]] = {
    "ledger": LedgerOut,
    "roster": RosterOut,
    "notice": NoticeOut,
    "decision": DecisionOut,
    "contract": ContractOut,
    "project": ProjectOut,
    "table": TableOut,
}
