"""What a clerk is told: every sentence of errors, refusals and findings is Chinese, without a key, a type or an API."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import services
from deploy.docs import ROOT
from services.kit.errors import _REASONS, SanwuError, faults_of

#: Where sentences for the desk are made.
ROOMS = (
    "services/contracts/bodies",
    "services/contracts/privacy/detecting.py",
    "services/contracts/privacy/walking.py",
    "services/contracts/values.py",
    "services/ingest/bulk/cells.py",
    "services/ingest/forms",
    "services/ingest/gate",
    "services/ingest/commands",
    "services/ingest/workflow.py",
    "services/ingest/visit.py",
)
#: Names of formats and units that stand on every telephone and photocopier.
KNOWN = {"PDF", "JPEG", "PNG", "WebP", "CSV", "xlsx", "MiB", "KiB", "NUL", "UTF", "JSON", "QQ"}
#: What only programs are told, which send what it speaks of.
OF_PROGRAMS = {"Idempotency-Key", "true", "false", "JSON", "Content-Type", "application", "json"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z_][A-Za-z_-]+")
#: Patterns by which texts are read, whatever Chinese stands in them.
PATTERN = re.compile(r"\(\?|\[\^|\\d|\\s|\\u|\|.*\||^\[.*\]$")


def words_of(sentence: str) -> set[str]:
    return set(ENGLISH.findall(re.sub(r"\{\w*\}|\d+Q\d|\d+H\d", "", sentence)))


def files() -> list[Path]:
    found = []
    for room in ROOMS:
        path = ROOT / room
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """Every text of a file with Chinese in it that is no docstring, no description of a field and no pattern."""
    tree = ast.parse(path.read_text("utf-8"))
    apart = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for inner in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            apart.add(id(node.value))
        if isinstance(node, ast.keyword) and node.arg == "description":
            apart.update(id(inner) for inner in ast.walk(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            text = node.value
        else:
            continue
        if CHINESE.search(text) and not PATTERN.search(text):
            yield node.lineno, text


def test_the_walk_sees_sentences() -> None:
    found = {text for path in files() for _, text in sentences(path)}
    assert len(found) > 200
    assert "金额不能为 0" in found


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sentence_speaks_english_or_of_a_field_of_the_code(path: Path) -> None:
    wrong = [(n, text) for n, text in sentences(path) if words_of(text) - KNOWN]
    assert wrong == []


def every_error(of: type[SanwuError] = SanwuError) -> Iterator[type[SanwuError]]:
    yield of
    for kind in of.__subclasses__():
        yield from every_error(kind)


def test_every_code_of_an_error_has_a_chinese_sentence() -> None:
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    seen = {
        error
        for error in every_error()
        if error.__module__.startswith("services.") and error.__name__ not in {"HttpError", "SanwuError"}
    }
    assert len(seen) > 60
    without = [error.__name__ for error in seen if not CHINESE.search(error.__doc__ or "")]
    english = [(error.__name__, error.__doc__) for error in seen if words_of(error.__doc__ or "") - KNOWN - OF_PROGRAMS]
    assert (without, english) == ([], [])


def test_every_reason_of_the_validator_is_a_chinese_sentence() -> None:
    wrong = {name: text for name, text in _REASONS.items() if words_of(text) - OF_PROGRAMS - KNOWN}
    assert wrong == {}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"type": "date_type", "msg": "Input should be a valid date"}, "格式不对，请检查"),
        ({"type": "value_error", "msg": "Value error, 金额不能为 0"}, "金额不能为 0"),
        ({"type": "too_short", "msg": "x", "ctx": {"min_length": 1}}, "一行也没有，至少要填一行"),
        ({"type": "too_short", "msg": "x", "ctx": {"min_length": 2}}, "至少要有 2 项"),
        ({"type": "string_too_short", "msg": "x", "ctx": {"min_length": 1}}, "不能为空"),
        ({"type": "missing", "msg": "Field required"}, "缺少这一项"),
    ],
)
def test_what_a_library_says_in_english_reaches_nobody(error: dict[str, object], message: str) -> None:
    (fault,) = faults_of([{"loc": ("signed_on",), **error}])
    assert (fault.at, fault.message) == ("signed_on", message)
