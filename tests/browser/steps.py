"""Steps that stories share: what a program prepares through the API, and what each person does at the desk."""

import asyncio
import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import httpx2

from services.contracts.days import SHANGHAI
from services.contracts.values import Frequency, period_of, previous_period
from tests.browser.conftest import People, Person
from tests.running import RunningCity

TOWNSHIP: Final = "210881006"
REVIEWER: Final = f"reviewer-{TOWNSHIP}"
DESK: Final = "/ingest/v1/disclosures"


def months_ago(count: int) -> str:
    """A month by how long ago it was; the sample's newest is one month ago, and nothing may be handed in for this one."""
    month = period_of(datetime.now(SHANGHAI).date(), Frequency.MONTHLY)
    for _ in range(count):
        month = previous_period(month) or month
    return month


# -- by program ---------------------------------------------------------------------------------------------------


def call(city: RunningCity, user: str, path: str, body: object, status: int = 200, **headers: str) -> Any:
    """POST as somebody; the answer must have this status."""
    own = {"authorization": f"Bearer {city.token(user)}", **headers}
    answer = httpx2.post(f"{city.url}{path}", json=body, headers=own, timeout=30)
    assert answer.status_code == status, answer.text
    return answer.json()


def get(city: RunningCity, path: str) -> Any:
    """What everybody may read."""
    answer = httpx2.get(f"{city.url}{path}", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def left_over(city: RunningCity, village: str, month: str) -> int:
    """What all accounts of a village had left at the end of a month, in fen."""
    (only,) = get(city, f"/api/v1/villages/{village}/disclosures?item=F01&period={month}")["items"]
    body = get(city, f"/api/v1/disclosures/{only['id']}")["body"]
    return sum(a["closing_fen"] for a in body["accounts"])


def paid(day: str, summary: str, fen: int) -> dict[str, Any]:
    """A ledger with 1,000.00 yuan in the till and 20,000.00 in the bank, and one payment by the bank."""
    line = {"date": day, "summary": summary, "direction": "out", "amount_fen": fen, "account": "bank"}
    accounts = [
        {"account": "cash", "opening_fen": 100_000, "closing_fen": 100_000},
        {"account": "bank", "opening_fen": 2_000_000, "closing_fen": 2_000_000 - fen},
    ]
    return {"kind": "ledger", "accounts": accounts, "lines": [line]}


def drafted(city: RunningCity, village: str, period: str, body: dict[str, Any], item: str = "F01") -> str:
    """A draft of the village's clerk."""
    told = {"village": village, "item": item, "period": period, "body": body}
    return str(call(city, f"clerk-{village}", DESK, told, 201, **{"idempotency-key": str(uuid4())})["id"])


def hand_in(city: RunningCity, village: str, disclosure: str, version: int = 1, **more: object) -> None:
    call(city, f"clerk-{village}", f"{DESK}/{disclosure}/submit", {"version": version, "accept": [], **more})


def let_out(city: RunningCity, village: str, disclosure: str, version: int = 1) -> None:
    """The supervisor confirms, the township approves; returns when everybody can read it."""
    call(city, f"supervisor-{village}", f"{DESK}/{disclosure}/confirm", {"version": version})
    call(city, REVIEWER, f"{DESK}/{disclosure}/approve", {"version": version})
    until(lambda: get(city, f"/api/v1/disclosures/{disclosure}")["version"] == version)


def changes(city: RunningCity) -> list[dict[str, Any]]:
    """Everything that ever changed for readers."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = get(city, f"/api/v1/changes?limit=200{cursor}")
        found += answer["items"]
        if answer["next"] is None:
            return found
        cursor = f"&cursor={answer['next']}"


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until something is so; what it asserts on the way may fail."""
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except AssertionError:
            if time.monotonic() > end:
                raise
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


# -- by people ----------------------------------------------------------------------------------------------------


async def confirm(people: People, village: str, disclosure: str) -> None:
    """The village's supervisor finds it right."""
    supervisor = await people()
    await supervisor.sign_in(f"supervisor-{village}")
    await supervisor.open(f"/desk/disclosures/{disclosure}")
    await supervisor.press("核对无误")
    await supervisor.sees("等待镇街审核")


async def approve(reviewer: Person, disclosure: str) -> None:
    """The township lets it out, and the time to undo passes."""
    await reviewer.open(f"/desk/disclosures/{disclosure}")
    await reviewer.press("审核通过并发布")
    await is_out(reviewer)


async def is_out(reviewer: Person) -> None:
    """The time to undo passes."""
    told = reviewer.page.get_by_text(re.compile("已审核，正在发布|已公开"))
    for _ in range(80):
        if await told.count():
            return
        await reviewer.page.wait_for_timeout(500)
        await reviewer.page.reload()
    await told.first.wait_for(state="visible", timeout=15_000)


async def reads(villager: Person, path: str, text: str) -> None:
    """A villager opens a page until it says something: publishing follows within a second or two."""
    for _ in range(50):
        await villager.open(path)
        if await villager.page.get_by_text(text).count():
            break
        await asyncio.sleep(0.2)
    await villager.sees(text)


async def clerk_of(people: People, village: str) -> Person:
    """The village's clerk, signed in."""
    clerk = await people()
    await clerk.sign_in(f"clerk-{village}")
    return clerk


async def reviewer_of(people: People) -> Person:
    """The township's reviewer, signed in."""
    reviewer = await people()
    await reviewer.sign_in(REVIEWER)
    return reviewer


async def give_up(clerk: Person, draft: str) -> None:
    """The clerk throws the draft away, so that it is in nobody's way."""
    await clerk.open(f"/desk/disclosures/{draft}/edit")
    await clerk.page.get_by_text("作废这份草稿").click()
    await clerk.page.get_by_label("确定作废").check()
    await clerk.press("作废草稿")
    await clerk.sees("等您录入")
