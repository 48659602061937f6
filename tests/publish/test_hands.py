"""Late days by who had them: agency, clerk, supervisors, township, department; told of what is public too."""

import csv
import io
import uuid
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from services.contracts.disclosure import (
    DisclosureConfirmed,
    DisclosureDelivered,
    DisclosureReturned,
    DisclosureSubmitted,
    ReturnedContent,
)
from services.contracts.duties import CellKey, CellRecord, lateness
from services.kit import shred
from services.publish.render.lateness import LateBy, late_by_hand
from tests import builders
from tests.ingest.asking import KEY
from tests.publish.conftest import Publishing

#: October's ledger is due on Monday 16 November; the builders' now is Tuesday the 24th.
_F01 = CellKey("F01", "2026-10")
NONE = {"agency": 0, "clerk": 0, "supervisors": 0, "township": 0, "department": 0}
DUTIES = f"/api/v1/villages/{builders.VILLAGE}/duties?period=2026-10"


def at(day: int) -> datetime:
    return datetime(2026, 11, day, 2, tzinfo=builders.NOW.tzinfo)


async def cell(publish: Publishing, item: str = "F01") -> dict[str, Any]:
    items = (await publish.get(DUTIES)).json()["items"]
    found: dict[str, Any] = next(c for c in items if c["item"] == item)
    return found


def step(kind: type[Any], identity: str, version: int, day: int, **more: Any) -> Any:
    stamp = builders.stamp(identity, version, builders.VILLAGE, at(day))
    cell = {"item": "F01", "period": "2026-10", "edition": 1}
    return kind(**{**stamp, "village_code": builders.VILLAGE}, **cell, **more)


async def approved(publish: Publishing, identity: str, submitted: int, confirmed: int, day: int = 24) -> Any:
    event = await publish.approved(identity, at=at(day))
    event = event.model_copy(update={"submitted_at": at(submitted), "confirmed_at": at(confirmed)})
    await publish.served.hear(event)
    return event


async def test_what_is_public_tells_in_whose_hands_its_late_days_were(publishing: Publishing) -> None:
    identity = str(uuid.uuid4())
    await approved(publishing, identity, 18, 21)
    wanted = {**NONE, "clerk": 2, "supervisors": 3, "township": 3}
    found = await cell(publishing)
    assert (found["state"], found["late_days"], found["late_by"]) == ("opened_late", 8, wanted)
    listed = (await publishing.get(f"/api/v1/villages/{builders.VILLAGE}/disclosures")).json()["items"][0]
    assert (listed["late_days"], listed["late_by"]) == (8, wanted)
    one = (await publishing.get(f"/api/v1/disclosures/{identity}")).json()
    assert one["late_by"] == wanted
    # A correction is another edition: whose the days were stays.
    again = await publishing.approved(identity, edition=2, at=at(24) + timedelta(hours=1))
    await publishing.served.hear(again)
    assert (await cell(publishing))["late_by"] == wanted


async def test_tables_have_the_same_days_in_columns(publishing: Publishing) -> None:
    await approved(publishing, str(uuid.uuid4()), 18, 21)
    for path in (DUTIES.replace("/duties?", "/duties.csv?"), "/api/v1/disclosures.csv"):
        rows = list(csv.DictReader(io.StringIO((await publishing.get(path)).content.decode("utf-8-sig"))))
        (row,) = [r for r in rows if r["事项"] == "F01" and r["公开期"] == "2026-10"]
        names = ("晚了几天", "代理会计晚了几天", "报账员晚了几天", "村里核对晚了几天", "镇街晚了几天", "部门晚了几天")
        assert [row[n] for n in names] == ["8", "0", "2", "3", "3", "0"]


async def test_what_is_not_open_tells_whose_days_they_are_so_far(publishing: Publishing) -> None:
    publishing.served.clock.at = builders.NOW
    assert (await cell(publishing))["late_by"] == {**NONE, "clerk": 8}
    identity = str(uuid.uuid4())
    await publishing.served.hear(step(DisclosureSubmitted, identity, 1, 18, digest="0" * 64, accepted=(), sealed=None))
    assert (await cell(publishing))["late_by"] == {**NONE, "clerk": 2, "supervisors": 6}
    await publishing.served.hear(
        step(DisclosureConfirmed, identity, 2, 21, complete=True, digest="0" * 64, confirmation="supervisors")
    )
    assert (await cell(publishing))["late_by"] == {**NONE, "clerk": 2, "supervisors": 3, "township": 3}
    sealed = shred.seal_under(KEY, identity, "disclosure.returned.v1", ReturnedContent(reason="票据不全"))
    await publishing.served.hear(step(DisclosureReturned, identity, 3, 22, sealed=sealed))
    assert (await cell(publishing))["late_by"] == {**NONE, "clerk": 8}


async def test_what_is_withdrawn_is_nobodys_publication_any_more(publishing: Publishing) -> None:
    event = await approved(publishing, str(uuid.uuid4()), 18, 21)
    await publishing.withdrawn(event)
    async with publishing.served.runtime.database.connection() as conn:
        row = await conn.fetchrow("SELECT submitted_at, confirmed_at, delivered_at FROM publication")
    assert row is not None
    assert [v for _, v in row.items()] == [None, None, None]


async def test_what_was_let_out_before_this_was_kept_says_that_nobody_knows(publishing: Publishing) -> None:
    await approved(publishing, str(uuid.uuid4()), 18, 21)
    async with publishing.served.runtime.database.transaction() as conn:
        await conn.execute("UPDATE publication SET submitted_at = NULL, confirmed_at = NULL, delivered_at = NULL")
    found = await cell(publishing)
    assert (found["late_days"], found["late_by"]) == (8, None)
    table = (await publishing.get(DUTIES.replace("/duties?", "/duties.csv?"))).content.decode("utf-8-sig")
    (row,) = [r for r in csv.DictReader(io.StringIO(table)) if r["事项"] == "F01"]
    assert row["报账员晚了几天"] == ""


async def test_an_approval_heard_twice_and_a_late_first_edition_change_nothing(publishing: Publishing) -> None:
    identity = str(uuid.uuid4())
    await publishing.served.hear(step(DisclosureDelivered, identity, 1, 17))
    event = await approved(publishing, identity, 18, 21)
    before = await cell(publishing)
    await publishing.served.hear(event)
    assert await cell(publishing) == before
    async with publishing.served.runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT delivered_at FROM publication") == at(17)


# -- pure ---------------------------------------------------------------------------------------------------------


def record(first_published: int = 0, submitted: int = 0, confirmed: int = 0) -> CellRecord:
    """A record by days of November; 0 for what did not happen."""
    first, handed_in, done = (at(day) if day else None for day in (first_published, submitted, confirmed))
    return CellRecord(first_published_at=first, submitted_at=handed_in, confirmed_at=done)


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (record(), LateBy(clerk=8)),
        (record(first_published=16), LateBy()),
        (record(first_published=24, submitted=10, confirmed=12), LateBy(township=8)),
        (record(first_published=24, submitted=10, confirmed=20), LateBy(supervisors=4, township=4)),
        (record(first_published=24, submitted=24, confirmed=24), LateBy(clerk=8)),
        # Confirmed before it was handed in, as clocks of two machines may tell.
        (record(first_published=24, submitted=20, confirmed=19), LateBy(clerk=4, township=4)),
        (record(submitted=10), LateBy(supervisors=8)),
    ],
)
def test_days_are_charged_to_who_had_them_and_add_up(publish: Publishing, known: CellRecord, wanted: LateBy) -> None:
    duty = publish.served.runtime.reference.duty(builders.VILLAGE, _F01)
    assert duty is not None
    assert duty.due == date(2026, 11, 16)
    found = late_by_hand(duty, known, builders.NOW)
    assert found == wanted
    late = lateness(duty, known, builders.NOW)
    assert found.clerk + found.supervisors == late.village
    assert sum(found) == sum(late)
