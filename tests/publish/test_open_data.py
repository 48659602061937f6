"""What is fetched by programs: tables without formulas, feeds, the catalogue, the list of pages; refusals that say what is wrong."""

import csv
import io
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from services.contracts.values import yuan
from services.publish.render.export import harmless
from tests import builders
from tests.publish import bodies

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\uff1d1+1")


def rows_of(answer: Any) -> list[list[str]]:
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.content.startswith("\ufeff".encode())
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_a_ledger_is_a_table_of_its_lines_with_names_as_on_the_page(publish: Any) -> None:
    body = builders.ledger()
    body["lines"][1]["payee"] = "张建国"
    event = await publish.opened(body=body)
    answer = await publish.get(f"/d/{event.aggregate_id}.csv")
    head, *rows = rows_of(answer)
    assert [row[4] for row in rows] == [yuan(line["amount_fen"]).replace(",", "") for line in body["lines"]]
    assert [row[head.index("收支")] for row in rows] == ["支出", "支出", "收入"]
    payees = [row[head.index("收款人、交款人")] for row in rows]
    assert payees == ["某五金店", "张某某", ""]
    assert "张建国" not in answer.text
    assert "F01_2026-10.csv" in answer.headers["content-disposition"]
    assert answer.headers["x-robots-tag"] == "noindex"


async def test_no_cell_is_a_formula(publish: Any) -> None:
    body = builders.ledger()
    lines = [{**body["lines"][0], "summary": text, "payee": f"{text}商店", "amount_fen": 1} for text in HOSTILE]
    event = await publish.opened(body={**body, "lines": lines, "totals": None})
    _, *rows = rows_of(await publish.get(f"/d/{event.aggregate_id}.csv"))
    assert [row[3] for row in rows] == [f"'{text}" for text in HOSTILE]
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@", "-", "\uff1d"))]


@pytest.mark.parametrize(
    ("cell", "written"), [("-5.00", "-5.00"), ("-1,234.5", "-1,234.5"), ("-5+1", "'-5+1"), ("", "")]
)
def test_negative_numbers_stay_numbers(cell: str, written: str) -> None:
    assert harmless(cell) == written


async def test_other_kinds_are_what_their_page_shows(publish: Any) -> None:
    entries = [{"name": "李桂兰", "group": "第一组", "amount_fen": 30_000}]
    event = await publish.opened(item="V04", period="2026-10-09", body=bodies.roster(entries=entries, totals=None))
    answer = await publish.get(f"/d/{event.aggregate_id}.csv")
    text = answer.content.decode("utf-8-sig")
    assert "李某某" in text
    assert "李桂兰" not in text
    assert "300.00" in text


async def test_a_withdrawn_table_is_gone_and_an_unknown_one_was_never_there(publish: Any) -> None:
    event = await publish.opened(village=builders.NEIGHBOUR)
    await publish.get(f"/d/{event.aggregate_id}.csv")
    await publish.withdrawn(event)
    gone = await publish.get(f"/d/{event.aggregate_id}.csv", 410)
    assert "已撤回" in gone.text
    await publish.get("/d/nobody.csv", 404)
    await publish.get("/d/%00.csv", 422)


async def test_a_feed_tells_what_was_opened_and_withdrawn_newest_first(publish: Any) -> None:
    village = builders.FAR_VILLAGE
    empty = ET.fromstring((await publish.get(f"/v/{village}/feed.atom")).content)  # noqa: S314 - our own answer
    assert empty.findall(f"{ATOM}entry") == []
    first = await publish.opened(village=village, period="2026-08")
    second = await publish.opened(village=village, period="2026-09")
    await publish.withdrawn(first)
    answer = await publish.get(f"/v/{village}/feed.atom")
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    entries = ET.fromstring(answer.content).findall(f"{ATOM}entry")  # noqa: S314 - our own answer
    told = {e.findtext(f"{ATOM}id", "").rpartition("/")[2]: e.findtext(f"{ATOM}summary") for e in entries}
    # What came late is told so, here too: its day was the 15th of October.
    assert told == {first.aggregate_id: "已撤回；晚了70天才公开", second.aggregate_id: "已公开；晚了40天才公开"}
    await publish.get("/v/999999999999/feed.atom", 404)


async def told_by(publish: Any, path: str) -> ET.Element:
    answer = await publish.get(path)
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ET.fromstring(answer.content)  # noqa: S314 - our own answer
    (own,) = [link for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self"]
    assert own.get("href", "").endswith(path)
    assert "知识共享署名 4.0" in feed.findtext(f"{ATOM}rights", "")
    return feed


def ids_of(feed: ET.Element) -> list[str]:
    return [e.findtext(f"{ATOM}id", "").rpartition("/")[2] for e in feed.findall(f"{ATOM}entry")]


async def test_townships_items_and_the_city_have_feeds_that_their_pages_name(publish: Any) -> None:
    far = await publish.opened(village=builders.FAR_VILLAGE, item="F05", period="2022")
    near = await publish.opened(item="F05", period="2022")
    other = await publish.opened(item="F03", period="2022")
    township = await told_by(publish, f"/t/{builders.TOWNSHIP}/feed.atom")
    assert {near.aggregate_id, other.aggregate_id} <= set(ids_of(township))
    assert far.aggregate_id not in ids_of(township)
    assert {e.findtext(f"{ATOM}title", "").partition("：")[0] for e in township.findall(f"{ATOM}entry")} <= {
        v.name for v in publish.served.runtime.own.bodies.villages_of(builders.TOWNSHIP)
    }
    item = await told_by(publish, "/items/F05/feed.atom")
    assert {near.aggregate_id, far.aggregate_id} <= set(ids_of(item))
    assert other.aggregate_id not in ids_of(item)
    own = await told_by(publish, f"/v/{builders.VILLAGE}/F05/feed.atom")
    assert near.aggregate_id in ids_of(own)
    assert not {far.aggregate_id, other.aggregate_id} & set(ids_of(own))
    city = await told_by(publish, "/feed.atom")
    assert {near.aggregate_id, far.aggregate_id, other.aggregate_id} <= set(ids_of(city))
    names = [f.findtext(f"{ATOM}id") for f in (township, item, own, city)]
    assert len(set(names)) == len(names)
    for page, feeds in {
        f"/t/{builders.TOWNSHIP}": [f"/t/{builders.TOWNSHIP}/feed.atom"],
        f"/v/{builders.VILLAGE}/F05": [f"/v/{builders.VILLAGE}/F05/feed.atom", "/items/F05/feed.atom"],
        f"/v/{builders.VILLAGE}": [f"/v/{builders.VILLAGE}/feed.atom"],
        "/": ["/feed.atom"],
    }.items():
        text = (await publish.get(page)).text
        for feed in feeds:
            assert f'href="{feed}"' in text, page
    await publish.withdrawn(near, reason="填错了，重新公开")
    again = await told_by(publish, "/items/F05/feed.atom")
    (entry,) = [e for e in again.findall(f"{ATOM}entry") if e.findtext(f"{ATOM}id", "").endswith(near.aggregate_id)]
    assert entry.findtext(f"{ATOM}summary", "").startswith("已撤回")


@pytest.mark.parametrize(
    "path",
    ["/t/999999999/feed.atom", "/items/F99/feed.atom", "/items/%00/feed.atom", f"/v/{builders.VILLAGE}/F99/feed.atom"],
)
async def test_a_feed_of_nothing_is_refused(publish: Any, path: str) -> None:
    await publish.get(path, 422 if "%00" in path else 404)


async def test_the_catalogue_is_open_and_read_page_by_page(publish: Any) -> None:
    first = (await publish.get("/api/v1/catalogue?limit=20")).json()
    rest = (await publish.get(f"/api/v1/catalogue?limit=200&cursor={first['next']}")).json()
    items = [*first["items"], *rest["items"]]
    assert [i["code"] for i in items] == sorted(publish.served.runtime.reference.items)
    ledger = next(i for i in items if i["code"] == "F01")
    assert (ledger["due"], ledger["masking"], ledger["kind"], ledger["retired"]) == (
        "month:15",
        "surname",
        "ledger",
        False,
    )
    answer = await publish.get("/api/v1/catalogue?cursor=xx", 422)
    assert answer.json()["errors"][0]["at"] == "query.cursor"


async def test_search_engines_are_told_which_pages_there_are_and_which_are_not_theirs(publish: Any) -> None:
    robots = (await publish.get("/robots.txt")).text
    assert "Disallow: /desk\n" in robots
    url = publish.served.runtime.settings.public_url
    assert f"Sitemap: {url}/sitemap.xml" in robots
    root = ET.fromstring((await publish.get("/sitemap.xml")).content)  # noqa: S314 - our own answer
    pages = [e.text for e in root.iter() if e.tag.endswith("loc")]
    assert {f"{url}/", f"{url}/t/{builders.TOWNSHIP}", f"{url}/v/{builders.VILLAGE}"} <= set(pages)
    assert not [page for page in pages if page and "/d/" in page]


async def test_a_township_and_the_city_are_tables_of_their_villages(publish: Any) -> None:
    event = await publish.opened()
    await publish.rendered()
    head, *rows = rows_of(await publish.get(f"/t/{builders.TOWNSHIP}.csv"))
    assert head[:4] == ["村代码", "村（社区）", "镇街", "收支公开到"]
    own = next(row for row in rows if row[0] == builders.VILLAGE)
    assert own[3:8] == ["2026-10", "51200.00", "600.00", "3815.00", "47985.00"]
    page = (await publish.get(f"/t/{builders.TOWNSHIP}")).text
    assert f'href="/d/{event.aggregate_id}"' in page
    assert "47,985.00元" in page
    lacks = (await publish.get(f"/api/v1/villages/{builders.VILLAGE}")).json()
    assert own[8:] == [str(lacks["missing"]), str(lacks["late_days"]), "0", "0"]
    everybody = rows_of(await publish.get("/villages.csv"))[1:]
    assert [row for row in everybody if row[0].startswith(builders.TOWNSHIP)] == rows
    await publish.get("/t/999999999.csv", 404)


async def test_what_all_villages_opened_is_one_list_read_in_pages(publish: Any) -> None:
    villages = (builders.VILLAGE, builders.NEIGHBOUR, builders.FAR_VILLAGE)
    made = {v: (await publish.opened(village=v, item="F02", period="2025")).aggregate_id for v in villages}
    address = "/api/v1/disclosures?item=F02&period=2025"
    found, cursor = [], ""
    while cursor is not None:
        told = (await publish.get(f"{address}&limit=1{cursor and f'&cursor={cursor}'}")).json()
        found += told["items"]
        cursor = told["next"]
    assert sorted(d["id"] for d in found) == sorted(made.values())
    assert found == (await publish.get(address)).json()["items"]
    township = (await publish.get(f"{address}&township={builders.TOWNSHIP}")).json()["items"]
    assert {d["village"] for d in township} == {v for v in villages if v.startswith(builders.TOWNSHIP)}
    assert (await publish.get("/api/v1/disclosures?affair=party&period=2025")).json()["items"] == []
    assert (await publish.get("/api/v1/disclosures?item=F02")).json()["items"][:1] == found[:1]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("item=f02", 422),
        ("period=2025-13", 422),
        ("township=21088100", 422),
        ("township=999999999", 422),
        ("cursor=a", 422),
    ],
)
async def test_a_list_of_nothing_that_can_be_is_refused(publish: Any, query: str, status: int) -> None:
    await publish.get(f"/api/v1/disclosures?{query}", status)


async def test_programs_on_other_pages_of_the_web_may_read_answers_and_refusals(publish: Any) -> None:
    event = await publish.opened()
    await publish.rendered()
    paths = {
        f"/api/v1/villages/{builders.VILLAGE}": 200,
        f"/api/v1/disclosures/{event.aggregate_id}": 200,
        "/api/v1/catalogue": 200,
        "/api/v1/disclosures/nobody": 404,
        "/api/v1/disclosures?item=x": 422,
    }
    for path, status in paths.items():
        for _ in range(2):
            answer = await publish.get(path, status, Origin="https://example.org")
            assert answer.headers.get("access-control-allow-origin") == "*", path
    page = await publish.get(f"/v/{builders.VILLAGE}")
    assert "access-control-allow-origin" not in page.headers
    assert 'rel="license"' in page.text
