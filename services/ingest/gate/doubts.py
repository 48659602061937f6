"""What a clerk would want to be asked before handing in, beside sums that do not hold; pure.

Most of it may be right and wants a sentence why. What cannot be right (`MUST_MEND`) has to be mended: no reason helps.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.contracts.base import Finding
from services.contracts.bodies import (
    Body,
    Contract,
    ContractType,
    Decision,
    Entry,
    Ledger,
    Notice,
    Project,
    Roster,
    Table,
)
from services.contracts.values import yuan
from services.ingest.gate.elections import election_findings
from services.ingest.gate.phrases import phrase_findings
from services.ingest.gate.quorums import quorum_findings
from services.ingest.gate.tables import table_doubts
from services.ingest.gate.voucher_numbers import cash_findings, voucher_findings

#: What cannot be right as it stands.
MUST_MEND: Final = frozenset({"contract.negative", "project.negative", "date.future", "notice.unknown"})
#: 民法典 第七百零五条; household contracting (承包) is no lease.
LONGEST_LEASE_YEARS: Final = 20
#: Announced this far ahead, a year was mistyped.
_AHEAD: Final = timedelta(days=366)
#: Between total and yearly rent so many times too much or too little: 元 and 万元 were mixed up.
_MIXED_UP: Final = 1000
_MOST: Final = 2


@dataclass(frozen=True, slots=True)
class Setting:
    """What a body is looked at by: today, how long the item stays on the wall, how much may be paid in cash."""

    today: date
    notice_days: int = 0
    cash_limit_fen: int = 0


def doubts(body: Body, setting: Setting) -> tuple[Finding, ...]:
    """Everything in a body that wants to be mended or explained."""
    return (*_of_kind(body, setting), *phrase_findings(body))


def _of_kind(body: Body, setting: Setting) -> Iterator[Finding]:
    match body:
        case Ledger():
            yield from voucher_findings(body)
            yield from cash_findings(body, setting.cash_limit_fen)
        case Roster():
            yield from _roster(body)
            yield from election_findings(body)
        case Notice():
            yield from _notice(body, setting)
        case Decision():
            yield from quorum_findings(body)
            yield from _happened("会议日期", "body.held_on", body.held_on, setting.today)
        case Contract():
            yield from _contract(body, setting.today)
        case Project():
            yield from _project(body, setting.today)
        case Table():
            yield from table_doubts(body)


def _off(code: str, at: str, message: str) -> Finding:
    return Finding(code=code, at=f"body.{at}", message=message)


def _happened(words: str, at: str, day: date | None, today: date) -> Iterator[Finding]:
    """What already happened has a day that already was."""
    if day is not None and day > today:
        message = f"{words}写的是 {day}，这一天还没有到，请改正。"
        yield Finding(code="date.future", at=at, message=message)


# -- contracts and projects ---------------------------------------------------------------------------------------


def _contract(body: Contract, today: date) -> Iterator[Finding]:
    yield from _happened("签订日期", "body.signed_on", body.signed_on, today)
    for at, fen in (("total_fen", body.total_fen), ("annual_fen", body.annual_fen)):
        if fen is not None and fen < 0:
            yield _off("contract.negative", at, f"合同的金额写的是 {yuan(fen)} 元，不能小于 0，请改正。")
    if body.type is ContractType.LEASE and body.ends is not None and body.ends >= _later(body.begins):
        message = (
            f"租赁从 {body.begins} 到 {body.ends}，超过 {LONGEST_LEASE_YEARS} 年，超过的部分无效（民法典第七百零五条）。"
            f"日期写错了请改正；不是租赁的（如土地承包、流转），请改“种类”；确实这样签的，请说明怎么办。"
        )
        yield _off("contract.lease_term", "ends", message)
    if body.signed_on > body.begins:
        message = f"{body.signed_on} 才签合同，{body.begins} 就开始了。写错了请改正；是补签的，请说明。"
        yield _off("contract.signed_late", "signed_on", message)
    yield from _annual(body)


def _later(begins: date) -> date:
    """The first day that a lease may no longer have."""
    year = begins.year + LONGEST_LEASE_YEARS
    return date(year, 3, 1) if (begins.month, begins.day) == (2, 29) else begins.replace(year=year)


def _annual(body: Contract) -> Iterator[Finding]:
    total, annual = body.total_fen or 0, body.annual_fen or 0
    if total <= 0 or annual <= 0:
        return
    if annual > total:
        yield _off(
            "contract.annual",
            "annual_fen",
            f"每年 {yuan(annual)} 元比总金额 {yuan(total)} 元还多，请核对是不是写反了。",
        )
    elif body.ends is not None:
        years = ((body.ends - body.begins).days + 1) / 365.25
        if total > annual * years * _MIXED_UP:
            message = f"总金额 {yuan(total)} 元，每年却只有 {yuan(annual)} 元，像是把元和万元写混了，请核对。"
            yield _off("contract.annual", "annual_fen", message)


def _project(body: Project, today: date) -> Iterator[Finding]:
    for at, words, fen in (
        ("budget_fen", "预算", body.budget_fen),
        ("contract_fen", "合同价", body.contract_fen),
        ("settled_fen", "结算金额", body.settled_fen),
    ):
        if fen is not None and fen < 0:
            yield _off("project.negative", at, f"{words}写的是 {yuan(fen)} 元，不能小于 0，请改正。")
    yield from _happened("验收日期", "body.accepted_on", body.accepted_on, today)
    for n, payment in enumerate(body.payments):
        yield from _happened(f"第 {n + 1} 笔付款的日期", f"body.payments[{n}].date", payment.date, today)
    for at, words, day in (
        ("tendered_on", "招标日期", body.tendered_on),
        ("started_on", "开工日期", body.started_on),
        ("finished_on", "完工日期", body.finished_on),
    ):
        if day is not None and day > today:
            message = (
                f"{words}写的是 {day}，还没有到。这里写实际的日期；计划的日期请写进“建设内容”，这里空着，或者说明。"
            )
            yield _off("project.planned", at, message)


# -- notices ------------------------------------------------------------------------------------------------------


def _notice(body: Notice, setting: Setting) -> Iterator[Finding]:
    if body.posted_from is not None and body.posted_until is not None and setting.notice_days:
        days = (body.posted_until - body.posted_from).days + 1
        if days < setting.notice_days:
            message = (
                f"公示从 {body.posted_from} 到 {body.posted_until} 只有 {days} 天，这个事项不少于 {setting.notice_days} 天。"
                f"请延长；确实只公示了这些天的，请说明。"
            )
            yield _off("notice.short", "posted_until", message)
    for at, words, day in (("posted_from", "公示开始", body.posted_from), ("signed_on", "落款日期", body.signed_on)):
        if day is not None and day > setting.today + _AHEAD:
            yield _off("notice.far", at, f"{words}写的是 {day}，还有一年多，请核对年份。")
    first: dict[str, int] = {}
    for n, text in enumerate(body.paragraphs):
        words = re.sub(r"\s", "", text)
        before = first.setdefault(words, n)
        if before != n:
            message = (
                f"第 {n + 1} 段和第 {before + 1} 段一模一样，像是贴了两次。重复的请删去；本来就要写两次的，请说明。"
            )
            yield _off("notice.twice", f"paragraphs[{n}]", message)
    if body.table is not None:
        for f in table_doubts(body.table):
            yield f.model_copy(update={"at": f.at.replace("body.", "body.table.", 1)})


# -- rosters ------------------------------------------------------------------------------------------------------

#: Names that are no whole names: several people may share one.
_HIDDEN: Final = re.compile(r"[某*×Xx\uff0a]")


def _roster(body: Roster) -> Iterator[Finding]:
    yield from _without_amount(body)
    first: dict[tuple[object, ...], int] = {}
    for n, e in enumerate(body.entries):
        if e.is_sum or e.days is not None or _HIDDEN.search(e.name):
            continue
        before = first.setdefault(_who(e), n)
        # Two rows that are alike in everything are told by the list itself.
        if before != n and _got(e) != _got(body.entries[before]):
            message = (
                f"第 {n + 1} 行和第 {before + 1} 行是同一个姓名，小组、类别也一样，金额不同。写重了请删去一行；"
                f"是同名的两个人，或者本来就有两份，请说明。"
            )
            yield _off("roster.again", f"entries[{n}].name", message)


def _who(e: Entry) -> tuple[object, ...]:
    """Households of unlike size are unlike households, whatever their names."""
    return "".join(e.name.split()), e.group, e.household_size, e.category


def _got(e: Entry) -> tuple[object, ...]:
    return e.amount_fen, e.goods


def _otherwise(e: Entry) -> bool:
    """Tell whether somebody is on the list for something else than money."""
    return e.goods is not None or e.stood


def _without_amount(body: Roster) -> Iterator[Finding]:
    bare = [n for n, e in enumerate(body.entries) if not e.is_sum and e.amount_fen is None and not _otherwise(e)]
    others = sum(e.amount_fen is not None for e in body.persons)
    if bare and others >= _MOST * len(bare):
        named = "、".join(str(n + 1) for n in bare[:6])
        message = f"第 {named} 行{'等' if len(bare) > 6 else ''}没有金额，别的行都有。请补上；没有发钱的，请说明。"  # noqa: PLR2004 - as many rows are named
        yield _off("roster.amount_missing", f"entries[{bare[0]}].amount_fen", message)
