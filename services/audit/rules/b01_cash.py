"""B01 超限额现金: a payment in cash above what may be paid so."""

from dataclasses import replace

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.limits import Limit
from services.audit.rules.lines import CashWindow, Paid
from services.contracts.values import yuan


def _above(w: CashWindow, s: Settings) -> CashWindow:
    """The lines that are above the limit."""
    return replace(w, lines=tuple(x for x in w.lines if x.amount_fen > s["cash_limit_fen"]))


@rule(
    id="B01",
    version="1.0",
    status="active",
    level=2,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=CashWindow,
    reads=("ledger_lines",),
    settings={},
    limits=(Limit("cash_limit_fen", "现金支付限额", "lower"),),
    narrow=_above,
    zh="超限额现金支付",
    en="Paid in cash above the limit",
    law="现金管理暂行条例第五条、第六条",
    false_alarms=("付款方式勾错了", "向农户收购农副产品、出差借款，摘要没有写明", "一行合并了几个人的款"),
    ask=("这几笔的付款凭证和领款签字", "当天的库存现金日记账"),
)
def cash_within_the_limit(w: CashWindow, s: Settings) -> Outcome:
    """以现金支付的一笔支出超过现金支付限额即提示。差旅费和收购农副产品不限；红字冲销、内部划转不算。

    写明现金支付的算现金；没有写付款方式、从库存现金账户支出的也算。
    """
    if not w.is_open:
        return not_applicable("已撤回或内容不可见")
    lines = _above(w, s).lines
    if not lines:
        return passed()
    limit = s["cash_limit_fen"]
    steps = [f"第 {x.line} 行现金支付 {yuan(x.amount_fen)} 元，限额 {yuan(limit)} 元" for x in lines]
    largest = max(lines, key=lambda x: (x.amount_fen, -x.line))
    if len(lines) == 1:
        say = f"第 {largest.line} 行用现金支付 {yuan(largest.amount_fen)} 元，超过限额 {yuan(limit)} 元。"
    else:
        say = f"有 {len(lines)} 笔现金支付超过限额 {yuan(limit)} 元，最大一笔 {yuan(largest.amount_fen)} 元。"
    return hit(steps=steps, level=2, say=say)


def _cash(*amounts: int) -> CashWindow:
    return CashWindow(is_open=True, lines=tuple(Paid("e1", n, fen) for n, fen in enumerate(amounts, 3)))


_LAW = {"cash_limit_fen": 100_000}
CASES = (
    Case("one fen above", _cash(100_001), "hit", 2, _LAW, say="第 3 行用现金支付 1,000.01 元，超过限额 1,000.00 元。"),
    Case("at the limit", _cash(100_000), "pass", settings=_LAW),
    Case("9,999 yuan", _cash(999_900), "hit", 2, _LAW, say="第 3 行用现金支付 9,999.00 元，超过限额 1,000.00 元。"),
    Case(
        "two of three",
        _cash(200_000, 99_999, 300_000),
        "hit",
        2,
        _LAW,
        say="有 2 笔现金支付超过限额 1,000.00 元，最大一笔 3,000.00 元。",
    ),
    Case("a reversal", _cash(-500_000), "pass", settings=_LAW),
    Case("nothing in cash", _cash(), "pass", settings=_LAW),
    Case("withdrawn", CashWindow(is_open=False, lines=()), "n/a", settings=_LAW, reason="已撤回或内容不可见"),
)
