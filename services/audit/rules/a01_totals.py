"""A01 合计不符: a ledger's stated totals and the sum of its lines."""

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.facts import LedgerTotals
from services.audit.rules.window import TotalsWindow
from services.contracts.values import yuan


@rule(
    id="A01",
    version="1.2",
    status="active",
    level=3,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=TotalsWindow,
    reads=("ledger_cell",),
    settings={"tolerance_fen": 0},
    zh="合计与逐笔相加不符",
    en="Stated totals differ from the sum of the lines",
    law="农经发〔2011〕13号（收支逐笔公开）；算术",
    false_alarms=("录入时漏了一页或几行", "合计以万元填写", "内部划转被计入收入或支出"),
    ask=("账本和合计的底稿",),
)
def totals_match_lines(w: TotalsWindow, s: Settings) -> Outcome:
    """收入合计、支出合计分别减去逐笔相加；任何一个差额超过容差即提示。内部划转不计入收入和支出。没有填写合计的不适用。

    更正时去掉了有数的账户，合计再相符也不算改好。
    """
    if w.cur is None:
        return not_applicable("已撤回或内容不可见")
    if w.cur.income_stated_fen is None or w.cur.expense_stated_fen is None:
        return not_applicable("没有填写合计")
    income = w.cur.income_stated_fen - w.cur.income_lines_fen
    expense = w.cur.expense_stated_fen - w.cur.expense_lines_fen
    steps = [
        f"收入：合计 {yuan(w.cur.income_stated_fen)} 元 − 逐笔 {yuan(w.cur.income_lines_fen)} 元 = {yuan(income)} 元",
        f"支出：合计 {yuan(w.cur.expense_stated_fen)} 元 − 逐笔 {yuan(w.cur.expense_lines_fen)} 元 = {yuan(expense)} 元",
        f"容差 {yuan(s['tolerance_fen'])} 元",
    ]
    if abs(income) > s["tolerance_fen"]:
        also = "，支出也不符" if abs(expense) > s["tolerance_fen"] else ""
        return hit(steps=steps, level=3, say=f"收入合计与逐笔相加相差 {yuan(income)} 元{also}，请说明。")
    if abs(expense) > s["tolerance_fen"]:
        return hit(steps=steps, level=3, say=f"支出合计与逐笔相加相差 {yuan(expense)} 元，请说明。")
    if w.dropped:
        return not_applicable("更正后少列了账户")
    return passed()


def _totals(income: int | None, expense: int | None, *, dropped: bool = False) -> TotalsWindow:
    """Totals stated over lines of 600.00 in and 3,815.00 out."""
    return TotalsWindow(LedgerTotals("e1", income, expense, 60_000, 381_500), dropped)


CASES = (
    Case("one fen too much income", _totals(60_001, 381_500), "hit", 3, say="收入合计与逐笔相加相差 0.01 元，请说明。"),
    Case(
        "one fen too little income", _totals(59_999, 381_500), "hit", 3, say="收入合计与逐笔相加相差 -0.01 元，请说明。"
    ),
    Case(
        "one fen too much spending", _totals(60_000, 381_501), "hit", 3, say="支出合计与逐笔相加相差 0.01 元，请说明。"
    ),
    Case(
        "one fen too little spending",
        _totals(60_000, 381_499),
        "hit",
        3,
        say="支出合计与逐笔相加相差 -0.01 元，请说明。",
    ),
    Case("both", _totals(60_002, 381_501), "hit", 3, say="收入合计与逐笔相加相差 0.02 元，支出也不符，请说明。"),
    Case("equal", _totals(60_000, 381_500), "pass"),
    Case("within a tolerance", _totals(60_005, 381_495), "pass", settings={"tolerance_fen": 5}),
    Case(
        "only income past a tolerance",
        _totals(60_006, 381_505),
        "hit",
        3,
        settings={"tolerance_fen": 5},
        say="收入合计与逐笔相加相差 0.06 元，请说明。",
    ),
    Case("spending past a tolerance", _totals(60_005, 381_494), "hit", 3, settings={"tolerance_fen": 5}),
    Case("no income total", _totals(None, 381_500), "n/a", reason="没有填写合计"),
    Case("no spending total", _totals(60_000, None), "n/a", reason="没有填写合计"),
    Case("no totals", _totals(None, None), "n/a", reason="没有填写合计"),
    Case(
        "equal after an account was left out", _totals(60_000, 381_500, dropped=True), "n/a", reason="更正后少列了账户"
    ),
    Case("different after an account was left out", _totals(60_001, 381_500, dropped=True), "hit", 3),
    Case("withdrawn", TotalsWindow(None), "n/a", reason="已撤回或内容不可见"),
)
