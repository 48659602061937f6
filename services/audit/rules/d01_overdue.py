"""D01 逾期未公开: a deadline has passed and nothing can be read."""

from datetime import UTC, date, datetime, timedelta

from services.audit.rules.base import Case, Outcome, Settings, hit, local_words, no_duty, passed, rule
from services.audit.rules.window import Deadline, DeadlineWindow
from services.contracts.words import HOLDERS


def _levels_begin(w: DeadlineWindow, s: Settings) -> tuple[datetime, ...]:
    """When levels 1, 2 and 3 begin; never for what is published, waived or not owed."""
    settled = w.cur.first_published_at is not None or w.cur.nil or w.cur.waived
    if settled or w.cur.history or not w.cur.applies:
        return ()
    return tuple(w.cur.due_at + timedelta(days=s[f"level_{n}_after_days"]) for n in (1, 2, 3))


@rule(
    id="D01",
    version="1.3",
    status="active",
    level=1,
    kind="provable",
    shape="clock",
    subject="village/item/period",
    window=DeadlineWindow,
    reads=("duty", "cell"),
    settings={"level_1_after_days": 0, "level_2_after_days": 10, "level_3_after_days": 30},
    moments=_levels_begin,
    zh="逾期未公开",
    en="Overdue: the deadline has passed and nothing is published",
    law="村民委员会组织法第30条；公开时限以本市档案为准",
    false_alarms=("已在公开栏张贴但没有录入", "节假日顺延没有写进历法", "已撤回的内容正在重新公开"),
    ask=("公开栏照片和张贴日期",),
)
def nothing_published_after_due(w: DeadlineWindow, s: Settings) -> Outcome:
    """过了公开时限（节假日已顺延）仍没有公开、也没有不公开备案即提示；晚 10 天以内为提醒，30 天以内为关注，更久为重点。补录期不计。"""
    if not w.cur.applies:
        return no_duty("本村没有此项")
    if w.cur.history:
        return no_duty("补录期，不计逾期")
    if w.cur.waived:
        return no_duty("不公开已备案")
    begun = [m for m in _levels_begin(w, s) if m <= w.now]
    if not begun:
        return passed()
    holder = HOLDERS[w.cur.held_by or "village"]
    steps = [
        f"最迟公开日 {w.cur.due}，次日零时起逾期",
        f"{local_words(begun[-1])} 没有公开、没有备案，按第 {len(begun)} 级提示",
        f"办理环节：{holder}，自 {w.cur.held_since} 起",
    ]
    say = f"{w.cur.item} {w.cur.period} 最迟应于 {w.cur.due} 公开，至今没有公开，办理环节在{holder}。"
    return hit(steps=steps, level=len(begun), say=say)


_DUE_AT = datetime(2026, 11, 16, 16, 0, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def _deadline(now: datetime, **changes: object) -> DeadlineWindow:
    """October 2026's ledger, due on Monday 16 November, in the village's hands, looked at some time."""
    owed: dict[str, object] = {
        "event": None,
        "item": "F01",
        "period": "2026-10",
        "due": date(2026, 11, 16),
        "due_at": _DUE_AT,
        "applies": True,
        "history": False,
        "waived": False,
        "nil": False,
        "first_published_at": None,
        "held_by": "village",
        "held_since": date(2026, 11, 1),
    }
    return DeadlineWindow(Deadline(**{**owed, **changes}), now)  # type: ignore[arg-type] # the table above names each field


_LEVELS = (_DUE_AT, _DUE_AT + timedelta(days=10), _DUE_AT + timedelta(days=30))
_SAY = "F01 2026-10 最迟应于 2026-11-16 公开，至今没有公开，办理环节在"

CASES = (
    Case("the instant it is late", _deadline(_DUE_AT), "hit", 1, say=_SAY + "村（社区）。", moments=_LEVELS),
    Case("the second before", _deadline(_DUE_AT - _SECOND), "pass", moments=_LEVELS),
    Case("ten days late less a second", _deadline(_LEVELS[1] - _SECOND), "hit", 1),
    Case("on the eleventh day", _deadline(_LEVELS[1]), "hit", 2),
    Case("thirty days late less a second", _deadline(_LEVELS[2] - _SECOND), "hit", 2),
    Case("on the thirty-first day", _deadline(_LEVELS[2]), "hit", 3),
    Case("waits for the township", _deadline(_DUE_AT, held_by="township"), "hit", 1, say=_SAY + "镇街。"),
    Case("waits for the agency", _deadline(_DUE_AT, held_by="agency"), "hit", 1, say=_SAY + "代理会计。"),
    Case("waits for a department", _deadline(_DUE_AT, held_by="department"), "hit", 1, say=_SAY + "业务主管部门。"),
    Case("declared that nothing happened", _deadline(_DUE_AT, nil=True), "pass", moments=()),
    Case("published late", _deadline(_LEVELS[2], first_published_at=_LEVELS[1]), "pass", moments=()),
    Case("waived", _deadline(_DUE_AT, waived=True), "n/a", reason="不公开已备案", moments=()),
    Case("history", _deadline(_DUE_AT, history=True), "n/a", reason="补录期，不计逾期", moments=()),
    Case("no such item there", _deadline(_DUE_AT, applies=False), "n/a", reason="本村没有此项", moments=()),
)
