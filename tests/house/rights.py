"""Who may ask what: one row for every route of the five applications, JSON and pages.

A row tells who may, what becomes of the same roles when the thing lies outside their part of the tree, and an example
request. `{…}` in the route and `@…` in the example name things of `stage.py`.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from services.contracts.base import Role

#: Nobody need sign in.
PUBLIC: Final[frozenset[Role]] = frozenset()
STAFF: Final = frozenset(Role) - {Role.SYSTEM}
CLERK, ACCOUNTANT, PRINCIPAL, SUPERVISOR = Role.CLERK, Role.ACCOUNTANT, Role.PRINCIPAL, Role.SUPERVISOR
REVIEWER, DEPARTMENT, INSPECTOR, OPERATOR = Role.REVIEWER, Role.DEPARTMENT, Role.INSPECTOR, Role.OPERATOR
#: Of an item that the village publishes itself; a department has nothing to do with entering it.
ENTERING: Final = frozenset({CLERK, ACCOUNTANT, REVIEWER})
#: Where the item is not named yet.
ENTERING_ANY: Final = ENTERING | {DEPARTMENT}
WATCHING: Final = frozenset({INSPECTOR, DEPARTMENT, OPERATOR})
ANSWERING: Final = frozenset({CLERK, PRINCIPAL, REVIEWER})
TRAIL: Final = frozenset({INSPECTOR, OPERATOR})
ACCOUNTS: Final = frozenset({OPERATOR, REVIEWER})

#: What a role gets that may, but elsewhere: 403, 404 as if there were nothing, or the same as inside (its own part).
Outside = Literal["refused", "hidden", "same"]


@dataclass(frozen=True, slots=True)
class Row:
    """One example of a route. `affair`: the item's affair counts too. `works`: somebody who may gets 2xx or 3xx."""

    route: str
    who: frozenset[Role]
    outside: Outside
    at: MappingProxyType[str, str]
    sent: MappingProxyType[str, Any]
    affair: bool = False
    works: bool = True


def _row(route: str, who: Any, outside: Outside = "same", /, at: str = "", **more: Any) -> Row:
    """`at` fills the places of the route in order; `affair` and `works` as in Row; the rest is sent."""
    names = [part.partition("}")[0].partition(":")[0] for part in route.split("{")[1:]]
    places = MappingProxyType(dict(zip(names, at.split(), strict=True)))
    marks = {name: more.pop(name) for name in ("affair", "works") if name in more}
    return Row(route, frozenset(who), outside, places, MappingProxyType(more), **marks)


_V1: Final = {"version": 1}
_HOUSEHOLD: Final = {"name": "张德福", "card_tail": "7391"}
_CELL: Final = {"village": "@village", "item": "F01", "period": "2026-06"}
_STEP: Final = {"version": "1", "reason": "数字有误", "note": "改正合计"}
_POST: Final = {"name": "王某", "role": "clerk", "scope": "@village"}
_NEW: Final = {**_POST, "username": "somebody-new"}
_PAPER: Final = {"scope": "@village", "document": "盖农发〔2026〕1号"}
_CONFIRMING: Final = {"totp_secret": "GEZDGNBVGY3TQOJQ", "totp": "287082"}
_SESSION: Final = "01a21aed-819a-70e5-94fd-3bb6129ec1a8"
_PASSWORDS: Final = {"password": "@password", "new_password": "another-long-password"}
_STAFF_FILE: Final = "username,password,totp_secret,role,scope\nsomebody-new,,,clerk,210881006206\n"
_ONE: Final = "/ingest/v1/disclosures/{disclosure_id}"
_ASKED: Final = "/ingest/v1/questions/{ref}"
_QUARTER: Final = "/ingest/v1/declarations/{village}/{quarter}"
_DESK: Final = "/desk/disclosures/{disclosure_id}"
_YEAR: Final = {"days_off": ["2031-10-01"], "working_weekends": [], "source": "test"}
_ACCOUNT: Final = "/registry/v1/staff/{username}"

_HEALTH: Final = tuple(_row(f"GET /{name}", PUBLIC) for name in ("livez", "readyz", "metrics"))


def _trail(*paths: str) -> tuple[Row, ...]:
    return tuple(_row(f"GET {path}", TRAIL) for path in paths)


REGISTRY: Final = (
    *_HEALTH,
    _row("MOUNT /registry/static/{path}", PUBLIC, "same", "staff.css"),
    _row(
        "POST /registry/v1/sign-in",
        PUBLIC,
        json={"username": "clerk-target", "password": "@password"},
    ),
    _row("GET /registry/v1/account", STAFF),
    _row("POST /registry/v1/account/password", STAFF, json=_PASSWORDS),
    _row("POST /registry/v1/account/second-factor", STAFF, json={"password": "@password"}),
    # Nothing waits to be confirmed, and nobody has this session.
    _row("POST /registry/v1/account/second-factor/confirm", STAFF, json=_CONFIRMING, works=False),
    _row("DELETE /registry/v1/account/sessions/{session_id}", STAFF, "same", _SESSION, works=False),
    _row("POST /registry/v1/account/sign-out-everywhere", STAFF),
    _row("GET /registry/v1/divisions", STAFF),
    _row("GET /registry/v1/catalogue", STAFF),
    _row("GET /registry/v1/calendar", STAFF),
    _row("PUT /registry/v1/calendar/{year}", {OPERATOR}, "refused", "2031", json=_YEAR),
    _row(
        "POST /registry/v1/calendar/{year}/file",
        {OPERATOR},
        "refused",
        "2031",
        params={"source": "test"},
        content="date,kind\n2031-10-01,off\n",
    ),
    _row("POST /admin/calendar", {OPERATOR}, "refused", data={"year": "2031", "source": "test", "days_off": "10月1日"}),
    _row("POST /registry/v1/catalogue/check", {OPERATOR}, content="@catalogue"),
    # What holds for the whole city is changed by its own operators alone.
    _row("POST /registry/v1/catalogue/apply", {OPERATOR}, "refused", content="@catalogue"),
    _row("GET /registry/v1/profiles", STAFF),
    _row("GET /registry/v1/profiles/{code}", STAFF, "same", "default"),
    _row("PUT /registry/v1/profiles/{code}", {OPERATOR}, "refused", "default", json={"source": "test"}),
    _row("GET /registry/v1/staff", ACCOUNTS),
    _row("POST /registry/v1/staff", {OPERATOR}, "refused", json=_NEW),
    _row(f"PUT {_ACCOUNT}", {OPERATOR}, "refused", "clerk-target", json=_POST),
    _row(f"POST {_ACCOUNT}/end", {OPERATOR}, "refused", "clerk-target"),
    _row(f"POST {_ACCOUNT}/reset", ACCOUNTS, "refused", "clerk-target"),
    # A reviewer gives no new password to those who look after reviewers.
    _row(f"POST {_ACCOUNT}/reset", {OPERATOR}, "refused", "inspector-target"),
    _row(f"POST {_ACCOUNT}/revoke", {OPERATOR}, "refused", "clerk-target"),
    _row(f"POST {_ACCOUNT}/delegations", {OPERATOR}, "refused", "clerk-target", json=_PAPER),
    _row(
        f"POST {_ACCOUNT}/delegations/end",
        {OPERATOR},
        "refused",
        "clerk-target",
        json={"document": "@document"},
    ),
    # Out of scope is told line by line as what is wrong in the file.
    _row("POST /registry/v1/staff/imports", {OPERATOR}, params={"apply": "true"}, content=_STAFF_FILE),
    _row("GET /sign-in", PUBLIC),
    _row(
        "POST /sign-in",
        PUBLIC,
        data={"username": "clerk-target", "password": "@password"},
    ),
    _row("GET /registry/renew", PUBLIC),
    _row("POST /sign-out", PUBLIC),
    _row("POST /registry/sign-out", PUBLIC),
    _row("GET /account", STAFF),
    _row("POST /account/password", STAFF, data=_PASSWORDS),
    _row("POST /account/second-factor", STAFF, data={"password": "@password"}),
    _row(
        "POST /account/second-factor/confirm", STAFF, data={"secret": "GEZDGNBVGY3TQOJQ", "totp": "287082"}, works=False
    ),
    _row("POST /account/sessions/{session_id}/end", STAFF, "same", _SESSION, works=False),
    _row("POST /account/sign-out-everywhere", STAFF),
    # Leads on to the list, where the role is asked.
    _row("GET /admin", PUBLIC),
    _row("GET /admin/staff", ACCOUNTS),
    _row("POST /admin/staff", {OPERATOR}, "refused", data=_NEW),
    _row("GET /admin/staff/{username}", ACCOUNTS, "refused", "clerk-target"),
    _row("GET /admin/staff/{username}", {OPERATOR}, "refused", "inspector-target"),
    _row("POST /admin/staff/{username}/change", {OPERATOR}, "refused", "clerk-target", data=_POST),
    _row("POST /admin/staff/{username}/end", {OPERATOR}, "refused", "clerk-target"),
    _row("POST /admin/staff/{username}/revoke", {OPERATOR}, "refused", "clerk-target"),
    _row("POST /admin/staff/{username}/reset", ACCOUNTS, "refused", "clerk-target"),
    _row("POST /admin/staff/{username}/delegations", {OPERATOR}, "refused", "clerk-target", data=_PAPER),
    _row(
        "POST /admin/staff/{username}/delegations/end",
        {OPERATOR},
        "refused",
        "clerk-target",
        data={"document": "@document"},
    ),
    _row("GET /admin/import", {OPERATOR}),
    _row("POST /admin/import", {OPERATOR}, data={"text": _STAFF_FILE}),
    _row("POST /admin/import/apply", {OPERATOR}, data={"text": _STAFF_FILE}),
    _row("GET /admin/divisions", STAFF),
    _row("GET /admin/catalogue", STAFF),
    _row("GET /admin/calendar", STAFF),
    *_trail("/registry/v1/actions", "/admin/actions"),
)

INGEST: Final = (
    *_HEALTH,
    _row("MOUNT /desk/static/{path}", PUBLIC, "same", "staff.css"),
    _row("POST /ingest/v1/disclosures", ENTERING, "refused", json={**_CELL, "body": "@ledger"}, affair=True),
    _row("GET /ingest/v1/disclosures", STAFF, "refused", params={"division": "@village"}),
    _row("POST /ingest/v1/disclosures/nil", ENTERING, "refused", json=_CELL, affair=True),
    _row(f"GET {_ONE}", STAFF, "refused", "@draft", affair=True),
    _row(f"GET {_ONE}/difference", STAFF, "refused", "@draft", params={"with": "previous"}, affair=True),
    _row(f"PUT {_ONE}", ENTERING, "refused", "@draft", json={**_V1, "body": "@ledger"}, affair=True),
    _row(f"POST {_ONE}/submit", ENTERING, "refused", "@draft", json=_V1, affair=True),
    _row(f"POST {_ONE}/confirm", {SUPERVISOR}, "refused", "@submitted", json=_V1),
    # A signed sheet may be brought by others too, but not by the clerk, who entered it; this one has no code.
    _row(
        f"POST {_ONE}/confirm",
        {SUPERVISOR, REVIEWER},
        "refused",
        "@submitted",
        json={**_V1, "names": ["李某"], "sheet": "@attachment"},
        affair=True,
        works=False,
    ),
    _row(f"POST {_ONE}/approve", {REVIEWER}, "refused", "@confirmed", json=_V1, affair=True),
    _row(f"POST {_ONE}/file", {REVIEWER}, "refused", "@released", json=_V1, affair=True),
    _row(
        f"POST {_ONE}/return",
        {SUPERVISOR, REVIEWER},
        "refused",
        "@submitted",
        json={**_V1, "reason": "数字有误"},
        affair=True,
    ),
    _row(f"POST {_ONE}/correct", ENTERING, "refused", "@approved", json={**_V1, "note": "改正合计"}, affair=True),
    _row(f"POST {_ONE}/mask", ENTERING, "refused", "@draft", json=_V1, affair=True, works=False),
    _row(
        f"POST {_ONE}/accept",
        {REVIEWER},
        "refused",
        "@draft",
        json={**_V1, "accept": [{"finding": "privacy.phone", "reason": "本人同意"}]},
        affair=True,
        works=False,
    ),
    _row(f"POST {_ONE}/discard", ENTERING, "refused", "@draft", json=_V1, affair=True),
    _row(f"POST {_ONE}/restore", {REVIEWER}, "refused", "@withdrawn", json={**_V1, "reason": "撤错了"}, affair=True),
    _row(f"POST {_ONE}/erase", {REVIEWER, INSPECTOR}, "refused", "@hidden", json=_V1, affair=True),
    _row(f"POST {_ONE}/withdraw", {REVIEWER}, "refused", "@approved", json={**_V1, "reason": "填错了村"}, affair=True),
    _row(
        "POST /ingest/v1/attachments",
        ENTERING_ANY | {SUPERVISOR},
        "refused",
        data={"village": "@village"},
        files="@file",
    ),
    _row("GET /ingest/v1/attachments/{digest}", STAFF, "hidden", "@attachment", affair=True),
    # Each cell that is refused is a fault of the file.
    _row(
        "POST /ingest/v1/imports",
        ENTERING_ANY,
        json={"disclosures": [{**_CELL, "body": "@ledger"}]},
    ),
    # One's own imports and batches; to others it is as if there were none, and their list of imports is empty.
    _row("GET /ingest/v1/imports", STAFF),
    _row("GET /ingest/v1/imports/{import_id}", ENTERING_ANY, "hidden", "@import"),
    _row("DELETE /ingest/v1/imports/{import_id}", ENTERING_ANY, "hidden", "@import"),
    _row(
        "POST /ingest/v1/approvals", {REVIEWER}, "refused", json={"items": [{"id": "@confirmed", **_V1}]}, affair=True
    ),
    _row("GET /ingest/v1/approvals/{approval_id}", {REVIEWER}, "hidden", "@approval"),
    _row("DELETE /ingest/v1/approvals/{approval_id}", {REVIEWER}, "hidden", "@approval"),
    _row("GET /ingest/v1/questions", STAFF, "refused", params={"division": "@village"}),
    _row("GET /ingest/v1/questions/{ref}", STAFF, "refused", "@question1", affair=True),
    _row(f"POST {_ASKED}/answer", ANSWERING, "refused", "@question1", json={"text": "两张票据都在。"}, affair=True),
    _row(f"POST {_ASKED}/hand-up", {CLERK, PRINCIPAL}, "refused", "@question1"),
    _row(f"POST {_ASKED}/hide", {REVIEWER}, "refused", "@question1", json={"reason": "与村务无关"}, affair=True),
    _row("GET /desk/questions", STAFF),
    _row("GET /desk/questions/{ref}", STAFF, "refused", "@question1", affair=True),
    _row("POST /desk/questions/{ref}/answer", ANSWERING, "refused", "@question1", data={"text": "都在。"}, affair=True),
    _row("POST /desk/questions/{ref}/hand-up", {CLERK, PRINCIPAL}, "refused", "@question1"),
    _row("POST /desk/questions/{ref}/hide", {REVIEWER}, "refused", "@question1", data={"reason": "无关"}, affair=True),
    _row("POST /ingest/v1/waivers", ENTERING, "refused", json={**_CELL, "reason": "账册送审计"}, affair=True),
    _row("GET /ingest/v1/waivers", STAFF, "refused", params={"division": "@village"}),
    _row(
        "POST /ingest/v1/waivers/{waiver_id}/{decision}", {REVIEWER}, "refused", "@waiver grant", json={}, affair=True
    ),
    _row(
        "POST /ingest/v1/waivers/{waiver_id}/{decision}",
        {REVIEWER},
        "refused",
        "@waiver refuse",
        json={"reason": "应当公开"},
        affair=True,
    ),
    _row(f"PUT {_QUARTER}", ENTERING, "refused", "@village 2026Q3", json={"answers": "@answers"}),
    _row(f"GET {_QUARTER}", STAFF, "refused", "@village 2026Q3"),
    _row(f"POST {_QUARTER}/confirm", {SUPERVISOR}, "refused", "@village 2026Q3", json={"edition": 1}),
    _row(
        f"POST {_QUARTER}/return",
        {SUPERVISOR, REVIEWER},
        "refused",
        "@village 2026Q3",
        json={"edition": 1, "reason": "漏了一件"},
    ),
    _row("GET /ingest/v1/duties", STAFF, "refused", params={"division": "@village", "period": "2026-10"}),
    *_trail("/ingest/v1/actions", "/desk/actions"),
    _row("GET /desk", STAFF),
    _row("GET /desk/list", STAFF, "refused", params={"village": "@village"}),
    _row("GET /desk/new", ENTERING_ANY),
    _row("GET /desk/form", ENTERING, "refused", params=_CELL, affair=True),
    _row(f"GET {_DESK}/edit", ENTERING, "refused", "@draft", affair=True),
    _row("POST /desk/form", ENTERING, "refused", data="@form", affair=True),
    _row("POST /desk/attachments", ENTERING, "refused", data=_CELL, files="@file", affair=True),
    _row("POST /desk/nil", ENTERING, "refused", data=_CELL, affair=True),
    _row(f"POST {_DESK}/discard", ENTERING, "refused", "@draft", data={"sure": "yes", "version": "1"}, affair=True),
    _row(f"GET {_DESK}", STAFF, "refused", "@draft", affair=True),
    _row(f"GET {_DESK}/sheet", STAFF, "refused", "@submitted", affair=True),
    _row("GET /desk/attachments/{digest}", STAFF, "hidden", "@attachment", affair=True),
    _row("POST /desk/vouchers", ENTERING, "refused", data={"id": "@draft"}, files="@picture", affair=True),
    _row(f"GET {_DESK}/vouchers", ENTERING, "refused", "@draft", affair=True),
    _row(f"POST {_DESK}/vouchers", ENTERING, "refused", "@draft", data={"version": "1"}, affair=True),
    _row(f"GET {_DESK}/vouchers/{{digest}}", ENTERING, "refused", "@draft @voucher", affair=True),
    _row(
        f"POST {_DESK}/vouchers/{{digest}}", ENTERING, "refused", "@draft @voucher", data={"how": "hide"}, affair=True
    ),
    _row(
        "POST /desk/sheets",
        {SUPERVISOR, REVIEWER},
        "refused",
        data={"id": "@submitted", "version": "1", "signer|李某": "yes"},
        files="@file",
        affair=True,
        works=False,
    ),
    _row(f"POST {_DESK}/{{action}}", ENTERING, "refused", "@draft submit", data=_STEP, affair=True),
    _row(f"POST {_DESK}/{{action}}", {SUPERVISOR}, "refused", "@submitted confirm", data=_STEP),
    _row(f"POST {_DESK}/{{action}}", {REVIEWER}, "refused", "@confirmed approve", data=_STEP, affair=True),
    _row(f"POST {_DESK}/{{action}}", {REVIEWER}, "refused", "@released file", data=_STEP, affair=True),
    _row(f"POST {_DESK}/{{action}}", {SUPERVISOR, REVIEWER}, "refused", "@submitted return", data=_STEP, affair=True),
    _row(f"POST {_DESK}/{{action}}", ENTERING, "refused", "@approved correct", data=_STEP, affair=True),
    _row(
        f"POST {_DESK}/{{action}}",
        {REVIEWER},
        "refused",
        "@approved withdraw",
        data={**_STEP, "sure": "yes"},
        affair=True,
    ),
    _row(f"POST {_DESK}/{{action}}", {REVIEWER}, "refused", "@withdrawn restore", data=_STEP, affair=True),
    _row(
        f"POST {_DESK}/{{action}}",
        {REVIEWER, INSPECTOR},
        "refused",
        "@hidden erase",
        data={**_STEP, "sure": "yes"},
        affair=True,
    ),
    _row("GET /desk/grid", {REVIEWER, ACCOUNTANT} | WATCHING, "refused", params={"township": "@township"}),
    _row("GET /desk/urge", {REVIEWER, ACCOUNTANT} | WATCHING, "refused", params={"township": "@township"}),
    _row("POST /desk/approvals", {REVIEWER}, "refused", data={"chosen": "@ticked"}, affair=True),
    _row("GET /desk/approvals/{approval_id}", {REVIEWER}, "hidden", "@approval"),
    _row("POST /desk/approvals/{approval_id}/undo", {REVIEWER}, "hidden", "@approval"),
    _row("GET /desk/waivers", STAFF),
    _row("GET /desk/waivers/new", ENTERING, "refused", params=_CELL, affair=True),
    _row("POST /desk/waivers", ENTERING, "refused", data={**_CELL, "reason": "账册送审计"}, affair=True),
    _row("POST /desk/waivers/{waiver_id}/{decision}", {REVIEWER}, "refused", "@waiver grant", affair=True),
    _row("GET /desk/quarters", STAFF),
    _row("GET /desk/quarters/{village}/{quarter}", STAFF, "refused", "@village 2026Q3"),
    _row("POST /desk/quarters/{village}/{quarter}", ENTERING, "refused", "@village 2026Q3", data="@answered"),
    _row(
        "POST /desk/quarters/{village}/{quarter}",
        {SUPERVISOR},
        "refused",
        "@village 2026Q3",
        data={"action": "confirm", "edition": "1"},
    ),
    _row(
        "POST /desk/quarters/{village}/{quarter}",
        {SUPERVISOR, REVIEWER},
        "refused",
        "@village 2026Q3",
        data={"action": "return", "edition": "1", "reason": "漏了一件"},
    ),
    # Answers that are not whole are nobody else's business either.
    _row(
        "POST /desk/quarters/{village}/{quarter}",
        ENTERING,
        "refused",
        "@village 2026Q3",
        data={"action": "answer"},
        works=False,
    ),
    _row("GET /desk/imports", ENTERING_ANY),
    _row("POST /desk/imports", ENTERING_ANY, files="@prepared"),
    _row("GET /desk/imports/{import_id}", ENTERING_ANY, "hidden", "@import"),
    _row("POST /desk/imports/{import_id}/undo", ENTERING_ANY, "hidden", "@import"),
)

PUBLISH: Final = (
    *_HEALTH,
    _row("GET /api/v1/divisions", PUBLIC),
    _row("GET /api/v1/villages", PUBLIC),
    _row("GET /api/v1/villages/{code}", PUBLIC, "same", "@village"),
    _row("GET /api/v1/villages/{code}/disclosures", PUBLIC, "same", "@village"),
    _row("GET /api/v1/villages/{code}/duties", PUBLIC, "same", "@village"),
    _row("GET /api/v1/catalogue", PUBLIC),
    _row("GET /api/v1/disclosures", PUBLIC, params={"township": "@township"}),
    _row("GET /api/v1/disclosures/{disclosure_id}", PUBLIC, "same", "@published"),
    _row("GET /api/v1/export/{division}.zip", PUBLIC, "same", "@village"),
    _row("GET /api/v1/changes", PUBLIC),
    _row("GET /api/v1/changes/stream", PUBLIC, params={"seconds": "1"}),
    _row("GET /api/v1/words", PUBLIC),
    _row("GET /api/v1/search", PUBLIC, params={"q": "西海 水管"}),
    _row("GET /api/v1/lines", PUBLIC, params={"township": "@township"}),
    _row("GET /", PUBLIC),
    _row("GET /search", PUBLIC, params={"q": "西海 水管"}),
    _row("GET /f/{key}", PUBLIC, "same", "0" * 16, works=False),
    _row("GET /t/{code}", PUBLIC, "same", "@township"),
    _row("GET /v/{code}", PUBLIC, "same", "@village"),
    _row("GET /t/{code}.{suffix}", PUBLIC, "same", "@township xlsx"),
    _row("GET /villages.{suffix}", PUBLIC, "same", "csv"),
    _row("GET /v/{code}/card-{shape}.png", PUBLIC, "same", "@village wide"),
    _row("GET /d/{disclosure_id}/card-{shape}.png", PUBLIC, "same", "@published tall"),
    _row("GET /d/{disclosure_id}/media", PUBLIC, "same", "@published"),
    _row("GET /embed/v/{code}", PUBLIC, "same", "@village"),
    _row("GET /oembed", PUBLIC, params={"url": "http://127.0.0.1:8000/v/210881006206"}),
    _row("GET /feed.atom", PUBLIC),
    _row("GET /adopted.atom", PUBLIC, params={"taken": "nobody.1"}, works=False),
    _row("GET /t/{code}/feed.atom", PUBLIC, "same", "@township"),
    _row("GET /items/{item}/feed.atom", PUBLIC, "same", "F01"),
    _row("GET /v/{code}/feed.atom", PUBLIC, "same", "@village"),
    _row("GET /v/{code}/{item}/feed.atom", PUBLIC, "same", "@village F01"),
    _row("GET /v/{code}/{item}.csv", PUBLIC, "same", "@village F01"),
    _row("GET /v/{code}/{item}.xlsx", PUBLIC, "same", "@village F01"),
    _row("GET /api/v1/disclosures/{disclosure_id}.{suffix}", PUBLIC, "same", "@published xlsx"),
    _row("GET /api/v1/disclosures.{suffix}", PUBLIC, "same", "csv", params={"period": "2026-10"}),
    _row("GET /api/v1/villages/{code}/disclosures.{suffix}", PUBLIC, "same", "@village csv"),
    _row("GET /api/v1/villages/{code}/duties.{suffix}", PUBLIC, "same", "@village csv"),
    _row("GET /api/v1/catalogue.{suffix}", PUBLIC, "same", "xlsx"),
    _row("GET /api/v1/villages.{suffix}", PUBLIC, "same", "csv"),
    _row("GET /api/v1/divisions.{suffix}", PUBLIC, "same", "csv"),
    _row("GET /v/{code}/big", PUBLIC, "same", "@village"),
    _row("GET /v/{code}/bulletin.pdf", PUBLIC, "same", "@village"),
    _row("GET /v/{code}/en", PUBLIC, "same", "@village"),
    # Off unless the city sets a key.
    _row("GET /v/{code}/mine", PUBLIC, "same", "@village", works=False),
    _row("POST /v/{code}/mine", PUBLIC, "same", "@village", data=_HOUSEHOLD, works=False),
    _row("POST /api/v1/villages/{code}/household", PUBLIC, "same", "@village", json=_HOUSEHOLD, works=False),
    _row("GET /v/{code}/{item}", PUBLIC, "same", "@village F01"),
    _row("GET /v/{code}/{item}/{year}", PUBLIC, "same", "@village F01 2026"),
    _row("GET /v/{code}/contract", PUBLIC, "same", "@village", params={"no": "2026-01"}, works=False),
    _row("GET /v/{code}/invoice", PUBLIC, "same", "@village", params={"no": "12345678"}, works=False),
    _row("GET /v/{code}/resolution", PUBLIC, "same", "@village", params={"no": "2026-01"}, works=False),
    _row("GET /v/{code}/{item}/{year}/spending", PUBLIC, "same", "@village F01 2026"),
    _row("GET /v/{code}/{item}/{year}/spending.csv", PUBLIC, "same", "@village F01 2026"),
    _row("GET /d/{disclosure_id}.{suffix}", PUBLIC, "same", "@published csv"),
    _row("POST /api/v1/questions", PUBLIC, json={"about": "@village", "text": "为什么付两次钱？"}),
    _row("GET /api/v1/questions/{ref}", PUBLIC, "same", "@question"),
    _row("POST /api/v1/questions/{ref}/unclear", PUBLIC, "same", "@answered", json={}),
    _row("GET /api/v1/villages/{code}/questions", PUBLIC, "same", "@village"),
    _row("GET /ask", PUBLIC, params={"about": "@village"}),
    # Sent as soon as it was opened.
    _row("POST /ask", PUBLIC, data={"about": "@village", "text": "为什么付两次钱？"}, works=False),
    _row("GET /q/{name}", PUBLIC, "same", "@question"),
    _row("POST /q/{name}/unclear", PUBLIC, "same", "@answered"),
    _row("GET /v/{code}/questions", PUBLIC, "same", "@village"),
    _row("GET /robots.txt", PUBLIC),
    _row("GET /sitemap.xml", PUBLIC),
    _row("GET /d/{disclosure_id}", PUBLIC, "same", "@published"),
    _row("GET /d/{disclosure_id}/{number}", PUBLIC, "same", "@published 1"),
    _row("GET /objects/{digest}", PUBLIC, "same", "0" * 64, works=False),
    _row("GET /c/{code}", PUBLIC, "same", "000000000", works=False),
    _row("GET /{path}", PUBLIC, "same", "nothing-here", works=False),
)

AUDIT: Final = (
    *_HEALTH,
    _row("MOUNT /inspect/static/{path}", PUBLIC, "same", "staff.css"),
    _row("GET /audit/v1/alerts", WATCHING, "refused", params={"village": "@village"}),
    _row("GET /audit/v1/alerts/{alert_id}", WATCHING, "refused", "@alert", affair=True),
    _row("GET /audit/v1/rules", WATCHING),
    _row("GET /audit/v1/coverage", WATCHING, "refused", params={"division": "@village", "period": "2026-10"}),
    _row("GET /inspect", WATCHING, "refused", params={"division": "@village"}),
    _row("GET /inspect/alerts/{alert_id}", WATCHING, "refused", "@alert", affair=True),
    _row("GET /inspect/grid", WATCHING, "refused", params={"division": "@township"}),
    _row("GET /inspect/rules", WATCHING),
    _row("GET /audit/v1/sheets", WATCHING, "refused", params={"division": "@village"}),
    _row("GET /audit/v1/resets", WATCHING),
    _row("GET /inspect/resets", WATCHING),
    _row("GET /audit/v1/heads", WATCHING),
    _row("GET /inspect/trail", WATCHING),
    _row("GET /inspect/sheets", WATCHING, "refused", params={"division": "@village"}),
    *_trail("/audit/v1/actions", "/inspect/actions"),
)

_PRINTING: Final = {CLERK, REVIEWER, INSPECTOR, OPERATOR}
QR: Final = (
    *_HEALTH,
    _row("MOUNT /posters/own/{path}", PUBLIC, "same", "scan.css"),
    _row("MOUNT /posters/static/{path}", PUBLIC, "same", "staff.css"),
    _row("GET /qr/v1/codes", STAFF, "refused", params={"division": "@village"}),
    _row("GET /qr/v1/codes/{code}.svg", STAFF, "refused", "@code"),
    _row("GET /qr/v1/codes/{code}.png", STAFF, "refused", "@code"),
    _row("POST /qr/v1/codes/{code}/revoke", {REVIEWER, OPERATOR}, "refused", "@code", json={"reason": "码牌丢失"}),
    _row("GET /qr/v1/posters", _PRINTING, "refused", params={"division": "@village"}),
    _row("GET /c/{code}", PUBLIC, "same", "@code"),
    _row("HEAD /c/{code}", PUBLIC, "same", "@code"),
    _row("GET /posters", STAFF, "refused", params={"division": "@village"}),
    _row("POST /posters/{code}/revoke", {REVIEWER, OPERATOR}, "refused", "@code", data={"reason": "码牌丢失"}),
    *_trail("/qr/v1/actions", "/posters/actions"),
)

#: Every row by service.
RIGHTS: Final = MappingProxyType({"registry": REGISTRY, "ingest": INGEST, "publish": PUBLISH, "audit": AUDIT, "qr": QR})
