"""Accounts of money among the titles of a chart of accounts; pure."""

import re
from typing import Final

from services.contracts.account import ACCOUNTS
from services.ingest.bulk.cells import plain

_KINDS: Final = (
    ("cash", re.compile(r"^(库存)?现金"), re.compile(r"^1001|^101(?!\d)")),
    ("bank", re.compile(r"^(银行存款|存款|银行|专用存款)"), re.compile(r"^1002|^102(?!\d)")),
    ("imprest", re.compile(r"^备用金"), re.compile(r"^$")),
)
#: Of an account of a unit the number is nobody's business on a page.
_NUMBERS: Final = re.compile(r"[（(【\[]?[\d*\uff0axX\s-]{6,}[）)】\]]?")
_LONGEST: Final = 20


def account_of(title: str, code: str = "") -> str | None:
    """The account of money that a title or a code means: `银行存款 - 信用社（6200…18）` -> `bank:信用社`; None for other titles."""
    text, number = plain(title), re.sub(r"\s", "", plain(code))
    for kind, named, coded in _KINDS:
        is_coded = bool(number) and coded.match(number) is not None
        if named.match(text) or (is_coded and (not text or _may_be(kind, text))):
            rest = named.sub("", text, count=1) if named.match(text) else text
            name = _name_of(rest)
            return f"{kind}:{name}" if name else kind
    return None


def _may_be(kind: str, text: str) -> bool:
    """Tell whether a title that does not begin with the account's word may be one below it: 河口信用社 of 1002.01."""
    return kind != "cash" and not re.search(r"费用|收入|支出|应[收付]|工资|资产|资本|公积", text)


def _name_of(rest: str) -> str:
    name = re.sub(r"\s|[:：]", "", _NUMBERS.sub("", rest)).strip("-—_/\\.·、>()（）")
    return re.sub(r"^账户$|^日记账$|^账$|^明细账?$", "", name)[:_LONGEST]


def account_named(text: str) -> str | None:
    """The account that a title above a table names: `银行存款日记账` -> `bank`; None when it names none, or several."""
    found = {code for code, word in ACCOUNTS.items() if word in text.replace(" ", "")}
    if not found and re.search(r"现金(日记)?账", text):
        found = {"cash"}
    return found.pop() if len(found) == 1 else None


def title_of(text: str) -> str:
    """A title of the books as lines show it: without numbers of accounts, levels joined by a dash."""
    parts = [p.strip() for p in re.split(r"\s*[-—/\\_>]+\s*", _NUMBERS.sub("", plain(text))) if p.strip(" （）()")]
    return "-".join(parts)[:200]
