"""B09 工程超付: more was paid for a project than was settled, or agreed while nothing is settled."""

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.papers import PaymentFacts, PaymentWindow
from services.contracts.values import yuan


@rule(
    id="B09",
    version="1.0",
    status="active",
    level=3,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=PaymentWindow,
    reads=("project",),
    settings={},
    zh="工程付款多于应付",
    en="More was paid for a project than is owed",
    law="施工合同；农经发〔2011〕13号；算术",
    false_alarms=("变更增加的部分还没有结算", "付款里含了监理、设计费"),
    ask=("结算审定单", "付款凭证"),
)
def not_more_is_paid_than_owed(w: PaymentWindow, _s: Settings) -> Outcome:
    """各次付款相加多于结算（审定）金额即提示；还没有结算的，多于合同价即提示。两样都没有写的不适用。"""
    if w.cur is None:
        return not_applicable("已撤回或内容不可见")
    owed = w.cur.settled_fen if w.cur.settled_fen is not None else w.cur.contract_fen
    if owed is None:
        return not_applicable("没有填写合同价和结算金额")
    over = w.cur.paid_fen - owed
    if over <= 0:
        return passed()
    what = "结算金额" if w.cur.settled_fen is not None else "合同价"
    steps = [f"已付 {yuan(w.cur.paid_fen)} 元 − {what} {yuan(owed)} 元 = {yuan(over)} 元"]
    return hit(steps=steps, level=3, say=f"已付款比{what}多 {yuan(over)} 元，请说明。")


def _paid(contract: int | None, settled: int | None, paid: int) -> PaymentWindow:
    # A contract that a settlement replaced is no part of it.
    return PaymentWindow(PaymentFacts("e1", contract, settled, paid))


CASES = (
    Case(
        "one fen over the settlement", _paid(None, 1_000, 1_001), "hit", 3, say="已付款比结算金额多 0.01 元，请说明。"
    ),
    Case("one fen over the contract", _paid(900, None, 901), "hit", 3, say="已付款比合同价多 0.01 元，请说明。"),
    Case("over the contract, within the settlement", _paid(900, 1_000, 1_000), "pass"),
    Case("all of it", _paid(1_000, None, 1_000), "pass"),
    Case("nothing agreed", _paid(None, None, 5), "n/a", reason="没有填写合同价和结算金额"),
    Case("withdrawn", PaymentWindow(None), "n/a", reason="已撤回或内容不可见"),
)
