"""What the read model keeps of an approved content, worked out from what travelled: nothing here asks anybody."""

from dataclasses import dataclass
from typing import TypedDict

from services.contracts.base import Sealed
from services.contracts.bodies import (
    Contract,
    Ledger,
    LedgerOutline,
    LedgerSums,
    Outline,
    Project,
    Roster,
    RosterOutline,
)
from services.kit.shred import open_sealed
from services.publish.render.opened import read_content
from services.publish.store.publications import close_edition


class Figures(TypedDict, total=False):
    """What a list tells of a body in one amount, and of a ledger in four."""

    opening_fen: int
    income_fen: int
    expense_fen: int
    closing_fen: int
    amount_fen: int | None
    sums: LedgerSums


@dataclass(frozen=True, slots=True)
class Kept:
    """The content for its column, and what is kept beside it in clear. `files`: digests of those that everybody may see."""

    sealed: bytes
    kind: str
    nil: bool
    line_count: int
    files: tuple[str, ...]
    figures: Figures
    follows: str | None = None


def keep(key: str, place: tuple[str, str, int], nonce: str, ciphertext: str, again: bool) -> Kept:  # noqa: FBT001 - called by place, from afar
    """Open a content and close it for its column; ValidationError when it is none, InvalidTag when it is of another place.

    `place`: the aggregate, the event's type, the edition. `again`: it was checked before.
    """
    aggregate_id, event_type, edition = place
    plain = open_sealed(key, aggregate_id, event_type, Sealed(nonce=nonce, ciphertext=ciphertext))
    opened = read_content(plain, again=again)
    body = opened.outline
    # What lies behind a line is served only where it was made to be shown.
    files = tuple(sorted(body.shown_files()))
    sealed = close_edition(key, aggregate_id, edition, opened.body, opened.said)
    return Kept(sealed, body.kind, body.nil, body.row_count, files, figures(body), follows(body))


def figures(body: Outline) -> Figures:
    """What lists tell of a body in fen."""
    match body:
        case Ledger() | LedgerOutline():
            sums = body.sums
            whole = sums.whole
            return {
                "opening_fen": whole.opening_fen,
                "income_fen": whole.income_fen,
                "expense_fen": whole.expense_fen,
                "closing_fen": whole.closing_fen,
                "sums": sums,
            }
        case Roster() | RosterOutline():
            return {"amount_fen": body.amount_fen if any(e.amount_fen is not None for e in body.entries) else None}
        case Contract():
            return {"amount_fen": body.total_fen if body.total_fen is not None else body.annual_fen}
        case Project():
            return {"amount_fen": body.contract_fen if body.contract_fen is not None else body.budget_fen}
        case _:
            return {}


def follows(body: Outline) -> str | None:
    """The tender's notice whose result a body says that it is."""
    return body.follows if isinstance(body, Contract | Project) else None
