"""Two hundred duties worked out by hand on the State Council's calendars of 2024, 2025 and 2026 (duty_cases.csv).

`reason` tells how the day was found: the day of the week, the holiday it falls into, or the working days that were
counted. From 2027 on no calendar is announced: weekends only.
"""

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.contracts.catalogue import Profile
from services.contracts.division import DivisionKind
from services.contracts.duties import DutyDivision, duty
from tests.contracts.catalogue import CALENDAR, VILLAGE, item, profile, revision

CASES = list(csv.DictReader((Path(__file__).parent / "duty_cases.csv").read_text("utf-8").splitlines()))
INPUTS = ("frequency", "due", "profile_due", "declaration_due", "shift", "period", "kind", "concerns", "duties_from")


def profile_of(case: dict[str, str]) -> Profile:
    choices: dict[str, Any] = {"shift_holidays": case["shift"] == "yes"}
    if case["profile_due"]:
        choices["due_by_frequency"] = {case["frequency"]: case["profile_due"]}
    if case["declaration_due"]:
        choices["declaration_due"] = case["declaration_due"]
    return profile(**choices)


def division_of(case: dict[str, str]) -> DutyDivision:
    start = date.fromisoformat(case["duties_from"]) if case["duties_from"] else None
    return DutyDivision(VILLAGE, DivisionKind(case["kind"]), start)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['number']}-{c['due']}-{c['period']}")
def test_duty_is_the_one_worked_out_by_hand(case: dict[str, str]) -> None:
    of = item(revision(case["frequency"], case["due"], applies=case["concerns"]))
    owed = duty(of, division_of(case), case["period"], profile_of(case), CALENDAR)
    assert (owed.due.isoformat(), owed.opens_on.isoformat()) == (case["due_day"], case["opens_on"]), case["reason"]
    assert (owed.history, owed.applies) == (case["history"] == "yes", case["applies"] == "yes"), case["reason"]


def test_there_are_two_hundred_different_cases_numbered_in_order() -> None:
    assert [case["number"] for case in CASES] == [str(n) for n in range(1, 201)]
    assert len({tuple(case[name] for name in INPUTS) for case in CASES}) == 200
    assert all(case["reason"] for case in CASES)
