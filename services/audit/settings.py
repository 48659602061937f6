"""What audit must know beside what every service does."""

from pathlib import Path

from pydantic import Field

from services.contracts.catalogue import ItemCode
from services.kit.settings import Settings


class AuditSettings(Settings):
    """Common settings, and which items the clock rules watch."""

    duty_items: tuple[ItemCode, ...] = Field(
        default=(),
        description="items that the clock rules watch, as a JSON list; none named means all of the catalogue",
    )
    limits: Path | None = Field(
        default=None,
        description="folder with the limits of the province, the city and its townships, a TOML file each; docs/limits.md",
    )
