"""The detector of personal numbers. All numbers are made up or published test numbers."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.contracts.privacy import detect, findings, mask

ID = "11010519491231002X"
OTHER_ID = "110101199003077758"


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
        "110105194912310021",
        "110105194913310021",
        "001105194912310029",
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


def test_findings_name_the_place_and_never_the_number() -> None:
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
    assert [(f.code, f.at) for f in found] == [
        ("privacy.id_card", "body.lines[1].summary"),
        ("privacy.phone", "body.lines[1].payee"),
        ("privacy.bank_card", "body.lines[1].attachments[1]"),
        ("privacy.phone", "body.note"),
    ]
    assert [f.message for f in found][:2] == [
        "这里好像写了身份证号。公开后人人可见，请删去或遮盖。",
        "这里好像写了电话号码。公开后人人可见，请删去或遮盖。",
    ]


def test_key_of_a_table_is_looked_at_and_not_repeated() -> None:
    found = list(findings({"13800138000": {"a": "13900139000"}}, "body"))
    assert [(f.code, f.at) for f in found] == [("privacy.phone", "body"), ("privacy.phone", "body.[电话号码].a")]


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
    "text", ["1" * 200_000, "1 " * 100_000, "13800138000 " * 15_000, "1" + " " * 200_000, "f" * 200_000 + "g"]
)
def test_long_text_takes_linear_time(text: str) -> None:
    started = time.perf_counter()
    detect(text)
    assert time.perf_counter() - started < 10


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
