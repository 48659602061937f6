"""Codes of places and things: issued on demand, rotated when they hang, revoked with or without a successor."""

import pytest

from services.contracts.code import CodeSet
from tests.builders import FAR_VILLAGE, NEIGHBOUR, TOWNSHIP, VILLAGE, ZONE
from tests.conftest import Served
from tests.qr.conftest import FindCode

PHONE = {"accept": "text/html,application/xhtml+xml"}


async def issue(qr: Served, who: str = "operator", **wanted: object) -> tuple[int, dict[str, object]]:
    answer = await qr.client.post("/qr/v1/codes", json={"village": VILLAGE, **wanted}, headers=qr.bearer(who))
    return answer.status_code, answer.json()


async def said_of(qr: Served, code: object) -> list[CodeSet]:
    return [e for t in await qr.said("code.set.v1") if (e := CodeSet.model_validate_json(t)).code.code == code]


async def test_a_gate_gets_the_next_serial_and_leads_to_the_village(qr: Served) -> None:
    status, code = await issue(qr, kind="gate", place="村口牌坊东侧")
    assert status == 201, code
    assert (code["kind"], code["purpose"], code["place"]) == ("gate", "gate", "村口牌坊东侧")
    (said,) = await said_of(qr, code["code"])
    assert (said.code.serial, said.code.state, said.code.kind) == (code["serial"], "valid", "gate")
    answer = await qr.client.get(f"/c/{code['code']}", headers=PHONE)
    assert answer.headers["location"] == f"/v/{VILLAGE}#s-{code['code']}"


@pytest.mark.parametrize(
    ("wanted", "purpose", "shown", "leads_to"),
    [
        ({"kind": "project", "item": "V08", "subject": "村西桥"}, "card", "村西桥", f"/v/{VILLAGE}/V08"),
        (
            {"kind": "asset", "item": "F01", "subject": "2号机井", "place": "村东"},
            "card",
            "2号机井",
            f"/v/{VILLAGE}/F01",
        ),
        ({"kind": "bulletin", "item": "F01", "period": "2026年9月"}, "board", "月度公开单", f"/v/{VILLAGE}/F01"),
    ],
)
async def test_a_code_of_a_thing_leads_to_its_item_and_readers_of_before_understand_it(
    qr: Served, wanted: dict[str, str], purpose: str, shown: str, leads_to: str
) -> None:
    status, code = await issue(qr, **wanted)
    assert status == 201, code
    (said,) = await said_of(qr, code["code"])
    # A reader of before knows three purposes and shows the place.
    assert (said.code.purpose, said.code.place) == (purpose, shown)
    assert (await qr.client.get(f"/c/{code['code']}", headers=PHONE)).headers["location"] == leads_to


@pytest.mark.parametrize(
    ("wanted", "at", "words"),
    [
        ({"kind": "gate"}, "place", "“村口”的码要写明挂在哪里"),
        ({"kind": "board"}, "place", "“公开栏”的码要写明挂在哪里"),
        ({"kind": "hall", "place": "大厅，电话13904170001"}, "place", "像是有电话号码"),
        ({"kind": "asset", "item": "F01"}, "subject", "“资产标签”的码要写明名称"),
        ({"kind": "asset", "subject": "机井"}, "item", "要写明公开事项的编号"),
        ({"kind": "asset", "subject": "机井", "item": "Z99"}, "item", "没有编号为 Z99 的事项"),
        ({"kind": "project", "subject": "桥", "item": "F01"}, "item", "不是“工程项目”一类的"),
        ({"kind": "gate", "place": "村口", "item": "F01"}, "item", "打开村的首页"),
        ({"kind": "gate", "place": "村口", "subject": "x"}, "subject", "没有名称"),
        ({"kind": "gate", "place": "村口", "period": "2026-10"}, "period", "只有月度公开单"),
        ({"kind": "bulletin", "item": "F01"}, "period", "哪个月"),
        ({"kind": "bulletin", "item": "F01", "period": "2026Q3"}, "period", "哪个月"),
        ({"kind": "bulletin", "item": "F01", "period": "2026-13"}, "period", "哪个月"),
        ({"kind": "tree", "place": "村口"}, "kind", ""),
        ({"kind": "gate", "place": "门" * 201}, "place", "200"),
        ({"kind": "gate", "place": "村口\u202e"}, "place", "看不见的控制字符"),
        ({"kind": "gate", "place": "村口", "serial": 7}, "serial", ""),
    ],
)
async def test_what_cannot_be_is_refused_with_its_field(
    qr: Served, wanted: dict[str, str], at: str, words: str
) -> None:
    before = await qr.said("code.set.v1")
    status, problem = await issue(qr, **wanted)
    faults = problem["errors"]
    assert isinstance(faults, list)
    assert (status, [f["at"] for f in faults]) == (422, [at])
    assert words in faults[0]["message"]
    assert await qr.said("code.set.v1") == before


async def test_the_same_place_gets_no_second_code(qr: Served) -> None:
    _, first = await issue(qr, kind="hall", place="党群服务中心一楼")
    status, problem = await issue(qr, kind="hall", place="党群服务中心一楼")
    assert (status, problem["code"]) == (409, "code_hangs_already")
    assert f"第 {first['serial']} 号" in str(problem["detail"])


@pytest.mark.parametrize(
    ("who", "village", "status"),
    [
        ("reviewer-210881006", NEIGHBOUR, 201),
        ("reviewer-210881006", FAR_VILLAGE, 403),
        ("clerk-210881006206", VILLAGE, 403),
        ("inspector-210881", VILLAGE, 403),
        ("operator", ZONE, 422),
        ("operator", TOWNSHIP, 422),
        ("operator", "999999999999", 422),
    ],
)
async def test_who_issues_for_whom(qr: Served, who: str, village: str, status: int) -> None:
    answer = await qr.client.post(
        "/qr/v1/codes", json={"village": village, "kind": "gate", "place": f"{who}东侧"}, headers=qr.bearer(who)
    )
    assert answer.status_code == status, answer.text


async def test_a_village_has_so_many_codes_and_no_more(qr: Served) -> None:
    async with qr.runtime.database.transaction() as conn:
        await conn.execute(
            "INSERT INTO code (code, village, purpose, kind, place, serial, issued_at)"
            " SELECT 'M' || n, $1, 'gate', 'gate', 'x' || n, 1000 + n, now() FROM generate_series(1, 299) AS n",
            FAR_VILLAGE,
        )
    answer = await qr.client.post(
        "/qr/v1/codes", json={"village": FAR_VILLAGE, "kind": "gate", "place": "再一个"}, headers=qr.bearer("operator")
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_codes")
    assert "高屯村委会有效的码已有 300 个" in answer.json()["detail"]
    async with qr.runtime.database.transaction() as conn:
        await conn.execute("DELETE FROM code WHERE code LIKE 'M%' AND length(code) < 8")


async def test_a_rotated_code_counts_until_the_new_one_hangs(qr: Served) -> None:
    _, old = await issue(qr, kind="gate", place="北门")
    answer = await qr.client.post(f"/qr/v1/codes/{old['code']}/rotate", headers=qr.bearer("operator"))
    assert answer.status_code == 200, answer.text
    new = answer.json()["issued"]
    assert (answer.json()["current"]["state"], new["replaces"], new["place"]) == ("valid", old["code"], "北门")
    assert (await qr.client.get(f"/c/{old['code']}")).status_code == 302
    again = await qr.client.post(f"/qr/v1/codes/{old['code']}/rotate", headers=qr.bearer("operator"))
    assert (again.status_code, again.json()["code"]) == (409, "code_hangs_already")
    hung = await qr.client.post("/qr/v1/hangings", data={"code": new["code"]}, headers=qr.bearer("clerk-210881006206"))
    assert hung.status_code == 201, hung.text
    assert [e.code.state for e in await said_of(qr, old["code"])] == ["valid", "revoked"]
    await qr.runtime.own.codes.refresh()
    scanned = await qr.client.get(f"/c/{old['code']}", headers=PHONE)
    assert scanned.status_code == 410
    assert (await qr.client.get(f"/c/{new['code']}")).status_code == 302


async def test_a_code_may_end_with_nothing_in_its_place(qr: Served) -> None:
    _, code = await issue(qr, kind="bulletin", item="F01", period="2026-08")
    answer = await qr.client.post(
        f"/qr/v1/codes/{code['code']}/revoke",
        json={"reason": "这个月已换下", "replace": False},
        headers=qr.bearer("operator"),
    )
    assert (answer.json()["revoked"]["state"], answer.json()["issued"]) == ("revoked", None)


async def test_revoking_a_code_whose_successor_waits_issues_no_third(qr: Served) -> None:
    _, old = await issue(qr, kind="gate", place="南门")
    new = (await qr.client.post(f"/qr/v1/codes/{old['code']}/rotate", headers=qr.bearer("operator"))).json()["issued"]
    answer = await qr.client.post(
        f"/qr/v1/codes/{old['code']}/revoke", json={"reason": "丢了"}, headers=qr.bearer("operator")
    )
    assert answer.json()["issued"]["code"] == new["code"]


async def test_a_code_of_before_is_what_its_purpose_says(qr: Served, valid_code: FindCode) -> None:
    code = (await valid_code(NEIGHBOUR)).code
    async with qr.runtime.database.transaction() as conn:
        await conn.execute("UPDATE code SET kind = NULL WHERE code = $1", code)
    answer = await qr.client.get(f"/qr/v1/codes?division={NEIGHBOUR}", headers=qr.bearer("operator"))
    assert next(c["kind"] for c in answer.json()["items"] if c["code"] == code) == "board"
    pdf = await qr.client.get(f"/qr/v1/posters?division={NEIGHBOUR}&code={code}", headers=qr.bearer("operator"))
    assert pdf.status_code == 200


async def test_the_form_issues_a_code_and_shows_what_is_wrong_with_all_that_was_typed(qr: Served) -> None:
    operator = {**PHONE, **qr.bearer("operator")}
    form = await qr.client.get("/posters/new", headers=operator)
    assert "西海村委会" in form.text
    typed = {"village": VILLAGE, "kind": "asset", "place": "村东", "subject": "3号机井", "item": "", "period": ""}
    wrong = await qr.client.post("/posters/new", data=typed, headers=operator)
    assert wrong.status_code == 422
    assert "要写明公开事项的编号" in wrong.text
    assert 'value="3号机井"' in wrong.text
    right = await qr.client.post("/posters/new", data={**typed, "item": "F01"}, headers=operator)
    assert right.status_code == 303, right.text
    page = await qr.client.get(right.headers["location"], headers=operator)
    assert "3号机井" in page.text
    assert "还没有人扫" in page.text


async def test_the_list_rotates_and_revokes_without_a_successor(qr: Served) -> None:
    _, code = await issue(qr, kind="gate", place="西门")
    operator = {**PHONE, **qr.bearer("operator")}
    rotated = await qr.client.post(f"/posters/{code['code']}/rotate", headers=operator)
    assert (rotated.status_code, rotated.headers["location"]) == (303, f"/posters?division={TOWNSHIP}#v-{VILLAGE}")
    page = await qr.client.get("/posters", headers=operator)
    assert "等挂出" in page.text
    assert "村口 · 西门" in page.text
    serials = await said_of(qr, code["code"])
    ended = await qr.client.post(
        f"/posters/{code['code']}/revoke", data={"reason": "拆了", "only": "1"}, headers=operator
    )
    assert ended.status_code == 303
    assert len(await said_of(qr, code["code"])) == len(serials) + 1
