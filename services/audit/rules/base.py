"""What a rule is: a pure function from a subject's window to an outcome, with what people must know about it.

A rule gets its window and its settings; no clock, no table, no randomness, integers in fen. Its code hash is taken
over its function, the words of its decorator and what it calls beside it, so a change of these cannot pass unnoticed
(`lock.json`); tables of words, windows and facts are outside it: whoever changes what they say gives a new version.
"""

import ast
import hashlib
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Literal

Result = Literal["hit", "pass", "n/a"]
Shape = Literal["cell", "chain", "clock"]
Settings = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule says of a subject. `settles`: not applicable for want of a duty, not of data, so an alert ends."""

    result: Result
    reason: str = ""
    settles: bool = False
    level: int = 0
    steps: tuple[str, ...] = ()
    say: str = ""


def passed() -> Outcome:
    """The facts are as they should be."""
    return Outcome("pass", settles=True)


def not_applicable(reason: str) -> Outcome:
    """A fact is missing: that is no pass, and an open alert stays open."""
    return Outcome("n/a", reason)


def no_duty(reason: str) -> Outcome:
    """Nothing is demanded of this subject, so an alert on it ends."""
    return Outcome("n/a", reason, settles=True)


def hit(*, steps: list[str], say: str, level: int) -> Outcome:
    """A fact that should not be: the arithmetic, one plain sentence of at most 60 characters, 1 提醒 to 3 重点."""
    return Outcome("hit", level=level, steps=tuple(steps), say=say)


Judge = Callable[[Any, Settings], Outcome]
#: The instants at which a clock rule's answer may change, oldest first; empty when time changes nothing.
Moments = Callable[[Any, Settings], tuple[datetime, ...]]


@dataclass(frozen=True)
class Rule:
    """One rule. `window` is the class of what it looks at; `settings` holds its values, named and typed."""

    id: str
    version: str
    status: Literal["draft", "trial", "active", "retired"]
    level: int
    kind: Literal["provable", "lead"]
    shape: Shape
    subject: str
    window: type
    reads: tuple[str, ...]
    settings: Settings
    zh: str
    en: str
    law: str
    false_alarms: tuple[str, ...]
    judge: Judge = field(repr=False)
    moments: Moments | None = field(default=None, repr=False)

    @property
    def major(self) -> int:
        """The part of the version that is in an alert's identity: logic or subject changed."""
        return int(self.version.partition(".")[0])

    @cached_property
    def explanation(self) -> str:
        """The function's docstring, shown to the inspector."""
        return inspect.getdoc(self.judge) or ""

    @cached_property
    def code(self) -> str:
        """SHA-256 over the syntax trees of the rule's function, its metadata and what it calls in its module."""
        return code_hash(inspect.getsource(sys.modules[self.judge.__module__]), self.judge.__name__)


def rule(**words: Any) -> Callable[[Judge], Rule]:
    """Make a rule of a function."""

    def made(judge: Judge) -> Rule:
        return Rule(judge=judge, **words)

    return made


#: Fields of syntax nodes that say nothing, or that not every Python version has.
_SILENT: Final = frozenset({"ctx", "kind", "type_comment", "type_ignores", "type_params", "returns", "annotation"})


def _shape_of(node: Any) -> Any:
    """A syntax tree as nested lists, the same in every version of Python."""
    if isinstance(node, ast.AST):
        fields = [[n, _shape_of(v)] for n, v in ast.iter_fields(node) if n not in _SILENT and v not in (None, [])]
        return [type(node).__name__, *fields]
    if isinstance(node, list):
        return [_shape_of(n) for n in node]
    return repr(node)


def code_hash(source: str, name: str) -> str:
    """SHA-256 over a function of a module, decorator included, and every function it names there; no docstrings."""
    functions = {n.name: n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)}
    wanted, found = [name], {}
    while wanted:
        function = functions[wanted.pop()]
        if ast.get_docstring(function) is not None:
            function.body = function.body[1:]
        found[function.name] = _shape_of(function)
        named = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
        wanted += [n for n in named if n in functions and n not in found]
    return hashlib.sha256(json.dumps(sorted(found.items()), ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Case:
    """An example beside a rule, run by the tests: a window and what must come out."""

    name: str
    window: Any
    result: Result
    level: int = 0
    settings: Settings = field(default_factory=dict)
    reason: str = ""
    say: str = ""
    moments: tuple[datetime, ...] | None = None
