"""What a rule depends on, as one hash: its own function, the window it looks at, the constants and functions that they use.

A change of any of these moves the hash, so that it cannot pass unnoticed (`lock.json`). What makes facts of events and a
cell of facts (`facts.py`, `details.py`) is the same for every rule and has a version and a hash of its own. Comments,
docstrings and annotations are in neither.
"""

import ast
import hashlib
import inspect
import json
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final, NamedTuple

#: Modules into which names are followed; what stands elsewhere is words for people, or what every rule is made with.
_FOLLOWED: Final = ("services.audit.rules.", "services.contracts.duties", "services.contracts.account")
_NOT_FOLLOWED: Final = frozenset({"services.audit.rules.base", "services.audit.rules.hashing"})
#: Fields of syntax nodes that say nothing, or that not every Python version has.
_SILENT: Final = frozenset({"ctx", "kind", "type_comment", "type_ignores", "type_params", "returns", "annotation"})
_Named = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


class Place(NamedTuple):
    """Something named at the top of a module."""

    module: str
    name: str


class _Module(NamedTuple):
    named: dict[str, _Named]
    imported: dict[str, Place]


def code_hash(roots: Iterable[Place]) -> str:
    """SHA-256 over some named things and all that they use in turn, of the modules that are followed."""
    wanted, found = list(roots), dict[Place, Any]()
    while wanted:
        place = wanted.pop()
        node = _read(place.module).named.get(place.name) if place not in found else None
        if node is None:
            continue
        found[place] = _shape_of(_without_docstrings(node))
        wanted += _used_by(place.module, node)
    said = sorted([*place, shape] for place, shape in found.items())
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


@cache
def _read(module: str) -> _Module:
    return read_module(inspect.getsource(sys.modules[module]))


def read_module(source: str) -> _Module:
    """What a module names at its top, and what it takes from elsewhere."""
    named: dict[str, _Named] = {}
    imported: dict[str, Place] = {}
    for node in ast.parse(source).body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                named[node.name] = node
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                named[name] = node
            case ast.ImportFrom(module=str() as module):
                imported |= {a.asname or a.name: Place(module, a.name) for a in node.names}
            case _:
                pass
    return _Module(named, imported)


def _used_by(module: str, node: _Named) -> Iterator[Place]:
    known = _read(module)
    for name in _names_in(node):
        if name in known.named:
            yield Place(module, name)
        elif name in known.imported and _is_followed(known.imported[name].module):
            yield known.imported[name]


def _is_followed(module: str) -> bool:
    return module not in _NOT_FOLLOWED and module.startswith(_FOLLOWED)


def _names_in(node: ast.AST) -> Iterator[str]:
    """Names that a piece of code uses; what it only says of types is none."""
    if isinstance(node, ast.Name):
        yield node.id
    for field, value in ast.iter_fields(node):
        if field not in _SILENT:
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, ast.AST):
                    yield from _names_in(inner)


def _without_docstrings(node: _Named) -> ast.AST:
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(inner) is not None:
            inner.body = inner.body[1:]
    return node


def _shape_of(node: Any) -> Any:
    """A syntax tree as nested lists, the same in every version of Python."""
    if isinstance(node, ast.AST):
        fields = [[n, _shape_of(v)] for n, v in ast.iter_fields(node) if n not in _SILENT and v not in (None, [])]
        return [type(node).__name__, *fields]
    if isinstance(node, list):
        return [_shape_of(n) for n in node]
    return repr(node)
