"""The page of one disclosure: its facts, its content or its tombstone, its editions, what was said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.contracts.bodies import Body, Contract, Decision, Ledger, Neighbour, Notice, Project, Roster, Table
from services.contracts.catalogue import ItemRevision, Masking
from services.contracts.checks import Check
from services.contracts.disclosure import Opinion
from services.contracts.duties import Duty, publishing_holder
from services.contracts.values import period_bounds, period_words
from services.contracts.words import OPINIONS, PARTIES
from services.publish.render.changes import what_changed
from services.publish.render.checks import ChecksView, checks_of, checks_view, neighbour
from services.publish.render.due import Timing, timing
from services.publish.render.kinds import (
    contract_view,
    decision_view,
    notice_view,
    project_view,
    roster_view,
)
from services.publish.render.ledger import LedgerView, ledger_view
from services.publish.render.masking import masked_body, public_said, shows_persons
from services.publish.render.places import Items, Village, affair_of, item_at, official_name, plain_name, title
from services.publish.render.rows import Publication, Said, public_number
from services.publish.render.shapes import BodyView
from services.publish.render.tables import table_view
from services.publish.render.words import affair_words, day_words, time_words


@dataclass(frozen=True, slots=True)
class EditionView:
    """One edition that can still be read."""

    number: int
    published: str
    url: str


@dataclass(frozen=True, slots=True)
class OpinionView:
    """One party's word."""

    party: str
    names: str
    word: str
    reason: str | None
    day: str


@dataclass(frozen=True, slots=True)
class FileView:
    """A file that can be looked at."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An edition as read: ingest's number, content, what was said; `times` tells when each was published, `before` is the last one's content, `earlier` the ledger of the nearest period before that is open."""

    edition: int
    times: Sequence[tuple[int, datetime]]
    body: Body | None
    said: Said
    today: date
    before: Body | None = None
    duty: Duty | None = None
    earlier: Publication | None = None


@dataclass(frozen=True, slots=True)
class DisclosurePage:
    """Everything on a disclosure's page; `ledger` and `body` are None once it was withdrawn."""

    village: Village
    title: str
    plain: str
    official: str
    affair: str
    period: str
    publisher: str
    approved: str | None
    timing: Timing
    edition: int
    newest: int
    published: str
    editions: tuple[EditionView, ...]
    nil: bool
    ledger: LedgerView | None
    body: BodyView | None
    resolution: str | None
    is_resolution: bool
    contract_no: str | None
    checks: ChecksView | None
    disputed: bool
    opinions: tuple[OpinionView, ...]
    note: str | None
    changes: tuple[str, ...]
    files: tuple[FileView, ...]
    filed: str | None
    withdrawn: str | None
    reason: str | None
    restored: str | None
    history_url: str
    url: str
    of_persons: bool
    unchecked: str


def fades_on(revision: ItemRevision | None, period: str) -> date | None:
    """The day from which the web shows only counts of a roster (column `keep_months`); None for never."""
    if revision is None or revision.keep_months is None:
        return None
    last = period_bounds(period)[1]
    months = last.year * 12 + last.month - 1 + revision.keep_months
    first_of_month = date(months // 12, months % 12 + 1, 1)
    return first_of_month + timedelta(days=last.day - 1)


def masking_of(revision: ItemRevision | None, period: str, kind: str, today: date) -> Masking:
    """How names appear today: as the catalogue says, and for a roster whose time is over as totals only."""
    if revision is None:
        return Masking.SURNAME
    fades = fades_on(revision, period)
    if kind == "roster" and fades is not None and today >= fades:
        return Masking.AGGREGATE
    return revision.masking


@dataclass(frozen=True, slots=True)
class Opened:
    """An edition's content as everybody may read it, worked out once: the page and the JSON tell the same."""

    masking: Masking
    body: Body
    said: Said
    checks: tuple[Check, ...]
    of_persons: bool


def opened(items: Items, p: Publication, shown: Shown) -> Opened | None:
    """Mask an edition and what was said of it, and compare its sums; None once its content is gone."""
    body = shown.body
    if body is None:
        return None
    masking = masking_of(item_at(items, p.item, p.period), p.period, body.kind, shown.today)
    said = public_said(shown.said, body, masking)
    return Opened(
        masking=masking,
        body=masked_body(body, masking, p.item),
        said=said,
        checks=_open_checks(body, p, shown, said, masking),
        of_persons=shows_persons(body, masking, p.item, (*said.texts, p.restored_reason)),
    )


def disclosure_page(
    village: Village, items: Items, p: Publication, shown: Shown, content: Opened | None
) -> DisclosurePage:
    """Put the page of one edition together; `content` as `opened` gives it."""
    revision = item_at(items, p.item, p.period)
    body, published = shown.body, dict(shown.times).get(shown.edition, p.published_at)
    masking = content.masking if content is not None else Masking.SURNAME
    open_body = content.body if content is not None else None
    said = content.said if content is not None else Said()
    is_newest = shown.edition == p.edition
    checks = _checks(p, shown, content)
    return DisclosurePage(
        village=village,
        title=title(items, p.item, p.period),
        plain=plain_name(items, p.item, p.period),
        official=official_name(items, p.item, p.period),
        affair=affair_words(affair_of(items, p.item, p.period), community=village.is_community),
        period=period_words(p.period),
        publisher=publisher_name(village, revision),
        approved=_approved(village, p, published) if body is not None else None,
        timing=timing(p, shown.duty),
        edition=public_number(shown.times, shown.edition) or p.number,
        newest=p.number,
        published=time_words(published),
        editions=tuple(
            EditionView(i, time_words(at), f"/d/{p.disclosure_id}" + ("" if n == p.edition else f"/{i}"))
            for i, (n, at) in enumerate(shown.times, 1)
        ),
        nil=body is not None and body.nil,
        ledger=_ledger(body, open_body, masking),
        body=_body(body, open_body, masking, revision) if body is not None and open_body is not None else None,
        resolution=open_body.resolution_id if isinstance(open_body, Contract | Decision | Project) else None,
        is_resolution=isinstance(open_body, Decision),
        contract_no=open_body.contract_no if isinstance(open_body, Contract) else None,
        checks=checks,
        disputed=checks is not None and not checks.ok and any(o.opinion == "agree" for o in said.opinions),
        opinions=tuple(_opinion(o) for o in said.opinions),
        note=said.note,
        changes=_changes(shown, open_body, masking, p.item),
        files=tuple(FileView(a.title, f"/objects/{a.digest}") for a in open_body.attachments) if open_body else (),
        filed=_filed(p) if is_newest else None,
        withdrawn=day_words(p.withdrawn_at) if p.withdrawn_at is not None else None,
        reason=p.reason,
        restored=_restored(p),
        history_url=f"/v/{p.village_code}/{p.item}",
        url=f"/d/{p.disclosure_id}",
        of_persons=content is not None and content.of_persons,
        unchecked=_unchecked(revision),
    )


def _unchecked(revision: ItemRevision | None) -> str:
    """What is said where nobody of the village gave a word: that none was needed only where the catalogue says so."""
    is_needed = revision is None or revision.confirmations
    return "没有核对的记录。" if is_needed else "这一项按目录不用村里核对。"


def _restored(p: Publication) -> str | None:
    """That it was out of sight for a while, and why it came back."""
    if p.restored_at is None or p.was_withdrawn_at is None:
        return None
    return f"{time_words(p.was_withdrawn_at)}撤回过，{time_words(p.restored_at)}又恢复公开。恢复的原因：{p.restored_reason}"


def publisher_name(village: Village, revision: ItemRevision | None) -> str:
    """Who opens it, by the catalogue: the township by its own name, bodies of the village with the village's."""
    if revision is None:
        return village.name
    match publishing_holder(revision):
        case "township":
            return village.township.name
        case "village":
            return _body_of(village.name, revision.publisher)
        case _:
            return revision.publisher


def _body_of(village: str, body: str) -> str:
    """A body of a village by its full name: 西海村委会 and 村集体经济组织 -> 西海村集体经济组织."""
    if body in {"村委会", "村（社区）"}:
        return village
    place = village.removesuffix("居委会").removesuffix("委会")
    if not place.endswith("村"):
        body = body.replace("村务", "居务")
    return f"{place}{body.removeprefix('村')}"


def _approved(village: Village, p: Publication, published: datetime) -> str | None:
    """Who let the edition out, and when; what a village lets out itself is told by whether it was filed."""
    return f"{village.township.name} {day_words(published)}：审核通过" if p.release == "approve" else None


def _open_checks(body: Body, p: Publication, shown: Shown, said: Said, masking: Masking) -> tuple[Check, ...]:
    """Checks of an edition, with reasons as everybody may read them; only the newest is compared with the period before.

    Where rows of persons are hidden, nothing of single rows is told.
    """
    found = checks_of(body, p.period, said.accepted, _earlier(p, shown))
    return tuple(c for c in found if masking is not Masking.AGGREGATE or c.code != "table.row")


def _earlier(p: Publication, shown: Shown) -> Neighbour | None:
    return neighbour(shown.earlier) if shown.edition == p.edition else None


def _checks(p: Publication, shown: Shown, content: Opened | None) -> ChecksView | None:
    if content is None or not content.checks:
        return None
    sums = shown.body.sums if isinstance(shown.body, Ledger) else None
    return checks_view(content.checks, p.period, sums, _earlier(p, shown))


def _changes(shown: Shown, open_body: Body | None, masking: Masking, item: str) -> tuple[str, ...]:
    if shown.before is None or open_body is None:
        return ()
    return what_changed(masked_body(shown.before, masking, item), open_body) or ("看得见的内容没有变。",)


def _filed(p: Publication) -> str | None:
    """Whether the township took note of what the village let out itself."""
    if p.release != "file":
        return None
    return f"镇街已于{day_words(p.filed_at)}备案" if p.filed_at is not None else "村里先公开，镇街还没有备案"


def _opinion(o: Opinion) -> OpinionView:
    word = OPINIONS[o.opinion]
    return OpinionView(
        PARTIES[o.party], "、".join(o.names), word + ("（签字核对单）" if o.sheet else ""), o.reason, day_words(o.at)
    )


def _ledger(body: Body | None, shown: Body | None, masking: Masking) -> LedgerView | None:
    if not isinstance(body, Ledger) or not isinstance(shown, Ledger):
        return None
    return ledger_view(body, shown, aggregate=masking is Masking.AGGREGATE)


def _body(body: Body, shown: Body, masking: Masking, revision: ItemRevision | None) -> BodyView | None:
    aggregate = masking is Masking.AGGREGATE
    view: BodyView | None = None
    match body, shown:
        case Roster(), Roster():
            faded = aggregate and revision is not None and revision.masking is not Masking.AGGREGATE
            view = roster_view(body, shown, aggregate=aggregate, faded=faded)
        case Table(), Table():
            view = table_view(body, shown, aggregate=aggregate)
        case Notice(), Notice():
            view = notice_view(body, shown, aggregate=aggregate)
        case _, Decision():
            view = decision_view(shown)
        case _, Contract():
            view = contract_view(shown)
        case _, Project():
            view = project_view(shown)
        case _:
            pass
    return view
