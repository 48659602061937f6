"""Personal data in a JSON-like value: which field, which characters, in the words of the form. Pure."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from services.contracts.base import Finding
from services.contracts.privacy.covering import mask
from services.contracts.privacy.detecting import detect
from services.contracts.privacy.hits import EXPLAINABLE, WORDS, Hit
from services.contracts.privacy.persons import person_hits
from services.contracts.privacy.reading import APART

#: What the fields of bodies are called on the form; a test compares them with the form.
FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "title": "标题",
        "summary": "摘要",
        "category": "科目",
        "payee": "收款人",
        "payee_ref": "收款人代号",
        "household": "家庭代号",
        "card_tail": "卡号后四位",
        "account": "账户",
        "to_account": "转入账户",
        "handler": "经手人",
        "attestor": "证明人",
        "approver": "审批人",
        "approver_role": "审批人职务",
        "voucher.word": "凭证字",
        "invoice.code": "发票代码",
        "invoice.no": "发票号码",
        "invoice.seller": "开票单位",
        "resolution_id": "会议决议编号",
        "contract_no": "合同编号",
        "standard": "依据和标准",
        "name": "姓名",
        "group": "村民小组",
        "goods": "实物",
        "remark": "备注",
        "signed_by": "落款单位",
        "resolution": "决定内容",
        "implementation": "实施情况",
        "party": "承包方、承租方或受让方",
        "subject": "标的",
        "method": "方式",
        "scope": "建设内容",
        "contractor": "施工方",
        "acceptance": "验收意见",
        "source": "来源",
        "bidder": "单位",
        "note": "说明",
        "unit": "单位",
        "reason": "原因",
    }
)
#: What the rows of lists are called when they have no fields, or not only.
_LISTS: Final = MappingProxyType(
    {
        "paragraphs": "正文第{}段",
        "columns": "第{}列",
        "attachments": "第{}个附件",
        "pictures": "第{}张凭证图",
        "steps": "议事步骤第{}行",
        "funds": "资金来源第{}行",
        "bids": "投标第{}行",
        "payments": "付款第{}行",
        "accounts": "账户余额第{}行",
        "names": "第{}个姓名",
    }
)
#: Fields in which people write as they like. Cells for names are masked by the catalogue's rule and need no finding.
_PROSE: Final = frozenset(
    {
        *("summary", "remark", "goods", "standard", "title", "paragraphs", "resolution", "note", "implementation"),
        *("subject", "scope", "acceptance", "reason", "category"),
    }
)
#: Room for `at` of a finding (ShortText).
_LONGEST_PATH: Final = 200
#: Letters and digits alone say nothing when they are so few: `out`, `cash`.
_TOO_SHORT: Final = 5
_HOLDS_TEXT: Final = (str, dict, list, tuple)
#: Numbers of things with fewer digits are no telephone.
_LARGE: Final = 10**10


class Place(NamedTuple):
    """One text of a value with what was found in it. `keys` lead to it from the value."""

    at: str
    keys: tuple[str | int, ...]
    where: str
    text: str
    hits: tuple[Hit, ...]


#: The way to a value as a chain towards the root, the last key first: only of what is found the path is written.
_Way = tuple[Any, str | int] | None


def places(value: Any, at: str) -> Iterator[Place]:
    """Every text of a value, and every large number that is no amount, in which something is found, in order.

    All texts are looked at in one go: a ledger is hundreds of short ones. Keys of objects are the models' own words.
    """
    leaves = list(_leaves(value))
    starts, end = [], 0
    for text, _, _ in leaves:
        starts.append(end)
        end += len(text) + 1
    by_leaf: dict[int, list[Hit]] = {}
    for hit in detect(APART.join([text for text, _, _ in leaves])):
        n = bisect_right(starts, hit.start) - 1
        by_leaf.setdefault(n, []).append(Hit(hit.kind, hit.start - starts[n], hit.end - starts[n]))
    for n, (text, way, is_prose) in enumerate(leaves):
        hits = by_leaf.get(n, [])
        if is_prose and not text.isascii():
            hits = person_hits(text, hits)
        if hits:
            keys = _keys(way)
            yield Place(_path(keys, at), keys, _where(keys, value), text, tuple(hits))


def findings(value: Any, at: str) -> Iterator[Finding]:
    """A finding for each kind in each text of a value, in order; `at` names the value, such as `body`.

    Paths below it read `body.lines[3].summary`. A message tells the field in the form's words, which characters and who
    may let it stand, and never repeats them. Codes: `privacy.` and the kind.
    """
    for place in places(value, at):
        for kind in dict.fromkeys(hit.kind for hit in place.hits):
            hits = [hit for hit in place.hits if hit.kind == kind]
            who = "确需公开的，请写明原因" if kind in EXPLAINABLE else "确需公开的，只有镇街审核员可以同意"
            message = (
                f"{place.where}里好像有{WORDS[kind]}（{_characters(hits)}）。公开后人人可见，请删去或遮盖；{who}。"
            )
            yield Finding(code=f"privacy.{kind}", at=place.at, message=message, start=hits[0].start, end=hits[0].end)


def _characters(hits: list[Hit]) -> str:
    first = hits[0]
    span = f"第{first.start + 1}–{first.end}个字" if first.end - first.start > 1 else f"第{first.end}个字"
    return span if len(hits) == 1 else f"{span}，共{len(hits)}处"


def _leaves(value: Any) -> Iterator[tuple[str, _Way, bool]]:
    """Texts with the way to each, and whether people write there as they like."""
    waiting: list[tuple[Any, _Way, tuple[str, ...], bool]] = [(value, None, (), True)]
    while waiting:
        inner, way, types, is_prose = waiting.pop()
        if isinstance(inner, str):
            if not inner.isascii() or (len(inner) > _TOO_SHORT and not _is_day(inner)):
                yield inner.replace(APART, " ") if APART in inner else inner, way, is_prose
        elif isinstance(inner, dict):
            columns = _column_types(inner)
            for key, child in reversed(inner.items()):
                if isinstance(child, _HOLDS_TEXT):
                    waiting.append((child, (way, key), columns, key in _PROSE))
                elif isinstance(child, int) and abs(child) >= _LARGE:
                    number = _number(child, is_amount=str(key).endswith("_fen"))
                    waiting.append((number, (way, key), columns, False))
        elif isinstance(inner, (list, tuple)):
            waiting += reversed([*_cells(inner, way, types, is_prose=is_prose)])


def _cells(
    inner: list[Any] | tuple[Any, ...], way: _Way, types: tuple[str, ...], *, is_prose: bool
) -> Iterator[tuple[Any, _Way, tuple[str, ...], bool]]:
    for n, child in enumerate(inner):
        kind = types[n] if n < len(types) else ""
        if isinstance(child, _HOLDS_TEXT):
            yield child, (way, n), types, is_prose or (kind == "text" and isinstance(child, str))
        elif isinstance(child, int) and abs(child) >= _LARGE:
            yield _number(child, is_amount=kind == "amount"), (way, n), types, False


def _is_day(text: str) -> bool:
    return len(text) == 10 and text[4] == text[7] == "-" and text[:4].isdigit()  # noqa: PLR2004 - as in 2026-10-03


def _column_types(inner: dict[Any, Any]) -> tuple[str, ...]:
    """What stands in each column of a table."""
    if "columns" not in inner or not isinstance(inner["columns"], (list, tuple)):
        return ()
    return tuple(str(c.get("type", "text")) if isinstance(c, dict) else "" for c in inner["columns"])


def _number(number: int, *, is_amount: bool) -> str:
    """A number as it was typed: an amount of whole yuan without its fen, for no village has a hundred million of them."""
    if not is_amount:
        return str(number)
    return str(number // 100) if number % 100 == 0 else ""


def _keys(way: _Way) -> tuple[str | int, ...]:
    keys: list[str | int] = []
    while way is not None:
        way, key = way
        keys.append(key)
    return tuple(reversed(keys))


def _path(keys: tuple[str | int, ...], at: str) -> str:
    path = at
    for key in keys:
        longer = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{mask(str(key))}"
        if len(longer) > _LONGEST_PATH:
            break
        path = longer
    return path


def _where(keys: tuple[str | int, ...], value: Any) -> str:
    """The field in the words of the form: 第3行“摘要”."""
    names = [key for key in keys if isinstance(key, str)]
    counts = [n + 1 for n in keys if isinstance(n, int)]
    last = names[-1] if names else ""
    if last == "rows" and len(counts) >= 2:  # noqa: PLR2004 - row and column
        return f"第{counts[-2]}行“{_column(keys, value)}”"
    field = FIELDS.get(".".join(names[-2:])) or FIELDS.get(last)
    if isinstance(keys[-1] if keys else None, int):
        return _LISTS.get(last, "第{}项").format(counts[-1])
    owner = names[-2] if len(names) > 1 and counts else ""
    row = _LISTS.get(owner, "第{}行").format(counts[-1]) if counts else ""
    return f"{row}“{field}”" if field else row or "这里"


def _column(keys: tuple[str | int, ...], value: Any) -> str:
    inner = value
    for key in keys[: keys.index("rows")]:
        inner = inner[key]
    columns, n = inner.get("columns") or (), keys[-1]
    name = columns[n].get("name") if isinstance(n, int) and n < len(columns) else None
    return mask(str(name)) if name else f"第{int(n) + 1}列"
