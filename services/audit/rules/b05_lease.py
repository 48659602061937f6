"""B05 租期超二十年: a lease that runs longer than the law allows."""

from datetime import date

from services.audit.rules.base import Case, Outcome, Settings, hit, no_duty, not_applicable, passed, rule
from services.audit.rules.limits import Limit
from services.audit.rules.papers import TermFacts, TermWindow

_LEASE = "lease"
_FEBRUARY = 2
_LEAP_DAY = 29


def _years_later(day: date, years: int) -> date:
    """The same day some years on; of 29 February the 28th where there is none."""
    last = 28 if (day.month, day.day) == (_FEBRUARY, _LEAP_DAY) and years % 4 else day.day
    return date(day.year + years, day.month, last)


@rule(
    id="B05",
    version="1.0",
    status="active",
    level=3,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=TermWindow,
    reads=("contract",),
    settings={},
    limits=(Limit("years", "租赁最长年限", "lower"),),
    zh="租期超过二十年",
    en="A lease of more than twenty years",
    law="民法典第七百零五条",
    false_alarms=("家庭承包、土地经营权流转选成了租赁", "到期日写错了一位"),
    ask=("租赁合同原件",),
)
def lease_is_not_too_long(w: TermWindow, s: Settings) -> Outcome:
    """租赁合同从起始日到到期日超过二十年即提示；到期日写成二十年后的同一天不算超。家庭承包和流转不是租赁。"""
    if w.cur is None:
        return not_applicable("已撤回或内容不可见")
    if w.cur.type != _LEASE:
        return no_duty("不是租赁合同")
    if w.cur.ends is None:
        return not_applicable("没有写到期日")
    longest = _years_later(w.cur.begins, s["years"])
    if w.cur.ends <= longest:
        return passed()
    steps = [f"{w.cur.begins} 起租，满 {s['years']} 年是 {longest}，合同到 {w.cur.ends}"]
    return hit(steps=steps, level=3, say=f"租期从 {w.cur.begins} 到 {w.cur.ends}，超过 {s['years']} 年，超过部分无效。")


def _term(kind: str, begins: str, ends: str | None) -> TermWindow:
    return TermWindow(TermFacts("e1", kind, date.fromisoformat(begins), date.fromisoformat(ends) if ends else None))


_LAW = {"years": 20}
CASES = (
    Case(
        "twenty years and a day",
        _term("lease", "2026-01-01", "2046-01-02"),
        "hit",
        3,
        _LAW,
        say="租期从 2026-01-01 到 2046-01-02，超过 20 年，超过部分无效。",
    ),
    Case("to the same day", _term("lease", "2026-01-01", "2046-01-01"), "pass", settings=_LAW),
    Case("to the day before", _term("lease", "2026-01-01", "2045-12-31"), "pass", settings=_LAW),
    Case("from a leap day to one", _term("lease", "2028-02-29", "2048-02-29"), "pass", settings=_LAW),
    Case("from a leap day past one", _term("lease", "2028-02-29", "2048-03-01"), "hit", 3, _LAW),
    Case("from a leap day, 19 years", _term("lease", "2028-02-29", "2047-02-28"), "pass", settings={"years": 19}),
    Case("from a leap day, 19 years and a day", _term("lease", "2028-02-29", "2047-03-01"), "hit", 3, {"years": 19}),
    Case("from a leap day, 16 years", _term("lease", "2028-02-29", "2044-02-29"), "pass", settings={"years": 16}),
    Case("from the 28th of February", _term("lease", "2028-02-28", "2048-02-29"), "hit", 3, _LAW),
    Case("from the 29th of another month", _term("lease", "2027-03-29", "2046-03-29"), "pass", settings={"years": 19}),
    Case(
        "household contracting",
        _term("household", "2026-01-01", "2056-01-01"),
        "n/a",
        settings=_LAW,
        reason="不是租赁合同",
    ),
    Case("no end", _term("lease", "2026-01-01", None), "n/a", settings=_LAW, reason="没有写到期日"),
    Case("withdrawn", TermWindow(None), "n/a", settings=_LAW, reason="已撤回或内容不可见"),
)
