"""A scan of a code that counts is answered before FastAPI, and looks from outside as every other answer does."""

from collections.abc import Mapping

import pytest

from services.kit.web import SECURITY_HEADERS
from tests.builders import VILLAGE
from tests.conftest import Served
from tests.qr.conftest import FindCode


async def first_scan(qr: Served, valid_code: FindCode) -> str:
    """The code's first scan reads it into memory, by the common way."""
    code = (await valid_code(VILLAGE)).code
    await qr.client.get(f"/c/{code}")
    return code


def fixed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "x-request-id"}


async def test_both_ways_answer_alike(qr: Served, valid_code: FindCode) -> None:
    code = await first_scan(qr, valid_code)
    thin = await qr.client.get(f"/c/{code}")
    common = await qr.client.head(f"/c/{code}")
    assert thin.status_code == common.status_code == 302
    assert fixed(thin.headers) == fixed(common.headers)
    assert {name: thin.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert len(thin.headers["x-request-id"]) == 32
    assert thin.content == b""


@pytest.mark.parametrize("spelling", [str.lower, lambda code: f"{code[:4]}-{code[4:]}"])
async def test_a_code_is_known_however_it_is_typed(qr: Served, valid_code: FindCode, spelling: object) -> None:
    code = await first_scan(qr, valid_code)
    assert callable(spelling)
    answer = await qr.client.get(f"/c/{spelling(code)}")
    assert answer.headers["location"] == f"/v/{VILLAGE}#s-{code}"


async def test_the_brake_holds_on_the_thin_way_too(qr: Served, valid_code: FindCode) -> None:
    code = await first_scan(qr, valid_code)
    robot = {"x-forwarded-for": "198.51.100.7", "accept": "text/html"}
    answers = [await qr.client.get(f"/c/{code}", headers=robot) for _ in range(61)]
    assert [a.status_code for a in answers] == [302] * 60 + [429]
    assert "请等几秒再试" in answers[-1].text


async def test_what_is_refused_is_not_counted(qr: Served, valid_code: FindCode) -> None:
    code = await first_scan(qr, valid_code)
    await qr.runtime.own.counted.write()
    async with qr.runtime.database.connection() as conn:
        before = await conn.fetchval("SELECT sum(count) FROM scan_count WHERE code = $1", code)
    robot = {"x-forwarded-for": "198.51.200.7"}
    for _ in range(70):
        await qr.client.get(f"/c/{code}", headers=robot)
    await qr.runtime.own.counted.write()
    async with qr.runtime.database.connection() as conn:
        after = await conn.fetchval("SELECT sum(count) FROM scan_count WHERE code = $1", code)
    assert after - before == 60


async def test_who_sends_a_body_goes_the_common_way(qr: Served, valid_code: FindCode) -> None:
    code = await first_scan(qr, valid_code)
    answer = await qr.client.request("GET", f"/c/{code}", content=b"x" * 100)
    assert answer.status_code == 302
    answer = await qr.client.request("GET", f"/c/{code}", content=b"x" * 2_000_000)
    assert answer.status_code in {302, 413}
    assert (await qr.client.post(f"/c/{code}")).status_code == 405


@pytest.mark.parametrize("path", ["/c/", "/c/x", "/c/%00", "/c/00000000", "/c/" + "a" * 5000, "/c/a/b"])
async def test_what_is_no_code_goes_the_common_way(qr: Served, path: str) -> None:
    assert (await qr.client.get(path)).status_code == 404
