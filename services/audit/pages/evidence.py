"""Facts of an evidence pack as rows that people read: words, values, and where each can be looked up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.contracts.values import yuan
from services.contracts.words import CONTRACT_TYPES, HOLDERS, MEETINGS, RELEASES
from services.kit.pages import local_time
from services.kit.reference import Reference

#: What stands before the one that is judged: the period before, or of a correction the edition before.
_BEFORE = "上期"
_BEFORE_OF_EDITIONS = "前一版"
_OF_EDITIONS = frozenset({"edition", "figures", "noted"})
_FIELDS: Mapping[str, str] = {
    "income_stated_fen": "收入合计（填写）",
    "expense_stated_fen": "支出合计（填写）",
    "income_lines_fen": "收入逐笔相加",
    "expense_lines_fen": "支出逐笔相加",
    "opening_fen": "期初余额",
    "income_fen": "收入",
    "expense_fen": "支出",
    "transfer_in_fen": "划入",
    "transfer_out_fen": "划出",
    "closing_fen": "期末余额",
    "item": "公开事项",
    "period": "公开期",
    "due": "最迟公开日",
    "due_at": "逾期起算",
    "applies": "本村有此项",
    "history": "补录期",
    "waived": "已备案不公开",
    "first_published_at": "首次公开",
    "held_by": "办理环节",
    "is_open": "本期已公开",
    "before_is_open": "上期已公开",
    "before_period": "对照的公开期",
    "adjoining": "与本期相邻",
    "renamed": "只换了账户名，钱数一样",
    "dropped": "更正后少列了账户",
    "correcting": "上期正在更正",
    "now": "本级起算",
    "nil": "申报本期无发生",
    "held_since": "自何日起",
    "has_row": "有录入或申报",
    "handed_over_at": "提交并核对完毕",
    "decided_at": "审核或退回",
    "edition": "第几版",
    "figures": "数字摘要",
    "noted": "写了更正说明",
    "submitted_by": "提交人",
    "approved_by": "审核人",
    "release": "公开方式",
    "delegation": "委托文件",
    "reset_account": "被重置密码的账号",
    "reset_by": "重置密码的人",
    "reset_at": "重置时间",
    "used_at": "使用账号的时间",
    "approved_at": "审核时间",
    "handed_in": "用账号提交",
    "released": "内容可读",
    "withdrawn_by": "撤回人",
    "recent": "30 天内第几次撤回",
    "restored": "撤回后又恢复",
    "entered_anew": "撤回后重新录入",
    "figures_changed": "重新录入时改了数字",
    "answer_by": "答复期限",
    "holder": "由谁答复",
    "answered_at": "答复时间",
    "hidden": "提问已被隐藏",
    "line": "第几行",
    "amount_fen": "金额",
    "word": "第几种凭证字",
    "number": "凭证号",
    "numbered": "写了凭证号的行数",
    "day": "记账日期",
    "person": "名单里第几个人",
    "days": "工数",
    "period_days": "这一期的天数",
    "twice": "与前面完全相同的行数",
    "stated_fen": "合计（填写）",
    "rows_fen": "逐行相加",
    "contract_fen": "合同价",
    "bid_fen": "中标价",
    "settled_fen": "结算金额",
    "paid_fen": "已付款",
    "type": "合同类型",
    "begins": "起始日",
    "ends": "到期日",
    "meeting": "开会的组织",
    "entitled": "应到",
    "present": "实到",
    "in_favour": "同意",
    "notice_days": "规定的公示天数",
    "posted_from": "公示起",
    "posted_until": "公示止",
}
#: What follows from the catalogue and the calendar; the rest is what happened, or did not.
_OWED = frozenset({"item", "period", "due", "answer_by", "due_at", "applies", "history", "now", "notice_days"})
_VALUES: Mapping[Any, str] = {
    **HOLDERS,
    **RELEASES,
    **MEETINGS,
    **CONTRACT_TYPES,
    None: "无",
}
_PEOPLE = frozenset({"submitted_by", "approved_by", "reset_account", "reset_by", "withdrawn_by"})
#: What stands on no public page.
_OF_STAFF = _PEOPLE | {"delegation", "release", "reset_at", "used_at", "handed_in", "recent"}
_INSIDE = "办理记录（不公开）"
_ROW = re.compile(r"\[([0-9]+)\]$")
PERSON = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class ShownFact:
    """A fact as a row of the table: words, value, and the disclosure that it can be looked up in, else its source."""

    name: str
    value: str
    source: str
    disclosure: str | None


def shown_fact(fact: list[Any], sources: Mapping[str, str], reference: Reference) -> ShownFact:
    """One fact of a pack; `sources` tells the disclosure behind each event."""
    event, name, value = fact
    part, _, field = name.rpartition(".")
    words = _FIELDS.get(field, field)
    if part == "before":
        words = (_BEFORE_OF_EDITIONS if field in _OF_EDITIONS else _BEFORE) + words
    if row := _ROW.search(part):
        words = f"第 {int(row[1]) + 1} 项：{words}"
    if field in _PEOPLE and value in reference.staff:
        value = reference.staff[value].called
    source = _INSIDE if field in _OF_STAFF else "公开目录与历法" if field in _OWED else "公开记录"
    disclosure = sources.get(event) if event and field not in _OF_STAFF else None
    return ShownFact(words, _value_words(field, value), source, disclosure)


def _value_words(field: str, value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if field == "days":
        return f"{int(value) / 10_000:g} 天"
    if field.endswith("_fen") and value is not None:
        return f"{yuan(int(value))} 元"
    if field.endswith("_at") or field == "now":
        return local_time(datetime.fromisoformat(value)) if value else _VALUES[None]
    return _VALUES.get(value, str(value))
