"""Files that an operator brings: the starter files are taken, and every fault is told at its place."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.catalogue import Affair, ItemKind
from services.contracts.division import Division, DivisionKind
from services.contracts.values import Frequency
from services.registry.bulk.calendar import CalendarYearUnknownError, calendar_year
from services.registry.bulk.catalogue import read_items
from services.registry.bulk.divisions import City, read_divisions
from services.registry.bulk.rows import FileFaultsError

DATA = Path(__file__).resolve().parents[2] / "deploy/data"
SINCE = date(2026, 7, 1)
ITEM_HEAD = (
    "code,affair,name,plain_name,kind,frequency,due,masking,board,confirmations,"
    "secrecy,applies,publisher,notice_days,keep_months,province_item,basis"
)
F01 = {
    "code": "F01",
    "affair": "finance",
    "name": "收支",
    "plain_name": "收了什么",
    "kind": "ledger",
    "frequency": "monthly",
    "due": "month:15",
    "masking": "surname",
    "board": "full",
    "confirmations": "supervisors",
    "secrecy": "no",
    "applies": "both",
    "publisher": "村委会",
    "notice_days": "10",
    "keep_months": "",
    "province_item": "",
    "basis": "章程",
}
CITY = City("210881", "盖州市", since=date(2023, 6, 30), sample=True, duties_from=date(2026, 9, 1), profile="default")
TREE_HEAD = "code,name,township_code,township_name,kind"
XIHAI = "210881006206,西海村委会,210881006,西海街道,village"


def items_file(*rows: dict[str, str]) -> str:
    return "\n".join([ITEM_HEAD, *(",".join({**F01, **row}.values()) for row in rows)]) + "\n"


def tree_file(*rows: str) -> str:
    return "\n".join([TREE_HEAD, *rows]) + "\n"


def tree(text: str | bytes) -> list[Division]:
    return read_divisions(text, CITY)


def places(error: FileFaultsError) -> list[tuple[int, str]]:
    return [(f.line, f.column) for f in error.faults]


def test_starter_catalogue_is_taken() -> None:
    items = read_items((DATA / "catalogue.csv").read_bytes(), SINCE)
    assert len(items) == 37
    assert [sum(i.revisions[0].affair is a for i in items) for a in Affair] == [8, 18, 11]
    ledger = next(i for i in items if i.code == "F01").revisions[0]
    assert (ledger.kind, ledger.frequency, ledger.due) == (ItemKind.LEDGER, Frequency.MONTHLY, "month:15")
    assert (ledger.since, ledger.until, ledger.confirmations, ledger.secrecy) == (SINCE, None, ("supervisors",), False)
    party = next(i for i in items if i.code == "P02").revisions[0]
    assert (party.confirmations, party.secrecy, party.keep_months) == ((), True, 12)


def test_starter_registry_is_taken() -> None:
    divisions = tree((DATA / "gaizhou-villages.csv").read_bytes())
    kinds = [d.now.kind for d in divisions]
    assert [kinds.count(k) for k in DivisionKind] == [1, 27, 283, 16, 2]
    assert divisions[0].code == "210881"
    city = divisions[0].now
    assert (city.name, city.parent, city.duties_from, city.profile) == ("盖州市", None, date(2026, 9, 1), "default")
    known = {d.code: d.now for d in divisions}
    assert (known["210881006"].name, known["210881006"].parent) == ("西海街道", "210881")
    assert (known["210881006206"].name, known["210881006206"].parent) == ("西海村委会", "210881006")
    assert known["210881005400"].kind is DivisionKind.ZONE
    assert all(d.now.sample and d.now.since == date(2023, 6, 30) for d in divisions)
    assert all(d.now.duties_from is None and d.now.profile is None for d in divisions[1:])
    assert [d.code for d in divisions] == sorted((d.code for d in divisions), key=lambda c: (len(c), c))


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + tree_file(XIHAI),
        ("\ufeff" + tree_file(XIHAI)).encode(),
        tree_file(XIHAI).replace("\n", "\r\n").encode(),
        tree_file(XIHAI).replace("\n", "\r"),
        tree_file(XIHAI).rstrip("\n"),
        tree_file("", XIHAI, ",,,,", ""),
        "kind,code,name,township_code,township_name\nvillage,210881006206,西海村委会,210881006,西海街道\n",
        tree_file('210881006206 ,"西海村委会", 210881006,西海街道,village'),
    ],
)
def test_harmless_differences_of_writing_are_taken(text: str | bytes) -> None:
    assert [d.now.name for d in tree(text)] == ["盖州市", "西海街道", "西海村委会"]


@pytest.mark.parametrize(
    ("row", "column", "part"),
    [
        ({"code": "X01"}, "code", "应为P、V 或 F 加两位数字"),
        ({"code": "F1"}, "code", "“F1”不对"),
        ({"code": ""}, "code", "不能为空"),
        ({"code": "F\uff10\uff11"}, "code", "不对"),
        ({"code": "P01"}, "code", "应以 F 开头"),
        ({"affair": "money"}, "affair", "party、village、finance"),
        ({"name": ""}, "name", "不能为空，请填写"),
        ({"name": "长" * 201}, "name", "有 201 个字，最多 200 个"),
        ({"plain_name": "a\u202eb"}, "plain_name", "（U+202E）"),
        ({"kind": "list"}, "kind", "请改成 ledger、roster"),
        ({"frequency": "weekly"}, "frequency", "“weekly”不在可选值里"),
        ({"due": "15"}, "due", "这一行应写作 month:15"),
        ({"due": "month:32"}, "due", "不是期限的写法"),
        ({"due": "quarter:15"}, "due", "与公开频次 monthly 不符，应写作 month:15"),
        ({"frequency": "yearly"}, "due", "与公开频次 yearly 不符，应写作 year:03-31 或 year+1:01-31"),
        ({"frequency": "on_event", "due": "event:10"}, "due", "event:10d 或 event:10wd"),
        ({"masking": "yes"}, "masking", "none、full、surname、aggregate"),
        ({"board": ""}, "board", "不能为空"),
        ({"confirmations": ""}, "confirmations", "不能为空"),
        ({"confirmations": "mayor"}, "confirmations", "supervisors、principal、accountant"),
        ({"confirmations": "supervisors;supervisors"}, "confirmations", "不对"),
        ({"confirmations": "none;principal"}, "confirmations", "不对"),
        ({"secrecy": "是"}, "secrecy", "yes、no"),
        ({"applies": "all"}, "applies", "both、village、community"),
        ({"notice_days": "ten"}, "notice_days", "应为 0 到 365 的整数"),
        ({"notice_days": "-1"}, "notice_days", "应为 0 到 365 的整数"),
        ({"notice_days": "366"}, "notice_days", "应为 0 到 365 的整数"),
        ({"notice_days": "\uff11\uff10"}, "notice_days", "应为 0 到 365 的整数"),
        ({"keep_months": "0"}, "keep_months", "应为 1 到 600 的整数"),
        ({"keep_months": "9" * 5000}, "keep_months", "最多 200 个"),
        ({"province_item": "a\x00"}, "province_item", "（U+0000）"),
        ({"basis": "法" * 2001}, "basis", "最多 2000 个"),
    ],
)
def test_wrong_cell_of_the_catalogue(row: dict[str, str], column: str, part: str) -> None:
    with pytest.raises(FileFaultsError) as caught:
        read_items(items_file({"code": "F02"}, row), SINCE)
    (found,) = caught.value.faults
    assert (found.line, found.column) == (3, column)
    assert found.message.startswith(f"第 3 行“{column}”列：")
    assert part in found.message


def test_several_confirmations_are_taken() -> None:
    (item,) = read_items(items_file({"confirmations": "supervisors; principal;accountant"}), SINCE)
    assert item.revisions[0].confirmations == ("supervisors", "principal", "accountant")


def test_all_faults_of_a_catalogue_come_together() -> None:
    text = items_file({}, {"name": "", "due": "never"}, {"code": "F02", "secrecy": "maybe", "keep_months": "many"}, {})
    with pytest.raises(FileFaultsError) as caught:
        read_items(text, SINCE)
    assert places(caught.value) == [
        (3, "name"),
        (3, "due"),
        (3, "code"),
        (4, "secrecy"),
        (4, "keep_months"),
        (5, "code"),
    ]
    assert caught.value.faults[-1].message == "第 5 行“code”列：“F01”与第 2 行重复，请删去一行或改正代码。"
    assert str(caught.value).count("\n") == 5


@pytest.mark.parametrize(
    ("row", "column", "part"),
    [
        ("21088100620,西海村委会,210881006,西海街道,village", "code", "应为12 位数字"),
        ("210881007206,西海村委会,210881006,西海街道,village", "code", "不在乡镇（街道）210881006 之下"),
        ("210882006206,西海村委会,210882006,西海街道,village", "township_code", "不在盖州市（210881）之下"),
        ("210881006206,西海村委会,21088100,西海街道,village", "township_code", "应为9 位数字"),
        ("210881006206,,210881006,西海街道,village", "name", "不能为空"),
        ("210881006206,西海村委会,210881006,,village", "township_name", "不能为空"),
        ("210881006206,西海村委会,210881006,西海街道,town", "kind", "village、community、zone"),
        ("210881006206,西海村委会,210881006,西海街道,city", "kind", "village、community、zone"),
        ("210881006200,西海村委会,210881006,西海街道,village", "code", "与第 2 行重复"),
        ("210881006206,西海村委会,210881006,西海镇,village", "township_name", "与第 2 行同一代码的“西海街道”不同"),
    ],
)
def test_wrong_cell_of_the_registry(row: str, column: str, part: str) -> None:
    with pytest.raises(FileFaultsError) as caught:
        tree(tree_file("210881006200,庄林村委会,210881006,西海街道,village", row))
    (found,) = caught.value.faults
    assert (found.line, found.column) == (3, column)
    assert part in found.message


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ("", (1, ""), "文件是空的，第一行应为表头：code,name,township_code,township_name,kind"),
        (b"", (1, ""), "文件是空的"),
        (b"\xef\xbb\xbf", (1, ""), "文件是空的"),
        ("\n\n , ,\n", (1, ""), "文件是空的"),
        (TREE_HEAD, (2, ""), "只有表头，没有数据"),
        (tree_file(XIHAI, "210881006200,庄林村委会"), (3, ""), "有 2 列，应为 5 列"),
        (tree_file(XIHAI + ",x"), (2, ""), "有 6 列，应为 5 列"),
        (tree_file('210881006206,"西海村委会'), (2, ""), "引号不成对"),
        (tree_file('210881006206,"西海"村委会,210881006,西海街道,village'), (2, ""), "引号不成对"),
        (tree_file(XIHAI).encode("gb18030"), (2, ""), "像是 GB18030"),
        (tree_file(XIHAI).encode("utf-16"), (1, ""), "UTF-16"),
        (b"code\xff\xff\n", (1, ""), "编码无法辨认"),
        (f"{TREE_HEAD},note\n{XIHAI},x\n", (1, "note"), "表头多出这一列，请删去"),
        (f"{TREE_HEAD},kind\n{XIHAI},x\n", (1, "kind"), "出现了两次"),
        (tree_file(XIHAI).replace("township_name,", ""), (1, "township_name"), "表头缺少这一列，请补上"),
    ],
)
def test_file_whose_frame_is_wrong(text: str | bytes, place: tuple[int, str], part: str) -> None:
    with pytest.raises(FileFaultsError) as caught:
        tree(text)
    assert places(caught.value) == [place]
    assert part in caught.value.faults[0].message
    assert caught.value.faults[0].message.endswith("。")


def test_fault_after_a_cell_of_two_lines_names_the_line_seen_in_an_editor() -> None:
    with pytest.raises(FileFaultsError) as caught:
        tree(
            tree_file(
                '210881006200,"庄林\n村委会",210881006,西海街道,village', "x,西海村委会,210881006,西海街道,village"
            )
        )
    assert places(caught.value) == [(4, "code")]


def test_wrong_file_altogether_answers_with_two_hundred_sentences_at_most() -> None:
    with pytest.raises(FileFaultsError) as caught:
        tree(tree_file(*["1,2,3,4,5"] * 5000))
    assert len(caught.value.faults) == 200


@given(st.text() | st.binary())
def test_any_file_is_taken_or_refused_with_places(text: str | bytes) -> None:
    with pytest.raises(FileFaultsError) as caught:
        tree(text)
    assert caught.value.faults


@given(
    st.lists(
        st.lists(st.text(alphabet='0128a,"\n\r\x00村', max_size=14), min_size=5, max_size=5), min_size=1, max_size=5
    )
)
def test_any_cells_are_taken_or_refused_with_places(rows: list[list[str]]) -> None:
    with pytest.raises(FileFaultsError) as caught:
        tree(tree_file(*(",".join('"' + c.replace('"', '""') + '"' for c in row) for row in rows)))
    assert all(f.message.startswith("第 ") for f in caught.value.faults)


def test_calendar_of_2026() -> None:
    calendar = calendar_year(2026)
    off = "0101 0102 0216 0217 0218 0219 0220 0223 0406 0501 0504 0505 0619 0925 1001 1002 1005 1006 1007"
    assert " ".join(f"{d:%m%d}" for d in calendar.days_off) == off
    assert " ".join(f"{d:%m%d}" for d in calendar.working_weekends) == "0104 0214 0228 0509 0920 1010"
    assert calendar.source == "国务院办公厅 2026 年节假日安排（chinesecalendar）"


def test_calendar_of_a_leap_year_reaches_its_last_day() -> None:
    calendar = calendar_year(2024)
    assert " ".join(f"{d:%m%d}" for d in calendar.working_weekends) == "0204 0218 0407 0428 0511 0914 0929 1012"


@pytest.mark.parametrize("year", [0, -1, 1999, 2003, 2100, 9999, 10000])
def test_year_beyond_the_data_is_refused_in_words(year: int) -> None:
    with pytest.raises(CalendarYearUnknownError, match=f"还没有 {year} 年的放假安排"):
        calendar_year(year)
