"""A06 凭证重号: one voucher number on two days of one month."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.lines import Numbered, VoucherWindow

#: Numbers that a sentence names.
_NAMED: Final = 3


def _groups(lines: Sequence[Numbered]) -> dict[tuple[int, int, int, int], list[Numbered]]:
    """Lines by year, month, word and number, where these were booked on more than one day."""
    found: dict[tuple[int, int, int, int], list[Numbered]] = {}
    for x in lines:
        found.setdefault((x.day.year, x.day.month, x.word, x.number), []).append(x)
    return {place: group for place, group in found.items() if len({x.day for x in group}) > 1}


def _repeated(w: VoucherWindow, _s: Settings) -> VoucherWindow:
    """The lines whose number was used on another day too."""
    return replace(w, lines=tuple(x for group in _groups(w.lines).values() for x in group))


@rule(
    id="A06",
    version="1.0",
    status="active",
    level=2,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=VoucherWindow,
    reads=("ledger_lines",),
    settings={},
    narrow=_repeated,
    zh="凭证重号",
    en="One voucher number on two days",
    law="农村集体经济组织会计制度（财会〔2023〕14号）；会计基础工作规范第五十一条",
    false_alarms=("同一张凭证分几行录入，日期写得不一样", "凭证字没有写，收款和付款各编各的号", "补记上月的凭证"),
    ask=("这几行的记账凭证原件", "凭证目录"),
)
def numbers_are_used_once(w: VoucherWindow, _s: Settings) -> Outcome:
    """同一会计月份、同一凭证字，一个凭证号用在两个以上不同的记账日期即提示。一张凭证分几行、日期相同的不算；每月重新编号的不算。"""
    if not w.is_open:
        return not_applicable("已撤回或内容不可见")
    if not w.numbered:
        return not_applicable("没有写凭证号")
    groups = _groups(w.lines)
    if not groups:
        return passed()
    steps = [f"写了凭证号的共 {w.numbered} 行"]
    for (year, month, word, number), group in groups.items():
        rows = "、".join(f"第 {x.line} 行 {x.day.month} 月 {x.day.day} 日" for x in group)
        steps.append(f"{year} 年 {month} 月，第 {word} 种凭证字 {number} 号：{rows}")
    numbers = "、".join(str(number) for *_, number in list(groups)[:_NAMED])
    more = f"等 {len(groups)} 个" if len(groups) > _NAMED else ""
    return hit(steps=steps, level=2, say=f"凭证号 {numbers} {more}在同一个月里用在不同的日期。")


def _vouchers(*rows: tuple[int, int, str]) -> VoucherWindow:
    """Lines by word, number and day."""
    lines = (Numbered("e1", n, word, no, date.fromisoformat(day)) for n, (word, no, day) in enumerate(rows, 1))
    return VoucherWindow(is_open=True, numbered=len(rows), lines=tuple(lines))


CASES = (
    Case(
        "on two days",
        _vouchers((1, 12, "2026-10-03"), (1, 13, "2026-10-04"), (1, 12, "2026-10-09")),
        "hit",
        2,
        say="凭证号 12 在同一个月里用在不同的日期。",
        steps=("写了凭证号的共 3 行", "2026 年 10 月，第 1 种凭证字 12 号：第 1 行 10 月 3 日、第 3 行 10 月 9 日"),
    ),
    Case("one voucher in two lines", _vouchers((1, 12, "2026-10-03"), (1, 12, "2026-10-03")), "pass"),
    Case("another word", _vouchers((1, 12, "2026-10-03"), (2, 12, "2026-10-09")), "pass"),
    Case("another month", _vouchers((1, 12, "2026-07-03"), (1, 12, "2026-08-09")), "pass"),
    Case("the same month of another year", _vouchers((1, 12, "2025-10-03"), (1, 12, "2026-10-09")), "pass"),
    Case(
        "four numbers",
        _vouchers(*((1, n, day) for n in (1, 2, 3, 4) for day in ("2026-10-03", "2026-10-04"))),
        "hit",
        2,
        say="凭证号 1、2、3 等 4 个在同一个月里用在不同的日期。",
    ),
    Case(
        "three numbers",
        _vouchers(*((1, n, day) for n in (1, 2, 3) for day in ("2026-10-03", "2026-10-04"))),
        "hit",
        2,
        say="凭证号 1、2、3 在同一个月里用在不同的日期。",
    ),
    Case("no numbers", _vouchers(), "n/a", reason="没有写凭证号"),
    Case("withdrawn", VoucherWindow(is_open=False, numbered=0, lines=()), "n/a", reason="已撤回或内容不可见"),
)
