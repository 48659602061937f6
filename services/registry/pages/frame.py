"""What the registry's pages share: the frame with its navigation and the words of roles and affairs."""

from types import MappingProxyType
from typing import Any, Final

from fastapi import Request, Response

from services.contracts.base import Role
from services.kit.auth import Actor
from services.kit.pages import Pages

STATIC: Final = "/registry/static"
ROLES: Final = MappingProxyType(
    {
        Role.CLERK: "报账员",
        Role.ACCOUNTANT: "代理会计",
        Role.PRINCIPAL: "村集体负责人",
        Role.SUPERVISOR: "村务监督委员会",
        Role.REVIEWER: "镇街审核员",
        Role.DEPARTMENT: "业务主管部门",
        Role.INSPECTOR: "纪检监察干部",
        Role.OPERATOR: "平台管理员",
    }
)
AFFAIRS: Final = MappingProxyType({"party": "党务公开", "village": "村务公开", "finance": "财务公开"})


def nav_of(actor: Actor) -> tuple[tuple[str, str], ...]:
    """The registry's pages that a role has."""
    own = (("/account", "我的账号"),)
    reading = (("/admin/divisions", "区划"), ("/admin/catalogue", "公开目录"), ("/admin/calendar", "日历和期限"))
    if actor.role is Role.OPERATOR:
        actions = (("/admin/actions", "操作记录"),)
        return (("/admin/staff", "账号"), ("/admin/import", "导入账号"), *actions, *reading, *own)
    if actor.role is Role.REVIEWER:
        return (("/admin/staff", "账号"), *reading, *own)
    if actor.role is Role.INSPECTOR:
        return (("/admin/actions", "操作记录"), *reading, *own)
    return (*reading, *own)


def page(request: Request, actor: Actor, template: str, **values: Any) -> Response:
    """Render one of the registry's pages for somebody who is signed in."""
    pages: Pages = request.app.state.pages
    frame: dict[str, Any] = {"static": STATIC, "actor": actor, "nav": nav_of(actor), "here": request.url.path}
    return pages.answer(template, **frame, roles=ROLES, affairs=AFFAIRS, role_word=ROLES.get(actor.role, ""), **values)
