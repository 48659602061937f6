"""In whose hands the late days of a cell were: the accounting agency's, the clerk's, the supervisors', the township's, a department's."""

from datetime import datetime
from typing import NamedTuple

from services.contracts.duties import CellRecord, Duty, late_by, lateness


class LateBy(NamedTuple):
    """Days past due by who had it on them; their sum is the days that villagers read.

    Sent back and handed in again, the days count by the last handing in: until then the clerk had it.
    """

    agency: int = 0
    clerk: int = 0
    supervisors: int = 0
    township: int = 0
    department: int = 0


def late_by_hand(of: Duty, record: CellRecord, now: datetime) -> LateBy:
    """Charge a cell's late days, up to its first publication, else to `now` (aware); those of the village by who in it had them."""
    late = lateness(of, record, now)
    supervisors = 0
    if late.village and record.submitted_at is not None:
        until = record.confirmed_at or record.first_published_at or now
        # Of the village's days those behind the handing in; what was handed in before it was due leaves the clerk none.
        supervisors = min(late.village, late_by(of, max(until, record.submitted_at)) - late_by(of, record.submitted_at))
    return LateBy(late.agency, late.village - supervisors, supervisors, late.township, late.department)
