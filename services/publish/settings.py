"""Settings of publish."""

from pathlib import Path

from pydantic import Field

from services.kit.settings import Settings


class PublishSettings(Settings):
    """Common settings, and how much of the rendered bodies is kept in memory."""

    hot_cache_bytes: int = Field(default=64 * 1024 * 1024, ge=0, description="rendered bodies kept in memory, in bytes")

    @property
    def rendered(self) -> Path:
        """Folder of the rendered bodies, one sub-folder per release of the templates."""
        return self.home / "publish"
