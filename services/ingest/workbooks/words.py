"""What columns are called by accounting programs, townships and villages, and what each name means; pure."""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from services.ingest.bulk.cells import plain


class Shape(StrEnum):
    """What a table is: movements of money, entries of vouchers, people, balances of an account chart, anything else."""

    LEDGER = "ledger"
    VOUCHERS = "vouchers"
    ROSTER = "roster"
    BALANCES = "balances"
    TABLE = "table"


#: What a column means (its role) with the word that pages show for it.
ROLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "date": "日期",
        "month": "月",
        "day": "日",
        "period": "期间",
        "voucher": "凭证号",
        "voucher_word": "凭证字",
        "summary": "摘要",
        "in": "收入",
        "out": "支出",
        "debit": "借方",
        "credit": "贷方",
        "amount": "金额",
        "direction": "收支或借贷",
        "balance": "余额",
        "balance_side": "余额方向",
        "account": "账户",
        "to_account": "转入账户",
        "code": "科目代码",
        "title": "科目名称",
        "contra": "对方科目",
        "payee": "收款人",
        "handler": "经手人",
        "attestor": "证明人",
        "approver": "审批人",
        "method": "付款方式",
        "status": "状态",
        "village_code": "村代码",
        "village": "村名",
        "name": "姓名",
        "group": "村民小组",
        "people": "人口",
        "category": "类别",
        "days": "工数、数量",
        "rate": "标准、单价",
        "goods": "实物",
        "remark": "备注",
        "opening": "期初余额",
        "closing": "期末余额",
        "opening_debit": "期初借方",
        "opening_credit": "期初贷方",
        "closing_debit": "期末借方",
        "closing_credit": "期末贷方",
        "private": "个人信息（不带入）",
        "ignore": "不带入",
    }
)

_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "date": "日期 记账日期 凭证日期 业务日期 制单日期 填制日期 发生日期 交易日期 收付日期 入账日期 时间 年月日",
        "month": "月 月份 日期/月 年/月 2026年/月",
        "day": "日 日期/日 年/日",
        "period": "会计期间 期间 会计月份 所属期 所属期间 公开期 所属月份 会计年月 年月 账期",
        "voucher": "凭证号 凭证编号 凭证字号 凭证号数 凭证 号 号数 凭证/号 凭证/号数 凭证/编号 记账凭证号 凭单号 字号 记账凭证/号 凭证/字号 记账凭证/字号",
        "voucher_word": "凭证字 字 凭证/字 凭证类别 凭证类型 凭证/种类 记账凭证/字 种类",
        "summary": "摘要 事由 用途 内容摘要 业务摘要 收支摘要 收支内容 收支事项 业务内容 经济业务内容 摘要说明 事项 收支项目 款项内容 交易摘要",
        "in": "收入 收入金额 收入/金额 收 收方 收入额 本期收入 收方金额 收入数 进账",
        "out": "支出 支出金额 支出/金额 支 付 付出 付方 支出额 本期支出 付方金额 付款金额 支出数",
        "debit": "借方 借方金额 借 借方发生额 借方/金额 借方本币 本期发生额/借方 本期借方 发生额/借方 借方发生 本期发生/借方 金额/借方",
        "credit": "贷方 贷方金额 贷 贷方发生额 贷方/金额 贷方本币 本期发生额/贷方 本期贷方 发生额/贷方 贷方发生 本期发生/贷方 金额/贷方",
        "amount": "金额 发生额 补贴金额 补助金额 发放金额 用工费 实发金额 应发金额 救助金额 核准救助金额 补贴资金 金额合计 合计金额 资金 实际发放金额 慰问金 到户资金/合计 发放标准金额 小写金额 总金额 补贴总额 保障金 工资 报酬 奖励金额",
        "direction": "收支 收支方向 收支类型 收/支 借贷 借贷方向 收付 借或贷/类别 收付方向",
        "balance": "余额 结存 结余 账面余额 余额/金额 结存金额 本期余额",
        "balance_side": "方向 借或贷 借/贷 余额方向 余额/方向 借贷标志 方向/余额",
        "account": "账户 资金账户 账户名称 资金科目 收付账户 资金账户名称 结算账户",
        "to_account": "转入账户",
        "code": "科目代码 科目编码 科目编号 科目号 会计科目/代码 会计科目/编码 会计科目编码 科目/编码 科目/代码",
        "title": "科目名称 科目 会计科目 总账科目 明细科目 会计科目/名称 科目全称 科目/名称 会计科目名称 一级科目",
        "contra": "对方科目 对方科目名称 对应科目 对方科目全称",
        "payee": "收款人 收款单位 往来单位 收款方 对方单位 付给 领款人 交易对方 收款人名称 收款单位或个人",
        "handler": "经手人 经办人 经办 经手",
        "attestor": "证明人 证明 验收人",
        "approver": "审批人 批准人 审批 签批人",
        "method": "方式 付款方式 结算方式 支付方式 收付方式",
        "status": "状态 凭证状态 单据状态 审核状态",
        "village_code": "村代码 行政村代码 行政村社区代码 村级代码 村社区代码 区划代码 村编码 村级区划代码 单位代码 统计区划代码",
        "village": "村名 村 行政村 村社区 村居 行政村名称 行政村社区名称 单位名称 村名称 村别 村社区名称 所在村 村委会 编制单位",
        "name": "姓名 户主 户名 户主姓名 农户姓名 出工人员 出工人 受益人 享受人 领取人 补贴对象 救助对象 承包人 申请人 户主名 人员姓名 补助对象 候选人 对象姓名",
        "group": "组 小组 村民小组 组别 村组 所在组 村民组 屯",
        "people": "人口 人数 家庭人口 享受人口 人口数 家庭人口数 家庭人数 保障人口 救助人口 户人口",
        "category": "职务 类别 档次 家庭类型 补贴类别 补助类别 人员类别 救助类别 项目 岗位 保障类别 补贴项目 档别 到户方式",
        "days": "天数 工数 出工天数 面积 补贴面积 种植面积 数量 用工数 出工数 工日 亩数 发放面积 实际种植面积",
        "rate": "单价 标准 补贴标准 每工 元/日 发放标准 日工资 补助标准 亩均/元 亩均 工价 日工价",
        "goods": "物品 实物 品名 发放物品 物资",
        "remark": "备注 说明 附注 备考 附言",
        "opening": "期初余额 期初 上期结余 年初余额 月初余额 上期余额 期初余额/金额",
        "closing": "期末余额 期末 本期结余 月末余额 期末余额/金额",
        "opening_debit": "期初余额/借方 期初/借方 期初借方 期初借方余额 月初余额/借方",
        "opening_credit": "期初余额/贷方 期初/贷方 期初贷方 期初贷方余额 月初余额/贷方",
        "closing_debit": "期末余额/借方 期末/借方 期末借方 期末借方余额 月末余额/借方",
        "closing_credit": "期末余额/贷方 期末/贷方 期末贷方 期末贷方余额 月末余额/贷方",
        "private": "身份证 身份证号 身份证号码 公民身份号码 证件号码 证件号 银行账号 银行卡号 账号 卡号 一卡通账号 一卡通号 开户行 开户银行 联系电话 电话 手机 手机号 手机号码 联系方式 开户银行帐号 开户银行账号 银行帐号 开户银行地址 家庭住址 住址 户籍地址 社保卡号 残疾证号 地址 社会保障卡号 电话号码",
        "ignore": "序号 编号 行次 行号 审核 复核 过账 币别 汇率 原币金额 制单 制单人 审核人 出纳人 核准 过账人 批注 结算号 参考信息 业务日期类 往来业务 附件数 附件张数 附件 系统模块 业务描述 数量单位 签字 签名 领取人签字 盖章 档案号 记账 记账人 年 对账 √ 核对 单据张数 附单据数 页 页数 操作 发放单位 发放方式 村级填报人姓名 村级填报日期",
    }
)

ROLE_OF: Final[Mapping[str, str]] = MappingProxyType(
    {name: role for role, names in _NAMES.items() for name in names.split()}
)
_BRACKETS: Final = re.compile(r"[（(【\[].*?[）)】\]]")
_UNIT: Final = re.compile(r"[（(【\[][^（(【\[]*?(万元|万|元|分)[^）)】\]]*?[）)】\]]|[:：](万元|元)$")
_PRIVATE: Final = re.compile(r"身份证|证件号|身份号|银行[卡账帐]|[卡账帐]号|开户|电话|手机|住址|地址|联系方式|残疾证")
#: Text that names a part of what stands above it in a header.
_PART: Final = re.compile(
    r"其中|小计|合计|金额|数量|单价|方向|[省市县]级.{0,3}|乡镇|地方|面积|标准|人数|户数|起|止|借方|贷方|代码|名称"
)


@lru_cache(maxsize=4096)
def bare(name: str) -> str:
    """A column's name without brackets, blanks and signs around it."""
    return re.sub(r"\s|[:：*\uff0a\"'“”]", "", _BRACKETS.sub("", plain(name)))


def role_of(path: str, learned: Mapping[str, str]) -> str | None:
    """What a column means by its whole name (`日期/月`), then by its last part; None when nobody has said."""
    whole = "/".join(bare(part) for part in path.split("/") if bare(part))
    last = whole.rpartition("/")[2]
    for name in (whole, last):
        if name in learned:
            return learned[name]
        if name in ROLE_OF:
            return ROLE_OF[name]
    if _PRIVATE.search(whole):
        return "private"
    return None


def unit_of(path: str) -> str:
    """`万元` or `元` as the column's name says it; nothing when it says neither."""
    found = _UNIT.search(plain(path))
    word = (found[1] or found[2]) if found else ""
    return "万元" if word.startswith("万") else word


def is_known(name: str, learned: Mapping[str, str]) -> bool:
    """Tell whether a cell is the name of a column."""
    return bool(name) and role_of(name, learned) is not None


def is_part(name: str) -> bool:
    """Tell whether a cell may stand in the lower rows of a header."""
    text = bare(name)
    return bool(text) and (text in ROLE_OF or _PART.fullmatch(text) is not None)
