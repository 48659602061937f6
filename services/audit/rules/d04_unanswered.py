"""D04 提问未答: a villager asked, and whoever has the question did not answer by its day."""

from datetime import UTC, date, datetime, timedelta

from services.audit.rules.asking import QuestionFacts, QuestionWindow
from services.audit.rules.base import Case, Outcome, Settings, hit, local_words, no_duty, passed, rule

_LEVEL = 2


def _begins(w: QuestionWindow, _s: Settings) -> tuple[datetime, ...]:
    """When the days to answer are over; never once it was answered or hidden."""
    return () if w.cur.answered_at is not None or w.cur.hidden else (w.cur.due_at,)


@rule(
    id="D04",
    version="1.1",
    status="active",
    level=_LEVEL,
    kind="provable",
    shape="clock",
    subject="village/item/period/question",
    window=QuestionWindow,
    reads=("questions", "answers"),
    settings={},
    moments=_begins,
    zh="提问未答",
    en="A villager's question without an answer by its day",
    law="答复时限以本市档案为准（默认村 3 个工作日、镇街 10 个工作日）",
    false_alarms=("同一件事有人问过，已在那里答复", "已当面答复，没有在平台上写"),
    ask=("答复的草稿，或者为什么还没有答复",),
)
def not_answered_in_time(w: QuestionWindow, s: Settings) -> Outcome:
    """村民的提问过了答复期限仍没有答复即为关注；答复、交给镇街或隐藏后消除，逾期过程留在记录里。交给镇街的从交出之日起按镇街的天数另算。"""
    if w.cur.hidden:
        return no_duty("提问已被隐藏")
    begins = _begins(w, s)
    if not begins or w.now < begins[0]:
        return passed()
    steps = [
        f"答复期限 {w.cur.answer_by.isoformat()}",
        f"到 {local_words(w.cur.due_at)} 没有答复",
    ]
    return hit(steps=steps, level=_LEVEL, say="村民的提问过了期限仍没有答复。")


#: Asked on Tuesday 24 November 2026; three working days end with Friday the 27th.
_DUE = date(2026, 11, 27)
_DUE_AT = datetime(2026, 11, 27, 16, 0, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def _window(
    now: datetime, answered_at: datetime | None = None, *, hidden: bool = False, holder: str = "village"
) -> QuestionWindow:
    return QuestionWindow(QuestionFacts("e1", _DUE, _DUE_AT, holder, answered_at, hidden), now)


CASES = (
    Case("the day after", _window(_DUE_AT), "hit", _LEVEL, moments=(_DUE_AT,)),
    Case("the township's, the day after", _window(_DUE_AT, holder="township"), "hit", _LEVEL, moments=(_DUE_AT,)),
    Case("the last second of the day", _window(_DUE_AT - _SECOND), "pass", moments=(_DUE_AT,)),
    Case("answered on the day at 23:59", _window(_DUE_AT, _DUE_AT - timedelta(minutes=1)), "pass", moments=()),
    Case("answered late", _window(_DUE_AT + timedelta(days=2), _DUE_AT + _SECOND), "pass", moments=()),
    Case("hidden", _window(_DUE_AT, hidden=True), "n/a", reason="提问已被隐藏", moments=()),
)
