"""The shape of the code, counted from its text: sizes, branches, holes in the types, what is said beside the code.

Nothing is imported that is measured, so that another commit's tree can be counted as well.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_HOLDS_DOCSTRING: Final = (ast.Module, ast.ClassDef, *_FUNCTIONS)
_SUPPRESSION: Final = re.compile(r"#\s*(noqa(:\s*[A-Z0-9, ]+)?|type:\s*ignore(\[[^\]]*\])?)")
_NO_CODE: Final = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)
_ROUTE_METHODS: Final = frozenset({"get", "post", "put", "delete", "api_route"})
#: What is counted one by one, with its words for people.
COUNTED: Final[Mapping[str, str]] = {
    "anys": "annotations that hold `Any`",
    "suppressions": "suppressions",
    "unreasoned": "suppressions without a reason",
    "short_docstrings": "docstrings of four words or fewer",
    "requires": "`.require(…)` calls",
    "lambdas": "lambdas in `api`",
    "owns": "`own[…]` by string",
    "cursors": "functions that know what is in a cursor",
    "base64s": "uses of `base64`",
    "untyped_lists": "routes that answer `dict[str, Any]`",
}
#: A docstring of so few words repeats the name.
FEW_WORDS: Final = 4
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
#: From here on ruff complains by default.
MANY_BRANCHES: Final = 10


@dataclass(frozen=True, slots=True)
class File:
    """What one file comes to; `counts` by the names of `COUNTED`."""

    path: str
    lines: int
    code: int
    comments: int
    functions: tuple[int, ...]
    branches: tuple[int, ...]
    counts: Mapping[str, int]


def read(root: Path, *folders: str) -> list[File]:
    """Every Python file below some folders of a tree, by path."""
    paths = sorted(p for folder in folders for p in (root / folder).rglob("*.py"))
    return [_file(p.read_text("utf-8"), p.relative_to(root).as_posix()) for p in paths if "__pycache__" not in p.parts]


def _file(text: str, path: str) -> File:
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    nodes = list(ast.walk(ast.parse(text)))
    functions = [n for n in nodes if isinstance(n, _FUNCTIONS)]
    docstrings = [d for n in nodes if (d := _docstring(n)) is not None]
    said = {n for d in docstrings for n in range(d.lineno, (d.end_lineno or 0) + 1)}
    is_api = re.match(r"services/\w+/api(/|\.py)", path) is not None
    return File(
        path=path,
        lines=len(text.splitlines()),
        code=len(_code_lines(tokens) - said),
        comments=sum(t.type == tokenize.COMMENT and not t.line[: t.start[1]].strip() for t in tokens),
        functions=tuple((n.end_lineno or 0) - n.lineno + 1 for n in functions),
        branches=tuple(complexity(n) for n in functions),
        counts={
            **_suppressions(tokens),
            "short_docstrings": sum(_words(str(d.value.value)) <= FEW_WORDS for d in docstrings),
            **{name: sum(map(count, nodes)) for name, count in _ANYWHERE.items()},
            **{name: sum(map(count, nodes)) if is_api else 0 for name, count in _IN_API.items()},
        },
    )


def _suppressions(tokens: Sequence[tokenize.TokenInfo]) -> dict[str, int]:
    found = [t.string for t in tokens if t.type == tokenize.COMMENT and _SUPPRESSION.search(t.string)]
    return {
        "suppressions": sum(len(_SUPPRESSION.findall(s)) for s in found),
        "unreasoned": sum(not _SUPPRESSION.sub("", s).strip(" -#:") for s in found),
    }


def _code_lines(tokens: Sequence[tokenize.TokenInfo]) -> set[int]:
    return {n for t in tokens if t.type not in _NO_CODE for n in range(t.start[0], t.end[0] + 1)}


@dataclass(frozen=True, slots=True)
class _Docstring:
    value: ast.Constant
    lineno: int
    end_lineno: int | None


def _words(text: str) -> int:
    """Words; Chinese has no blanks between them, and some two signs each."""
    signs = len(_CHINESE.findall(text))
    return len(_CHINESE.sub(" ", text).split()) + signs // 2


def _docstring(node: ast.AST) -> _Docstring | None:
    if not isinstance(node, _HOLDS_DOCSTRING) or not node.body or not isinstance(first := node.body[0], ast.Expr):
        return None
    value = first.value
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
        return None
    return _Docstring(value, first.lineno, first.end_lineno)


def complexity(function: Function) -> int:
    """One, and one for each branch: if, loop, except, `and`/`or`, comprehension and its ifs, case that is no default.

    A function within it is counted for itself; a lambda belongs to what holds it.
    """
    return 1 + sum(_branches(n) for n in _own_nodes(function))


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            yield node
            waiting += ast.iter_child_nodes(node)


def _branches(node: ast.AST) -> int:
    match node:
        case ast.If() | ast.IfExp() | ast.For() | ast.AsyncFor() | ast.While() | ast.ExceptHandler():
            return 1
        case ast.BoolOp():
            return len(node.values) - 1
        case ast.comprehension():
            return 1 + len(node.ifs)
        case ast.match_case():
            return not (isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None and node.guard is None)
    return 0


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            if node.returns is not None:
                yield node.returns
        case ast.arg() | ast.AnnAssign():
            if node.annotation is not None:
                yield node.annotation


def _holds_any(annotation: ast.expr) -> bool:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    return any(_name(n) == "Any" or _attribute(n) == "Any" for n in ast.walk(annotation))


def _name(node: ast.AST) -> str | None:
    return node.id if isinstance(node, ast.Name) else None


def _attribute(node: ast.AST) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else None


def _reads_cursor(function: ast.AST) -> bool:
    """Tell whether a function knows what is in a cursor: it reads `page.after`, or has a page answer nothing."""
    for node in ast.walk(function) if isinstance(function, _FUNCTIONS) else ():
        if _attribute(node) == "after" and isinstance(node, ast.Attribute) and _name(node.value) == "page":
            return True
        if isinstance(node, ast.Call) and _attribute(node.func) == "answer" and node.args:
            first = node.args[0]
            if isinstance(first, ast.List) and not first.elts:
                return True
    return False


def _is_untyped_list(function: ast.AST) -> bool:
    """Tell whether a route answers `dict[str, Any]`."""
    if not isinstance(function, _FUNCTIONS):
        return False
    called = [d.func for d in function.decorator_list if isinstance(d, ast.Call)]
    if not any(_attribute(f) in _ROUTE_METHODS for f in called) or function.returns is None:
        return False
    return ast.unparse(function.returns) == "dict[str, Any]"


_ANYWHERE: Final[Mapping[str, Callable[[ast.AST], int]]] = {
    "anys": lambda n: sum(map(_holds_any, _annotations(n))),
    "requires": lambda n: isinstance(n, ast.Call) and _attribute(n.func) == "require",
    "owns": lambda n: isinstance(n, ast.Subscript) and _attribute(n.value) == "own",
    "cursors": _reads_cursor,
    "base64s": lambda n: isinstance(n, ast.Attribute) and _name(n.value) == "base64",
}
_IN_API: Final[Mapping[str, Callable[[ast.AST], int]]] = {
    "lambdas": lambda n: isinstance(n, ast.Lambda),
    "untyped_lists": _is_untyped_list,
}
