"""`make bench`: measure against peers in the same run and write `docs/benchmarks.md`.

Every figure is a ratio to a peer measured moments apart on the same machine, alternating, medians of the rounds.
Needs wrk and nginx (Debian: `apt-get install wrk nginx-light libnginx-mod-http-headers-more-filter`); everything else
comes with the project.
"""

import asyncio
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests.bench import growth, hot, profiles, rebuild, searching, submit, suite, visible
from tests.bench.growth_notes import TITLE
from tests.bench.report import Figure, Section, compared, put_section, read_former, section_in, table, write_figures
from tests.running import ROOT, full_city

PACKAGES = "wrk, nginx-light and libnginx-mod-http-headers-more-filter"
REPORT = ROOT / "docs" / "benchmarks.md"
FIGURES = ROOT / "docs" / "benchmarks.json"
HEAD = """# Benchmarks

Written by `make bench`; run it again to measure again. Ratios compare with a peer measured in the same run, alternating
round by round, on the same cores with the same connections; medians of the rounds. Absolute figures belong to the
machine of the run and say little elsewhere.
"""


def commit() -> str:
    """Which one is measured."""
    asked = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def machine() -> str:
    """What the figures were measured on."""
    memory = psutil.virtual_memory().total / 2**30
    day = datetime.now(UTC).date()
    return (
        f"{day}, commit {commit()}, {psutil.cpu_count()} cores, {memory:.0f} GiB, "
        f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}.\n"
    )


def memory_section(pids: dict[str, int]) -> Section:
    """Resident memory of each service after the load."""
    rows = [(name, f"{psutil.Process(pid).memory_info().rss / 2**20:.0f} MB") for name, pid in sorted(pids.items())]
    text = "Resident memory of each process after everything above. Bar: at most 200 MB.\n\n"
    most = max(psutil.Process(pid).memory_info().rss for pid in pids.values()) / 2**20
    figure = Figure("memory of the largest process", most, "at most 200 MB", "MB")
    return Section("Memory of the services", text + table(("process", "RSS"), rows), [figure])


MEASURES = {
    "visible": visible.measure,
    "rebuild": rebuild.measure,
    "hot": hot.measure,
    "submit": submit.measure,
    "searching": searching.measure,
}


def main() -> int:
    """Start a city with its full sample, measure, write the report; with names of measures, tell those and write nothing.

    `growth` is measured alone: it starts a city of its own, and takes hours. Its section stays in the report until it is
    measured again; with a home behind it, what an earlier run found there is not measured again. `flames` measures nothing; behind it stand names of loads, or such a home:
    it looks at a city of ten years too. `suite` records the tests themselves; what is behind it goes to pytest.
    """
    if sys.argv[1:2] == ["flames"]:
        return profiles.main(machine(), sys.argv[2:])
    if sys.argv[1:2] == ["suite"]:
        return suite.main(machine(), profiles.TO, sys.argv[2:])
    if sys.argv[1:2] == ["growth"]:
        return _measure_growth(*(Path(home) for home in sys.argv[2:3]))
    wanted = sys.argv[1:] or list(MEASURES)
    for tool in (Path("wrk"), *hot.NEEDED) if "hot" in wanted else ():
        if shutil.which(tool) is None and not tool.exists():
            sys.stderr.write(f"The benchmarks need {tool}: install {PACKAGES}, then run again.\n")
            return 1
    with full_city() as city:
        sections = []
        for name in wanted:
            sys.stdout.write(f"measuring {name} …\n")
            sections.append(asyncio.run(MEASURES[name](city)))
            sys.stdout.write(f"{sections[-1].text}\n")
            sys.stdout.flush()
        sections.append(memory_section(city.service_pids()))
    if wanted != list(MEASURES):
        return 0
    figures, former = [f for s in sections for f in s.figures], read_former(FIGURES)
    bars = f"## Figures that have a bar\n\n{compared(figures, former)}"
    text = "\n".join([HEAD, machine(), bars, *(f"## {s.title}\n\n{s.text}" for s in sections)])
    if grown := section_in(REPORT.read_text(encoding="utf-8") if REPORT.exists() else "", TITLE):
        text = f"{text}\n{grown}"
    write_figures(FIGURES, figures, commit(), former)
    REPORT.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


def _measure_growth(home: Path | None = None) -> int:
    """Put the section of growth into the report, with its own figures that have a bar."""
    put_growth(growth.run(home))
    return 0


def put_growth(section: Section) -> None:
    """Put the section into the report and keep its figures."""
    former = read_former(FIGURES)
    text = f"{machine()}\n{section.text}"
    if section.figures:
        text += f"\n### Figures of growth that have a bar\n\n{compared(section.figures, former)}"
    REPORT.write_text(put_section(REPORT.read_text(encoding="utf-8"), section.title, text), encoding="utf-8")
    write_figures(FIGURES, section.figures, commit(), former)
    sys.stdout.write(text)


if __name__ == "__main__":
    sys.exit(main())
