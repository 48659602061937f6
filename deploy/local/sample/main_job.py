"""The city's main job: plan, manifest, load, then what came of it, counted from outside.

Prints: submitted, published, alerts by rule against the manifest, codes, approve → visible p50/p99.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from services.contracts.values import period_bounds

from deploy.local.faults import Fault
from deploy.local.info import StackInfo
from deploy.local.sample import loader
from deploy.local.sample.city import CODES, AbsentError, CityClient
from deploy.local.sample.ledgers import months_before
from deploy.local.sample.manifest import MANIFEST_FILE, Plan, Planted, make_plan, write_manifest
from deploy.local.sample.registry import CITY, Village, read_staff

#: Alerts follow publication within a second or so; a restart in between takes longer.
_SETTLE_S: Final = 90.0
#: What was loaded at an earlier start is there; the services have only to catch up with it.
_LOOK_S: Final = 5.0


class Outcome(NamedTuple):
    """What an outsider can count once the load is done."""

    submitted: int
    published: int
    codes: int
    alerts: tuple[Planted, ...]


async def run_main_job(info: StackInfo, *, known: bool) -> None:
    """Load the sample's month and report; Fault when what was just loaded does not raise the alerts of the manifest.

    `known`: it was loaded to its end at an earlier start, and people may have worked since: then it only counts.
    """
    console = Console()
    async with CityClient(info.url, read_staff(info.home), codes=CODES - known) as city:
        try:
            plan = await _plan(city)
            write_manifest(info.home, plan)
            progress = loader.Progress(entered=lambda: None) if known else await _load(city, plan, console)
            outcome = await _settled(city, plan, _SETTLE_S if progress.did_anything else _LOOK_S)
        except AbsentError as absent:
            console.print(f"The sample is neither loaded nor counted: {absent}.", soft_wrap=True)
            return
    console.print(_report(plan, outcome, progress.visible_s))
    _tell_left_out(console, city, progress)
    missing, surplus = set(plan.planted) - set(outcome.alerts), set(outcome.alerts) - set(plan.planted)
    if not missing and not surplus:
        return
    if not progress.did_anything:
        # Everything was there before: people have worked in this city since, and their work changes its alerts.
        console.print(f"Since the sample was loaded: {len(missing)} of its alerts gone, {len(surplus)} others raised.")
        return
    message = (
        f"The alerts differ from {info.home / MANIFEST_FILE}: missing {sorted(missing, key=str)}, "
        f"unexpected {sorted(surplus, key=str)}."
    )
    raise Fault(message)


def _tell_left_out(console: Console, city: CityClient, progress: loader.Progress) -> None:
    """One sentence for people whom nobody may stand for, one for what the city refused."""
    if city.absent:
        told = "; ".join(sorted(city.absent.values()))
        console.print(f"The sample goes on without {len(city.absent)} people: {told}.", soft_wrap=True, markup=False)
    if progress.left_out:
        first = progress.left_out[0]
        console.print(
            f"{len(progress.left_out)} of the sample's entries were left out, first {first}",
            soft_wrap=True,
            markup=False,
        )


async def _plan(city: CityClient) -> Plan:
    """What to enter, from the registry's own word: the villages, and the month before the city went live."""
    villages, live = [], None
    async for d in city.items("/registry/v1/divisions", "operator"):
        if d["code"] == CITY:
            live = date.fromisoformat(d["duties_from"])
        if d["kind"] in {"village", "community"}:
            villages.append(Village(d["code"], d["name"], d["parent"]))
    if live is None:
        message = "The registry knows no city: its seed did not run."
        raise Fault(message)
    return make_plan(villages, months_before(f"{live.year}-{live.month:02}", 1), live)


async def _load(city: CityClient, plan: Plan, console: Console) -> loader.Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("entered, checked, published", total=len(plan.entries) + len(plan.aside))
        progress = loader.Progress(entered=lambda: bar.advance(task))
        await loader.load(city, plan, progress)
    return progress


async def _settled(city: CityClient, plan: Plan, patience_s: float) -> Outcome:
    """Count until the alerts are those of the plan, or until there is no more reason to wait."""
    give_up = time.monotonic() + patience_s
    while True:
        outcome = await _count(city, plan)
        agrees = set(outcome.alerts) == set(plan.planted) and outcome.codes == len({e.village for e in plan.entries})
        if agrees or time.monotonic() > give_up:
            return outcome
        await asyncio.sleep(0.5)


async def _count(city: CityClient, plan: Plan) -> Outcome:
    wanted = {(e.village.code, e.item, e.period) for e in plan.entries}
    submitted = 0
    async for d in city.items(loader.DISCLOSURES, "operator"):
        submitted += bool(d["submitted_at"]) and (d["village"], d["item"], d["period"]) in wanted
    published = 0
    for village in {e.village.code for e in plan.entries}:
        async for d in city.items(f"/api/v1/villages/{village}/disclosures", None):
            published += d["state"] != "withdrawn" and (d["village"], d["item"], d["period"]) in wanted
    codes = len([1 async for c in city.items("/qr/v1/codes", "operator") if c["state"] == "valid"])
    end = period_bounds(plan.last)[1]
    alerts = [
        Planted(a["rule"], a["village"], a["subject"]["item"], a["subject"]["period"], a["subject"].get("account"))
        async for a in city.items("/audit/v1/alerts", "operator", state="open")
        if period_bounds(a["subject"]["period"])[1] <= end
    ]
    return Outcome(submitted, published, codes, tuple(alerts))


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least a share of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _report(plan: Plan, outcome: Outcome, visible: Sequence[float]) -> Table:
    table = Table(show_header=False, title="Sample city")
    table.add_row("disclosures submitted", f"{outcome.submitted} of {len(plan.entries)}")
    table.add_row("published, read over HTTP", f"{outcome.published} of {len(plan.entries)}")
    expected = Counter(f.rule for f in plan.planted)
    raised = Counter(f.rule for f in outcome.alerts)
    for rule in sorted(expected | raised):
        table.add_row(f"open alerts {rule}", f"{raised[rule]} (manifest: {expected[rule]})")
    table.add_row("withdrawn, under way", str(len(plan.aside)))
    table.add_row("waivers, quarterly pages", f"{len(plan.waived)}, {len(plan.declared)}")
    table.add_row("codes", str(outcome.codes))
    if visible:
        times = f"p50 {quantile(visible, 0.5):.3f} s, p99 {quantile(visible, 0.99):.3f} s ({len(visible)} measured)"
        table.add_row("approve → visible", times)
    return table
