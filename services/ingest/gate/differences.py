"""What changed between two contents: places with what stood there before and what stands there now; pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One place. `before` is None for what is new, `after` for what is gone; `at` names the place in the newer content."""

    at: str
    before: Any
    after: Any


def differences(before: Any, after: Any, at: str = "body") -> Iterator[Change]:
    """Walk two JSON values; lines that were put in or taken out do not make every later line a change."""
    match before, after:
        case dict(), dict():
            for name in dict.fromkeys((*before, *after)):
                yield from differences(before.get(name), after.get(name), f"{at}.{name}")
        case list(), list():
            yield from _rows(before, after, at)
        case _ if before != after:
            yield Change(at, before, after)
        case _:
            return


def _rows(before: list[Any], after: list[Any], at: str) -> Iterator[Change]:
    old, new = ([json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows] for rows in (before, after))
    for tag, i, i_end, j, j_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        shared = min(i_end - i, j_end - j)
        for n in range(shared):
            yield from differences(before[i + n], after[j + n], f"{at}[{j + n}]")
        yield from (Change(f"{at}[{i + n}]", before[i + n], None) for n in range(shared, i_end - i))
        yield from (Change(f"{at}[{j + n}]", None, after[j + n]) for n in range(shared, j_end - j))
