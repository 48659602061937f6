"""Whether the sums agree, in villagers' words: the arithmetic, every difference with the village's own reason.

Only what is public is compared, so a reader with a calculator comes to the same. Nothing here says that somebody
checked: that is the word of those who did, shown as theirs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from services.contracts.base import AcceptedFinding
from services.contracts.bodies import Body, Ledger, LedgerSums, Neighbour, opening_checks
from services.contracts.checks import Check, explained
from services.contracts.values import Frequency, period_frequency, period_words, previous_period, yuan
from services.publish.render.cells import L
from services.publish.render.rows import Publication

#: How people call the period before and this one.
_BEFORE_AND_NOW: Final = {
    Frequency.MONTHLY: ("上个月", "本月"),
    Frequency.QUARTERLY: ("上个季度", "本季度"),
    Frequency.YEARLY: ("上一年", "这一年"),
}


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """One difference in a sentence, and why the village says that it stands."""

    words: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class ChecksView:
    """`line` fits a list. `arithmetic` is a ledger's own; `chain` tells how the opening follows, None where it is no matter."""

    ok: bool
    line: str
    arithmetic: str | None
    differences: tuple[DifferenceView, ...]
    chain: str | None = None


def checks_of(
    body: Body, period: str, accepted: Sequence[AcceptedFinding], before: Neighbour | None
) -> tuple[Check, ...]:
    """Every check of a body, and of a ledger's opening where an earlier one is open, with the accepted reasons."""
    chain = opening_checks(period, body.sums.accounts, before) if before and isinstance(body, Ledger) else ()
    return explained((*body.compare(period), *chain), accepted)


def neighbour(p: Publication | None) -> Neighbour | None:
    """An open ledger as its later neighbours see it."""
    return Neighbour(period=p.period, accounts=p.sums.accounts) if p is not None and p.sums is not None else None


def month_before(publications: Iterable[L], of: L) -> L | None:
    """The ledger of the nearest earlier period that a village has open."""
    shape = period_frequency(of.period)
    earlier = (
        p
        for p in publications
        if p.item == of.item and p.has_sums and p.period < of.period and period_frequency(p.period) is shape
    )
    return max(earlier, key=lambda p: p.period, default=None)


def sums_line(p: Publication, before: Publication | None) -> tuple[bool, str] | None:
    """Whether a ledger's sums agree, for a list; None for what has none."""
    if p.sums is None:
        return None
    near = neighbour(before)
    chain = opening_checks(p.period, p.sums.accounts, near) if near is not None else ()
    wrong = [c for c in (*p.sums.compare(), *chain) if not c.ok]
    return not wrong, _line(wrong, p.sums)


def checks_view(
    checks: Sequence[Check],
    period: str,
    sums: LedgerSums | None,
    before: Neighbour | None,
) -> ChecksView:
    """Put checks into words; reasons are already as everybody may read them."""
    wrong = [c for c in checks if not c.ok]
    earlier, now = _called(period, before)
    several = sums is not None and len(sums.accounts) > 1
    return ChecksView(
        ok=not wrong,
        line=_line(wrong, sums),
        arithmetic=_arithmetic(checks, sums),
        differences=tuple(DifferenceView(_words(c, earlier, now, several=several), c.reason) for c in wrong),
        chain=_chain(checks, period, before) if sums is not None else None,
    )


def _called(period: str, before: Neighbour | None) -> tuple[str, str]:
    """What people call the period that is compared with, and this one."""
    earlier, now = _BEFORE_AND_NOW.get(period_frequency(period), ("上一期", "这一期"))
    if before is not None and before.period != previous_period(period):
        return period_words(before.period), now
    return earlier, now


def _line(wrong: Sequence[Check], sums: LedgerSums | None) -> str:
    if not wrong:
        return "账算得上 ✓" if sums is not None else "写的合计和加起来的一样 ✓"
    if len(wrong) == 1 and wrong[0].gap_fen:
        return f"差{yuan(abs(wrong[0].gap_fen))}元"
    return f"有{len(wrong)}处对不上"


def _arithmetic(checks: Iterable[Check], sums: LedgerSums | None) -> str | None:
    """The whole ledger's sum, where every account's own holds."""
    if sums is None or not all(c.ok for c in checks if c.code == "ledger.closing"):
        return None
    return sums.whole.arithmetic


def _chain(checks: Iterable[Check], period: str, before: Neighbour | None) -> str | None:
    """How the opening follows from the period before; nothing is said of what cannot be compared."""
    missing = previous_period(period)
    if before is None or missing is None:
        return None
    if before.period != missing:
        return f"{period_words(missing)}的账没有公开，期初无法对照。"
    earlier, now = _called(period, before)
    opening = [c for c in checks if c.code in {"ledger.opening", "ledger.account_new", "ledger.account_missing"}]
    return f"{now}的期初和{earlier}公开的期末对得上 ✓" if opening and all(c.ok for c in opening) else None


def _words(c: Check, earlier: str, now: str, *, several: bool) -> str:
    """A difference as it is read aloud: what was written, what comes out, how much lies between."""
    account = c.label.partition("：")[0]
    of = f"{account}：" if several else ""
    stated, computed, gap = (f"{yuan(f)}元" for f in (c.stated_fen or 0, c.computed_fen or 0, abs(c.gap_fen)))
    match c.code:
        case "ledger.closing":
            return f"{of}期初加收入减支出：{c.arithmetic}元，村里写的期末是{stated}，差{gap}。"
        case "ledger.total":
            what = "收入" if c.at.endswith("income_fen") else "支出"
            return f"村里写的{what}合计是{stated}，逐笔相加是{computed}，差{gap}。"
        case "ledger.opening":
            return f"{of}{earlier}公开的期末是{computed}，{now}期初写{stated}，差{gap}。"
        case "ledger.account_new":
            return f"{account}：{earlier}公开的账里没有这个账户，{now}期初却有{stated}。"
        case "ledger.account_missing":
            return f"{account}：{earlier}末还有{computed}，{now}的账里没有这个账户。"
        case _:
            return _plain_words(c)


def _plain_words(c: Check) -> str:
    """A difference of any other kind."""
    if c.stated is None and c.computed is None:
        return f"{c.label}：写的是{yuan(c.stated_fen or 0)}元，算出来是{yuan(c.computed_fen or 0)}元，差{yuan(abs(c.gap_fen))}元。"
    return f"{c.label}：写的是{c.stated}{c.unit or ''}，算出来是{c.computed}{c.unit or ''}。"
