"""What the slots of templates are filled with. Written from the standards' descriptions, not from the detector."""

import random
from collections.abc import Callable
from typing import Final

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_AREAS: Final = (
    *("110105", "130503", "140211", "210881", "211102", "220322", "230229", "310115", "320481", "330681", "341204"),
    *("350583", "360781", "370828", "371300", "410122", "420881", "430725", "440106", "451025", "460107", "500235"),
    *("512201", "520423", "530628", "610632", "620522", "630225", "640324", "652823"),
)
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN: Final = ("桂兰", "德福", "建军", "秀英", "国柱", "明", "志强", "玉华", "海", "文静", "淑珍", "铁柱")
_VILLAGES: Final = ("西海", "和平", "红旗", "前进", "大石桥", "榆树", "柳河", "青山")
_SEPARATORS: Final = (" ", "-", ".", "/", "、", "，", "·", "_", "\u3000", "—", "|", "~", ":", "；")
_INVISIBLE: Final = ("\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad")
_HAN: Final = "〇一二三四五六七八九"
_ILL: Final = (
    "糖尿病",
    "肺癌",
    "尿毒症",
    "脑梗塞",
    "冠心病",
    "白血病",
    "精神分裂症",
    "类风湿",
    "肝硬化",
    "癫痫",
    "乳腺癌",
    "帕金森",
)
_STREETS: Final = ("幸福路", "建设街", "长征大街", "前进路", "向阳街", "滨河路")
_ESTATES: Final = ("朝阳小区", "东城家园", "阳光花园", "和谐小区")

Rng = random.Random


def _digits(rng: Rng, n: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(n))


def _day(rng: Rng, first: int, last: int) -> str:
    return f"{rng.randint(first, last)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"


def _card(rng: Rng) -> str:
    body = rng.choice(_AREAS) + _day(rng, 1930, 2019) + _digits(rng, 3)
    return body + _CHECKS[sum(int(c) * w for c, w in zip(body, _WEIGHTS, strict=True)) % 11]


def _wrong(rng: Rng, number: str) -> str:
    at = rng.randrange(len(number))
    return number[:at] + rng.choice([c for c in "0123456789" if c != number[at]]) + number[at + 1 :]


def _written(rng: Rng, number: str, cuts: tuple[int, ...]) -> str:
    """A number as people write it, or hide it."""
    parts = [number[a:b] for a, b in zip((0, *cuts), (*cuts, len(number)), strict=True)]
    at = rng.randrange(2, len(number) - 2)
    hidden = {
        8: number[:at] + rng.choice(_INVISIBLE) + number[at:],
        9: "".join(chr(ord(c) + 0xFEE0) for c in number),
        10: "".join(_HAN[int(c)] if c.isdigit() else c for c in number),
        11: rng.choice(["\n", "  ", " - "]).join(parts),
        12: number[:at] + rng.choice([" ", "-", ".", "\n"]) + number[at:],
    }
    # Five of thirteen are plain, three are split as printed.
    return hidden.get(way := rng.randrange(13), number if way < 5 else rng.choice(_SEPARATORS).join(parts))


def id_card(rng: Rng) -> str:
    number = _card(rng)
    way = rng.randrange(10)
    if way == 0:
        return number[:14] + "****"
    if way == 1:
        return number[:6] + number[8:17]
    if way in {2, 3}:
        return _wrong(rng, number)
    return _written(rng, number.lower() if way == 4 else number, (6, 14))


def _mobile(rng: Rng) -> str:
    return "1" + rng.choice("3456789") + _digits(rng, 9)


def phone(rng: Rng) -> str:
    return rng.choice(["", "", "", "+86 ", "86-"]) + _written(rng, _mobile(rng), (3, 7))


def id_glued(rng: Rng) -> str:
    return rng.choice([_card(rng) + _mobile(rng), _mobile(rng) + _card(rng), _card(rng) + _digits(rng, 2)])


def _luhn(rng: Rng, length: int) -> str:
    body = rng.choice(["622848", "621799", "622202", "620522", "623059"]) + _digits(rng, length - 7)
    total = 0
    for n, c in enumerate(reversed(body)):
        doubled = int(c) * 2 if n % 2 == 0 else int(c)
        total += doubled - 9 if doubled > 9 else doubled
    return body + str(-total % 10)


def bank_card(rng: Rng) -> str:
    number = _luhn(rng, rng.choice([16, 19]))
    return _written(rng, number, tuple(range(4, len(number), 4)))


def account(rng: Rng) -> str:
    return rng.choice("123578") + _digits(rng, rng.randint(11, 20))


def address(rng: Rng) -> str:
    n = rng.randint(1, 199)
    return rng.choice(
        [
            f"{rng.choice(_STREETS)}{n}号院{rng.randint(1, 20)}号楼{rng.randint(1, 6)}单元{rng.randint(101, 1805)}室",
            f"城关镇{rng.choice('李王张')}家胡同{n}号",
            f"{rng.choice(_STREETS)}{n}号",
            f"{rng.choice(_VILLAGES)}村{rng.choice('一二三四')}组{n}号",
            room(rng),
        ]
    )


def room(rng: Rng) -> str:
    flat = rng.randint(1, 6) * 100 + rng.randint(1, 4)
    block, unit = rng.randint(1, 30), rng.randint(1, 5)
    return rng.choice(_ESTATES) + rng.choice(
        [f"{block}号楼{unit}单元{flat}室", f"{block}栋{flat}", f"{block}-{unit}-{flat}"]
    )


def quantity(rng: Rng) -> str:
    return f"{rng.randint(10, 9999)}.{rng.randint(1, 999)}"


def amount(rng: Rng) -> str:
    yuan = rng.choice([rng.randint(10, 999), rng.randint(1000, 99999), rng.randint(100_000, 9_999_999)])
    return rng.choice([f"{yuan}", f"{yuan}.{rng.randint(0, 99):02}", f"{yuan:,}.{rng.randint(0, 99):02}"])


def date(rng: Rng) -> str:
    year, month, day = rng.randint(2015, 2026), rng.randint(1, 12), rng.randint(1, 28)
    return rng.choice(
        [
            f"{year}年{month}月{day}日",
            f"{year}-{month:02}-{day:02}",
            f"{year}.{month}.{day}",
            f"{year}{month:02}{day:02}",
        ]
    )


def _any(*choices: str) -> Callable[[Rng], str]:
    return lambda rng: rng.choice(choices)


SLOTS: Final[dict[str, Callable[[Rng], str]]] = {
    "id_card": id_card,
    "id_glued": id_glued,
    "disability": lambda r: _card(r) + r.choice("1234567") + r.choice("1234"),
    "phone": phone,
    "landline": lambda r: (
        r.choice(["0417", "024", "0411", "010"]) + r.choice(["-", "", " ", "\uff0d"]) + "8" + _digits(r, 7)
    ),
    "local_phone": lambda r: r.choice("2345678") + _digits(r, r.choice([6, 7])),
    "bank_card": bank_card,
    "account": account,
    "social": lambda r: r.choice("ABCDEFGH") + _digits(r, 8),
    "address": address,
    "room": room,
    "illness": _any(*_ILL),
    "grade": _any(*"一二三四"),
    "disability_type": _any("肢体", "视力", "听力", "智力", "精神", "言语"),
    "plate": lambda r: (
        r.choice("辽吉黑京冀鲁")
        + r.choice("ABCDEFGH")
        + r.choice(["", "·", " "])
        + r.choice("ABCDE0123456789")
        + _digits(r, 4)
    ),
    "wechat": lambda r: r.choice(["wx_", "abc", "zhang", "li-"]) + _digits(r, 6),
    "mail": lambda r: (
        r.choice(["zhang", "li.si", "wang_wu"]) + _digits(r, 3) + r.choice(["@163.com", "@qq.com", "@sina.com.cn"])
    ),
    "qq": lambda r: r.choice("123456789") + _digits(r, r.randint(5, 9)),
    "age": lambda r: str(r.randint(1, 17)),
    "name": lambda r: r.choice(_SURNAMES) + r.choice(_GIVEN),
    "village": _any(*_VILLAGES),
    "n": lambda r: str(r.randint(1, 300)),
    "amount": amount,
    "quantity": quantity,
    "date": date,
    "credit_code": lambda r: (
        r.choice(["91", "92", "52", "54"])
        + r.choice(_AREAS)
        + r.choice(["MA", "MJ", "N2"])
        + _digits(r, 7)
        + r.choice("0123456789ABCDEFGHJKLMNPQRTUWXY")
    ),
    "contract": lambda r: r.choice(
        [f"2026-0881-{_digits(r, 4)}", f"GZ-2026-{_digits(r, 5)}", f"2026{_digits(r, 8)}", f"盖合{_digits(r, 8)}"]
    ),
    "voucher": lambda r: _day(r, 2020, 2026) + _digits(r, 4),
    "invoice_code": lambda r: "0" + _digits(r, 11) if r.random() < 0.5 else "21" + _digits(r, 8),
    "invoice_no": lambda r: _digits(r, 8),
    "project": lambda r: r.choice(
        [f"210881{_day(r, 2020, 2026)}{_digits(r, 4)}", f"2026-210881-{_digits(r, 2)}-{_digits(r, 6)}"]
    ),
    "registration": lambda r: "21088160001" + _digits(r, 4),
    "hotline": _any("12388", "12345", "12317", "110"),
    "service_line": lambda r: r.choice(["400-820-8820", "95598", "4006700700", "800-810-8888", "96566"]),
    "big": lambda r: _mobile(r)[:10],
    "plot": lambda r: f"G2026-{r.randint(1, 99)}号",
    "meter": lambda r: _digits(r, r.choice([8, 10, 12])),
    "order": lambda r: _day(r, 2020, 2026) + _digits(r, r.choice([6, 10, 14])),
    "land": lambda r: _digits(r, r.choice([5, 8])),
}
