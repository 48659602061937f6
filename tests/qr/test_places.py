"""The file of what hangs where: every fault with its line and column, all or nothing."""

from datetime import date

import pytest

from services.qr.bulk.places import Known, PlaceFaultsError, read_places
from tests import builders
from tests.builders import NEIGHBOUR, VILLAGE
from tests.conftest import Served
from tests.qr.conftest import FindCode

PHONE = {"accept": "text/html,application/xhtml+xml"}
HEAD = "村,用途,位置,名称,事项,公开期,码号\n"


def known(qr: Served) -> Known:
    return Known(qr.runtime.reference.villages("210881"), qr.runtime.reference.items, date(2026, 11, 24))


def told(qr: Served, text: str | bytes) -> list[str]:
    data = text if isinstance(text, bytes) else text.encode()
    try:
        read_places(data, known(qr))
    except PlaceFaultsError as error:
        return [f.sentence() for f in error.faults]
    return []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_a_file_is_read_as_spreadsheet_programs_here_write_it(qr: Served, encoding: str) -> None:
    text = f"{HEAD}西海村委会,村口,村口牌坊,,,,\n{NEIGHBOUR},bulletin,,,F01,2026/9,\n"
    first, second = read_places(text.replace("\n", "\r\n").encode(encoding), known(qr))
    assert (first.village, first.target.kind, first.target.place, first.code) == (VILLAGE, "gate", "村口牌坊", None)
    assert (second.village, second.target.period, second.line) == (NEIGHBOUR, "2026-09", 3)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "第 1 行：文件是空的"),
        ("\n\n", "第 1 行：文件是空的"),
        (HEAD, "第 2 行：只有表头，没有数据"),
        ("村,位置\n西海村委会,x\n", "第 1 行“用途”列：表头缺少这一列"),
        ("村,用途,颜色\n西海村委会,村口,红\n", "第 1 行“颜色”列：表头多出这一列"),
        ("村,用途,用途\n西海村委会,村口,村口\n", "第 1 行“用途”列：表头里这一列出现了两次"),
        (f"{HEAD}西海村委会,村口\n", "第 2 行：有 2 列，应为 7 列"),
        (f'{HEAD}"西海村委会,村口,,,,,\n', "第 2 行：引号不成对"),
        (f"{HEAD},村口,牌坊,,,,\n", "第 2 行“村”列：不能为空"),
        (f"{HEAD}2.10881E+11,村口,牌坊,,,,\n", "第 2 行“村”列：“2.10881E+11”是表格软件把代码改成了科学记数"),
        (f"{HEAD}东海村委会,村口,牌坊,,,,\n", "第 2 行“村”列：您管辖的范围里没有“东海村委会”"),
        (f"{HEAD}{builders.ZONE},村口,牌坊,,,,\n", "您管辖的范围里没有"),
        (f"{HEAD}西海村委会,树上,牌坊,,,,\n", "第 2 行“用途”列：“树上”不在可选值里，请改成 公开栏"),
        (f"{HEAD}西海村委会,村口,,,,,\n", "第 2 行“位置”列：“村口”的码要写明挂在哪里"),
        (f"{HEAD}西海村委会,村口,牌坊,,,,123\n", "第 2 行“码号”列：“123”不是码号"),
        (f"{HEAD}西海村委会,村口,张家门口13904170001,,,,\n", "第 2 行“位置”列：里面像是有电话号码"),
        (f"{HEAD}西海村委会,村口,a\u200bb,,,,\n", "第 2 行“位置”列：含有看不见的控制字符（U+200B）"),
        (f"{HEAD}西海村委会,村口,{'门' * 201},,,,\n", "第 2 行“位置”列：有 201 个字，最多 200 个"),
        (f"{HEAD}西海村委会,村口,牌坊,,,,\n西海村委会,村口,牌坊,,,,\n", "第 3 行：与第 2 行相同"),
        (f"{HEAD}西海村委会,月度公开单,,,F01,十月,\n", "第 2 行“公开期”列：月度公开单要写明是哪个月"),
        (b"PK\x03\x04rest", "第 1 行：这是 Excel 工作簿"),
        (b"\xff\xfe\x00\xd8\xff", "第 1 行：看不懂文件的文字"),
        (b"x" * 900_001, "第 1 行：文件太大"),
        (HEAD + "西海村委会,村口,x,,,,\n" * 2001, "第 2002 行：一个文件最多 2000 行"),
    ],
)
async def test_every_fault_names_its_line_and_column(qr: Served, text: str | bytes, sentence: str) -> None:
    found = told(qr, text)
    assert [s for s in found if sentence in s], found


async def test_all_faults_of_a_file_are_told_at_once(qr: Served) -> None:
    assert len(told(qr, f"{HEAD}东海村委会,树上,,,,,\n西海村委会,村口,,x,,,\n")) == 4


async def _import(qr: Served, text: str, who: str = "operator") -> tuple[int, dict[str, object]]:
    answer = await qr.client.post("/qr/v1/places", files={"file": ("a.csv", text.encode())}, headers=qr.bearer(who))
    return answer.status_code, answer.json()


async def test_new_rows_get_codes_and_the_others_tell_a_place(qr: Served, valid_code: FindCode) -> None:
    there = await valid_code(NEIGHBOUR)
    text = f"{HEAD}西海村委会,村口,东牌坊,,,,\n西海村委会,入户卡,三组,,,,\n下店村委会,公开栏,村部东墙,,,,{there.code.lower()}\n"
    status, done = await _import(qr, text)
    assert status == 201, done
    issued, placed = done["issued"], done["placed"]
    assert isinstance(issued, list)
    assert isinstance(placed, list)
    assert [(c["kind"], c["place"]) for c in issued] == [("gate", "东牌坊"), ("household", "三组")]
    assert [(c["code"], c["place"]) for c in placed] == [(there.code, "村部东墙")]
    assert (await valid_code(NEIGHBOUR)).place == "村部东墙"
    # Handed in once more, nothing is issued twice.
    before = await qr.said("code.set.v1")
    status, again = await _import(qr, text)
    assert status == 422
    assert "西海村委会在这个地方已经有第" in str(again["errors"])
    assert await qr.said("code.set.v1") == before


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("西海村委会,公开栏,东墙,,,,00000000", "第 2 行“码号”列：这个村没有码号为 00000000 的码"),
        ("西海村委会,公开栏,东墙,,,,{far}", "第 2 行“码号”列：这个村没有码号为"),
        ("高屯村委会,村口,东墙,,,,{far}", "第 2 行“用途”列"),
        ("高屯村委会,公开栏,,,,,{far}", "第 2 行“位置”列"),
    ],
)
async def test_a_code_that_does_not_fit_is_told_with_its_line(
    qr: Served, valid_code: FindCode, row: str, words: str
) -> None:
    far = (await valid_code(builders.FAR_VILLAGE)).code
    status, problem = await _import(qr, HEAD + row.format(far=far) + "\n")
    assert status == 422
    assert words in str(problem["errors"])


async def test_a_reviewer_imports_for_their_own_township_alone(qr: Served) -> None:
    status, problem = await _import(qr, f"{HEAD}高屯村委会,村口,牌坊,,,,\n", "reviewer-210881006")
    assert status == 422
    assert "您管辖的范围里没有“高屯村委会”" in str(problem["errors"])
    assert (await _import(qr, f"{HEAD}高屯村委会,村口,牌坊,,,,\n", "clerk-210881006206"))[0] == 403


async def test_the_page_takes_a_file_or_says_what_is_wrong(qr: Served) -> None:
    operator = {**PHONE, **qr.bearer("operator")}
    assert "码号" in (await qr.client.get("/posters/import", headers=operator)).text
    wrong = await qr.client.post("/posters/import", files={"file": ("a.csv", b"a,b\n1,2\n")}, headers=operator)
    assert wrong.status_code == 422
    assert "表头缺少这一列" in wrong.text
    right = f"{HEAD}西海村委会,村部大厅,二楼,,,,\n".encode()
    done = await qr.client.post("/posters/import", files={"file": ("a.csv", right)}, headers=operator)
    assert done.status_code == 200
    assert "新发 1 个码" in done.text
