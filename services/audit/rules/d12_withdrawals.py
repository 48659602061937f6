"""D12 大量撤回: one person withdraws much, or what was withdrawn comes back with other figures."""

from services.audit.rules.base import Case, Outcome, Settings, hit, not_applicable, passed, rule
from services.audit.rules.conduct import WithdrawalFacts, WithdrawalWindow

_CHANGED = 2
_MANY = 3


@rule(
    id="D12",
    version="1.1",
    status="active",
    level=3,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=WithdrawalWindow,
    reads=("withdrawals", "editions"),
    settings={"many": 5},
    zh="大量撤回",
    en="Many withdrawals by one person, or other figures after one",
    law="村民委员会组织法第三十条；本规则为平台自定",
    false_alarms=("一批内容发错了村，集中撤回", "撤回时写明了改什么，村民已经看到原因"),
    ask=("每次撤回的原因", "撤回前后的两份内容"),
)
def much_is_withdrawn(w: WithdrawalWindow, s: Settings) -> Outcome:
    """同一个人 30 天内第 5 次起撤回已公开的内容，即为重点；撤回后重新录入、数字与原来不同的，为关注。撤错又恢复的不算。"""
    if w.cur.restored:
        return passed()
    if w.cur.recent is None and not w.cur.figures_changed:
        return not_applicable("没有记录第几次撤回")
    is_many = w.cur.recent is not None and w.cur.recent >= s["many"]
    steps = [f"撤回人 {w.cur.withdrawn_by}，30 天内第 {w.cur.recent} 次撤回已公开的内容"]
    if w.cur.figures_changed:
        steps.append("撤回后重新录入，数字与撤回的一版不同")
    elif w.cur.entered_anew:
        steps.append("撤回后重新录入，数字没有变化")
    if is_many:
        more = "，重新录入时改了数字" if w.cur.figures_changed else ""
        return hit(steps=steps, level=_MANY, say=f"同一人 30 天内第 {w.cur.recent} 次撤回已公开的内容{more}。")
    if w.cur.figures_changed:
        return hit(steps=steps, level=_CHANGED, say="已公开的内容撤回后重新录入，数字改了。")
    return passed()


def _window(
    recent: int | None, *, restored: bool = False, anew: bool = False, changed: bool = False
) -> WithdrawalWindow:
    return WithdrawalWindow(WithdrawalFacts("e1", "s1", recent, restored, anew, changed))


CASES = (
    Case("the fifth", _window(5), "hit", 3, say="同一人 30 天内第 5 次撤回已公开的内容。"),
    Case("the fourth", _window(4), "pass"),
    Case("the fourth, entered anew as it was", _window(4, anew=True), "pass"),
    Case(
        "the first, entered anew with other figures",
        _window(1, anew=True, changed=True),
        "hit",
        2,
        say="已公开的内容撤回后重新录入，数字改了。",
    ),
    Case("the sixth, with other figures", _window(6, anew=True, changed=True), "hit", 3),
    Case("the fifth, undone", _window(5, restored=True), "pass"),
    Case("nobody counted", _window(None), "n/a", reason="没有记录第几次撤回"),
    Case("nobody counted, other figures", _window(None, anew=True, changed=True), "hit", 2),
)
