"""Measures how often prints are read, and writes the table of `docs/codes.md`.

.venv/bin/python -m tests.codes [PRINTS] [TIMES]
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from services.qr.render.poster import FORMS, Form, Poster, posters
from tests.codes.damage import DAMAGES, PROMISED, cut_out, read
from tests.running import ROOT

PAGE: Final[Path] = ROOT / "docs" / "codes.md"
BEGIN: Final = "<!-- measured: python -m tests.codes -->"
END: Final = "<!-- end of what was measured -->"
SITE: Final = "https://sanwu.gaizhou.example.cn"
AT: Final = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@dataclass(slots=True)
class Rate:
    """How often a form was read after a damage, by ZXing, by OpenCV, by either."""

    form: Form
    damage: str
    tries: int = 0
    first: int = 0
    second: int = 0
    either: int = 0

    def words(self) -> str:
        """As the table tells it."""
        return " / ".join(f"{100 * n / self.tries:.1f}" for n in (self.first, self.second, self.either))


def poster_of(form: Form, n: int) -> Poster:
    """The n-th print of a form."""
    kind = FORMS[form].kinds[0]
    return Poster(
        "盖州市 西海街道",
        "西海村委会",
        community=False,
        serial=n,
        code=f"{(n * 104729) % 10**8:08}",
        sample=False,
        kind=kind,
        place="村部门前",
        subject="2号机井",
    )


def measure(form: Form, prints: int, times: int, seed: int = 20261124) -> Iterator[Rate]:
    """Rates of a form: so many prints, each damaged so many times."""
    cut = []
    for n in range(1, prints + 1):
        poster = poster_of(form, n)
        cut.append((f"{SITE}/c/{poster.code}", cut_out(posters([poster], SITE, AT, form))))
    for name, damage in DAMAGES.items():
        random, rate = np.random.default_rng(seed), Rate(form, name)
        for wanted, of in cut:
            for _ in range(times):
                first, second = read(damage(of, random))
                rate.tries += 1
                rate.first += wanted in first
                rate.second += wanted in second
                rate.either += wanted in first | second
        yield rate


def table(rates: list[Rate]) -> str:
    """The rates as a table of Markdown."""
    forms = list(dict.fromkeys(r.form for r in rates))
    of = {(r.form, r.damage): r for r in rates}
    head = "| damage | " + " | ".join(f"{f.value} ({FORMS[f].symbol_mm} mm)" for f in forms) + " |"
    lines = [head, "| --- |" + " --- |" * len(forms)]
    for name in DAMAGES:
        mark = "" if name in PROMISED else " *"
        lines.append(f"| {name}{mark} | " + " | ".join(of[form, name].words() for form in forms) + " |")
    readers = f"zxing-cpp {version('zxing-cpp')}, OpenCV {version('opencv-python-headless')}"
    return "\n".join(
        [
            f"Read in per cent by ZXing / by OpenCV / by either of them; {rates[0].tries} tries a field; {readers}.",
            "",
            *lines,
            "",
            "`*`: beyond what is promised, to show where it ends.",
        ]
    )


def main(arguments: list[str]) -> int:
    """Measure and write; 1 when ZXing reads less than 99 in 100 of what is promised."""
    prints, times = (int(arguments[0]), int(arguments[1])) if arguments else (20, 10)
    rates = []
    for form in Form:
        for rate in measure(form, prints, times):
            sys.stdout.write(f"{form.value}: {rate.damage}: {rate.words()}\n")
            sys.stdout.flush()
            rates.append(rate)
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(rates)}\n\n{END}{rest.partition(END)[2]}", "utf-8")
    return int(any(r.either < 0.99 * r.tries for r in rates if r.damage in PROMISED))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
