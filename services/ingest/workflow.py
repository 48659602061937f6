"""A disclosure's states and the steps between them; pure.

draft → submitted → confirmed → approved → published; returned goes back to the clerk; withdrawn ends it.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from services.contracts.base import Role


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
    WITHDRAW = "withdraw"


#: A reviewer may enter for a village that has no clerk; the same person then cannot approve it.
ROLES: Final[Mapping[Action, tuple[Role, ...]]] = MappingProxyType(
    {
        Action.SAVE: (Role.CLERK, Role.REVIEWER),
        Action.SUBMIT: (Role.CLERK, Role.REVIEWER),
        Action.CONFIRM: (Role.SUPERVISOR,),
        Action.RETURN: (Role.SUPERVISOR, Role.REVIEWER),
        Action.APPROVE: (Role.REVIEWER,),
        Action.WITHDRAW: (Role.REVIEWER,),
    },
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
        Action.WITHDRAW: frozenset(State) - {State.WITHDRAWN},
    },
)


def allows(state: State, action: Action) -> bool:
    """Tell whether an action fits a state."""
    return state in _FROM[action]


def after_submit(confirmations: tuple[str, ...]) -> State:
    """Where a submitted disclosure stands: an item that nobody has to confirm is as good as confirmed."""
    return State.SUBMITTED if confirmations else State.CONFIRMED


def actions_for(role: Role, state: State) -> tuple[Action, ...]:
    """What a role may do in a state, for the buttons of a page."""
    return tuple(a for a in Action if role in ROLES[a] and allows(state, a))
