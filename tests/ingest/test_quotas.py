"""A day's quota: who has handed in too much is told when it is free again, however many requests and processes at once."""

import asyncio
from typing import Any

import pytest

from services.ingest.jobs import forget_quotas
from tests import builders
from tests.ingest.conftest import ACCOUNTANT, CLERK, Month
from tests.ingest.test_files import picture, send, sheet, upload

SENTENCE = "您今天上传的文件已到每天的上限（个数、总大小或导入次数），明天 0 点以后可以再传；急用请联系平台管理员。"


async def used(month: Month, user: str, **amounts: int) -> None:
    staff_id = builders.staff_id(user)
    row = {"files": 0, "imports": 0, "bytes": 0, **amounts}
    today = "timezone('Asia/Shanghai', $5::timestamptz)::date"
    async with month.served.runtime.database.transaction() as conn:
        await conn.execute(
            f"INSERT INTO upload_quota (staff_id, day, files, imports, bytes) VALUES ($1, {today}, $2, $3, $4)",
            staff_id,
            *row.values(),
            month.served.clock.now(),
        )


def refused(answer: Any) -> bool:
    if answer.status_code == 201:
        return False
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (429, "quota_used_up", SENTENCE)
    assert 0 < int(answer.headers["retry-after"]) <= 24 * 3600
    return True


@pytest.mark.parametrize("amount", [{"files": 999}, {"bytes": 500 * 1024 * 1024 - 800}])
async def test_the_last_file_of_a_day_is_taken_and_the_next_is_free_the_day_after(
    month: Month, amount: dict[str, int]
) -> None:
    await used(month, CLERK, **amount)
    assert not refused(await upload(month, picture()))
    assert refused(await upload(month, picture("blue")))
    month.served.clock.advance(days=1)
    assert not refused(await upload(month, picture("blue")))


async def test_a_file_that_is_refused_counts_too(month: Month) -> None:
    await used(month, CLERK, files=999)
    assert (await upload(month, b"no picture")).status_code == 422
    assert refused(await upload(month, picture()))


async def test_many_requests_at_once_take_no_more_than_is_left(month: Month) -> None:
    await used(month, CLERK, files=998)
    answers = await asyncio.gather(*(upload(month, picture(size=(60 + n, 40))) for n in range(4)))
    assert [refused(a) for a in answers].count(False) == 2


async def test_imports_have_a_quota_of_their_own_and_the_page_tells_it(month: Month) -> None:
    await used(month, ACCOUNTANT, imports=100)
    assert refused(await send(month, sheet(builders.VILLAGE)))
    files = {"file": ("a.csv", sheet(builders.VILLAGE))}
    page = await month.served.client.post("/desk/imports", files=files, headers=month.served.bearer(ACCOUNTANT))
    assert (page.status_code, SENTENCE in page.text) == (429, True)
    assert not refused(await upload(month, picture(), ACCOUNTANT))


async def test_one_ones_quota_is_not_anothers_and_is_forgotten_after_a_week(month: Month) -> None:
    await used(month, CLERK, files=1000)
    assert not refused(await upload(month, picture(), ACCOUNTANT))
    await forget_quotas(month.served.runtime)
    assert len(await month.rows("SELECT * FROM upload_quota")) == 2
    month.served.clock.advance(days=8)
    await forget_quotas(month.served.runtime)
    assert await month.rows("SELECT * FROM upload_quota") == []
