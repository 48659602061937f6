"""A02 期初≠上期期末: an account's opening balance and its closing balance of the period before."""

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.window import ChainWindow, Closing, Opening
from services.contracts.values import yuan


def _blind(w: ChainWindow) -> str:
    """Why the two balances cannot be compared; the first reason counts."""
    reasons = (
        ("已撤回或内容不可见", not w.is_open),
        ("上期未公开", not w.before_is_open),
        ("上期更正中", w.correcting),
        ("本期没有列出这个账户", w.cur is None),
        ("上期没有列出这个账户", w.before is None),
    )
    return next(reason for reason, holds in reasons if holds)


@rule(
    id="A02",
    version="1.0",
    status="active",
    level=3,
    kind="provable",
    shape="chain",
    subject="village/item/account/period",
    window=ChainWindow,
    reads=("ledger_cell", "ledger_cell@-1"),
    settings={"tolerance_fen": 0},
    zh="期初余额不等于上期期末",
    en="Opening balance differs from last closing balance",
    law="农经发〔2011〕13号",
    false_alarms=("上期正在更正", "年初并账或换账户", "上期之后补记了以前的业务"),
)
def opening_follows_closing(w: ChainWindow, s: Settings) -> Outcome:
    """同一账户的本期期初减去上期期末；差额超过容差即提示。上期没有公开、正在更正，或只有一期列出该账户的，不适用。"""
    if w.cur is None or w.before is None or w.correcting:
        return not_applicable(_blind(w))
    gap = w.cur.opening_fen - w.before.closing_fen
    if abs(gap) <= s["tolerance_fen"]:
        return passed()
    steps = [f"期初 {w.cur.opening_fen} - 上期期末 {w.before.closing_fen} = {gap} 分", f"容差 {s['tolerance_fen']} 分"]
    return hit(steps=steps, level=3, say=f"本期期初与上期期末相差 {yuan(gap)} 元，请说明。")


def _chain(opening: int | None, closing: int | None, **changes: bool) -> ChainWindow:
    """An account that opens after a period that closed; None where an edition does not list it."""
    state = {"is_open": True, "before_is_open": True, "correcting": False, **changes}
    return ChainWindow(
        cur=Opening("e2", opening) if opening is not None else None,
        before=Closing("e1", closing) if closing is not None else None,
        **state,
    )


CASES = (
    Case("500 yuan less", _chain(11_950_000, 12_000_000), "hit", 3, say="本期期初与上期期末相差 -500.00 元，请说明。"),
    Case("one fen more", _chain(12_000_001, 12_000_000), "hit", 3, say="本期期初与上期期末相差 0.01 元，请说明。"),
    Case("one fen less", _chain(11_999_999, 12_000_000), "hit", 3, say="本期期初与上期期末相差 -0.01 元，请说明。"),
    Case("equal", _chain(12_000_000, 12_000_000), "pass"),
    Case("at a tolerance", _chain(105, 100), "pass", settings={"tolerance_fen": 5}),
    Case("past a tolerance", _chain(106, 100), "hit", 3, settings={"tolerance_fen": 5}),
    Case("under correction", _chain(1, 2, correcting=True), "n/a", reason="上期更正中"),
    Case("first period", _chain(1, None, before_is_open=False), "n/a", reason="上期未公开"),
    Case("withdrawn", _chain(None, 1, is_open=False), "n/a", reason="已撤回或内容不可见"),
    Case("account left out", _chain(None, 1), "n/a", reason="本期没有列出这个账户"),
    Case("new account", _chain(1, None), "n/a", reason="上期没有列出这个账户"),
)
