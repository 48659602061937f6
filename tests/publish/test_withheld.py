"""What was withdrawn and may come back: out of sight everywhere, and public again as the same editions."""

from datetime import timedelta
from typing import Any

import pytest

from services.contracts.disclosure import DisclosureErased, DisclosureRestored, DisclosureWithdrawn
from tests import builders
from tests.publish import bodies

DIES = builders.NOW + timedelta(days=7)


async def hidden(publish: Any, of: Any, after: int = 1) -> None:
    frame = publish.frame(of, after)
    event = DisclosureWithdrawn(**frame, reason="发错了村", was_published=True, key_dies_at=DIES)
    await publish.served.hear(event)
    await publish.rendered()


async def restored(publish: Any, of: Any, after: int = 2) -> None:
    event = DisclosureRestored(**publish.frame(of, after), reason="村民张建国看错了村名", is_public=True)
    await publish.served.hear(event, event)
    await publish.rendered()


async def rows(publish: Any, statement: str) -> list[Any]:
    async with publish.served.runtime.database.connection() as conn:
        found: list[Any] = await conn.fetch(statement)
        return found


async def places(publish: Any, of: Any) -> list[tuple[str, int]]:
    """Every way to it, with what it answers."""
    paths = (f"/d/{of.aggregate_id}", f"/d/{of.aggregate_id}/1", f"/api/v1/disclosures/{of.aggregate_id}")
    found = []
    for path in (*paths, f"/v/{of.village_code}", f"/v/{of.village_code}/{of.item}"):
        answer = await publish.served.client.get(path)
        found.append((answer.text, answer.status_code))
    return found


async def test_it_is_out_of_every_page_and_comes_back_as_it_was_with_its_history(publish: Any) -> None:
    digest = await publish.served.runtime.own.objects.put(b"%PDF-1.4 made for a test %%EOF")
    body = bodies.contract(title="东山果园合同", attachments=[{"digest": digest, "title": "合同"}])
    event = await publish.opened(item="V10", period="2026-10-09", body=body)
    await publish.rendered()
    [before] = await rows(publish, f"SELECT * FROM publication WHERE disclosure_id = '{event.aggregate_id}'")
    await publish.get(f"/objects/{digest}")
    await hidden(publish, event)
    for text, _ in await places(publish, event):
        assert "东山果园" not in text
    await publish.get(f"/d/{event.aggregate_id}", 410)
    await publish.get(f"/objects/{digest}", 404)
    assert await rows(publish, f"SELECT * FROM edition WHERE disclosure_id = '{event.aggregate_id}'") == []
    await restored(publish, event)
    page = (await publish.get(f"/d/{event.aggregate_id}")).text
    assert "东山果园" in page
    assert "撤回过" in page
    assert "又恢复公开。恢复的原因：村民张某某看错了村名" in page
    answer = (await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")).json()
    assert (answer["restored_reason"], "张建国" in str(answer)) == ("村民张某某看错了村名", False)
    assert answer["was_withdrawn_at"] <= answer["restored_at"]
    await publish.get(f"/objects/{digest}")
    [after] = await rows(publish, f"SELECT * FROM publication WHERE disclosure_id = '{event.aggregate_id}'")
    same = ("edition", "first_published_at", "published_at", "digest", "kind", "amount_fen", "withdrawn_at", "reason")
    assert [after[n] for n in same] == [before[n] for n in same]
    changes = (await publish.get("/api/v1/changes")).json()["items"]
    assert [c["kind"] for c in changes if event.aggregate_id in str(c)] == ["published", "restored"]


async def test_it_can_be_withdrawn_once_more(publish: Any) -> None:
    event = await publish.opened()
    await hidden(publish, event)
    await restored(publish, event)
    await hidden(publish, event, 3)
    await publish.get(f"/d/{event.aggregate_id}", 410)
    changes = (await publish.get("/api/v1/changes")).json()["items"]
    assert [c["kind"] for c in changes if event.aggregate_id in str(c)] == ["published", "withdrawn"]
    said = await publish.served.said("publication.withdrawn.v1")
    assert sum(event.aggregate_id in e for e in said) == 2


async def test_erased_is_gone_and_a_late_restoration_brings_nothing_back(publish: Any) -> None:
    event = await publish.opened()
    await hidden(publish, event)
    await publish.served.hear(DisclosureErased(**publish.frame(event, 2)))
    assert await rows(publish, f"SELECT * FROM withheld WHERE disclosure_id = '{event.aggregate_id}'") == []
    [key] = await rows(publish, f"SELECT key FROM shred_key WHERE aggregate_id = '{event.aggregate_id}'")
    assert key["key"] is None
    await restored(publish, event, 3)
    await publish.get(f"/d/{event.aggregate_id}", 410)
    await publish.served.hear(event)
    await publish.get(f"/d/{event.aggregate_id}", 410)


@pytest.mark.parametrize("again", [1, 2])
async def test_a_repeated_withdrawal_sets_aside_once(publish: Any, again: int) -> None:
    event = await publish.opened()
    for _ in range(again):
        await hidden(publish, event)
    [row] = await rows(
        publish, f"SELECT kept -> 'editions' AS e FROM withheld WHERE disclosure_id = '{event.aggregate_id}'"
    )
    assert (row["e"].count('"sealed": "\\\\x'), "修村部水管" in row["e"]) == (1, False)
