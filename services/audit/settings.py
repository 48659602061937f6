"""What audit must know beside what every service does."""

from pydantic import Field

from services.contracts.catalogue import ItemCode
from services.kit.settings import Settings


class AuditSettings(Settings):
    """Common settings, and which items the clock rules watch."""

    duty_items: tuple[ItemCode, ...] = Field(
        default=(),
        description="items that the clock rules watch, as a JSON list; none named means all of the catalogue",
    )
