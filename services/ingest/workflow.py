"""A disclosure's states, the steps between them, who may take them, and when an edition is confirmed; pure.

draft → submitted → confirmed → approved → published; returned goes back to the clerk; a correction is a draft again
while the published edition stays; withdrawn ends it.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from services.contracts.base import Role
from services.contracts.disclosure import Opinion, Party


class State(StrEnum):
    """Where a disclosure stands (terms: docs/glossary.md)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CONFIRMED = "confirmed"
    RETURNED = "returned"
    APPROVED = "approved"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """What somebody does to a disclosure."""

    SAVE = "save"
    SUBMIT = "submit"
    CONFIRM = "confirm"
    RETURN = "return"
    APPROVE = "approve"
    FILE = "file"
    CORRECT = "correct"
    DISCARD = "discard"
    WITHDRAW = "withdraw"


#: A reviewer may enter for a village that has no clerk; the same person then cannot approve it without a delegation.
_ENTERING: Final = (Role.CLERK, Role.ACCOUNTANT, Role.REVIEWER)
#: Whose word a role gives.
PARTIES: Final[Mapping[Role, Party]] = MappingProxyType(
    {Role.SUPERVISOR: "supervisors", Role.PRINCIPAL: "principal", Role.ACCOUNTANT: "accountant"}
)
#: Who may bring a signed sheet of the supervisors.
SHEET_BEARERS: Final = (Role.CLERK, Role.SUPERVISOR, Role.REVIEWER)
ROLES: Final[Mapping[Action, tuple[Role, ...]]] = MappingProxyType(
    {
        Action.SAVE: _ENTERING,
        Action.SUBMIT: _ENTERING,
        Action.CONFIRM: tuple(dict.fromkeys((*PARTIES, *SHEET_BEARERS))),
        Action.RETURN: (Role.SUPERVISOR, Role.REVIEWER),
        Action.APPROVE: (Role.REVIEWER,),
        Action.FILE: (Role.REVIEWER,),
        Action.CORRECT: _ENTERING,
        Action.DISCARD: _ENTERING,
        Action.WITHDRAW: (Role.REVIEWER,),
    },
)
#: Roles that read what is under way.
READERS: Final = (
    Role.CLERK,
    Role.ACCOUNTANT,
    Role.PRINCIPAL,
    Role.SUPERVISOR,
    Role.REVIEWER,
    Role.DEPARTMENT,
    Role.INSPECTOR,
    Role.OPERATOR,
)

_OPEN: Final = frozenset({State.DRAFT, State.RETURNED})
_IN_CHECK: Final = frozenset({State.SUBMITTED, State.CONFIRMED})
_FROM: Final[Mapping[Action, frozenset[State]]] = MappingProxyType(
    {
        Action.SAVE: _OPEN,
        Action.SUBMIT: _OPEN,
        Action.CONFIRM: frozenset({State.SUBMITTED}),
        Action.RETURN: _IN_CHECK,
        Action.APPROVE: frozenset({State.CONFIRMED}),
        Action.FILE: frozenset({State.APPROVED, State.PUBLISHED}),
        Action.CORRECT: frozenset({State.PUBLISHED}),
        Action.DISCARD: _OPEN,
        Action.WITHDRAW: frozenset(State) - {State.WITHDRAWN},
    },
)


def allows(state: State, action: Action) -> bool:
    """Tell whether an action fits a state."""
    return state in _FROM[action]


def actions_for(role: Role, state: State) -> tuple[Action, ...]:
    """What a role may do in a state, for the buttons of a page."""
    return tuple(a for a in Action if role in ROLES[a] and allows(state, a))


def open_parties(parties: Iterable[Party], opinions: Sequence[Opinion], needed: int) -> tuple[Party, ...]:
    """Parties whose word is still missing; `needed` supervisors agree each for themselves, or sign one sheet.

    A dissent (不同意见) is recorded and counts for nothing.
    """
    agreed = [o for o in opinions if o.opinion == "agree"]

    def has_spoken(party: Party) -> bool:
        words = [o for o in agreed if o.party == party]
        if party != "supervisors":
            return bool(words)
        own = sum(o.sheet is None for o in words)
        return own >= needed or any(len(o.names) >= needed for o in words if o.sheet is not None)

    return tuple(p for p in parties if not has_spoken(p))
