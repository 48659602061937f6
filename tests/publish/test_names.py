"""Nobody's full name leaves by accident: cells, sentences, notes and reasons, on pages, in JSON, in what changed."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from services.contracts.bodies import BODY
from services.contracts.catalogue import Masking
from services.contracts.disclosure import Opinion
from services.publish.render.masking import masked_body
from tests import builders
from tests.publish import bodies
from tests.publish.bodies import public_body

_CASES = Path(__file__).parents[1] / "contracts" / "cases"


def names() -> list[dict[str, str]]:
    with (_CASES / "masking-surname.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def texts_of(body: dict[str, Any], masking: Masking = Masking.SURNAME, item: str = "") -> str:
    return json.dumps(public_body(BODY.validate_python(body), masking, item), ensure_ascii=False)


async def test_every_kind_of_name_is_masked_alike_on_the_page_and_in_json(publish: Any) -> None:
    rows = names()
    line = builders.ledger()["lines"][0]
    lines = [{**line, "payee": r["name"], "amount_fen": 100} for r in rows]
    body = {**builders.ledger(totals=None), "lines": lines}
    ledger = await publish.opened(body=body)
    entries = [{"name": r["name"], "amount_fen": 100 + n} for n, r in enumerate(rows)]
    roster = await publish.opened(item="V04", period="2026-10-09", body=bodies.roster(entries=entries, totals=None))
    await publish.rendered()
    for event in (ledger, roster):
        for path in (f"/d/{event.aggregate_id}", f"/api/v1/disclosures/{event.aggregate_id}"):
            text = (await publish.get(path)).text
            for row in rows:
                assert not [n for n in row["must_not_show"].split("|") if n and n in text], (path, row)
                if not row["must_not_show"]:
                    assert row["name"] in text, (path, row)
    village = (await publish.get(f"/v/{builders.VILLAGE}")).text
    assert not [n for r in rows for n in r["must_not_show"].split("|") if n and n in village]


async def test_names_in_sentences_are_masked_whoever_wrote_them(publish: Any) -> None:
    opinions = (
        Opinion(
            party="supervisors", opinion="dissent", names=("吴监督",), reason="付孙德海工资没有签字", at=builders.NOW
        ),
    )
    body = builders.ledger()
    lines = [{**body["lines"][0], "summary": "付张桂兰住院慰问金"}, *body["lines"][1:]]
    first = await publish.opened(body={**body, "lines": lines}, opinions=opinions, note="退王秀兰押金写错了")
    notice = bodies.notice(paragraphs=["村民王建军、李桂兰、孙洪波等59人联名要求公开账目。", "由村主任赵国庆答复。"])
    joint = await publish.opened(item="V18", period="2026-10-05", body=notice)
    full = await publish.opened(
        item="V01", period="2026-10-08", body=bodies.decision(resolution="同意救助村民李春生。")
    )
    await publish.rendered()
    hidden = ("张桂兰", "孙德海", "王秀兰", "王建军", "李桂兰", "孙洪波", "李春生")
    for event in (first, joint, full):
        for path in (f"/d/{event.aggregate_id}", f"/api/v1/disclosures/{event.aggregate_id}"):
            text = (await publish.get(path)).text
            assert not [n for n in hidden if n in text], path
    page = (await publish.get(f"/d/{first.aggregate_id}")).text
    assert "付张某某住院慰问金" in page
    assert "付孙某某工资没有签字" in page
    assert "吴监督" in page
    assert "退王某某押金写错了" in page
    page = (await publish.get(f"/d/{joint.aggregate_id}")).text
    assert "村民王某某、李某某、孙某某等59人联名要求公开账目。" in page
    assert "由村主任赵国庆答复。" in page


async def test_reasons_of_what_is_withdrawn_name_no_villager(publish: Any) -> None:
    event = await publish.opened()
    await publish.withdrawn(event, reason="写出了低保户张德福的病情")
    for path in (f"/d/{event.aggregate_id}", f"/api/v1/disclosures/{event.aggregate_id}"):
        text = (await publish.served.client.get(path)).text
        assert "张德福" not in text
        assert "写出了低保户张某某的" in text


async def test_correction_tells_what_changed_without_names(publish: Any) -> None:
    body = builders.ledger()
    first = await publish.opened(body=body)
    lines = [{**body["lines"][0], "summary": "付张桂兰住院慰问金", "payee": "李强等5户"}, *body["lines"][1:]]
    await publish.opened(first.aggregate_id, edition=2, body={**body, "lines": lines}, note="补上收款人")
    await publish.rendered()
    page = (await publish.get(f"/d/{first.aggregate_id}")).text
    assert "改为“付张某某住院慰问金”" in page
    assert "李某某等5户" in page
    assert not [n for n in ("张桂兰", "李强") if n in page]


@pytest.mark.parametrize(
    ("payee", "summary", "shown"),
    [
        ("王岗", "王岗路维修", "王岗路维修"),
        ("王岗", "付王岗工资", "付王某某工资"),
        ("高峰", "用电高峰期加班", "用电高峰期加班"),
        ("张建国", "张建国和李秀英换的灯", "张某某和李某某换的灯"),
        ("张 三", "张三修水管", "张某某修水管"),
    ],
)
def test_who_is_named_in_a_cell_is_masked_in_sentences_and_roads_are_not(payee: str, summary: str, shown: str) -> None:
    line = {**builders.ledger()["lines"][0], "payee": payee, "summary": summary}
    assert f'"{shown}"' in texts_of({**builders.ledger(), "lines": [line]})


def test_titles_of_contracts_are_not_damaged_by_what_is_no_name() -> None:
    for party in ("待定", "拍租", "（尚未中标）", "（暗标，最高价者得）", "公开招标"):
        body = bodies.contract(title="象鼻咀水库水面养殖经营权拍租", party=party, subject="水库水面600亩", remark=None)
        shown = public_body(BODY.validate_python(body), Masking.SURNAME)
        assert (shown["title"], shown["party"]) == ("象鼻咀水库水面养殖经营权拍租", party)


def roster_names(*entries: dict[str, Any]) -> list[str]:
    body = bodies.roster(entries=list(entries), totals=None)
    return [e["name"] for e in public_body(BODY.validate_python(body), Masking.SURNAME)["entries"]]


def test_one_person_twice_in_a_list_is_not_made_two() -> None:
    one = {"name": "张建国", "group": "一组", "household_size": 3, "amount_fen": 90_000}
    assert roster_names(one, one) == ["张某某", "张某某"]
    assert roster_names(one, {**one, "name": "张桂兰"}) == ["张某某①", "张某某②"]
    assert roster_names(one, {**one, "group": "二组"}) == ["张某某①", "张某某②"]
    assert roster_names(one, one, {**one, "name": "张桂兰"}) == ["张某某①", "张某某①", "张某某②"]
    worked = {"name": "李强", "group": "一组", "days": "2", "amount_fen": 20_000}
    assert roster_names(worked, {**worked, "days": "3", "amount_fen": 30_000}) == ["李某某", "李某某"]


def test_one_person_twice_in_a_list_is_a_finding_at_entry() -> None:
    one = {"name": "张建国", "group": "一组", "household_size": 3, "amount_fen": 90_000}
    for other, codes in (
        (one, ["roster.twice"]),
        ({**one, "name": "张 建国"}, ["roster.twice"]),
        ({**one, "group": "二组"}, []),
        ({**one, "amount_fen": 80_000}, []),
        ({**one, "household_size": 2}, []),
        ({**one, "name": "张桂兰"}, []),
    ):
        roster = BODY.validate_python(bodies.roster(entries=[one, other], totals=None))
        assert [f.code for f in roster.findings("2026Q3")] == codes
    found = BODY.validate_python(bodies.roster(entries=[one, one], totals=None)).findings("2026Q3")[0]
    assert found.at == "body.entries[1].name"
    assert found.message.startswith("第 2 行和第 1 行的姓名、小组、人口、金额都一样")
    assert "张建国" not in found.message


def test_a_text_column_of_persons_is_masked_like_one_of_names() -> None:
    columns = [
        {"key": "who", "name": "户主姓名", "type": "text"},
        {"key": "what", "name": "事由", "type": "text"},
    ]
    rows = [["热合曼", "付张桂兰住院慰问金"], ["村部食堂", "修王岗路"]]
    body = {"kind": "table", "columns": columns, "rows": rows}
    shown = public_body(BODY.validate_python(body), Masking.SURNAME)["rows"]
    assert shown == [["热某某", "付张某某住院慰问金"], ["村部食堂", "修王岗路"]]


def test_masked_body_is_not_masked_again() -> None:
    body = BODY.validate_python(bodies.roster())
    once = masked_body(body, Masking.NONE)
    assert masked_body(once, Masking.NONE) == once


def test_a_full_cell_may_grow_by_masking() -> None:
    summary = ("付李四工资，" * 200)[:200]
    line = {**builders.ledger()["lines"][0], "summary": summary}
    assert "李四" not in texts_of({**builders.ledger(), "lines": [line]})


def test_two_rows_of_one_person_that_are_alike_are_a_finding() -> None:
    columns = [
        {"key": "who", "name": "户名", "type": "name"},
        {"key": "what", "name": "地块", "type": "text"},
        {"key": "fen", "name": "金额", "type": "amount"},
    ]
    rows = [["李强", "鱼塘", 100], ["李强", "果园", 100], ["李强", "鱼塘", 100], [None, "合计", 300]]
    table = BODY.validate_python({"kind": "table", "columns": columns, "rows": rows})
    assert [(f.code, f.at) for f in table.findings("2026Q3")] == [("table.twice", "body.rows[2][0]")]
    shown = public_body(table, Masking.SURNAME)["rows"]
    assert [row[0] for row in shown] == ["李某某", "李某某", "李某某", None]
