"""What is told of scans: sums by code and day, and codes that fell silent or hang though they count no more."""

from itertools import groupby
from typing import Final

from services.contracts.base import Role
from services.contracts.scan import CodeHealthChanged, ScanCount, ScansCounted
from services.kit import outbox
from services.kit.clock import local_day
from services.qr.store import scans
from services.qr.store.scans import Sum
from services.qr.visit import QrRuntime

#: Of one event; `contracts.scan` holds no more.
MOST: Final = 500
#: A revoked code may hang for so many days until somebody has taken it down.
GRACE_DAYS: Final = 7
#: How long sums are kept: a year and a month to compare it with.
KEPT_DAYS: Final = 400


def _day(of: Sum) -> object:
    return of.day


async def say_scans(runtime: QrRuntime) -> int:
    """Say sums that grew, an event a day; returns how many were said."""
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        taken = await scans.take_unsaid(conn, MOST)
        for _, group in groupby(taken, key=_day):
            of_day = list(group)
            day = of_day[0].day
            stamp = await outbox.stamp(conn, "scans", day.isoformat(), at=now, actor_role=Role.SYSTEM)
            counts = tuple(ScanCount(code=s.code, village=s.village, count=s.count) for s in of_day)
            await outbox.append(conn, ScansCounted(**stamp, day=day, counts=counts), key=day.isoformat())
    return len(taken)


async def say_health(runtime: QrRuntime) -> int:
    """Say which codes changed their health; returns how many did."""
    now = runtime.clock.now()
    async with runtime.database.transaction() as conn:
        silent = runtime.settings.silent_days
        changed = await scans.select_changed_health(conn, local_day(now), silent, GRACE_DAYS, MOST)
        if not changed:
            return 0
        stamps = await outbox.stamp_all(conn, "code_health", {c.code: c.village for c in changed}, at=now)
        said = [
            CodeHealthChanged(
                **stamps[c.code],
                code=c.code,
                serial=c.serial,
                state=c.state,
                last_scan=c.last,
                days=c.days,
                judged_at=now,
            )
            for c in changed
        ]
        await outbox.append_all(conn, said, [c.code for c in changed])
        await scans.upsert_health(conn, changed, now)
    return len(changed)
