"""How generated files are written."""

import json
from collections.abc import Iterable, Sequence


def as_json(value: object) -> str:
    """Write JSON the way it is checked in."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table; an empty cell shows a dash."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join((cell or "–").replace("|", "\\|") for cell in line) + " |" for line in lines]


def first_sentence(text: str | None) -> str:
    """The first line of a docstring, or nothing."""
    return (text or "").strip().partition("\n")[0]
