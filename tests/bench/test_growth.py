"""The table of growth says what was measured and what was not."""

from pathlib import Path

from tests.bench.growth_notes import CPU, Figure, Notes, barred, report, times
from tests.bench.report import put_section, section_in


def row(text: str, name: str) -> list[str]:
    """The cells of a row."""
    found = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_what_was_not_measured_is_marked_and_tells_of_all_villages_where_it_grows_with_them() -> None:
    month = {"grid": Figure(100, beside="80.0 ms of CPU"), "desk of a clerk": Figure(8.04)}
    text = report(month, {"grid": Figure(150.0), "desk of a clerk": Figure(8.04), "start": Figure(20, "s")})
    assert row(text, "grid") == ["grid", "100 ms (80.0 ms of CPU)", "150 ms", "1.5", "≈ 5,600 ms", "200 ms"]
    assert row(text, "desk of a clerk") == ["desk of a clerk", "8.0 ms", "8.0 ms", "1.0", "≈ 8.0 ms", "150 ms"]
    assert row(text, "start") == ["start", "", "20.0 s", "", "", ""]


def test_a_run_that_was_ended_finds_what_it_noted(tmp_path: Path) -> None:
    first = Notes(tmp_path / "notes")
    first.stage("one month")["grid"] = Figure(100.0, beside="80.0 ms of CPU")
    first.inflated(7, 1.5)
    again = Notes(tmp_path / "notes")
    found = again.stage("one month")["grid"]
    assert found[:3] == (100.0, "ms", "80.0 ms of CPU")
    assert found.pace_ms > 0
    assert again.stage("ten years") == {}
    assert (again.made, again.inflating_s) == (7, 1.5)
    assert again.loads("one month").count("–") == 1
    assert (again.year(), again.year(), Notes(tmp_path / "notes").year()) == (2001, 2002, 2003)


def test_how_much_something_has_grown_is_told_at_the_pace_of_the_machine() -> None:
    month, decade = Figure(10.0, CPU, pace_ms=5.0), Figure(30.0, CPU, pace_ms=10.0)
    assert times(month, decade) == 1.5
    assert times(month._replace(pace_ms=0.0), decade) == 3.0
    assert times(Figure(10.0, "MB", pace_ms=5.0), Figure(30.0, "MB", pace_ms=10.0)) == 3.0


def test_what_has_a_bar_is_told_as_it_is_after_the_years() -> None:
    approval = "approval at 10/s, all parts"
    found = barred({approval: Figure(50.0)}, {approval: Figure(60.0), "grid": Figure(150.0), "start": Figure(9.0, "s")})
    assert [(f.name, f.value, f.bar, f.unit) for f in found] == [
        ("10 years: grid", 150.0, "at most 200 ms", "ms"),
        (f"10 years: {approval}", 1.2, "at most 1.2 times", "times"),
    ]


def test_a_section_of_a_report_is_put_in_the_place_of_its_former_self() -> None:
    text = "# B\n\n## A\n\na\n\n## Growth\n\nold\n\n### Bars\n\n## C\n\nc\n"
    assert section_in(text, "Growth") == "## Growth\n\nold\n\n### Bars\n"
    assert put_section(text, "Growth", "new\n") == "# B\n\n## A\n\na\n\n## Growth\n\nnew\n\n## C\n\nc\n"
    assert put_section("# B\n\n## A\n\na\n", "Growth", "new\n") == "# B\n\n## A\n\na\n\n## Growth\n\nnew\n"
    assert section_in(text, "Nothing") == ""
