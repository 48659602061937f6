"""已采用: who takes a text over says so without a name, is told of corrections and withdrawals, and can take it back."""

import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from services.publish.render.adopting import address_faults
from tests import builders
from tests.conftest import Place, open_on
from tests.publish.conftest import Publishing

HOST = "www.example.gov.cn"
ADDRESS = f"https://{HOST}/2026/11/24/a.html"


@pytest_asyncio.fixture
async def taking(place: Place, tmp_path: Any) -> AsyncIterator[Publishing]:
    """Publish in a city that named one medium, with nothing taken over yet."""
    served = await open_on(place, "publish", {"home": tmp_path, "adoption_hosts": (HOST,)})
    async with served.runtime.database.transaction() as conn:
        await conn.execute("TRUNCATE publication, edition, step, dirty, adoption, allowance")
    served.clock.at = builders.NOW
    yield Publishing(served)
    await served.client.aclose()
    await served.runtime.database.close()


async def take(taking: Publishing, disclosure: str, status: int = 201, **changes: Any) -> Any:
    body = {"version": 1, **changes}
    answer = await taking.served.client.post(f"/api/v1/disclosures/{disclosure}/adoptions", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def counted(taking: Publishing, disclosure: str) -> Any:
    return (await taking.get(f"/api/v1/disclosures/{disclosure}/adoptions")).json()


def path_of(url: str) -> str:
    return url.partition("8000")[2] or re.sub(r"^https?://[^/]+", "", url)


async def test_what_was_taken_over_is_counted_and_shown_where_that_may_be(taking: Publishing) -> None:
    event = await taking.opened()
    assert await counted(taking, event.aggregate_id) == {"count": 0, "addresses": []}
    made = await take(taking, event.aggregate_id, address=ADDRESS)
    assert re.fullmatch(r"[0-9a-f]{32}", made["taker"])
    await take(taking, event.aggregate_id)
    assert await counted(taking, event.aggregate_id) == {"count": 2, "addresses": [ADDRESS]}
    await taking.rendered()
    page = (await taking.get(f"/d/{event.aggregate_id}")).text
    assert "被2处采用" in page
    # Shown and not led to: nobody looked at it.
    assert f"<li>{ADDRESS}</li>" in page
    assert f'href="{ADDRESS}"' not in page


async def test_a_correction_and_a_withdrawal_reach_whoever_took_it_and_nothing_leads_there_any_more(
    taking: Publishing,
) -> None:
    event, other = await taking.opened(), await taking.opened(item="F01", period="2026-09")
    made = await take(taking, event.aggregate_id, address=ADDRESS)
    assert (await take(taking, other.aggregate_id, taker=made["taker"]))["taker"] == made["taker"]
    feed, page = path_of(made["feed"]), path_of(made["page"])
    assert "<entry>" not in (await taking.get(feed)).text
    await taking.opened(event.aggregate_id, edition=2, at=builders.NOW + timedelta(hours=1))
    told = (await taking.get(feed)).text
    assert told.count("<entry>") == 1
    assert event.aggregate_id in told
    assert "更正过，现在是第2版，请照着改" in (await taking.get(page)).text
    # Whoever changed their text says so.
    await take(taking, event.aggregate_id, version=2, taker=made["taker"], address=ADDRESS)
    assert "<entry>" not in (await taking.get(feed)).text
    await taking.withdrawn(other)
    assert "已撤回" in (await taking.get(feed)).text
    assert "已经撤回，请一并撤下" in (await taking.get(page)).text
    await take(taking, other.aggregate_id, 410, taker=made["taker"])
    again = await taking.opened(event.aggregate_id, edition=3, at=builders.NOW + timedelta(hours=2))
    await taking.withdrawn(again)
    assert await counted(taking, event.aggregate_id) == {"count": 1, "addresses": []}
    assert ADDRESS not in (await taking.get(f"/d/{event.aggregate_id}", 410)).text


async def test_what_was_noted_can_be_taken_back_one_by_one_and_altogether(taking: Publishing) -> None:
    event, other = await taking.opened(), await taking.opened(item="F01", period="2026-09")
    made = await take(taking, event.aggregate_id)
    await take(taking, other.aggregate_id, taker=made["taker"])
    page, client = path_of(made["page"]), taking.served.client
    one = await client.post(f"{page}/remove", data={"disclosure": event.aggregate_id})
    assert (one.status_code, one.headers["location"]) == (303, page)
    assert (await counted(taking, event.aggregate_id))["count"] == 0
    assert (await client.post(f"{page}/remove", data={"disclosure": event.aggregate_id})).status_code == 404
    rest = await client.post(f"{page}/remove", data={})
    assert rest.headers["location"] == "/"
    await taking.get(page, 404)
    await taking.get(path_of(made["feed"]), 404)
    gone = await take(taking, event.aggregate_id)
    assert (await client.delete(f"/api/v1/adoptions/{gone['taker']}")).status_code == 204
    assert (await client.delete(f"/api/v1/adoptions/{gone['taker']}")).status_code == 404


async def test_the_secret_rests_as_a_hash_alone_and_of_who_took_it_nothing(taking: Publishing, admin: Any) -> None:
    event = await taking.opened()
    made = await take(taking, event.aggregate_id)
    rows = await admin.fetch("SELECT t::text AS t FROM publish.adoption t")
    told = "".join(r["t"] for r in rows)
    assert made["taker"] not in told
    assert "127.0.0.1" not in told
    answer = await taking.get(path_of(made["page"]))
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"version": 0}, 422),
        ({"version": 2}, 422),
        ({"version": "x"}, 422),
        ({"address": "http://www.example.gov.cn/a"}, 422),
        ({"address": "https://evil.example/a"}, 422),
        ({"address": f"https://{HOST}.evil.example/a"}, 422),
        ({"address": f"https://somebody@{HOST}/a"}, 422),
        ({"address": f"https://{HOST}:8443/a"}, 422),
        ({"address": f"https://{HOST}/<script>"}, 422),
        ({"address": f"https://{HOST}/a b"}, 422),
        ({"address": f"https://{HOST}/13812345678"}, 422),
        ({"address": f"https://{HOST}/{'a' * 300}"}, 422),
        ({"address": f"https://{HOST}/{'a' * 2000}"}, 422),
        ({"address": "javascript:alert(1)"}, 422),
        ({"address": "https://[::1"}, 422),
        ({"address": "https://[::1]:99999/"}, 422),
        ({"taker": "short"}, 422),
        ({"taker": "0" * 32}, 404),
        ({"name": "张建国"}, 422),
    ],
)
async def test_what_is_wrong_is_told_and_nothing_is_kept(
    taking: Publishing, changes: dict[str, Any], status: int
) -> None:
    event = await taking.opened()
    problem = await take(taking, event.aggregate_id, status, **changes)
    assert problem["status"] == status
    assert (await counted(taking, event.aggregate_id))["count"] == 0


async def test_of_what_is_not_there_nothing_is_noted(taking: Publishing) -> None:
    await take(taking, str(uuid4()), 404)
    await take(taking, "x" * 65, 422)
    await taking.get(f"/api/v1/disclosures/{uuid4()}/adoptions", 404)
    for path in ("/taken/nobody", "/taken/" + "0" * 32, "/taken/" + "0" * 32 + "/feed.atom", f"/d/{uuid4()}/adopt"):
        assert (await taking.served.client.get(path)).status_code in {404, 422}, path


async def test_one_secret_holds_fifty_and_one_network_notes_ten_at_once(taking: Publishing) -> None:
    event, other = await taking.opened(), await taking.opened(item="F01", period="2026-09")
    made = await take(taking, event.aggregate_id)
    async with taking.served.runtime.database.transaction() as conn:
        await conn.execute(
            "INSERT INTO adoption SELECT taker, 'crowd' || n, village_code, 1, NULL, adopted_at"
            " FROM adoption, generate_series(1, 49) AS n"
        )
    assert (await take(taking, other.aggregate_id, 409, taker=made["taker"]))["code"] == "taker_full"
    await take(taking, event.aggregate_id, taker=made["taker"])
    for _ in range(8):
        await take(taking, event.aggregate_id)
    assert (await take(taking, event.aggregate_id, 429))["code"] == "asked_too_often"


async def test_the_form_notes_it_and_comes_back_with_what_was_typed(taking: Publishing) -> None:
    event = await taking.opened()
    assert f"/d/{event.aggregate_id}/adopt" in (await taking.get(f"/d/{event.aggregate_id}/media")).text
    path, client = f"/d/{event.aggregate_id}/adopt", taking.served.client

    async def token(wait_s: int = 10) -> str:
        found = re.search('name="form" value="([^"]+)"', (await taking.get(path)).text)
        assert found is not None
        taking.served.clock.at += timedelta(seconds=wait_s)
        return found[1]

    fast = await client.post(path, data={"form": await token(1), "version": "1", "address": ADDRESS})
    assert (fast.status_code, "您按得太快了" in fast.text, ADDRESS in fast.text) == (422, True, True)
    for typed, told in (
        ({"version": "一"}, "第几版要写一个数字"),
        ({"version": ""}, "第几版要写一个数字"),
        ({"version": "1", "address": "https://evil.example/"}, "不在本市登记的媒体里"),
        ({"version": "1", "taker": "nobody"}, "应为32位"),
        ({"version": "9"}, "没有第9版"),
    ):
        refused = await client.post(path, data={"form": await token(), **typed})
        assert refused.status_code == 422
        assert told in html.unescape(refused.text)
    done = await client.post(path, data={"form": await token(), "version": "1", "address": ADDRESS})
    assert done.status_code == 303
    page = (await taking.get(done.headers["location"])).text
    assert "没有变化" in page
    assert ADDRESS in page
    await taking.withdrawn(event)
    assert (await client.get(path)).status_code == 410


async def test_a_city_that_named_no_medium_shows_no_address(publishing: Publishing) -> None:
    event = await publishing.opened()
    problem = await take(publishing, event.aggregate_id, 422, address=ADDRESS)
    assert problem["errors"][0]["at"] == "address"
    assert "请不要写" in (await publishing.get(f"/d/{event.aggregate_id}/adopt")).text


def test_an_address_is_looked_through_by_its_host_as_a_whole() -> None:
    assert address_faults(ADDRESS, {HOST}) == []
    assert address_faults(f"https://{HOST.upper()}/a", {HOST}) == []
    assert address_faults(f"https://x{HOST}/a", {HOST}) != []
    assert address_faults("", {HOST}) != []
