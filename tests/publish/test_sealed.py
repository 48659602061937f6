"""Content of public editions rests sealed, and so does what was withdrawn and may be restored."""

import json
from typing import Any

import pytest

from services.contracts.bodies import BODY
from services.publish import jobs, metrics
from services.publish.jobs import seal_contents
from services.publish.store.publications import select_editions
from tests import builders
from tests.publish.test_withheld import hidden, restored, rows

SUMMARY = "修村部水管"
TEXTS = "SELECT t::text AS t FROM edition t UNION ALL SELECT t::text FROM withheld t"
#: As the version before wrote it.
CLEAR = f"""
UPDATE edition SET sealed = NULL, said = '{{"note": "改了摘要"}}', body = '{json.dumps(builders.ledger(), ensure_ascii=False)}'
"""


async def stored(publish: Any) -> str:
    """Every row of content, as PostgreSQL writes it."""
    return "\n".join(str(r["t"]) for r in await rows(publish, TEXTS))


async def test_no_row_holds_content_whether_it_is_public_or_withdrawn(publish: Any) -> None:
    event = await publish.opened()
    assert SUMMARY in (await publish.get(f"/d/{event.aggregate_id}")).text
    assert (event.aggregate_id in await stored(publish), SUMMARY in await stored(publish)) == (True, False)
    await hidden(publish, event)
    assert (event.aggregate_id in await stored(publish), SUMMARY in await stored(publish)) == (True, False)
    await restored(publish, event)
    assert SUMMARY in (await publish.get(f"/d/{event.aggregate_id}")).text


async def test_editions_of_the_version_before_are_read_and_sealed_by_and_by(publish: Any) -> None:
    event = await publish.opened()
    await rows(publish, CLEAR)
    before = (await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")).json()
    assert SUMMARY in str(before)
    await seal_contents(publish.served.runtime)
    assert SUMMARY not in await stored(publish)
    assert (await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")).json() == before
    assert metrics.CLEAR._value.get() == 0


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE shred_key SET key = NULL WHERE aggregate_id = '{bad}'",
        """UPDATE edition SET body = '{{"kind": "of before"}}' WHERE disclosure_id = '{bad}'""",
    ],
    ids=["its key is gone", "it is not read any more"],
)
async def test_an_edition_that_cannot_be_sealed_keeps_no_other_in_clear(
    publish: Any, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_SEALED_AT_ONCE", 1)
    bad, good = [await publish.opened(period=p) for p in ("2026-09", "2026-10")]
    await rows(publish, CLEAR)
    await rows(publish, broken.format(bad=bad.aggregate_id))
    await seal_contents(publish.served.runtime)
    in_clear = await rows(publish, "SELECT disclosure_id FROM edition WHERE sealed IS NULL")
    assert ([r["disclosure_id"] for r in in_clear], metrics.CLEAR._value.get()) == ([bad.aggregate_id], 1)
    assert SUMMARY in str((await publish.get(f"/api/v1/disclosures/{good.aggregate_id}")).json())
    # Other tests have the same database.
    await rows(publish, f"DELETE FROM edition WHERE disclosure_id = '{bad.aggregate_id}'")


async def test_what_the_version_before_set_aside_is_sealed_and_comes_back(publish: Any) -> None:
    event = await publish.opened()
    await rows(publish, CLEAR)
    await hidden(publish, event)
    assert SUMMARY in await stored(publish)
    await seal_contents(publish.served.runtime)
    assert SUMMARY not in await stored(publish)
    await restored(publish, event)
    assert SUMMARY in str((await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")).json())


@pytest.mark.parametrize("left_out", [[], ["attachments", "totals"]], ids=["whole", "before some fields were there"])
async def test_the_job_comes_to_the_bytes_of_a_rebuild(publish: Any, left_out: list[str]) -> None:
    event = await publish.opened()
    (kept,) = await rows(publish, f"SELECT sealed FROM edition WHERE disclosure_id = '{event.aggregate_id}'")
    body = BODY.validate_python(builders.ledger()).model_dump(mode="json", exclude=set(left_out))
    text = json.dumps(body, ensure_ascii=False)
    clear = f"UPDATE edition SET sealed = NULL, body = '{text}' WHERE disclosure_id = '{event.aggregate_id}'"
    await rows(publish, clear)
    await seal_contents(publish.served.runtime)
    async with publish.served.runtime.database.connection() as conn:
        ((_, edition),) = (await select_editions(conn, [(event.aggregate_id, 1)])).items()
        sealed = await conn.fetchval("SELECT sealed FROM edition WHERE disclosure_id = $1", event.aggregate_id)
    assert edition.body == json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    assert (sealed == kept["sealed"]) is (left_out == [])
