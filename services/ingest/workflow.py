"""A disclosure's states, the steps between them, who may take them, and when an edition is confirmed; pure.

draft → submitted → confirmed → approved → published; returned goes back to the clerk; a correction is a draft again
while the published edition stays; withdrawn takes it out of everybody's sight, restored brings it back, erased ends it.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from services.contracts.base import Role
from services.contracts.disclosure import Opinion, Party
from services.contracts.duties import Holder


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
    MASK = "mask"
    ACCEPT = "accept"
    SUBMIT = "submit"
    CONFIRM = "confirm"
    RETURN = "return"
    APPROVE = "approve"
    FILE = "file"
    CORRECT = "correct"
    DISCARD = "discard"
    WITHDRAW = "withdraw"
    RESTORE = "restore"
    ERASE = "erase"


class Errand(StrEnum):
    """What somebody does beside the steps of a disclosure."""

    READ = "read"
    ATTACH = "attach"
    FILE_WAIVER = "file_waiver"
    DECIDE_WAIVER = "decide_waiver"
    DECLARE = "declare"
    CONFIRM_DECLARATION = "confirm_declaration"
    RETURN_DECLARATION = "return_declaration"
    ANSWER_QUESTION = "answer_question"
    HAND_UP_QUESTION = "hand_up_question"
    HIDE_QUESTION = "hide_question"


#: A reviewer may enter for a village that has no clerk; the same person then cannot approve it without a delegation.
_FILING: Final = (Role.CLERK, Role.ACCOUNTANT, Role.REVIEWER)
#: A department enters only what it publishes itself: `enters`.
_ENTERING: Final = (*_FILING, Role.DEPARTMENT)
#: Whose word a role gives.
PARTIES: Final[Mapping[Role, Party]] = MappingProxyType(
    {Role.SUPERVISOR: "supervisors", Role.PRINCIPAL: "principal", Role.ACCOUNTANT: "accountant"}
)
#: Who may bring a signed sheet of the supervisors.
SHEET_BEARERS: Final = (Role.CLERK, Role.SUPERVISOR, Role.REVIEWER)
#: Every right in ingest. Beside the role, the village lies in the person's scope and the item in their affairs.
RIGHTS: Final[Mapping[Action | Errand, tuple[Role, ...]]] = MappingProxyType(
    {
        Action.SAVE: _ENTERING,
        Action.MASK: _ENTERING,
        Action.ACCEPT: (Role.REVIEWER,),
        Action.SUBMIT: _ENTERING,
        Action.CONFIRM: tuple(dict.fromkeys((*PARTIES, *SHEET_BEARERS))),
        Action.RETURN: (Role.SUPERVISOR, Role.REVIEWER),
        Action.APPROVE: (Role.REVIEWER,),
        Action.FILE: (Role.REVIEWER,),
        Action.CORRECT: _ENTERING,
        Action.DISCARD: _ENTERING,
        Action.WITHDRAW: (Role.REVIEWER,),
        Action.RESTORE: (Role.REVIEWER,),
        Action.ERASE: (Role.REVIEWER, Role.INSPECTOR),
        Errand.READ: (
            Role.CLERK,
            Role.ACCOUNTANT,
            Role.PRINCIPAL,
            Role.SUPERVISOR,
            Role.REVIEWER,
            Role.DEPARTMENT,
            Role.INSPECTOR,
            Role.OPERATOR,
        ),
        Errand.ATTACH: (*_ENTERING, Role.SUPERVISOR),
        Errand.FILE_WAIVER: _FILING,
        Errand.DECIDE_WAIVER: (Role.REVIEWER,),
        Errand.DECLARE: _FILING,
        Errand.CONFIRM_DECLARATION: (Role.SUPERVISOR,),
        Errand.RETURN_DECLARATION: (Role.SUPERVISOR, Role.REVIEWER),
        Errand.ANSWER_QUESTION: (Role.CLERK, Role.PRINCIPAL, Role.REVIEWER),
        Errand.HAND_UP_QUESTION: (Role.CLERK, Role.PRINCIPAL),
        Errand.HIDE_QUESTION: (Role.REVIEWER,),
    },
)
#: Who reads what was withdrawn as long as it is not erased.
KEEPERS: Final = (Role.INSPECTOR,)
#: Roles that read what is under way.
READERS: Final = RIGHTS[Errand.READ]
_ENTERING_ACTIONS: Final = frozenset({Action.SAVE, Action.MASK, Action.SUBMIT, Action.CORRECT, Action.DISCARD})

_OPEN: Final = frozenset({State.DRAFT, State.RETURNED})
_IN_CHECK: Final = frozenset({State.SUBMITTED, State.CONFIRMED})
_FROM: Final[Mapping[Action, frozenset[State]]] = MappingProxyType(
    {
        Action.SAVE: _OPEN,
        Action.MASK: _OPEN,
        Action.ACCEPT: _OPEN,
        Action.SUBMIT: _OPEN,
        Action.CONFIRM: frozenset({State.SUBMITTED}),
        Action.RETURN: _IN_CHECK,
        Action.APPROVE: frozenset({State.CONFIRMED}),
        Action.FILE: frozenset({State.APPROVED, State.PUBLISHED}),
        Action.CORRECT: frozenset({State.APPROVED, State.PUBLISHED}),
        Action.DISCARD: _OPEN,
        Action.WITHDRAW: frozenset(State) - {State.WITHDRAWN},
        Action.RESTORE: frozenset({State.WITHDRAWN}),
        Action.ERASE: frozenset({State.WITHDRAWN}),
    },
)


def allows(state: State, action: Action) -> bool:
    """Tell whether an action fits a state."""
    return state in _FROM[action]


def enters(role: Role, publisher: Holder) -> bool:
    """Tell whether a role enters an item: a department only what it publishes itself."""
    return role in RIGHTS[Action.SAVE] and (role is not Role.DEPARTMENT or publisher == "department")


def takes_step(role: Role, action: Action, publisher: Holder) -> bool:
    """Tell whether a role takes a step, in whatever state, on an item that somebody publishes."""
    return enters(role, publisher) if action in _ENTERING_ACTIONS else role in RIGHTS[action]


def actions_for(role: Role, state: State, publisher: Holder = "village") -> tuple[Action, ...]:
    """What a role may do in a state, for the buttons of a page."""
    return tuple(a for a in Action if takes_step(role, a, publisher) and allows(state, a))


def open_parties(
    parties: Iterable[Party], opinions: Sequence[Opinion], needed: int, *, by_account: bool = False
) -> tuple[Party, ...]:
    """Parties whose word is still missing; `needed` supervisors agree each for themselves, or sign one sheet.

    A dissent (不同意见) is recorded and counts for nothing. With `by_account` no sheet counts: nobody looks at its
    photograph before the content is let out.
    """
    agreed = [o for o in opinions if o.opinion == "agree"]

    def has_spoken(party: Party) -> bool:
        words = [o for o in agreed if o.party == party]
        if party != "supervisors":
            return bool(words)
        own = sum(o.sheet is None for o in words)
        signed = [len(set(o.names)) for o in words if o.sheet is not None and not by_account]
        return own >= needed or any(names >= needed for names in signed)

    return tuple(p for p in parties if not has_spoken(p))
