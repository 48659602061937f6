"""D02 盲区: a periodic item of which nothing was handed in, declared or waived for two due periods in a row."""

from datetime import UTC, datetime, timedelta

from services.audit.rules.base import Case, Outcome, Settings, hit, local_words, no_duty, not_applicable, passed, rule
from services.audit.rules.window import Blank, BlindWindow


def _begins(w: BlindWindow, _s: Settings) -> tuple[datetime, ...]:
    """When both periods are overdue; never while either is filled, waived or not owed."""
    both = (w.cur, w.before)
    if any(b is None or not b.applies or b.history or b.has_row or b.waived for b in both):
        return ()
    return (w.cur.due_at,)


@rule(
    id="D02",
    version="1.1",
    status="active",
    level=2,
    kind="provable",
    shape="clock",
    subject="village/item/period",
    window=BlindWindow,
    reads=("duty", "cell", "cell@-1"),
    settings={},
    moments=_begins,
    zh="盲区",
    en="Blind cell: nothing for two due periods in a row",
    law="村民委员会组织法第30条；公开时限以本市档案为准",
    false_alarms=("本村没有这个事项（应申请不公开备案）", "已在公开栏张贴但没有录入"),
    ask=("村里有没有这一项，要不要备案",),
)
def nothing_for_two_periods(w: BlindWindow, s: Settings) -> Outcome:
    """同一事项连续两期到期，既没有录入、申报，也没有备案，即为盲区；两期中任何一期补上、申报无此事项或备案后消除。"""
    if not w.cur.applies:
        return no_duty("本村没有此项")
    if w.cur.history:
        return no_duty("补录期，不计盲区")
    if w.before is None or not w.before.applies or w.before.history:
        return not_applicable("上一期没有公开任务")
    begins = _begins(w, s)
    if not begins or w.now < begins[0]:
        return passed()
    steps = [
        f"{w.before.period} {local_words(w.before.due_at)} 起逾期，没有任何记录",
        f"{w.cur.period} {local_words(w.cur.due_at)} 起逾期，没有任何记录",
    ]
    say = f"{w.item} {w.before.period}、{w.cur.period} 两期到期都没有录入，也没有备案。"
    return hit(steps=steps, level=2, say=say)


_FIRST_DUE = datetime(2026, 10, 15, 16, 0, tzinfo=UTC)
_DUE = datetime(2026, 11, 16, 16, 0, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def _blank(period: str, due_at: datetime, **changes: object) -> Blank:
    owed: dict[str, object] = {"applies": True, "history": False, "has_row": False, "waived": False}
    return Blank(None, period, due_at, **{**owed, **changes})  # type: ignore[arg-type] # the table above names each field


def _window(now: datetime, before: dict[str, object] | None = None, **changes: object) -> BlindWindow:
    """September and October of one item, both overdue from 17 November on."""
    then = _blank("2026-09", _FIRST_DUE, **(before or {}))
    return BlindWindow("F09", _blank("2026-10", _DUE, **changes), then, now)


CASES = (
    Case(
        "never opened",
        _window(_DUE),
        "hit",
        2,
        say="F09 2026-09、2026-10 两期到期都没有录入，也没有备案。",
        moments=(_DUE,),
    ),
    Case("the second before", _window(_DUE - _SECOND), "pass", moments=(_DUE,)),
    Case("a waiver in the second period", _window(_DUE, waived=True), "pass", moments=()),
    Case("a waiver in the first period", _window(_DUE, {"waived": True}), "pass", moments=()),
    Case("handed in, not yet public", _window(_DUE, has_row=True), "pass", moments=()),
    Case("the first period was opened", _window(_DUE, {"has_row": True}), "pass", moments=()),
    Case("the first period is history", _window(_DUE, {"history": True}), "n/a", reason="上一期没有公开任务"),
    Case("the first period was not owed", _window(_DUE, {"applies": False}), "n/a", reason="上一期没有公开任务"),
    Case("no period before", BlindWindow("F09", _blank("2026-10", _DUE), None, _DUE), "n/a", moments=()),
    Case("history", _window(_DUE, history=True), "n/a", reason="补录期，不计盲区", moments=()),
    Case("no such item there", _window(_DUE, applies=False), "n/a", reason="本村没有此项", moments=()),
)
