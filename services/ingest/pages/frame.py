"""What every desk page shares: the frame with its navigation, the fields of a form, the words of states and holders."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, NamedTuple

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import UploadFile

from services.contracts.base import Role
from services.contracts.duties import publishing_holder
from services.contracts.values import period_bounds
from services.contracts.words import CELL_STATES, HOLDERS, PARTIES, ROLE_NAMES, cell_words
from services.ingest import workflow
from services.ingest.bulk.prepared import MAX_FILE_BYTES as MAX_IMPORT_BYTES
from services.ingest.commands.cells import VILLAGES_AT_ONCE
from services.ingest.errors import WrongPeriodError
from services.ingest.gate.files import MAX_FILE_BYTES
from services.ingest.visit import Member
from services.ingest.workflow import Action, Errand, State
from services.kit.errors import Fault, InvalidInputError
from services.kit.pages import PageAnswerError, pages_of

STATIC: Final = "/desk/static"
MAX_FIELDS: Final = 20_000

STATES: Final[Mapping[State, str]] = MappingProxyType(
    {
        State.DRAFT: "草稿",
        State.SUBMITTED: "等待核对",
        State.CONFIRMED: "等待镇街审核",
        State.RETURNED: "已退回修改",
        State.APPROVED: "已审核，正在发布",
        State.PUBLISHED: "已公开",
        State.WITHDRAWN: "已撤回",
    }
)
WAIVER_STATES: Final = MappingProxyType(
    {"filed": "等待镇街决定", "granted": "已同意备案", "refused": "未同意", "ended": "已结束"}
)
DECLARATION_STATES: Final = MappingProxyType(
    {"submitted": "等待村务监督委员会核对", "confirmed": "已核对并公布", "returned": "已退回，请重新填写"}
)
ENTERING: Final = workflow.RIGHTS[Action.SAVE]


def nav_of(desk: Member) -> tuple[tuple[str, str], ...]:
    """The desk's own pages that a role has."""
    role = desk.actor.role
    found = [("/desk", "待办")]
    if role in ENTERING and (role is not Role.DEPARTMENT or _publishes(desk)):
        found += [("/desk/new", "录入"), ("/desk/imports", "一键导入")]
    if role in {*workflow.RIGHTS[Errand.DECLARE], Role.SUPERVISOR}:
        found.append(("/desk/quarters", "季度有无事项"))
    if role in {*ENTERING, Role.OPERATOR}:
        found.append(("/desk/waivers", "不公开备案"))
    if role in {Role.REVIEWER, Role.ACCOUNTANT, Role.DEPARTMENT, Role.OPERATOR, Role.INSPECTOR}:
        found += [("/desk/grid", "三务公开一张表"), ("/desk/urge", "催办")]
    found += [("/desk/questions", "村民提问"), ("/desk/list", "往期")]
    return tuple(found)


def _publishes(desk: Member) -> bool:
    """Tell whether the catalogue has anything that a department publishes itself."""
    return any(publishing_holder(i.revisions[-1]) == "department" for i in desk.reference.items.values())


def render(request: Request, desk: Member, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page of the desk in its frame."""
    return pages_of(request).answer(template, status=status, **{**_common(request, desk), **values})


async def render_in_turns(request: Request, desk: Member, template: str, **values: Any) -> Response:
    """A long page of the desk in its frame, drawn bit by bit so that others are served meanwhile."""
    return await pages_of(request).answer_in_turns(template, **{**_common(request, desk), **values})


def _common(request: Request, desk: Member) -> dict[str, Any]:
    return {
        "static": STATIC,
        "actor": desk.actor,
        "role_word": ROLE_NAMES[desk.actor.role],
        "reference": desk.reference,
        "states": STATES,
        "cell_states": CELL_STATES,
        "cell_words": cell_words,
        "holders": HOLDERS,
        "parties": PARTIES,
        "nav": nav_of(desk),
        "here": request.url.path,
        "error": None,
        "max_file_bytes": MAX_FILE_BYTES,
        "max_import_bytes": MAX_IMPORT_BYTES,
        "withdrawal_days": desk.settings.withdrawal_days,
        "undo_seconds": desk.settings.undo_seconds,
        "today": desk.today,
        "item_of": desk.item,
        "village_name": lambda code: desk.reference.divisions[code].now.name,
    }


def refusal_page(request: Request, desk: Member, template: str, *, status: int, **values: Any) -> PageAnswerError:
    """A page of the desk as an error to raise, so that what the refused step wrote is rolled back."""
    return PageAnswerError(render(request, desk, template, status=status, **values))


def part_of(desk: Member, division: str | None, after: str) -> tuple[list[str], str | None]:
    """A page of the villages of a division, or of all one has: those behind one, and behind which one the next page goes on, if there is one."""
    villages = [v for v in desk.villages(division) if v > after]
    shown, more = villages[:VILLAGES_AT_ONCE], len(villages) > VILLAGES_AT_ONCE
    return shown, shown[-1] if more else None


def to(path: str) -> Response:
    """Go on to another page after a step."""
    return RedirectResponse(path, 303)


async def texts(request: Request) -> dict[str, str]:
    """Read the fields of a form; of a name that comes twice the last one counts."""
    async with request.form(max_fields=MAX_FIELDS, max_files=1) as form:
        return {name: value for name, value in form.multi_items() if isinstance(value, str)}


class Upload(NamedTuple):
    """Fields of a form with the name and content of its file; no content when none was chosen."""

    fields: dict[str, str]
    name: str
    data: bytes


async def texts_and_file(request: Request) -> Upload:
    """Read the fields of a form and its one file."""
    async with request.form(max_fields=MAX_FIELDS, max_files=1) as form:
        fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        upload = next((v for v in form.values() if isinstance(v, UploadFile)), None)
        if upload is None:
            return Upload(fields, "", b"")
        # One byte more than any file may have tells that it is too large.
        return Upload(fields, upload.filename or "", await upload.read(MAX_FILE_BYTES + 1))


#: They stand before the desk among a route's parameters: a form is read when no transaction is open yet.
FieldsDep = Annotated[dict[str, str], Depends(texts)]
UploadDep = Annotated[Upload, Depends(texts_and_file)]


def whole(text: str) -> int:
    """A version as it stands in a hidden field; 0, which none has, when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - digits


def checked_period(text: str) -> str:
    """A period, or a fault at its field."""
    try:
        period_bounds(text)
    except ValueError as error:
        raise WrongPeriodError(faults=[Fault("period", str(error))]) from error
    return text


def needed(fields: Mapping[str, str], name: str, message: str) -> str:
    """A field that must not be blank."""
    text = fields.get(name, "").strip()
    if not text:
        raise InvalidInputError(message, faults=[Fault(name, message)])
    return text
