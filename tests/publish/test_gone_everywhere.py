"""What was withdrawn is gone from every way out at once: pages, JSON, tables, archives, feeds, pictures, frames."""

import io
import time
import zipfile
from typing import Any

from tests import builders
from tests.publish import spreadsheets

VILLAGE = builders.FAR_VILLAGE
#: What stands in no other disclosure of these tests.
SUMMARY, PAID = "修理抗旱水泵一台", 7_654_321
WORDS = (SUMMARY, "76,543.21", "76543.21", str(PAID))
#: From the withdrawal that publish heard of.
AT_ONCE_S = 2.0


def ways_of(disclosure_id: str) -> dict[str, int]:
    """Every address at which content of a disclosure comes out, and what it answers once there is none."""
    one = f"/d/{disclosure_id}"
    return {
        one: 410,
        f"{one}/1": 404,
        f"{one}.csv": 410,
        f"{one}.xlsx": 410,
        f"{one}/media": 410,
        f"{one}/card-wide.png": 410,
        f"{one}/card-tall.png": 410,
        f"/api/v1/disclosures/{disclosure_id}": 410,
        f"/api/v1/disclosures/{disclosure_id}.csv": 410,
        f"/api/v1/disclosures/{disclosure_id}.xlsx": 410,
        f"/v/{VILLAGE}": 200,
        f"/v/{VILLAGE}/big": 200,
        f"/v/{VILLAGE}/F01": 200,
        f"/v/{VILLAGE}/F01/2026": 200,
        f"/v/{VILLAGE}/F01.csv": 200,
        f"/v/{VILLAGE}/F01.xlsx": 200,
        f"/v/{VILLAGE}/feed.atom": 200,
        f"/v/{VILLAGE}/F01/feed.atom": 200,
        f"/t/{VILLAGE[:9]}": 200,
        f"/t/{VILLAGE[:9]}.csv": 200,
        f"/t/{VILLAGE[:9]}.xlsx": 200,
        f"/t/{VILLAGE[:9]}/feed.atom": 200,
        "/items/F01/feed.atom": 200,
        "/feed.atom": 200,
        "/villages.csv": 200,
        "/villages.xlsx": 200,
        "/": 200,
        f"/embed/v/{VILLAGE}": 200,
        f"/api/v1/villages/{VILLAGE}": 200,
        f"/api/v1/villages/{VILLAGE}/disclosures": 200,
        f"/api/v1/villages/{VILLAGE}/disclosures.csv": 200,
        f"/api/v1/villages/{VILLAGE}/disclosures.xlsx": 200,
        "/api/v1/disclosures?item=F01": 200,
        "/api/v1/disclosures.csv?item=F01": 200,
        "/api/v1/disclosures.xlsx?item=F01": 200,
        f"/api/v1/export/{VILLAGE}.zip": 200,
        f"/api/v1/export/{VILLAGE[:9]}.zip": 200,
        f"/api/v1/export/{VILLAGE[:6]}.zip": 200,
        "/api/v1/changes?limit=200": 200,
    }


async def test_the_picture_behind_a_line_goes_with_it_at_once(publish: Any) -> None:
    body, runtime = builders.ledger(), publish.served.runtime
    inner, shown = "ab" * 32, await runtime.own.objects.put(b"\xff\xd8\xff a receipt with black boxes")
    body["lines"] = [{**body["lines"][0], "attachments": [inner], "pictures": [shown]}, *body["lines"][1:]]
    event = await publish.opened(village=VILLAGE, period="2026-09", body=body)
    await publish.rendered()
    one, as_json = f"/d/{event.aggregate_id}", f"/api/v1/disclosures/{event.aggregate_id}"
    page = (await publish.get(one)).text
    assert f'<a href="/objects/{shown}" aria-label="第1笔' in page
    line = (await publish.get(as_json)).json()["body"]["lines"][0]
    assert (line["pictures"], "attachments" in line, inner in page) == ([shown], False, False)
    assert (await publish.get(f"/objects/{shown}")).headers["content-type"] == "image/jpeg"
    await publish.get(f"/objects/{inner}", 404)
    since = time.monotonic()
    await publish.withdrawn(event)
    for path, status in ((one, 410), (as_json, 410), (f"/objects/{shown}", 404)):
        assert shown not in (await publish.get(path, status)).text
    assert time.monotonic() - since < AT_ONCE_S


async def test_where_only_totals_are_public_no_picture_is(publish: Any) -> None:
    body, runtime = builders.ledger(), publish.served.runtime
    shown = await runtime.own.objects.put(b"\xff\xd8\xff another receipt")
    body["lines"] = [{**body["lines"][0], "pictures": [shown]}, *body["lines"][1:]]
    event = await publish.opened(village=VILLAGE, item="P03", period="2026H1", body=body)
    await publish.rendered()
    assert shown not in (await publish.get(f"/d/{event.aggregate_id}")).text
    assert shown not in (await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")).text
    await publish.get(f"/objects/{shown}", 404)


def text_of(path: str, answer: Any) -> str:
    """An answer as somebody reads it, unpacked."""
    if answer.status_code != 200:
        return str(answer.text)
    kind = answer.headers["content-type"]
    if kind == "application/zip":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
            return "\n".join(file.read(name).decode() for name in file.namelist())
    if "spreadsheetml" in kind:
        return str(spreadsheets.read(answer.content).sheets)
    return "" if path.endswith(".png") else str(answer.text)


async def test_every_way_out_told_it_and_none_does_when_it_was_withdrawn(publish: Any) -> None:
    body = builders.ledger()
    body["lines"] = [{**body["lines"][0], "summary": SUMMARY, "amount_fen": PAID, "direction": "out"}]
    event = await publish.opened(village=VILLAGE, body={**body, "totals": None})
    await publish.rendered()
    ways = ways_of(event.aggregate_id)
    told = {path: text_of(path, await publish.get(path)) for path in ways}
    # The ways are ways: most of them tell the content while it is open.
    assert sum(any(word in text for word in WORDS) for text in told.values()) > len(ways) / 2
    tags = {path: (await publish.get(path)).headers.get("etag") for path in ways}
    since = time.monotonic()
    await publish.withdrawn(event)
    # Lists over many villages are made anew by the renderer's next turn.
    await publish.rendered()
    assert time.monotonic() - since < AT_ONCE_S
    for path, status in ways.items():
        answer = await publish.get(path, status)
        text = text_of(path, answer)
        assert not [word for word in WORDS if word in text], path
        if told[path] != text and (tag := tags[path]):
            # Who has what was before is not told that it is still the newest.
            await publish.get(path, status, If_None_Match=tag)
