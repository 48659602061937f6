"""What OpenAPI should tell of a route and FastAPI cannot see: who may call it, what its lists hold, raw bodies, files.

One entry a route; a route without one stops `python -m deploy.docs`. Roles are the code's own constants where it has
them; tests compare the lists with real answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel

from services.audit import schemas as audit
from services.contracts.base import Role
from services.contracts.catalogue import CalendarYear, Profile
from services.contracts.words import ROLES
from services.ingest import schemas as ingest
from services.ingest import workflow
from services.ingest.commands import attachments, declarations, waivers
from services.ingest.workflow import Action
from services.kit.trail import ActionOut
from services.publish import schemas as publish
from services.qr import commands as qr_commands
from services.qr import schemas as qr
from services.registry import schemas as registry

STAFF: Final = tuple(role for role in Role if role is not Role.SYSTEM)
OPERATORS: Final = (Role.OPERATOR,)
CHANGERS: Final = workflow.ROLES[Action.SAVE]
WATCHERS: Final = (Role.INSPECTOR, Role.DEPARTMENT, Role.OPERATOR)

_TEXT: Final = {"type": "string"}
_BINARY: Final = {"type": "string", "format": "binary"}
_CSV: Final = MappingProxyType({"text/csv": _TEXT})
_TOO_MANY_FAILURES: Final = "`too_many_failures`: wait `retry_after_s` seconds."
_OPEN_LIST: Final = {"type": "object", "additionalProperties": True}


@dataclass(frozen=True, slots=True)
class Told:
    """A route's facts. `who` empty: everybody, without signing in."""

    who: tuple[Role, ...] = ()
    #: What stands in `items` of a list: a model, or a schema of its own.
    items: type[BaseModel] | Mapping[str, Any] | None = None
    #: Lists beside `items`.
    beside: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    #: Media types of a body that the route reads by itself.
    takes: Mapping[str, Any] = field(default_factory=dict)
    #: Media types of an answer that is not JSON.
    gives: tuple[str, ...] = ()
    #: Further statuses, each with what it means.
    also: Mapping[int, str] = field(default_factory=dict)


def _trail(service: str) -> dict[str, Told]:
    return {f"GET /{service}/v1/actions": Told((Role.OPERATOR, Role.INSPECTOR), items=ActionOut)}


_REGISTRY: Final = {
    "POST /registry/v1/sign-in": Told(
        also={
            401: "`wrong_credentials`, or `totp_required`: the code is missing.",
            403: "`new_password_required`, or `totp_not_set`: the role needs a second factor and has none yet.",
            429: _TOO_MANY_FAILURES,
        }
    ),
    "GET /registry/v1/account": Told(STAFF),
    "POST /registry/v1/account/password": Told(STAFF, also={429: _TOO_MANY_FAILURES}),
    "POST /registry/v1/account/sign-out-everywhere": Told(STAFF),
    "GET /registry/v1/divisions": Told(STAFF, items=registry.DivisionOut),
    "GET /registry/v1/catalogue": Told(STAFF, items=_OPEN_LIST),
    "GET /registry/v1/calendar": Told(STAFF, items=CalendarYear),
    "PUT /registry/v1/calendar/{year}": Told(OPERATORS),
    "POST /registry/v1/calendar/{year}/file": Told(OPERATORS, takes=_CSV),
    "POST /registry/v1/catalogue/check": Told(OPERATORS, takes=_CSV),
    "POST /registry/v1/catalogue/apply": Told(OPERATORS, takes=_CSV),
    "GET /registry/v1/profiles": Told(STAFF, items=Profile),
    "GET /registry/v1/profiles/{code}": Told(STAFF),
    "PUT /registry/v1/profiles/{code}": Told(OPERATORS),
    "GET /registry/v1/staff": Told((Role.OPERATOR, Role.REVIEWER), items=registry.StaffOut),
    "POST /registry/v1/staff": Told(OPERATORS),
    "PUT /registry/v1/staff/{username}": Told(OPERATORS),
    "POST /registry/v1/staff/{username}/end": Told(OPERATORS),
    "POST /registry/v1/staff/{username}/reset": Told((Role.OPERATOR, Role.REVIEWER)),
    "POST /registry/v1/staff/{username}/revoke": Told(OPERATORS),
    "POST /registry/v1/staff/{username}/delegations": Told(OPERATORS),
    "POST /registry/v1/staff/{username}/delegations/end": Told(OPERATORS),
    "POST /registry/v1/staff/imports": Told(OPERATORS, takes=_CSV),
    **_trail("registry"),
}

_DISCLOSURE: Final = "/ingest/v1/disclosures/{disclosure_id}"
_DECLARATION: Final = "/ingest/v1/declarations/{village}/{quarter}"
_INGEST: Final = {
    "POST /ingest/v1/disclosures": Told(CHANGERS),
    "GET /ingest/v1/disclosures": Told(workflow.READERS, items=ingest.DisclosureOut),
    "POST /ingest/v1/disclosures/nil": Told(CHANGERS),
    f"GET {_DISCLOSURE}": Told(workflow.READERS),
    f"PUT {_DISCLOSURE}": Told(CHANGERS),
    f"GET {_DISCLOSURE}/difference": Told(workflow.READERS),
    **{
        f"POST {_DISCLOSURE}/{action.value}": Told(workflow.ROLES[action])
        for action in Action
        if action is not Action.SAVE
    },
    "POST /ingest/v1/attachments": Told(attachments.UPLOADERS),
    "GET /ingest/v1/attachments/{digest}": Told(workflow.READERS, gives=("image/jpeg", "image/png", "application/pdf")),
    "POST /ingest/v1/imports": Told(
        CHANGERS,
        takes={
            "application/json": {
                "type": "object",
                "required": ["disclosures"],
                "properties": {
                    "disclosures": {
                        "type": "array",
                        "maxItems": 200,
                        "items": {"$ref": "#/components/schemas/DisclosureIn"},
                    }
                },
            },
            "multipart/form-data": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": _BINARY},
            },
        },
    ),
    "GET /ingest/v1/imports": Told(STAFF, items=ingest.ImportOut),
    "GET /ingest/v1/imports/{import_id}": Told(CHANGERS),
    "DELETE /ingest/v1/imports/{import_id}": Told(CHANGERS),
    "POST /ingest/v1/waivers": Told(waivers.FILERS),
    "GET /ingest/v1/waivers": Told(workflow.READERS, items=ingest.WaiverOut),
    "POST /ingest/v1/waivers/{waiver_id}/{decision}": Told(waivers.DECIDERS),
    f"PUT {_DECLARATION}": Told(declarations.FILERS),
    f"GET {_DECLARATION}": Told(workflow.READERS),
    f"POST {_DECLARATION}/confirm": Told(declarations.CONFIRMERS),
    f"POST {_DECLARATION}/return": Told(declarations.RETURNERS),
    "POST /ingest/v1/approvals": Told(
        workflow.ROLES[Action.APPROVE], also={404: "`unknown_disclosure`: one of them is not there."}
    ),
    "GET /ingest/v1/approvals/{approval_id}": Told(workflow.ROLES[Action.APPROVE]),
    "DELETE /ingest/v1/approvals/{approval_id}": Told(workflow.ROLES[Action.APPROVE]),
    "GET /ingest/v1/duties": Told(workflow.READERS, items=ingest.CellOut),
    **_trail("ingest"),
}

_NOT_MODIFIED: Final = MappingProxyType({304: "What `If-None-Match` names is still the newest."})
_PUBLISH: Final = {
    "GET /api/v1/divisions": Told(items=publish.DivisionOut, also=_NOT_MODIFIED),
    "GET /api/v1/words": Told(also=_NOT_MODIFIED),
    "GET /api/v1/villages": Told(items=publish.VillageOut, also=_NOT_MODIFIED),
    "GET /api/v1/villages/{code}": Told(also=_NOT_MODIFIED),
    "GET /api/v1/villages/{code}/disclosures": Told(items=publish.DisclosureOut, also=_NOT_MODIFIED),
    "GET /api/v1/villages/{code}/duties": Told(items=publish.DutyOut, also=_NOT_MODIFIED),
    "GET /api/v1/disclosures/{disclosure_id}": Told(
        also={**_NOT_MODIFIED, 410: "`withdrawn`: the reason stays, the content is gone."}
    ),
    "GET /api/v1/changes": Told(items=publish.ChangeOut, also=_NOT_MODIFIED),
}

_AUDIT: Final = {
    "GET /audit/v1/alerts": Told(WATCHERS, items=audit.AlertOut),
    "GET /audit/v1/alerts/{alert_id}": Told(WATCHERS),
    "GET /audit/v1/rules": Told(WATCHERS, items=audit.RuleOut),
    "GET /audit/v1/sheets": Told(WATCHERS, items=audit.SheetOut),
    "GET /audit/v1/resets": Told(WATCHERS, items=audit.ResetOut),
    "GET /audit/v1/coverage": Told(WATCHERS, items=audit.CellCountOut, beside={"rules": audit.CoverageOut}),
    **_trail("audit"),
}

_QR: Final = {
    "GET /qr/v1/codes": Told(STAFF, items=qr.CodeOut),
    "GET /qr/v1/codes/{code}.svg": Told(STAFF, gives=("image/svg+xml",)),
    "GET /qr/v1/codes/{code}.png": Told(STAFF, gives=("image/png",)),
    "POST /qr/v1/codes/{code}/revoke": Told(qr_commands.MAY_REVOKE),
    "GET /qr/v1/posters": Told(
        qr_commands.MAY_PRINT,
        gives=("application/pdf",),
        also={409: "`nothing_to_print`: no valid code yet.", 413: "`too_large`: print township by township."},
    ),
    **_trail("qr"),
}

#: Every route of the API by method and path.
ROUTES: Final[Mapping[str, Told]] = MappingProxyType({**_REGISTRY, **_INGEST, **_PUBLISH, **_AUDIT, **_QR})

#: Parameters that mean the same wherever they stand, where the code says nothing of its own; `service.name` goes first.
PARAMETERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "limit": "how many items at most",
        "cursor": "`next` of the answer before; without it from the start",
        "Idempotency-Key": "the caller's own key of this request: sent again, it gets the first answer (kept 48 h)",
        "If-None-Match": "`ETag` of an earlier answer; 304 when it is still the newest",
        "division": "code of a village, a township or the city; without it all within the caller's scope",
        "village": "the village's 12 digits",
        "item": "code of an item of the catalogue, as F01",
        "affair": "one of the three affairs",
        "period": "2026-10, 2026Q3, 2026H1, 2026, or a day",
        "quarter": "2026Q3",
        "since": "from this moment on",
        "until": "before this moment",
        "object": "what was acted on, as the trail names it",
        "role": "accounts that hold this role",
        "state": "those in this state alone",
        "username": "the account's username",
        "disclosure_id": "id of the disclosure",
        "from": "version to compare from",
        "to": "version to compare with",
        "with": "compare with the period before instead",
        "digest": "SHA-256 of the file, as the upload answered it",
        "import_id": "id of the import",
        "waiver_id": "id of the waiver",
        "approval_id": "id of the batch",
        "decision": "what is decided",
        "rule": "id of a rule, as D01",
        "level": "1 提醒, 2 关注, 3 重点",
        "alert_id": "id of the alert",
        "registry.year": "the calendar year, as 2027",
        "registry.code": "code of the deadline profile",
        "publish.code": "the village's 12 digits",
        "qr.code": "the code as it stands in its address",
    }
)


def who_in_words(told: Told) -> str:
    """Who may call a route, as a sentence's part."""
    if not told.who:
        return "anybody, without signing in"
    if set(told.who) >= set(STAFF):
        return "every member of staff"
    return ", ".join(f"{role.value} ({ROLES[role]})" for role in told.who)
