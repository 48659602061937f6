"""What a correction changed, place by place, in plain words. It sees only what everybody may read of both editions."""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from services.contracts.account import account_words
from services.contracts.alignment import Aligner
from services.contracts.bodies import Body, Table
from services.contracts.words import CONTRACT_TYPES, DIRECTIONS, MEETINGS, METHODS, STANDINGS, TENDERS
from services.publish.render.masking import CIRCLED
from services.publish.render.words import amount

_MOST: Final = 30
_LONGEST: Final = 40
#: Equal names are numbered anew when a row comes or goes: that is no change.
_NUMBERS: Final = dict.fromkeys(map(ord, CIRCLED))
_ROWS: Final = {
    "lines": "笔",
    "accounts": "个账户",
    "entries": "户（人）",
    "rows": "行",
    "paragraphs": "段",
    "steps": "步",
    "funds": "笔资金",
    "bids": "个报价",
    "payments": "笔付款",
    "instalments": "期交款",
}
_LABELS: Final = {
    "amount_fen": "金额",
    "opening_fen": "期初",
    "closing_fen": "期末",
    "income_fen": "收入合计",
    "expense_fen": "支出合计",
    "entries": "户数",
    "people": "人数",
    "summary": "事由",
    "date": "日期",
    "occurred_on": "发生日期",
    "direction": "收支方向",
    "payee": "收款人、交款人",
    "account": "账户",
    "to_account": "转入账户",
    "method": "方式",
    "category": "科目、类别",
    "voucher": "凭证",
    "handler": "经手人",
    "attestor": "证明人",
    "approver": "审批人",
    "name": "姓名、名称",
    "group": "小组",
    "household_size": "人口",
    "days": "工数",
    "rate_fen": "每工",
    "goods": "物品",
    "votes": "得票、表决",
    "standing": "选举结果",
    "remark": "说明",
    "note": "说明",
    "title": "标题",
    "standard": "标准",
    "party": "对方",
    "subject": "标的",
    "area_mu": "面积",
    "signed_on": "签订日期",
    "begins": "开始日期",
    "ends": "到期日期",
    "due": "应交日期",
    "total_fen": "总价",
    "annual_fen": "每年",
    "budget_fen": "预算",
    "contract_fen": "合同价",
    "settled_fen": "结算价",
    "contractor": "施工方",
    "bidder": "投标单位",
    "won": "中标",
    "source": "来源",
    "scope": "建设内容",
    "tender": "发包方式",
    "type": "种类",
    "outsider": "对方是不是本村成员",
    "acceptance": "验收意见",
    "tendered_on": "招标日期",
    "started_on": "开工日期",
    "finished_on": "完工日期",
    "accepted_on": "验收日期",
    "meeting": "会议",
    "held_on": "开会日期",
    "resolution": "决定",
    "implementation": "实施情况",
    "posted_from": "公示开始",
    "posted_until": "公示结束",
    "signed_by": "落款",
    "attachments": "附件",
    "pictures": "凭证图",
    "contract_no": "合同编号",
}
#: Members of closed sets, by field; a contract's `method` is a text of its own and stays as it is.
_CODED: Final[Mapping[str, Mapping[Any, str]]] = MappingProxyType(
    {
        "direction": DIRECTIONS,
        "method": METHODS,
        "tender": TENDERS,
        "meeting": MEETINGS,
        "type": CONTRACT_TYPES,
        "standing": STANDINGS,
    }
)
_YES_NO: Final = MappingProxyType({True: "是", False: "不是"})


def what_changed(before: Body, after: Body) -> tuple[str, ...]:
    """Sentences on what differs between two editions, both masked; the first thirty."""
    if before.kind != after.kind:
        return ("整份内容换了一种写法。",)
    heads = [c.name for c in after.columns] if isinstance(after, Table) else []
    found = list(_fields(_plain(before), _plain(after), "", heads))
    rest = len(found) - _MOST
    return (*found[:_MOST], f"另外还有{rest}处不同。") if rest > 0 else tuple(found)


def _plain(body: Body) -> dict[str, Any]:
    text = body.model_dump_json(exclude={"kind", "checks", "columns"})
    plain: dict[str, Any] = json.loads(text.translate(_NUMBERS))
    return plain


def _fields(before: Mapping[str, Any], after: Mapping[str, Any], place: str, heads: Sequence[str]) -> Iterator[str]:
    """Differences of two records with the same fields."""
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if name in _ROWS and isinstance(old, list) and isinstance(new, list):
            yield from _rows(name, old, new, heads)
        elif isinstance(old, dict) and isinstance(new, dict) and name in {"totals", "table", "votes"}:
            yield from _fields(old, new, place, heads)
        else:
            yield f"{place}{_differs(name, old, new)}"


def _differs(name: str, old: Any, new: Any) -> str:
    label = _LABELS.get(name, "其他内容")
    if isinstance(old or new, dict | list) or name not in _LABELS:
        return f"{label}改了。"
    return f"{label}由{_said(name, old)}改为{_said(name, new)}。"


def _said(name: str, value: Any) -> str:
    if value is None:
        return "空白"
    if name.endswith("_fen") and isinstance(value, int):
        return amount(value)
    if isinstance(value, bool):
        return f"“{_YES_NO[value]}”"
    text = account_words(value) if name in {"account", "to_account"} else _CODED.get(name, {}).get(value, str(value))
    return f"“{text[:_LONGEST]}{'…' if len(text) > _LONGEST else ''}”"


def _rows(name: str, before: list[Any], after: list[Any], heads: Sequence[str]) -> Iterator[str]:
    """Rows changed, added, taken out; a row is told by its number in the edition that has it, and by its words."""
    old, new = ([json.dumps(row, sort_keys=True) for row in rows] for rows in (before, after))
    unit = _ROWS[name]
    for i, j, k, m in Aligner().changed(old, new):
        paired = min(j - i, m - k)
        for n in range(paired):
            if before[i + n] == after[k + n]:
                # Alike by place, in a list that was too long to be aligned well.
                continue
            yield from _row(f"第{k + n + 1}{unit}{_name(after[k + n])}", before[i + n], after[k + n], heads)
        for n in range(i + paired, j):
            yield f"删去原来的第{n + 1}{unit}{_words(before[n])}。"
        for n in range(k + paired, m):
            yield f"新增第{n + 1}{unit}{_words(after[n])}。"


def _row(place: str, before: Any, after: Any, heads: Sequence[str]) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _fields(before, after, f"{place}：", heads)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after) == len(heads):
        changed = [head for head, old, new in zip(heads, before, after, strict=True) if old != new]
        yield f"{place}：{'、'.join(changed)}改了。"
    else:
        yield f"{place}改了文字。"


def _name(row: Any) -> str:
    """What a row is about, in short."""
    word: Any = None
    if isinstance(row, dict):
        word = next((row[n] for n in ("summary", "name", "source", "bidder", "note") if row.get(n)), None)
    elif isinstance(row, list) and row:
        word = row[0]
    return f"“{word[:_LONGEST]}”" if isinstance(word, str) else ""


def _words(row: Any) -> str:
    """A row's name with its amount, where it has one."""
    fen = row.get("amount_fen") if isinstance(row, dict) else None
    return _name(row) + (amount(fen) if isinstance(fen, int) else "")
