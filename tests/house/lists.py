"""What every route lists or takes many of: one row a route, beside the example requests of `rights.py`.

`crowds.py` makes so many. A route that changes one thing is in `ONE`; it is asked beside the crowd all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from services.contracts.topics import ServiceName

_ALL: Final = MappingProxyType({"limit": "200"})


@dataclass(frozen=True, slots=True)
class Many:
    """`of` what there are many. `sent`: instead of the example's; `at`: what fills the places of the route, in order.

    `shown`: the answer is longer for more of them, so that nobody counts the statements of an empty list.
    """

    of: str
    sent: Mapping[str, Any] | None = None
    at: str = ""
    shown: bool = True


def _list(of: str, **params: str) -> Many:
    return Many(of, {"params": {**_ALL, **params}})


def _in_memory(of: str) -> Many:
    return Many(of, shown=False)


REGISTRY: Final[Mapping[str, Many | tuple[Many, ...]]] = {
    "GET /account": Many("sessions"),
    "GET /admin": _in_memory("nothing: leads on"),
    "GET /admin/actions": Many("actions"),
    "GET /admin/calendar": _in_memory("years"),
    "POST /admin/calendar": Many(
        "days off", {"data": {"year": "2031", "source": "test", "days_off": "@days_words"}}, shown=False
    ),
    "GET /admin/catalogue": _in_memory("items"),
    "GET /admin/divisions": Many("villages"),
    "GET /admin/import": _in_memory("nothing: a form"),
    "POST /admin/import": Many("accounts, new and changed", {"data": {"text": "@staff_file"}}),
    "POST /admin/import/apply": Many("accounts, new and changed", {"data": {"text": "@staff_file"}}),
    "GET /admin/staff": Many("accounts"),
    "GET /admin/staff/{username}": _in_memory("nothing: one account"),
    "GET /registry/renew": _in_memory("nothing: leads on"),
    "GET /registry/v1/account": Many("sessions", shown=False),
    "GET /registry/v1/actions": _list("actions"),
    "GET /registry/v1/calendar": _in_memory("years"),
    "PUT /registry/v1/calendar/{year}": Many(
        "days off", {"json": {"days_off": "@days", "working_weekends": [], "source": "test"}}, at="2031"
    ),
    "POST /registry/v1/calendar/{year}/file": Many(
        "days off", {"params": {"source": "test"}, "content": "@days_file"}, at="2031"
    ),
    "GET /registry/v1/catalogue": _in_memory("items"),
    "POST /registry/v1/catalogue/apply": Many("items", shown=False),
    "POST /registry/v1/catalogue/check": Many("items"),
    "GET /registry/v1/divisions": _list("villages"),
    "GET /registry/v1/profiles": _in_memory("profiles"),
    "GET /registry/v1/profiles/{code}": _in_memory("nothing: one profile"),
    "GET /registry/v1/staff": _list("accounts"),
    "POST /registry/v1/staff/imports": (
        Many("accounts to be", {"params": {"apply": "false"}, "content": "@staff_file"}),
        Many("accounts, new and changed", {"params": {"apply": "true"}, "content": "@staff_file"}),
    ),
    "GET /sign-in": _in_memory("nothing: a form"),
}

_APPROVALS: Final = Many("disclosures of a batch", at="@approval")
INGEST: Final[Mapping[str, Many | tuple[Many, ...]]] = {
    "GET /desk": Many("cells, disclosures, waivers"),
    "GET /desk/actions": Many("actions"),
    "POST /desk/approvals": Many("disclosures of a batch", {"data": {"chosen": "@ticks"}}, shown=False),
    "GET /desk/approvals/{approval_id}": _APPROVALS,
    "POST /desk/approvals/{approval_id}/undo": Many("disclosures of a batch", at="@approval", shown=False),
    "GET /desk/attachments/{digest}": _in_memory("nothing: one file"),
    "GET /desk/disclosures/{disclosure_id}": (
        Many("lines, files", at="@draft"),
        Many("opinions, returns", at="@confirmed"),
    ),
    "GET /desk/disclosures/{disclosure_id}/edit": Many("lines, files", at="@draft"),
    "GET /desk/disclosures/{disclosure_id}/sheet": Many("lines", at="@submitted"),
    "GET /desk/disclosures/{disclosure_id}/vouchers": Many("lines, files", at="@draft"),
    "POST /desk/disclosures/{disclosure_id}/vouchers": Many(
        "lines, files", {"data": {"version": "1"}}, at="@draft", shown=False
    ),
    "GET /desk/disclosures/{disclosure_id}/vouchers/{digest}": Many("lines, files", at="@draft @voucher", shown=False),
    "POST /desk/disclosures/{disclosure_id}/vouchers/{digest}": Many(
        "lines, files", {"data": {"how": "hide"}}, at="@draft @voucher", shown=False
    ),
    "POST /desk/vouchers": Many("files of a form", {"data": {"id": "@draft"}, "files": "@picture"}, shown=False),
    "GET /desk/form": _in_memory("periods before"),
    "POST /desk/form": Many("lines, files", shown=False),
    "POST /desk/typed": Many("lines, files", shown=False),
    "GET /desk/grid": Many("villages"),
    "GET /desk/imports": Many("imports", shown=False),
    "GET /desk/imports/templates/{item}.xlsx": _in_memory("nothing: a blank spreadsheet"),
    "GET /desk/imports/words": _in_memory("names of columns, 500 at most"),
    "POST /desk/imports/words": Many("names of columns", shown=False),
    "GET /desk/imports/workbooks/{workbook_id}": Many("lines of a spreadsheet", at="@workbook"),
    "POST /desk/imports/workbooks/{workbook_id}": Many("lines of a spreadsheet", at="@workbook", shown=False),
    "POST /desk/imports/workbooks/{workbook_id}/take": Many("lines of a spreadsheet", at="@workbook", shown=False),
    "POST /desk/imports/workbooks/{workbook_id}/drop": Many("lines of a spreadsheet", at="@workbook", shown=False),
    "POST /desk/imports/{import_id}/submit": (
        Many("drafts of an import", at="@import", shown=False),
        Many("drafts that the agency delivered", at="@delivered", shown=False),
    ),
    "POST /desk/imports": Many("disclosures of a file", shown=False),
    "GET /desk/imports/{import_id}": (
        Many("drafts of an import", at="@import"),
        Many("drafts that the agency delivered", at="@delivered"),
    ),
    "POST /desk/imports/{import_id}/undo": (
        Many("drafts of an import", at="@import", shown=False),
        Many("drafts that the agency delivered", at="@delivered", shown=False),
    ),
    "GET /desk/list": Many("disclosures", {"params": {"village": "@village"}}),
    "GET /desk/new": _in_memory("villages"),
    "GET /desk/quarters": Many("villages"),
    "GET /desk/quarters/{village}/{quarter}": _in_memory("days"),
    "POST /desk/quarters/{village}/{quarter}": Many("days", shown=False),
    "GET /desk/urge": Many("villages"),
    "GET /desk/questions": Many("questions"),
    "GET /desk/questions/{ref}": _in_memory("nothing: one question"),
    "GET /desk/waivers": Many("waivers"),
    "GET /desk/waivers/new": _in_memory("nothing: a form"),
    "GET /ingest/v1/actions": _list("actions"),
    "POST /ingest/v1/approvals": Many("disclosures of a batch", {"json": {"items": "@many"}}),
    "DELETE /ingest/v1/approvals/{approval_id}": _APPROVALS,
    "GET /ingest/v1/approvals/{approval_id}": _APPROVALS,
    "GET /ingest/v1/attachments/{digest}": _in_memory("nothing: one file"),
    "GET /ingest/v1/declarations/{village}/{quarter}": _in_memory("days"),
    "PUT /ingest/v1/declarations/{village}/{quarter}": Many("days"),
    "POST /ingest/v1/disclosures": Many("lines, files", shown=False),
    "GET /ingest/v1/disclosures": _list("disclosures", division="@village"),
    "GET /ingest/v1/disclosures/{disclosure_id}": (
        Many("lines, files", at="@draft"),
        Many("opinions, returns", at="@confirmed"),
    ),
    "GET /ingest/v1/disclosures/{disclosure_id}/difference": _in_memory("lines"),
    "PUT /ingest/v1/disclosures/{disclosure_id}": Many("lines, files", shown=False),
    "GET /ingest/v1/duties": (
        _list("cells of a village", division="@village"),
        _list("cells of a period, villages", division="@township", period="2026-10"),
        _list("cells of villages in a state", division="@township", state="opened"),
        # Ten villages fill the page, or all are looked through and none is shown.
        *(
            Many(f"villages, {name} {value}", {"params": {**_ALL, "division": "@township", name: value}}, shown=False)
            for name, value in (("state", "not_opened"), ("state", "waived"), ("period", "2031-01"))
        ),
    ),
    "POST /ingest/v1/imports": Many("disclosures of a file", {"json": {"disclosures": "@drafts"}}),
    "DELETE /ingest/v1/imports/{import_id}": (
        Many("drafts of an import", at="@import"),
        Many("drafts that the agency delivered", at="@delivered"),
    ),
    "GET /ingest/v1/imports": _list("imports"),
    "GET /ingest/v1/imports/{import_id}": (
        Many("drafts of an import", at="@import"),
        Many("drafts that the agency delivered", at="@delivered"),
    ),
    "GET /ingest/v1/questions": _list("questions", division="@village"),
    "GET /ingest/v1/questions/{ref}": _in_memory("nothing: one question"),
    "GET /ingest/v1/waivers": _list("waivers", division="@village"),
}

PUBLISH: Final[Mapping[str, Many | tuple[Many, ...]]] = {
    "GET /": _in_memory("villages"),
    "GET /api/v1/catalogue": _in_memory("items"),
    "GET /api/v1/catalogue.{suffix}": _in_memory("items"),
    "GET /api/v1/changes": _list("changes"),
    "GET /api/v1/changes/stream": Many("changes", {"params": {"seconds": "1"}}, shown=False),
    "GET /api/v1/disclosures": _list("disclosures"),
    "GET /api/v1/disclosures.{suffix}": Many("disclosures", {}, at="csv"),
    "GET /api/v1/disclosures/{disclosure_id}": Many("editions", shown=False),
    "GET /api/v1/disclosures/{disclosure_id}.{suffix}": Many("editions", shown=False),
    "GET /api/v1/divisions": _list("villages"),
    "GET /api/v1/divisions.{suffix}": Many("villages"),
    # Ten disclosures at a time, however many there are.
    "GET /api/v1/export/{division}.zip": Many(
        "nothing of a year", {"params": {"year": "2001"}}, at="@village", shown=False
    ),
    "GET /api/v1/lines": _list("disclosures"),
    "GET /api/v1/search": _list("disclosures", q="水管"),
    "GET /api/v1/villages": _list("villages"),
    "GET /api/v1/villages.{suffix}": Many("villages"),
    "GET /api/v1/villages/{code}": Many("disclosures of a village"),
    "GET /api/v1/villages/{code}/disclosures": Many("disclosures of a village", {"params": dict(_ALL)}, at="@village"),
    "GET /api/v1/villages/{code}/disclosures.{suffix}": Many("disclosures of a village"),
    "GET /api/v1/villages/{code}/duties.{suffix}": Many("cells of a village"),
    "GET /api/v1/villages/{code}/duties": Many("cells of a village", {"params": dict(_ALL)}, at="@village"),
    "GET /api/v1/words": _in_memory("nothing that grows"),
    "GET /api/v1/questions/{ref}": _in_memory("nothing: one question"),
    "GET /api/v1/villages/{code}/questions": Many("questions", {"params": dict(_ALL)}, at="@village"),
    "GET /ask": _in_memory("nothing: a form"),
    "GET /q/{name}": _in_memory("nothing: one question"),
    "GET /q/{name}/join": _in_memory("nothing: one question"),
    "GET /v/{code}/questions": Many("questions"),
    "GET /c/{code}": _in_memory("nothing: leads on"),
    "GET /d/{disclosure_id}": Many("editions"),
    "GET /d/{disclosure_id}.{suffix}": Many("editions", shown=False),
    "GET /d/{disclosure_id}/card-{shape}.png": Many("editions", shown=False),
    "GET /d/{disclosure_id}/media": Many("editions", shown=False),
    "GET /d/{disclosure_id}/{number}": Many("editions"),
    "GET /embed/v/{code}": Many("disclosures of a village", shown=False),
    "GET /oembed": _in_memory("nothing: one frame"),
    "GET /d/{disclosure_id}/adopt": _in_memory("nothing: a form"),
    "GET /api/v1/disclosures/{disclosure_id}/adoptions": _in_memory("nothing: a count and five addresses"),
    "GET /taken/{taker}": _in_memory("nothing: fifty at most"),
    "GET /taken/{taker}/feed.atom": _in_memory("nothing: fifty at most"),
    "GET /adopted.atom": _in_memory("nothing: fifty at most"),
    "GET /feed.atom": Many("disclosures"),
    "GET /items/{item}/feed.atom": Many("disclosures of an item", at="F07"),
    "GET /objects/{digest}": _in_memory("nothing: one file"),
    "GET /robots.txt": _in_memory("nothing"),
    "GET /f/{key}": Many("disclosures that paid a firm", at="0000000000000000", shown=False),
    "GET /search": Many("disclosures", {"params": {"q": "水管"}}),
    "GET /sitemap.xml": _in_memory("villages"),
    "GET /t/{code}": Many("villages"),
    "GET /t/{code}.{suffix}": Many("villages"),
    "GET /t/{code}/feed.atom": Many("disclosures"),
    "GET /v/{code}": Many("disclosures of a village"),
    "GET /v/{code}/card-{shape}.png": Many("disclosures of a village", shown=False),
    "GET /v/{code}/big": Many("disclosures of a village", shown=False),
    "GET /v/{code}/bulletin.pdf": Many("lines of a month", shown=False),
    "GET /v/{code}/en": Many("disclosures of a village", shown=False),
    "GET /v/{code}/feed.atom": Many("disclosures of a village"),
    "GET /v/{code}/mine": _in_memory("nothing: a form"),
    "POST /v/{code}/mine": Many("rosters of a village", shown=False),
    "POST /api/v1/villages/{code}/household": Many("rosters of a village", shown=False),
    "GET /v/{code}/{item}": Many("disclosures of an item", at="@village F07"),
    "GET /v/{code}/{item}.csv": Many("disclosures of an item", at="@village F07"),
    "GET /v/{code}/{item}.xlsx": Many("disclosures of an item", at="@village F07"),
    "GET /v/{code}/{item}/feed.atom": Many("disclosures of an item", at="@village F07"),
    "GET /v/{code}/{item}/{year}": Many("disclosures of an item", at="@village F07 2026"),
    "GET /v/{code}/contract": Many("lines of a village", {"params": {"no": "2026-01"}}, at="@village", shown=False),
    "GET /v/{code}/invoice": Many("lines of a village", {"params": {"no": "12345678"}}, at="@village", shown=False),
    "GET /v/{code}/resolution": Many("lines of a village", {"params": {"no": "2026-01"}}, at="@village", shown=False),
    "GET /v/{code}/{item}/{year}/spending": Many("months of a year", at="@village F01 2026", shown=False),
    "GET /v/{code}/{item}/{year}/spending.csv": Many("months of a year", at="@village F01 2026", shown=False),
    "GET /villages.{suffix}": Many("villages"),
    "GET /{path}": _in_memory("nothing"),
}

AUDIT: Final[Mapping[str, Many | tuple[Many, ...]]] = {
    "GET /audit/v1/actions": _list("actions"),
    "GET /audit/v1/alerts": _list("alerts", village="@village"),
    "GET /audit/v1/alerts/{alert_id}": Many("episodes"),
    "GET /audit/v1/coverage": Many("villages", {"params": {"division": "@township", "period": "2026-10"}}),
    "GET /audit/v1/heads": _in_memory("services"),
    "GET /audit/v1/resets": _list("resets"),
    "GET /audit/v1/rules": _in_memory("rules"),
    "GET /audit/v1/sheets": _list("sheets", division="@village"),
    "GET /inspect": Many("alerts", {"params": {"division": "@village", **_ALL}}),
    "GET /inspect/actions": Many("actions"),
    "GET /inspect/alerts/{alert_id}": Many("episodes"),
    "GET /inspect/grid": Many("villages"),
    "GET /inspect/leads": Many("leads", {"params": {"division": "@village", **_ALL}}),
    "GET /inspect/resets": Many("resets"),
    "GET /inspect/rules": _in_memory("rules"),
    "GET /inspect/trail": _in_memory("services"),
    "GET /inspect/sheets": Many("sheets", {"params": {"division": "@village", **_ALL}}),
}

QR: Final[Mapping[str, Many | tuple[Many, ...]]] = {
    "GET /c/{code}": _in_memory("nothing: leads on"),
    "HEAD /c/{code}": _in_memory("nothing: leads on"),
    "GET /posters": Many("villages, codes", {"params": {"division": "@township", **_ALL}}),
    "GET /posters/actions": Many("actions"),
    "GET /posters/codes/{code}": _in_memory("nothing: one code"),
    "GET /posters/import": _in_memory("nothing: a form"),
    "POST /posters/import": Many("codes", {"files": "@places"}),
    "GET /posters/new": _in_memory("villages, items"),
    "GET /posters/print": _in_memory("nothing: a form"),
    "GET /qr/v1/actions": _list("actions"),
    "GET /qr/v1/codes": _list("codes", division="@village"),
    "GET /qr/v1/codes/{code}.png": _in_memory("nothing: one picture"),
    "GET /qr/v1/codes/{code}.svg": _in_memory("nothing: one picture"),
    "GET /qr/v1/codes/{code}/photograph": _in_memory("nothing: one picture"),
    "POST /qr/v1/places": Many("codes", {"files": "@places"}),
    "GET /qr/v1/posters": Many("villages", {"params": {"division": "@township"}}),
    "GET /qr/v1/posters.zip": Many("villages", {"params": {"division": "@township"}}),
    "GET /qr/v1/posters/preview.png": _in_memory("nothing: one picture"),
}

#: Every route that lists or takes many, by service.
MANY: Final[Mapping[ServiceName, Mapping[str, Many | tuple[Many, ...]]]] = MappingProxyType(
    {"registry": REGISTRY, "ingest": INGEST, "publish": PUBLISH, "audit": AUDIT, "qr": QR}
)


def _below(path: str, *ends: str) -> set[str]:
    return {f"POST {path}{end}" for end in ends}


_ACCOUNT: Final = "/{username}"
#: Routes that change one thing.
ONE: Final[Mapping[ServiceName, set[str]]] = MappingProxyType(
    {
        "registry": {
            *_below("/account", "/password", "/sessions/{session_id}/end", "/sign-out-everywhere"),
            *_below("/account/second-factor", "", "/confirm"),
            *_below("/registry/v1/account", "/password", "/sign-out-everywhere"),
            *_below("/registry/v1/account/second-factor", "", "/confirm"),
            "DELETE /registry/v1/account/sessions/{session_id}",
            *_below("/admin/staff", "", *(f"{_ACCOUNT}/{end}" for end in ("change", "end", "reset", "revoke"))),
            *_below("/admin/staff/{username}/delegations", "", "/end"),
            *_below("/registry/v1/staff", "", *(f"{_ACCOUNT}/{end}" for end in ("end", "reset", "revoke"))),
            *_below("/registry/v1/staff/{username}/delegations", "", "/end"),
            "PUT /registry/v1/staff/{username}",
            "PUT /registry/v1/profiles/{code}",
            *_below("", "/registry/sign-out", "/registry/v1/sign-in", "/sign-in", "/sign-out"),
        },
        "ingest": {
            *_below("/desk", "/attachments", "/nil", "/sheets", "/waivers", "/waivers/{waiver_id}/{decision}"),
            *_below("/desk/disclosures/{disclosure_id}", "/discard", "/{action}"),
            *_below("/desk/questions/{ref}", "/answer", "/hand-up", "/hide"),
            *_below("/ingest/v1/questions/{ref}", "/answer", "/hand-up", "/hide"),
            *_below("/ingest/v1", "/attachments", "/disclosures/nil", "/waivers", "/waivers/{waiver_id}/{decision}"),
            *_below("/ingest/v1/declarations/{village}/{quarter}", "/confirm", "/return"),
            *_below(
                "/ingest/v1/disclosures/{disclosure_id}", "/accept", "/approve", "/confirm", "/correct", "/discard"
            ),
            *_below("/ingest/v1/disclosures/{disclosure_id}", "/erase", "/file", "/mask", "/restore", "/return"),
            *_below("/ingest/v1/disclosures/{disclosure_id}", "/submit", "/withdraw"),
        },
        "publish": {
            *_below("", "/ask", "/q/{name}/unclear", "/api/v1/questions", "/api/v1/questions/{ref}/unclear"),
            *_below("", "/q/{name}/join", "/api/v1/questions/{id}/join"),
            *_below("", "/d/{disclosure_id}/adopt", "/api/v1/disclosures/{disclosure_id}/adoptions"),
            *_below("/taken/{taker}", "/remove"),
            "DELETE /api/v1/adoptions/{taker}",
        },
        "audit": set(),
        "qr": {
            *_below("/posters", "/hang", "/new", "/{code}/revoke", "/{code}/rotate"),
            *_below("/qr/v1", "/codes", "/codes/{code}/revoke", "/codes/{code}/rotate", "/hangings"),
        },
    }
)
