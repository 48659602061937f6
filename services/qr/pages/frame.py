"""What all pages of qr share."""

from typing import Final

from fastapi import Request
from starlette.responses import HTMLResponse

from services.contracts.words import CODE_KINDS
from services.kit.auth import Actor
from services.kit.pages import pages_of
from services.qr.commands.codes import MAY_ISSUE, MAY_PRINT, MAY_REVOKE
from services.qr.commands.hanging import MAY_HANG

STATIC: Final = "/posters/static"
#: Of qr's own files: a villager's page has larger letters than the staff's.
OWN_STATIC: Final = "/posters/own"


def staff_page(request: Request, actor: Actor, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """A page of the desk, with what this person may do on it."""
    return pages_of(request).answer(
        template,
        status=status,
        static=STATIC,
        own=OWN_STATIC,
        actor=actor,
        kinds=CODE_KINDS,
        may_print=actor.role in MAY_PRINT,
        may_revoke=actor.role in MAY_REVOKE,
        may_issue=actor.role in MAY_ISSUE,
        may_hang=actor.role in MAY_HANG,
        **values,
    )
