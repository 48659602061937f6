"""What people read first is true: links lead somewhere, commands and accounts exist, terms are one each."""

import re
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.app import app
from services.contracts.base import Role
from tests.browser.pictures import LARGEST_BYTES
from tests.running import ROOT

HANDWRITTEN = (
    "README.md",
    "README.zh-CN.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/operations.md",
    "docs/import.md",
    "docs/glossary.md",
    "docs/ways.md",
    "docs/tables.md",
)


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("name", HANDWRITTEN)
def test_links_and_paths_lead_somewhere(name: str) -> None:
    text = text_of(name)
    here = (ROOT / name).parent
    links = [x for x in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in x]
    paths = re.findall(r"`((?:docs|deploy|services|tests)/[\w./-]*\w)/?`", text)
    lost = [x for x in links if not (here / x).exists()] + [x for x in paths if not (ROOT / x).exists()]
    assert lost == []


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "CONTRIBUTING.md"])
def test_targets_of_make_exist(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)", text_of(name))) - {"everybody", "public"} <= targets


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "docs/operations.md"])
def test_commands_of_sanwu_exist(name: str) -> None:
    told = re.findall(r"`(?:\.venv/bin/)?sanwu ([a-z]+)(?: ([a-z]+))?[ `]", text_of(name))
    assert told
    for first, second in set(told):
        words = [first, second] if second in {"list", "check", "publish", "audit", "verify"} else [first]
        answer = CliRunner().invoke(app, [*words, "--help"])
        assert answer.exit_code == 0, (words, answer.output)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_both_readmes_name_every_role_and_the_same_accounts(name: str) -> None:
    text = text_of(name)
    table = re.findall(r"^\| \S+(?: `(\w+)`)? \| (`[a-z].*?`(?:[、,].*?)?) \|", text, re.MULTILINE)
    accounts = {a for _, cell in table for a in re.findall(r"`([a-z]+)[-0-9a-z]*`", cell)}
    assert accounts >= {r.value for r in Role} - {"system"}
    assert re.findall(r"SANWU_\w+", text) == [
        v for v in re.findall(r"SANWU_\w+", text) if v in {"SANWU_HOME", "SANWU_PORT", "SANWU_SAMPLE"}
    ]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_pictures_are_there_told_in_words_and_light(name: str) -> None:
    pictures = re.findall(r'<img src="([^"]+)" alt="([^"]+)"', text_of(name))
    assert {Path(place).stem for place, _ in pictures} == {"village", "desk", "console"}
    assert all(len(words) > 10 for _, words in pictures)
    assert all((ROOT / place).stat().st_size <= LARGEST_BYTES for place, _ in pictures)


def test_a_term_of_the_glossary_has_one_row_with_what_not_to_call_it() -> None:
    rows = [
        line for line in text_of("docs/glossary.md").splitlines() if line.startswith("| ") and "| term |" not in line
    ]
    cells = [[c.strip() for c in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    assert [c for c in cells if len(c) not in {3, 4} or not all(c)] == []
    assert [c[0] for c in cells if not re.fullmatch(r"_.+_", c[-1])] == []
    assert [term for term, n in Counter(c[0] for c in cells).items() if n > 1] == []


def test_the_changelog_begins_with_what_is_not_released() -> None:
    headings = re.findall(r"^## \[(.+?)\]", text_of("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    unreleased = text_of("CHANGELOG.md").partition("## [Unreleased]")[2].partition("\n## ")[0]
    assert "### Upgrade" in unreleased
    assert Path(ROOT / "LICENSE").exists()
