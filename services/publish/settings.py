"""What publish must know beside what every service does."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.kit.settings import Settings


class PublishSettings(Settings):
    """Common settings, and how much of the rendered bodies is kept in memory."""

    hot_cache_bytes: int = Field(default=64 * 1024 * 1024, ge=0, description="rendered bodies kept in memory, in bytes")

    questions_at_once: int = Field(
        default=10, ge=1, le=10_000, description="questions that one network may ask at once (an IPv4 /24, an IPv6 /64)"
    )
    questions_again_s: int = Field(
        default=180, ge=1, le=86_400, description="seconds after which it may ask one question more"
    )
    questions_open: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="questions of one village that may wait for an answer; then no more is taken",
    )

    adoption_hosts: tuple[str, ...] = Field(
        default=(),
        description='hosts of media whose addresses may be shown at what they took over, as ["www.example.gov.cn"]',
    )

    @property
    def rendered(self) -> Path:
        """Folder of the rendered bodies, one sub-folder per release of the templates."""
        return self.home / "publish"


class StandbySettings(BaseSettings):
    """All that the standby needs to know: it has no database and no topics."""

    model_config = SettingsConfigDict(env_prefix="SANWU_", frozen=True, extra="ignore")

    http_host: str = Field(default="127.0.0.1", description="address of the inner port")
    http_port: int = Field(ge=0, le=65535, description="inner port; the gateway asks it when publish does not answer")
    home: Path = Field(description="the same folder as publish's")
