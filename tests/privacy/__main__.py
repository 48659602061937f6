"""`python -m tests.privacy --seed N [--templates FILE] [--each N]`: how much is found, and how much is found wrongly."""

import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from typer import Option

from services.contracts.privacy import detect
from services.kit.cli import new_app, run_line
from tests.privacy.values import SLOTS

TEMPLATES: Final = Path(__file__).with_name("templates.tsv")
SILENT: Final = "silent"
_SLOT: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Sentence:
    """A sentence and the kind that must be found in it; `silent`: nothing may be."""

    kind: str
    text: str


@dataclass
class Figures:
    """What came of it, by kind."""

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    alike: int = 0
    missed: list[Sentence] = field(default_factory=list)
    alarms: list[Sentence] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share of planted ones that were found as what they are."""
        return self.found.total() / max(self.planted.total(), 1)

    @property
    def false_alarms(self) -> float:
        """Share of look-alikes in which something was found."""
        return len(self.alarms) / max(self.alike, 1)


def read(path: Path = TEMPLATES) -> list[tuple[str, str]]:
    """Templates: kind, tab, sentence; lines with # are remarks."""
    lines = path.read_text("utf-8").splitlines()
    pairs = [line.split("\t", 1) for line in lines if "\t" in line and not line.startswith("#")]
    return [(kind.strip(), text) for kind, text in pairs]


def sentences(templates: Sequence[tuple[str, str]], seed: int, each: int) -> Iterator[Sentence]:
    """`each` planted sentences and as many look-alikes, all templates as often as each other."""
    rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
    for wanted in (True, False):
        pool = [t for t in templates if (t[0] != SILENT) is wanted]
        for n in range(each if pool else 0):
            kind, text = pool[n % len(pool)]
            yield Sentence(kind, _SLOT.sub(lambda slot: SLOTS[slot[1]](rng), text))


def measure(made: Iterator[Sentence]) -> Figures:
    """Ask the detector."""
    figures = Figures()
    for sentence in made:
        kinds = {hit.kind for hit in detect(sentence.text)}
        if sentence.kind == SILENT:
            figures.alike += 1
            if kinds:
                figures.alarms.append(sentence)
            continue
        figures.planted[sentence.kind] += 1
        if sentence.kind in kinds:
            figures.found[sentence.kind] += 1
        else:
            figures.missed.append(sentence)
    return figures


app = new_app()


@app.command()
def tell_figures(
    *,
    seed: int = 1,
    templates: Path = TEMPLATES,
    each: Annotated[int, Option(help="Planted sentences, and as many look-alikes.")] = 4000,
) -> int:
    """How much is found, and how much is found wrongly."""
    figures = measure(sentences(read(templates), seed, each))
    for kind, count in sorted(figures.planted.items()):
        sys.stdout.write(f"{kind:10} {figures.found[kind]:5} of {count:5} {figures.found[kind] / count:8.2%}\n")
    for word, listed in (("missed", figures.missed), ("false alarm", figures.alarms)):
        for sentence in listed:
            sys.stdout.write(f"{word}: {sentence.kind} {sentence.text!r}\n")
    sys.stdout.write(f"recall {figures.recall:.2%} of {figures.planted.total()} planted, ")
    sys.stdout.write(f"false alarms {figures.false_alarms:.2%} of {figures.alike} look-alikes\n")
    return 0 if figures.recall >= 0.995 and figures.false_alarms <= 0.005 else 1


if __name__ == "__main__":
    sys.exit(run_line(app, sys.argv[1:], "python -m tests.privacy"))
