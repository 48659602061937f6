"""Ingest numbers editions by savings at the desk; readers count those that became public: 1, 2, 3."""

from datetime import timedelta
from typing import Any

from tests import builders


async def test_a_draft_saved_three_times_before_it_came_out_was_never_corrected(publish: Any) -> None:
    event = await publish.opened(village=builders.NEIGHBOUR, edition=3)
    shown = (await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")).json()
    assert (shown["version"], shown["state"]) == (1, "published")
    page = (await publish.get(f"/d/{event.aggregate_id}")).text
    assert "更正过" not in page
    assert "第3版" not in page
    assert "已更正" not in (await publish.get(f"/v/{builders.NEIGHBOUR}/F01")).text
    changes = (await publish.get("/api/v1/changes?limit=200")).json()["items"]
    assert [c["kind"] for c in changes if c["id"] == event.aggregate_id] == ["published"]


async def test_a_correction_is_compared_with_the_edition_that_was_public_before(publish: Any) -> None:
    first = await publish.opened(village=builders.FAR_VILLAGE)
    body = builders.ledger()
    lines = [{**body["lines"][0], "amount_fen": 31_500}, *body["lines"][1:]]
    at = builders.NOW + timedelta(hours=1)
    changed = {**body, "lines": lines}
    await publish.opened(first.aggregate_id, village=builders.FAR_VILLAGE, edition=4, at=at, body=changed, note="写错")
    await publish.rendered()
    for path in (f"/d/{first.aggregate_id}", f"/d/{first.aggregate_id}/2"):
        assert "金额由215.00元改为315.00元。" in (await publish.get(path)).text
    await publish.get(f"/d/{first.aggregate_id}/3", 404)
    changes = (await publish.get("/api/v1/changes?limit=200")).json()["items"]
    mine = [(c["kind"], c["version"]) for c in changes if c["id"] == first.aggregate_id]
    assert mine == [("published", 1), ("corrected", 2)]


async def test_one_correction_after_many_savings_is_the_second_edition_everywhere(publish: Any) -> None:
    first = await publish.opened(village=builders.NEIGHBOUR, period="2026-08", edition=2)
    at = builders.NOW + timedelta(hours=1)
    second = await publish.opened(
        first.aggregate_id, village=builders.NEIGHBOUR, period="2026-08", edition=7, at=at, note="票据补上了"
    )
    await publish.rendered()
    page = (await publish.get(f"/d/{first.aggregate_id}")).text
    assert "更正过，这是最新的第2版。" in page
    assert f'href="/d/{first.aggregate_id}/1"' in page
    assert "第7版" not in page
    assert "这是第1版，后来更正过。" in (await publish.get(f"/d/{first.aggregate_id}/1")).text
    assert "已更正（第2版）" in (await publish.get(f"/v/{builders.NEIGHBOUR}/F01")).text
    told = (await publish.get(f"/api/v1/disclosures/{first.aggregate_id}")).json()
    assert (told["version"], [e["version"] for e in told["editions"]]) == (2, [1, 2])
    listed = (await publish.get(f"/api/v1/villages/{builders.NEIGHBOUR}/disclosures?period=2026-08")).json()["items"]
    assert [d["version"] for d in listed] == [2]
    await publish.withdrawn(second)
    assert (await publish.get(f"/api/v1/villages/{builders.NEIGHBOUR}/disclosures?period=2026-08")).json()["items"][0][
        "version"
    ] == 2
    changes = (await publish.get("/api/v1/changes?limit=200")).json()["items"]
    mine = [(c["kind"], c["version"]) for c in changes if c["id"] == first.aggregate_id]
    assert mine == [("published", 1), ("corrected", 2), ("withdrawn", 2)]


async def test_an_address_by_the_desks_number_leads_to_the_edition_that_it_meant(publish: Any) -> None:
    first = await publish.opened(village=builders.NEIGHBOUR, period="2026-07", edition=3)
    answer = await publish.get(f"/d/{first.aggregate_id}/3", 301)
    assert answer.headers["location"] == f"/d/{first.aggregate_id}/1"
    await publish.get(f"/d/{first.aggregate_id}/1")
    for unknown in (2, 4, 0, 2**31):
        await publish.get(f"/d/{first.aggregate_id}/{unknown}", 404)


async def test_an_old_month_that_comes_late_does_not_hide_the_newest(publish: Any) -> None:
    newest = await publish.opened(village=builders.VILLAGE)
    later = builders.NOW + timedelta(hours=2)
    old = await publish.opened(village=builders.VILLAGE, period="2026-03", at=later)
    await publish.rendered()
    page = (await publish.get(f"/v/{builders.VILLAGE}")).text
    assert f'href="/d/{newest.aggregate_id}"' in page
    assert f'href="/d/{old.aggregate_id}"' not in page
