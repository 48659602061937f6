"""Seven kinds as villagers read them: names masked the same on the page and in JSON, sums, what a correction changed."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.contracts.bodies import BODY
from services.contracts.disclosure import DisclosureCorrected, DisclosureFiled, Opinion
from services.publish.hot.answers import CACHE_CONTROL, OF_PERSONS
from services.publish.render.changes import what_changed
from tests import builders
from tests.publish import bodies

#: Item, period, body, words that stand on the page, words that stand neither there nor in the JSON.
KINDS = (
    ("V03", "2026Q3", bodies.roster(), ("张某某①", "张某某②", "李某某", "6人", "1,950.00元"),
     ("张建国", "张桂兰", "李秀英", "患病", "k1:secret", "payee_ref")),
    ("V18", "2026-10-05", bodies.notice(), ("关于机井维修的公开", "花费3,200元", "2026年10月5日到2026年10月15日"), ()),
    ("V01", "2026-10-08", bodies.decision(), ("村民代表会议", "同意24人，不同意1人", "应到30人，实到26人", "村党支部提议"), ()),
    ("V10", "2026-10-09", bodies.contract(), ("王某某承包东山果园合同", "由王某某经营", "12.5亩", "2031年10月31日", "王某某签的合同"),
     ("王大山",)),
    ("V08", "2026-10-20", bodies.project(), ("盖州市某路桥有限公司", "询价", "中标", "90,000.00元"), ()),
    ("F10", "2026Q3", bodies.table(), ("赵某某", "鱼塘，赵某某自养", "1,200.00元", "4,200.00元"), ("赵铁柱", "孙二娘")),
    ("V17", "2026Q3", bodies.table(), ("4,200.00元", "这一项按规定只公布合计"), ("赵铁柱", "赵某某", "鱼塘", "孙")),
    ("V15", "2026-10-09", bodies.roster(), ("3户（人）", "这一项按规定只公布合计"), ("张建国", "张某某", "李秀英", "一组")),
)  # fmt: skip


def plain(text: str) -> str:
    return re.sub(r"<[^>]+>|\s+", "", text)


@pytest.mark.parametrize(
    ("item", "period", "body", "shown", "hidden"), KINDS, ids=[f"{k[0]}-{k[2]['kind']}" for k in KINDS]
)
async def test_kind_is_told_in_plain_words_and_hides_names_alike_everywhere(
    publish: Any, item: str, period: str, body: dict[str, Any], shown: tuple[str, ...], hidden: tuple[str, ...]
) -> None:
    event = await publish.opened(item=item, period=period, body=body)
    await publish.rendered()
    page = (await publish.get(f"/d/{event.aggregate_id}")).text
    answer = await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")
    assert answer.json()["body"]["kind"] == body["kind"]
    for words in shown:
        assert words in plain(page), words
    for words in hidden:
        assert words not in page, words
        assert words not in answer.text, words
    # The catalogue masks what these items say, or they are lists of people.
    told = await publish.get(f"/d/{event.aggregate_id}")
    of_persons = item not in {"V01", "V08"}
    assert ("noindex" in page) is of_persons
    for of in (told, answer):
        assert ("x-robots-tag" in of.headers) is of_persons
        assert of.headers["cache-control"] == (OF_PERSONS if of_persons else CACHE_CONTROL)


async def test_no_single_row_of_a_person_is_told_by_a_check_of_totals_alone(publish: Any) -> None:
    columns = [{"key": "who", "name": "姓名", "type": "name"}]
    columns += [
        {"key": k, "name": n, "type": "amount"} for k, n in (("due", "应领"), ("got", "已领"), ("left", "未领"))
    ]
    checks = [{"plus": ["due"], "minus": ["got"], "equals": "left"}]
    body = bodies.table(columns=columns, rows=[["赵铁柱", 120_000, 20_000, 77_700]], checks=checks)
    event = await publish.opened(item="V17", period="2026Q3", body=body)
    await publish.rendered()
    page = (await publish.get(f"/d/{event.aggregate_id}")).text
    answer = await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")
    assert answer.json()["checks"] == []
    assert "1,000.00" not in page
    # The sum stays: it is what is public.
    assert "777.00元" in page


async def test_names_in_a_remark_about_somebody_else_are_masked_as_well(publish: Any) -> None:
    entries = [{"name": "张建国", "remark": "由李秀英代领"}, {"name": "李秀英", "remark": "替张建国签字"}]
    event = await publish.opened(item="V04", period="2026-10-09", body=bodies.roster(entries=entries, totals=None))
    for path in (f"/d/{event.aggregate_id}", f"/api/v1/disclosures/{event.aggregate_id}"):
        text = (await publish.get(path)).text
        assert "由李某某代领" in text
        assert "替张某某签字" in text
        assert "张建国" not in text


async def test_names_of_a_roster_leave_the_web_after_the_months_of_the_catalogue(publish: Any) -> None:
    old = await publish.opened(item="V03", period="2025Q2", body=bodies.roster(attachments=[FILE]))
    page = (await publish.get(f"/d/{old.aggregate_id}")).text
    assert "名单公开期已满，只留合计" in page
    assert "1,950.00元" in page
    answer = await publish.get(f"/api/v1/disclosures/{old.aggregate_id}")
    assert answer.json()["body"]["entries"] == []
    assert answer.json()["body"]["totals"] == {"entries": 3, "people": 6, "amount_fen": 195_000, "quantity": None}
    for words in ("张", "李某某", "一组", FILE["title"]):
        assert words not in answer.text
    await publish.get(f"/objects/{FILE['digest']}", 404)
    young = await publish.opened(item="V03", period="2026Q3", body=bodies.roster())
    assert "张某某①" in (await publish.get(f"/d/{young.aggregate_id}")).text


FILE = {"digest": "cd" * 32, "title": "名单照片"}


async def test_correction_tells_place_and_amounts_and_the_edition_before_stays_readable(publish: Any) -> None:
    first = await publish.opened(village=builders.NEIGHBOUR)
    body = builders.ledger()
    more = {**body["lines"][1], "summary": "买垃圾桶", "amount_fen": 5_000}
    lines = [{**body["lines"][0], "amount_fen": 31_500}, *body["lines"][1:], more]
    at = builders.NOW + timedelta(hours=1)
    await publish.opened(
        first.aggregate_id,
        village=builders.NEIGHBOUR,
        edition=2,
        at=at,
        body={**body, "lines": lines},
        note="水管钱写错了",
    )
    await publish.rendered()
    page = plain((await publish.get(f"/d/{first.aggregate_id}")).text)
    assert "更正说明水管钱写错了" in page
    assert "第1笔“修村部水管”：金额由215.00元改为315.00元。" in page
    assert "新增第4笔“买垃圾桶”50.00元。" in page
    before = plain((await publish.get(f"/d/{first.aggregate_id}/1")).text)
    assert "这是第1版，后来更正过" in before
    assert "和上一版比" not in before
    await publish.get(f"/d/{first.aggregate_id}/3", 404)
    await publish.get(f"/d/{first.aggregate_id}/0", 404)


async def test_what_a_correction_of_a_roster_changed_names_nobody(publish: Any) -> None:
    first = await publish.opened(item="V03", period="2026Q2", body=bodies.roster())
    entries = [*bodies.roster()["entries"][1:], {"name": "钱多多", "amount_fen": 30_000}]
    await publish.opened(
        first.aggregate_id, item="V03", period="2026Q2", edition=2, body=bodies.roster(entries=entries)
    )
    page = (await publish.get(f"/d/{first.aggregate_id}")).text
    assert "删去原来的第1户（人）“张某某”900.00元。" in page
    assert "新增第3户（人）“钱某某”300.00元。" in page
    assert not [n for n in ("张建国", "张桂兰", "钱多多", "患病") if n in page]


async def test_beginning_a_correction_leaves_the_old_edition_public(publish: Any) -> None:
    event = await publish.opened()
    began = DisclosureCorrected(
        **{**builders.stamp(event.aggregate_id, 4), "village_code": builders.VILLAGE},
        item="F01", period="2026-10", edition=2,
    )  # fmt: skip
    await publish.served.hear(began, began)
    assert (await publish.get(f"/api/v1/disclosures/{event.aggregate_id}")).json()["version"] == 1


async def test_page_tells_who_confirmed_and_who_did_not_agree(publish: Any) -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    opinions = (
        Opinion(party="supervisors", opinion="agree", names=("刘监督", "陈监督"), sheet="0" * 64, at=at),
        Opinion(party="supervisors", opinion="dissent", names=("吴监督",), reason="第1笔没有发票", at=at),
    )
    event = await publish.opened(opinions=opinions, release="file")
    page = plain((await publish.get(f"/d/{event.aggregate_id}")).text)
    assert "村务监督委员会刘监督、陈监督2026年11月23日：核对无误（签字核对单）" in page
    assert "吴监督2026年11月23日：有不同意见第1笔没有发票" in page
    assert "村里先公开，镇街还没有备案" in page
    filed = DisclosureFiled(
        **{**builders.stamp(event.aggregate_id, 5), "village_code": builders.VILLAGE},
        item="F01", period="2026-10", edition=1,
    )  # fmt: skip
    await publish.served.hear(filed, filed)
    await publish.rendered()
    assert "镇街已于2026年11月24日备案" in plain((await publish.get(f"/d/{event.aggregate_id}")).text)


async def test_file_is_served_only_while_something_public_names_it(publish: Any) -> None:
    pdf = b"%PDF-1.4 made for a test %%EOF"
    digest = await publish.served.runtime.own.objects.put(pdf)
    await publish.get(f"/objects/{digest}", 404)
    body = bodies.contract(attachments=[{"digest": digest, "title": "合同"}])
    event = await publish.opened(item="V10", period="2026-10-10", body=body)
    other = await publish.opened(item="V10", period="2026-10-11", body=body)
    answer = await publish.get(f"/objects/{digest}")
    assert answer.content == pdf
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    await publish.withdrawn(event)
    await publish.get(f"/objects/{digest}")
    await publish.withdrawn(other)
    await publish.get(f"/objects/{digest}", 404)


async def test_the_picture_of_a_single_voucher_is_served_to_nobody(publish: Any) -> None:
    objects = publish.served.runtime.own.objects
    shown, voucher = await objects.put(b"%PDF-1.4 shown %%EOF"), await objects.put(b"%PDF-1.4 a voucher %%EOF")
    body = builders.ledger(attachments=[{"digest": shown, "title": "对账单"}])
    body["lines"][0] |= {"attachments": [voucher]}
    event = await publish.opened(body=body)
    await publish.get(f"/objects/{shown}")
    await publish.get(f"/objects/{voucher}", 404)
    await publish.rendered()
    for path in (f"/d/{event.aggregate_id}", f"/api/v1/disclosures/{event.aggregate_id}"):
        assert voucher not in (await publish.get(path)).text


async def test_two_editions_of_a_table_and_a_project_are_compared_by_their_own_words() -> None:
    first, second = (
        BODY.validate_python(bodies.table(rows=[["赵某某", what, due]])) for what, due in (("鱼塘", 1), ("鱼塘", 2))
    )
    assert what_changed(first, second) == ("第1行“赵某某”：应交改了。",)
    begun = BODY.validate_python(bodies.project())
    settled = BODY.validate_python(bodies.project(settled_fen=17_500_000, tender="open", payments=[]))
    assert what_changed(begun, settled) == (
        "发包方式由“询价”改为“公开招标”。",
        "结算价由空白改为175,000.00元。",
        "删去原来的第1笔付款“首付款”90,000.00元。",
    )
    assert what_changed(begun, begun) == ()
    assert what_changed(first, begun) == ("整份内容换了一种写法。",)


async def test_a_flood_of_differences_is_cut_and_says_so() -> None:
    rows = [["赵某某", f"第{n}块地", n] for n in range(1, 52)]
    changed = what_changed(BODY.validate_python(bodies.table(rows=[])), BODY.validate_python(bodies.table(rows=rows)))
    assert len(changed) == 31
    assert changed[-1] == "另外还有21处不同。"


@pytest.mark.parametrize("name", ["x", "../../secrets", "A" * 64, "0" * 63, "0" * 64, "0" * 65])
async def test_strange_names_of_files_are_not_found(publish: Any, name: str) -> None:
    assert (await publish.served.client.get(f"/objects/{name}")).status_code == 404


async def test_a_name_of_signs_that_nobody_sees_is_refused(publish: Any) -> None:
    assert (await publish.served.client.get(f"/objects/{'%00' * 20}")).status_code == 422
