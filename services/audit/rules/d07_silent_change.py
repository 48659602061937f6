"""D07 改数无说明: a correction changed figures and does not say what or why."""

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.window import ChangeWindow, EditionWords


@rule(
    id="D07",
    version="1.1",
    status="active",
    level=2,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=ChangeWindow,
    reads=("editions",),
    settings={},
    zh="改数无说明",
    en="Figures changed without a note",
    law="本规则为平台自定；依据农经发〔2011〕13号关于财务公开真实完整的要求",
    false_alarms=("公开前已发现的笔误",),
    ask=("改了哪几处、为什么改", "更正前后的凭证"),
)
def figures_changed_without_a_note(w: ChangeWindow, _s: Settings) -> Outcome:
    """更正后的一版数字与前一版不同（任何一分钱、一个数）而没有写更正说明，即提示；只改文字的不算。以后再更正也不消除。"""
    if w.cur is None:
        return not_applicable("没有可读的内容")
    if w.before is None:
        return not_applicable("没有更正过")
    if w.cur.figures == w.before.figures or w.cur.noted:
        return passed()
    steps = [
        f"第 {w.before.edition} 版数字摘要 {w.before.figures}",
        f"第 {w.cur.edition} 版数字摘要 {w.cur.figures}，没有更正说明",
    ]
    say = f"第 {w.cur.edition} 版改动了已公开的数字，没有写更正说明。"
    return hit(steps=steps, level=2, say=say)


_FIRST = EditionWords("e1", 1, "a" * 64, noted=False)


def _second(figures: str, *, noted: bool) -> ChangeWindow:
    return ChangeWindow(EditionWords("e2", 2, figures, noted), _FIRST)


CASES = (
    Case("an amount", _second("b" * 64, noted=False), "hit", 2, say="第 2 版改动了已公开的数字，没有写更正说明。"),
    Case("a typo in the title", _second("a" * 64, noted=False), "pass"),
    Case("an amount, with a note", _second("b" * 64, noted=True), "pass"),
    Case("never corrected", ChangeWindow(_FIRST, None), "n/a", reason="没有更正过"),
    Case("content destroyed", ChangeWindow(None, None), "n/a", reason="没有可读的内容"),
)
