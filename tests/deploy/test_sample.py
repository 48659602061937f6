"""The sample city before anybody loads it: figures like real ones, faults written down, everything deterministic."""

import json
import statistics
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.local.sample.ledgers import ledger, months_before
from deploy.local.sample.main_job import quantile
from deploy.local.sample.manifest import (
    Plan,
    Planted,
    content_of,
    corrected,
    make_plan,
    quarter_of,
    write_manifest,
)
from deploy.local.sample.pictures import drawn
from deploy.local.sample.registry import PILOT, SHOWCASE, Village, _early, division_rows, villages
from services.contracts.bodies import BODY, Ledger, figures
from services.ingest.gate.findings import personal_in


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
    assert not [line for x in ledgers for line in x["lines"] if line["direction"] != "transfer" and not line["payee"]]
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


def test_the_plan_names_every_fault_and_who_has_it(everybody: list[Village]) -> None:
    plan = make_plan(everybody, "2026-10")
    rules = ["A01"] * 6 + ["A02"] * 2 + ["A03"] * 6 + ["D01"] * 4 + ["D02", "D07", "D10"]
    assert [f.rule for f in plan.planted] == rules
    # Blind for two periods is late for each of them.
    assert [(f.rule, f.item, f.period) for f in plan.planted if f.rule in {"D01", "D02"}] == [
        ("D01", "F01", "2026-09"),
        ("D01", "F01", "2026-09"),
        ("D01", "F09", "2026-09"),
        ("D01", "F09", "2026-10"),
        ("D02", "F09", "2026-10"),
    ]
    assert len({f.village for f in plan.planted}) == 19


def test_every_village_opens_four_items_and_the_pilot_what_it_owes(everybody: list[Village]) -> None:
    plan = make_plan(everybody, "2026-10")
    outside = [e for e in plan.entries if e.village.township != PILOT]
    assert len(outside) == 290 * 4
    assert {(e.item, e.period) for e in outside} == {
        ("F01", "2026-10"),
        ("F09", "2026-10"),
        ("V09", "2026Q3"),
        ("V16", "2026Q3"),
    }
    # Fifteen each, less four that never came and two that are waived; 25 items and 34 older months more in one village.
    assert len(plan.entries) - len(outside) == 9 * 15 - 4 - 2 + 25 + 34
    assert len({e.item for e in plan.entries}) == 37
    assert len({(e.village, e.item, e.period) for e in plan.entries}) == len(plan.entries)


def test_the_second_month_after_a_new_year_still_has_its_quarter(everybody: list[Village]) -> None:
    assert quarter_of("2026-11") == "2026Q3"
    assert quarter_of("2026-01") == "2025Q4"
    plan = make_plan(everybody, "2025-12")
    assert {e.period for e in plan.entries if e.item == "V09"} == {"2025Q4"}


def test_a_village_that_never_opened_has_no_entry_for_that_month(everybody: list[Village]) -> None:
    plan = make_plan(everybody, "2026-10")
    late = {(f.village, f.item, f.period) for f in plan.planted if f.rule == "D01"}
    assert not [1 for e in plan.entries if (e.village.code, e.item, e.period) in late]
    assert SHOWCASE not in {village for village, _, _ in late}
    # Only those who went live early can be late on the first day.
    assert {village for village, _, _ in late} == {v.code for v in _early(division_rows("full"))}


def test_everything_else_that_is_entered_adds_up_and_names_nobody(everybody: list[Village]) -> None:
    plan = make_plan(everybody, "2026-10")
    faulty = {(f.village, f.item) for f in plan.planted}
    for entry in plan.entries[::7]:
        if entry.way == "nil" or (entry.village.code, entry.item) in faulty:
            continue
        body = BODY.validate_python(content_of(plan, entry))
        assert (*body.findings(entry.period), *personal_in(body)) == (), entry


@pytest.mark.parametrize(("rule", "found"), [("A01", ["ledger.total"]), ("A02", []), ("A03", ["ledger.closing"])])
def test_a_planted_fault_is_in_the_entered_ledger(everybody: list[Village], rule: str, found: list[str]) -> None:
    plan = make_plan(everybody, "2026-10")
    fault = next(f for f in plan.planted if f.rule == rule)
    entry = next(e for e in plan.entries if (e.village.code, e.item, e.period) == (fault.village, "F01", "2026-10"))
    body = Ledger.model_validate(content_of(plan, entry))
    assert [f.code for f in body.findings("2026-10")] == found


def test_a_correction_changes_two_figures_and_no_sum(everybody: list[Village]) -> None:
    plan = make_plan(everybody, "2026-10")
    chosen = [e for e in plan.entries if e.correction is not None]
    assert sorted(str(e.correction) for e in chosen) == ["noted", "silent"]
    for entry in chosen:
        before, after = (
            Ledger.model_validate(b) for b in (content_of(plan, entry), corrected(content_of(plan, entry)))
        )
        assert len(set(figures(before)) - set(figures(after))) == 2
        assert (before.accounts, before.expense_fen) == (after.accounts, after.expense_fen)
        assert after.findings(entry.period) == ()


def _showcase(plan: Plan, item: str) -> dict[str, Any]:
    entry = next(e for e in plan.entries if e.village.code == SHOWCASE and e.item == item)
    return content_of(plan, entry)


def test_the_showcase_has_three_years_of_months_that_follow_each_other(everybody: list[Village]) -> None:
    plan = make_plan(everybody, "2026-10")
    months = [e for e in plan.entries if e.village.code == SHOWCASE and e.item == "F01"]
    assert (months[0].period, months[-1].period, len(months)) == ("2023-10", "2026-10", 37)
    closing = None
    for entry in months:
        accounts = content_of(plan, entry)["accounts"]
        assert closing in {None, tuple(a["opening_fen"] for a in accounts)}
        closing = tuple(a["closing_fen"] for a in accounts)
        assert min(closing) > 0


def test_a_project_is_decided_let_built_accepted_and_paid_in_this_order_and_with_these_amounts(
    everybody: list[Village],
) -> None:
    plan = make_plan(everybody, "2026-10")
    decided, road, lease = (_showcase(plan, item) for item in ("V02", "V08", "V10"))
    steps = [decided["held_on"], *(road[n] for n in ("tendered_on", "started_on", "finished_on", "accepted_on"))]
    assert steps == sorted(steps)
    assert road["resolution_id"] in decided["resolution"]
    lines = [
        line
        for e in plan.entries
        if e.village.code == SHOWCASE and e.item == "F01"
        for line in content_of(plan, e)["lines"]
        if line.get("resolution_id")
    ]
    paid = [x["amount_fen"] for x in lines if x["payee"] == road["contractor"]]
    assert sorted(paid) == sorted(p["amount_fen"] for p in road["payments"])
    (rent,) = [x for x in lines if x["payee"] == lease["party"]]
    assert rent["amount_fen"] == lease["annual_fen"]
    rents = [row for row in _showcase(plan, "F10")["rows"] if row[0] == lease["party"]]
    assert rents[0][2] == lease["annual_fen"]


def test_labour_lines_are_what_the_labour_rosters_come_to(everybody: list[Village]) -> None:
    plan = make_plan(everybody, "2026-10")
    rosters = {(e.village, e.period): content_of(plan, e) for e in plan.entries if e.item == "F09" and e.way != "nil"}
    for entry in plan.entries:
        if entry.item != "F01" or (entry.village, entry.period) not in rosters or entry.way == "nil":
            continue
        told = [x["amount_fen"] for x in content_of(plan, entry)["lines"] if "用工公开" in x["summary"]]
        assert told == [rosters[entry.village, entry.period]["totals"]["amount_fen"]]


def test_who_is_paid_sells_what_is_bought(everybody: list[Village]) -> None:
    sellers: dict[str, set[str]] = {}
    for village in everybody[:80]:
        for line in ledger(village.code, "2026-10", "2026-10")["lines"]:
            sellers.setdefault(line["summary"], set()).add(line.get("payee", ""))
    assert sellers["购水泥、砂石"] == {"兴旺建材商店"}
    assert sellers["付村部水费"] == {"盖州市自来水公司"}
    assert len(sellers["付护林员补助"]) > 5


def test_what_is_under_way_or_withdrawn_is_no_part_of_what_is_counted(everybody: list[Village]) -> None:
    plan = make_plan(everybody, "2026-10", date(2026, 11, 26))
    assert sorted(str(e.stop or "withdrawn") for e in plan.aside) == [
        "confirmed",
        "draft",
        "returned",
        "submitted",
        "withdrawn",
    ]
    counted = {(e.village, e.item, e.period) for e in plan.entries}
    assert not counted & {(e.village, e.item, e.period) for e in plan.aside}
    for entry in plan.aside:
        body = BODY.validate_python(content_of(plan, entry))
        assert (*body.findings(entry.period), *personal_in(body)) == ()
        assert entry.period < "2026-11-26"


def test_no_quarter_denies_what_the_showcase_opened(everybody: list[Village]) -> None:
    plan = make_plan(everybody, "2026-10")
    declared = next(d for d in plan.declared if d.village.code == SHOWCASE)
    assert ("V08", "2026-08-12") in declared.days


def test_a_drawn_picture_says_that_it_is_no_voucher() -> None:
    picture = drawn(("凭证 记-2", "购灯泡"))
    assert picture.startswith(b"\xff\xd8")
    assert picture == drawn(("凭证 记-2", "购灯泡"))


def test_the_manifest_is_a_file_that_people_can_read(tmp_path: Path, everybody: list[Village]) -> None:
    plan = make_plan(everybody, "2026-10")
    write_manifest(tmp_path, plan)
    written = json.loads((tmp_path / "fault-manifest.json").read_text())
    assert (written["entries"], written["waivers"], written["declarations"]) == (1348, 2, 8)
    assert Planted(**written["faults"][0]) == plan.planted[0]


def test_months_are_counted_over_the_turn_of_the_year() -> None:
    assert months_before("2026-01", 1) == "2025-12"
    assert months_before("2026-02", 14) == "2024-12"


def test_quantiles_are_values_that_were_measured() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([1.0], 0.99) == 1.0
