"""Limits of law and place: the nearest layer of the day wins, what nobody says is not guessed, and bad files name their line."""

from datetime import date

import pytest

from services.audit.rules import RULES
from services.audit.rules.limits import NO_LIMITS, Chosen, Limit, Limits, LimitsError, read_limits
from services.audit.visit import limits_of

WANTED = {
    "B01": (Limit("cash_limit_fen", "现金支付限额", "lower"),),
    "X02": (Limit("days", "天数", "higher"), Limit("fen", "金额")),
}
LAW = '[[B01]]\nfrom = 2020-01-01\ncash_limit_fen = 100_000\nsource = "条例"\n'
VILLAGE, OTHER = "210881006206", "330106001001"
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


def read(**files: str) -> Limits:
    return read_limits({f"{name.removeprefix('x')}.toml": text for name, text in files.items()}, WANTED)


def block(rule: str, since: str, values: str, to: str | None = None) -> str:
    until = f"to = {to}\n" if to is not None else ""
    return f'[[{rule}]]\nfrom = {since}\n{until}{values}\nsource = "本市文件"\n'


def chosen(limits: Limits, village: str = VILLAGE, rule: str = "B01", days: tuple[date, date] = OCTOBER) -> Chosen:
    return limits.choose(rule, WANTED[rule], village, *days)


def test_what_comes_with_the_rules_can_be_read_and_names_no_rule_that_is_not_there() -> None:
    law = limits_of(None).choose("B01", next(r for r in RULES if r.id == "B01").limits, VILLAGE, *OCTOBER)
    assert law.values == {"cash_limit_fen": 100_000}
    assert "现金管理暂行条例" in law.sources[0]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ({"xcn": LAW}, 100_000),
        ({"xcn": LAW, "x21": block("B01", "2020-01-01", "cash_limit_fen = 90_000")}, 90_000),
        (
            {
                "xcn": LAW,
                "x21": block("B01", "2020-01-01", "cash_limit_fen = 90_000"),
                "x2108": block("B01", "2020-01-01", "cash_limit_fen = 80_000"),
            },
            80_000,
        ),
        (
            {
                "xcn": LAW,
                "x210881": block("B01", "2020-01-01", "cash_limit_fen = 70_000"),
                "x2108": block("B01", "2020-01-01", "cash_limit_fen = 80_000"),
            },
            70_000,
        ),
        (
            {
                "xcn": LAW,
                "x210881006": block("B01", "2020-01-01", "cash_limit_fen = 60_000"),
                "x210881": block("B01", "2020-01-01", "cash_limit_fen = 70_000"),
            },
            60_000,
        ),
        ({"xcn": LAW, "x33": block("B01", "2020-01-01", "cash_limit_fen = 50_000")}, 100_000),
    ],
)
def test_the_nearest_layer_wins(layers: dict[str, str], expected: int) -> None:
    found = chosen(read(**layers))
    assert found.values == {"cash_limit_fen": expected}
    assert found.sources == (("条例",) if expected == 100_000 else ("本市文件",))


def test_the_value_is_that_of_the_facts_day() -> None:
    text = block("B01", "2020-01-01", "cash_limit_fen = 90_000", "2026-10-01") + block(
        "B01", "2026-10-01", "cash_limit_fen = 80_000"
    )
    limits = read(xcn=LAW, x21=text)
    assert chosen(limits).values == {"cash_limit_fen": 80_000}
    september = (date(2026, 9, 1), date(2026, 9, 30))
    assert chosen(limits, days=september).values == {"cash_limit_fen": 90_000}


def test_a_value_that_changed_within_the_period_is_not_chosen() -> None:
    text = block("B01", "2020-01-01", "cash_limit_fen = 90_000", "2026-10-15") + block(
        "B01", "2026-10-15", "cash_limit_fen = 80_000"
    )
    assert chosen(read(xcn=LAW, x21=text)).missing == "看不见：这一期内改过现金支付限额"


def test_what_nobody_says_is_not_guessed() -> None:
    assert chosen(NO_LIMITS).missing == "看不见：本地没有填写现金支付限额"
    only = read(x33=block("X02", "2020-01-01", "days = 5\nfen = 7"))
    assert chosen(only, OTHER, "X02").values == {"days": 5, "fen": 7}
    assert chosen(only, VILLAGE, "X02").missing == "看不见：本地没有填写天数"
    half = read(x33=block("X02", "2020-01-01", "days = 5"))
    assert chosen(half, OTHER, "X02").missing == "看不见：本地没有填写金额"
    late = read(x33=block("X02", "2026-11-01", "days = 5\nfen = 7"))
    assert chosen(late, OTHER, "X02").missing == "看不见：本地没有填写天数"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("cn", "[[B01\n", "cn.toml 第 1 行：不是正确的 TOML"),
        ("liaoning", LAW, "文件名应为 cn，或省、市、县、镇街的区划代码"),
        ("21", "\n[[Z99]]\nfrom = 2020-01-01\n", "21.toml 第 2 行：没有需要标准的规则 Z99，应为 B01、X02 之一"),
        ("21", "[B01]\nfrom = 2020-01-01\n", "21.toml 第 1 行：规则 B01 要写成 [[B01]]"),
        ("21", block("B01", "2020-01-01", "cash_limit = 5"), "规则 B01 没有 cash_limit 这一项，应为 cash_limit_fen"),
        (
            "21",
            block("B01", "2020-01-01", 'cash_limit_fen = "1000元"'),
            "应为不小于 1 的整数（钱以分计），写的是 '1000元'",
        ),
        ("21", block("B01", "2020-01-01", "cash_limit_fen = 1000.5"), "应为不小于 1 的整数"),
        ("21", block("B01", "2020-01-01", "cash_limit_fen = true"), "应为不小于 1 的整数"),
        ("21", block("B01", "2020-01-01", "cash_limit_fen = 0"), "应为不小于 1 的整数"),
        ("21", block("B01", "2020-01-01", "cash_limit_fen = 5", "2020-01-01"), "to 2020-01-01 应晚于 from 2020-01-01"),
        ("21", '[[B01]]\ncash_limit_fen = 5\nsource = "文件"\n', "要写 from = 2026-01-01 这样的起始日"),
        ("21", '[[B01]]\nfrom = 2020-01-01T00:00:00\ncash_limit_fen = 5\nsource = "文件"\n', "要写 from"),
        (
            "21",
            '[[B01]]\nfrom = 2020-01-01\nto = "2021"\ncash_limit_fen = 5\nsource = "文件"\n',
            "to 可以不写，写了也应为日期",
        ),
        ("21", "[[B01]]\nfrom = 2020-01-01\ncash_limit_fen = 5\n", "要写 source：依据的法律条文或文件"),
        (
            "21",
            block("B01", "2020-01-01", "cash_limit_fen = 5") + block("B01", "2022-01-01", "cash_limit_fen = 6"),
            "21.toml 第 5 行：与第 1 行的起止时间重叠，请写明前一段的 to",
        ),
        (
            "21",
            block("B01", "2020-01-01", "cash_limit_fen = 100_001"),
            "21.toml 第 1 行：现金支付限额 100001 比法律规定的 100000（条例）还宽，只能更严",
        ),
    ],
)
def test_a_file_that_cannot_be_used_names_the_line_and_what_to_do(name: str, text: str, expected: str) -> None:
    with pytest.raises(LimitsError, match=r".") as told:
        read_limits({"cn.toml": LAW, f"{name}.toml": text}, WANTED)
    assert expected in str(told.value)


def test_a_place_may_be_as_strict_as_the_law_and_stricter_either_way() -> None:
    law = block("X02", "2020-01-01", "days = 5")
    stricter = block("X02", "2020-01-01", "days = 6\nfen = 1")
    alike = block("X02", "2020-01-01", "days = 5\nfen = 1") + block("B01", "2020-01-01", "cash_limit_fen = 100_000")
    assert chosen(read(xcn=law + LAW, x21=stricter), VILLAGE, "X02").values == {"days": 6, "fen": 1}
    assert chosen(read(xcn=law + LAW, x21=alike)).values == {"cash_limit_fen": 100_000}
    with pytest.raises(LimitsError, match="比法律规定的 5"):
        read(xcn=law, x21=block("X02", "2020-01-01", "days = 4"))


def test_values_that_do_not_meet_in_time_or_name_are_no_overlap() -> None:
    apart = (
        block("X02", "2020-01-01", "days = 5", "2021-01-01")
        + block("X02", "2021-01-01", "days = 6")
        + block("X02", "2020-01-01", "fen = 6")
    )
    assert chosen(read(x21=apart), VILLAGE, "X02").values == {"days": 6, "fen": 6}
