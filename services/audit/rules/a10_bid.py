"""A10 合同价与中标价不符: a project's contract and the bid that won."""

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.papers import PriceFacts, PriceWindow
from services.contracts.values import yuan


@rule(
    id="A10",
    version="1.0",
    status="active",
    level=2,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=PriceWindow,
    reads=("project",),
    settings={},
    zh="合同价与中标价不符",
    en="The contract differs from the winning bid",
    law="招标投标法第四十六条",
    false_alarms=("合同价含了暂列金", "中标价以万元填写"),
    ask=("中标通知书", "施工合同"),
)
def contract_is_the_winning_bid(w: PriceWindow, _s: Settings) -> Outcome:
    """工程写的合同价与中标单位的报价不同（任何一分钱）即提示。没有报价、没有合同价、写了不止一家中标的不适用。"""
    if w.cur is None:
        return not_applicable("已撤回或内容不可见")
    if w.cur.contract_fen is None or w.cur.bid_fen is None:
        return not_applicable("没有填写合同价或中标价")
    gap = w.cur.contract_fen - w.cur.bid_fen
    if gap == 0:
        return passed()
    steps = [f"合同价 {yuan(w.cur.contract_fen)} 元 − 中标价 {yuan(w.cur.bid_fen)} 元 = {yuan(gap)} 元"]
    return hit(steps=steps, level=2, say=f"合同价与中标价相差 {yuan(gap)} 元，请说明。")


def _price(contract: int | None, bid: int | None) -> PriceWindow:
    return PriceWindow(PriceFacts("e1", contract, bid))


CASES = (
    Case("one fen more", _price(1_001, 1_000), "hit", 2, say="合同价与中标价相差 0.01 元，请说明。"),
    Case("one fen less", _price(999, 1_000), "hit", 2, say="合同价与中标价相差 -0.01 元，请说明。"),
    Case("equal", _price(1_000, 1_000), "pass"),
    Case("no bid", _price(1_000, None), "n/a", reason="没有填写合同价或中标价"),
    Case("no contract", _price(None, 1_000), "n/a", reason="没有填写合同价或中标价"),
    Case("neither", _price(None, None), "n/a", reason="没有填写合同价或中标价"),
    Case("withdrawn", PriceWindow(None), "n/a", reason="已撤回或内容不可见"),
)
