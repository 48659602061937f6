"""The words that staff pages of several services share (docs/glossary.md); villagers' words are publish's own."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.contracts.base import Role
from services.contracts.catalogue import Affair
from services.contracts.duties import CellState

ROLES: Final[Mapping[Role, str]] = MappingProxyType(
    {
        Role.CLERK: "报账员",
        Role.ACCOUNTANT: "代理会计",
        Role.PRINCIPAL: "村集体负责人",
        Role.SUPERVISOR: "村务监督委员会",
        Role.REVIEWER: "镇街审核员",
        Role.DEPARTMENT: "业务主管部门",
        Role.INSPECTOR: "纪检监察干部",
        Role.OPERATOR: "平台管理员",
        Role.SYSTEM: "系统",
    }
)
AFFAIRS: Final[Mapping[str, str]] = MappingProxyType(
    {Affair.PARTY: "党务公开", Affair.VILLAGE: "村务公开", Affair.FINANCE: "财务公开"}
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
