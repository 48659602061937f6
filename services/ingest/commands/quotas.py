"""A day's quota of files: nobody fills the disk or keeps the processes busy that open what comes in (ASVS 5.2.4)."""

from datetime import timedelta

from services.ingest.errors import QuotaUsedUpError
from services.ingest.store.quotas import Amount, take_quota
from services.ingest.visit import Caller
from services.kit.clock import start_of_day

_MIB = 1024 * 1024


async def count_upload(caller: Caller, size: int, *, imports: int = 0) -> None:
    """Count a file of some bytes before it is opened, whatever comes of it; QuotaUsedUpError when it is beyond the day's."""
    settings = caller.settings
    most = Amount(settings.daily_uploads, settings.daily_imports, settings.daily_upload_mib * _MIB)
    async with caller.runtime.database.transaction() as conn:
        taken = await take_quota(conn, caller.actor.staff_id, caller.today, Amount(1, imports, size), most)
    if not taken:
        left = start_of_day(caller.today + timedelta(days=1)) - caller.now
        raise QuotaUsedUpError(retry_after_s=int(left.total_seconds()) + 1)
