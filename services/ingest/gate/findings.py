"""Findings: of a body in itself, and of a body after the one before it; pure."""

from collections.abc import Iterable

from services.contracts import privacy
from services.contracts.base import AcceptedFinding, Finding
from services.contracts.bodies import Body, Ledger
from services.contracts.values import yuan

PRIVACY_PREFIX = "privacy."


def findings(body: Body, period: str) -> tuple[Finding, ...]:
    """What is to mend or to explain in the content itself: arithmetic, dates, personal data."""
    return (*body.findings(period), *privacy.findings(body.model_dump(mode="json", exclude_none=True), "body"))


def chain_findings(body: Ledger, previous: Ledger) -> tuple[Finding, ...]:
    """Accounts that do not open with what the period before left."""
    closings = {a.account: a.closing_fen for a in previous.accounts}
    return tuple(
        Finding(
            code="ledger.opening",
            at=f"body.accounts[{n}].opening_fen",
            message=f"期初余额与上期期末相差 {yuan(a.opening_fen - closings[a.account])} 元，请核对。",
        )
        for n, a in enumerate(body.accounts)
        if a.account in closings and closings[a.account] != a.opening_fen
    )


def note_finding() -> Finding:
    """A correction that changes figures and does not say why (更正说明)."""
    return Finding(
        code="correction.note", at="note", message="数字和已公开的一版不同，请写更正说明：改了什么、为什么改。"
    )


def unexplained(
    found: Iterable[Finding], accepted: Iterable[AcceptedFinding], *, may_accept_privacy: bool
) -> tuple[Finding, ...]:
    """Findings that nobody who may has given a reason for; personal data needs a reviewer's word."""
    given = {(a.code, a.at) for a in accepted}
    return tuple(
        f
        for f in found
        if (f.code, f.at) not in given or (f.code.startswith(PRIVACY_PREFIX) and not may_accept_privacy)
    )
