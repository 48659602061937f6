"""D08 公示期不足: a notice hung for fewer days than its item has to."""

from datetime import date

from services.audit.rules.base import Case, Outcome, Settings, hit, no_duty, not_applicable, passed, rule
from services.audit.rules.papers import PostedFacts, PostedWindow


@rule(
    id="D08",
    version="1.0",
    status="active",
    level=2,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=PostedWindow,
    reads=("notice", "item"),
    settings={},
    zh="公示期不足",
    en="Posted for too short a time",
    law="公开目录规定的公示天数",
    false_alarms=("公示期间撤回后重新张贴，日期只写了后一段", "按工作日计算"),
    ask=("公示照片和张贴、揭下的日期",),
)
def posted_long_enough(w: PostedWindow, _s: Settings) -> Outcome:
    """公告写明的公示起止日（两头都算）少于目录规定的天数即提示。目录没有规定天数的不用查，没有写起止日的看不见。"""
    if w.notice_days == 0:
        return no_duty("目录没有规定公示天数")
    if w.cur is None:
        return not_applicable("已撤回或内容不可见")
    if w.cur.posted_from is None or w.cur.posted_until is None:
        return not_applicable("没有写公示起止日")
    days = (w.cur.posted_until - w.cur.posted_from).days + 1
    if days >= w.notice_days:
        return passed()
    steps = [f"{w.cur.posted_from} 至 {w.cur.posted_until} 共 {days} 天，目录规定 {w.notice_days} 天"]
    return hit(steps=steps, level=2, say=f"公示 {days} 天，少于规定的 {w.notice_days} 天。")


def _posted(first: str | None, last: str | None, days: int = 5) -> PostedWindow:
    return PostedWindow(days, PostedFacts("e1", *(date.fromisoformat(d) if d else None for d in (first, last))))


CASES = (
    Case("four days of five", _posted("2026-10-03", "2026-10-06"), "hit", 2, say="公示 4 天，少于规定的 5 天。"),
    Case("five days", _posted("2026-10-03", "2026-10-07"), "pass"),
    Case("no days are demanded", _posted("2026-10-03", "2026-10-03", 0), "n/a", reason="目录没有规定公示天数"),
    Case("one day is demanded", _posted("2026-10-03", "2026-10-03", 1), "pass"),
    Case("no first day", _posted(None, "2026-10-03"), "n/a", reason="没有写公示起止日"),
    Case("no last day", _posted("2026-10-03", None), "n/a", reason="没有写公示起止日"),
    Case("withdrawn", PostedWindow(5, None), "n/a", reason="已撤回或内容不可见"),
)
