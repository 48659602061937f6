"""Lists of subsidies: area × rate, people × rate, four decimals, and what does not come to the amount."""

from typing import Any

import pytest

from services.contracts.bodies import BODY, Roster, figures
from tests.disclosures import sheet


def got(quantity: str | None, rate: str, fen: int, people: int | None = None) -> dict[str, Any]:
    entry = {"name": "某户", "quantity": quantity, "unit_rate": rate, "amount_fen": fen, "household_size": people}
    return {name: value for name, value in entry.items() if value is not None}


def told(*entries: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    body = BODY.validate_python({"kind": "roster", "quantity_unit": "亩", "entries": list(entries), **more})
    return [(f.code, f.at) for f in body.findings("2026-10-09") if f.code != "roster.twice"]


PRODUCT = [("roster.product", "body.entries[0].amount_fen")]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (got("12.6931", "78.5325", 99_682), []),
        # Paid out in whole yuan: less than one is no difference.
        (got("12.6931", "78.5325", 99_600), []),
        (got("12.6931", "78.5325", 99_700), []),
        (got("12.6931", "78.5325", 99_790), PRODUCT),
        (got("12.6931", "78.5325", 996_824), PRODUCT),
        (got(None, "120", 36_000, 3), []),
        (got(None, "120", 12_000, 3), PRODUCT),
        # By area, by people, or by both: whichever makes the amount.
        (got("2.5", "100", 25_000, 3), []),
        (got("2.5", "100", 75_000, 3), []),
        (got("2.5", "100", 30_000, 3), []),
        (got("2.5", "100", 50_000, 3), PRODUCT),
        (got(None, "120", 36_000), []),
    ],
)
def test_area_times_rate_makes_the_amount(entry: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert told(entry) == expected


def test_a_wrong_product_says_both_and_the_unit() -> None:
    body = BODY.validate_python(
        {"kind": "roster", "quantity_unit": "亩", "entries": [got("7227.693", "10", 7_327_693)]}
    )
    (finding,) = body.findings("2026-10-09")
    assert finding.message == "第 1 行 7227.693亩 × 10 元是 72,276.93 元，金额写的是 73,276.93 元，请核对。"


def test_the_total_of_areas_is_compared_to_four_decimals() -> None:
    entries = [got("3.8966", "1", 390), got("6.3870", "1", 639), got("6.7930", "1", 679)]
    assert told(*entries, totals={"quantity": "17.0766"}) == []
    assert told(*entries, totals={"quantity": "17.2566"}) == [("roster.quantity", "body.totals.quantity")]
    body = BODY.validate_python(
        {"kind": "roster", "quantity_unit": "公顷", "entries": entries, "totals": {"quantity": "17.2566"}}
    )
    (check,) = body.compare("2026-10-09")
    assert (check.stated, check.computed, check.unit, check.ok) == ("17.2566", "17.0766", "公顷", False)


def test_a_real_list_raises_nothing() -> None:
    _, *rows = sheet("subsidy-longquan")
    entries = [got(area, "10", round(float(fen) * 100)) for _, _, _, area, fen in rows if "." in area]
    assert len(entries) > 10
    assert told(*entries) == []


def test_areas_and_rates_are_figures_of_the_body() -> None:
    body = BODY.validate_python({"kind": "roster", "entries": [got("2.5", "100.25", 25_063)]})
    assert isinstance(body, Roster)
    assert dict(figures(body)) == {
        "body.entries[0].quantity": "2.5",
        "body.entries[0].unit_rate": "100.25",
        "body.entries[0].amount_fen": "25063",
    }


@pytest.mark.parametrize("wrong", ["12.69315", "-1", "1,200", "约5", "", "1e3", "0012"])
def test_an_area_that_is_no_plain_number_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="quantity"):
        BODY.validate_python({"kind": "roster", "entries": [got(wrong, "1", 100)]})
