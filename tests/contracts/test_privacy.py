"""The detector of personal numbers. All numbers are made up or published test numbers."""

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.contracts.bodies import BODY
from services.contracts.privacy import WORDS, cover, detect, findings, mask, places

ID = "11010519491231002X"
OTHER_ID = "110101199003077758"
#: The same identity card in another script's digits.
DEVANAGARI = "".join(chr(0x0966 + int(c)) if c.isdigit() else c for c in ID)


def wide(text: str) -> str:
    """Write ASCII in full-width forms."""
    return "".join(chr(ord(c) + 0xFEE0) for c in text)


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        (ID, "id_card", ID),
        ("身份证11010519491231002x。", "id_card", "11010519491231002x"),
        (f"张某某{OTHER_ID}低保", "id_card", OTHER_ID),
        ("110105 19491231 002X", "id_card", "110105 19491231 002X"),
        ("110105-19491231-002X", "id_card", "110105-19491231-002X"),
        ("1101 0519 4912 3100 2X", "id_card", "1101 0519 4912 3100 2X"),
        (wide("11010519491231002X"), "id_card", wide("11010519491231002X")),
        ("110105\u300019491231\u3000002X", "id_card", "110105\u300019491231\u3000002X"),
        ("110101\u200b19900307\u200b7758", "id_card", "110101\u200b19900307\u200b7758"),
        ("1 1 0 1 0 1 1 9 9 0 0 3 0 7 7 7 5 8", "id_card", "1 1 0 1 0 1 1 9 9 0 0 3 0 7 7 7 5 8"),
        ("旧证130503670401001号", "id_card", "130503670401001"),
        ("130503 670401 001", "id_card", "130503 670401 001"),
        ("卡号4111111111111111", "bank_card", "4111111111111111"),
        ("4111 1111 1111 1111", "bank_card", "4111 1111 1111 1111"),
        ("4111-1111-1111-1111", "bank_card", "4111-1111-1111-1111"),
        ("6222020000000000000", "bank_card", "6222020000000000000"),
        ("6222 0200 0000 0000 000", "bank_card", "6222 0200 0000 0000 000"),
        ("622202 0000000000000", "bank_card", "622202 0000000000000"),
        (wide("6222020000000000000"), "bank_card", wide("6222020000000000000")),
        ("电话13800138000", "phone", "13800138000"),
        ("13800138000", "phone", "13800138000"),
        ("13800138000元旦前联系", "phone", "13800138000"),
        ("138 0013 8000", "phone", "138 0013 8000"),
        ("138-0013-8000", "phone", "138-0013-8000"),
        ("1380 013 8000", "phone", "1380 013 8000"),
        (wide("13800138000"), "phone", wide("13800138000")),
        ("+8613800138000", "phone", "8613800138000"),
        ("+86 138 0013 8000", "phone", "86 138 0013 8000"),
        ("0086-13800138000", "phone", "0086-13800138000"),
        ("tel13800138000x", "phone", "13800138000"),
        ("1.13800138000", "phone", "13800138000"),
        ("13800138000.", "phone", "13800138000"),
        ("2026-10-03 13800138000", "phone", "13800138000"),
        ("1 3 8 0 0 1 3 8 0 0 0", "phone", "1 3 8 0 0 1 3 8 0 0 0"),
        ("村部0417-7651234", "phone", "0417-7651234"),
        ("04177651234", "phone", "04177651234"),
        ("（0417）7651234", "phone", "0417）7651234"),
        ("010-62345678", "phone", "010-62345678"),
        ("0417 765 1234", "phone", "0417 765 1234"),
    ],
)
def test_number_is_found_where_it_stands(text: str, kind: str, found: str) -> None:
    assert [(hit.kind, text[hit.start : hit.end]) for hit in detect(text)] == [(kind, found)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "修村部水管",
        "6217 00",
        "215.00",
        "1380013800.00",
        "13800138000.00",
        "1,380,013,800.00",
        "记-1",
        "凭证号00012345",
        "210881006206",
        "210881006206/F01/2026-10",
        "210881101215",
        "2026-10-03",
        "20261003",
        "2026-10-03 2026-11-15",
        "20261001-20261031",
        "2026年10月3日13时8分",
        "2026-11-16T16:00:00.123456Z",
        "91210881MA0Y000007",
        "91350100M000100Y43",
        "13050367133100",
        "130503671331001",
        "4111111111111112",
        "499999999999999",
        "2111111111111111",
        "0000000000000000",
        "12800138000",
        "1380013800",
        "138001380001",
        "210881********1234",
        "138****8000",
        "12388",
        "04170651234",
        "0417765123",
        "12345678901234567890",
        "3 12 5 138 20 13 80 0",
        "5 1 3 8 0 0 1 3 8 0 0 0",
        "01a1ae3a-417f-71df-b3ae-074f2465d433",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "a13800138000b13900139000c1234567a13800138000b",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert detect(text) == ()
    assert mask(text) == text


def test_all_numbers_of_a_line_are_masked() -> None:
    text = f"{OTHER_ID}，13800138000/0417-7651234，卡4111 1111 1111 1111付200.00元"
    assert mask(text) == "[身份证号]，[电话号码]/[电话号码]，卡[银行卡号]付200.00元"


with (Path(__file__).parent / "cases" / "personal-data.csv").open(encoding="utf-8", newline="") as _file:
    CASES = tuple(csv.DictReader(_file))
with (Path(__file__).parent / "cases" / "free-text.csv").open(encoding="utf-8", newline="") as _file:
    FREE_TEXTS = tuple(csv.DictReader(_file))


@pytest.mark.parametrize("row", CASES, ids=lambda row: row["text"])
def test_kinds_are_told_as_the_case_says(row: dict[str, str]) -> None:
    assert "|".join(dict.fromkeys(hit.kind for hit in detect(row["text"]))) == row["kinds"]


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        # One wrong digit: check digit, month, day, place, century.
        ("110105194912310021", "id_card", "110105194912310021"),
        ("110105194913310021", "id_card", "110105194913310021"),
        ("110105194912410021", "id_card", "110105194912410021"),
        ("001105194910312029", "id_card", "001105194910312029"),
        ("110105394912310020", "id_card", "110105394912310020"),
        # A digit too few after its label, and a stranger's certificate.
        ("身份证号：11010519491231002", "id_card", "11010519491231002"),
        ("残疾证44010619720715123443", "id_card", "440106197207151234"),
        ("编号：1101051949123100 2X", "id_card", "1101051949123100 2X"),
        ("11010519491231****", "id_card", "11010519491231****"),
        ("110105194912310*2X", "id_card", "110105194912310*2X"),
        ("1一\u3007105 一九四九1231002X", "id_card", "1一\u3007105 一九四九1231002X"),
        ("110105\uff0f19491231\uff0f002X", "id_card", "110105\uff0f19491231\uff0f002X"),
        ("110105_19491231_002X", "id_card", "110105_19491231_002X"),
        ("11010519491231\n002X", "id_card", "11010519491231\n002X"),
        (DEVANAGARI, "id_card", DEVANAGARI),
        ("138\u200d0013\u20608000", "phone", "138\u200d0013\u20608000"),
        ("手机：①③⑧—0013—8000", "phone", "①③⑧—0013—8000"),
        ("壹叁捌零零壹叁捌零零零", "phone", "壹叁捌零零壹叁捌零零零"),
        ("1380013800*", "phone", "1380013800*"),
        ("联系电话(区号0417)：7836123", "phone", "0417)：7836123"),
        ("座机783-6123", "phone", "783-6123"),
        ("开户行：盖州农商行 账号 8201 0000 0012 3456 7", "account", "8201 0000 0012 3456 7"),
        ("公积金个人账号201907150033", "account", "201907150033"),
        ("医保卡号：B00123456", "account", "B00123456"),
        ("存折0712345678901", "account", "0712345678901"),
        ("82010000001234567（基本户）", "account", "82010000001234567"),
        ("朝阳小区6-2-301", "address", "小区6-2-301"),
        ("六号楼三单元五〇二室", "address", "六号楼三单元五〇二室"),
        ("慰问柳树巷十八号", "address", "巷十八号"),
        ("和平村三组12号", "address", "组12号"),
        ("因肺癌去世", "health", "因肺癌"),
        ("精神残疾一级", "health", "精神残疾一级"),
        ("长期透析", "health", "透析"),
        ("孙女，9岁", "minor", "9岁"),
        ("京A·D12345", "plate", "京A·D12345"),
        ("苏E12345挂", "plate", "苏E12345挂"),
        ("QQ：123456789", "contact", "QQ：123456789"),
        ("WX号abc_12345", "contact", "WX号abc_12345"),
        ("a.b@163.com", "contact", "a.b@163.com"),
    ],
)
def test_kind_is_found_where_it_stands(text: str, kind: str, found: str) -> None:
    assert [(hit.kind, text[hit.start : hit.end]) for hit in detect(text)] == [(kind, found)]


@pytest.mark.parametrize(
    "text",
    [
        "项目编号：210881202610030012",
        "流水号622202000000000000",
        "合同编号：0417-7836123",
        "监督举报电话12388、12345",
        "电话费1236.50元",
        "电话费 7836123",
        "蓄水13800138000立方米",
        "支出13,800,138,000.00元",
        "重度残疾人护理补贴",
        "一级残疾人120元/月",
        "残疾等级评定费用",
        "高血压患者健康管理经费",
        "糖尿病防治知识讲座",
        "猪肺炎疫苗",
        "购买松材线虫病防治药剂",
        "盖州市肿瘤医院",
        "80岁以上老人高龄补贴",
        "0-6岁儿童体检",
        "6至12周岁",
        "党群服务中心3号楼201室",
        "人民路8号盖州市供电公司",
        "2号机井",
        "五组3号大棚",
        "微信公众号gaizhou_sanwu",
        "微信支付手续费",
        "三务公开邮箱sanwu@gaizhou.gov.cn",
        "辽政发2026号",
        "G2026-18",
        "DN110PE管120米",
        "15、20、30、45、60、5",
        "2026-10-03、2026-10-04、2026-10-05",
    ],
)
def test_what_is_public_by_nature_is_left_alone(text: str) -> None:
    assert detect(text) == ()


def test_a_finding_names_field_row_and_characters_and_never_the_number() -> None:
    body = {
        "kind": "ledger",
        "amount_fen": 13800138000,
        "lines": [
            {"summary": "修水管", "payee": None},
            {"summary": f"付{OTHER_ID} {ID}", "payee": "13800138000", "attachments": ("a", "4111111111111111")},
        ],
        "note": "电话13900139000",
    }
    found = list(findings(body, "body"))
    assert [(f.code, f.at, f.start, f.end) for f in found] == [
        ("privacy.id_card", "body.lines[1].summary", 1, 19),
        ("privacy.phone", "body.lines[1].payee", 0, 11),
        ("privacy.bank_card", "body.lines[1].attachments[1]", 0, 16),
        ("privacy.phone", "body.note", 2, 13),
    ]
    assert [f.message for f in found] == [
        "第2行“摘要”里好像有身份证号（第2–19个字，共2处）。公开后人人可见，请删去或遮盖；确需公开的，只有镇街审核员可以同意。",
        "第2行“收款人”里好像有电话号码（第1–11个字）。公开后人人可见，请删去或遮盖；确需公开的，只有镇街审核员可以同意。",
        "第2个附件里好像有银行卡号（第1–16个字）。公开后人人可见，请删去或遮盖；确需公开的，只有镇街审核员可以同意。",
        "“说明”里好像有电话号码（第3–13个字）。公开后人人可见，请删去或遮盖；确需公开的，只有镇街审核员可以同意。",
    ]


def test_a_number_in_a_count_column_is_found_and_an_amount_is_not() -> None:
    table = {
        "kind": "table",
        "columns": [{"key": "a", "name": "户数", "type": "count"}, {"key": "b", "name": "金额", "type": "amount"}],
        "rows": [[13800138000, 13800138000], [3, 1380013800000]],
    }
    found = list(findings(table, "body"))
    assert [(f.code, f.at) for f in found] == [
        ("privacy.phone", "body.rows[0][0]"),
        ("privacy.phone", "body.rows[1][1]"),
    ]
    assert found[0].message.startswith("第1行“户数”里好像有电话号码")


def test_name_of_a_column_is_looked_at_and_not_repeated() -> None:
    table = {"columns": [{"key": "a", "name": "电话13800138000", "type": "text"}], "rows": [["13900139000"]]}
    found = list(findings(table, "body"))
    assert [(f.code, f.at) for f in found] == [
        ("privacy.phone", "body.columns[0].name"),
        ("privacy.phone", "body.rows[0][0]"),
    ]
    assert "第1行“电话[电话号码]”" in found[1].message


def test_path_never_carries_a_number() -> None:
    (found,) = findings({"13800138000": {"a": "13900139000"}}, "body")
    assert found.at == "body.[电话号码].a"


def test_covered_text_is_as_long_and_has_nothing_left() -> None:
    text = f"{OTHER_ID}，13800138000，账号620000000000000000018，家住李家胡同12号，患糖尿病，辽H12345，9岁"
    covered = cover(text, detect(text))
    assert (
        covered == "******************，138******00，账号******************018，家住李家胡同**号，****，辽****45，*岁"
    )
    assert detect(covered) == ()


@pytest.mark.parametrize("row", CASES, ids=lambda row: row["text"])
def test_every_kind_can_be_covered(row: dict[str, str]) -> None:
    covered = cover(row["text"], detect(row["text"]))
    assert detect(covered) == ()
    assert len(covered) == len(row["text"])


@pytest.mark.parametrize("row", FREE_TEXTS, ids=lambda row: row["text"])
def test_names_illness_and_children_in_free_text_are_findings(row: dict[str, str]) -> None:
    hits = [
        (hit.kind, place.text[hit.start : hit.end])
        for place in places({"summary": row["text"]}, "b")
        for hit in place.hits
    ]
    assert {kind for kind, _ in hits} == {kind for kind in row["kind"].split("+") if kind}
    for part in filter(None, row["must_be_found"].split("|")):
        assert any(part in found for _, found in hits)
    for place in places({"summary": row["text"]}, "b"):
        assert list(places({"summary": cover(place.text, place.hits)}, "b")) == []


def test_every_kind_has_a_word() -> None:
    assert mask("患糖尿病，辽H12345") == f"[{WORDS['health']}]，[{WORDS['plate']}]"


@pytest.mark.parametrize("value", [None, True, 13800138000, 1.5, [], {}, "", [[[[]]]], {"a": {"b": None}}])
def test_value_without_text_gives_no_finding(value: object) -> None:
    assert list(findings(value, "body")) == []


def test_deep_and_wide_values_do_not_exhaust_the_stack() -> None:
    value: object = "13800138000"
    for _ in range(5000):
        value = [value]
    (found,) = findings(value, "body")
    assert found.at.startswith("body[0][0]")
    assert len(found.at) <= 200


@pytest.mark.parametrize(
    "part",
    [
        *("0-", "1 ", "1", "00-", "13800138000 ", "1-3-8-", "2108811985061545", "6222 ", "1\u200b", "一三八", "f0"),
        *("2026-10-03 ", "1,234", "3号楼2单元", "患", "得糖尿病", "李家胡同", "家住一号", "9岁", "a@", "A1", "2108*"),
        *("电话7836123、", "微信a", "残疾", "社保卡A", "1" + " " * 9, "\U0001d7d8-", "三组12号,", "0."),
    ],
)
def test_four_times_the_text_takes_about_four_times_the_work(part: str) -> None:
    """A ratio, not a bar: quadratic work makes it sixteen."""

    def cost(length: int) -> float:
        text = part * (length // len(part))
        costs = []
        for _ in range(3):
            before = time.process_time()
            detect(text)
            costs.append(time.process_time() - before)
        return min(costs)

    assert cost(32_000) <= 9 * max(cost(8_000), 0.002)


TEXT = st.text(
    st.sampled_from("0123456789Xx -()（）.,年月\uff11\uff13\uff18\uff58\uff0d\u200b\u3000aé𠀀"), max_size=80
) | st.text(max_size=80)


@given(TEXT)
@example("1" * 19 + "X")
@example("\x00\ud800")
def test_hits_are_in_order_apart_and_inside(text: str) -> None:
    ends = 0
    for hit in detect(text):
        assert ends <= hit.start < hit.end <= len(text)
        assert not text[hit.start].isspace()
        ends = hit.end
    assert isinstance(mask(text), str)


@given(TEXT, st.sampled_from([OTHER_ID, "13800138000", "4111111111111111"]), TEXT)
def test_number_between_letters_is_found_at_its_offset(before: str, number: str, after: str) -> None:
    text = f"{before}甲{number}乙{after}"
    start = len(before) + 1
    assert (start, start + len(number)) in {(hit.start, hit.end) for hit in detect(text)}


@given(st.recursive(TEXT | st.integers() | st.none(), lambda x: st.lists(x) | st.dictionaries(TEXT, x), max_leaves=10))
def test_findings_never_raise(value: object) -> None:
    for found in findings(value, "body"):
        assert found.at.startswith("body")
        assert "13800138000" not in json.dumps(found.model_dump(), ensure_ascii=False)


def _free_names(schema: Any) -> Iterator[set[str]]:
    """Of every object whose names an author chooses, the patterns that the names keep to; `*` for anything."""
    if isinstance(schema, dict):
        if (patterns := schema.get("patternProperties")) is not None:
            yield set(patterns)
        elif schema.get("type") == "object" and schema.get("additionalProperties", False) is not False:
            yield {"*"}
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _free_names(inner)


def test_the_only_names_that_an_author_chooses_are_keys_of_columns_which_are_looked_at_where_they_stand() -> None:
    assert list(_free_names(BODY.json_schema())) == [{"^[a-z][a-z0-9_]{0,30}$"}] * 2
    columns = [{"key": "p13800138000", "name": "金额", "type": "amount"}]
    table = {"kind": "table", "columns": columns, "rows": [[100]], "totals": {"p13800138000": 100}}
    body = BODY.validate_python(table).model_dump(mode="json", exclude_none=True)
    assert [(f.code, f.at) for f in findings(body, "body")] == [("privacy.phone", "body.columns[0].key")]
    with pytest.raises(ValidationError):
        BODY.validate_python({**table, "totals": {"p13900139000": 100}})


def test_a_name_is_not_looked_through_but_told_without_the_number_in_it() -> None:
    assert list(findings({"13800138000": 1}, "body")) == []
    (found,) = findings({"13800138000": "电话13900139000"}, "body")
    assert found.at == "body.[电话号码]"
