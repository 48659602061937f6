"""The trail as a page to search, one in each service that staff act in; each shows what was done there."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from services.contracts.values import ShortText
from services.contracts.words import ROLE_NAMES
from services.kit import actions
from services.kit.clock import start_of_day
from services.kit.pages import BlankIsNone, pages_of
from services.kit.route import Route
from services.kit.settings import Settings
from services.kit.trail import LOOKERS, LookingDep, who_is, within_of
from services.kit.visit import Reading, may

PAGE_SIZE: Final = 100
#: Where each service shows its own.
PLACES: Final = (
    ("/admin/actions", "登录、账号、目录"),
    ("/desk/actions", "录入、核对、审核"),
    ("/inspect/actions", "监督"),
    ("/posters/actions", "码和码牌"),
)


#: Actions in words for people: steps, the last word of a route, and what is called by a word alone.
WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "save": "保存",
        "mask": "遮盖",
        "accept": "同意保留",
        "submit": "提交",
        "confirm": "核对",
        "approve": "审核通过",
        "approvals": "批量审核",
        "file": "备案",
        "return": "退回",
        "correct": "更正",
        "discard": "作废",
        "withdraw": "撤回",
        "restore": "恢复",
        "erase": "永久删除",
        "grant": "同意不公开",
        "refuse": "不同意不公开",
        "end": "终止",
        "declare": "季度申报",
        "undo": "撤销",
        "nil": "填报本期无发生",
        "form": "保存",
        "disclosures": "录入",
        "attachments": "上传附件",
        "vouchers": "处理凭证图",
        "imports": "导入",
        "import": "导入账号",
        "apply": "导入生效",
        "waivers": "申请不公开",
        "sheets": "上传核对单",
        "sheet": "打印核对单",
        "difference": "查看改动",
        "staff": "开通账号",
        "change": "修改账号",
        "reset": "重置密码",
        "revoke": "作废",
        "delegations": "登记授权",
        "calendar": "修改日历",
        "password": "改密码",
        "sign-out-everywhere": "全部退出",
        "posters": "打印码牌",
        "sign-in": "登录",
        "sign-in failed": "登录失败",
        "sign-out": "退出",
        "password changed": "改密码",
        "own password failed": "输错自己的密码",
        "own code failed": "输错自己的动态口令",
        "second factor begun": "开始换动态口令",
        "staff namesake": "登记同名不同人",
        "staff file": "导入账号",
        "approval carried out": "批量审核到时执行",
        "approval undone": "撤销批量审核",
        "erased in time": "到期永久删除",
        "refused again": "同一分钟内还有多次被拒绝",
    }
)
KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "disclosure": "公开内容",
        "approval": "批量审核",
        "attachment": "附件",
        "import": "导入",
        "waiver": "不公开备案",
        "declaration": "季度申报",
        "staff": "账号",
        "code": "码",
        "division": "区划",
        "file": "文件",
        "calendar": "日历",
        "profile": "期限方案",
        "request": "重发的请求",
    }
)


def words_of(action: str) -> str:
    """An action in words for people; empty where there are none for it."""
    if action in WORDS:
        return WORDS[action]
    if action.startswith("command "):
        return "服务器上的命令"
    method, _, rest = action.partition(" ")
    template, *steps = rest.split(" ")
    if steps:
        return "、".join(WORDS.get(step, step) for step in steps)
    literal = [part for part in template.split("/") if part and not part.startswith("{")]
    last = literal[-1] if literal else ""
    if method == "GET":
        return {"sheet": "打印核对单", "difference": "查看改动", "posters": "打印码牌"}.get(last, "查看")
    return WORDS.get(last, "")


class ActionFilters(BaseModel):
    """Which actions are wanted; blank fields narrow nothing. The day is local and included."""

    actor: Annotated[ShortText | None, BlankIsNone] = None
    object: Annotated[ShortText | None, BlankIsNone] = None
    village: Annotated[ShortText | None, BlankIsNone] = None
    since: Annotated[date | None, BlankIsNone] = None
    before: Annotated[Annotated[int, Field(ge=0, lt=2**63)] | None, BlankIsNone] = None


FiltersDep = Annotated[ActionFilters, Query()]


async def trail_values(looking: Reading[Settings, object], here: str, filters: ActionFilters) -> dict[str, Any]:
    """What `actions.html` shows, newest first: operators see all, inspectors their part of the tree."""
    reference = looking.reference
    within = within_of(looking, filters.village)
    since = start_of_day(filters.since) if filters.since else None
    wanted = actions.Wanted(who_is(reference, filters.actor), filters.object, since, None, within)
    rows = await actions.select_actions(looking.conn, wanted, filters.before, PAGE_SIZE + 1)
    return {
        "rows": rows[:PAGE_SIZE],
        "names": {s.staff_id: s.username for s in reference.staff.values()},
        "filters": filters,
        "more": rows[PAGE_SIZE - 1].id if len(rows) > PAGE_SIZE else None,
        "places": PLACES,
        "here": here,
        "roles": ROLE_NAMES,
        "words": words_of,
        "kinds": KINDS,
        "divisions": {code: division.now.name for code, division in reference.divisions.items()},
    }


def trail_page(path: str, static: str) -> APIRouter:
    """The page of one service at `path`, in the plain frame."""
    router = APIRouter(include_in_schema=False, route_class=Route)

    @router.get(path, dependencies=[may(*LOOKERS)])
    async def staff_actions(request: Request, looking: LookingDep, filters: FiltersDep) -> Response:
        values = await trail_values(looking, request.url.path, filters)
        return pages_of(request).answer("actions.html", static=static, actor=looking.actor, **values)

    return router
