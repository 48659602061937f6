"""Codes, pictures and posters over HTTP: who may, what comes back, what a wrong request is told."""

import cv2
import numpy as np
import pytest

from services.contracts.code import CodeSet
from tests.builders import FAR_VILLAGE, NEIGHBOUR, TOWNSHIP, VILLAGE, ZONE
from tests.conftest import Served
from tests.qr.conftest import FindCode, pages, read_both, texts


async def test_codes_are_listed_page_by_page(qr: Served) -> None:
    operator = qr.bearer("operator")
    first = (await qr.client.get("/qr/v1/codes?limit=2", headers=operator)).json()
    assert [c["village"] for c in first["items"]] == [VILLAGE, NEIGHBOUR]
    rest = (await qr.client.get(f"/qr/v1/codes?limit=2&cursor={first['next']}", headers=operator)).json()
    assert [c["village"] for c in rest["items"]] == [FAR_VILLAGE]
    assert rest["next"] is None


async def test_a_listed_code_has_all_its_fields(qr: Served, valid_code: FindCode) -> None:
    code = (await valid_code(FAR_VILLAGE)).code
    answer = await qr.client.get(f"/qr/v1/codes?division={FAR_VILLAGE}", headers=qr.bearer("operator"))
    assert answer.json()["items"] == [
        {
            "code": code,
            "village": "210881102200",
            "purpose": "board",
            "kind": "board",
            "place": None,
            "item": None,
            "period": None,
            "subject": None,
            "serial": 1,
            "state": "valid",
            "replaces": None,
            "issued_at": "2026-11-24T02:00:00Z",
            "url": f"http://127.0.0.1:8000/c/{code}",
        },
    ]


@pytest.mark.parametrize(
    ("username", "villages"),
    [
        ("clerk-210881006206", [VILLAGE]),
        ("supervisor-210881006208", [NEIGHBOUR]),
        ("reviewer-210881006", [VILLAGE, NEIGHBOUR]),
        ("reviewer-210881102", [FAR_VILLAGE]),
        ("inspector-210881", [VILLAGE, NEIGHBOUR, FAR_VILLAGE]),
    ],
)
async def test_people_see_the_codes_of_their_part_of_the_tree(qr: Served, username: str, villages: list[str]) -> None:
    answer = await qr.client.get("/qr/v1/codes", headers=qr.bearer(username))
    assert sorted({c["village"] for c in answer.json()["items"]}) == villages


@pytest.mark.parametrize("kind", ["svg", "png"])
async def test_a_picture_of_a_code_leads_to_its_address(qr: Served, valid_code: FindCode, kind: str) -> None:
    code = (await valid_code(FAR_VILLAGE)).code
    answer = await qr.client.get(f"/qr/v1/codes/{code}.{kind}", headers=qr.bearer("reviewer-210881102"))
    assert answer.status_code == 200, answer.text
    if kind == "svg":
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.text.startswith("<svg")
    else:
        picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert read_both(picture) == {f"http://127.0.0.1:8000/c/{code}"}


@pytest.mark.parametrize("kind", ["svg", "png"])
async def test_a_picture_is_for_staff_of_that_village(qr: Served, valid_code: FindCode, kind: str) -> None:
    code = (await valid_code(FAR_VILLAGE)).code
    assert (await qr.client.get(f"/qr/v1/codes/{code}.{kind}")).status_code == 401
    strange = await qr.client.get(f"/qr/v1/codes/{code}.{kind}", headers=qr.bearer("clerk-210881006206"))
    assert (strange.status_code, strange.json()["code"]) == (403, "forbidden")
    unknown = await qr.client.get(f"/qr/v1/codes/00000000.{kind}", headers=qr.bearer("operator"))
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "没有码号为 00000000 的码。")
    malformed = await qr.client.get(f"/qr/v1/codes/%00.{kind}", headers=qr.bearer("operator"))
    assert malformed.status_code == 422


# -- posters ------------------------------------------------------------------------------------------------------


async def test_a_townships_posters_are_a_page_for_each_of_its_villages(qr: Served, valid_code: FindCode) -> None:
    answer = await qr.client.get("/qr/v1/posters?division=210881006&size=a4", headers=qr.bearer("reviewer-210881006"))
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'inline; filename="posters-210881006-a4.pdf"'
    first, second = texts(answer.content)
    assert "西海村委会" in first
    assert "盖州市西海街道" in first
    assert "示例数据" in first
    assert "下店村委会" in second
    codes = [(await valid_code(v)).code for v in (VILLAGE, NEIGHBOUR)]
    assert [read_both(p) for p in pages(answer.content)] == [{f"http://127.0.0.1:8000/c/{c}"} for c in codes]


@pytest.mark.parametrize(("division", "count"), [(VILLAGE, 1), (TOWNSHIP, 2), ("210881", 3)])
async def test_village_township_and_city_have_as_many_pages_as_villages(qr: Served, division: str, count: int) -> None:
    answer = await qr.client.get(f"/qr/v1/posters?division={division}", headers=qr.bearer("operator"))
    assert len(texts(answer.content)) == count


@pytest.mark.parametrize(
    ("username", "division", "status"),
    [
        ("clerk-210881006206", VILLAGE, 200),
        ("clerk-210881006206", NEIGHBOUR, 403),
        ("clerk-210881006206", TOWNSHIP, 403),
        ("supervisor-210881006206", VILLAGE, 403),
        ("reviewer-210881006", VILLAGE, 200),
        ("reviewer-210881006", TOWNSHIP, 200),
        ("reviewer-210881006", FAR_VILLAGE, 403),
        ("reviewer-210881006", "210881", 403),
        ("inspector-210881006", TOWNSHIP, 200),
        ("inspector-210881006", FAR_VILLAGE, 403),
        ("inspector-210881", FAR_VILLAGE, 200),
        ("operator", VILLAGE, 200),
    ],
)
async def test_who_prints_which_posters(qr: Served, username: str, division: str, status: int) -> None:
    answer = await qr.client.get(f"/qr/v1/posters?division={division}", headers=qr.bearer(username))
    assert answer.status_code == status, answer.text[:300]


@pytest.mark.parametrize(
    ("query", "status", "code", "words"),
    [
        ("division=210881999", 404, "not_found", "没有代码为 210881999 的区划。"),
        ("division=abc", 404, "not_found", "没有代码为 abc 的区划。"),
        ("division=%00", 422, "invalid_input", "query.division"),
        (f"division={ZONE}", 422, "zone_has_no_code", "开发区占位条目不是村或社区，没有公开任务，也不发码。"),
        ("division=210881005", 409, "nothing_to_print", "这里还没有可以打印的码。"),
        (f"division={VILLAGE}&size=a5", 422, "invalid_input", "query.size"),
        ("size=a4", 422, "invalid_input", "query.division"),
        (f"division={'2' * 13}", 422, "invalid_input", "query.division"),
    ],
)
async def test_posters_that_cannot_be_are_refused_in_words(
    qr: Served, query: str, status: int, code: str, words: str
) -> None:
    answer = await qr.client.get(f"/qr/v1/posters?{query}", headers=qr.bearer("operator"))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert words in answer.text


@pytest.mark.parametrize("cursor", ["!!!", "eHg=", "MjEwODgxMDA2MjA2LTk5OTk5OTk5OTk5", "AC0x"])
async def test_a_strange_cursor_is_refused(qr: Served, cursor: str) -> None:
    answer = await qr.client.get(f"/qr/v1/codes?cursor={cursor}", headers=qr.bearer("operator"))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"at": "query.cursor", "message": "不是本接口给出的游标，请从头读取"}]


@pytest.mark.parametrize("path", ["/qr/v1/codes", f"/qr/v1/posters?division={VILLAGE}"])
async def test_nobody_gets_in_without_signing_in(qr: Served, path: str) -> None:
    assert (await qr.client.get(path)).status_code == 401


# -- revoking -----------------------------------------------------------------------------------------------------


async def test_a_revoked_code_is_replaced_by_the_next_serial(qr: Served, valid_code: FindCode) -> None:
    old = await valid_code(VILLAGE)
    answer = await qr.client.post(
        f"/qr/v1/codes/{old.code}/revoke", json={"reason": "码被撕掉"}, headers=qr.bearer("reviewer-210881006")
    )
    assert answer.status_code == 200, answer.text
    revoked, issued = answer.json()["revoked"], answer.json()["issued"]
    assert (revoked["code"], revoked["state"], revoked["serial"]) == (old.code, "revoked", 1)
    assert (issued["state"], issued["serial"], issued["purpose"]) == ("valid", 2, "board")
    assert issued["code"] != old.code
    said = [CodeSet.model_validate_json(t) for t in await qr.said("code.set.v1")][-2:]
    assert [(e.code.state, e.code.serial, e.aggregate_version, e.actor_role) for e in said] == [
        ("revoked", 1, 2, "reviewer"),
        ("valid", 2, 1, "reviewer"),
    ]


async def test_only_the_new_code_is_printed(qr: Served, valid_code: FindCode) -> None:
    old = (await valid_code(VILLAGE)).code
    headers = qr.bearer("operator")
    await qr.client.post(f"/qr/v1/codes/{old}/revoke", json={"reason": "换新"}, headers=headers)
    new = await valid_code(VILLAGE)
    poster = await qr.client.get(f"/qr/v1/posters?division={VILLAGE}", headers=headers)
    assert [read_both(p) for p in pages(poster.content)] == [{f"http://127.0.0.1:8000/c/{new.code}"}]
    assert f"第{new.serial}号" in texts(poster.content)[0]
    picture = await qr.client.get(f"/qr/v1/codes/{old}.svg", headers=headers)
    assert (picture.status_code, picture.json()["code"]) == (409, "code_revoked")


async def test_a_revoked_code_is_not_revoked_again(qr: Served, valid_code: FindCode) -> None:
    code = (await valid_code(NEIGHBOUR)).code
    headers = qr.bearer("operator")
    first = await qr.client.post(f"/qr/v1/codes/{code}/revoke", json={"reason": "换新"}, headers=headers)
    again = await qr.client.post(f"/qr/v1/codes/{code}/revoke", json={"reason": "换新"}, headers=headers)
    assert (first.status_code, again.status_code, again.json()["code"]) == (200, 409, "code_revoked")


async def test_the_same_idempotency_key_revokes_once(qr: Served, valid_code: FindCode) -> None:
    code = (await valid_code(NEIGHBOUR)).code
    headers = {**qr.bearer("operator"), "idempotency-key": "revoke-it-once"}
    first = await qr.client.post(f"/qr/v1/codes/{code}/revoke", json={"reason": "换新"}, headers=headers)
    again = await qr.client.post(f"/qr/v1/codes/{code}/revoke", json={"reason": "换新"}, headers=headers)
    assert first.status_code == 200
    assert again.json() == first.json()


@pytest.mark.parametrize(
    ("username", "status"),
    [
        ("clerk-210881006206", 403),
        ("supervisor-210881006206", 403),
        ("inspector-210881", 403),
        ("reviewer-210881006", 403),
        ("reviewer-210881102", 200),
    ],
)
async def test_who_revokes_a_code(qr: Served, valid_code: FindCode, username: str, status: int) -> None:
    code = (await valid_code(FAR_VILLAGE)).code
    answer = await qr.client.post(
        f"/qr/v1/codes/{code}/revoke", json={"reason": "码被盖住"}, headers=qr.bearer(username)
    )
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 201}, {"reason": "a\x00"}, {"reason": 1}, []])
async def test_revoking_needs_a_reason(qr: Served, valid_code: FindCode, body: object) -> None:
    code = (await valid_code(FAR_VILLAGE)).code
    answer = await qr.client.post(f"/qr/v1/codes/{code}/revoke", json=body, headers=qr.bearer("operator"))
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert (await valid_code(FAR_VILLAGE)).code == code


@pytest.mark.parametrize("code", ["00000000", "nothing"])
async def test_an_unknown_code_cannot_be_revoked(qr: Served, code: str) -> None:
    answer = await qr.client.post(f"/qr/v1/codes/{code}/revoke", json={"reason": "换新"}, headers=qr.bearer("operator"))
    assert answer.status_code == 404
