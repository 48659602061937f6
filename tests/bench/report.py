"""Sections and tables of the report, and the two statistics it uses."""

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Figure(NamedTuple):
    """Something that has a bar: a number of some unit, or a ratio without one."""

    name: str
    value: float
    bar: str
    unit: str = ""

    def told(self, value: float) -> str:
        """A value of it in words."""
        return f"{value:.3g} {self.unit}".strip()


class Section(NamedTuple):
    """A part of the report."""

    title: str
    text: str
    figures: Sequence[Figure] = ()


class Former(NamedTuple):
    """What a figure was, and of which commit."""

    value: float
    commit: str


def read_former(path: Path) -> dict[str, Former]:
    """Figures as they were measured last; none where nothing was."""
    return {name: Former(*of) for name, of in json.loads(path.read_text("utf-8")).items()} if path.exists() else {}


def write_figures(path: Path, figures: Iterable[Figure], commit: str, former: Mapping[str, Former]) -> None:
    """Keep the figures for the next run to be compared with; what was not measured stays as it was."""
    now = {name: list(of) for name, of in former.items()} | {f.name: [f.value, commit] for f in figures}
    path.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def compared(figures: Iterable[Figure], former: Mapping[str, Former]) -> str:
    """A table of the figures beside what they were and their bars."""
    rows = []
    for f in figures:
        was = former.get(f.name)
        rows.append((f.name, f.bar, f"{f.told(was.value)} ({was.commit})" if was else "–", f"**{f.told(f.value)}**"))
    return table(("figure", "bar", "before (commit)", "now"), rows)


def section_in(text: str, title: str) -> str:
    """A section of a written report with its heading; empty where it has none."""
    begin = f"\n{text}".find(f"\n## {title}\n")
    if begin < 0:
        return ""
    end = text.find("\n## ", begin + 1)
    return text[begin : end + 1 if end >= 0 else len(text)].rstrip("\n") + "\n"


def put_section(text: str, title: str, section: str) -> str:
    """A written report with a section in the place of the one of that title, or at its end."""
    written = f"## {title}\n\n{section.rstrip()}\n"
    former = section_in(text, title)
    if not former:
        return f"{text.rstrip()}\n\n{written}"
    return text.replace(former, written)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def spread(values: Sequence[float], form: str) -> str:
    """The least and the most of some values."""
    return f"{min(values):{form}}–{max(values):{form}}"
