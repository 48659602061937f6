"""What the bench of growth looks at, how it is noted while it is found, and the table of it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from deploy.local.service import process_names
from tests.bench import report as reports
from tests.bench.inflate import YEARS
from tests.bench.pace import pace_ms
from tests.bench.report import median, spread, table
from tests.builders import CITY, TOWNSHIP, VILLAGE

TITLE: Final = "Growth"
#: A prefecture of 16,727 villages beside a city of 299.
WIDER: Final = 56
#: Approvals a second.
RATE: Final = 10
CPU: Final = "ms of CPU"
TABLES: Final = ("audit.fact", "audit.verdict", "publish_read.publication")
_GROWN: Final = 1.2
_PACES: Final = 5
#: In the years that approvals take their periods from there is no month of anybody's.
_FIRST_YEAR: Final = 2001


class Page(NamedTuple):
    """Something that a person waits for; `who` None is everybody."""

    title: str
    service: str
    who: str | None
    path: str
    bar_ms: int | None = None
    #: Whether it tells of every village of the city.
    wide: bool = False


PAGES: Final = (
    Page("village page, as it was rendered", "publish", None, f"/v/{VILLAGE}"),
    Page("item page F01", "publish", None, f"/v/{VILLAGE}/F01", 10),
    Page("duties of a month", "publish", None, f"/api/v1/villages/{VILLAGE}/duties?period=2026-10", 8),
    Page("duties, all", "publish", None, f"/api/v1/villages/{VILLAGE}/duties?limit=200"),
    Page("disclosures of a village", "publish", None, f"/api/v1/villages/{VILLAGE}/disclosures?limit=50"),
    Page("changes", "publish", None, "/api/v1/changes?limit=200"),
    Page("search", "publish", None, "/search?q=%E6%9D%91"),
    Page("desk of a clerk", "ingest", f"clerk-{VILLAGE}", "/desk", 150),
    Page("desk of an accountant", "ingest", f"accountant-{TOWNSHIP}", "/desk", 150),
    Page("desk of a reviewer", "ingest", f"reviewer-{TOWNSHIP}", "/desk", 150),
    Page("township's table at the desk", "ingest", f"reviewer-{TOWNSHIP}", "/desk/grid", 150),
    Page("grid", "audit", f"inspector-{CITY}", "/inspect/grid", 200, wide=True),
    Page("coverage of a month", "audit", f"inspector-{CITY}", "/audit/v1/coverage?period=2026-10", 200, wide=True),
    Page(
        "coverage of a year",
        "audit",
        f"inspector-{CITY}",
        f"/audit/v1/coverage?division={CITY}&period=2026",
        200,
        wide=True,
    ),
    Page("alerts, page", "audit", f"inspector-{CITY}", "/inspect", 150),
    Page("alerts, open", "audit", f"inspector-{CITY}", "/audit/v1/alerts?state=open&limit=200", 150),
    Page(
        "alerts, all of a village", "audit", f"inspector-{CITY}", f"/audit/v1/alerts?village={VILLAGE}&limit=200", 150
    ),
)


class Figure(NamedTuple):
    """What was measured: the number that grows, in its unit, what is told beside it, and the machine's pace (0: not known)."""

    number: float
    unit: str = "ms"
    beside: str = ""
    pace_ms: float = 0.0

    @property
    def words(self) -> str:
        """As it stands in the table."""
        number = f"{self.number:.1f}" if self.number < 100 else f"{self.number:,.0f}"
        return f"{number} {self.unit}{f' ({self.beside})' if self.beside else ''}"


class Notes:
    """What was found so far, in a file: each figure as soon as it is there, with the load of the machine at that moment."""

    def __init__(self, path: Path) -> None:
        """Take up what an earlier run noted."""
        self._path = path
        self._told: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}

    @property
    def made(self) -> int:
        """How many disclosures were written into the tables; 0 before."""
        return int(self._told.get("made", 0))

    @property
    def inflating_s(self) -> float:
        """How long that took."""
        return float(self._told.get("inflating", 0.0))

    def inflated(self, made: int, seconds: float) -> None:
        """Note that the years are there."""
        self._told |= {"made": made, "inflating": seconds}
        self.keep()

    def year(self) -> int:
        """A year that no run has used yet."""
        self._told["year"] = int(self._told.get("year", _FIRST_YEAR - 1)) + 1
        self.keep()
        return int(self._told["year"])

    def stage(self, name: str) -> "Figures":
        """The figures of a stage; what is put in is kept."""
        return Figures(self, self._told.setdefault(name, {}), self._told.setdefault(f"loads, {name}", []))

    def paces(self, name: str) -> str:
        """The least and the most of the machine's pace meanwhile, as far as it was noted."""
        return spread([f.pace_ms for f in self.stage(name).values() if f.pace_ms] or [0.0], ".1f")

    def loads(self, name: str) -> str:
        """The least and the most that the machine had to do meanwhile."""
        return spread(self._told[f"loads, {name}"] or [0.0], ".1f")

    def keep(self) -> None:
        """Write the file."""
        self._path.write_text(json.dumps(self._told, ensure_ascii=False, indent=1), encoding="utf-8")


class Figures(dict[str, Figure]):
    """Figures by what they are of, kept as they come."""

    def __init__(self, notes: Notes | None = None, told: dict[str, Any] | None = None, loads: Any = None) -> None:
        """Begin with what was told before."""
        super().__init__({name: Figure(*of) for name, of in (told or {}).items()})
        self._notes, self._told, self._loads = notes, told, loads

    def __setitem__(self, name: str, figure: Figure) -> None:
        if self._notes is not None:
            figure = figure._replace(pace_ms=round(figure.pace_ms or median([pace_ms() for _ in range(_PACES)]), 1))
        super().__setitem__(name, figure)
        if self._notes is not None and self._told is not None:
            self._told[name] = list(figure)
            self._loads.append(round(os.getloadavg()[0], 1))
            self._notes.keep()


def times(before: Figure, after: Figure) -> float:
    """How many times a figure has grown; what is processor time, at the pace that the machine had."""
    grown = after.number / before.number
    return grown * before.pace_ms / after.pace_ms if "CPU" in after.unit and before.pace_ms and after.pace_ms else grown


def report(month: Mapping[str, Figure], decade: Mapping[str, Figure]) -> str:
    """The table; what stands behind ≈ is worked out, not measured."""
    rows = []
    for name in {**month, **decade}:
        before, after = month.get(name), decade.get(name)
        grown = f"{times(before, after):.1f}" if before and after and before.number else ""
        rows.append((name, _words(before), _words(after), grown, _widened(name, before), _BARS.get(name, ("", ""))[0]))
    return table(
        ("what", "one month", f"{YEARS} years", "times", f"{WIDER} times the villages, one month", "bar"), rows
    )


def barred(month: Mapping[str, Figure], decade: Mapping[str, Figure]) -> list[reports.Figure]:
    """What has a bar, as it is after the years."""
    found = []
    for name, (bar, unit) in _BARS.items():
        before, after = month.get(name), decade.get(name)
        if after is None or (bar == _TIMES and before is None):
            continue
        number = times(before, after) if bar == _TIMES and before is not None else after.number
        found.append(reports.Figure(f"{YEARS} years: {name}", number, f"at most {bar}", unit))
    return found


def _words(of: Figure | None) -> str:
    return of.words if of is not None else ""


def _widened(name: str, one: Figure | None) -> str:
    """What it would be with so many villages: what is of one village stays, what is of all of them grows with them."""
    if one is None or name.startswith(("memory of", "start", "first start")):
        return ""
    times = WIDER if name in _OF_ALL else 1
    return f"≈ {Figure(one.number * times, one.unit).words}"


_OF_ALL: Final = frozenset(
    {p.title for p in PAGES if p.wide} | {"midnight in publish", "replay", "rebuild", "database", *TABLES}
)
_TIMES: Final = f"{_GROWN} times"
#: The bar in words, and the unit of what has it.
_BARS: Final[Mapping[str, tuple[str, str]]] = {
    **{p.title: (f"{p.bar_ms} ms", "ms") for p in PAGES if p.bar_ms is not None},
    "load and render: village": ("6 ms", "ms"),
    "replay, memory at its most": ("600 MB", "MB"),
    f"approval at {RATE}/s, all parts": (_TIMES, "times"),
    **{f"memory of {name}": ("200 MB", "MB") for name in process_names()},
}
