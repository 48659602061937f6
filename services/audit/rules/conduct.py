"""Windows on what members of staff did with a cell: accounts that were reset and used, withdrawals.

They are cut from the cell's facts themselves; the cell folded from them tells what is open, not who did what.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.audit.rules.facts import Fact, gone
from services.audit.rules.window import View, Window
from services.contracts.alert import Subject


@dataclass(frozen=True, slots=True)
class ResetUse:
    """An account got a new password from somebody, spoke of an edition, and that somebody let the edition out."""

    event: str
    reset_account: str
    reset_by: str
    reset_at: datetime
    used_at: datetime
    approved_at: datetime
    handed_in: bool


@dataclass(frozen=True, slots=True)
class ResetWindow:
    """The gravest use of a reset account in what is open; `released` tells whether anything is."""

    released: bool
    cur: ResetUse | None

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a cell, once any edition was approved."""
        if view.cell.approved:
            uses = sorted(_uses(view.known), key=lambda u: (u.handed_in, u.used_at >= u.reset_at, u.reset_at, u.event))
            yield _subject(view), cls(bool(view.cell.editions), uses[-1] if uses else None)


def _uses(known: Sequence[Fact]) -> Iterator[ResetUse]:
    ended = gone(known)
    for reset in (f for f in known if f.kind == "reset" and f.disclosure not in ended):
        account, by = reset.data["account"], reset.data["by"]
        mine = [f for f in known if (f.disclosure, f.edition) == (reset.disclosure, reset.edition)]
        for let_out in (f for f in mine if f.kind == "approved" and f.data.get("approved_by") == by):
            times = [(f.occurred_at, False) for f in mine if f.kind == "confirmed" and f.data.get("by") == account]
            if let_out.data.get("submitted_by") == account:
                times.append((datetime.fromisoformat(let_out.data["submitted_at"]), True))
            for used_at, handed_in in times:
                yield ResetUse(
                    reset.event, account, by, reset.occurred_at, used_at, let_out.occurred_at, handed_in=handed_in
                )


@dataclass(frozen=True, slots=True)
class WithdrawalFacts:
    """A withdrawal of what was let out: by whom, their how manyth in 30 days, and what came in its place."""

    event: str
    withdrawn_by: str | None
    recent: int | None
    restored: bool
    entered_anew: bool
    figures_changed: bool


@dataclass(frozen=True, slots=True)
class WithdrawalWindow:
    """The newest withdrawal of a cell."""

    cur: WithdrawalFacts

    @classmethod
    def of(cls, view: View) -> "Iterator[tuple[Subject, Window]]":
        """One subject a cell of which anything that had been let out was withdrawn."""
        taken = [f for f in view.known if f.kind == "withdrawn" and f.data.get("was_published")]
        if taken:
            yield _subject(view), cls(_withdrawal(view.known, max(taken, key=lambda f: (f.occurred_at, f.event))))


def _withdrawal(known: Sequence[Fact], taken: Fact) -> WithdrawalFacts:
    approved = sorted((f for f in known if f.kind == "approved"), key=lambda f: (f.occurred_at, f.edition))
    before = [f for f in approved if f.disclosure == taken.disclosure]
    after = [f for f in approved if f.disclosure != taken.disclosure and f.occurred_at > taken.occurred_at]
    figures = (before[-1].data.get("figures") if before else None, after[-1].data.get("figures") if after else None)
    return WithdrawalFacts(
        event=taken.event,
        withdrawn_by=taken.data.get("by"),
        recent=taken.data.get("recent"),
        restored=taken.disclosure not in gone(known),
        entered_anew=bool(after),
        figures_changed=None not in figures and figures[0] != figures[1],
    )


def _subject(view: View) -> Subject:
    return Subject(village=view.key.village, item=view.key.item, period=view.key.period)
