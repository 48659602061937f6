"""A07 误工天数超历法: somebody is paid for more days than the period has."""

from dataclasses import replace

from services.audit.rules.base import Case, Outcome, Settings, hit, no_duty, not_applicable, passed, rule
from services.audit.rules.papers import LabourWindow, Worked

_DAY = 10_000


def _days(count: int) -> str:
    """Ten-thousandths of a day as people write days."""
    return f"{count / _DAY:g}"


def _sums(rows: tuple[Worked, ...]) -> dict[int, int]:
    found: dict[int, int] = {}
    for row in rows:
        found[row.person] = found.get(row.person, 0) + row.days
    return found


def _too_many(w: LabourWindow, _s: Settings) -> LabourWindow:
    """The rows of those who have more days than the period."""
    if w.period_days is None:
        return replace(w, rows=())
    sums, most = _sums(w.rows), w.period_days * _DAY
    return replace(w, rows=tuple(x for x in w.rows if sums[x.person] > most))


@rule(
    id="A07",
    version="1.0",
    status="active",
    level=3,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=LabourWindow,
    reads=("roster",),
    settings={},
    narrow=_too_many,
    zh="误工天数超过日历天数",
    en="Paid for more days than the period has",
    law="农经发〔2011〕13号（用工逐笔公开）；算术",
    false_alarms=("同一小组两个人同名", "一行写的是几个人合计的工数", "补记上期的工"),
    ask=("出工记录和签字", "领款单"),
)
def days_fit_the_calendar(w: LabourWindow, s: Settings) -> Outcome:
    """同一个人（姓名、小组相同）在一期名单里的工数合计超过这一期的日历天数即提示。一事一报的名单不知道做了多久，不查。"""
    if not w.is_open:
        return not_applicable("已撤回或内容不可见")
    if w.period_days is None:
        return no_duty("一事一报的名单，没有起止日")
    rows = _too_many(w, s).rows
    if not rows:
        return passed()
    sums = _sums(rows)
    steps = []
    for person, days in sums.items():
        mine = "、".join(f"第 {x.line} 行 {_days(x.days)} 天" for x in rows if x.person == person)
        steps.append(f"名单里第 {person} 个人：{mine}，合计 {_days(days)} 天，这一期 {w.period_days} 天")
    most = max(sums.values())
    who = f"有 {len(sums)} 个人工数超过这一期的天数，最多" if len(sums) > 1 else "有一个人的工数合计"
    return hit(steps=steps, level=3, say=f"{who} {_days(most)} 天，这一期只有 {w.period_days} 天。")


def _labour(*rows: tuple[int, int], period: int | None = 31) -> LabourWindow:
    """Rows by person and ten-thousandths of a day."""
    return LabourWindow(
        is_open=True,
        period_days=period,
        rows=tuple(Worked("e1", n, person, days) for n, (person, days) in enumerate(rows, 1)),
    )


CASES = (
    Case("32 of 31 days", _labour((1, 320_000)), "hit", 3, say="有一个人的工数合计 32 天，这一期只有 31 天。"),
    Case("31 of 31 days", _labour((1, 310_000)), "pass"),
    Case(
        "31 and a half in two rows",
        _labour((1, 200_000), (2, 50_000), (1, 115_000)),
        "hit",
        3,
        say="有一个人的工数合计 31.5 天，这一期只有 31 天。",
    ),
    Case("two people of 20 days each", _labour((1, 200_000), (2, 200_000)), "pass"),
    Case(
        "two people",
        _labour((1, 400_000), (2, 10_000), (3, 330_000)),
        "hit",
        3,
        say="有 2 个人工数超过这一期的天数，最多 40 天，这一期只有 31 天。",
        steps=(
            "名单里第 1 个人：第 1 行 40 天，合计 40 天，这一期 31 天",
            "名单里第 3 个人：第 3 行 33 天，合计 33 天，这一期 31 天",
        ),
    ),
    Case("a month of 28 days", _labour((1, 290_000), period=28), "hit", 3),
    Case("on an event's day", _labour((1, 9_000_000), period=None), "n/a", reason="一事一报的名单，没有起止日"),
    Case("nobody worked", _labour(), "pass"),
    Case("withdrawn", LabourWindow(is_open=False, period_days=31, rows=()), "n/a", reason="已撤回或内容不可见"),
)
