"""Who may keep an answer, and for how long; what search engines may keep; which bodies are made anew after an upgrade."""

import shutil
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.contracts.base import AcceptedFinding
from services.contracts.code import Code, CodeSet
from services.contracts.disclosure import WaiverGranted
from services.publish.bodies.release import fingerprint
from tests import builders
from tests.builders import NEIGHBOUR
from tests.publish import bodies
from tests.publish.test_unopened import heard_of

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


async def test_who_is_named_in_what_was_said_makes_it_a_page_of_persons(publish: Any) -> None:
    first = await publish.opened(item="F03", period="2024", body=budget("修路"))
    later = builders.NOW + timedelta(hours=1)
    await publish.opened(
        first.aggregate_id,
        item="F03",
        period="2024",
        body=budget("修桥"),
        edition=2,
        at=later,
        note="村民张建国指出写错了",
    )
    for answer in await both(publish, first):
        assert "村民张某某指出写错了" in answer.text
        assert policy(answer) == (PRIVATE, False)


async def test_who_is_named_in_a_months_reason_makes_the_villages_answers_private(publish: Any) -> None:
    village = "210881006206"
    body = {**small_ledger("盖州市某五金店"), "totals": {"income_fen": 1, "expense_fen": 1}}
    reason = AcceptedFinding(code="ledger.total", at="body.totals.income_fen", reason="会计张建国抄错了")
    event = await publish.opened(body=body, village=village, accepted=(reason,))
    await publish.rendered()
    for path in (f"/v/{village}", f"/api/v1/villages/{village}"):
        assert policy(await publish.get(path)) == (PRIVATE, False), path
    await publish.withdrawn(event)


async def test_who_is_named_in_a_waiver_makes_lists_private(publish: Any) -> None:
    await heard_of(publish, WaiverGranted, str(uuid.uuid4()), 2)
    for path in (f"/v/{NEIGHBOUR}", f"/v/{NEIGHBOUR}/F02", f"/api/v1/villages/{NEIGHBOUR}/duties?limit=200"):
        answer = await publish.get(path)
        assert "李某某" in answer.text
        assert policy(answer) == (PRIVATE, False), path
    assert policy(await publish.get(f"/v/{NEIGHBOUR}/P05")) == (PUBLIC, True)


async def test_whose_house_a_code_hangs_at_stands_by_surname(publish: Any) -> None:
    where = {"code": "k7f3q9zx2m", "village": builders.VILLAGE, "place": "周桂芳家门口"}
    code = Code(**where, purpose="gate", serial=77, state="valid", issued_at=builders.NOW)
    await publish.served.hear(CodeSet(**builders.stamp(code.code, 1), code=code))
    await publish.rendered()
    page = (await publish.get(f"/v/{builders.VILLAGE}")).text
    assert "周桂芳" not in page
    assert "周某某家门口" in page


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
