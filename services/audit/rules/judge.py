"""Judging a view: every rule of the shapes asked for, every subject it has there. Stream and replay both come here."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from services.audit.rules.base import Outcome, Rule, Settings, not_applicable
from services.audit.rules.limits import Chosen
from services.audit.rules.window import View
from services.contracts.alert import Subject
from services.contracts.values import canonical_json, period_bounds

#: An alert's name has 120 bits: 30 hex digits.
_ID_HEX: Final = 30
_NONE: Final = Chosen({})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule says of one subject. `again_at`: when time alone may change it, None for never.

    `settings`: the values that it was judged by, those of the place among them; `sources`: the papers that set these.
    """

    alert_id: str
    rule: Rule
    subject: Subject
    window: Any
    outcome: Outcome
    again_at: datetime | None
    as_of: int
    settings: Settings
    sources: tuple[str, ...] = ()


def subject_words(subject: Subject) -> dict[str, str]:
    """The fields of a subject that are set."""
    fields = (
        ("village", subject.village),
        ("item", subject.item),
        ("period", subject.period),
        ("account", subject.account),
        ("question", subject.question),
    )
    return {name: value for name, value in fields if value is not None}


def alert_id(city: str, rule_id: str, major: int, subject: Subject) -> str:
    """The name of the alert of a rule on a subject, for ever: amounts, limits, wording and time are not in it."""
    name = canonical_json([city, rule_id, major, subject_words(subject)])
    return hashlib.sha256(name).hexdigest()[:_ID_HEX]


def judge(rules: Sequence[Rule], city: str, view: View) -> Iterator[Judgement]:
    """Apply rules to the subjects of one view, each by the limits of the village as they were in the view's period."""
    as_of = max(view.cell.as_of, view.before.as_of)
    for rule in rules:
        chosen = _limits_of(rule, view)
        settings = {**rule.settings, **chosen.values}
        for subject, window in rule.window.of(view):  # type: ignore[attr-defined] # every window class has it
            settled, again_at = _settle(rule, window, view.now)
            if chosen.missing:
                outcome = not_applicable(chosen.missing)
            else:
                settled = rule.narrow(settled, settings) if rule.narrow is not None else settled
                outcome = rule.judge(settled, settings)
            name = alert_id(city, rule.id, rule.major, subject)
            yield Judgement(name, rule, subject, settled, outcome, again_at, as_of, settings, chosen.sources)


def _limits_of(rule: Rule, view: View) -> Chosen:
    if not rule.limits:
        return _NONE
    return view.limits.choose(rule.id, rule.limits, view.key.village, *period_bounds(view.key.period))


def _settle(rule: Rule, window: Any, now: datetime) -> tuple[Any, datetime | None]:
    """Put a clock rule's time back to when its answer last changed: the same evidence, whenever it is looked at."""
    if rule.moments is None:
        return window, None
    moments = rule.moments(window, rule.settings)
    past = [m for m in moments if m <= now]
    return (replace(window, now=past[-1]) if past else window), next((m for m in moments if m > now), None)
