"""The largest body that is allowed keeps nobody waiting: how long the event loop stands still for each request about it."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest

from services.contracts.bodies import MAX_LINES
from services.ingest.commands import findings
from tests import builders
from tests.ingest.conftest import CLERK, PATH, REVIEWER, SUPERVISOR, Month

#: Seconds of a processor; how long that is by the clock is the machine's.
LONGEST = 0.5


@pytest.fixture(autouse=True)
def own_memory_only() -> Iterator[None]:
    """What all tests before left in memory is not searched for garbage meanwhile: no service holds it."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


async def stall(work: Awaitable[Any]) -> tuple[float, Any]:
    """The most that was worked between two turns of the event loop, in which nobody else is served, and what came of it."""
    longest, done = 0.0, False

    async def tick() -> None:
        nonlocal longest
        while not done:
            began = time.thread_time()
            await asyncio.sleep(0.001)
            longest = max(longest, time.thread_time() - began)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.01)
    came = await work
    done = True
    await ticking
    return longest, came


def ledger(changed: int = 0) -> dict[str, Any]:
    """A ledger of as many lines as there may be, of two kinds, which no matcher can keep apart."""
    [line, *_] = builders.ledger()["lines"]
    lines = [
        {**line, "summary": f"修水管{int(2**0.5 * n * n + changed) % 2}", "amount_fen": 100} for n in range(MAX_LINES)
    ]
    return builders.ledger(
        lines=lines, totals=None, accounts=[{**a, "closing_fen": 0} for a in builders.ledger()["accounts"]]
    )


def notice() -> dict[str, Any]:
    """Text in which a detector has most to look for."""
    return {"kind": "notice", "title": "公告", "paragraphs": [("村东头李四138 " * 200)[:1000] for _ in range(200)]}


async def test_every_step_with_the_largest_ledger_stands_still_for_a_moment_at_most(month: Month) -> None:
    stalls: dict[str, float] = {}

    async def step(name: str, method: str, path: str, user: str, body: Any = None, **query: str) -> Any:
        stalls[name], answer = await stall(month.ask(method, path, user, body, **query))
        assert answer.status_code < 300, answer.text[:2000]
        return answer

    made = (await step("create", "POST", PATH, CLERK, builders.disclosure(body=ledger()))).json()
    at = f"{PATH}/{made['id']}"
    await step("save", "PUT", at, CLERK, {"version": 1, "body": ledger(1)})
    began = time.process_time()
    await step("difference", "GET", f"{at}/difference", CLERK, **{"from": "1", "to": "2"})
    assert time.process_time() - began < 10
    await step("read", "GET", at, CLERK)
    await step("desk page", "GET", f"/desk/disclosures/{made['id']}", CLERK)
    accept = [
        {"finding": {"code": f["code"], "at": f["at"]}, "reason": "核对过"}
        for f in (await month.ask("GET", at, CLERK)).json()["findings"]
    ]
    await step("submit", "POST", f"{at}/submit", CLERK, {"version": 2, "accept": accept})
    await step("confirm", "POST", f"{at}/confirm", SUPERVISOR, {"version": 2})
    await step("reviewer's page", "GET", f"/desk/disclosures/{made['id']}", REVIEWER)
    await step("approve", "POST", f"{at}/approve", REVIEWER, {"version": 2})
    assert {name: round(seconds, 2) for name, seconds in stalls.items() if seconds > LONGEST} == {}


@pytest.mark.parametrize("verb", ["create", "mask"])
async def test_text_that_takes_long_to_search_stops_nobody(month: Month, verb: str) -> None:
    disclosure = builders.disclosure(item="P04", period="2026Q3", body=notice())
    longest, answer = await stall(month.ask("POST", PATH, CLERK, disclosure))
    assert answer.status_code == 201, answer.text[:500]
    if verb == "mask":
        longest, answer = await stall(month.ask("POST", f"{PATH}/{answer.json()['id']}/mask", CLERK, {"version": 1}))
    assert longest < LONGEST


async def test_whoever_waits_to_compare_large_contents_holds_no_connection(month: Month) -> None:
    old, new = ({**ledger(n), "lines": ledger(n)["lines"][:200]} for n in range(2))
    made = await month.draft(body=old)
    at = f"{PATH}/{made}"
    await month.done("PUT", at, CLERK, {"version": 1, "body": new})
    many = month.served.runtime.settings.pool_size + 1
    async with findings._looking, findings._looking:
        asked = [
            asyncio.create_task(month.done("GET", f"{at}/difference", CLERK, **{"from": "1", "to": "2"}))
            for _ in range(many)
        ]
        done, _ = await asyncio.wait(asked, timeout=3)
        other = await month.ask("GET", PATH, CLERK)
    assert (len(done), other.status_code) == (0, 200)
    changes = [len(answer["changes"]) for answer in await asyncio.gather(*asked)]
    assert (len(changes), min(changes) > 0) == (many, True)


async def test_a_correction_begins_without_waiting_for_a_search(month: Month) -> None:
    body = notice()
    body["paragraphs"][0] = "联系电话13804191234"
    made = await month.draft(item="P04", period="2026Q3", body=body)
    found = (await month.done("GET", f"{PATH}/{made}", CLERK))["findings"]
    await month.rows(
        f"UPDATE disclosure SET state = 'published', published_edition = 1, published_at = now() WHERE id = '{made}'"
    )
    async with findings._looking, findings._looking:
        saved = await asyncio.wait_for(month.step(made, "correct", CLERK, note="改了标题"), 10)
    assert (saved["version"], saved["findings"]) == (2, found)
    assert len(found) > 0
