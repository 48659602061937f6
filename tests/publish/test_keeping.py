"""Who may keep an answer, and for how long; what search engines may keep; which bodies are made anew after an upgrade."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from services.publish.bodies.release import fingerprint
from tests import builders
from tests.publish import bodies

PUBLIC = "public, max-age=5, stale-while-revalidate=60, stale-if-error=86400"
PRIVATE = "private, max-age=5"
SERVICES = Path(__file__).parents[2] / "services"


def policy(answer: Any) -> tuple[str, bool]:
    """Who may keep it, and whether search engines may."""
    return answer.headers["cache-control"], "x-robots-tag" not in answer.headers


def budget(who: str) -> dict[str, Any]:
    """A table of an item whose catalogue masks nothing."""
    columns = [{"key": "what", "name": "项目"}, {"key": "money", "name": "金额", "type": "amount"}]
    return bodies.table(title="2025年决算", columns=columns, rows=[[who, 100_000]])


def small_ledger(payee: str) -> dict[str, Any]:
    body = builders.ledger()
    return {**body, "lines": [{**line, "payee": payee} for line in body["lines"]]}


async def both(publish: Any, event: Any) -> list[Any]:
    await publish.rendered()
    return [await publish.get(f"{p}{event.aggregate_id}") for p in ("/d/", "/api/v1/disclosures/")]


@pytest.mark.parametrize(("item", "period"), [("V09", "2026Q3"), ("V03", "2026Q3"), ("V15", "2026-10-09")])
async def test_rosters_are_kept_by_no_shared_cache_and_no_search_engine(publish: Any, item: str, period: str) -> None:
    event = await publish.opened(item=item, period=period, body=bodies.roster())
    for answer in await both(publish, event):
        assert policy(answer) == (PRIVATE, False)
        assert "stale" not in answer.headers["cache-control"]
    earlier = await publish.get(f"/d/{event.aggregate_id}/1")
    assert policy(earlier) == (PRIVATE, False)
    assert '<meta name="robots" content="noindex">' in earlier.text


async def test_what_an_institution_says_of_itself_stays_and_is_found(publish: Any) -> None:
    event = await publish.opened(item="F03", period="2025", body=budget("修路"))
    page, data = await both(publish, event)
    assert policy(page) == policy(data) == (PUBLIC, True)
    assert "robots" not in page.text


async def test_one_person_in_it_is_enough(publish: Any) -> None:
    event = await publish.opened(item="F03", period="2025", body=budget("付张建国护林员工资"))
    page, data = await both(publish, event)
    assert policy(page) == policy(data) == (PRIVATE, False)
    assert '<meta name="robots" content="noindex">' in page.text


async def test_not_modified_says_the_same(publish: Any) -> None:
    event = await publish.opened(item="V03", period="2026Q3", body=bodies.roster())
    page = (await both(publish, event))[0]
    again = await publish.get(f"/d/{event.aggregate_id}", 304, If_None_Match=page.headers["etag"])
    assert policy(again) == (PRIVATE, False)


@pytest.mark.parametrize(("payee", "expected"), [("张建国", (PRIVATE, False)), ("盖州市某五金店", (PUBLIC, True))])
async def test_a_villages_page_is_of_persons_when_its_biggest_lines_name_one(
    publish: Any, payee: str, expected: tuple[str, bool]
) -> None:
    village = "210881006206"
    event = await publish.opened(body=small_ledger(payee), village=village)
    await publish.rendered()
    assert policy(await publish.get(f"/v/{village}")) == expected
    # Lists name nobody, whatever stands behind them.
    for path in ("/", "/t/210881006", f"/api/v1/villages/{village}", f"/api/v1/villages/{village}/disclosures"):
        assert policy(await publish.get(path)) == (PUBLIC, True), path
    assert policy(await publish.get(f"/d/{event.aggregate_id}")) == (PRIVATE, False)
    await publish.withdrawn(event)


async def test_a_tombstone_is_kept_by_nobody(publish: Any) -> None:
    event = await publish.opened(item="V03", period="2026Q3", body=bodies.roster())
    await publish.withdrawn(event)
    for rendered in (False, True):
        for path in (f"/d/{event.aggregate_id}", f"/api/v1/disclosures/{event.aggregate_id}"):
            assert policy(await publish.get(path, 410)) == ("no-store", False), (path, rendered)
        await publish.rendered()


@pytest.mark.parametrize(
    "changed",
    [
        "contracts/duties.py",
        "contracts/names/words.txt",
        "kit/pages.py",
        "publish/render/village.py",
        "publish/templates/base.html",
        "publish/static/page.css",
    ],
)
def test_bodies_are_made_anew_when_anything_that_makes_them_changes(tmp_path: Path, changed: str) -> None:
    for room in ("contracts", "kit", "publish"):
        shutil.copytree(SERVICES / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "examples"))
    before = fingerprint("http://one", tmp_path)
    assert fingerprint("http://one", tmp_path) == before
    assert fingerprint("http://other", tmp_path) != before
    file = tmp_path / changed
    file.write_text(file.read_text() + "\n")
    assert fingerprint("http://one", tmp_path) != before
