"""A village's page in English says what the page in Chinese says: the same figures, no more and no less."""

import re
from typing import Any

import pytest

from services.publish.render.english import in_english, lacking_in_english
from services.publish.render.standing import Standing
from tests import builders

CHINESE = f"/v/{builders.VILLAGE}"
ENGLISH = f"{CHINESE}/en"


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


async def test_the_figures_are_those_of_the_page_in_chinese(publishing: Any) -> None:
    await publishing.opened()
    answer = await publishing.get(ENGLISH)
    assert '<html lang="en">' in answer.text
    told = plain(answer.text)
    page = plain((await publishing.get(CHINESE)).text)
    assert "Money, October 2026" in told
    for amount in ("51,200.00", "600.00", "3,815.00", "47,985.00"):
        assert f"¥{amount}" in told
        assert f"{amount}元" in page
    assert "The sums agree ✓" in told
    assert "2026, 1 month published: came in ¥600.00 , went out ¥3,815.00" in told
    assert "Sample data" not in told or "示例数据" in page
    assert "12388" in told


async def test_what_disagrees_or_is_withdrawn_is_told(publishing: Any) -> None:
    body = builders.ledger()
    body["accounts"][1]["closing_fen"] -= 1_250
    event = await publishing.opened(body=body)
    told = plain((await publishing.get(ENGLISH)).text)
    assert "The sums disagree in 1 place;" in told
    assert "The sums agree" not in told
    await publishing.withdrawn(event)
    told = plain((await publishing.get(ENGLISH)).text)
    assert "No month of income and spending is published now." in told
    assert "withdrawn on 24 November 2026" in told
    assert "51,200.00" not in told


async def test_a_place_that_is_no_village_has_no_page(publishing: Any) -> None:
    for code in ("999999999999", "210881006", "x"):
        await publishing.get(f"/v/{code}/en", 404)


@pytest.mark.parametrize(
    ("period", "words"),
    [
        ("2026-10", "October 2026"),
        ("2026Q3", "third quarter of 2026"),
        ("2026H1", "first half of 2026"),
        ("2026", "2026"),
        ("2026-10-09", "9 October 2026"),
    ],
)
def test_periods_are_named(period: str, words: str) -> None:
    assert in_english(period) == words


@pytest.mark.parametrize("period", ["2026-13", "2026Q5", "2026H3", "2026-02-30", "", "x"])
def test_what_is_no_period_is_named_nothing(period: str) -> None:
    with pytest.raises(ValueError, match=r"公开期|这一天"):
        in_english(period)


def test_what_is_missing_is_counted() -> None:
    assert lacking_in_english(Standing()) == "Nothing is past due."
    assert lacking_in_english(Standing(1, {"village": 1}, 3)).startswith("1 item is past due")
    assert "2 items are past due and not published, the oldest by 44 days" in lacking_in_english(
        Standing(2, {"village": 2}, 44)
    )
