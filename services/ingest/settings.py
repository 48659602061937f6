"""Settings of ingest."""

from pydantic import Field

from services.kit.settings import Settings


class IngestSettings(Settings):
    """Common settings, and how long an approval can be taken back."""

    undo_seconds: int = Field(
        default=30, ge=1, le=600, description="time to undo approvals given at the desk, in seconds"
    )
