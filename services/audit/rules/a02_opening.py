"""A02 期初≠上期期末: an account's opening balance and what was left in it; an account that is left out with money in it."""

from services.audit.rules.base import Case, Outcome, Settings, hit, no_duty, not_applicable, passed, rule
from services.audit.rules.window import ChainWindow, Closing, Opening
from services.contracts.values import yuan


def _blind(w: ChainWindow) -> str:
    """Why the two balances cannot be compared, the first reason that holds; empty when they can."""
    reasons = (
        ("已撤回或内容不可见", not w.is_open),
        ("上期未公开", not w.before_is_open),
        ("上期更正中", w.correcting),
        # What is listed in both can only be compared over no gap; what is gone is gone over any.
        ("上期未公开", not w.adjoining and (w.cur is not None or w.before is None)),
        ("上期没有列出这个账户", w.before is None),
    )
    return next((reason for reason, holds in reasons if holds), "")


@rule(
    id="A02",
    version="1.2",
    status="active",
    level=3,
    kind="provable",
    shape="chain",
    subject="village/item/account/period",
    window=ChainWindow,
    reads=("ledger_cell", "ledger_cell@-1", "ledger_cell@last"),
    settings={"tolerance_fen": 0},
    zh="期初余额不等于上期期末",
    en="Opening balance differs from last closing balance, or an account with money is left out",
    law="农经发〔2011〕13号",
    false_alarms=("上期正在更正", "年初并账或换账户", "上期之后补记了以前的业务", "账户在没有公开的月份里销户"),
    ask=("两期的账本", "开户、销户或并账的批复"),
)
def opening_follows_closing(w: ChainWindow, s: Settings) -> Outcome:
    """同一账户的本期期初减去上期期末；差额超过容差即提示。上次公开时还有钱的账户，本期没有列出，也提示；原样换了名称的不算。

    上期没有公开、正在更正的，不适用；上期没有列出的账户，不知道它原来有多少，不适用。
    """
    if w.is_open and w.before_is_open and w.adjoining and w.cur is None and w.before is None:
        return no_duty("两期都没有列出这个账户")
    blind = _blind(w)
    if blind or w.before is None:
        return not_applicable(blind)
    if w.cur is None:
        return _left_out(w, w.before, s)
    gap = w.cur.opening_fen - w.before.closing_fen
    if abs(gap) <= s["tolerance_fen"]:
        return passed()
    steps = [
        f"期初 {yuan(w.cur.opening_fen)} 元 − 上期期末 {yuan(w.before.closing_fen)} 元 = {yuan(gap)} 元",
        f"容差 {yuan(s['tolerance_fen'])} 元",
    ]
    return hit(steps=steps, level=3, say=f"本期期初与上期期末相差 {yuan(gap)} 元，请说明。")


def _left_out(w: ChainWindow, before: Closing, s: Settings) -> Outcome:
    """An account that stood in the last open ledger and does not stand here."""
    if w.renamed:
        return passed()
    if abs(before.closing_fen) <= s["tolerance_fen"]:
        # No pass: an alert on what stood here before a correction stays.
        return not_applicable("上期已结清，本期没有列出")
    when = "上期" if w.adjoining else f"{w.before_period} "
    steps = [f"{when}期末 {yuan(before.closing_fen)} 元，本期没有列出这个账户", f"容差 {yuan(s['tolerance_fen'])} 元"]
    return hit(steps=steps, level=3, say=f"{when}末还有 {yuan(before.closing_fen)} 元的账户，本期没有列出，请说明。")


def _chain(opening: int | None, closing: int | None, **changes: bool) -> ChainWindow:
    """An account that opens after a period that closed; None where an edition does not list it."""
    state = {
        "is_open": True,
        "before_is_open": True,
        "adjoining": True,
        "correcting": False,
        "renamed": False,
        **changes,
    }
    return ChainWindow(
        cur=Opening("e2", opening) if opening is not None else None,
        before_period="2026-08" if state["before_is_open"] else None,
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
    Case("withdrawn, in neither", _chain(None, None, is_open=False), "n/a", reason="已撤回或内容不可见"),
    Case("nothing before", _chain(None, None, before_is_open=False), "n/a", reason="上期未公开"),
    Case("new account", _chain(1, None), "n/a", reason="上期没有列出这个账户"),
    Case("over a gap", _chain(1, 2, adjoining=False), "n/a", reason="上期未公开"),
    Case("over a gap, new", _chain(1, None, adjoining=False), "n/a", reason="上期未公开"),
    Case("over a gap, in neither", _chain(None, None, adjoining=False), "n/a", reason="上期未公开"),
    Case("in neither, under correction", _chain(None, None, correcting=True), "n/a", reason="两期都没有列出这个账户"),
    Case("in neither", _chain(None, None), "n/a", reason="两期都没有列出这个账户"),
    Case(
        "left out with money",
        _chain(None, 79_275_199),
        "hit",
        3,
        say="上期末还有 792,751.99 元的账户，本期没有列出，请说明。",
    ),
    Case("left out with a debt", _chain(None, -1), "hit", 3, say="上期末还有 -0.01 元的账户，本期没有列出，请说明。"),
    Case(
        "left out over a gap",
        _chain(None, 1, adjoining=False),
        "hit",
        3,
        say="2026-08 末还有 0.01 元的账户，本期没有列出，请说明。",
    ),
    Case("left out empty", _chain(None, 0), "n/a", reason="上期已结清，本期没有列出"),
    Case("left out at a tolerance", _chain(None, 5), "n/a", settings={"tolerance_fen": 5}),
    Case("left out past a tolerance", _chain(None, 6), "hit", 3, settings={"tolerance_fen": 5}),
    Case("under another name", _chain(None, 1, renamed=True), "pass"),
    Case("left out, under correction", _chain(None, 1, correcting=True), "n/a", reason="上期更正中"),
)
