"""Clerks, supervisors and reviewers at work: every entry of the plan from draft to public.

The loader asks the city how far each entry is and goes on from there; its only memory is the city's own. Time from
the approval's answer to the public page is polled from outside, on the public address.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.local.sample.city import CityClient, Refused
from deploy.local.sample.manifest import ITEM, Plan, entry_body
from deploy.local.sample.registry import Village

DISCLOSURES: Final = "/ingest/v1/disclosures"
#: Villages at work at the same time.
CROWD: Final = 12
_POLL_S: Final = 0.02
_VISIBLE_LIMIT_S: Final = 120.0
_REASON: Final = "账簿即如此记载，已核对原始凭证，请镇街审核时留意。"


@dataclass(slots=True)
class Progress:
    """How far the load is; `visible_s` are the times from approval to the public page."""

    entered: Callable[[], None]
    visible_s: list[float] = field(default_factory=list)


async def load(city: CityClient, plan: Plan, progress: Progress) -> None:
    """Bring every entry to the public page; villages in parallel, a village's months one after the other."""
    known = {
        (d["village"], d["period"]): d
        async for d in city.items(DISCLOSURES, "operator", item=ITEM)
        if d["state"] != "withdrawn"
    }
    by_village: dict[Village, list[str]] = {}
    for village, period in plan.entries:
        by_village.setdefault(village, []).append(period)
    turn = asyncio.Semaphore(CROWD)

    async def work(village: Village, periods: Sequence[str]) -> None:
        async with turn:
            for period in periods:
                await _bring_out(city, plan, village, period, known.get((village.code, period)), progress)
                progress.entered()

    async with asyncio.TaskGroup() as tasks:
        for village, periods in by_village.items():
            tasks.create_task(work(village, periods))


async def _bring_out(
    city: CityClient, plan: Plan, village: Village, period: str, known: Any, progress: Progress
) -> None:
    """One entry, from wherever it stands to the public page."""
    clerk = f"clerk-{village.code}"
    if known is None:
        body = {"village": village.code, "item": ITEM, "period": period, "body": entry_body(plan, village.code, period)}
        known = await city.post(DISCLOSURES, clerk, body, key=f"sample-{village.code}-{period}")
    path, state = f"{DISCLOSURES}/{known['id']}", known["state"]
    if state in {"approved", "published"}:
        await _await_page(city, known["id"])
        return
    step = {"version": known["version"]}
    if state in {"draft", "returned"}:
        found = (await city.get(path, clerk))["findings"] if "findings" not in known else known["findings"]
        accept = [{"finding": f, "reason": _REASON} for f in found]
        await _step(city, f"{path}/submit", clerk, {**step, "accept": accept})
    if state != "confirmed":
        await _step(city, f"{path}/confirm", f"supervisor-{village.code}", step)
    await _step(city, f"{path}/approve", f"reviewer-{village.township}", step)
    progress.visible_s.append(await _await_page(city, known["id"]))


async def _step(city: CityClient, path: str, user: str, body: dict[str, Any]) -> None:
    """Take a step; one that was taken already, by a try whose answer was lost, is taken."""
    try:
        await city.post(path, user, body)
    except Refused as refused:
        if refused.problem.get("code") != "wrong_state":
            raise


async def _await_page(city: CityClient, disclosure_id: str) -> float:
    """Poll the public page until it is there; returns the seconds it took."""
    started = time.monotonic()
    while await city.page(f"/d/{disclosure_id}") != 200:  # noqa: PLR2004 - OK
        if time.monotonic() - started > _VISIBLE_LIMIT_S:
            message = f"/d/{disclosure_id} was approved and is not public after {_VISIBLE_LIMIT_S:.0f} s"
            raise TimeoutError(message)
        await asyncio.sleep(_POLL_S)
    return time.monotonic() - started
