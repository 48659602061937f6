"""The six kinds beside the ledger as people read them: facts, words, tables, the same few shapes for all."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from services.contracts.bodies import (
    Contract,
    Decision,
    Entry,
    Lot,
    Notice,
    Project,
    Roster,
    RosterTotals,
    Standing,
    TenderTerms,
    measured,
)
from services.contracts.words import CONTRACT_TYPES, MEETINGS, STANDINGS, TENDERS
from services.publish.render.shapes import BodyView, Fact, HeadView, TableView
from services.publish.render.tables import table_view
from services.publish.render.words import about, amount


def day(of: date | None) -> str | None:
    """A day as people write it."""
    return f"{of.year}年{of.month}月{of.day}日" if of is not None else None


def money(fen: int | None) -> str | None:
    """An amount, a big one in words too."""
    if fen is None:
        return None
    words = about(fen)
    return f"{amount(fen)}（{words}）" if words else amount(fen)


def _facts(*pairs: tuple[str, str | None]) -> tuple[Fact, ...]:
    return tuple((name, value) for name, value in pairs if value)


def _words(*pairs: tuple[str, str | None]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((title, tuple(text.splitlines())) for title, text in pairs if text)


def _filled(title: str, columns: Sequence[tuple[str, bool, Sequence[str | None]]], count: int) -> TableView:
    """A table of the columns in which anything stands."""
    used = [(name, number, cells) for name, number, cells in columns if any(c for c in cells)]
    heads = tuple(HeadView(name, number) for name, number, _ in used)
    return TableView(title, heads, tuple(tuple(cells[n] or "" for _, _, cells in used) for n in range(count)))


def roster_view(full: Roster, shown: Roster, *, aggregate: bool, faded: bool) -> BodyView:
    """A roster: sums first, then one row a person or household; who stood for election is always told."""
    facts, words = _roster_facts(full), _words(("标准", full.standard))
    if full.nil:
        return BodyView(facts, words, empty="这段时间没有这件事。")
    if aggregate and shown.entries:
        return _election(full, shown, words)
    if aggregate:
        text = "名单公开期已满，只留合计。" if faded else "这一项按规定只公布合计。"
        return BodyView(facts, words, empty=text)
    return BodyView(facts, words, (_entries("一户一户看", shown),))


def _election(full: Roster, shown: Roster, words: tuple[tuple[str, tuple[str, ...]], ...]) -> BodyView:
    """Who stood and who won; of the voters only how many."""
    won = sum(e.standing is Standing.ELECTED for e in shown.entries)
    voters = len(full.persons) - len(shown.entries)
    b = full.ballots
    facts = _facts(
        ("登记参加选举", f"{b.registered}人" if b is not None else None),
        ("参加投票", f"{b.cast}人" if b is not None else None),
        ("有效票", f"{b.valid}张" if b is not None and b.valid is not None else None),
        ("候选人", f"{len(shown.entries)}人"),
        ("当选", f"{won}人" if won else None),
        ("名单上的其他人", f"{voters}人" if voters else None),
    )
    empty = "选民等其他人的名单不在网上公布。" if voters else None
    return BodyView(facts, words, (_entries("候选人和得票", shown),), empty)


def _roster_facts(full: Roster) -> tuple[Fact, ...]:
    """What the list comes to, beside what its author wrote where that is something else."""
    said = full.totals or RosterTotals()
    has_amount = any(e.amount_fen is not None for e in full.persons)
    has_people = any(e.household_size for e in full.persons)
    pairs = (
        ("一共", "户（人）", len(full.persons), said.entries, bool(full.persons)),
        ("人口", "人", full.people, said.people, has_people),
    )
    counts = [
        fact
        for name, unit, made, stated, told in pairs
        if told
        for fact in _beside(name, f"{made}{unit}", f"{stated}{unit}" if stated is not None else None)
    ]
    if any(e.quantity is not None for e in full.persons):
        unit = full.quantity_unit or ""
        stated = f"{said.quantity}{unit}" if said.quantity is not None else None
        counts += _beside("面积、数量", f"{measured(full.quantity)}{unit}", stated)
    stated_fen = money(said.amount_fen)
    return _facts(*counts, *(_beside("金额合计", money(full.amount_fen), stated_fen) if has_amount else ()))


def _beside(name: str, made: str | None, stated: str | None) -> list[tuple[str, str | None]]:
    if stated is None or stated == made:
        return [(name, made)]
    return [(f"{name}（村里写的）", stated), (f"{name}（按名单算的）", made)]


def _entries(title: str, shown: Roster) -> TableView:
    entries, unit = shown.entries, shown.quantity_unit or ""
    columns: list[tuple[str, bool, Sequence[str | None]]] = [
        ("姓名", False, [e.name for e in entries]),
        ("小组", False, [e.group for e in entries]),
        ("类别、职务", False, [e.category for e in entries]),
        ("人口", True, [f"{e.household_size}人" if e.household_size else None for e in entries]),
        ("面积、数量", True, [f"{e.quantity}{unit}" if e.quantity is not None else None for e in entries]),
        (_rate_name(shown), True, [_rate(e, shown) for e in entries]),
        ("工数", True, [e.days for e in entries]),
        ("每工", True, [amount(e.rate_fen) if e.rate_fen is not None else None for e in entries]),
        ("金额", True, [amount(e.amount_fen) if e.amount_fen is not None else None for e in entries]),
        ("物品", False, [e.goods for e in entries]),
        ("得票", True, [f"{e.votes}票" if e.votes is not None else None for e in entries]),
        ("结果", False, [STANDINGS[e.standing] if e.standing is not None else None for e in entries]),
        ("说明", False, [e.remark for e in entries]),
    ]
    view = _filled(title, columns, len(entries))
    return replace(view, strong=frozenset(n for n, e in enumerate(entries) if e.is_sum))


def _rate_name(shown: Roster) -> str:
    """What the rates of a list are of, where they are all of the same."""
    counted = {e.quantity is not None for e in shown.entries if e.unit_rate is not None}
    if counted == {False}:
        return "每人标准"
    return f"每{shown.quantity_unit}标准" if counted == {True} and shown.quantity_unit else "标准"


def _rate(e: Entry, shown: Roster) -> str | None:
    """A rate; in a list by areas and by people, of which of both it is."""
    if e.unit_rate is None:
        return None
    if _rate_name(shown) != "标准":
        return f"{e.unit_rate}元"
    of = "人" if e.quantity is None else shown.quantity_unit
    return f"每{of}{e.unit_rate}元" if of else f"{e.unit_rate}元"


def notice_view(full: Notice, body: Notice, *, aggregate: bool) -> BodyView:
    """A notice: its words, its table, its time on the wall."""
    facts = _facts(
        (
            "公示期",
            f"{day(body.posted_from)}到{day(body.posted_until)}" if body.posted_until else day(body.posted_from),
        ),
        ("落款", body.signed_by),
        ("日期", day(body.signed_on)),
    )
    paragraphs = tuple(line for text in body.paragraphs for line in text.splitlines())
    words: tuple[tuple[str, tuple[str, ...]], ...] = ((body.title, paragraphs),)
    lots = lots_table(body.lots, "底价")
    if body.tender is not None:
        facts = (*_tender_facts(body.tender), *facts)
        words = (*words, *_words(("报名条件", body.tender.bidders)))
    if full.table is None or body.table is None:
        return BodyView(facts, words, lots)
    inner = table_view(full.table, body.table, aggregate=aggregate)
    return BodyView((*facts, *inner.facts), words, (*lots, *inner.tables), inner.empty)


def _tender_facts(terms: TenderTerms) -> tuple[Fact, ...]:
    """What a tender offers: when it was announced nobody had won, and the page says so, also when somebody has since."""
    until = day(terms.registers_until)
    registers = f"{day(terms.registers_from)}到{until}" if terms.registers_from and until else until
    return _facts(
        ("这是哪一步", "招标、招租公告，发的时候还没有定给谁"),
        ("方式", terms.method),
        ("报名", registers or day(terms.registers_from)),
        ("开标、竞价", day(terms.opens_on)),
        ("保证金", money(terms.deposit_fen)),
        ("加价幅度", terms.step),
    )


def lots_table(lots: Sequence[Lot], price: str) -> tuple[TableView, ...]:
    """Lots one by one; what is approximate says so and is added up by nobody."""
    prices = [
        f"{amount(lot.price_fen)}{f'（{lot.price_per}）' if lot.price_per else ''}"
        if lot.price_fen is not None
        else None
        for lot in lots
    ]
    columns: list[tuple[str, bool, Sequence[str | None]]] = [
        ("标的", False, [lot.title for lot in lots]),
        ("面积、数量", True, [lot.quantity_words for lot in lots]),
        (price, True, prices),
        ("年限", False, [lot.term for lot in lots]),
        ("金额", True, [amount(lot.total_fen) if lot.total_fen is not None else None for lot in lots]),
        ("说明", False, [lot.remark for lot in lots]),
    ]
    return (_filled("一个一个标的看", columns, len(lots)),) if lots else ()


def decision_view(body: Decision) -> BodyView:
    """A decision: who met and voted, the steps, what was resolved."""
    v = body.votes
    votes = f"同意{v.in_favour}人，不同意{v.against}人，弃权{v.abstained}人" if v is not None else None
    facts = _facts(
        ("事项", body.title),
        ("会议", MEETINGS[body.meeting]),
        ("开会日期", day(body.held_on)),
        ("到会", f"应到{v.entitled}人，实到{v.present}人" if v is not None else None),
        ("表决", votes),
    )
    columns: list[tuple[str, bool, Sequence[str | None]]] = [
        ("步骤", False, [s.name for s in body.steps]),
        ("日期", False, [day(s.date) for s in body.steps]),
        ("情况", False, [s.note for s in body.steps]),
    ]
    tables = (_filled("一步一步怎么定的", columns, len(body.steps)),) if body.steps else ()
    return BodyView(facts, _words(("决定", body.resolution), ("实施情况", body.implementation)), tables)


def contract_view(body: Contract) -> BodyView:
    """A contract: parties, thing, term, money."""
    ends = day(body.ends)
    facts = _facts(
        ("合同", body.title),
        ("种类", CONTRACT_TYPES[body.type]),
        ("对方", body.party + ("（非本村成员）" if body.outsider else "")),
        ("面积", f"{'约' if body.area_about else ''}{body.area_mu}亩" if body.area_mu else None),
        ("签订", day(body.signed_on)),
        ("期限", f"{day(body.begins)}到{ends}" if ends else f"{day(body.begins)}起"),
        ("总价", money(body.total_fen)),
        ("每年", money(body.annual_fen)),
        ("租金递增", _rises(body)),
        ("押金", money(body.deposit_fen)),
        ("方式", body.method),
    )
    due = [day(i.due) for i in body.instalments]
    columns: list[tuple[str, bool, Sequence[str | None]]] = [
        ("应交日期", False, due),
        ("金额", True, [amount(i.amount_fen) for i in body.instalments]),
    ]
    tables = (
        *lots_table(body.lots, "单价"),
        *_rents(body),
        *((_filled("分期交款", columns, len(due)),) if due else ()),
    )
    return BodyView(facts, _words(("标的", body.subject), ("说明", body.remark)), tables)


def _rises(body: Contract) -> str | None:
    """How the rent rises, as one says it."""
    if body.rises is None:
        return None
    by = f"{body.rises.percent}%" if body.rises.percent is not None else amount(body.rises.amount_fen or 0)
    years = body.rises.every_years
    return f"每{years if years > 1 else ''}年涨{by}"


def _rents(body: Contract) -> tuple[TableView, ...]:
    """What each year costs where the rent rises: worked out, so that nobody has to."""
    rents = body.rents
    columns: list[tuple[str, bool, Sequence[str | None]]] = [
        ("第几年", False, [f"第{n}年" for n in range(1, len(rents) + 1)]),
        ("租金", True, [amount(fen) for fen in rents]),
    ]
    return (_filled("每年租金（按递增算出来的）", columns, len(rents)),) if rents else ()


def project_view(body: Project) -> BodyView:
    """A project: money from where, who builds, what was paid, whether it passed."""
    facts = _facts(
        ("工程", body.title),
        ("发包方式", TENDERS[body.tender]),
        ("施工方", body.contractor),
        ("预算", money(body.budget_fen)),
        ("合同价", money(body.contract_fen)),
        ("结算价", money(body.settled_fen)),
        ("资金来源", body.sources),
        ("已付", money(body.paid_fen) if body.payments else None),
        ("招标", day(body.tendered_on)),
        ("开工", day(body.started_on)),
        ("完工", day(body.finished_on)),
        ("验收", day(body.accepted_on)),
    )
    tables = [
        _parts(body),
        _money_table("钱从哪里来", "来源", [(f.source, f.amount_fen, None) for f in body.funds]),
        _money_table("报价", "投标单位", [(b.bidder, b.amount_fen, "中标" if b.won else None) for b in body.bids]),
        _money_table("付款", "日期", [(day(p.date) or "", p.amount_fen, p.note) for p in body.payments]),
    ]
    words = _words(("建设内容", body.scope), ("验收意见", body.acceptance))
    return BodyView(facts, words, tuple(t for t in tables if t.rows))


def _parts(body: Project) -> TableView:
    parts = body.parts
    columns: list[tuple[str, bool, Sequence[str | None]]] = [
        ("子项", False, [p.title for p in parts]),
        ("数量", True, [p.quantity_words for p in parts]),
        ("预算", True, [amount(p.budget_fen) if p.budget_fen is not None else None for p in parts]),
        ("结算", True, [amount(p.settled_fen) if p.settled_fen is not None else None for p in parts]),
        ("说明", False, [p.remark for p in parts]),
    ]
    return _filled("分成几项做", columns, len(parts))


def _money_table(title: str, first: str, rows: Iterable[tuple[str, int, str | None]]) -> TableView:
    listed = list(rows)
    columns: list[tuple[str, bool, Sequence[str | None]]] = [
        (first, False, [r[0] for r in listed]),
        ("金额", True, [amount(r[1]) for r in listed]),
        ("说明", False, [r[2] for r in listed]),
    ]
    return _filled(title, columns, len(listed))
