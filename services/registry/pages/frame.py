"""What the registry's pages share: the frame with its navigation and the words of roles and affairs."""

from typing import Any, Final

import segno
from fastapi import Request, Response

from services.contracts.base import Role
from services.contracts.words import AFFAIRS, DIVISIONS, RELEASES, ROLE_NAMES
from services.kit.auth import Actor
from services.kit.pages import pages_of
from services.kit.visit import STAFF
from services.registry.commands.states import years_missing
from services.registry.visit import Caller, Reading

STATIC: Final = "/registry/static"


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


def qr_code(uri: str) -> str:
    """The address of a second factor as a picture (SVG) for a phone's camera; it stands in the page itself."""
    return str(segno.make(uri, error="m", micro=False).svg_data_uri(scale=5, border=4, light="#fff"))


def page(request: Request, desk: Reading | Caller, template: str, *, status: int = 200, **values: Any) -> Response:
    """Render one of the registry's pages for somebody who is signed in."""
    actor = desk.actor
    frame: dict[str, Any] = {
        "static": STATIC,
        "actor": actor,
        "nav": nav_of(actor),
        "here": request.url.path,
        "qr_code": qr_code,
        "one_time_days": desk.settings.one_time_length.days,
    }
    words = {
        "roles": {role: ROLE_NAMES[role] for role in STAFF},
        "affairs": AFFAIRS,
        "role_word": ROLE_NAMES[actor.role],
        "releases": RELEASES,
        "divisions_words": DIVISIONS,
    }
    if actor.role is Role.OPERATOR:
        frame["years_missing"] = years_missing(desk.reference, desk.today)
    return pages_of(request).answer(template, status=status, **{**frame, **words, **values})
