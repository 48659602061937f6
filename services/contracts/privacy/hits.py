"""What the detector says: kinds, the words for them, places in a text. Never what stands there."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

#: Terms: docs/glossary.md; what each takes in: docs/privacy.md.
Kind = Literal["id_card", "bank_card", "account", "phone", "address", "health", "minor", "plate", "contact", "name"]

WORDS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        "id_card": "身份证号",
        "bank_card": "银行卡号",
        "account": "账号",
        "phone": "电话号码",
        "address": "住址",
        "health": "病情或残疾情况",
        "minor": "未成年人的情况",
        "plate": "车牌号",
        "contact": "微信、QQ或邮箱",
        "name": "姓名",
    }
)
#: What its author may explain: it is often lawful, and the web masks it in any case. All else needs a reviewer.
EXPLAINABLE: Final[frozenset[Kind]] = frozenset({"name", "health", "minor"})


class Hit(NamedTuple):
    """Something found; `start` and `end` are offsets into the text as it was given, end not included."""

    kind: Kind
    start: int
    end: int
