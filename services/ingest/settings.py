"""What ingest must know beside what every service does."""

from pydantic import Field

from services.kit.settings import Settings


class IngestSettings(Settings):
    """Common settings, and how long an approval or a withdrawal can be taken back, and how much one account may upload."""

    withdrawal_days: int = Field(
        default=7, ge=0, le=90, description="how long a withdrawal can be undone before the content is erased, in days"
    )
    daily_uploads: int = Field(default=1000, ge=1, description="files that one account may hand in on a day")
    daily_imports: int = Field(default=100, ge=1, description="prepared files among them")
    daily_upload_mib: int = Field(
        default=500, ge=16, description="MiB of all files that one account may hand in on a day"
    )
    undo_seconds: int = Field(
        default=30, ge=1, le=600, description="time to undo approvals given at the desk, in seconds"
    )
    cash_limit_yuan: int = Field(
        default=1000,
        ge=0,
        description=(
            "a payment in cash beyond so many yuan wants a reason (1,000: 现金管理暂行条例, 结算起点; a city's own rules may set less); "
            "0: none does"
        ),
    )
