"""Periods are chosen and not typed; the quarter's page begins with what was entered, and says no to the rest in one tap."""

import re

import pytest

from tests import builders
from tests.ingest.conftest import CLERK, SUPERVISOR, Month
from tests.ingest.test_pages import look, send

NEW = f"/desk/new?village={builders.VILLAGE}"
QUARTER = f"/desk/quarters/{builders.VILLAGE}/2026Q3"
CONTRACT = {
    "kind": "contract",
    "title": "东山果园承包",
    "type": "lease",
    "party": "兴旺果业合作社",
    "subject": "东山果园 20 亩",
    "signed_on": "2026-08-05",
    "begins": "2026-08-05",
    "total_fen": 100_00,
}


async def test_periods_are_offered_newest_first_with_what_stands_in_them(month: Month) -> None:
    made = await month.draft()
    text = (await look(month.served, f"{NEW}&item=F01")).text
    offered = re.findall(r'data-label="公开期">([^<]+)<', text)
    assert offered[:3] == ["2026-11", "2026-10", "2026-09"]
    assert len(offered) == 24
    assert f'href="/desk/disclosures/{made}">打开' in text
    assert f"/desk/form?village={builders.VILLAGE}&amp;item=F01&amp;period=2026-09" in text


async def test_quarters_and_years_have_their_own_periods(month: Month) -> None:
    for item, first, count in (("V09", "2026Q4", 12), ("F05", "2026H2", 8), ("F03", "2026", 6)):
        text = (await look(month.served, f"{NEW}&item={item}")).text
        offered = re.findall(r'data-label="公开期">([^<]+)<', text)
        assert (offered[0], len(offered)) == (first, count)


async def test_an_event_is_asked_for_its_day_and_earlier_ones_are_listed(month: Month) -> None:
    await month.draft(item="V10", period="2026-08-05", body=CONTRACT)
    text = (await look(month.served, f"{NEW}&item=V10")).text
    assert 'name="period" type="date" required max="2026-11-24"' in text
    assert 'data-label="公开期">2026-08-05<' in text


@pytest.mark.parametrize(
    ("village", "item", "status"),
    [(builders.NEIGHBOUR, "F01", 403), ("210881006999", "F01", 422), (builders.VILLAGE, "F99", 422)],
)
async def test_periods_of_what_is_not_ones_own_are_refused(month: Month, village: str, item: str, status: int) -> None:
    assert (await look(month.served, f"/desk/new?village={village}&item={item}")).status_code == status


# -- the quarter's page -------------------------------------------------------------------------------------------


def chosen(text: str) -> dict[str, str]:
    """The answers that are chosen on a quarter's page."""
    return dict(re.findall(r'name="answer\.(\w+)" value="(\w+)" checked', text))


async def test_the_quarters_page_begins_with_what_was_entered(month: Month) -> None:
    await month.draft(item="V10", period="2026-08-05", body=CONTRACT)
    await month.draft(item="V10", period="2026-10-05", body=CONTRACT)
    text = (await look(month.served, QUARTER)).text
    assert chosen(text) == {"V10": "yes"}
    assert 'name="days.V10" value="2026-08-05"' in text
    assert "没有录入过的没有替您填" in text


async def test_the_rest_is_answered_no_in_one_tap_and_nothing_is_handed_in_yet(month: Month) -> None:
    await month.draft(item="V10", period="2026-08-05", body=CONTRACT)
    fields = {"action": "rest", "answer.V10": "yes", "days.V10": "2026-08-05", "days.V01": "2026-07-02"}
    answer = await send(month.served, QUARTER, fields)
    told = chosen(answer.text)
    assert answer.status_code == 200
    assert told["V10"] == "yes"
    # A day without a yes is somebody's half answer, and stays one.
    assert "V01" not in told
    assert set(told.values()) == {"yes", "no"}
    assert "还没有提交" in answer.text
    assert await month.rows("SELECT * FROM declaration") == []
    del fields["days.V01"]
    whole = {f"answer.{code}": word for code, word in told.items()} | {"answer.V01": "no", "days.V10": "2026-08-05"}
    assert (await send(month.served, QUARTER, {**whole, "action": "answer"})).status_code == 303
    assert len(await month.rows("SELECT * FROM declaration")) == 1


async def test_what_is_entered_after_the_answers_is_told_beside_them(month: Month) -> None:
    answer = await send(month.served, QUARTER, {"action": "rest"})
    whole = {f"answer.{code}": word for code, word in chosen(answer.text).items()}
    assert (await send(month.served, QUARTER, {**whole, "action": "answer"})).status_code == 303
    await month.draft(item="V10", period="2026-08-05", body=CONTRACT)
    text = (await look(month.served, QUARTER)).text
    assert "录入过 2026-08-05 的，下面没有写" in text
    assert chosen(text)["V10"] == "no"


async def test_only_who_answers_may_say_no_to_the_rest(month: Month) -> None:
    assert (await send(month.served, QUARTER, {"action": "rest"}, SUPERVISOR)).status_code == 403
    assert (await send(month.served, QUARTER, {"action": "rest"}, CLERK)).status_code == 200
