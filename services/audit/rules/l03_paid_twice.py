"""L03 重复付款: one invoice paid twice to one payee, the same amount, on two days."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.suspicions import Billed, BilledWindow
from services.contracts.values import yuan


def _groups(lines: Sequence[Billed]) -> list[tuple[int, list[Billed]]]:
    """Payments of one payee, invoice and amount on more than one day, with the amount; what was taken back leaves more than it."""
    paid: dict[tuple[int, int, int], list[Billed]] = {}
    for x in lines:
        paid.setdefault((x.payee, x.invoice, abs(x.amount_fen)), []).append(x)
    return [
        (fen, group)
        for (_, _, fen), group in paid.items()
        if len({x.day for x in group}) > 1 and sum(x.amount_fen for x in group) > fen
    ]


def _twice(w: BilledWindow, _s: Settings) -> BilledWindow:
    """The payments that may be one paid twice."""
    return replace(w, lines=tuple(x for _, group in _groups(w.lines) for x in group))


@rule(
    id="L03",
    version="1.0",
    status="trial",
    level=2,
    kind="lead",
    shape="cell",
    subject="village/item/period",
    window=BilledWindow,
    reads=("ledger_lines",),
    settings={},
    narrow=_twice,
    zh="疑似重复付款",
    en="An invoice that may have been paid twice",
    law="农村集体经济组织会计制度；本规则为平台自定",
    false_alarms=("分期付款，每期金额相同", "固定收费按次开在一张发票上", "补记上月的付款"),
    ask=("这张发票的原件", "每次付款的银行回单"),
)
def invoices_are_paid_once(w: BilledWindow, _s: Settings) -> Outcome:
    """同一份明细里，同一张发票、同一收款人、同样金额在不同的日期付了两次以上；红字冲销的先抵掉。没有写发票的不看。"""
    if not w.is_open:
        return not_applicable("已撤回或内容不可见")
    groups = _groups(w.lines)
    if not groups:
        return passed()
    steps = []
    for _, group in groups:
        rows = "、".join(f"第 {x.line} 行 {x.day.month} 月 {x.day.day} 日 {yuan(x.amount_fen)} 元" for x in group)
        steps.append(f"同一张发票：{rows}，净付 {yuan(sum(x.amount_fen for x in group))} 元")
    extra = sum(sum(x.amount_fen for x in group) - fen for fen, group in groups)
    say = f"有 {len(groups)} 张发票在不同日期付了同样的金额，多付的合计 {yuan(extra)} 元。"
    return hit(steps=steps, level=2, say=say, amount_fen=extra)


def _billed(*rows: tuple[int, int, int, int]) -> BilledWindow:
    """Payments by day of October, amount, payee and invoice."""
    lines = (
        Billed("e1", n, fen, date(2026, 10, day), payee, bill) for n, (day, fen, payee, bill) in enumerate(rows, 1)
    )
    return BilledWindow(is_open=True, lines=tuple(lines))


CASES = (
    Case(
        "nine days apart",
        _billed((3, 50_000, 1, 1), (12, 50_000, 1, 1)),
        "hit",
        2,
        say="有 1 张发票在不同日期付了同样的金额，多付的合计 500.00 元。",
        steps=("同一张发票：第 1 行 10 月 3 日 500.00 元、第 2 行 10 月 12 日 500.00 元，净付 1,000.00 元",),
    ),
    Case("reversed, then posted again", _billed((3, 50_000, 1, 1), (4, -50_000, 1, 1), (12, 50_000, 1, 1)), "pass"),
    Case(
        "the reversal first",
        _billed((3, -50_000, 1, 1), (4, 50_000, 1, 1), (12, 50_000, 1, 1), (13, 50_000, 1, 1)),
        "hit",
        2,
        say="有 1 张发票在不同日期付了同样的金额，多付的合计 500.00 元。",
    ),
    Case("on one day", _billed((3, 50_000, 1, 1), (3, 50_000, 1, 1)), "pass"),
    Case("another amount", _billed((3, 50_000, 1, 1), (12, 50_001, 1, 1)), "pass"),
    Case("another payee", _billed((3, 50_000, 1, 1), (12, 50_000, 2, 1)), "pass"),
    Case("another invoice", _billed((3, 50_000, 1, 1), (12, 50_000, 1, 2)), "pass"),
    Case(
        "two invoices",
        _billed((3, 50_000, 1, 1), (12, 50_000, 1, 1), (5, 70, 2, 2), (6, 70, 2, 2)),
        "hit",
        2,
        say="有 2 张发票在不同日期付了同样的金额，多付的合计 500.70 元。",
    ),
    Case("no invoices", _billed(), "pass"),
    Case("withdrawn", BilledWindow(is_open=False, lines=()), "n/a", reason="已撤回或内容不可见"),
)
