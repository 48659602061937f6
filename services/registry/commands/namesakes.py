"""One person with two accounts would be second eyes to themselves: accounts of one name that reach one village.

Who enters and who supervises in one village must be two people, and two supervisors as well; an operator who knows that
they are (同名不同人) says why, and the trail keeps it. Every other pair of one name is told, not refused.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.contracts.base import Role
from services.contracts.staff import Staff, StaffRevision
from services.contracts.values import without_hidden
from services.contracts.words import ROLE_NAMES
from services.kit.reference import Reference

#: Pairs of roles in one village that one person cannot hold.
_APART: Final = frozenset({frozenset({Role.CLERK, Role.SUPERVISOR}), frozenset({Role.SUPERVISOR})})
#: Roles whose word counts on a disclosure's way.
_COUNTING: Final = frozenset(
    {Role.CLERK, Role.ACCOUNTANT, Role.PRINCIPAL, Role.SUPERVISOR, Role.REVIEWER, Role.DEPARTMENT}
)
#: Categories of signs that make no other name: blanks, signs of format, marks (which choose a variant), punctuation.
_UNREAD: Final = frozenset("ZCMP")


@dataclass(frozen=True, slots=True)
class Namesake:
    """Another account of the same name that reaches the same village. `refused`: the two must be two people."""

    username: str
    role: Role
    scope: str
    refused: bool

    @property
    def sentence(self) -> str:
        """Role, username and place of the other account, for the operator."""
        return f"与{ROLE_NAMES[self.role]}账号 {self.username}（{self.scope}）同名"


def plain_name(name: str | None) -> str:
    """A name as it is compared: without blanks, points, and what nobody sees, in full width or half."""
    seen = without_hidden(unicodedata.normalize("NFKC", name or ""))
    return "".join(sign for sign in seen if unicodedata.category(sign)[0] not in _UNREAD)


def namesakes(reference: Reference, staff: Staff, others: Iterable[Staff], today: date) -> list[Namesake]:
    """Accounts in service today with the name of one, where both reach one village; by username."""
    held, name = staff.at(today), plain_name(staff.name)
    if held is None or not name or held.role not in _COUNTING:
        return []
    same = (s for s in others if s.staff_id != staff.staff_id and plain_name(s.name) == name)
    return sorted(_meeting(reference, held, same, today), key=lambda n: n.username)


def _meeting(reference: Reference, held: StaffRevision, same: Iterable[Staff], today: date) -> Iterator[Namesake]:
    for other in same:
        theirs = other.at(today)
        if theirs is None or theirs.role not in _COUNTING:
            continue
        if reference.covers(held.scope, theirs.scope) or reference.covers(theirs.scope, held.scope):
            refused = held.scope == theirs.scope and frozenset({held.role, theirs.role}) in _APART
            yield Namesake(other.username, theirs.role, theirs.scope, refused)
