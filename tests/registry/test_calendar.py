"""A year of working days by page, JSON and CSV; what is missing is told, and nothing half taken."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import pytest_asyncio

from services.contracts.days import missing_years
from services.contracts.duties import CellKey
from services.registry.bulk.days import checked_year, read_calendar, read_days
from services.registry.bulk.rows import FileFaultsError
from services.registry.jobs import watch_calendar
from tests import builders
from tests.conftest import Served, ServiceFactory
from tests.registry.test_admin_pages import ask

#: 春节 and 国庆 of a year as announcements write them (dates made up).
SPANS = "2月5日至13日、4月5日（周一）\n10月1日至7日"
YEAR = {"days_off": ["2027-02-05", "2027-02-06"], "working_weekends": ["2027-01-31"], "source": "国办发明电〔2026〕1号"}


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2月5日", [(2, 5)]),
        ("2027-02-05", [(2, 5)]),
        ("2027年2月5日至7日", [(2, 5), (2, 6), (2, 7)]),
        ("1月31日到2月1日", [(1, 31), (2, 1)]),
        ("2月5日（周五），2月6日；2月7日", [(2, 5), (2, 6), (2, 7)]),
        ("5.1~5.3", [(5, 1), (5, 2), (5, 3)]),
        ("", []),
    ],
)
def test_days_are_read_as_announcements_write_them(text: str, days: list[tuple[int, int]]) -> None:
    assert read_days(text, 2027, "days_off") == [date(2027, m, d) for m, d in days]


@pytest.mark.parametrize(
    "text", ["2月30日", "五一", "13月1日", "5", "2月5日至3月9日", "2月5日至1日", "=1+1", "2月5日至"]
)
def test_what_is_no_day_is_refused_by_its_words(text: str) -> None:
    with pytest.raises(FileFaultsError) as error:
        read_days(text, 2027, "days_off")
    assert text in error.value.faults[0].message
    assert error.value.faults[0].column == "days_off"


def test_weekends_in_a_span_are_no_days_off_of_the_week() -> None:
    year = checked_year(2027, read_days(SPANS, 2027, "days_off"), [date(2027, 1, 31)], "x")
    assert year.days_off[:3] == (date(2027, 2, 5), date(2027, 2, 8), date(2027, 2, 9))
    assert all(d.isoweekday() < 6 for d in year.days_off)


@pytest.mark.parametrize(
    ("off", "work", "words"),
    [
        ([date(2026, 2, 5)], [], "不在 2027 年内"),
        ([date(2027, 2, 5)], [date(2027, 2, 8)], "不是周六、周日"),
        ([date(2027, 2, 6), date(2027, 2, 5)], [date(2027, 2, 6)], "既写了放假又写了上班"),
        ([], [], "没有写放假的日子"),
    ],
)
def test_a_year_that_cannot_be_is_refused(off: list[date], work: list[date], words: str) -> None:
    with pytest.raises(FileFaultsError) as error:
        checked_year(2027, off, work, "x")
    assert words in error.value.faults[0].message


@pytest.mark.parametrize(
    ("day", "known", "missing"),
    [
        (date(2026, 9, 30), [2026], ()),
        (date(2026, 10, 1), [2026], (2027,)),
        (date(2026, 12, 31), [2026, 2027], ()),
        (date(2027, 1, 1), [2026], (2027,)),
    ],
)
def test_next_year_is_missed_from_october(day: date, known: list[int], missing: tuple[int, ...]) -> None:
    assert missing_years(day, known) == missing


def test_a_file_is_told_line_by_line() -> None:
    made = read_calendar("date,kind\n2027-02-05,off\n2027-01-31,上班\n", 2027, "x")
    assert (made.days_off, made.working_weekends) == ((date(2027, 2, 5),), (date(2027, 1, 31),))
    with pytest.raises(FileFaultsError) as error:
        read_calendar("date,kind\n2027-02-30,off\n2027-02-08,work\n2027/3/1,off\n2027-05-01,假\n", 2027, "x")
    assert [f.line for f in error.value.faults] == [2, 4, 5]
    with pytest.raises(FileFaultsError) as error:
        read_calendar("date,kind\n2027-02-05,off\n2027-02-08,work\n", 2027, "x")
    assert [(f.line, "第 3 行" in f.message) for f in error.value.faults] == [(3, True)]


@pytest_asyncio.fixture
async def registry(service: ServiceFactory) -> Served:
    return await service("registry")


async def _known(registry: Served) -> set[int]:
    await registry.runtime.reference.refresh()
    return {y.year for y in registry.runtime.reference.years.values()}


async def test_an_operator_enters_a_year_by_api_and_due_days_follow(registry: Served) -> None:
    headers = registry.bearer("operator")
    path = "/registry/v1/calendar"
    before = (await registry.client.get(path, headers=headers)).json()
    assert 2027 in before["missing"]
    answer = await registry.client.put(f"{path}/2027", headers=headers, json=YEAR)
    assert answer.status_code == 200, answer.text
    assert answer.json()["days_off"] == ["2027-02-05"]
    assert 2027 in await _known(registry)
    assert 2027 not in (await registry.client.get(path, headers=headers)).json()["missing"]
    duty = registry.runtime.reference.duty(builders.VILLAGE, CellKey("F01", "2027-01"))
    assert duty is not None
    assert not duty.weekends_only


@pytest.mark.parametrize(
    ("year", "body", "status", "at"),
    [
        (2028, {**YEAR}, 422, "days_off"),
        (2027, {**YEAR, "days_off": []}, 422, "days_off"),
        (2027, {**YEAR, "working_weekends": ["2027-02-08"]}, 422, "working_weekends"),
        (2027, {**YEAR, "days_off": ["2027-02-30"]}, 422, "days_off"),
        (1999, YEAR, 422, "year"),
        (2027, {"days_off": ["2027-02-05"]}, 422, "working_weekends"),
    ],
)
async def test_a_wrong_year_is_refused_at_its_field(
    registry: Served, year: int, body: dict[str, Any], status: int, at: str
) -> None:
    answer = await registry.client.put(f"/registry/v1/calendar/{year}", headers=registry.bearer("operator"), json=body)
    assert answer.status_code == status
    assert any(at in e["at"] for e in answer.json()["errors"]), answer.text


async def test_a_year_comes_by_file_and_a_wrong_file_changes_nothing(registry: Served) -> None:
    path, headers = "/registry/v1/calendar/2029/file", registry.bearer("operator")
    wrong = await registry.client.post(
        path, headers=headers, params={"source": "x"}, content="date,kind\n2029-13-01,off\n"
    )
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["at"] == "line 2, date"
    assert 2029 not in await _known(registry)
    right = "date,kind\n2029-10-01,off\n"
    done = await registry.client.post(path, headers=headers, params={"source": "x"}, content=right)
    assert done.status_code == 200, done.text
    assert 2029 in await _known(registry)


async def test_the_page_warns_takes_words_and_gives_them_back_when_wrong(registry: Served) -> None:
    registry.clock.at = datetime(2029, 11, 1, tzinfo=UTC)
    try:
        assert "2030 年的放假安排还没有录入，期限暂按周末计算" in (await ask(registry, "/admin/staff")).text
        form = {"year": "2030", "source": "国办发明电〔2029〕1号", "days_off": "2月30日", "working_weekends": ""}
        wrong = await ask(registry, "/admin/calendar", data=form)
        assert wrong.status_code == 422
        assert "“2月30日”不对" in wrong.text
        assert "国办发明电〔2029〕1号" in wrong.text
        done = await ask(
            registry, "/admin/calendar", data={**form, "days_off": "10月1日至7日", "working_weekends": "9月29日"}
        )
        assert "已录入 2030 年" in done.text
        await watch_calendar(registry.runtime)
        assert "2030 年的放假安排还没有录入" not in (await ask(registry, "/admin/staff")).text
        assert (await ask(registry, "/admin/calendar", "inspector-210881006", data=form)).status_code == 403
    finally:
        registry.clock.at = builders.NOW
