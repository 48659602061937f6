"""Findings: of a body in itself, and of a body after the one before it; pure."""

from collections.abc import Iterable, Iterator, Sequence

from services.contracts import privacy
from services.contracts.account import account_words
from services.contracts.base import AcceptedFinding, Finding
from services.contracts.bodies import AccountSums, Body, Neighbour, closing_checks, opening_checks
from services.contracts.checks import Check
from services.contracts.values import period_words, previous_period, yuan
from services.ingest.gate.doubts import MUST_MEND

_PRIVACY = "privacy."
_EXPLAINABLE = frozenset(_PRIVACY + kind for kind in privacy.EXPLAINABLE)


def personal_in(body: Body) -> tuple[Finding, ...]:
    """Personal data in a content; of half a mebibyte of text it takes seconds to look for it."""
    return tuple(privacy.findings(body.model_dump(mode="json", exclude_none=True), "body"))


def chain_findings(
    period: str, accounts: tuple[AccountSums, ...], before: Neighbour | None, after: Neighbour | None
) -> tuple[Finding, ...]:
    """Accounts that do not open with what the period before left, or end otherwise than a later one opens."""
    found: list[tuple[Check, str]] = []
    if before is not None:
        found += [(c, before.period) for c in opening_checks(period, accounts, before)]
    if after is not None:
        found += [(c, after.period) for c in closing_checks(period, accounts, after)]
    return tuple(Finding(code=c.code, at=c.at, message=_chain_words(c, period_words(p))) for c, p in found if not c.ok)


def neighbour_notes(period: str, before: Neighbour | None, after: Neighbour | None) -> list[str]:
    """For who begins a ledger between others: that the period before is missing, and what the next one opens with."""
    found, missing = [], previous_period(period)
    if before is not None and missing is not None and before.period != missing:
        words = f"{period_words(missing)}的账还没有，带入的是{period_words(before.period)}的期末，请按账本核对期初。"
        found.append(words)
    if after is not None and previous_period(after.period) == period:
        opens = "，".join(f"{account_words(a.account)} {yuan(a.opening_fen)}元" for a in after.accounts)
        found.append(f"{period_words(after.period)}的账已经有了，期初是：{opens}。这里的期末应当和它一样。")
    return found


def _chain_words(check: Check, when: str) -> str:
    """What does not tie, with both figures, the other period's name and what to do."""
    account = check.label.partition("：")[0]
    stated, computed, gap = (yuan(f) for f in (check.stated_fen or 0, check.computed_fen or 0, abs(check.gap_fen)))
    match check.code, check.stated_fen is None, check.computed_fen is None:
        case "ledger.opening", _, _:
            words = f"{when}的期末是 {computed}，这里的期初写 {stated}，差 {gap}元，请核对。"
        case "ledger.account_new", _, _:
            words = f"{when}没有列出这个账户，这里的期初却有 {stated}元，请核对，或写明钱从哪里来。"
        case "ledger.account_missing", _, _:
            words = f"{when}末还有 {computed}元，这里没有列出这个账户，请补上，或写明钱到哪里去了。"
        case _, True, _:
            words = f"{when}的期初是 {computed}元，这里没有列出这个账户，请补上。"
        case _, _, True:
            words = f"这里的期末还有 {stated}元，{when}没有列出这个账户，请核对。"
        case _:
            words = f"{when}的期初是 {computed}，和这里的期末 {stated} 差 {gap}元，请核对。"
    return f"{account}：{words}"


def note_finding() -> Finding:
    """A correction that changes figures and does not say why (更正说明)."""
    return Finding(
        code="correction.note", at="note", message="数字和已公开的一版不同，请写更正说明：改了什么、为什么改。"
    )


def file_findings(at: str, title: str, found: Sequence[tuple[int, str]]) -> Iterator[Finding]:
    """What was read in a file: a finding for each kind, with its pages; 0 stands for the file's properties."""
    for kind in dict.fromkeys(kind for _, kind in found):
        pages = [page for page, other in found if other == kind]
        numbered = "、".join(str(page) for page in pages if page)
        where = "和".join(w for w in (f"第{numbered}页" if numbered else "", "" if all(pages) else "文件属性") if w)
        word = next(word for known, word in privacy.WORDS.items() if known == kind)
        who = "只有镇街审核员可以同意" if needs_reviewer(f"{_PRIVACY}{kind}") else "请写明原因"
        message = (
            f"附件“{privacy.mask(title)}”{where}里好像有{word}。公开后人人可见，请遮盖后重新上传；确需公开的，{who}。"
        )
        yield Finding(code=f"{_PRIVACY}{kind}", at=at, message=message)


def needs_reviewer(code: str) -> bool:
    """Tell whether a township's reviewer alone may let a finding stand: numbers and homes of persons."""
    return code.startswith(_PRIVACY) and code not in _EXPLAINABLE


def must_be_mended(code: str) -> bool:
    """Tell whether no reason helps: what was found cannot be right."""
    return code in MUST_MEND


def unexplained(
    found: Iterable[Finding], accepted: Iterable[AcceptedFinding], granted: Iterable[AcceptedFinding]
) -> tuple[Finding, ...]:
    """Findings that nobody who may has given a reason for; `granted` are the reasons that reviewers gave.

    What cannot be right is among them whatever was said.
    """
    by_reviewers = {(a.code, a.at) for a in granted}
    given = {(a.code, a.at) for a in accepted if not needs_reviewer(a.code)} | by_reviewers
    return tuple(f for f in found if must_be_mended(f.code) or (f.code, f.at) not in given)
