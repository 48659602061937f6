"""What changed between two contents: places with what stood there before and what stands there now; pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from services.contracts.alignment import Aligner


@dataclass(frozen=True, slots=True)
class Change:
    """One place. `before` is None for what is new, `after` for what is gone; `at` names the place in the newer content."""

    at: str
    before: object
    after: object


def differences(before: object, after: object) -> Iterator[Change]:
    """Walk two bodies in JSON; lines that were put in or taken out do not make every later line a change."""
    return _differences(before, after, "body", Aligner())


def _differences(before: object, after: object, at: str, aligner: Aligner) -> Iterator[Change]:
    match before, after:
        case dict(), dict():
            for name in dict.fromkeys((*before, *after)):
                yield from _differences(before.get(name), after.get(name), f"{at}.{name}", aligner)
        case list(), list():
            yield from _rows(before, after, at, aligner)
        case _ if before != after:
            yield Change(at, before, after)
        case _:
            return


def _rows(before: list[object], after: list[object], at: str, aligner: Aligner) -> Iterator[Change]:
    old, new = ([json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows] for rows in (before, after))
    for i, i_end, j, j_end in aligner.changed(old, new):
        shared = min(i_end - i, j_end - j)
        for n in range(shared):
            yield from _differences(before[i + n], after[j + n], f"{at}[{j + n}]", aligner)
        yield from (Change(f"{at}[{i + n}]", before[i + n], None) for n in range(shared, i_end - i))
        yield from (Change(f"{at}[{j + n}]", None, after[j + n]) for n in range(shared, j_end - j))
