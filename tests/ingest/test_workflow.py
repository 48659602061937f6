"""Who may take which step, and whose word is still missing: tables, without a city."""

import pytest

from services.contracts.base import Role
from services.contracts.disclosure import Opinion, Party
from services.contracts.duties import Holder
from services.ingest.workflow import Action, State, actions_for, allows, open_parties, takes_step
from tests import builders


def word(party: Party, *names: str, opinion: str = "agree", sheet: bool = False) -> Opinion:
    return Opinion.model_validate(
        {
            "party": party,
            "opinion": opinion,
            "names": names or ("张",),
            "reason": "对第3行有疑问。" if opinion == "dissent" else None,
            "sheet": "0" * 64 if sheet else None,
            "at": builders.NOW,
        }
    )


@pytest.mark.parametrize(
    ("role", "state", "offered"),
    [
        (Role.CLERK, State.DRAFT, {Action.SAVE, Action.MASK, Action.SUBMIT, Action.DISCARD}),
        (Role.CLERK, State.SUBMITTED, {Action.CONFIRM}),
        (Role.CLERK, State.CONFIRMED, set()),
        (Role.CLERK, State.PUBLISHED, {Action.CORRECT}),
        (Role.SUPERVISOR, State.DRAFT, set()),
        (Role.SUPERVISOR, State.SUBMITTED, {Action.CONFIRM, Action.RETURN}),
        (Role.SUPERVISOR, State.CONFIRMED, {Action.RETURN}),
        (Role.PRINCIPAL, State.SUBMITTED, {Action.CONFIRM}),
        (Role.REVIEWER, State.CONFIRMED, {Action.APPROVE, Action.RETURN, Action.WITHDRAW}),
        (Role.REVIEWER, State.PUBLISHED, {Action.FILE, Action.CORRECT, Action.WITHDRAW}),
        (Role.REVIEWER, State.WITHDRAWN, {Action.RESTORE, Action.ERASE}),
        (Role.INSPECTOR, State.CONFIRMED, set()),
        (Role.INSPECTOR, State.WITHDRAWN, {Action.ERASE}),
    ],
)
def test_a_role_is_offered_its_own_steps_and_no_others(role: Role, state: State, offered: set[Action]) -> None:
    assert set(actions_for(role, state)) == offered


@pytest.mark.parametrize(
    ("publisher", "action", "allowed"),
    [
        ("department", Action.SAVE, True),
        ("village", Action.SAVE, False),
        ("department", Action.APPROVE, False),
        ("department", Action.CONFIRM, False),
    ],
)
def test_a_department_enters_what_it_publishes_and_does_nothing_else(
    publisher: Holder, action: Action, *, allowed: bool
) -> None:
    assert takes_step(Role.DEPARTMENT, action, publisher) is allowed


@pytest.mark.parametrize("state", [State.SUBMITTED, State.CONFIRMED, State.APPROVED, State.PUBLISHED, State.WITHDRAWN])
def test_what_was_handed_in_is_not_written_in(state: State) -> None:
    assert [allows(state, a) for a in (Action.SAVE, Action.MASK, Action.ACCEPT, Action.SUBMIT, Action.DISCARD)] == [
        False
    ] * 5


@pytest.mark.parametrize(
    ("words", "needed", "missing"),
    [
        ([], 1, ("supervisors", "principal")),
        ([word("principal")], 1, ("supervisors",)),
        ([word("principal"), word("supervisors")], 1, ()),
        ([word("principal", opinion="dissent"), word("supervisors")], 1, ("principal",)),
        ([word("principal"), word("supervisors", opinion="dissent")], 1, ("supervisors",)),
        ([word("principal"), word("supervisors")], 2, ("supervisors",)),
        ([word("principal"), word("supervisors"), word("supervisors", "李")], 2, ()),
        # One sheet of one name and one account are two words, but neither says that two agree.
        ([word("principal"), word("supervisors"), word("supervisors", "李", sheet=True)], 2, ("supervisors",)),
        ([word("principal"), word("supervisors", "李", "王", sheet=True)], 2, ()),
        ([word("principal"), word("supervisors", "李", "王", sheet=True)], 3, ("supervisors",)),
    ],
)
def test_a_partys_word_is_missing_until_enough_of_it_agree(
    words: list[Opinion], needed: int, missing: tuple[Party, ...]
) -> None:
    assert open_parties(["supervisors", "principal"], words, needed) == missing


def test_without_sheets_each_supervisor_speaks_by_account() -> None:
    sheet, own = word("supervisors", "李", "王", sheet=True), word("supervisors")
    assert open_parties(["supervisors"], [sheet, own], 2, by_account=True) == ("supervisors",)
    assert open_parties(["supervisors"], [sheet, own, word("supervisors", "李")], 2, by_account=True) == ()
