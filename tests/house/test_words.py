"""One word for one member of a closed set: form, page, prepared file, pasted block and API say the same."""

import re
from datetime import date
from typing import Any, Final, get_args

import pytest

from services.contracts import words
from services.contracts.account import ACCOUNTS
from services.contracts.base import Role
from services.contracts.bodies import (
    Contract,
    ContractType,
    Decision,
    Direction,
    Line,
    Meeting,
    Project,
    Standing,
    Tender,
)
from services.contracts.catalogue import Affair, ItemKind
from services.contracts.code import CodeKind
from services.contracts.disclosure import DisclosureApproved, Opinion, Party
from services.contracts.division import DivisionKind
from services.contracts.duties import CellState, Holder
from services.contracts.question import Paper, QuestionKind, QuestionState, Shows
from services.contracts.values import Frequency
from services.ingest.bulk import prepared
from services.ingest.bulk.cells import to_account
from services.ingest.forms import spec
from services.publish.render.changes import what_changed
from services.publish.render.kinds import contract_view, decision_view, project_view
from services.publish.render.words import method_words
from tests.conftest import ServiceFactory

DAY: Final = date(2026, 10, 3)

#: Every set with its members as the contracts have them.
MEMBERS: Final[dict[str, set[str]]] = {
    "role": set(Role),
    "party": set(get_args(Party)),
    "opinion": set(get_args(Opinion.model_fields["opinion"].annotation)),
    "held_by": set(get_args(Holder)),
    "release": set(get_args(DisclosureApproved.model_fields["release"].annotation)),
    "affair": set(Affair),
    "frequency": set(Frequency),
    "division": set(DivisionKind),
    "cell": set(CellState),
    "meeting": set(Meeting),
    "contract": set(ContractType),
    "tender": set(Tender),
    "direction": set(Direction),
    "method": {"cash", "transfer", "card"},
    "account": {"cash", "bank", "imprest"},
    "standing": set(Standing),
    "purpose": {"board", "gate", "card"},
    "code_kind": set(CodeKind),
    "question": set(QuestionKind),
    "paper": set(Paper),
    "question_state": set(QuestionState),
    "shows": set(get_args(Shows)),
}


def test_every_member_of_every_set_has_one_word_of_its_own() -> None:
    assert {name: {str(k) for k in of} for name, of in words.SETS.items()} == {
        name: {str(m) for m in members} for name, members in MEMBERS.items()
    }
    for name, of in words.SETS.items():
        assert len(set(of.values())) == len(of), name


def _options(kind: ItemKind, path: str) -> dict[str, str]:
    form = spec._SPECS[kind]
    cells = [*form.cells, *(c for grid in form.grids for c in grid.cells)]
    return {code: word for c in cells if c.path == path for code, word in c.options if code}


def _facts(view: Any) -> list[str]:
    return [value for _, value in view.facts]


@pytest.mark.parametrize("member", Meeting)
def test_a_villager_reads_the_meeting_that_the_clerk_picked(member: Meeting) -> None:
    picked = _options(ItemKind.DECISION, "meeting")[member]
    body = Decision(title="修路", meeting=member, held_on=DAY, resolution="同意。")
    assert picked in _facts(decision_view(body))


@pytest.mark.parametrize("member", ContractType)
def test_a_villager_reads_the_sort_of_contract_that_the_clerk_picked(member: ContractType) -> None:
    picked = _options(ItemKind.CONTRACT, "type")[member]
    body = Contract(title="鱼塘", type=member, party="某公司", subject="东塘", signed_on=DAY, begins=DAY)
    assert picked in _facts(contract_view(body))


@pytest.mark.parametrize("member", Tender)
def test_a_villager_reads_the_way_of_tender_that_the_clerk_picked(member: Tender) -> None:
    picked = _options(ItemKind.PROJECT, "tender")[member]
    assert picked in _facts(project_view(Project(title="修路", scope="一条", tender=member)))


def _changed(before: Any, after: Any) -> str:
    return "".join(what_changed(before, after))


@pytest.mark.parametrize(("old", "new"), [(a, b) for a in Meeting for b in Meeting if a is not b])
def test_what_a_correction_changed_is_told_in_the_same_words(old: Meeting, new: Meeting) -> None:
    bodies = [Decision(title="修路", meeting=m, held_on=DAY, resolution="同意。") for m in (old, new)]
    assert f"由“{words.MEETINGS[old]}”改为“{words.MEETINGS[new]}”" in _changed(*bodies)


def test_a_prepared_file_is_read_by_the_words_of_the_form() -> None:
    form, file = _options(ItemKind.LEDGER, "direction"), prepared._DIRECTIONS
    assert {word: code for code, word in form.items()}.items() <= file.items()
    methods = _options(ItemKind.LEDGER, "method")
    assert {word: code for code, word in methods.items()}.items() <= prepared._METHODS.items()
    assert {to_account(word): word for word in ACCOUNTS.values()} == dict(ACCOUNTS)


def test_a_way_of_paying_reads_alike_on_form_and_page() -> None:
    assert {code: method_words(code) for code in MEMBERS["method"]} == _options(ItemKind.LEDGER, "method")
    assert set(get_args(get_args(Line.model_fields["method"].annotation)[0])) == MEMBERS["method"]


async def test_the_api_says_them_all(service: ServiceFactory) -> None:
    publish = await service("publish")
    answer = await publish.client.get("/api/v1/words")
    assert answer.status_code == 200
    assert answer.json() == {name: {str(k): w for k, w in of.items()} for name, of in words.SETS.items()}


def test_no_reader_has_words_of_its_own() -> None:
    """A word of two or more members' sets stands in `contracts/words.py` alone, as a value of a mapping or an option."""
    from pathlib import Path  # noqa: PLC0415 - for this test alone

    root = Path(__file__).parents[2]
    of_sets = {
        w for name in ("meeting", "contract", "tender", "role", "party", "held_by") for w in words.SETS[name].values()
    }
    found = []
    for file in [*(root / "services").rglob("*.py"), *(root / "deploy" / "docs").rglob("*.py")]:
        if file.name == "words.py" and file.parent.name == "contracts":
            continue
        text = file.read_text(encoding="utf-8")
        found += [
            f"{file.relative_to(root)}: {m[0]}"
            for m in re.finditer(r'[\w."]+: "([^"]+)",?$|\("\w+", "([^"]+)"\),?$', text, re.MULTILINE)
            if (m[1] or m[2]) in of_sets
        ]
    assert found == []
