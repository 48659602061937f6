"""D03 审核超时: the village handed over, and the township has not decided within the working days it may take."""

from datetime import UTC, datetime, timedelta

from services.audit.rules.base import Case, Outcome, Settings, hit, local_words, no_duty, passed, rule
from services.audit.rules.window import ReviewFacts, ReviewWindow


def _begins(w: ReviewWindow, _s: Settings) -> tuple[datetime, ...]:
    """When the time to decide is over; never once it was decided."""
    return () if w.cur is None or w.cur.decided_at is not None else (w.cur.due_at,)


@rule(
    id="D03",
    version="1.1",
    status="active",
    level=1,
    kind="provable",
    shape="clock",
    subject="village/item/period",
    window=ReviewWindow,
    reads=("cell", "profile", "calendar"),
    settings={},
    moments=_begins,
    zh="审核超时",
    en="Late review: the township did not decide within its working days",
    law="审核时限以本市档案为准（默认 3 个工作日）",
    false_alarms=("调休没有写进历法", "镇街已口头要求村里补充材料"),
    ask=("镇街收到的时间和没有办理的原因",),
)
def not_decided_in_time(w: ReviewWindow, s: Settings) -> Outcome:
    """村里提交并核对完毕后，镇街超过规定的工作日数（含调休）仍未审核或退回即提示；审核或退回后消除，逾期过程留在记录里。"""
    if w.cur is None:
        return no_duty("没有等待审核的内容")
    begins = _begins(w, s)
    if not begins or w.now < begins[0]:
        return passed()
    steps = [
        f"{local_words(w.cur.handed_over_at)} 提交并核对完毕",
        f"审核时限到 {local_words(w.cur.due_at)}，当时没有审核、没有退回",
    ]
    return hit(steps=steps, level=1, say="村里已提交并核对完毕，镇街超过规定的工作日仍未审核。")


#: Handed over on Wednesday 30 September 2026; three working days over the holiday end on Saturday 10 October (调休).
_HANDED = datetime(2026, 9, 30, 2, 0, tzinfo=UTC)
_DUE = datetime(2026, 10, 10, 16, 0, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def _window(now: datetime, decided_at: datetime | None = None) -> ReviewWindow:
    return ReviewWindow(ReviewFacts("e1", _HANDED, _DUE, decided_at), now)


CASES = (
    Case("the fourth working day", _window(_DUE), "hit", 1, moments=(_DUE,)),
    Case("the third working day, over a holiday", _window(_DUE - _SECOND), "pass", moments=(_DUE,)),
    Case("decided in time", _window(_DUE, _DUE - _SECOND), "pass", moments=()),
    Case("decided late", _window(_DUE + timedelta(days=1), _DUE + _SECOND), "pass", moments=()),
    Case("nothing to decide", ReviewWindow(None, _DUE), "n/a", reason="没有等待审核的内容", moments=()),
)
