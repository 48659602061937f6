"""D11 重置后自用: somebody reset an account, the account was used, and the same somebody let it out."""

from datetime import UTC, datetime, timedelta

from services.audit.rules.base import Case, Outcome, Settings, hit, local_words, not_applicable, passed, rule
from services.audit.rules.conduct import ResetUse, ResetWindow

_SPOKEN = 2
_GRAVE = 3


@rule(
    id="D11",
    version="1.1",
    status="active",
    level=3,
    kind="provable",
    shape="cell",
    subject="village/item/period",
    window=ResetWindow,
    reads=("resets", "editions"),
    settings={"days": 30},
    zh="重置后自用",
    en="An account was used and approved by whoever had reset it",
    law="不相容岗位分离；本规则为平台自定",
    false_alarms=("本人忘记密码，当面重置后自己登录办理", "镇街只有一名审核员"),
    ask=("重置密码的申请", "当时谁在用这个账号"),
)
def whoever_reset_it_let_it_out(w: ResetWindow, s: Settings) -> Outcome:
    """一个账号被某人重置密码后，在 30 天内用来提交或核对，又由同一个人审核公开，即提示：提交的为重点，核对的为关注。"""
    if not w.released:
        return not_applicable("没有可读的内容")
    if w.cur is None or w.cur.used_at < w.cur.reset_at:
        return passed()
    if w.cur.approved_at - w.cur.reset_at > timedelta(days=s["days"]):
        return passed()
    what = "提交" if w.cur.handed_in else "核对"
    steps = [
        f"{local_words(w.cur.reset_at)} 账号 {w.cur.reset_account} 的密码由 {w.cur.reset_by} 重置",
        f"{local_words(w.cur.used_at)} 用这个账号{what}",
        f"{local_words(w.cur.approved_at)} 由 {w.cur.reset_by} 审核公开",
    ]
    level = _GRAVE if w.cur.handed_in else _SPOKEN
    return hit(steps=steps, level=level, say=f"密码被重置的账号{what}后，由重置密码的人审核公开。")


_RESET = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
_LATER = timedelta(days=1)


def _window(*, used: timedelta = _LATER, approved: timedelta = 2 * _LATER, handed_in: bool = True) -> ResetWindow:
    use = ResetUse("e1", "s1", "s2", _RESET, _RESET + used, _RESET + approved, handed_in=handed_in)
    return ResetWindow(released=True, cur=use)


_SECOND = timedelta(seconds=1)
CASES = (
    Case("reset, handed in, let out", _window(), "hit", 3, say="密码被重置的账号提交后，由重置密码的人审核公开。"),
    Case("reset, confirmed, let out", _window(handed_in=False), "hit", 2),
    Case("used in the second of the reset", _window(used=0 * _SECOND), "hit", 3),
    Case("used a second before the reset", _window(used=-_SECOND), "pass"),
    Case("let out after thirty days to the second", _window(approved=30 * _LATER), "hit", 3),
    Case("let out a second later", _window(approved=30 * _LATER + _SECOND), "pass"),
    Case("nobody who let it out had reset anybody", ResetWindow(released=True, cur=None), "pass"),
    Case("content destroyed", ResetWindow(released=False, cur=None), "n/a", reason="没有可读的内容"),
)
