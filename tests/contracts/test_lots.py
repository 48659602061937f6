"""Lots, rents that rise, works of a project, tenders: what adds up, what is found and where, what is refused."""

from typing import Any

import pytest

from services.contracts.bodies import BODY, Contract
from tests.contracts.test_bodies_kinds import golden


def told(name: str, **changes: Any) -> list[tuple[str, str]]:
    return [(f.code, f.at) for f in BODY.validate_python({**golden(name), **changes}).findings("2026-10-20")]


def lot(quantity: str, fen: int | None = None, **more: Any) -> dict[str, Any]:
    return {"title": "一块", "quantity": quantity, "unit": "亩", **({"total_fen": fen} if fen else {}), **more}


AREA = [("contract.area", "body.area_mu")]
LOTS = [("contract.lots", "body.total_fen")]


@pytest.mark.parametrize(
    ("lots", "more", "expected"),
    [
        ([lot("15.3"), lot("14.7")], {"area_mu": "30"}, []),
        ([lot("15.3"), lot("14.6")], {"area_mu": "30"}, AREA),
        # Nobody adds up what is approximate, measured in something else, or not told of all.
        ([lot("15.3", about=True), lot("14.6")], {"area_mu": "30"}, []),
        ([lot("15.3"), lot("14.6")], {"area_mu": "30", "area_about": True}, []),
        ([lot("15.3"), lot("14.6", unit="间")], {"area_mu": "30"}, []),
        ([lot("15.3"), {"title": "看护房"}], {"area_mu": "30"}, []),
        ([lot("15.3")], {"area_mu": None}, []),
        ([lot("1", 3_000_000), lot("2", 2_000_000)], {"area_mu": None}, []),
        ([lot("1", 3_000_000), lot("2", 2_000_001)], {"area_mu": None}, LOTS),
        ([lot("1", 3_000_000), lot("2")], {"area_mu": None}, []),
    ],
)
def test_lots_make_the_area_and_the_total(
    lots: list[dict[str, Any]], more: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert told("contract", lots=lots, instalments=[], **more) == expected


def rents(begins: str, ends: str, rises: dict[str, Any], annual: int = 1_000_000) -> tuple[int, ...]:
    changes = {"signed_on": begins, "begins": begins, "ends": ends, "annual_fen": annual, "rises": rises}
    body = BODY.validate_python({**golden("contract"), **changes, "instalments": [], "total_fen": None})
    assert isinstance(body, Contract)
    return body.rents


@pytest.mark.parametrize(
    ("begins", "ends", "rises", "expected"),
    [
        ("2026-11-01", "2029-10-31", {"every_years": 1, "percent": "10"}, (1_000_000, 1_100_000, 1_210_000)),
        ("2026-01-01", "2026-12-31", {"every_years": 1, "percent": "10"}, (1_000_000,)),
        (
            "2026-11-01",
            "2030-10-31",
            {"every_years": 2, "amount_fen": 50_000},
            (1_000_000, 1_000_000, 1_050_000, 1_050_000),
        ),
        # Part of a year has no rent of its own here.
        ("2026-11-01", "2028-11-01", {"every_years": 1, "percent": "5"}, (1_000_000, 1_050_000)),
        ("2026-11-01", "2027-10-30", {"every_years": 1, "percent": "5"}, ()),
        ("2028-02-29", "2029-02-27", {"every_years": 1, "percent": "5"}, ()),
        ("2028-02-29", "2029-02-28", {"every_years": 1, "percent": "5"}, (1_000_000,)),
        ("2026-11-01", "2028-10-31", {"every_years": 1, "percent": "3.3333"}, (1_000_000, 1_033_333)),
    ],
)
def test_the_rent_of_each_year(begins: str, ends: str, rises: dict[str, Any], expected: tuple[int, ...]) -> None:
    assert rents(begins, ends, rises) == expected


def test_rents_that_do_not_make_the_total_are_told_with_both() -> None:
    assert told("contract-rises") == []
    body = BODY.validate_python({**golden("contract-rises"), "total_fen": 3_000_000})
    (finding,) = body.findings("2026-10-20")
    assert finding.message == "总金额 30,000.00 元与各年租金相加 33,000.00 元不符，请核对。"
    (check,) = body.compare("2026-10-20")
    assert (check.code, check.stated_fen, check.computed_fen, check.ok) == (
        "contract.rises",
        3_000_000,
        3_300_000,
        False,
    )


@pytest.mark.parametrize(
    "rises",
    [
        {"every_years": 1},
        {"every_years": 1, "percent": "5", "amount_fen": 100},
        {"every_years": 0, "percent": "5"},
        {"percent": "5"},
    ],
)
def test_a_rise_is_by_a_share_or_by_an_amount(rises: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="rises"):
        BODY.validate_python({**golden("contract"), "rises": rises})


def test_works_make_the_budget_and_the_settlement() -> None:
    assert told("project-parts") == []
    assert told("project-parts", budget_fen=200_000_001) == [("project.parts", "body.budget_fen")]
    assert told("project-parts", settled_fen=1) == [("project.parts", "body.settled_fen")]
    parts = [{"title": "一", "budget_fen": 1}, {"title": "二"}]
    assert told("project-parts", parts=parts, settled_fen=None) == []


def test_days_of_a_tender_follow_each_other() -> None:
    terms = golden("notice-tender")["tender"]
    assert told("notice-tender", tender={**terms, "opens_on": "2026-10-12"}) == [
        ("tender.days", "body.tender.opens_on")
    ]


@pytest.mark.parametrize("follows", ["", "1", "../d/1", "0199C7A0-0000-7000-8000-000000000001", "x" * 36])
def test_what_a_result_follows_is_an_id(follows: str) -> None:
    with pytest.raises(ValueError, match="follows"):
        BODY.validate_python({**golden("contract"), "follows": follows})
