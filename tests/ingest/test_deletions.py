"""Files that leave the store while others come in: an order of deletion is taken, carried out and forgotten in three steps."""

import asyncio
from dataclasses import replace
from typing import Any, Final

from services.ingest.commands.attachments import TAKEN_FOR, sweep
from services.ingest.jobs import queue_unused_files
from services.ingest.store.attachments import Attachment, insert_attachment, queue_unowned_for_deletion, take_deletions
from services.ingest.visit import IngestRuntime
from tests import builders
from tests.ingest.conftest import CLERK, PATH, Month
from tests.ingest.test_files import FILES, IMPORTS, picture, upload
from tests.running import ROOT

MIGRATION: Final = ROOT / "services/ingest/migrations/1016_uses_of_gone_drafts.sql"
_ORDERS = "SELECT digest, taken_at FROM object_deletion"


async def unused(month: Month, colour: str) -> str:
    """A file whose week without a use is over: its order waits."""
    digest: str = (await upload(month, picture(colour))).json()["digest"]
    month.served.clock.advance(days=8)
    await queue_unused_files(month.served.runtime)
    return digest


async def taken_by_another(runtime: IngestRuntime) -> list[str]:
    """What another process takes, which ends before it has deleted anything."""
    async with runtime.database.transaction() as conn:
        return await take_deletions(conn, runtime.clock.now(), TAKEN_FOR, 500)


async def test_a_file_that_is_being_deleted_cannot_come_in_at_that_moment(month: Month) -> None:
    digest = await unused(month, "navy")
    assert await taken_by_another(month.served.runtime) == [digest]
    answer = await upload(month, picture("navy"))
    assert (answer.status_code, answer.json()["code"]) == (503, "being_removed")
    assert answer.json()["detail"] == "这个文件正在清理，请过几秒再上传。"
    assert answer.headers["retry-after"] == "2"
    assert await month.rows("SELECT * FROM attachment") == []
    assert (await upload(month, picture("teal"))).status_code == 201


async def test_the_page_says_that_a_file_is_being_deleted_and_keeps_what_was_typed(month: Month) -> None:
    await unused(month, "navy")
    await taken_by_another(month.served.runtime)
    answer = await month.served.client.post(
        "/desk/attachments",
        data={"village": builders.VILLAGE, "item": "F01", "period": "2026-10", "lines.0.summary": "扫帚"},
        files={"file": ("a.jpg", picture("navy"))},
        headers={**month.served.bearer(CLERK), "accept": "text/html", "origin": "http://127.0.0.1:8000"},
    )
    assert answer.status_code == 503
    assert "这个文件正在清理，请过几秒再上传。" in answer.text
    assert "扫帚" in answer.text


async def test_what_a_process_took_and_did_not_delete_another_deletes_after_a_while(month: Month) -> None:
    digest = await unused(month, "navy")
    runtime = month.served.runtime
    await taken_by_another(runtime)
    month.served.clock.advance(minutes=9)
    await sweep(runtime)
    assert await runtime.own.objects.get(digest) is not None
    month.served.clock.advance(minutes=1)
    await sweep(runtime)
    assert await runtime.own.objects.get(digest) is None
    assert await month.rows(_ORDERS) == []
    assert (await upload(month, picture("navy"))).status_code == 201
    assert await runtime.own.objects.get(digest) is not None


async def test_a_process_that_is_slow_leaves_to_others_what_they_may_have_taken_by_now(month: Month) -> None:
    await upload(month, picture("teal"))
    await unused(month, "navy")
    runtime = month.served.runtime
    await sweep(replace(runtime, beat=lambda: month.served.clock.advance(minutes=6)))
    [left] = await month.rows(_ORDERS)
    assert await runtime.own.objects.get(left["digest"]) is not None


async def test_a_file_that_comes_again_before_its_order_is_taken_stays(month: Month) -> None:
    digest = await unused(month, "navy")
    assert (await upload(month, picture("navy"))).status_code == 201
    assert await month.rows(_ORDERS) == []
    await sweep(month.served.runtime)
    assert await month.served.runtime.own.objects.get(digest) is not None


async def test_a_file_that_another_village_hands_in_while_it_is_queued_stays(month: Month) -> None:
    digest = (await upload(month, picture("navy"))).json()["digest"]
    runtime = month.served.runtime
    month.served.clock.advance(days=8)
    [row] = await month.rows("SELECT * FROM attachment")
    known = {name: row[name] for name in Attachment.__dataclass_fields__}
    async with runtime.database.transaction() as conn:
        again = Attachment(**{**known, "village_code": builders.NEIGHBOUR, "uploaded_at": runtime.clock.now()})
        assert await insert_attachment(conn, replace(again, personal=()))
        queueing = asyncio.create_task(queue_unused_files(runtime))
        await asyncio.sleep(0.3)
        assert not queueing.done()
    await queueing
    await sweep(runtime)
    assert await runtime.own.objects.get(digest) is not None


async def test_only_a_file_that_no_village_handed_in_is_queued(month: Month) -> None:
    digest = (await upload(month, picture("navy"))).json()["digest"]
    async with month.served.runtime.database.transaction() as conn:
        await queue_unowned_for_deletion(conn, digest, month.served.clock.now())
        await queue_unowned_for_deletion(conn, "0" * 64, month.served.clock.now())
    assert [r["digest"] for r in await month.rows(_ORDERS)] == ["0" * 64]
    assert (await month.ask("GET", f"{FILES}/{digest}", CLERK)).status_code == 200


def naming(digest: str, **changes: Any) -> dict[str, Any]:
    """A ledger that names a file."""
    return builders.ledger(attachments=[{"digest": digest, "title": "收据"}], **changes)


async def test_a_draft_that_is_given_up_releases_its_files(month: Month) -> None:
    digest = (await upload(month, picture("navy"))).json()["digest"]
    shared = (await upload(month, picture("teal"))).json()["digest"]
    made = await month.draft(body=naming(digest))
    await month.done("PUT", f"{PATH}/{made}", CLERK, {"version": 1, "body": naming(shared)})
    await month.draft(period="2026-09", body=naming(shared, lines=[], totals=None))
    await month.step(made, "discard", CLERK, 2)
    assert [r["digest"] for r in await month.rows("SELECT digest FROM attachment")] == [shared]
    assert len(await month.rows("SELECT * FROM attachment_use")) == 1
    runtime = month.served.runtime
    await sweep(runtime)
    assert await runtime.own.objects.get(digest) is None
    assert await runtime.own.objects.get(shared) is not None


async def test_an_import_that_is_undone_releases_the_files_of_what_goes(month: Month) -> None:
    digests = [(await upload(month, picture(colour))).json()["digest"] for colour in ("navy", "teal")]
    drafts = [
        builders.disclosure(period=period, body=naming(digest, lines=[], totals=None))
        for period, digest in zip(("2026-08", "2026-09"), digests, strict=True)
    ]
    made = await month.done("POST", IMPORTS, CLERK, {"disclosures": drafts})
    touched = made["disclosures"][1]["id"]
    await month.done("PUT", f"{PATH}/{touched}", CLERK, {"version": 1, "body": drafts[1]["body"]})
    await month.done("DELETE", f"{IMPORTS}/{made['id']}", CLERK)
    assert [r["digest"] for r in await month.rows("SELECT digest FROM attachment")] == digests[1:]
    assert [str(r["disclosure_id"]) for r in await month.rows("SELECT * FROM attachment_use")] == [touched]
    runtime = month.served.runtime
    await sweep(runtime)
    assert [await runtime.own.objects.get(digest) is not None for digest in digests] == [False, True]


async def test_files_of_drafts_that_are_gone_already_are_released_by_the_upgrade(month: Month) -> None:
    kept, lost = [(await upload(month, picture(colour))).json()["digest"] for colour in ("navy", "teal")]
    made = await month.draft(body=naming(kept))
    async with month.served.runtime.database.transaction() as conn:
        gone = "00000000-0000-7000-8000-000000000000"
        await conn.execute("INSERT INTO attachment_use VALUES ($1, $2, $3)", lost, gone, builders.VILLAGE)
        await conn.execute(MIGRATION.read_text("utf-8"))
    assert [str(r["disclosure_id"]) for r in await month.rows("SELECT * FROM attachment_use")] == [made]
    month.served.clock.advance(days=8)
    await queue_unused_files(month.served.runtime)
    assert [r["digest"] for r in await month.rows("SELECT digest FROM attachment")] == [kept]
