"""The public JSON: shapes, cursors, tags, tombstones, bad input."""

from typing import Any

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
