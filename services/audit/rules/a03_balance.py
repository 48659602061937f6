"""A03 收支余不平: an account's opening balance, movements and closing balance."""

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.facts import AccountSums
from services.audit.rules.window import BalanceWindow
from services.contracts.values import yuan


@rule(
    id="A03",
    version="1.1",
    status="active",
    level=3,
    kind="provable",
    shape="cell",
    subject="village/item/account/period",
    window=BalanceWindow,
    reads=("ledger_cell",),
    settings={"tolerance_fen": 0},
    zh="收支余不平",
    en="Opening balance and movements do not give the closing balance",
    law="农经发〔2011〕13号；算术",
    false_alarms=("内部划转只记了一边", "漏录一行", "期末余额抄错"),
    ask=("账户的日记账或银行对账单",),
)
def account_balances(w: BalanceWindow, s: Settings) -> Outcome:
    """逐个账户：期初加收入减支出，加划入减划出，应等于期末；差额超过容差即提示。"""
    if not w.is_open:
        return not_applicable("已撤回或内容不可见")
    if w.cur is None:
        return not_applicable("本期没有列出这个账户")
    c = w.cur
    due = c.opening_fen + c.income_fen - c.expense_fen + c.transfer_in_fen - c.transfer_out_fen
    gap = c.closing_fen - due
    if abs(gap) <= s["tolerance_fen"]:
        return passed()
    steps = [
        (
            f"期初 {yuan(c.opening_fen)} + 收入 {yuan(c.income_fen)} − 支出 {yuan(c.expense_fen)}"
            f" + 划入 {yuan(c.transfer_in_fen)} − 划出 {yuan(c.transfer_out_fen)} = {yuan(due)} 元"
        ),
        f"期末 {yuan(c.closing_fen)} 元 − {yuan(due)} 元 = {yuan(gap)} 元，容差 {yuan(s['tolerance_fen'])} 元",
    ]
    return hit(steps=steps, level=3, say=f"期末余额与期初加收支算出的相差 {yuan(gap)} 元，请说明。")


def _balance(*numbers: int) -> BalanceWindow:
    """An account by its opening, income, spending, transfers in and out, closing."""
    return BalanceWindow(is_open=True, cur=AccountSums("e1", *numbers))


CASES = (
    Case(
        "one fen too much",
        _balance(1000, 500, 300, 70, 20, 1251),
        "hit",
        3,
        say="期末余额与期初加收支算出的相差 0.01 元，请说明。",
    ),
    Case(
        "one fen too little",
        _balance(1000, 500, 300, 70, 20, 1249),
        "hit",
        3,
        say="期末余额与期初加收支算出的相差 -0.01 元，请说明。",
    ),
    Case("balances with transfers both ways", _balance(1000, 500, 300, 70, 20, 1250), "pass"),
    Case("transfer booked on one side", _balance(1000, 0, 0, 0, 0, 800), "hit", 3),
    Case("reversal", _balance(1000, -500, -300, 0, 0, 800), "pass"),
    Case("at a tolerance", _balance(1000, 0, 0, 0, 0, 995), "pass", settings={"tolerance_fen": 5}),
    Case("past a tolerance", _balance(1000, 0, 0, 0, 0, 994), "hit", 3, settings={"tolerance_fen": 5}),
    Case("account left out", BalanceWindow(is_open=True, cur=None), "n/a", reason="本期没有列出这个账户"),
    Case("withdrawn", BalanceWindow(is_open=False, cur=None), "n/a", reason="已撤回或内容不可见"),
)
