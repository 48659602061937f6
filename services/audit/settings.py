"""Settings of audit."""

from pydantic import Field

from services.contracts.catalogue import ItemCode
from services.kit.settings import Settings


class AuditSettings(Settings):
    """Common settings, and which items the clock rules watch."""

    duty_items: tuple[ItemCode, ...] = Field(
        default=("F01",),
        description=(
            "monthly ledger items whose missing disclosure raises D01, as a JSON list; only the ledger can be opened "
            "in this version, so watching another item would raise an alert that no village can clear"
        ),
    )
