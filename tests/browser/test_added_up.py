"""Every figure of the sample city's pages, added up again from its API by arithmetic that is not ours."""

import asyncio
from collections.abc import Callable

import httpx2
import pytest

from tests.flows.adding import Adding, amounts_of, bar_of, fen_of
from tests.running import RunningCity

VILLAGE = "/v/210881006206"


class Changed(httpx2.AsyncHTTPTransport):
    """What the city answers, one page of it changed on the way."""

    def __init__(self, path: str, change: Callable[[str], str]) -> None:
        super().__init__()
        self._path, self._change = path, change

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await super().handle_async_request(request)
        if request.url.path != self._path:
            return answer
        await answer.aread()
        text = self._change(answer.text)
        return httpx2.Response(answer.status_code, headers={"content-type": "text/html; charset=utf-8"}, text=text)


async def added(city: RunningCity, transport: httpx2.AsyncHTTPTransport | None = None) -> Adding:
    async with httpx2.AsyncClient(base_url=city.url, timeout=60, transport=transport) as http:
        adding = Adding(http)
        await adding.whole()
    return adding


async def test_every_figure_of_every_page_is_what_its_lines_come_to(small_city: RunningCity) -> None:
    adding = await added(small_city)
    if adding.wrong:
        # Whatever another test let out or took back a moment ago is on all pages soon.
        await asyncio.sleep(10)
        adding = await added(small_city)
    assert adding.wrong == []
    assert sum(adding.looked.values()) > 400


@pytest.mark.parametrize(
    ("path", "before", "after", "what"),
    [
        (VILLAGE, '<b class="amount">36,867.33元</b>', '<b class="amount">36,867.34元</b>', "in and out"),
        (VILLAGE, '<rect width="83"', '<rect width="82"', "bars of in and out"),
        (VILLAGE, "已公开的3个月", "已公开的4个月", "months of the year"),
        (f"{VILLAGE}/F01", "110,409.39元", "110,409.38元", "a month's row"),
        ("/t/210881006", "30,769.00元", "30,796.00元", "a village's month"),
        ("/t/210881006", "缺2项", "缺1项", "a village's lacking"),
    ],
)
async def test_a_figure_that_is_off_by_a_little_is_found(
    small_city: RunningCity, path: str, before: str, after: str, what: str
) -> None:
    seen: list[bool] = []

    def change(text: str) -> str:
        seen.append(before in text)
        return text.replace(before, after)

    adding = await added(small_city, Changed(path, change))
    assert any(seen)
    assert [w for w in adding.wrong if w.startswith(f"{path}: {what}:")]


def test_amounts_are_read_to_the_fen() -> None:
    assert amounts_of("期初 1,234.05 + 0.00 − 12.50元") == [123_405, 0, 1_250]
    assert (fen_of("-3.20元"), bar_of(0, 5), bar_of(1, 10_000), bar_of(3, 4)) == (-320, None, 1, 75)
    with pytest.raises(ValueError, match="no amount"):
        fen_of("约48万元")
