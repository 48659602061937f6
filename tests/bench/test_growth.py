"""The table of growth says what was measured and what was not."""

from tests.bench.growth import Figure, report


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
