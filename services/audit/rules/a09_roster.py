"""A09 名单合计不符: a roster's stated total and the sum of its rows."""

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.papers import SumFacts, SumWindow
from services.contracts.values import yuan


@rule(
    id="A09",
    version="1.0",
    status="active",
    level=3,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=SumWindow,
    reads=("roster",),
    settings={"tolerance_fen": 0},
    zh="名单合计与逐行相加不符",
    en="A roster's total differs from the sum of its rows",
    law="农经发〔2011〕13号；算术",
    false_alarms=("名单漏了一页或几行", "合计以万元填写"),
    ask=("名单原件", "发放的银行回单"),
)
def total_matches_the_rows(w: SumWindow, s: Settings) -> Outcome:
    """名单写的金额合计减去逐行相加，差额超过容差即提示。写成一行的合计、小计不重复计算。没有写合计的不适用。"""
    if w.cur is None:
        return not_applicable("已撤回或内容不可见")
    if w.cur.stated_fen is None or w.cur.rows_fen is None:
        return not_applicable("没有填写合计")
    gap = w.cur.stated_fen - w.cur.rows_fen
    if abs(gap) <= s["tolerance_fen"]:
        return passed()
    steps = [
        f"合计 {yuan(w.cur.stated_fen)} 元 − 逐行相加 {yuan(w.cur.rows_fen)} 元 = {yuan(gap)} 元",
        f"容差 {yuan(s['tolerance_fen'])} 元",
    ]
    return hit(steps=steps, level=3, say=f"名单合计与逐行相加相差 {yuan(gap)} 元，请说明。")


def _roster(stated: int | None, rows: int | None) -> SumWindow:
    return SumWindow(SumFacts("e1", stated, rows))


CASES = (
    Case("one fen too much", _roster(100_001, 100_000), "hit", 3, say="名单合计与逐行相加相差 0.01 元，请说明。"),
    Case("one fen too little", _roster(99_999, 100_000), "hit", 3, say="名单合计与逐行相加相差 -0.01 元，请说明。"),
    Case("equal", _roster(100_000, 100_000), "pass"),
    Case("at a tolerance", _roster(105, 100), "pass", settings={"tolerance_fen": 5}),
    Case("past a tolerance", _roster(106, 100), "hit", 3, {"tolerance_fen": 5}),
    Case("nothing stated", _roster(None, None), "n/a", reason="没有填写合计"),
    Case("nothing stated beside rows", _roster(None, 5), "n/a", reason="没有填写合计"),
    Case("nothing beside a total", _roster(5, None), "n/a", reason="没有填写合计"),
    Case("withdrawn", SumWindow(None), "n/a", reason="已撤回或内容不可见"),
)
