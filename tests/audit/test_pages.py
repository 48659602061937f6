"""The console as inspectors see it."""

import pytest

from services.kit.cookies import TOKEN
from tests import builders
from tests.audit.events import Disclosure, at, give_keys, ledger
from tests.builders import CITY, FAR_VILLAGE, VILLAGE
from tests.conftest import Served


async def page(audit: Served, path: str, username: str = "inspector-210881") -> tuple[int, str]:
    token = audit.bearer(username)["authorization"].removeprefix("Bearer ")
    answer = await audit.client.get(path, headers={"accept": "text/html", "cookie": f"{TOKEN.plain}={token}"})
    return answer.status_code, answer.text


async def wrong_ledger(audit: Served, village: str = VILLAGE) -> None:
    d = Disclosure(village)
    await give_keys(audit, d)
    await audit.hear(d.approved(ledger(closing=98_501), at("2026-11-10 02:00")))


async def alert_path(audit: Served) -> str:
    answer = await audit.client.get("/audit/v1/alerts", headers=audit.bearer("inspector-210881"))
    return f"/inspect/alerts/{answer.json()['items'][0]['id']}"


async def test_the_console_lists_alerts_with_names_and_says_sample(audit: Served) -> None:
    await wrong_ledger(audit)
    status, text = await page(audit, "/inspect")
    assert status == 200
    for words in (
        "示例数据",
        "监督工作台：盖州市",
        "西海村委会",
        "西海街道",
        "收支余不平",
        "库存现金",
        "相差 0.01 元",
        "重点 1",
    ):
        assert words in text


async def test_a_console_without_alerts_says_so(audit: Served) -> None:
    status, text = await page(audit, "/inspect?state=open&rule=A01&level=&division=")
    assert status == 200
    assert "没有符合条件的预警" in text


async def test_the_form_keeps_what_was_chosen(audit: Served) -> None:
    _, text = await page(audit, "/inspect?rule=A02&state=all&level=2&division=210881006")
    for chosen in ('"A02" selected', '"all" selected', '"2" selected', '"210881006" selected'):
        assert f"<option value={chosen}" in text


async def test_one_alert_shows_arithmetic_facts_links_and_history(audit: Served) -> None:
    await wrong_ledger(audit)
    status, text = await page(audit, await alert_path(audit))
    assert status == 200
    for words in ("期初 1,200.00 + 收入 600.00 − 支出 815.00", "985.01 元", "内部划转只记了一边", "第 1 次", "SHA-256"):
        assert words in text
    assert f'href="/d/{Disclosure(VILLAGE).id}"' in text


async def test_an_overdue_cell_is_explained_by_deadline_and_holder(audit: Served) -> None:
    from services.audit.jobs import Watch  # noqa: PLC0415 - read beside its use

    await Watch().run(audit.runtime)
    status, text = await page(audit, await alert_path(audit))
    assert status == 200
    for words in ("逾期未公开", "村（社区）", "最迟公开日", "到期检查", "公开目录与历法"):
        assert words in text


async def test_rules_are_explained(audit: Served) -> None:
    status, text = await page(audit, "/inspect/rules")
    assert status == 200
    assert text.count("<section>") == 27
    _, text = await page(audit, "/inspect/rules", "operator")
    assert text.count("<section>") == 24
    assert "期初余额不等于上期期末" in text


async def test_the_list_goes_on_to_the_next_page_and_back(audit: Served) -> None:
    await wrong_ledger(audit)
    await wrong_ledger(audit, FAR_VILLAGE)
    _, text = await page(audit, "/inspect?limit=1&state=all")
    link = text.split('href="/inspect?limit')[1].split('"')[0].replace("&amp;", "&")
    assert "state=all" in link
    _, second = await page(audit, "/inspect?limit" + link)
    assert "回到最前" in second
    assert second.count("/inspect/alerts/") == 1
    assert "下一页" not in second


@pytest.mark.parametrize("path", ["/inspect", "/inspect/rules"])
async def test_the_console_is_closed_to_others(audit: Served, path: str) -> None:
    for username in ("clerk-210881006206", "reviewer-210881006"):
        status, text = await page(audit, path, username)
        assert status == 403
        assert "没有成功" in text
    answer = await audit.client.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/registry/renew?next=")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("rule=Z99", 422),
        ("state=x", 422),
        ("level=9", 422),
        ("cursor=x", 422),
        ("division=1", 422),
        ("division=999999", 404),
    ],
)
async def test_a_strange_address_gets_a_page_that_says_so(audit: Served, query: str, status: int) -> None:
    told, _ = await page(audit, f"/inspect?{query}")
    assert told == status


async def test_a_townships_inspector_cannot_open_an_alert_elsewhere(audit: Served) -> None:
    await wrong_ledger(audit, FAR_VILLAGE)
    assert (await page(audit, await alert_path(audit), "inspector-210881006"))[0] == 403
    assert (await page(audit, f"/inspect?division={CITY}", "inspector-210881006"))[0] == 403


async def test_inspectors_see_every_signed_sheet_of_their_part_with_who_brought_it(audit: Served) -> None:
    mine, far, plain = Disclosure(VILLAGE), Disclosure(FAR_VILLAGE), Disclosure(VILLAGE, "2026-09")
    for d, bearer in ((mine, builders.staff_id("reviewer-210881006")), (far, "somebody-who-left"), (plain, None)):
        await audit.hear(d.submitted(at("2026-11-09 02:00")), d.confirmed(at("2026-11-10 02:00"), brought_by=bearer))
    status, text = await page(audit, "/inspect/sheets")
    assert status == 200
    for words in ("西海村委会", "高屯村委会", "reviewer-210881006", "另一位同事", "财务收支明细"):
        assert words in text
    assert f'href="/desk/disclosures/{mine.id}"' in text
    assert plain.id not in text
    _, township = await page(audit, "/inspect/sheets", "inspector-210881006")
    assert (mine.id in township, far.id in township) == (True, False)
    headers = audit.bearer("inspector-210881")
    told = (await audit.client.get("/audit/v1/sheets?limit=1", headers=headers)).json()
    assert [s["disclosure"] for s in told["items"]] == [far.id]
    rest = (await audit.client.get(f"/audit/v1/sheets?cursor={told['next']}", headers=headers)).json()
    assert ([s["disclosure"] for s in rest["items"]], rest["next"]) == ([mine.id], None)
    assert (await audit.client.get("/audit/v1/sheets?cursor=eA==", headers=headers)).status_code == 422
