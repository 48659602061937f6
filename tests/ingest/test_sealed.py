"""What was written of a disclosure rests sealed: no row holds it in clear, and with its key it is gone."""

import json
import zlib
from typing import Any

import pytest

from services.ingest import jobs, metrics
from services.ingest.jobs import seal_contents
from services.ingest.store.sealing import seal_some
from services.kit.shred import NONCE_BYTES, close, reopen
from tests import builders
from tests.ingest.conftest import CLERK, PATH, REVIEWER, SECOND, SUPERVISOR, Month

WORDS = ("修村部水管", "水管没有修", "发票缺少盖章", "第二行写错", "徐兰文")
TEXTS = "SELECT t::text AS t FROM edition t UNION ALL SELECT t::text FROM confirmation t UNION ALL SELECT t::text FROM disclosure t"


async def written(month: Month) -> str:
    """A ledger about which everything was said that can be."""
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    await month.step(made, "confirm", SECOND, opinion="dissent", reason="水管没有修")
    lines = [{"at": "body.lines[0]", "reason": "第二行写错"}]
    await month.step(made, "return", REVIEWER, reason="发票缺少盖章", lines=lines)
    return made


async def stored(month: Month) -> str:
    """Every row that speaks of disclosures, as PostgreSQL writes it."""
    return "\n".join(r["t"] for r in await month.rows(TEXTS))


async def test_no_row_holds_what_was_written(month: Month) -> None:
    made = await written(month)
    text = await stored(month)
    assert made in text
    assert [w for w in WORDS if w in text] == []
    detail = await month.done("GET", f"{PATH}/{made}", CLERK)
    assert detail["body"]["lines"][0]["summary"] == "修村部水管"
    assert (detail["note"], detail["returned_lines"][0]["reason"]) == ("发票缺少盖章", "第二行写错")
    assert [r["reason"] for r in detail["returns"]] == ["发票缺少盖章"]
    assert detail["opinions"][0]["reason"] == "水管没有修"
    [listed] = (await month.done("GET", PATH, CLERK))["items"]
    assert listed["note"] == "发票缺少盖章"


async def test_a_draft_that_is_discarded_leaves_no_key(month: Month) -> None:
    made = await month.draft()
    assert len(await month.rows("SELECT FROM shred_key")) == 1
    assert await month.served.said("key.set.v1") == []
    await month.step(made, "discard", CLERK)
    assert await month.rows("SELECT FROM shred_key") == []


async def test_key_is_told_when_it_is_handed_in(month: Month) -> None:
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    assert len(await month.served.said("key.set.v1")) == 1
    await month.step(made, "confirm", SUPERVISOR)
    await month.step(made, "approve", REVIEWER)
    assert len(await month.served.said("key.set.v1")) == 1


def literal(value: Any) -> str:
    return "'" + json.dumps(value, ensure_ascii=False).replace("'", "''") + "'"


async def as_before(month: Month, detail: dict[str, Any]) -> None:
    """Rows as the version before wrote them: in clear."""
    returns = [{"reason": r["reason"], "lines": r["lines"], "by": r["by"], "at": r["at"]} for r in detail["returns"]]
    lines = literal(detail["returned_lines"])
    await month.rows(
        f"UPDATE edition SET body = {literal(detail['body'])}, findings = {literal(detail['findings'])}, kind = NULL,"
        f" returns = {literal(returns)}, body_sealed = NULL, remarks_sealed = NULL"
    )
    await month.rows("""UPDATE confirmation SET names = '["徐兰文"]', reason = '水管没有修', said_sealed = NULL""")
    await month.rows(f"UPDATE disclosure SET note = '发票缺少盖章', note_lines = {lines}, note_sealed = NULL")


async def test_rows_of_the_version_before_are_read_and_sealed_by_and_by(month: Month) -> None:
    made = await written(month)
    await as_before(month, await month.done("GET", f"{PATH}/{made}", CLERK))
    assert len([w for w in WORDS if w in await stored(month)]) == len(WORDS)
    before = await month.done("GET", f"{PATH}/{made}", CLERK)
    listed = await month.done("GET", PATH, CLERK)
    await seal_contents(month.served.runtime)
    assert [w for w in WORDS if w in await stored(month)] == []
    assert await month.done("GET", f"{PATH}/{made}", CLERK) == before
    assert await month.done("GET", PATH, CLERK) == listed
    assert before["opinions"][0]["names"] == ["徐兰文"]
    assert metrics.CLEAR._value.get() == 0
    assert await seal_some_more(month) == 0


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE shred_key SET key = NULL WHERE aggregate_id = '{bad}'",
        """UPDATE edition SET body = '{{"kind": "of before"}}' WHERE disclosure_id = '{bad}'""",
    ],
    ids=["its key is gone", "it is not read any more"],
)
async def test_a_row_that_cannot_be_sealed_keeps_no_other_in_clear(
    month: Month, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_AT_ONCE", 1)
    good = await written(month)
    bad = await month.draft(period="2026-09")
    await as_before(month, await month.done("GET", f"{PATH}/{good}", CLERK))
    detail = await month.done("GET", f"{PATH}/{good}", CLERK)
    await month.rows(broken.format(bad=bad))
    await seal_contents(month.served.runtime)
    in_clear = await month.rows("SELECT disclosure_id FROM edition WHERE body_sealed IS NULL")
    assert [str(r["disclosure_id"]) for r in in_clear] == [bad]
    assert metrics.CLEAR._value.get() == 1
    assert await month.done("GET", f"{PATH}/{good}", CLERK) == detail


async def seal_some_more(month: Month) -> int:
    async with month.served.runtime.database.transaction() as conn:
        return await seal_some(conn, 10, set())


async def test_a_draft_of_the_version_before_goes_on_through_every_step(month: Month) -> None:
    made = await written(month)
    await as_before(month, await month.done("GET", f"{PATH}/{made}", CLERK))
    saved = await month.done("PUT", f"{PATH}/{made}", CLERK, {"version": 1, "body": builders.ledger()})
    await month.step(made, "submit", CLERK, saved["version"])
    await month.step(made, "confirm", SUPERVISOR, saved["version"])
    await month.step(made, "approve", REVIEWER, saved["version"])
    detail = await month.done("GET", f"{PATH}/{made}", REVIEWER)
    assert (detail["state"], [r["reason"] for r in detail["returns"]]) == ("approved", ["发票缺少盖章"])


def test_a_sealed_text_opens_in_its_place_alone() -> None:
    key = "a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U="
    closed = close(key, "d1", "edition.body:1", b"x" * 999)
    assert closed == close(key, "d1", "edition.body:1", b"x" * 999)
    assert reopen(key, "d1", "edition.body:1", closed) == b"x" * 999


def test_another_zlib_that_packs_otherwise_has_another_nonce(monkeypatch: pytest.MonkeyPatch) -> None:
    key, content = "a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U=", "修村部水管".encode() * 99
    closed = close(key, "d1", "edition.body:1", content)
    packed = zlib.compress(content, 0)
    monkeypatch.setattr(zlib, "compress", lambda _content, _level: packed)
    otherwise = close(key, "d1", "edition.body:1", content)
    assert len(otherwise) > len(closed)
    assert otherwise[:NONCE_BYTES] != closed[:NONCE_BYTES]
    assert reopen(key, "d1", "edition.body:1", otherwise) == content
