"""The to-do with an outlook: how much of the month is done, what comes, and what others did that concerns the clerk."""

import re

from tests import builders
from tests.ingest.asking import ask
from tests.ingest.conftest import ACCOUNTANT, CLERK, REVIEWER, SUPERVISOR, Month
from tests.ingest.test_pages import look


async def told(month: Month) -> str:
    """The to-do without its marks."""
    return re.sub(r"<[^>]+>", " ", (await look(month.served, "/desk")).text)


def of_month(text: str) -> tuple[int, int, int, int]:
    """Due, public, in progress, left."""
    found = re.search(r"到期的 (\d+) 项：已公开 (\d+) 项(?:，正在核对、审核 (\d+) 项)?(?:，还要录入 (\d+) 项)?。", text)
    assert found, text
    due, done, going, left = (int(n or 0) for n in found.groups())
    return due, done, going, left


async def test_what_is_due_this_month_is_counted_by_how_it_stands(month: Month) -> None:
    due, done, going, left = of_month(await told(month))
    assert (done, going, left) == (0, 0, due)
    made = await month.draft()
    assert of_month(await told(month)) == (due, 0, 0, due)
    await month.step(made, "submit", CLERK)
    assert of_month(await told(month)) == (due, 0, 1, due - 1)
    await month.step(made, "confirm", SUPERVISOR)
    await month.step(made, "approve", REVIEWER)
    await month.published(made)
    # The row above names no item: what is public is counted and no longer listed.
    assert of_month(await told(month)) == (due, 1, 0, due - 1)


async def test_what_comes_next_month_is_named_with_its_day(month: Month) -> None:
    text = await told(month)
    assert re.search(r"下个月（12月）要公开 \d+ 项", text)
    assert re.search(r"（2026-11），12月\d+日前.*，12月1日起可以提交", text)


async def test_a_draft_that_the_agency_made_says_so(month: Month) -> None:
    await month.draft(ACCOUNTANT)
    assert "代理记账做好交来的" in await told(month)


async def test_a_refused_waiver_reaches_the_clerk_with_the_reason(month: Month) -> None:
    asked = {"village": builders.VILLAGE, "item": "F01", "period": "2026-10", "reason": "账册送审计"}
    made = await month.done("POST", "/ingest/v1/waivers", CLERK, asked)
    assert "没有同意" not in await told(month)
    await month.done("POST", f"/ingest/v1/waivers/{made['id']}/refuse", REVIEWER, {"reason": "可以先公开复印件"})
    text = await told(month)
    assert "不公开备案没有同意" in text
    assert "可以先公开复印件" in text


async def test_a_question_that_waits_is_told_with_its_day(month: Month) -> None:
    assert "提问等村里答复" not in await told(month)
    await ask(month.served)
    assert "有 1 个村民提问等村里答复，最早的 11月27日前要答复" in await told(month)
