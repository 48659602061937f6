"""Figures of the code that must not get worse again (`docs/code-figures.md`)."""

from pathlib import Path
from typing import Final

from tests.conftest import Place, ServiceFactory
from tests.house.figures import ROOT, measure, of_part
from tests.house.shape import read
from tests.house.ways import walk_all

#: The limits, all of them. Whoever makes one smaller writes the smaller one here.
AT_MOST: Final = {
    "services": {
        # Values of JSON: what audit keeps of bodies, what a row of a list or a form of an item holds.
        "anys": 271,
        # Of these 44 tell spreadsheets' layouts apart (services/ingest/workbooks), 20 look at a content before it is handed in: a
        # case a branch.
        "complex_functions": 155,
        "unreasoned": 0,
        "short_docstrings": 31,
        "requires": 6,
        "lambdas": 15,
        "owns": 0,
        "cursors": 19,
        "base64s": 8,
        "untyped_lists": 0,
    },
    # The file that checks evidence alone reads JSON without models.
    "deploy": {"anys": 93, "complex_functions": 8, "unreasoned": 0, "short_docstrings": 8},
    "tests": {"unreasoned": 0},
}
#: Of the largest in a part.
LARGEST: Final = {
    "services": {"file_lines": 400, "function_lines": 50, "complexity": 25},
    "deploy": {"file_lines": 400, "function_lines": 37, "complexity": 26},
}
DEPTH: Final = {"submit": 1, "approve": 1, "withdraw": 1, "account reset": 1, "code revoke": 1, "staff list": 2}


def test_no_figure_is_worse_than_its_limit() -> None:
    parts = measure(ROOT)["parts"]
    found = {part: {name: parts[part][name] for name in limits} for part, limits in AT_MOST.items()}
    found |= {f"largest of {part}": {n: parts[part][n][-1] for n in limits} for part, limits in LARGEST.items()}
    limits = {**AT_MOST, **{f"largest of {part}": limits for part, limits in LARGEST.items()}}
    worse = [
        f"{part}: {name} {found[part][name]} > {limit}"
        for part, of in limits.items()
        for name, limit in of.items()
        if found[part][name] > limit
    ]
    assert worse == []


async def test_business_begins_no_deeper_below_a_route(service: ServiceFactory, place: Place) -> None:
    found = await walk_all(service, place)
    assert {name: frames for name, frames in found.items() if len(frames) - 1 > DEPTH[name]} == {}
    assert set(found) == set(DEPTH)


SAMPLE: Final = '''"""A page."""

# why
from typing import Any
import base64


class Thing:
    """A thing of its own kind, told in more words."""

    def of(self, page: Any, x: "dict[str, Any]") -> int:
        """Of it."""
        # two
        if x and page.after or self:  # noqa: X001
            return sum(n for n in x if n)  # type: ignore[x] # noqa: Y002 - because
        return base64.b64decode(x)


@router.get("/things")
async def things(runtime: Runtime) -> dict[str, Any]:
    runtime.own["a"].require(lambda: page.answer([], "x"))
    match runtime:
        case 1:
            try:
                pass
            except ValueError:
                pass
        case _:
            pass
'''


def test_every_figure_is_counted_as_the_page_says(tmp_path: Path) -> None:
    folder = tmp_path / "services" / "x" / "api"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text(SAMPLE, "utf-8")
    assert of_part(read(tmp_path, "services")) == {
        "files": 1,
        "lines": 29,
        "code_lines": 18,
        "file_lines": [29, 29, 29],
        "functions": 2,
        "function_lines": [6, 10, 10],
        "complexity": [3, 6, 6],
        "complex_functions": 0,
        "comments_percent": 6.9,
        "anys": 3,
        "suppressions": 3,
        "unreasoned": 1,
        "short_docstrings": 2,
        "requires": 1,
        "lambdas": 1,
        "owns": 1,
        "cursors": 2,
        "base64s": 1,
        "untyped_lists": 1,
    }
