"""Rules against the cases beside them, against mutants of themselves, and against their lock."""

import ast
import copy
import importlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import rfc8785

from services.audit import rules
from services.audit.rules import BY_ID, LEADS, hashing
from services.audit.rules import RULES as PROVABLE
from services.audit.rules.base import Case, Rule, Settings
from services.audit.rules.details import FACTS_VERSION
from services.audit.rules.evidence import canonical, check_pack, make_pack, pack_hash
from services.audit.rules.facts import AccountSums, LedgerTotals
from services.audit.rules.hashing import Place, code_hash
from services.audit.rules.judge import Judgement, alert_id
from services.audit.rules.window import BalanceWindow, TotalsWindow
from services.audit.rules.written import from_facts, to_facts
from services.contracts.alert import Subject
from services.contracts.values import canonical_json

RULES = (*PROVABLE, *LEADS)
#: What makes a cell of facts, and facts of bodies.
FACTS = [Place("services.audit.rules.facts", "fold"), Place("services.audit.rules.details", "body_data")]
LOCK = Path(rules.__file__).with_name("lock.json")
SUBJECT = Subject(village="210881006206", item="F01", period="2026-10")


def module_of(rule: Rule) -> ModuleType:
    return sys.modules[rule.judge.__module__]


def cases_of(rule: Rule) -> tuple[Case, ...]:
    cases: tuple[Case, ...] = module_of(rule).CASES
    return cases


ALL_CASES = [pytest.param(r, c, id=f"{r.id} {c.name}") for r in RULES for c in cases_of(r)]


def narrowed(rule: Rule, window: Any, settings: Settings) -> Any:
    return rule.narrow(window, settings) if rule.narrow is not None else window


def fails(rule: Rule, case: Case) -> str | None:
    """What of a case a rule does not fulfil."""
    settings = {**rule.settings, **case.settings}
    outcome = rule.judge(narrowed(rule, case.window, settings), settings)
    if (outcome.result, outcome.level) != (case.result, case.level):
        return f"{outcome.result} {outcome.level}"
    if case.reason and outcome.reason != case.reason:
        return outcome.reason
    if case.say and outcome.say != case.say:
        return outcome.say
    if case.steps and outcome.steps != case.steps:
        return str(outcome.steps)
    if case.moments is not None and rule.moments is not None and rule.moments(case.window, settings) != case.moments:
        return "moments"
    return None


@pytest.mark.parametrize(("rule", "case"), ALL_CASES)
def test_every_case_comes_out_as_its_rule_promises(rule: Rule, case: Case) -> None:
    assert fails(rule, case) is None


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_every_rule_has_a_positive_a_near_miss_and_a_case_that_does_not_apply(rule: Rule) -> None:
    assert {c.result for c in cases_of(rule)} == {"hit", "pass", "n/a"}


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_every_rule_says_on_what_ground_and_what_to_rule_out(rule: Rule) -> None:
    assert rule.law
    assert rule.false_alarms
    assert rule.ask
    assert rule.explanation
    assert rule.kind == ("lead" if rule in LEADS else "provable")


@pytest.mark.parametrize(("rule", "case"), ALL_CASES)
def test_sentences_have_at_most_60_characters(rule: Rule, case: Case) -> None:
    assert len(rule.judge(case.window, {**rule.settings, **case.settings}).say) <= 60


def test_sentences_stay_short_for_the_largest_sums_that_a_body_can_hold() -> None:
    huge = 2000 * (2**53 - 1)
    a01, a03 = BY_ID["A01"], BY_ID["A03"]
    totals = TotalsWindow(LedgerTotals("e", -huge, -huge, huge, huge))
    balance = BalanceWindow(is_open=True, cur=AccountSums("e", huge, huge, -huge, huge, -huge, -huge))
    for rule, window in ((a01, totals), (a03, balance)):
        outcome = rule.judge(window, rule.settings)
        assert outcome.result == "hit"
        assert len(outcome.say) <= 60
        pack = make_pack("210881", Judgement("0" * 30, rule, SUBJECT, window, outcome, None, 1, rule.settings))
        assert json.loads(canonical(pack))["sentence"] == outcome.say


# -- mutants ------------------------------------------------------------------------------------------------------

_FLIPS: dict[type, type] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


def _changed(node: ast.AST) -> ast.AST | None:
    """A node with one comparison, operator or number flipped; None where there is nothing to flip."""
    other: Any = copy.deepcopy(node)
    match node:
        case ast.Compare(ops=[op]) if type(op) in _FLIPS:
            other.ops = [_FLIPS[type(op)]()]
        case ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in _FLIPS:
            other.op = _FLIPS[type(op)]()
        case ast.UnaryOp(op=ast.Not()):
            other = other.operand
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            other.value = number + 1
        case _:
            return None
    return other  # type: ignore[no-any-return] # a copy of a node is a node


def mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """The rule with each comparison, operator and number of its own functions flipped, one at a time."""
    module = module_of(rule)
    tree = ast.parse(inspect.getsource(module))
    used = {n.id for f in tree.body if isinstance(f, ast.FunctionDef) for n in ast.walk(f) if isinstance(n, ast.Name)}
    for n, top in enumerate(tree.body):
        is_part = isinstance(top, ast.FunctionDef) and (top.name == rule.judge.__name__ or top.name in used)
        for k, node in enumerate(ast.walk(top) if is_part else ()):
            new = _changed(node)
            if new is None or "decorator" in _where(top, node):
                continue
            mutant = copy.deepcopy(tree)
            old = list(ast.walk(mutant.body[n]))[k]
            _swap(mutant.body[n], old, new)
            names = {**vars(module)}
            exec(compile(ast.fix_missing_locations(mutant), "mutant", "exec"), names)  # noqa: S102 - that is the test
            made = next(v for v in names.values() if isinstance(v, Rule) and v.id == rule.id)
            yield f"{rule.id} line {getattr(node, 'lineno', 0)}: {ast.unparse(node)}", made


def _where(top: ast.stmt, node: ast.AST) -> str:
    decorators = getattr(top, "decorator_list", [])
    return "decorator" if any(node is inner for d in decorators for inner in ast.walk(d)) else "body"


def _swap(top: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(top):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(v is old for v in value):
                setattr(parent, name, [new if v is old else v for v in value])


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_some_case_fails_for_every_mutant_of_a_rule(rule: Rule) -> None:
    survivors, count = [], 0
    for name, mutant in mutants(rule):
        count += 1
        if not any(_fails_or_breaks(mutant, c) for c in cases_of(rule)):
            survivors.append(name)
    assert survivors == []
    assert count >= 3


def _fails_or_breaks(rule: Rule, case: Case) -> bool:
    try:
        return fails(rule, case) is not None
    except (AttributeError, TypeError, KeyError, IndexError, StopIteration, ValueError):
        return True


# -- lock ---------------------------------------------------------------------------------------------------------


def test_a_rule_that_changed_has_a_new_version_in_the_lock_file() -> None:
    # On failure: raise the rule's version, minor for words, major for logic or subject, then write the new pair here.
    lock = json.loads(LOCK.read_text())
    assert {"facts": [FACTS_VERSION, code_hash(FACTS)], **{r.id: [r.version, r.code] for r in RULES}} == lock


WORDS = "services.audit.rules."


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The hash of something after a piece of the source of some module was replaced."""

    def hashed(of: Place, module: str, old: str = "", new: str = "") -> str:
        source = inspect.getsource(sys.modules[module])
        assert old in source
        other = hashing.read_module(source.replace(old, new))
        read = hashing._read
        monkeypatch.setattr(hashing, "_read", lambda name: other if name == module else read(name))
        told = code_hash([of])
        monkeypatch.undo()
        return told

    return hashed


@pytest.mark.parametrize(
    ("of", "module", "old", "new"),
    [
        ("d10_self_review.one_person_did_both", "d10_self_review", "_GRAVE = 3", "_GRAVE = 2"),
        ("d10_self_review.one_person_did_both", "d10_self_review", "不相容岗位分离", "岗位分离"),
        ("b01_cash.cash_within_the_limit", "b01_cash", "x.amount_fen > s", "x.amount_fen >= s"),
        ("lines.CashWindow", "lines", 'x.direction == "out" and cls.counts(x)', "cls.counts(x)"),
        ("conduct.WithdrawalWindow", "facts", 'f.kind == "withdrawn"})', 'f.kind == "restored"})'),
        ("facts.fold", "facts", '"declared"), key', '"filed"), key'),
        ("details.body_data", "details", "_ALIKE: Final = 0.6", "_ALIKE: Final = 0.7"),
    ],
)
def test_the_code_hash_moves_with_whatever_a_rule_depends_on(
    changed: Callable[..., str], of: str, module: str, old: str, new: str
) -> None:
    place = Place(WORDS + of.split(".", maxsplit=1)[0], of.split(".")[1])
    assert changed(place, WORDS + module, old, new) != changed(place, WORDS + module)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""B01 超限额现金: a payment', '"""A payment'),
        ("    limit = s[", "    # why\n    limit = s["),
        ("(w: CashWindow", "(w: 'CashWindow'"),
    ],
)
def test_the_code_hash_stays_with_comments_docstrings_and_annotations(
    changed: Callable[..., str], old: str, new: str
) -> None:
    place = Place(WORDS + "b01_cash", "cash_within_the_limit")
    assert changed(place, WORDS + "b01_cash", old, new) == changed(place, WORDS + "b01_cash")


# -- evidence -----------------------------------------------------------------------------------------------------

HITS = [pytest.param(r, c, id=f"{r.id} {c.name}") for r in RULES for c in cases_of(r) if c.result == "hit"]


def pack_of(rule: Rule, case: Case) -> dict[str, Any]:
    settings = {**rule.settings, **case.settings}
    name = alert_id("210881", rule.id, rule.major, SUBJECT)
    window = narrowed(rule, case.window, settings)
    outcome = rule.judge(window, settings)
    return make_pack("210881", Judgement(name, rule, SUBJECT, window, outcome, None, 7, settings, ("某法",)))


@pytest.mark.parametrize(("rule", "case"), ALL_CASES)
def test_a_window_written_as_facts_reads_back_the_same(rule: Rule, case: Case) -> None:
    facts = json.loads(json.dumps(to_facts(case.window)))
    assert from_facts(rule.window, facts) == case.window


@pytest.mark.parametrize(("rule", "case"), HITS)
def test_a_pack_is_recomputed_from_its_facts_alone(rule: Rule, case: Case) -> None:
    pack = json.loads(canonical(pack_of(rule, case)))
    assert check_pack(RULES, pack) == []


@pytest.mark.parametrize(("rule", "case"), HITS)
def test_a_pack_with_any_number_moved_no_longer_agrees(rule: Rule, case: Case) -> None:
    pack = json.loads(canonical(pack_of(rule, case)))
    for n, fact in enumerate(pack["facts"]):
        if isinstance(fact[2], int) and not isinstance(fact[2], bool):
            other = copy.deepcopy(pack)
            other["facts"][n][2] += 1
            assert check_pack(RULES, other)
            other["hash"] = pack_hash(other)
            assert check_pack(RULES, other), f"{fact} does not matter"


@pytest.mark.parametrize(("rule", "case"), HITS)
def test_a_pack_is_canonical_json_as_the_standard_has_it(rule: Rule, case: Case) -> None:
    pack = pack_of(rule, case)
    assert canonical(pack).encode() == rfc8785.dumps(pack)


def test_canonical_json_equals_the_reference_writer_on_awkward_texts() -> None:
    texts = ["", "\x00\x01\x1f\x7f\u2028", '"\\/', "银行\t\n\r\b\f", "😀é", "<&>"]
    value: Any = {"b": texts, "a": [0, -1, 2**53 - 1, True, False, None, {}, []], "B": {"z": "", "": "x"}}
    assert canonical_json(value) == rfc8785.dumps(value)


def test_how_much_had_been_heard_is_not_in_the_hash() -> None:
    pack = pack_of(RULES[0], cases_of(RULES[0])[0])
    assert pack_hash({**pack, "as_of": 99}) == pack["hash"]


@pytest.mark.parametrize(
    "pack", [{}, {"rule": {"id": "Z99"}}, {"rule": 3}, {"rule": {"id": "A01"}}, {"rule": {"id": "A01"}, "facts": [[]]}]
)
def test_something_that_is_no_pack_is_named_as_such(pack: dict[str, Any]) -> None:
    assert check_pack(RULES, pack)


def test_an_alerts_name_depends_on_city_rule_major_version_and_subject_only() -> None:
    name = alert_id("210881", "A01", 1, SUBJECT)
    assert name == "90fda3c59161db65a9cc25b178fc2a"
    others = (
        alert_id("210882", "A01", 1, SUBJECT),
        alert_id("210881", "A02", 1, SUBJECT),
        alert_id("210881", "A01", 2, SUBJECT),
        alert_id("210881", "A01", 1, SUBJECT.model_copy(update={"account": "cash"})),
    )
    assert len({name, *others}) == 5


def test_a_time_in_a_window_keeps_its_zone() -> None:
    d01 = BY_ID["D01"]
    facts = to_facts(cases_of(d01)[0].window)
    assert ["now", "2026-11-16T16:00:00+00:00"] in [list(f[1:]) for f in facts]
    assert from_facts(d01.window, facts).now == datetime(2026, 11, 16, 16, 0, tzinfo=UTC)


def test_every_rule_of_the_folder_is_in_the_list() -> None:
    folder = Path(rules.__file__).parent
    names = sorted(p.stem for p in folder.glob("*.py") if p.stem[0] in "abdl" and p.stem[1:3].isdigit())
    modules = [importlib.import_module(f"services.audit.rules.{n}") for n in names]
    assert [module_of(r) for r in RULES] == modules
