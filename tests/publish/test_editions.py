"""Editions are numbered by savings at the desk: the numbers of those that became public have gaps."""

from datetime import timedelta
from typing import Any

from tests import builders


async def test_a_draft_saved_three_times_before_it_came_out_was_never_corrected(publish: Any) -> None:
    event = await publish.opened(village=builders.NEIGHBOUR, edition=3)
    shown = (await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")).json()
    assert (shown["version"], shown["state"]) == (3, "published")
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
    for path in (f"/d/{first.aggregate_id}", f"/d/{first.aggregate_id}/4"):
        assert "金额由215.00元改为315.00元。" in (await publish.get(path)).text
    await publish.get(f"/d/{first.aggregate_id}/3", 404)
    changes = (await publish.get("/api/v1/changes?limit=200")).json()["items"]
    mine = [(c["kind"], c["version"]) for c in changes if c["id"] == first.aggregate_id]
    assert mine == [("published", 1), ("corrected", 4)]


async def test_an_old_month_that_comes_late_does_not_hide_the_newest(publish: Any) -> None:
    newest = await publish.opened(village=builders.VILLAGE)
    later = builders.NOW + timedelta(hours=2)
    old = await publish.opened(village=builders.VILLAGE, period="2026-03", at=later)
    await publish.rendered()
    page = (await publish.get(f"/v/{builders.VILLAGE}")).text
    assert f'href="/d/{newest.aggregate_id}"' in page
    assert f'href="/d/{old.aggregate_id}"' not in page
