"""The figures of the report and what they were before."""

from pathlib import Path

from tests.bench.report import Figure, Former, compared, read_former, write_figures

FIGURES = [Figure("a ratio", 3.21, "at most 4"), Figure("a wait", 0.25, "at most 0.3 s", "s")]


def test_a_figure_stands_beside_what_it_was_and_its_bar() -> None:
    told = compared(FIGURES, {"a ratio": Former(17.8, "565090b")})
    assert "| a ratio | at most 4 | 17.8 (565090b) | **3.21** |" in told
    assert "| a wait | at most 0.3 s | – | **0.25 s** |" in told


def test_what_was_not_measured_again_stays_with_its_commit(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    assert read_former(path) == {}
    write_figures(path, FIGURES, "aaaaaaa", {})
    write_figures(path, FIGURES[:1], "bbbbbbb", read_former(path))
    assert read_former(path) == {"a ratio": Former(3.21, "bbbbbbb"), "a wait": Former(0.25, "aaaaaaa")}
