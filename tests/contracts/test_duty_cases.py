"""Two hundred duties worked out by hand on the State Council's calendars of 2024, 2025 and 2026 (duty_cases.csv).

`reason` tells how the day was found: the day of the week, the holiday it falls into, or the working days that were
counted. From 2027 on no calendar is announced: weekends only.
"""

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.contracts.catalogue import Item, ItemRevision, Profile, ProfileRevision, WorkCalendar
from services.contracts.division import DivisionKind
from services.contracts.duties import DutyDivision, duty
from services.contracts.values import Frequency
from services.registry.bulk.calendar import calendar_year

CASES = list(csv.DictReader((Path(__file__).parent / "duty_cases.csv").read_text("utf-8").splitlines()))
INPUTS = ("frequency", "due", "profile_due", "declaration_due", "shift", "period", "kind", "concerns", "duties_from")
CALENDAR = WorkCalendar((calendar_year(2024), calendar_year(2025), calendar_year(2026)))


def item(case: dict[str, str]) -> Item:
    revision = ItemRevision.model_validate(
        {
            "since": "2020-01-01",
            "affair": "village",
            "name": "事项",
            "plain_name": "这件事",
            "kind": "notice",
            "frequency": case["frequency"],
            "due": case["due"],
            "masking": "none",
            "board": "none",
            "confirmations": [],
            "secrecy": False,
            "applies": case["concerns"],
            "publisher": "村民委员会",
            "notice_days": 0,
            "keep_months": None,
            "province_item": None,
            "basis": "村民委员会组织法第30条",
        }
    )
    return Item(code="V01", revisions=(revision,))


def profile(case: dict[str, str]) -> Profile:
    choices: dict[str, Any] = {"since": date(2020, 1, 1), "shift_holidays": case["shift"] == "yes", "source": "通知"}
    if case["profile_due"]:
        choices["due_by_frequency"] = {Frequency(case["frequency"]): case["profile_due"]}
    if case["declaration_due"]:
        choices["declaration_due"] = case["declaration_due"]
    return Profile(code="default", revisions=(ProfileRevision.model_validate(choices),))


def division(case: dict[str, str]) -> DutyDivision:
    start = date.fromisoformat(case["duties_from"]) if case["duties_from"] else None
    return DutyDivision("210881006206", DivisionKind(case["kind"]), start)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['number']}-{c['due']}-{c['period']}")
def test_duty_is_the_one_worked_out_by_hand(case: dict[str, str]) -> None:
    owed = duty(item(case), division(case), case["period"], profile(case), CALENDAR)
    assert (owed.due.isoformat(), owed.opens_on.isoformat()) == (case["due_day"], case["opens_on"]), case["reason"]
    assert (owed.history, owed.applies) == (case["history"] == "yes", case["applies"] == "yes"), case["reason"]


def test_there_are_two_hundred_different_cases_numbered_in_order() -> None:
    assert [case["number"] for case in CASES] == [str(n) for n in range(1, 201)]
    assert len({tuple(case[name] for name in INPUTS) for case in CASES}) == 200
    assert all(case["reason"] for case in CASES)
