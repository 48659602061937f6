"""L05 照抄上期: most amounts of a ledger are those of the period before, to the fen."""

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.suspicions import Copied, CopyWindow


@rule(
    id="L05",
    version="1.0",
    status="trial",
    level=1,
    kind="lead",
    shape="chain",
    subject="village/item/period",
    window=CopyWindow,
    reads=("ledger_lines", "ledger_lines@-1"),
    settings={"least_lines": 5, "percent": 80},
    zh="疑似照抄上期",
    en="A ledger that may be a copy of the last one",
    law="农经发〔2011〕13号（如实公开）；本规则为平台自定",
    false_alarms=("固定工资、固定补助每月一样", "保洁、网络等合同按月付同样的钱"),
    ask=("本期的记账凭证",),
)
def ledger_is_not_a_copy(w: CopyWindow, s: Settings) -> Outcome:
    """本期与上期收支方向和金额都相同的行，占两期不同行总数的八成以上；任何一期少于五行的不看。"""
    if w.cur is None:
        return not_applicable("本期或上期没有可读的明细")
    fewest = min(w.cur.lines, w.cur.lines_before)
    if fewest < s["least_lines"]:
        return not_applicable("行数太少")
    either = w.cur.lines + w.cur.lines_before - w.cur.same
    if w.cur.same * 100 <= s["percent"] * either:
        return passed()
    steps = [f"本期 {w.cur.lines} 行，上期 {w.cur.lines_before} 行，相同 {w.cur.same} 行，合起来 {either} 行"]
    return hit(steps=steps, level=1, say=f"本期 {w.cur.lines} 行里有 {w.cur.same} 行的金额和上期完全一样。")


def _copied(lines: int, before: int, same: int) -> CopyWindow:
    return CopyWindow(Copied("e1", lines, before, same))


CASES = (
    Case("all of ten", _copied(10, 10, 10), "hit", 1, say="本期 10 行里有 10 行的金额和上期完全一样。"),
    Case("nine of ten", _copied(10, 10, 9), "hit", 1),
    Case("four fifths", _copied(9, 9, 8), "pass"),
    Case("four of five fixed", _copied(5, 5, 4), "pass"),
    Case("five of five", _copied(5, 5, 5), "hit", 1),
    Case("four of four", _copied(4, 5, 4), "n/a", reason="行数太少"),
    Case("four before", _copied(5, 4, 4), "n/a", reason="行数太少"),
    Case("copied, with more", _copied(20, 10, 10), "pass"),
    Case("nothing before", CopyWindow(None), "n/a", reason="本期或上期没有可读的明细"),
)
