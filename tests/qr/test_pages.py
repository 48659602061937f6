"""What a phone gets after a scan, and what staff see at the poster desk."""

import pytest

from tests.builders import FAR_VILLAGE, NEIGHBOUR, VILLAGE, ZONE
from tests.conftest import Served, ServiceFactory
from tests.qr.conftest import FindCode

PHONE = {"accept": "text/html,application/xhtml+xml"}


async def test_a_scan_is_one_redirect_to_the_villages_page(qr: Served, valid_code: FindCode) -> None:
    code = (await valid_code(VILLAGE)).code
    answer = await qr.client.get(f"/c/{code}", headers=PHONE)
    assert answer.status_code == 302
    assert answer.headers["location"] == f"/v/210881006206#s-{code}"
    assert "set-cookie" not in answer.headers
    head = await qr.client.head(f"/c/{code}")
    assert (head.status_code, head.headers["location"]) == (302, f"/v/210881006206#s-{code}")


async def test_a_code_typed_in_small_letters_leads_to_the_same_page(qr: Served, valid_code: FindCode) -> None:
    code = (await valid_code(VILLAGE)).code
    answer = await qr.client.get(f"/c/{code.lower()}")
    assert answer.headers["location"] == f"/v/210881006206#s-{code}"


async def test_a_revoked_code_says_so_and_leads_on_to_the_village(qr: Served, valid_code: FindCode) -> None:
    code = (await valid_code(NEIGHBOUR)).code
    await qr.client.get(f"/c/{code}")
    await qr.client.post(f"/qr/v1/codes/{code}/revoke", json={"reason": "换新"}, headers=qr.bearer("operator"))
    await qr.runtime.own.codes.refresh()
    answer = await qr.client.get(f"/c/{code}")
    assert answer.status_code == 410
    for words in ("这个码已经作废", "下店村委会 第 1 号码", 'href="/v/210881006208"', "摘下来", "示例数据"):
        assert words in answer.text, words
    for never in ("<form", "<input", "<script", "/sign-in", f"#s-{code}"):
        assert never not in answer.text
    new = (await valid_code(NEIGHBOUR)).code
    assert (await qr.client.get(f"/c/{new}")).headers["location"] == f"/v/210881006208#s-{new}"


@pytest.mark.parametrize("code", ["00000000", "x", "%00", "<script>", "U" * 8, "a" * 5000, "%F0%9F%98%80"])
async def test_a_strange_code_gets_a_warning_and_is_asked_nothing(qr: Served, code: str) -> None:
    answer = await qr.client.get(f"/c/{code}", headers=PHONE)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for words in ("它不是阳光三务发的", "<strong>村名</strong>", "<strong>第几号</strong>", "12388", "示例数据"):
        assert words in answer.text, words
    for never in ("<form", "<input", "<script", "/sign-in"):
        assert never not in answer.text


async def test_a_scan_works_without_the_database_once_the_codes_were_read(
    service: ServiceFactory, valid_code: FindCode
) -> None:
    qr = await service("qr")
    code = (await valid_code(VILLAGE)).code
    for job in qr.service.make_jobs():
        await job.run(qr.runtime)
    await qr.runtime.database.close()
    try:
        answer = await qr.client.get(f"/c/{code}")
        assert answer.headers["location"] == f"/v/210881006206#s-{code}"
        unknown = await qr.client.get("/c/00000000", headers=PHONE)
        assert unknown.status_code in {404, 503}
        assert "<h1>" in unknown.text
    finally:
        await qr.runtime.database.open()


# -- the poster desk ----------------------------------------------------------------------------------------------


async def test_a_reviewer_sees_the_townships_villages_with_code_serial_state_and_posters(
    qr: Served, valid_code: FindCode
) -> None:
    answer = await qr.client.get("/posters", headers={**PHONE, **qr.bearer("reviewer-210881006")})
    assert answer.status_code == 200
    code = await valid_code(VILLAGE)
    for words in ("西海村委会", "下店村委会", code.code, f"第 {code.serial} 号", "有效", "示例数据"):
        assert words in answer.text, words
    assert "/qr/v1/posters?division=210881006206&amp;size=a4" in answer.text
    assert "/qr/v1/posters?division=210881006&amp;size=a4" in answer.text
    assert "高屯村委会" not in answer.text


async def test_an_operator_sees_every_township_with_its_posters(qr: Served) -> None:
    answer = await qr.client.get("/posters", headers={**PHONE, **qr.bearer("operator")})
    for code in ("210881", "210881006", "210881102"):
        assert f"/qr/v1/posters?division={code}&amp;size=a4" in answer.text


async def test_the_list_goes_on_on_the_next_page(qr: Served) -> None:
    first = await qr.client.get("/posters?limit=2", headers={**PHONE, **qr.bearer("operator")})
    assert "高屯村委会" not in first.text
    link = first.text.split('href="/posters?division=210881&amp;')[1].split('"')[0].replace("&amp;", "&")
    second = await qr.client.get(f"/posters?division=210881&{link}", headers={**PHONE, **qr.bearer("operator")})
    assert "高屯村委会" in second.text
    assert "下一页" not in second.text


async def test_a_supervisor_sees_the_code_but_no_posters_and_a_clerk_no_revoking(qr: Served) -> None:
    supervisor = await qr.client.get("/posters", headers={**PHONE, **qr.bearer("supervisor-210881006206")})
    assert "西海村委会" in supervisor.text
    assert "/qr/v1/posters?" not in supervisor.text
    clerk = await qr.client.get("/posters", headers={**PHONE, **qr.bearer("clerk-210881006206")})
    assert "/revoke" not in clerk.text


@pytest.mark.parametrize(
    ("division", "words"),
    [("210881005", "这里还没有登记村或社区，所以没有码。"), (ZONE, "开发区占位条目不是村或社区")],
)
async def test_where_there_are_no_codes_the_page_says_why(qr: Served, division: str, words: str) -> None:
    answer = await qr.client.get(f"/posters?division={division}", headers={**PHONE, **qr.bearer("operator")})
    assert words in answer.text


@pytest.mark.parametrize(("division", "status"), [("210881999", 404), (FAR_VILLAGE, 403), ("2" * 13, 422)])
async def test_a_page_of_a_strange_division_is_refused_as_a_page(qr: Served, division: str, status: int) -> None:
    answer = await qr.client.get(f"/posters?division={division}", headers={**PHONE, **qr.bearer("reviewer-210881006")})
    assert answer.status_code == status


async def test_whoever_is_not_signed_in_is_led_to_a_new_token(qr: Served) -> None:
    answer = await qr.client.get("/posters", headers=PHONE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/registry/renew?next=%2Fposters")


async def test_the_form_revokes_and_comes_back_to_the_list(qr: Served, valid_code: FindCode) -> None:
    code = await valid_code(FAR_VILLAGE)
    answer = await qr.client.post(
        f"/posters/{code.code}/revoke",
        data={"reason": "发现假码"},
        headers={**PHONE, **qr.bearer("reviewer-210881102")},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/posters?division=210881102#v-210881102200")
    assert (await valid_code(FAR_VILLAGE)).serial == code.serial + 1
    page = await qr.client.get("/posters", headers={**PHONE, **qr.bearer("reviewer-210881102")})
    assert "已作废" in page.text
    assert page.text.count("作废并换发下一号") == 1


async def test_the_stylesheets_are_served(qr: Served) -> None:
    assert (await qr.client.get("/posters/static/staff.css")).status_code == 200
    assert (await qr.client.get("/posters/own/scan.css")).status_code == 200


async def test_a_fair_behind_one_address_scans_and_a_robot_is_told_to_wait(qr: Served) -> None:
    robot = {"x-forwarded-for": "203.0.113.7", "accept": "text/html"}
    answers = [await qr.client.get("/c/x", headers=robot) for _ in range(61)]
    assert [a.status_code for a in answers] == [404] * 60 + [429]
    assert (answers[-1].headers["retry-after"], "请等几秒再试" in answers[-1].text) == ("1", True)
    neighbour = await qr.client.get("/c/x", headers={**robot, "x-forwarded-for": "203.0.114.7"})
    assert neighbour.status_code == 404
    qr.clock.advance(seconds=1)
    again = [(await qr.client.get("/c/x", headers=robot)).status_code for _ in range(11)]
    assert again == [404] * 10 + [429]
