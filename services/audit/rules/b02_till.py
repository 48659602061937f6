"""B02 库存现金超限: more cash left at the end of a period than may lie in the till."""

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.limits import Limit
from services.audit.rules.lines import Till, TillWindow
from services.contracts.values import yuan


@rule(
    id="B02",
    version="1.0",
    status="active",
    level=2,
    kind="provable",
    shape="cell",
    subject="village/item/account/period",
    window=TillWindow,
    reads=("ledger_cell",),
    settings={},
    limits=(Limit("cash_on_hand_fen", "库存现金限额"),),
    zh="库存现金超限额",
    en="More cash on hand than allowed",
    law="现金管理暂行条例第九条；本市规定的库存现金限额",
    false_alarms=("月末收的款第二天已存入银行", "逢年过节临时核定过更高的限额"),
    ask=("月末的库存现金盘点表", "次日的银行存款回单"),
)
def till_within_the_limit(w: TillWindow, s: Settings) -> Outcome:
    """库存现金账户的期末余额超过本地核定的限额即提示。本地没有规定限额的看不见。"""
    if not w.is_open:
        return not_applicable("已撤回或内容不可见")
    if w.cur is None:
        return not_applicable("本期没有列出这个账户")
    limit = s["cash_on_hand_fen"]
    if w.cur.closing_fen <= limit:
        return passed()
    steps = [f"期末库存现金 {yuan(w.cur.closing_fen)} 元，限额 {yuan(limit)} 元"]
    return hit(steps=steps, level=2, say=f"期末库存现金 {yuan(w.cur.closing_fen)} 元，超过限额 {yuan(limit)} 元。")


def _till(fen: int) -> TillWindow:
    return TillWindow(is_open=True, cur=Till("e1", fen))


_CITY = {"cash_on_hand_fen": 500_000}
CASES = (
    Case("one fen above", _till(500_001), "hit", 2, _CITY, say="期末库存现金 5,000.01 元，超过限额 5,000.00 元。"),
    Case("at the limit", _till(500_000), "pass", settings=_CITY),
    Case("empty", _till(0), "pass", settings=_CITY),
    Case("not listed", TillWindow(is_open=True, cur=None), "n/a", settings=_CITY, reason="本期没有列出这个账户"),
    Case("withdrawn", TillWindow(is_open=False, cur=None), "n/a", settings=_CITY, reason="已撤回或内容不可见"),
)
