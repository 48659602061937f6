"""The faults that the sample city holds on purpose, written down before anything is loaded.

Which villages have one, and what an inspector must see in the end; told as facts, not as rules.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from deploy.local.home import write_json
from deploy.local.sample.ledgers import SEED, ledger, months_before
from deploy.local.sample.registry import PILOT, Village

MANIFEST_FILE: Final = "fault-manifest.json"
ITEM: Final = "F01"
#: How many villages of the whole city, and of the pilot township, get each fault.
WRONG_TOTALS: Final = 6
WRONG_CLOSINGS: Final = 6
WRONG_OPENINGS: Final = 2
NEVER_OPENED: Final = 2


class Planted(NamedTuple):
    """One fault: the rule that must tell it, and the subject."""

    rule: str
    village: str
    period: str
    account: str | None


class Plan(NamedTuple):
    """What is entered (village, period) and what is wrong with it."""

    entries: tuple[tuple[Village, str], ...]
    planted: tuple[Planted, ...]
    first: str


def make_plan(everybody: Sequence[Village], period: str) -> Plan:
    """Every village enters `period`; the pilot township also the two months before, but for those who never opened."""
    order = sorted(everybody, key=lambda v: hashlib.sha256(f"{SEED}:{v.code}".encode()).digest())
    pilot = [v for v in order if v.township == PILOT]
    others = [v for v in order if v.township != PILOT] or pilot[WRONG_OPENINGS + NEVER_OPENED :]
    last, first = months_before(period, 1), months_before(period, 2)
    late = {v.code for v in pilot[WRONG_OPENINGS : WRONG_OPENINGS + NEVER_OPENED]}
    totals = others[:WRONG_TOTALS] if len(others) > WRONG_TOTALS + WRONG_CLOSINGS else others[:1]
    closings = others[len(totals) : len(totals) + (WRONG_CLOSINGS if len(totals) > 1 else 1)]
    planted = (
        *(Planted("A01", v.code, period, None) for v in totals),
        *(Planted("A02", v.code, period, "bank") for v in pilot[:WRONG_OPENINGS]),
        *(Planted("A03", v.code, period, "cash") for v in closings),
        *(Planted("D01", v.code, last, None) for v in pilot if v.code in late),
    )
    entries = [
        (v, p)
        for v in sorted(everybody)
        for p in ((first, last, period) if v.township == PILOT else (period,))
        if not (p == last and v.code in late)
    ]
    return Plan(tuple(entries), planted, first)


def entry_body(plan: Plan, village: str, period: str) -> dict[str, Any]:
    """The ledger that a clerk enters, with the planted fault in it."""
    body = ledger(village, period, plan.first)
    for fault in plan.planted:
        if (fault.village, fault.period) != (village, period):
            continue
        match fault.rule:
            case "A01":
                # A line of 86.00 yuan was forgotten in the total.
                body["totals"]["expense_fen"] -= 8_600
            case "A02":
                # The bank account opens 500.00 yuan short; the month itself adds up.
                account = next(a for a in body["accounts"] if a["account"] == fault.account)
                account["opening_fen"] -= 50_000
                account["closing_fen"] -= 50_000
            case "A03":
                # The till was counted 12.50 yuan too low.
                account = next(a for a in body["accounts"] if a["account"] == fault.account)
                account["closing_fen"] -= 1_250
    return body


def write_manifest(home: Path, plan: Plan) -> None:
    """Write the manifest; done before the first entry."""
    faults = [{**fault._asdict(), "item": ITEM} for fault in plan.planted]
    write_json(home / MANIFEST_FILE, {"seed": SEED, "entries": len(plan.entries), "faults": faults})
