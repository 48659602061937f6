"""B04 大额未议: a large payment that names no resolution."""

from dataclasses import replace

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.limits import Limit
from services.audit.rules.lines import Paid, UnresolvedWindow
from services.contracts.values import yuan


def _large(w: UnresolvedWindow, s: Settings) -> UnresolvedWindow:
    """The lines that need a resolution."""
    return replace(w, lines=tuple(x for x in w.lines if x.amount_fen >= s["resolution_from_fen"]))


@rule(
    id="B04",
    version="1.0",
    status="active",
    level=2,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=UnresolvedWindow,
    reads=("ledger_lines",),
    settings={},
    limits=(Limit("resolution_from_fen", "应经民主议定的金额"),),
    narrow=_large,
    zh="大额支出没有写明决议",
    en="Large payment without a resolution",
    law="村民委员会组织法第二十四条；本市规定的大额支出标准",
    false_alarms=("开过会，录入时没有填决议编号", "上级专款，由上级决定用途"),
    ask=("会议记录和决议", "支出申请和审批单"),
)
def large_payments_name_a_resolution(w: UnresolvedWindow, s: Settings) -> Outcome:
    """一笔支出达到本地规定应经民主议定的金额，而没有写决议编号，即提示。本地没有规定金额的看不见。"""
    if not w.is_open:
        return not_applicable("已撤回或内容不可见")
    lines = _large(w, s).lines
    if not lines:
        return passed()
    limit = yuan(s["resolution_from_fen"])
    steps = [f"第 {x.line} 行支出 {yuan(x.amount_fen)} 元，{limit} 元起应经民主议定，没有写决议编号" for x in lines]
    total = yuan(sum(x.amount_fen for x in lines))
    return hit(steps=steps, level=2, say=f"有 {len(lines)} 笔大额支出没有写决议编号，合计 {total} 元。")


def _spent(*amounts: int) -> UnresolvedWindow:
    return UnresolvedWindow(is_open=True, lines=tuple(Paid("e1", n, fen) for n, fen in enumerate(amounts, 1)))


_CITY = {"resolution_from_fen": 1_000_000}
CASES = (
    Case("at the limit", _spent(1_000_000), "hit", 2, _CITY, say="有 1 笔大额支出没有写决议编号，合计 10,000.00 元。"),
    Case("one fen below", _spent(999_999), "pass", settings=_CITY),
    Case(
        "two of three",
        _spent(2_000_000, 500, 1_000_000),
        "hit",
        2,
        _CITY,
        say="有 2 笔大额支出没有写决议编号，合计 30,000.00 元。",
    ),
    Case("all are resolved", _spent(), "pass", settings=_CITY),
    Case("withdrawn", UnresolvedWindow(is_open=False, lines=()), "n/a", settings=_CITY, reason="已撤回或内容不可见"),
)
