"""What qr must know beside what every service does."""

from pydantic import Field

from services.kit.settings import Settings


class QrSettings(Settings):
    """The common settings; `public_url` is what stands inside every code."""

    silent_days: int = Field(
        default=60, ge=7, le=365, description="days without a scan after which a code that hangs is told to be silent"
    )
