"""The public JSON: shapes, cursors, tags, tombstones, bad input."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from tests import builders

NAMED = {
    "date": "2026-10-21",
    "summary": "付张建国修路工钱",
    "direction": "out",
    "amount_fen": 10_000,
    "account": "cash",
    "payee": "张建国",
    "payee_ref": "k1:SECRETREFERENCE",
    "handler": "王会计",
}


async def test_village_and_its_disclosure_have_the_agreed_shapes(publish: Any) -> None:
    event = await publish.opened()
    village = (await publish.get("/api/v1/villages/210881006206")).json()
    month = village.pop("month")
    lacks = {name: village.pop(name) for name in ("missing", "late_days", "held")}
    page = (await publish.get("/v/210881006206")).text
    assert f"缺{lacks['missing']}项，最久的已晚{lacks['late_days']}天" in page
    assert sum(lacks["held"].values()) == lacks["missing"] > 0
    assert (month["id"], month["period"]) == (event.aggregate_id, "2026-10")
    assert [(c["code"], c["at"], c["ok"]) for c in month["checks"]] == [
        ("ledger.closing", "body.accounts[0]", True),
        ("ledger.closing", "body.accounts[1]", True),
        ("ledger.total", "body.totals.income_fen", True),
        ("ledger.total", "body.totals.expense_fen", True),
    ]
    assert village == {
        "code": "210881006206",
        "name": "西海村委会",
        "kind": "village",
        "township": {"code": "210881006", "name": "西海街道"},
    }
    found = (await publish.get("/api/v1/villages/210881006206/disclosures")).json()
    assert found["next"] is None
    assert found["items"] == [
        {
            "id": event.aggregate_id,
            "village": "210881006206",
            "item": "F01",
            "period": "2026-10",
            "version": 1,
            "state": "published",
            "published_at": "2026-11-24T02:00:00Z",
            "nil": False,
            "history": False,
            "late_days": 8,
            "late_by": {"agency": 0, "clerk": 6, "supervisors": 1, "township": 1, "department": 0},
            "opening_fen": 5_120_000,
            "income_fen": 60_000,
            "expense_fen": 381_500,
            "closing_fen": 4_798_500,
            "amount_fen": None,
            "title": "2026年10月财务收支明细（逐笔）",
            "url": f"http://127.0.0.1:8000/d/{event.aggregate_id}",
        }
    ]


async def test_natural_payees_are_masked_and_references_never_leave(publish: Any) -> None:
    body = builders.ledger()
    event = await publish.opened(village=builders.NEIGHBOUR, body={**body, "lines": [*body["lines"], NAMED]})
    answer = await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")
    lines = answer.json()["body"]["lines"]
    assert [x["payee"] for x in lines] == ["某五金店", None, None, "张某某"]
    assert lines[3]["summary"] == "付张某某修路工钱"
    assert lines[3]["handler"] == "王会计"
    assert "SECRETREFERENCE" not in answer.text
    assert "payee_ref" not in answer.text


async def test_zone_stands_in_divisions_but_is_no_village(publish: Any) -> None:
    codes = {d["code"] for d in (await publish.get("/api/v1/divisions?limit=200")).json()["items"]}
    assert {builders.CITY, builders.TOWNSHIP, builders.VILLAGE, builders.ZONE} <= codes
    villages = (await publish.get("/api/v1/villages?limit=200")).json()["items"]
    assert [v["code"] for v in villages] == ["210881006206", "210881006208", "210881102200"]
    await publish.get(f"/api/v1/villages/{builders.ZONE}", 404)
    await publish.get(f"/v/{builders.ZONE}", 404)


async def test_lists_go_on_behind_their_cursor(publish: Any) -> None:
    first = (await publish.get("/api/v1/villages?limit=2")).json()
    rest = (await publish.get(f"/api/v1/villages?limit=2&cursor={first['next']}")).json()
    assert [v["code"] for v in first["items"]] == ["210881006206", "210881006208"]
    assert [v["code"] for v in rest["items"]] == ["210881102200"]
    assert rest["next"] is None


async def test_disclosures_come_newest_first_and_page_by_page(publish: Any) -> None:
    for hours, period in ((1, "2026-08"), (2, "2026-09"), (2, "2026-10")):
        at = builders.NOW + timedelta(hours=hours)
        await publish.opened(village=builders.FAR_VILLAGE, period=period, at=at)
    address = f"/api/v1/villages/{builders.FAR_VILLAGE}/disclosures"
    seen: list[str] = []
    query = "?limit=1"
    while query:
        page = (await publish.get(address + query)).json()
        seen += [d["period"] for d in page["items"]]
        query = f"?limit=1&cursor={page['next']}" if page["next"] else ""
    assert sorted(seen[:2]) == ["2026-09", "2026-10"]
    assert seen[2:] == ["2026-08"]
    chosen = (await publish.get(f"{address}?affair=finance&item=F01&period=2026-09")).json()["items"]
    assert [d["period"] for d in chosen] == ["2026-09"]
    assert (await publish.get(f"{address}?affair=party")).json()["items"] == []


async def test_changes_come_in_the_order_of_commits_and_can_be_continued(publish: Any) -> None:
    event = await publish.opened()
    await publish.opened(event.aggregate_id, edition=2)
    await publish.withdrawn(event)
    everything = (await publish.get("/api/v1/changes?limit=200")).json()
    mine = [c for c in everything["items"] if c["id"] == event.aggregate_id]
    assert [(c["kind"], c["version"]) for c in mine] == [("published", 1), ("corrected", 2), ("withdrawn", 1)]
    assert everything["next"] is None
    later = (await publish.get(f"/api/v1/changes?cursor={mine[0]['cursor']}")).json()
    assert [c["kind"] for c in later["items"]] == ["corrected", "withdrawn"]


async def test_withdrawn_disclosure_answers_410_with_the_reason(publish: Any) -> None:
    event = await publish.opened()
    await publish.withdrawn(event, "把别的村的账填到这里了")
    answer = await publish.get(f"/api/v1/disclosures/{event.aggregate_id}", 410)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (410, "withdrawn")
    assert problem["reason"] == "把别的村的账填到这里了"


async def test_lists_are_tagged_and_answer_304(publish: Any) -> None:
    first = await publish.get("/api/v1/divisions")
    again = await publish.get("/api/v1/divisions", 304, If_None_Match=first.headers["etag"])
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]


async def test_lists_keep_their_bytes_and_their_tags(publish: Any) -> None:
    """Whoever holds an answer of a release before is told 304, and goes on with the cursors that it gave."""
    event = await publish.opened(village=builders.FAR_VILLAGE)
    first = await publish.get("/api/v1/villages?limit=1")
    township = '{"code":"210881006","name":"西海街道"}'
    item = f'{{"code":"210881006206","name":"西海村委会","kind":"village","township":{township}}}'
    assert first.text == f'{{"items":[{item}],"next":"{first.json()["next"]}"}}'
    of_village = f"/api/v1/villages/{builders.FAR_VILLAGE}"
    for path in ("/api/v1/divisions", "/api/v1/changes?limit=200", f"{of_village}/disclosures", f"{of_village}/duties"):
        answer = await publish.get(path)
        assert answer.content == json.dumps(answer.json(), ensure_ascii=False, separators=(",", ":")).encode()
        assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
        assert answer.headers["content-type"] == "application/json"
        assert (await publish.get(path, 304, If_None_Match=answer.headers["etag"])).content == b""
    changes = (await publish.get("/api/v1/changes?limit=200")).json()["items"]
    position = base64.b64decode(changes[-1]["cursor"])
    assert position.isdigit()
    before = base64.b64encode(b"%d" % (int(position) - 1)).decode()
    [last] = (await publish.get(f"/api/v1/changes?cursor={before}")).json()["items"]
    assert (last["id"], last["cursor"]) == (event.aggregate_id, changes[-1]["cursor"])


async def test_duties_come_by_period_and_item_and_page_by_page(publish: Any) -> None:
    address = f"/api/v1/villages/{builders.FAR_VILLAGE}/duties"
    everything = (await publish.get(f"{address}?limit=200")).json()["items"]
    places = [(d["period"], d["item"]) for d in everything]
    assert places == sorted(places)
    assert len(places) > 6
    seen: list[tuple[str, str]] = []
    query = "?limit=3"
    while query:
        page = (await publish.get(address + query)).json()
        seen += [(d["period"], d["item"]) for d in page["items"]]
        query = f"?limit=3&cursor={page['next']}" if page["next"] else ""
    assert seen == places


async def test_duties_tell_what_is_open_late_missing_and_not_due(publish: Any) -> None:
    event = await publish.opened(village=builders.NEIGHBOUR, at=builders.NOW + timedelta(hours=1))
    october = (await publish.get(f"/api/v1/villages/{builders.NEIGHBOUR}/duties?period=2026-10")).json()
    assert october["items"] == [
        {
            "item": "F01",
            "period": "2026-10",
            "due": "2026-11-16",
            "state": "opened_late",
            "held_by": None,
            "since": "2026-11-24T03:00:00Z",
            "late_days": 8,
            "late_by": {"agency": 0, "clerk": 6, "supervisors": 1, "township": 1, "department": 0},
            "how_due": "2026年10月的，规定的日子是11月15日（周日），顺延到11月16日",
            "history": False,
            "reference": True,
            "disclosure_id": event.aggregate_id,
            "waiver": None,
        },
        {
            "item": "F09",
            "period": "2026-10",
            "due": "2026-11-16",
            "state": "not_opened",
            "held_by": "village",
            "since": "2026-10-31T16:00:00Z",
            "late_days": 8,
            "late_by": {"agency": 0, "clerk": 8, "supervisors": 0, "township": 0, "department": 0},
            "how_due": "2026年10月的，规定的日子是11月15日（周日），顺延到11月16日",
            "history": False,
            "reference": True,
            "disclosure_id": None,
            "waiver": None,
        },
    ]
    november = (await publish.get(f"/api/v1/villages/{builders.NEIGHBOUR}/duties?period=2026-11")).json()
    assert {d["state"] for d in november["items"]} == {"not_due"}
    everything = (await publish.get(f"/api/v1/villages/{builders.NEIGHBOUR}/duties?limit=200")).json()
    assert ("F02", "2026Q3", "not_opened") in {(d["item"], d["period"], d["state"]) for d in everything["items"]}


@pytest.mark.parametrize(
    ("path", "status", "at"),
    [
        ("/api/v1/villages/999999999999", 404, None),
        ("/api/v1/villages/%00", 422, "path.code"),
        ("/api/v1/villages/210881006206/disclosures?period=2026-13", 422, "query.period"),
        ("/api/v1/villages/210881006206/disclosures?item=X99", 422, "query.item"),
        ("/api/v1/villages/210881006206/disclosures?affair=money", 422, "query.affair"),
        ("/api/v1/villages/210881006206/disclosures?limit=201", 422, "query.limit"),
        ("/api/v1/villages/210881006206/disclosures?cursor=eHg=", 422, "query.cursor"),
        ("/api/v1/villages/210881006206/duties?period=yesterday", 422, "query.period"),
        ("/api/v1/changes?cursor=LTE=", 422, "query.cursor"),
        ("/api/v1/changes?cursor=%00", 422, "query.cursor"),
        ("/api/v1/disclosures/nobody", 404, None),
        ("/api/v1/disclosures/%00", 422, "path.disclosure_id"),
        ("/api/v1/disclosures/..%2F..%2Fetc", 404, None),
        ("/api/v1/nothing", 404, None),
    ],
)
async def test_bad_input_is_named_and_never_an_error_of_ours(
    publish: Any, path: str, status: int, at: str | None
) -> None:
    answer = await publish.get(path, status)
    assert answer.headers["content-type"] == "application/problem+json"
    if at is not None:
        assert [e["at"] for e in answer.json()["errors"]] == [at]
