"""Settings of ingest."""

from pydantic import Field

from services.kit.settings import Settings


class IngestSettings(Settings):
    """Common settings, and how long an approval or a withdrawal can be taken back."""

    withdrawal_days: int = Field(
        default=7, ge=0, le=90, description="how long a withdrawal can be undone before the content is erased, in days"
    )
    undo_seconds: int = Field(
        default=30, ge=1, le=600, description="time to undo approvals given at the desk, in seconds"
    )
