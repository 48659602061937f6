"""What publish makes of what it hears: repeated, late, shredded, withdrawn."""

from datetime import timedelta
from typing import Any

from services.contracts.base import Sealed
from services.contracts.code import Code, CodeSet
from services.contracts.disclosure import DisclosureConfirmed, DisclosureReturned, DisclosureSubmitted
from services.contracts.publication import PublicationPublished, PublicationWithdrawn
from services.kit.shred import save_key
from tests import builders

MARKER = "只有这里才有的记号"
TABLES = (
    *("publish_read.publication", "publish_read.edition", "publish_read.step"),
    *("publish.change", "publish.announced", "publish.dirty", "publish.shred_key"),
)


def marked_body() -> dict[str, Any]:
    body = builders.ledger()
    return {**body, "lines": [{**body["lines"][0], "summary": MARKER}, *body["lines"][1:]]}


async def said_of(publish: Any, disclosure_id: str) -> list[Any]:
    published = [
        PublicationPublished.model_validate_json(t) for t in await publish.served.said("publication.published.v1")
    ]
    withdrawn = [
        PublicationWithdrawn.model_validate_json(t) for t in await publish.served.said("publication.withdrawn.v1")
    ]
    return [e for e in (*published, *withdrawn) if e.aggregate_id == disclosure_id]


async def test_repeated_event_changes_and_says_nothing_twice(publish: Any) -> None:
    event = await publish.opened()
    await publish.served.hear(event, event)
    said = await said_of(publish, event.aggregate_id)
    assert [(e.type, e.edition, e.aggregate_version) for e in said] == [("publication.published.v1", 1, 1)]
    changes = (await publish.get("/api/v1/changes?limit=200")).json()["items"]
    assert len([c for c in changes if c["id"] == event.aggregate_id]) == 1


async def test_late_edition_does_not_replace_a_newer_one_but_tells_when_it_began(publish: Any) -> None:
    first = await publish.approved(at=builders.NOW)
    body = builders.ledger()
    corrected = {**body, "lines": [{**body["lines"][0], "summary": "更正后的水管"}, *body["lines"][1:]]}
    later = builders.NOW + timedelta(days=1)
    await publish.opened(first.aggregate_id, edition=2, at=later, body=corrected)
    await publish.served.hear(first)
    shown = (await publish.get(f"/api/v1/disclosures/{first.aggregate_id}")).json()
    assert (shown["version"], shown["state"]) == (2, "corrected")
    assert shown["body"]["lines"][0]["summary"] == "更正后的水管"
    assert "修村部水管" in (await publish.get(f"/d/{first.aggregate_id}/1")).text
    published = {e.edition: e for e in await said_of(publish, first.aggregate_id)}
    assert published[2].first_published_at == later
    assert published[1].first_published_at == builders.NOW


async def test_withdrawal_leaves_no_word_in_tables_or_files(publish: Any, admin: Any) -> None:
    event = await publish.opened(body=marked_body())
    await publish.opened(event.aggregate_id, edition=2, body=marked_body())
    await publish.rendered()
    assert MARKER in (await publish.get(f"/d/{event.aggregate_id}")).text
    await publish.withdrawn(event)
    assert not any(event.aggregate_id in p.name for p in publish.served.runtime.settings.rendered.rglob("*.body"))
    await publish.rendered()
    for table in TABLES:
        rows = await admin.fetch(f"SELECT t::text AS row FROM {table} t")
        assert not any(MARKER in r["row"] for r in rows), table
    for file in publish.served.runtime.settings.rendered.rglob("*.body"):
        assert MARKER.encode() not in file.read_bytes(), file
    key = await admin.fetchval("SELECT key FROM publish.shred_key WHERE aggregate_id = $1", event.aggregate_id)
    assert key is None
    page = await publish.get(f"/d/{event.aggregate_id}", 410)
    assert "填错了村，重新公开" in page.text
    said = await said_of(publish, event.aggregate_id)
    assert [e.type for e in said][-1] == "publication.withdrawn.v1"


async def test_withdrawn_disclosure_never_comes_back(publish: Any) -> None:
    event = await publish.opened(body=marked_body())
    again = await publish.approved(event.aggregate_id, edition=3, body=marked_body())
    await publish.withdrawn(event)
    await publish.served.hear(event, again)
    await publish.get(f"/api/v1/disclosures/{event.aggregate_id}", 410)
    assert len(await said_of(publish, event.aggregate_id)) == 2


async def test_shredded_content_is_a_tombstone_and_the_next_event_goes_on(publish: Any) -> None:
    event = await publish.approved()
    async with publish.served.runtime.database.transaction() as conn:
        await save_key(conn, event.aggregate_id, None)
    await publish.served.hear(event)
    answer = await publish.get(f"/api/v1/disclosures/{event.aggregate_id}", 410)
    assert answer.json()["reason"] is None
    assert await said_of(publish, event.aggregate_id) == []
    await publish.withdrawn(event, "原因后到")
    assert (await publish.get(f"/api/v1/disclosures/{event.aggregate_id}", 410)).json()["reason"] == "原因后到"


def progress(kind: type[Any], version: int, **more: Any) -> Any:
    return kind(
        **{**builders.stamp("under-way", version, builders.FAR_VILLAGE), "village_code": builders.FAR_VILLAGE},
        item="F01",
        period="2026-10",
        edition=1,
        **more,
    )


async def test_page_tells_who_holds_what_is_missing(publish: Any) -> None:
    sealed = Sealed(nonce="", ciphertext="")
    page = f"/v/{builders.FAR_VILLAGE}"
    assert "由村（社区）办，从2026年11月1日起" in (await publish.get(page)).text
    await publish.served.hear(
        progress(DisclosureSubmitted, 1, digest="0" * 64, accepted=(), sealed=sealed),
        progress(DisclosureConfirmed, 2, digest="0" * 64, confirmation="supervisors", complete=True),
    )
    await publish.rendered()
    assert "由镇街办，从2026年11月24日起" in (await publish.get(page)).text
    await publish.served.hear(progress(DisclosureReturned, 3, sealed=sealed))
    await publish.rendered()
    # What the township publishes itself stays with it.
    assert "由镇街办，从2026年11月24日起" not in (await publish.get(page)).text


async def test_codes_are_listed_while_valid(publish: Any) -> None:
    code = Code(
        code="ABCD2345",
        village=builders.VILLAGE,
        purpose="board",
        place="村部",
        serial=7,
        state="valid",
        issued_at=builders.NOW,
    )
    await publish.served.hear(CodeSet(**builders.stamp("ABCD2345"), code=code))
    await publish.rendered()
    assert 'id="s-ABCD2345"' in (await publish.get(f"/v/{builders.VILLAGE}")).text
    answer = await publish.get("/c/ABCD2345", 302)
    assert answer.headers["location"] == "/v/210881006206#s-ABCD2345"
    revoked = code.model_copy(update={"state": "revoked"})
    await publish.served.hear(CodeSet(**builders.stamp("ABCD2345", 2), code=revoked))
    await publish.rendered()
    assert "ABCD2345" not in (await publish.get(f"/v/{builders.VILLAGE}")).text
    assert "已经停用" in (await publish.get("/c/ABCD2345", 410)).text


async def test_who_had_it_is_forgotten_once_it_is_public_and_kept_for_what_comes_after(publish: Any) -> None:
    """Steps of ten years would be looked through for every page of their village."""
    first = await publish.approved(village=builders.FAR_VILLAGE, period="2026-07")

    def submitted(version: int) -> DisclosureSubmitted:
        sealed = Sealed(nonce="", ciphertext="")
        frame = {**publish.frame(first, version - first.aggregate_version), "edition": version}
        return DisclosureSubmitted(**frame, digest="0" * 64, accepted=(), sealed=sealed)

    async def versions() -> list[int]:
        async with publish.served.runtime.database.connection() as conn:
            rows = await conn.fetch("SELECT version FROM step WHERE disclosure_id = $1", first.aggregate_id)
        return [r["version"] for r in rows]

    await publish.served.hear(submitted(first.aggregate_version - 1))
    assert await versions() == [first.aggregate_version - 1]
    await publish.served.hear(first)
    assert await versions() == []
    # Handed in again while it is public; then the first approval comes once more, late.
    await publish.served.hear(submitted(first.aggregate_version + 2))
    again = await publish.approved(first.aggregate_id, village=builders.FAR_VILLAGE, period="2026-07", edition=1)
    await publish.served.hear(again)
    assert await versions() == [first.aggregate_version + 2]
