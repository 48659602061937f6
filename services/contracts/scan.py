"""How often codes on walls were opened, written by `qr`: sums by code and day. No address, no cookie, no telephone."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from services.contracts.base import Event, Model
from services.contracts.values import ShortText, VillageCode


class ScanCount(Model):
    """How often one code was opened on the day so far: the whole sum, so that a record that comes again changes nothing."""

    code: ShortText
    village: VillageCode
    count: int = Field(ge=1)


class ScansCounted(Event):
    """`scans.counted.v1`: the sums of one day that grew since the last time; topic `sanwu.scans`, key = day."""

    type: Literal["scans.counted.v1"] = "scans.counted.v1"
    aggregate: Literal["scans"] = "scans"
    day: date = Field(description="local day")
    counts: tuple[ScanCount, ...] = Field(min_length=1, max_length=500)


class CodeHealthChanged(Event):
    """`code_health.changed.v1`: a code fell silent, was opened again, or counts no more and still hangs; topic `sanwu.scans`."""

    type: Literal["code_health.changed.v1"] = "code_health.changed.v1"
    aggregate: Literal["code_health"] = "code_health"
    code: ShortText
    serial: int = Field(ge=1)
    state: Literal["silent", "alive", "still_hangs"] = Field(
        description="silent: it hangs and nobody opened it for `days`; still_hangs: revoked, and opened all the same"
    )
    last_scan: date | None = Field(description="the last local day on which it was opened; null: never")
    days: int = Field(ge=0, description="days without a scan since it was opened last, or hung")
    judged_at: AwareDatetime
