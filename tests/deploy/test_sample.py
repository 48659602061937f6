"""The sample city before anybody loads it: figures like real ones, faults written down, everything deterministic."""

import json
import statistics
from pathlib import Path

import pytest

from deploy.local.sample.ledgers import ledger, months_before
from deploy.local.sample.main_job import quantile
from deploy.local.sample.manifest import Planted, entry_body, make_plan, write_manifest
from deploy.local.sample.registry import Village, division_rows, villages
from services.contracts.bodies import Ledger


@pytest.fixture(scope="module")
def everybody() -> list[Village]:
    return villages(division_rows("full"))


def test_the_city_has_299_villages_and_the_zones_are_left_out(everybody: list[Village]) -> None:
    assert len(everybody) == 299
    assert not {"210881005400", "210881007400"} & {v.code for v in everybody}
    assert len(villages(division_rows("small"))) == 9


def test_ledgers_have_the_density_and_size_of_real_ones(everybody: list[Village]) -> None:
    ledgers = [ledger(v.code, "2026-10", "2026-08") for v in everybody]
    counts = [len(x["lines"]) for x in ledgers]
    spent = [line["amount_fen"] for x in ledgers for line in x["lines"] if line["direction"] == "out"]
    assert (min(counts), max(counts)) == (15, 50)
    assert min(spent) >= 2_000
    assert max(spent) <= 500_000
    assert 155_000 <= statistics.mean(spent) <= 165_000


def test_every_ledger_adds_up_and_opens_with_the_last_closing(everybody: list[Village]) -> None:
    for village in everybody[:60]:
        before, after = (ledger(village.code, p, "2026-08") for p in ("2026-09", "2026-10"))
        assert Ledger.model_validate(after).findings("2026-10") == ()
        assert [a["closing_fen"] for a in before["accounts"]] == [a["opening_fen"] for a in after["accounts"]]
        assert all(a["closing_fen"] >= 0 for a in after["accounts"])


def test_the_same_seed_gives_the_same_ledger() -> None:
    assert ledger("210881006206", "2026-10", "2026-08") == ledger("210881006206", "2026-10", "2026-08")
    assert ledger("210881006206", "2026-10", "2026-08") != ledger("210881006208", "2026-10", "2026-08")


def test_the_plan_names_every_fault_once_and_no_village_twice(everybody: list[Village]) -> None:
    plan = make_plan(everybody, "2026-10")
    assert [f.rule for f in plan.planted] == ["A01"] * 6 + ["A02"] * 2 + ["A03"] * 6 + ["D01"] * 2
    assert len({f.village for f in plan.planted}) == 16
    assert len(plan.entries) == 299 + 2 * 9 - 2
    assert {p for _, p in plan.entries} == {"2026-08", "2026-09", "2026-10"}


def test_a_village_that_never_opened_has_no_entry_for_that_month(everybody: list[Village]) -> None:
    plan = make_plan(everybody, "2026-10")
    late = {f.village for f in plan.planted if f.rule == "D01"}
    assert not [1 for v, p in plan.entries if v.code in late and p == "2026-09"]
    assert len([1 for v, p in plan.entries if v.code in late and p == "2026-10"]) == 2


@pytest.mark.parametrize(
    ("rule", "found"), [("A01", ["ledger.total"]), ("A02", []), ("A03", ["ledger.closing"]), ("D01", [])]
)
def test_a_planted_fault_is_in_the_entered_ledger(everybody: list[Village], rule: str, found: list[str]) -> None:
    plan = make_plan(everybody, "2026-10")
    village = next(f.village for f in plan.planted if f.rule == rule)
    body = Ledger.model_validate(entry_body(plan, village, "2026-10"))
    assert [f.code for f in body.findings("2026-10")] == found


def test_the_manifest_is_a_file_that_people_can_read(tmp_path: Path, everybody: list[Village]) -> None:
    plan = make_plan(everybody, "2026-10")
    write_manifest(tmp_path, plan)
    written = json.loads((tmp_path / "fault-manifest.json").read_text())
    assert written["entries"] == 315
    assert Planted(**{k: v for k, v in written["faults"][0].items() if k != "item"}) == plan.planted[0]


def test_months_are_counted_over_the_turn_of_the_year() -> None:
    assert months_before("2026-01", 1) == "2025-12"
    assert months_before("2026-02", 14) == "2024-12"


def test_quantiles_are_values_that_were_measured() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([1.0], 0.99) == 1.0
