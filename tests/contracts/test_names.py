"""Persons are told from firms, groups and words, in cells for names and in running text."""

import csv
import random
import sys
from pathlib import Path

import pytest

from services.contracts.names import find_in_text, mask_cell, mask_text
from tests.contracts import people

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


def lines(name: str) -> list[str]:
    return (CASES / name).read_text(encoding="utf-8").splitlines()


def test_no_surname_in_no_cell_is_shown_with_its_given_name() -> None:
    dice = random.Random(5)  # noqa: S311 - a sample
    cells = [case for case in people.cells(seed=5) if dice.random() < 0.2]
    assert len(cells) > 10_000
    leaks = [(c.text, shown) for c in cells if any(n in (shown := mask_cell(c.text)) for n in c.names)]
    assert leaks == []
    # 代李四: for whom somebody came, or a man whose surname is 代.
    lost = [c.text for c in cells if c.template != "代{}" and not all(s in mask_cell(c.text) for s in c.surnames)]
    assert len(lost) / len(cells) < 0.003, lost[:20]


def test_what_stands_beside_a_name_in_a_cell_goes_on_standing() -> None:
    dice = random.Random(6)  # noqa: S311 - a sample
    cells = [c for c in people.cells(seed=6) if dice.random() < 0.1]
    hidden = [tuple(s + "某某" for s in c.surnames) for c in cells]
    damaged = [
        c.text
        for c, h in zip(cells, hidden, strict=True)
        if mask_cell(c.text) != c.template.format(h[0], b=h[-1])
    ]  # fmt: skip
    assert len(damaged) / len(cells) < 0.03, damaged[:20]


@pytest.mark.parametrize("name", lines("institutions.txt"))
def test_firms_offices_groups_and_words_are_not_damaged(name: str) -> None:
    assert mask_cell(name) == name


def test_ordinary_summaries_are_not_damaged() -> None:
    summaries = lines("summaries.txt")
    assert len(summaries) > 390
    assert [s for s in summaries if mask_text(s) != s] == []


def test_most_names_in_sentences_are_found() -> None:
    cases = list(people.sentences(seed=11, count=3000))
    named = [(c.text, n) for c in cases for n in c.names]
    missed = [pair for pair in named if pair[1] in mask_text(pair[0])]
    assert len(missed) / len(named) < 0.06, missed[:40]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("村主任王建国签字同意", "村主任王建国签字同意"),
        ("支部委员：张三丰、李四海、王五洲", "支部委员：张三丰、李四海、王五洲"),
        ("经手人赵国庆", "经手人赵国庆"),
        ("慰问老书记王德福", "慰问老书记王某某"),
        ("原村主任李德海借款", "原村主任李某某借款"),
        ("付组长李强误工补贴", "付组长李某某误工补贴"),
    ],
)
def test_officials_stay_named_in_their_office_and_only_there(text: str, shown: str) -> None:
    assert mask_text(text) == shown


@pytest.mark.parametrize(
    "text",
    ["付张某某住院慰问金", "张某某、李某某等5人", "某五金店", "", " ", "。", "·", "a", "\u200b", "😀", "\ud800张三"],
)
def test_what_is_masked_or_strange_is_left_as_it_is(text: str) -> None:
    assert mask_text(text).startswith(text[:1])
    assert mask_cell(mask_cell(text)) == mask_cell(text)
    assert mask_text(mask_text(text)) == mask_text(text)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("张 三", "张某某"),
        ("李　桂　兰", "李某某"),
        ("张\u200b桂兰", "张某某"),
        ("张三丰　等3户", "张某某　等3户"),
        ("阿卜杜拉·买买提", "阿某某"),
        ("热合曼", "热某某"),
        ("Li Lei", "L某某"),
        ("张李文静", "张某某"),
        ("王五和李四", "王某某和李某某"),
        ("张德福之妻李桂兰", "张某某之妻李某某"),
        ("西海村三组李桂兰", "西海村三组李某某"),
        ("供电公司李强", "供电公司李某某"),
        ("农户张三丰商店", "农户张某某商店"),
        ("王强建材", "王强建材"),
        ("孙家大院", "孙家大院"),
    ],
)
def test_names_are_read_however_they_are_written(cell: str, shown: str) -> None:
    assert mask_cell(cell) == shown


def test_time_grows_with_the_length_and_no_faster() -> None:
    for piece in ("付张桂兰住院慰问金，", "王李张刘陈杨赵黄周吴", "、王建国", "等等等", "0-0-0-", "张三丰 "):
        steps = [_steps(piece * (size // len(piece))) for size in (1000, 4000)]
        assert steps[1] < steps[0] * 4.5, piece


def _steps(text: str) -> int:
    """How many functions are called: the same on every machine."""
    count = 0

    def calls(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(calls)
    try:
        find_in_text(text)
    finally:
        sys.setprofile(None)
    return count
