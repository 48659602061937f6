"""Evidence packs: one finding with everything needed to recompute it by hand, in canonical JSON (RFC 8785), hashed.

`as_of` and `hash` are not in the hash: the first tells how much had been heard, which depends on the order of hearing;
the finding does not.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.audit.rules.base import Rule
from services.audit.rules.details import FACTS_VERSION
from services.audit.rules.judge import Judgement, alert_id, subject_words
from services.audit.rules.written import from_facts, to_facts
from services.contracts.alert import Subject
from services.contracts.values import canonical_json

#: 2: with the papers that set the limits, the version of the facts, and what to ask for.
FORMAT: Final = 2
_OUTSIDE: Final = frozenset({"as_of", "hash"})


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value)).hexdigest()


def pack_hash(pack: Mapping[str, Any]) -> str:
    """SHA-256 over a pack without its `as_of` and `hash`."""
    return _digest({k: v for k, v in pack.items() if k not in _OUTSIDE})


def make_pack(city: str, judgement: Judgement) -> dict[str, Any]:
    """The evidence of a hit."""
    rule, outcome = judgement.rule, judgement.outcome
    settings = dict(judgement.settings)
    pack: dict[str, Any] = {
        "format": FORMAT,
        "alert": judgement.alert_id,
        "city": city,
        "rule": {"id": rule.id, "version": rule.version, "code": rule.code, "law": rule.law, "facts": FACTS_VERSION},
        "subject": subject_words(judgement.subject),
        "settings": {"values": settings, "hash": _digest(settings), "sources": list(judgement.sources)},
        "facts": [list(f) for f in to_facts(judgement.window)],
        "level": outcome.level,
        "steps": list(outcome.steps),
        "sentence": outcome.say,
        "false_alarms": list(rule.false_alarms),
        "ask": list(rule.ask),
    }
    return {**pack, "hash": pack_hash(pack), "as_of": judgement.as_of}


def canonical(pack: Mapping[str, Any]) -> str:
    """A pack as the text that is stored and handed out."""
    return canonical_json(dict(pack)).decode()


def check_pack(rules: Sequence[Rule], pack: Mapping[str, Any]) -> list[str]:
    """Recompute a pack from its facts alone; what differs, in words, or nothing when it agrees."""
    try:
        stated = pack["rule"]
        rule = next((r for r in rules if r.id == stated["id"]), None)
        if rule is None:
            return [f"rule {stated['id']} is not known here"]
        differences = _compare_frame(rule, pack)
        window = from_facts(rule.window, [(f[0], f[1], f[2]) for f in pack["facts"]])
        outcome = rule.judge(window, pack["settings"]["values"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        return [f"not a readable pack: {error!r}"]
    told = ("hit", pack["level"], tuple(pack["steps"]), pack["sentence"])
    found = (outcome.result, outcome.level, outcome.steps, outcome.say)
    names = ("result", "level", "steps", "sentence")
    return differences + [
        f"{n}: stated {t!r}, recomputed {f!r}" for n, t, f in zip(names, told, found, strict=True) if t != f
    ]


def _compare_frame(rule: Rule, pack: Mapping[str, Any]) -> list[str]:
    """Whatever frames the finding: hashes, the rule's version and code, the alert's name."""
    subject = Subject.model_validate(pack["subject"])
    pairs = (
        ("hash", pack["hash"], pack_hash(pack)),
        ("settings hash", pack["settings"]["hash"], _digest(pack["settings"]["values"])),
        ("rule version", pack["rule"]["version"], rule.version),
        ("rule code", pack["rule"]["code"], rule.code),
        ("alert", pack["alert"], alert_id(pack["city"], rule.id, rule.major, subject)),
    )
    return [f"{name}: stated {stated}, recomputed {found}" for name, stated, found in pairs if stated != found]
