"""What an editor takes: the figures of the page with their source, styled for pasting; nothing of persons, nothing withdrawn."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from tests import builders
from tests.publish import bodies
from tests.publish.test_open_data import ATOM, ids_of, told_by

TEXTAREA = re.compile(r"<textarea[^>]*>(.*?)</textarea>", re.DOTALL)


async def taken(publish: Any, disclosure_id: str) -> tuple[str, str, str]:
    """The page, the text to paste as HTML, and the plain one."""
    page = (await publish.get(f"/d/{disclosure_id}/media")).text
    article, plain = (unescape(text) for text in TEXTAREA.findall(page))
    return page, article, plain


async def test_a_ledger_is_text_to_paste_with_its_figures_its_source_and_its_number(publish: Any) -> None:
    event = await publish.opened(period="2026-03")
    page, article, plain = await taken(publish, event.aggregate_id)
    assert "可转载" in page
    for amount in ("51,200.00元", "600.00元", "3,815.00元", "47,985.00元"):
        assert amount in article
        assert amount in plain
        assert amount in page.partition('id="script"')[2]
    for text in (page, article, plain):
        assert f"http://127.0.0.1:8000/d/{event.aggregate_id}" in text
    assert 'style="' in article
    assert "<script" not in article
    # The page itself has no style of its own: those of the text stand in a field as text.
    assert ' style="' not in TEXTAREA.sub("", page)
    assert f"{event.aggregate_id} 第1版" in page
    assert f'href="/adopted.atom?taken={event.aggregate_id}.1"' in page
    shown = (await publish.get(f"/d/{event.aggregate_id}")).text
    assert f'href="/d/{event.aggregate_id}/media"' in shown


async def test_lateness_differences_and_corrections_go_with_it(publish: Any) -> None:
    body = builders.ledger()
    body["accounts"][0]["closing_fen"] -= 1_250
    first = await publish.opened(period="2026-04", body=builders.ledger())
    await publish.opened(first.aggregate_id, period="2026-04", edition=2, body=body, note="盘点后更正")
    _, article, plain = await taken(publish, first.aggregate_id)
    for text in (article, plain):
        assert "差12.50元" in text
        assert "盘点后更正" in text
        assert "第2版" in text


async def test_words_of_an_author_are_text_and_no_markup(publish: Any) -> None:
    told = bodies.notice(paragraphs=['</textarea><script>alert(1)</script> & "引号"'])
    event = await publish.opened(item="V18", period="2026-10-05", body=told)
    page, article, plain = await taken(publish, event.aggregate_id)
    assert "<script>" not in page
    assert "&lt;script&gt;" in article
    assert "<script>alert(1)</script>" in plain


@pytest.mark.parametrize(
    ("item", "period", "body"), [("V03", "2026Q2", bodies.roster()), ("V10", "2026-10-09", bodies.contract())]
)
async def test_of_persons_nothing_is_to_be_taken(publish: Any, item: str, period: str, body: dict[str, Any]) -> None:
    event = await publish.opened(item=item, period=period, body=body)
    answer = await publish.get(f"/d/{event.aggregate_id}/media")
    assert "暂缓转载" in answer.text
    assert "<textarea" not in answer.text
    assert answer.headers["x-robots-tag"] == "noindex"
    for name in ("张某某", "王某某", "李某某"):
        assert name not in answer.text


async def test_there_is_none_of_what_is_gone_or_never_was(publish: Any) -> None:
    event = await publish.opened(item="F02", period="2011")
    await publish.withdrawn(event)
    await publish.get(f"/d/{event.aggregate_id}/media", 410)
    await publish.get("/d/nobody/media", 404)
    await publish.get("/d/%00/media", 422)


async def test_who_took_it_hears_of_corrections_and_withdrawals_of_that_alone(publish: Any) -> None:
    corrected = await publish.opened(item="F02", period="2006")
    gone = await publish.opened(item="F02", period="2007")
    same = await publish.opened(item="F02", period="2008")
    ids = sorted(e.aggregate_id for e in (corrected, gone, same))
    path = "/adopted.atom?" + "&".join(f"taken={i}.1" for i in ids)
    assert ids_of(await told_by(publish, path)) == []
    later = builders.NOW + timedelta(hours=1)
    await publish.opened(corrected.aggregate_id, item="F02", period="2006", edition=2, note="改正合计", at=later)
    await publish.withdrawn(gone)
    feed = await told_by(publish, path)
    assert set(ids_of(feed)) == {corrected.aggregate_id, gone.aggregate_id}
    told = {e.findtext(f"{ATOM}summary", "").partition("；")[0] for e in feed.findall(f"{ATOM}entry")}
    assert told == {"已撤回", "已更正（第2版）"}
    assert ids_of(await told_by(publish, f"/adopted.atom?taken={corrected.aggregate_id}.2")) == []


@pytest.mark.parametrize(
    "query",
    ["", "taken=", "taken=nobody", "taken=nobody.1", "taken=a.0", "taken=a.-1", "taken=%00.1", "taken=a.1&" * 51],
)
async def test_what_nobody_can_have_taken_is_refused(publish: Any, query: str) -> None:
    await publish.get(f"/adopted.atom?{query}", 422)
