"""Late is late: nothing that comes after takes it away, and nothing is called late, due or complete that is not."""

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.contracts.catalogue import CalendarYear, WorkCalendar, parse_due
from services.contracts.due import due_day
from services.contracts.duties import CellKey, CellState, Duty
from services.contracts.values import period_bounds
from services.publish.render.disclosure import _body_of
from services.publish.render.due import how_due
from services.publish.render.standing import Standing, together
from services.publish.render.village import settled_words, waiting_words
from tests import builders
from tests.publish import bodies

#: October's ledger is due on 16 November, the builders' now is the 24th.
NIL: dict[str, Any] = {
    "kind": "ledger",
    "accounts": [{"account": "cash", "opening_fen": 100, "closing_fen": 100}],
    "lines": [],
}


def plain(html: str) -> str:
    return re.sub(r"<[^>]+>|\s+", "", html)


async def _pages(publish: Any, disclosure_id: str, village: str, item: str = "F01") -> list[str]:
    await publish.rendered()
    paths = (f"/d/{disclosure_id}", f"/v/{village}", f"/v/{village}/{item}")
    return [plain((await publish.get(path)).text) for path in paths]


@pytest.mark.parametrize("village", [builders.VILLAGE])
async def test_a_correction_does_not_take_lateness_away(publish: Any, village: str) -> None:
    event = await publish.opened(village=village)
    await publish.opened(event.aggregate_id, village=village, edition=2, at=builders.NOW + timedelta(hours=1))
    for page in await _pages(publish, event.aggregate_id, village):
        assert "晚了8天才公开" in page
    assert "已更正" in plain((await publish.get(f"/v/{village}")).text)
    answer = (await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")).json()
    assert (answer["late_days"], answer["due"], answer["history"]) == (8, "2026-11-16", False)
    assert answer["state"] == "corrected"


async def test_nothing_happened_told_late_is_both(publish: Any) -> None:
    event = await publish.opened(village=builders.NEIGHBOUR, body=NIL)
    _, *lists = await _pages(publish, event.aggregate_id, builders.NEIGHBOUR)
    for page in lists:
        assert "这段时间没有这件事晚了8天才公开" in page


async def test_what_is_from_before_the_start_is_neither_late_nor_has_a_deadline(publish: Any) -> None:
    event = await publish.opened(village=builders.NEIGHBOUR, period="2024-03", history=True)
    page, _, _ = await _pages(publish, event.aggregate_id, builders.NEIGHBOUR)
    history = plain((await publish.get(f"/v/{builders.NEIGHBOUR}/F01/2024")).text)
    assert "上线前的，补公开" in page
    assert "上线前的，补公开" in history
    assert "参考期限" not in page
    assert "公开时限" not in page
    answer = (await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")).json()
    assert (answer["due"], answer["late_days"], answer["history"]) == (None, 0, True)


async def test_a_page_tells_how_its_due_day_came_about(publish: Any) -> None:
    event = await publish.opened(village=builders.FAR_VILLAGE)
    page, *_ = await _pages(publish, event.aggregate_id, builders.FAR_VILLAGE)
    assert "2026年10月的，规定的日子是11月15日（周日），顺延到11月16日。" in page
    assert re.search("公开单位[^公]*?村集体经济组织", page)
    assert "村委会村集体经济组织" not in page
    answer = (await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")).json()
    assert answer["how_due"] == "2026年10月的，规定的日子是11月15日（周日），顺延到11月16日"


async def test_who_published_and_who_checked_come_from_catalogue_and_record(publish: Any) -> None:
    event = await publish.opened(village=builders.FAR_VILLAGE, item="F08", period="2026-11-20", body=bodies.notice())
    page, *_ = await _pages(publish, event.aggregate_id, builders.FAR_VILLAGE, "F08")
    township = publish.served.runtime.reference.divisions[builders.FAR_VILLAGE[:9]].now.name
    assert f"公开单位{township}" in page
    assert "这一项按目录不用村里核对。" in page
    assert f"{township}2026年11月24日：审核通过" in page
    assert "村委会公开" not in page


async def test_missing_is_counted_on_the_first_screen_of_village_township_and_city(publish: Any) -> None:
    await publish.rendered()
    village = plain((await publish.get(f"/v/{builders.VILLAGE}")).text)
    found = re.search(r"缺(\d+)项，最久的已晚(\d+)天；在村（社区）(\d+)项", village)
    assert found is not None
    duties = (await publish.get(f"/api/v1/villages/{builders.VILLAGE}/duties?limit=200")).json()["items"]
    late = [d for d in duties if d["state"] in {"not_opened", "in_progress"} and d["late_days"] > 0]
    assert int(found[1]) == len(late)
    assert int(found[2]) == max(d["late_days"] for d in late)
    # Behind what is left and what moved alone, so on the first screen.
    assert village.index(found[0]) < min(village.index("钱花在哪"), village.index("最大的几笔"))
    township = plain((await publish.get(f"/t/{builders.VILLAGE[:9]}")).text)
    assert found[0] in township
    assert "个没有缺项" in township
    assert re.search(r"全市缺\d+项", plain((await publish.get("/")).text))


async def test_nobody_says_that_everything_is_open(publish: Any) -> None:
    """The page of a village without duties yet speaks of what comes, with its day."""
    await publish.rendered()
    for path in (f"/v/{builders.VILLAGE}", f"/v/{builders.FAR_VILLAGE}"):
        page = plain((await publish.get(path)).text)
        assert "应该公开的都公开了" not in page
        assert not re.search("还没到期(?!，20)", page)


async def test_the_front_page_tells_how_late_what_just_came_was(publish: Any) -> None:
    event = await publish.opened(village=builders.VILLAGE, at=builders.NOW + timedelta(hours=2))
    await publish.rendered()
    front = (await publish.get("/")).text
    row = plain(front[front.index(f"/d/{event.aggregate_id}") :].partition("</li>")[0])
    assert "已公开晚了8天才公开" in row


async def test_what_is_open_is_not_said_to_be_waited_for(publish: Any) -> None:
    """November is open before its day: what is waited for is December."""
    event = await publish.opened(village=builders.FAR_VILLAGE, item="F09", period="2026-11", body=bodies.roster())
    page = plain((await publish.get(f"/v/{builders.FAR_VILLAGE}/F09")).text)
    village = plain((await publish.get(f"/v/{builders.FAR_VILLAGE}")).text)
    assert "2026年11月的还没到期" not in page + village
    missing_or_next = re.search(r"2026年12月的还没到期，2027年1月\d+日前公开|还没公开，已晚", page)
    assert missing_or_next is not None
    await publish.withdrawn(event)


@pytest.mark.parametrize("code", ["V06", "V07"])
async def test_an_item_that_a_place_does_not_have_waits_for_nothing(publish: Any, code: str) -> None:
    reference = publish.served.runtime.reference

    def make(key: CellKey) -> Duty | None:
        owed = reference.duty(builders.VILLAGE, key)
        return replace(owed, applies=False) if owed is not None else None

    revision = reference.items[code].at(builders.NOW.date())
    assert waiting_words(code, revision, make, builders.NOW) == "这里没有这一项"


async def test_what_did_not_happen_is_not_counted_as_opened() -> None:
    assert settled_words("到2026年11月24日", {CellState.OPENED: 3}) == "到2026年11月24日，到期的3项都公开了。"
    some = {CellState.OPENED: 1, CellState.OPENED_LATE: 1, CellState.WAIVED: 1, CellState.NIL: 2}
    assert settled_words("到2026年11月24日", some) == (
        "到2026年11月24日，到期的5项里，2项公开了，1项经备案不公开，2项申报没有这件事。"
    )
    assert settled_words("到2026年11月24日", {}) == "到2026年11月24日，还没有到期的事项。"


async def test_what_was_withdrawn_is_not_said_never_to_have_been_open(publish: Any) -> None:
    async with publish.served.runtime.database.transaction() as conn:
        await conn.execute("DELETE FROM publication WHERE village_code = $1", builders.FAR_VILLAGE)
    await publish.withdrawn(await publish.opened(village=builders.FAR_VILLAGE))
    await publish.rendered()
    for path in (f"/v/{builders.FAR_VILLAGE}", f"/t/{builders.FAR_VILLAGE[:9]}"):
        page = plain((await publish.get(path)).text)
        assert "还没有公开过" not in page, path
        assert "现在没有公开的收支" in page, path


async def test_an_item_without_a_word_of_the_village_is_not_said_to_need_none(publish: Any) -> None:
    event = await publish.opened(village=builders.FAR_VILLAGE, period="2026-08")
    page = plain((await publish.get(f"/d/{event.aggregate_id}")).text)
    assert "不用村里核对" not in page
    assert "没有核对的记录。" in page


async def test_an_item_that_was_never_open_says_what_it_waits_for(publish: Any) -> None:
    page = plain((await publish.get(f"/v/{builders.FAR_VILLAGE}/P01")).text)
    assert re.search(r"还没到期，2027年\d+月\d+日前公开|还没公开，已晚\d+天|上线前的，还没有补公开", page)
    assert "有事才公开。" in plain((await publish.get(f"/v/{builders.FAR_VILLAGE}/V02")).text)


async def test_what_many_lack_is_the_sum_of_what_each_lacks() -> None:
    both = together([Standing(2, {"village": 2}, 43), Standing(), Standing(3, {"village": 1, "township": 2}, 5)])
    assert both == Standing(5, {"village": 3, "township": 2}, 43)
    assert both.words == "缺5项，最久的已晚43天；在村（社区）3项，在镇街2项"
    assert Standing().words == "没有缺项"


def _year(year: int, *off: date) -> CalendarYear:
    return CalendarYear(year=year, days_off=off, working_weekends=(), source="test")


@pytest.mark.parametrize(
    ("rule", "period", "named", "due", "weekends_only"),
    [
        ("event:10d", "2026-10-22", date(2026, 11, 1), date(2026, 11, 2), False),
        ("month:15", "2026-10", date(2026, 11, 15), date(2026, 11, 16), False),
        ("month:15", "2026-11", date(2026, 12, 15), date(2026, 12, 15), False),
        # Nobody announced 2027 yet: only weekends are known.
        ("month:15", "2026-12", date(2027, 1, 15), date(2027, 1, 15), True),
        ("event:10d", "2026-12-25", date(2027, 1, 4), date(2027, 1, 4), True),
        ("event:10wd", "2026-12-28", date(2027, 1, 11), date(2027, 1, 11), True),
    ],
)
def test_a_due_day_knows_whether_an_announced_calendar_reaches_it(
    *, rule: str, period: str, named: date, due: date, weekends_only: bool
) -> None:
    calendar = WorkCalendar((_year(2026),))
    last = period_bounds(period)[1]
    assert due_day(parse_due(rule), last, calendar, shift=True) == (named, due, weekends_only)


async def test_days_judged_by_weekends_alone_say_so(publish: Any) -> None:
    reference = publish.served.runtime.reference
    duty = reference.duty(builders.VILLAGE, CellKey("F01", "2028-01"))
    assert duty is not None
    assert duty.weekends_only
    assert how_due(duty).endswith("2028年的放假安排还没有录入，暂按周末计算")


@pytest.mark.parametrize(
    ("village", "body", "name"),
    [
        ("西海村委会", "村委会", "西海村委会"),
        ("西海村委会", "村集体经济组织", "西海村集体经济组织"),
        ("西海村委会", "村民选举委员会", "西海村民选举委员会"),
        ("西海村委会", "党组织", "西海村党组织"),
        ("花园社区居委会", "村务监督委员会", "花园社区居务监督委员会"),
    ],
)
def test_a_body_of_a_village_is_called_by_its_full_name(village: str, body: str, name: str) -> None:
    assert _body_of(village, body) == name
