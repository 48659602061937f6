"""How much the detector finds and how much it finds wrongly, measured by sentences that share nothing with it."""

from pathlib import Path

import pytest

from tests.privacy.__main__ import Sentence, measure, read, sentences


@pytest.mark.parametrize("seed", [20261127, 7])
def test_nearly_all_is_found_and_nearly_nothing_wrongly(seed: int) -> None:
    figures = measure(sentences(read(), seed, each=2500))
    assert figures.recall >= 0.995, figures.missed
    assert figures.false_alarms <= 0.005, figures.alarms
    assert min(figures.found[kind] / planted for kind, planted in figures.planted.items()) >= 0.98, figures.missed


def test_the_same_seed_makes_the_same_sentences_and_another_makes_others() -> None:
    one, same, other = (list(sentences(read(), seed, each=60)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_templates_can_come_from_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "templates.tsv"
    path.write_text("# a remark\nphone\t找{name}要钥匙{phone}\nsilent\t共{n}户\n", encoding="utf-8")
    figures = measure(sentences(read(path), seed=3, each=50))
    assert (figures.planted["phone"], figures.alike) == (50, 50)


def test_what_is_missed_or_found_wrongly_is_listed() -> None:
    figures = measure(iter([Sentence("phone", "找他"), Sentence("silent", "电话13800138000")]))
    assert [s.text for s in (*figures.missed, *figures.alarms)] == ["找他", "电话13800138000"]
    assert (figures.recall, figures.false_alarms) == (0.0, 1.0)


def test_the_generator_knows_nothing_of_the_detector_but_how_to_ask_it() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        uses = {
            line
            for line in path.read_text("utf-8").splitlines()
            if line.startswith(("from services", "import services"))
        }
        # How its command line is read has nothing to do with what it makes.
        command_line = {line for line in uses if line.startswith("from services.kit.cli import ")}
        assert uses - command_line <= {"from services.contracts.privacy import detect"}
