"""The Chinese words of every closed set, once: form, page, API, prepared file and alert read them from here.

Two readers with words of their own drift apart, and then a clerk picks one meeting and a villager reads another.
`SETS` names all of them, for programs (`GET /api/v1/words`) and for the test that compares the readers.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from services.contracts.account import ACCOUNTS
from services.contracts.base import Role
from services.contracts.bodies import ContractType, Direction, Meeting, Standing, Tender
from services.contracts.catalogue import Affair
from services.contracts.code import CodeKind
from services.contracts.division import DivisionKind
from services.contracts.duties import CellState, GridCell
from services.contracts.question import Paper, QuestionKind, QuestionState
from services.contracts.values import Frequency

ROLE_NAMES: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.CLERK: "报账员",
        Role.ACCOUNTANT: "代理会计",
        Role.PRINCIPAL: "村集体负责人",
        Role.SUPERVISOR: "村监委会成员",
        Role.REVIEWER: "镇街审核员",
        Role.DEPARTMENT: "业务主管部门",
        Role.INSPECTOR: "纪检监察干部",
        Role.OPERATOR: "平台管理员",
        Role.SYSTEM: "系统",
    }
)
#: Whose word an item's confirmation needs (`contracts.disclosure.Party`).
PARTIES: Final[Mapping[str, str]] = MappingProxyType(
    {"supervisors": "村务监督委员会", "principal": "村集体负责人", "accountant": "代理会计"}
)
OPINIONS: Final[Mapping[str, str]] = MappingProxyType({"agree": "核对无误", "dissent": "有不同意见"})
#: Who has to act, or has it now (`contracts.duties.Holder`).
HOLDERS: Final[Mapping[str, str]] = MappingProxyType(
    {"village": "村（社区）", "agency": "代理会计", "township": "镇街", "department": "业务主管部门"}
)
RELEASES: Final[Mapping[str, str]] = MappingProxyType({"approve": "镇街审核后公开", "file": "村里先公开、镇街备案"})
AFFAIRS: Final[Mapping[Affair, str]] = MappingProxyType(
    {Affair.PARTY: "党务公开", Affair.VILLAGE: "村务公开", Affair.FINANCE: "财务公开"}
)
FREQUENCIES: Final[Mapping[Frequency, str]] = MappingProxyType(
    {
        Frequency.MONTHLY: "每月",
        Frequency.QUARTERLY: "每季度",
        Frequency.HALF_YEAR: "每半年",
        Frequency.YEARLY: "每年",
        Frequency.ON_EVENT: "有事就公开",
    }
)
DIVISIONS: Final[Mapping[DivisionKind, str]] = MappingProxyType(
    {
        DivisionKind.CITY: "市",
        DivisionKind.TOWNSHIP: "镇街",
        DivisionKind.VILLAGE: "村",
        DivisionKind.COMMUNITY: "社区",
        DivisionKind.ZONE: "开发区",
    }
)
CELL_STATES: Final[Mapping[CellState, str]] = MappingProxyType(
    {
        CellState.QUESTIONED: "公开存疑",
        CellState.OPENED_LATE: "逾期公开",
        CellState.OPENED: "已公开",
        CellState.NIL: "本期无发生",
        CellState.NOT_APPLICABLE: "不适用",
        CellState.WAIVED: "不公开已备案",
        CellState.IN_PROGRESS: "办理中",
        CellState.NOT_OPENED: "未公开",
        CellState.NOT_DUE: "未到期",
    }
)
#: Bodies that decide. 党支部会议 proposes and 党员大会 deliberates: two different steps of 四议两公开.
MEETINGS: Final[Mapping[Meeting, str]] = MappingProxyType(
    {
        Meeting.VILLAGERS: "村民会议",
        Meeting.REPRESENTATIVES: "村民代表会议",
        Meeting.MEMBERS: "集体经济组织成员大会",
        Meeting.MEMBER_REPRESENTATIVES: "集体经济组织成员代表大会",
        Meeting.COMMITTEE: "村委会会议",
        Meeting.PARTY_BRANCH: "党支部会议",
        Meeting.PARTY_MEMBERS: "党员大会",
        Meeting.TWO_COMMITTEES: "村“两委”会议",
    }
)
CONTRACT_TYPES: Final[Mapping[ContractType, str]] = MappingProxyType(
    {
        ContractType.HOUSEHOLD: "家庭承包",
        ContractType.TRANSFER: "流转",
        ContractType.LEASE: "租赁",
        ContractType.SALE: "处置（出售）",
        ContractType.OTHER: "其他",
    }
)
TENDERS: Final[Mapping[Tender, str]] = MappingProxyType(
    {
        Tender.OPEN: "公开招标",
        Tender.INVITED: "邀请招标",
        Tender.NEGOTIATED: "竞争性谈判",
        Tender.QUOTES: "询价",
        Tender.DIRECT: "直接委托",
        Tender.OWN_LABOUR: "村民自建",
    }
)
DIRECTIONS: Final[Mapping[Direction, str]] = MappingProxyType(
    {Direction.OUT: "支出", Direction.IN: "收入", Direction.TRANSFER: "内部划转"}
)
METHODS: Final[Mapping[str, str]] = MappingProxyType({"cash": "现金", "transfer": "转账", "card": "刷卡"})
STANDINGS: Final[Mapping[Standing, str]] = MappingProxyType({Standing.CANDIDATE: "候选人", Standing.ELECTED: "当选"})
#: What a code on a wall is for; new purposes come in with the codes that have them.
PURPOSES: Final[Mapping[str, str]] = MappingProxyType({"board": "公开栏", "gate": "村口", "card": "入户卡"})

#: The same, finer, as whoever prints and hangs codes reads it.
CODE_KINDS: Final[Mapping[CodeKind, str]] = MappingProxyType(
    {
        CodeKind.BOARD: "公开栏",
        CodeKind.HALL: "村部大厅",
        CodeKind.GATE: "村口",
        CodeKind.HOUSEHOLD: "入户卡",
        CodeKind.ASSET: "资产标签",
        CodeKind.PROJECT: "工程项目",
        CodeKind.CONTRACT: "合同",
        CodeKind.BULLETIN: "月度公开单",
    }
)

#: What villagers ask for, and where it stands (`contracts.question`).
QUESTION_KINDS: Final[Mapping[QuestionKind, str]] = MappingProxyType(
    {
        QuestionKind.DOUBT: "有疑问，请说明",
        QuestionKind.PAPER: "要看一份材料",
        QuestionKind.MISSING: "这里少一份",
    }
)
PAPERS: Final[Mapping[Paper, str]] = MappingProxyType(
    {
        Paper.CONTRACT: "合同",
        Paper.RECEIPT: "票据",
        Paper.MINUTES: "会议记录",
        Paper.ACCOUNTS: "账册",
        Paper.SETTLEMENT: "工程预算、结算",
        Paper.OTHER: "其他材料",
    }
)
QUESTION_STATES: Final[Mapping[QuestionState, str]] = MappingProxyType(
    {
        QuestionState.ASKED: "等村里答复",
        QuestionState.TOWNSHIP: "等镇街答复",
        QuestionState.ANSWERED: "已答复",
        QuestionState.CLOSED: "已办结",
        QuestionState.HIDDEN: "已隐藏",
    }
)
SHOWS: Final[Mapping[str, str]] = MappingProxyType({"question": "公开我的提问", "answer": "只公开答复"})

#: Every set by the name of the field that holds its members.
SETS: Final[Mapping[str, Mapping[Any, str]]] = MappingProxyType(
    {
        "role": ROLE_NAMES,
        "party": PARTIES,
        "opinion": OPINIONS,
        "held_by": HOLDERS,
        "release": RELEASES,
        "affair": AFFAIRS,
        "frequency": FREQUENCIES,
        "division": DIVISIONS,
        "cell": CELL_STATES,
        "meeting": MEETINGS,
        "contract": CONTRACT_TYPES,
        "tender": TENDERS,
        "direction": DIRECTIONS,
        "method": METHODS,
        "account": ACCOUNTS,
        "standing": STANDINGS,
        "purpose": PURPOSES,
        "code_kind": CODE_KINDS,
        "question": QUESTION_KINDS,
        "paper": PAPERS,
        "question_state": QUESTION_STATES,
        "shows": SHOWS,
    }
)


def cell_words(of: GridCell) -> str:
    """How a cell stands; history is never late and has no deadline to wait for, so it is not 未到期."""
    if of.duty.history and of.cell.state is CellState.NOT_DUE:
        return "上线前的，可补公开"
    return CELL_STATES[of.cell.state]
