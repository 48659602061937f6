"""Values of the read model as the public JSON tells them."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from services.contracts.catalogue import Item, ItemRevision
from services.contracts.disclosure import Opinion
from services.contracts.division import Division
from services.contracts.duties import CellState, GridCell
from services.contracts.question import QuestionState
from services.publish.hot.answers import JSON, PROBLEM, Body, body_of_nothing, body_of_persons
from services.publish.render.cells import Known
from services.publish.render.disclosure import Opened, Shown, publisher_name
from services.publish.render.due import how_due, timing
from services.publish.render.masking import public_json
from services.publish.render.places import Township, Village
from services.publish.render.questions import Question, Word, public_words
from services.publish.render.rows import Publication
from services.publish.schemas import (
    CatalogueItemOut,
    DisclosureBodyOut,
    DisclosureOut,
    DivisionOut,
    DutyOut,
    EditionOut,
    OpinionOut,
    PlaceOut,
    QuestionOut,
    QuestionWordOut,
    VillageOut,
)


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


class Told(NamedTuple):
    """What is told of a disclosure beside its place in a list."""

    village: Village
    revision: ItemRevision | None
    shown: Shown
    content: Opened


def disclosure_body(listed: DisclosureOut, p: Publication, told: Told) -> Body:
    """A disclosure with its content for JSON; persons in it are not for search engines and caches."""
    village, shown, content = told.village, told.shown, told.content
    when = timing(p, shown.duty)
    out = DisclosureBodyOut(
        **listed.model_dump(),
        first_published_at=rfc3339(p.first_published_at),
        due=when.due.isoformat() if when.due is not None else None,
        how_due=when.how,
        reference=shown.duty is not None and when.due is not None and shown.duty.reference,
        was_withdrawn_at=rfc3339(p.was_withdrawn_at) if p.was_withdrawn_at is not None else None,
        restored_at=rfc3339(p.restored_at) if p.restored_at is not None else None,
        restored_reason=p.restored_reason,
        publisher=publisher_name(village, told.revision),
        release=p.release,
        approved_by=village.township.name if p.release == "approve" else None,
        filed_at=rfc3339(p.filed_at) if p.filed_at is not None else None,
        opinions=[opinion_out(o) for o in content.said.opinions],
        note=content.said.note,
        editions=[EditionOut(version=i, published_at=rfc3339(at)) for i, (_, at) in enumerate(shown.times, 1)],
        body=public_json(content.body),
        checks=list(content.checks),
    )
    text = out.model_dump_json().encode()
    return body_of_persons(text, JSON) if content.of_persons else Body(text, JSON)


def village_out(village: Village) -> VillageOut:
    """A village with its township as the API tells it."""
    township = PlaceOut(code=village.township.code, name=village.township.name)
    return VillageOut(code=village.code, name=village.name, kind=village.kind.value, township=township)


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


def duty_out(of: GridCell, live: Known | None, reason: str | None) -> DutyOut:
    """A cell for JSON: what opens it, and why it is waived where it is."""
    return DutyOut(
        item=of.duty.item,
        period=of.duty.period,
        due=of.duty.due.isoformat(),
        state=of.cell.state.value,
        held_by=of.cell.held_by,
        since=rfc3339(of.cell.since) if of.cell.since is not None else None,
        late_days=of.late_days,
        how_due=how_due(of.duty) if not of.duty.history else "",
        history=of.duty.history,
        reference=of.duty.reference,
        disclosure_id=live.disclosure_id if live is not None else None,
        waiver=reason if of.beneath is CellState.WAIVED else None,
    )


def gone(p: Publication, path: str) -> Body:
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


def question_out(q: Question, words: Sequence[Word], now: datetime, public_url: str, *, by_ref: bool) -> QuestionOut:
    """A question for JSON; `by_ref`: for whoever holds its reference. Of a hidden one nothing that was said is told."""
    of, state = q.asked, q.stands(now)
    said = [
        QuestionWordOut(
            kind=w.kind,
            holder=w.holder,
            at=rfc3339(w.at),
            due=w.due.isoformat() if w.due is not None else None,
            text=public_words(of, w) or None,
            disclosure_id=w.disclosure_id,
        )
        for w in words
    ]
    return QuestionOut(
        id=str(q.id),
        ref=q.ref if by_ref else None,
        url=f"{public_url}/q/{q.ref if by_ref else q.id}",
        village=of.village_code,
        kind=of.kind.value,
        paper=of.paper.value if of.paper is not None else None,
        shows=of.shows,
        item=of.item,
        period=of.period,
        disclosure_id=of.disclosure_id,
        line=of.line,
        state=state.value,
        holder=q.holder,
        due=q.due.isoformat(),
        late_days=q.days_late(now),
        asked_at=rfc3339(q.asked_at),
        answered_at=rfc3339(q.answered_at) if q.answered_at is not None else None,
        rounds=q.rounds,
        hidden_reason=q.hidden_reason,
        words=said if state is not QuestionState.HIDDEN else [],
    )
