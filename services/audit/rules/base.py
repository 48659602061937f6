"""What a rule is: a pure function from a subject's window to an outcome, with what people must know about it.

A rule gets its window and its settings; no clock, no table, no randomness, integers in fen. What it depends on is hashed
(`hashing.py`), so a change of it cannot pass unnoticed (`lock.json`).
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from services.audit.rules.hashing import Place, code_hash
from services.audit.rules.limits import Limit
from services.contracts.days import SHANGHAI

Result = Literal["hit", "pass", "n/a"]
Shape = Literal["cell", "chain", "clock"]
Settings = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule says of a subject. `settles`: not applicable for want of a duty, not of data, so an alert ends.

    `amount_fen`: the money that a lead is about, for the order in which leads are looked at.
    """

    result: Result
    reason: str = ""
    settles: bool = False
    level: int = 0
    steps: tuple[str, ...] = ()
    say: str = ""
    amount_fen: int = 0


def passed() -> Outcome:
    """The facts are as they should be."""
    return Outcome("pass", settles=True)


def not_applicable(reason: str) -> Outcome:
    """A fact is missing: that is no pass, and an open alert stays open."""
    return Outcome("n/a", reason)


def no_duty(reason: str) -> Outcome:
    """Nothing is demanded of this subject, so an alert on it ends."""
    return Outcome("n/a", reason, settles=True)


def hit(*, steps: list[str], say: str, level: int, amount_fen: int = 0) -> Outcome:
    """A fact that should not be: the arithmetic, one plain sentence of at most 60 characters, 1 提醒 to 3 重点."""
    return Outcome("hit", level=level, steps=tuple(steps), say=say, amount_fen=amount_fen)


def local_words(moment: datetime) -> str:
    """A moment as people there read it: `2026-10-16 00:00`."""
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


Judge = Callable[[Any, Settings], Outcome]
#: The instants at which a clock rule's answer may change, oldest first; empty when time changes nothing.
Moments = Callable[[Any, Settings], tuple[datetime, ...]]
#: Leaves of a window what a hit rests on: the lines that are too large, not all the others.
Narrow = Callable[[Any, Settings], Any]


@dataclass(frozen=True)
class Rule:
    """One rule. `window` is the class of what it looks at; `settings` holds its own values, `limits` names those of the place.

    `ask`: the papers with which an inspector settles it.
    """

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
    ask: tuple[str, ...]
    judge: Judge = field(repr=False)
    moments: Moments | None = field(default=None, repr=False)
    limits: tuple[Limit, ...] = ()
    narrow: Narrow | None = field(default=None, repr=False)

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
        """SHA-256 over what the rule itself depends on: function, decorator, constants, window."""
        return code_hash([Place(f.__module__, f.__name__) for f in (self.judge, self.window)])


def rule(**words: Any) -> Callable[[Judge], Rule]:
    """Make a rule of a function."""

    def made(judge: Judge) -> Rule:
        return Rule(judge=judge, **words)

    return made


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
    steps: tuple[str, ...] = ()
    moments: tuple[datetime, ...] | None = None
