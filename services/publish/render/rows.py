"""What the read model holds, as values."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Publication:
    """A disclosure as villagers can see it: its newest edition, or, once withdrawn, its tombstone.

    The figures are the ledger's own: None where the body is none or is gone.
    """

    disclosure_id: str
    village_code: str
    item: str
    period: str
    edition: int
    digest: str
    history: bool
    nil: bool
    first_published_at: datetime
    published_at: datetime
    opening_fen: int | None = None
    income_fen: int | None = None
    expense_fen: int | None = None
    closing_fen: int | None = None
    line_count: int | None = None
    withdrawn_at: datetime | None = None
    reason: str | None = None

    @property
    def state(self) -> str:
        """`published`, `corrected` from the second edition on, or `withdrawn`."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "corrected" if self.edition > 1 else "published"


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition's content, as JSON text."""

    disclosure_id: str
    edition: int
    published_at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class Step:
    """How far an edition under way has come."""

    disclosure_id: str
    village_code: str
    item: str
    period: str
    version: int
    submitted_at: datetime | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Code:
    """A code on a wall."""

    code: str
    village_code: str
    purpose: str
    place: str | None
    serial: int
    state: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that villagers could see change, at its position in the order of commits."""

    position: int
    disclosure_id: str
    village_code: str
    item: str
    period: str
    edition: int
    kind: str
    changed_at: datetime
