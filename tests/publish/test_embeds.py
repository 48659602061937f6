"""A village within pages of others: what the frame says, which pages may stand in one, and what a site is told of it."""

from html import unescape
from typing import Any

import pytest

from tests import builders

VILLAGE = builders.NEIGHBOUR
URL = f"http://127.0.0.1:8000/v/{VILLAGE}"


async def test_the_frame_says_the_five_sentences_of_the_page_and_nothing_of_persons(publish: Any) -> None:
    empty = (await publish.get(f"/embed/v/{builders.FAR_VILLAGE}")).text
    assert "现在没有公开的收支" in empty
    body = builders.ledger()
    body["lines"][1]["payee"] = "张建国"
    await publish.opened(village=VILLAGE, body=body)
    frame = (await publish.get(f"/embed/v/{VILLAGE}")).text
    for amount in ("51,200.00元", "600.00元", "3,815.00元", "47,985.00元"):
        assert amount in frame
    assert "张" not in frame
    assert "<script" not in frame
    assert " style=" not in frame
    assert f'href="{URL}" target="_blank"' in frame


async def test_this_page_may_stand_in_a_frame_and_no_other(publish: Any) -> None:
    event = await publish.opened(village=VILLAGE)
    await publish.rendered()
    frame = await publish.get(f"/embed/v/{VILLAGE}")
    assert "frame-ancestors *" in frame.headers["content-security-policy"]
    assert "x-frame-options" not in frame.headers
    assert frame.headers["x-robots-tag"] == "noindex"
    for path, status in {
        f"/v/{VILLAGE}": 200,
        f"/v/{VILLAGE}/big": 200,
        f"/v/{VILLAGE}/F01": 200,
        f"/d/{event.aggregate_id}": 200,
        f"/t/{builders.TOWNSHIP}": 200,
        "/": 200,
        "/search": 200,
        f"/d/{event.aggregate_id}.csv": 200,
        "/embed/v/999999999999": 404,
        "/embed": 404,
        f"/api/v1/disclosures/{event.aggregate_id}": 200,
    }.items():
        answer = await publish.get(path, status)
        assert answer.headers["x-frame-options"] == "DENY", path
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path


async def test_a_site_is_told_how_to_show_a_page(publish: Any) -> None:
    page = (await publish.get(f"/v/{VILLAGE}")).text
    link = unescape(page.partition('type="application/json+oembed"')[2].partition('href="')[2].partition('"')[0])
    answer = await publish.get(link)
    assert answer.headers["access-control-allow-origin"] == "*"
    told = answer.json()
    assert (told["version"], told["type"], told["width"], told["height"]) == ("1.0", "rich", 560, 640)
    assert f'src="http://127.0.0.1:8000/embed/v/{VILLAGE}"' in told["html"]
    small = (await publish.get(f"/oembed?url={URL}&maxwidth=300&maxheight=200&format=json")).json()
    assert (small["width"], small["height"]) == (300, 200)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("url=http://example.org/v/210881006206", 404),
        (f"url={URL}/F01", 404),
        ("url=http://127.0.0.1:8000/v/999999999999", 404),
        (f"url={URL}%22%3E%3Cscript%3E", 404),
        ("url=/v/210881006206", 404),
        (f"url={URL}&format=xml", 501),
        (f"url={URL}&maxwidth=0", 422),
        (f"url={URL}&maxheight=x", 422),
    ],
)
async def test_what_is_no_page_of_a_village_is_refused(publish: Any, query: str, status: int) -> None:
    await publish.get(f"/oembed?{query}", status)


async def test_what_was_withdrawn_is_in_no_frame(publish: Any) -> None:
    event = await publish.opened(village=builders.FAR_VILLAGE)
    assert "47,985.00元" in (await publish.get(f"/embed/v/{builders.FAR_VILLAGE}")).text
    await publish.withdrawn(event)
    assert "47,985.00元" not in (await publish.get(f"/embed/v/{builders.FAR_VILLAGE}")).text
