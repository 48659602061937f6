"""What the read model holds, as values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from services.contracts.base import AcceptedFinding, Model
from services.contracts.bodies import LedgerSums
from services.contracts.disclosure import Opinion


class Said(Model):
    """What was said of an edition: who confirmed it, why differences stand, what a correction changed, who looked for secrets."""

    opinions: tuple[Opinion, ...] = ()
    accepted: tuple[AcceptedFinding, ...] = ()
    note: str | None = None
    secrecy_checked_by: str | None = None

    @property
    def texts(self) -> tuple[str | None, ...]:
        """Every sentence in it."""
        return (self.note, *(o.reason for o in self.opinions), *(a.reason for a in self.accepted))


@dataclass(frozen=True, slots=True)
class Publication:
    """A disclosure as villagers can see it: its newest edition, or, once withdrawn, its tombstone.

    Opening to closing and `sums` are a ledger's own; `amount_fen` is what another kind is about. None where there is none, or it
    is gone.
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
    kind: str = "ledger"
    amount_fen: int | None = None
    release: str = "approve"
    filed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    reason: str | None = None
    was_withdrawn_at: datetime | None = None
    restored_at: datetime | None = None
    restored_reason: str | None = None
    #: Of the edition that was public first; None where that is not known.
    submitted_at: datetime | None = None
    confirmed_at: datetime | None = None
    delivered_at: datetime | None = None
    sums: LedgerSums | None = None
    #: The tender's notice whose result this is, by its id.
    follows: str | None = None
    #: How many editions of it were ever public; `edition` is ingest's number, which counts savings too.
    number: int = 1

    @property
    def has_sums(self) -> bool:
        """Tell whether it is a ledger whose sums are told; of what was withdrawn none are."""
        return self.sums is not None

    @property
    def is_live(self) -> bool:
        """Tell whether it was not withdrawn."""
        return self.withdrawn_at is None

    @property
    def corrected(self) -> bool:
        """Tell whether an earlier edition was public; the number alone does not: a draft's savings are counted too."""
        return self.published_at > self.first_published_at

    @property
    def state(self) -> str:
        """`published`, `corrected` once a second edition is public, or `withdrawn`."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "corrected" if self.corrected else "published"


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition's content, as JSON text."""

    disclosure_id: str
    edition: int
    published_at: datetime
    body: str
    said: Said = field(default_factory=Said)


def edition_before(times: Iterable[tuple[int, datetime]], number: int) -> int:
    """The public edition before another by numbers and times of publishing; 0, which none has, when it was the first."""
    return max((n for n, _ in times if n < number), default=0)


def public_number(times: Sequence[tuple[int, datetime]], edition: int) -> int | None:
    """Which public edition an edition is: 1, 2, 3 … in the order of publication; None when it never was one."""
    return next((i for i, (n, _) in enumerate(times, 1) if n == edition), None)


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
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A cell that is not opened for a reason that everybody may read; the reason is None once its key is gone."""

    waiver_id: str
    village_code: str
    item: str
    period: str
    version: int
    state: str
    reason: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Declaration:
    """A quarter's answers: event days by on-event item, none for nothing."""

    village_code: str
    quarter: str
    edition: int
    answers: Mapping[str, Sequence[date]]
    confirmed_at: datetime


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
    number: int = 1
