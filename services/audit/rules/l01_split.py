"""L01 疑似拆分: several payments to one payee for one thing within three days, each below a step, together above it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.limits import Limit
from services.audit.rules.suspicions import PaidTo, SplitWindow
from services.contracts.values import yuan


def _groups(lines: Sequence[PaidTo], s: Settings) -> Iterator[list[PaidTo]]:
    """Payments that may have been one: of each payee and purpose those that begin within some days of the first."""
    step = s["approval_step_fen"]
    least = step * s["least_percent"] // 100
    by_whom: dict[tuple[int, int], list[PaidTo]] = {}
    for x in sorted(lines, key=lambda x: (x.day, x.line)):
        if least <= x.amount_fen < step:
            by_whom.setdefault((x.payee, x.purpose), []).append(x)
    for mine in by_whom.values():
        yield from _runs(mine, s)


def _runs(mine: list[PaidTo], s: Settings) -> Iterator[list[PaidTo]]:
    """Of payments in the order of their days, those that lie within some days and together reach the step."""
    left = mine
    while left:
        near = [x for x in left if (x.day - left[0].day).days <= s["days"]]
        reached = sum(x.amount_fen for x in near) >= s["approval_step_fen"]
        if reached:
            yield near
        left = left[len(near) if reached else 1 :]


def _split(w: SplitWindow, s: Settings) -> SplitWindow:
    """The payments that may have been one."""
    return replace(w, lines=tuple(x for group in _groups(w.lines, s) for x in group))


@rule(
    id="L01",
    version="1.0",
    status="trial",
    level=1,
    kind="lead",
    shape="cell",
    subject="village/item/period",
    window=SplitWindow,
    reads=("ledger_lines",),
    settings={"days": 3, "least_percent": 30},
    limits=(Limit("approval_step_fen", "需要上一级审批的金额"),),
    narrow=_split,
    zh="疑似拆分付款",
    en="Payments that may have been split",
    law="本市规定的审批权限；本规则为平台自定",
    false_alarms=("零工按天结算", "加油、水电费分次付", "合同约定分次付款"),
    ask=("这几笔的审批单和合同", "收款人的收据"),
)
def payments_are_not_split(w: SplitWindow, s: Settings) -> Outcome:
    """相隔不超过三天付给同一收款人、用途相近的几笔，每笔都低于需要上一级审批的金额、但不低于它的三成，合计达到这个金额。只有记账日期、没有写发生日期的不看。"""
    if not w.is_open:
        return not_applicable("已撤回或内容不可见")
    groups = list(_groups(w.lines, s))
    if not groups:
        return passed()
    step = yuan(s["approval_step_fen"])
    steps = []
    for group in groups:
        rows = "、".join(f"第 {x.line} 行 {x.day.month} 月 {x.day.day} 日 {yuan(x.amount_fen)} 元" for x in group)
        steps.append(f"{rows}，合计 {yuan(sum(x.amount_fen for x in group))} 元；{step} 元起要上一级审批")
    most = max(groups, key=lambda group: sum(x.amount_fen for x in group))
    total = sum(x.amount_fen for x in most)
    say = f"{len(most)} 笔付给同一收款人，每笔低于 {step} 元，合计 {yuan(total)} 元。"
    return hit(steps=steps, level=1, say=say, amount_fen=total)


def _paid(*rows: tuple[int, int, int, int]) -> SplitWindow:
    """Payments by day of October, amount, payee and purpose."""
    lines = (
        PaidTo("e1", n, fen, _OCTOBER.replace(day=day), payee, for_)
        for n, (day, fen, payee, for_) in enumerate(rows, 1)
    )
    return SplitWindow(is_open=True, lines=tuple(lines))


_OCTOBER = date(2026, 10, 1)
_CITY = {"approval_step_fen": 100_000}
CASES = (
    Case(
        "three of 400",
        _paid((3, 40_000, 1, 1), (4, 40_000, 1, 1), (5, 40_000, 1, 1)),
        "hit",
        1,
        _CITY,
        say="3 笔付给同一收款人，每笔低于 1,000.00 元，合计 1,200.00 元。",
    ),
    Case("just the step", _paid((3, 50_000, 1, 1), (3, 50_000, 1, 1)), "hit", 1, _CITY),
    Case("a fen below the step", _paid((3, 50_000, 1, 1), (3, 49_999, 1, 1)), "pass", settings=_CITY),
    Case("three farmers", _paid((3, 40_000, 1, 1), (4, 40_000, 2, 1), (5, 40_000, 3, 1)), "pass", settings=_CITY),
    Case("three things", _paid((3, 40_000, 1, 1), (4, 40_000, 1, 2), (5, 40_000, 1, 3)), "pass", settings=_CITY),
    Case("four days apart", _paid((3, 60_000, 1, 1), (7, 60_000, 1, 1)), "pass", settings=_CITY),
    Case("three days apart", _paid((3, 60_000, 1, 1), (6, 60_000, 1, 1)), "hit", 1, _CITY),
    Case("after one by itself", _paid((3, 60_000, 1, 1), (8, 60_000, 1, 1), (9, 60_000, 1, 1)), "hit", 1, _CITY),
    Case("one at the step", _paid((3, 100_000, 1, 1), (4, 40_000, 1, 1)), "pass", settings=_CITY),
    Case("one below three tenths", _paid((3, 90_000, 1, 1), (4, 29_999, 1, 1)), "pass", settings=_CITY),
    Case("one of three tenths", _paid((3, 90_000, 1, 1), (4, 30_000, 1, 1)), "hit", 1, _CITY),
    Case(
        "two groups of one payee",
        _paid((3, 60_000, 1, 1), (4, 60_000, 1, 1), (20, 70_000, 1, 1), (21, 70_000, 1, 1), (28, 90_000, 1, 1)),
        "hit",
        1,
        _CITY,
        say="2 笔付给同一收款人，每笔低于 1,000.00 元，合计 1,400.00 元。",
        steps=(
            "第 1 行 10 月 3 日 600.00 元、第 2 行 10 月 4 日 600.00 元，合计 1,200.00 元；1,000.00 元起要上一级审批",
            "第 3 行 10 月 20 日 700.00 元、第 4 行 10 月 21 日 700.00 元，合计 1,400.00 元；1,000.00 元起要上一级审批",
        ),
    ),
    Case("nothing", _paid(), "pass", settings=_CITY),
    Case("withdrawn", SplitWindow(is_open=False, lines=()), "n/a", settings=_CITY, reason="已撤回或内容不可见"),
)
