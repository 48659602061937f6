"""Items, profiles and the announced calendars for tests of duties."""

from datetime import date
from typing import Any

from services.contracts.catalogue import Item, ItemRevision, Profile, ProfileRevision, WorkCalendar
from services.registry.bulk.calendar import calendar_year

#: The State Council's calendars of three years; beyond them weekends only.
CALENDAR = WorkCalendar((calendar_year(2024), calendar_year(2025), calendar_year(2026)))
VILLAGE = "210881006206"


def revision(frequency: str, due: str, **changes: Any) -> ItemRevision:
    return ItemRevision.model_validate(
        {
            "since": "2020-01-01",
            "affair": "village",
            "name": "事项",
            "plain_name": "这件事",
            "kind": "notice",
            "frequency": frequency,
            "due": due,
            "masking": "none",
            "board": "none",
            "confirmations": [],
            "secrecy": False,
            "applies": "both",
            "publisher": "村民委员会",
            "notice_days": 0,
            "keep_months": None,
            "province_item": None,
            "basis": "村民委员会组织法第30条",
            **changes,
        }
    )


def item(*revisions: ItemRevision) -> Item:
    return Item(code="V01", revisions=revisions)


def profile(**choices: Any) -> Profile:
    only = ProfileRevision.model_validate({"since": date(2020, 1, 1), "source": "通知", **choices})
    return Profile(code="default", revisions=(only,))
