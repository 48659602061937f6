"""Evidence packs checked by a file that stands alone: every hit of every rule, and every fact moved."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy import evidence
from services.audit.rules import RULES
from services.audit.rules.base import Case, Rule
from services.audit.rules.evidence import canonical
from tests.audit.test_rules import HITS as ALL_HITS
from tests.audit.test_rules import cases_of, pack_of

#: Leads are not handed out, so nobody outside has one to check.
HITS = [h for h in ALL_HITS if h.values[0] in RULES]
ALONE = Path(evidence.__file__)


def read(rule: Rule, case: Case) -> dict[str, Any]:
    pack: dict[str, Any] = json.loads(canonical(pack_of(rule, case)))
    return pack


def sealed(pack: dict[str, Any]) -> dict[str, Any]:
    """The pack with hashes as whoever forges it would write them."""
    pack["settings"]["hash"] = evidence._sha256(pack["settings"]["values"])
    return {**pack, "hash": evidence._sha256({k: v for k, v in pack.items() if k not in {"as_of", "hash"}})}


@pytest.fixture
def first() -> dict[str, Any]:
    """A pack that agrees."""
    rule = next(r for r in RULES if r.id == "A01")
    return read(rule, next(c for c in cases_of(rule) if c.result == "hit"))


def test_every_rule_can_be_recomputed() -> None:
    assert set(evidence.RULES) == {r.id for r in RULES}


@pytest.mark.parametrize(("rule", "case"), HITS)
def test_every_hit_agrees(rule: Rule, case: Case) -> None:
    assert evidence.check(read(rule, case)) == []


@pytest.mark.parametrize(("rule", "case"), HITS)
def test_another_gravity_or_figure_or_setting_is_told(rule: Rule, case: Case) -> None:
    pack = read(rule, case)
    graver = sealed({**pack, "level": pack["level"] % 3 + 1})
    assert any(d.startswith("程度") for d in evidence.check(graver))
    _, figures = evidence.RULES[rule.id](evidence.Facts(pack))
    for figure in figures:
        other = sealed({**pack, "sentence": pack["sentence"].replace(figure, "…")})
        assert any("句子里没有" in d for d in evidence.check(other)), figure
    for name in pack["settings"]["values"]:
        loose = copy.deepcopy(pack)
        loose["settings"]["values"][name] = 2**52 if "level" not in name else 400
        assert evidence.check(sealed(loose)) or rule.id in {"D01", "D12"}, name


@pytest.mark.parametrize(("rule", "case"), HITS)
def test_facts_that_are_no_hit_do_not_agree(rule: Rule, case: Case) -> None:
    """Money, counts and days made small, one at a time: where the rule no longer hits, neither does the file."""
    pack = read(rule, case)
    for n, (_, name, value) in enumerate(pack["facts"]):
        if name.endswith(("_fen", "days", "twice")) and isinstance(value, int):
            other = copy.deepcopy(pack)
            other["facts"][n][2] = value + 7
            assert evidence.check(sealed(other)), name


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"hash": "0" * 64}, "证据包的校验值"),
        ({"alert": "0" * 30}, "预警编号"),
        ({"city": "330106"}, "预警编号"),
        ({"format": 1}, "只认第 2 种"),
        ({"rule": {"id": "Z99"}}, "不认识规则 Z99"),
        ({"facts": [[None, "is_open"]]}, "不是能读的证据包"),
        ({"facts": []}, "不是能读的证据包"),
        ({"settings": None}, "不是能读的证据包"),
        ({"sentence": "长" * 61}, "超过 60 个"),
    ],
)
def test_what_is_wrong_with_a_pack_is_said(first: dict[str, Any], change: dict[str, Any], told: str) -> None:
    assert any(told in d for d in evidence.check({**first, **change}))


def alone(tmp_path: Path, *files: str) -> subprocess.CompletedProcess[str]:
    """The file copied away from the project, without its packages."""
    copied = tmp_path / "evidence.py"
    copied.write_bytes(ALONE.read_bytes())
    command = [sys.executable, "-I", "-S", str(copied), *files]
    return subprocess.run(command, cwd=tmp_path, env={"PYTHONUTF8": "1"}, capture_output=True, text=True, check=False)


def test_the_file_works_alone(first: dict[str, Any], tmp_path: Path) -> None:
    pack = first
    (tmp_path / "pack.json").write_text(json.dumps(pack))
    (tmp_path / "answer.json").write_text(json.dumps({"id": pack["alert"], "evidence": pack}))
    (tmp_path / "forged.json").write_text(json.dumps({**pack, "level": 1}))
    (tmp_path / "list.json").write_text("[]")
    good = alone(tmp_path, "pack.json", "answer.json")
    assert (good.returncode, good.stdout) == (0, "pack.json：一致\nanswer.json：一致\n")
    bad = alone(tmp_path, "forged.json", "list.json", "missing.json")
    assert bad.returncode == 1
    assert bad.stdout.count("：不一致\n") == 3
    assert "程度：写的是 1，重算是 3" in bad.stdout
    assert alone(tmp_path).returncode == 1
