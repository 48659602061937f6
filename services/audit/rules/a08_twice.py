"""A08 名单重行: a row of a roster that repeats another one in everything."""

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.papers import RowFacts, RowWindow


@rule(
    id="A08",
    version="1.0",
    status="active",
    level=1,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=RowWindow,
    reads=("roster",),
    settings={},
    zh="名单里有完全相同的行",
    en="Rows of a roster that are the same in everything",
    law="农经发〔2011〕13号；本规则为平台自定",
    false_alarms=("同一小组两个人同名，人口和金额也一样", "一个人一期做了两次同样的工，分两行写"),
    ask=("名单原件和领款签字", "两行是不是同一张银行卡"),
)
def every_row_is_another(w: RowWindow, _s: Settings) -> Outcome:
    """名单里有两行姓名、小组、人口、金额、工数、类别、备注全都一样即提示。合计行不算。"""
    if w.cur is None:
        return not_applicable("已撤回或内容不可见")
    if w.cur.twice == 0:
        return passed()
    steps = [f"与前面某一行完全相同的有 {w.cur.twice} 行"]
    return hit(steps=steps, level=1, say=f"名单里有 {w.cur.twice} 行和前面的行完全相同，请核对是不是写重了。")


CASES = (
    Case(
        "one row", RowWindow(RowFacts("e1", 1)), "hit", 1, say="名单里有 1 行和前面的行完全相同，请核对是不是写重了。"
    ),
    Case("none", RowWindow(RowFacts("e1", 0)), "pass"),
    Case("withdrawn", RowWindow(None), "n/a", reason="已撤回或内容不可见"),
)
