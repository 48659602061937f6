"""D10 自报自审: the same person handed in and approved."""

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.window import ReleaseFacts, ReleaseWindow

_SHOWN = 1
_GRAVE = 3


@rule(
    id="D10",
    version="1.1",
    status="active",
    level=3,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=ReleaseWindow,
    reads=("editions",),
    settings={},
    zh="自报自审",
    en="The same person handed in and approved",
    law="不相容岗位分离；本市档案规定的审核人",
    false_alarms=("镇街只有一名工作人员，有委托文件在案",),
    ask=("委托文件", "谁实际录入、谁实际审核"),
)
def one_person_did_both(w: ReleaseWindow, _s: Settings) -> Outcome:
    """同一个人既提交又审核同一份内容即提示；有委托文件在案的为提醒并写明文件，没有的为重点。村里先公开、镇街后备案的不算。"""
    if w.cur is None:
        return not_applicable("没有可读的内容")
    if w.cur.release != "approve":
        return passed()
    if w.cur.submitted_by is None or w.cur.approved_by is None:
        return not_applicable("没有记录提交人或审核人")
    if w.cur.submitted_by != w.cur.approved_by:
        return passed()
    steps = [f"第 {w.cur.edition} 版的提交人和审核人都是 {w.cur.approved_by}"]
    if w.cur.delegation is not None:
        steps.append(f"委托文件：{w.cur.delegation}")
        return hit(steps=steps, level=_SHOWN, say=f"第 {w.cur.edition} 版由同一人提交和审核，有委托文件在案。")
    return hit(steps=steps, level=_GRAVE, say=f"第 {w.cur.edition} 版由同一人提交和审核，没有委托文件。")


def _window(**changes: object) -> ReleaseWindow:
    known: dict[str, object] = {
        "event": "e1",
        "edition": 1,
        "submitted_by": "s1",
        "approved_by": "s1",
        "release": "approve",
        "delegation": None,
    }
    return ReleaseWindow(ReleaseFacts(**{**known, **changes}))  # type: ignore[arg-type] # the table above names each field


CASES = (
    Case("the same person", _window(), "hit", 3, say="第 1 版由同一人提交和审核，没有委托文件。"),
    Case(
        "a delegation on file",
        _window(delegation="西海街道〔2026〕12号"),
        "hit",
        1,
        say="第 1 版由同一人提交和审核，有委托文件在案。",
    ),
    Case("two people", _window(approved_by="s2"), "pass"),
    Case("the village let it out itself", _window(release="file"), "pass"),
    Case("nobody noted who handed in", _window(submitted_by=None), "n/a", reason="没有记录提交人或审核人"),
    Case("nobody noted who approved", _window(approved_by=None), "n/a", reason="没有记录提交人或审核人"),
    Case("content destroyed", ReleaseWindow(None), "n/a", reason="没有可读的内容"),
)
