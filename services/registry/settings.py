"""Settings of the registry."""

from datetime import timedelta

from pydantic import Field

from services.kit.settings import Settings


class RegistrySettings(Settings):
    """Common settings, and how long people stay signed in."""

    session_length: timedelta = Field(
        default=timedelta(hours=12), description="a working day; then people sign in again"
    )
    free_failures: int = Field(default=5, ge=1, description="failed sign-ins before an account waits")
    longest_wait: timedelta = Field(default=timedelta(minutes=15), description="upper bound of the growing wait")
