"""Things that exist in a service when it is asked at random, by the names of the parameters and fields that name them."""

import io
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from PIL import Image

from services.audit.jobs import Watch
from services.contracts.division import DivisionSet
from services.contracts.question import make_ref
from services.contracts.topics import ServiceName
from services.ingest.commands.declarations import asked_items
from services.kit.auth import issue_token
from tests import builders
from tests.audit.events import Disclosure, at, give_keys
from tests.audit.events import ledger as cash_ledger
from tests.builders import CITY, NEIGHBOUR, TOWNSHIP, VILLAGE
from tests.conftest import Served
from tests.emptying import empty
from tests.ingest.asking import ask
from tests.ingest.conftest import CLERK, REVIEWER, SUPERVISOR, TABLES, Month
from tests.publish.conftest import Publishing
from tests.registry.accounts import HEAD, PASSWORD, emptied, take

#: Values by the name of the parameter or field.
Known = Mapping[str, list[Any]]

_COMMON: Final[Known] = {
    "division": [CITY, TOWNSHIP, VILLAGE],
    "village": [VILLAGE, NEIGHBOUR],
    "item": ["F01", "F09", "F10", "V16"],
    "period": ["2026-10", "2026Q3"],
    "limit": [1],
}
_NOTICE: Final = {"kind": "notice", "title": "卫生评比", "paragraphs": ["本季度评比结果如下。"]}
_WAIVER: Final = {"village": VILLAGE, "item": "F10", "period": "2026Q3", "reason": "本村没有发包的资产。"}
#: Accounts that may be changed and ended at random; who acts stays.
_ACCOUNTS: Final = (
    f"anna,{PASSWORD},,clerk,{VILLAGE}\n"
    f"rita,{PASSWORD},,reviewer,{TOWNSHIP}\n"
    f"olga,{PASSWORD},GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ,operator,{CITY}\n"
)


async def _registry(served: Served) -> Known:
    await take(await emptied(served), HEAD + _ACCOUNTS)
    return {
        **_COMMON,
        "username": ["anna", "rita", "olga"],
        "password": [PASSWORD],
        "new_password": ["another-long-password"],
        "scope": [VILLAGE, TOWNSHIP],
        "code": ["default"],
    }


async def _ingest(served: Served) -> Known:
    """Disclosures in every state, a waiver, a quarter's page, an import, a batch of approvals, a file."""
    async with served.runtime.database.transaction() as conn:
        await empty(conn, *TABLES)
    month = Month(served)
    ids = [await month.draft()]
    # Submitted, confirmed, approved, published.
    for number, quarter in enumerate(("2026Q3", "2026Q2", "2026Q1", "2025Q4"), start=1):
        steps = (("submit", CLERK), ("confirm", SUPERVISOR), ("approve", REVIEWER))[:number]
        ids.append(await month.draft(item="V16", period=quarter, body=_NOTICE))
        for action, user in steps:
            await month.step(ids[-1], action, user)
    await month.published(ids[4])
    waiver = await month.done("POST", "/ingest/v1/waivers", CLERK, _WAIVER)
    answers = [{"item": code, "days": []} for code in asked_items(served.runtime.reference, VILLAGE, "2026Q3")]
    await month.done("PUT", f"/ingest/v1/declarations/{VILLAGE}/2026Q3", CLERK, {"answers": answers})
    draft = builders.disclosure(village=NEIGHBOUR)
    batch = await month.done("POST", "/ingest/v1/imports", REVIEWER, {"disclosures": [draft]})
    waiting = {"items": [{"id": ids[2], "version": 1}]}
    approval = await month.done("POST", "/ingest/v1/approvals", REVIEWER, waiting)
    for number in (1, 2):
        await ask(served, number)
    return {
        **_COMMON,
        "ref": [make_ref(number * 7919) for number in (1, 2)],
        "disclosure_id": ids,
        "id": ids,
        "version": [1],
        "edition": [1],
        "from": [1],
        "to": [1, 2],
        "quarter": ["2026Q3"],
        "answers": [answers],
        "body": [builders.ledger(), _NOTICE],
        "waiver_id": [waiver["id"]],
        "import_id": [batch["id"]],
        "approval_id": [approval["id"]],
        "disclosures": [[builders.disclosure(period="2026-09")]],
        "digest": [await _file(served)],
    }


async def _file(served: Served) -> str:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(out, "JPEG")
    sent = {"file": ("a.jpg", out.getvalue())}
    answer = await served.client.post(
        "/ingest/v1/attachments", files=sent, data={"village": VILLAGE}, headers=served.bearer(CLERK)
    )
    return str(answer.json()["digest"])


async def _publish(served: Served) -> Known:
    """A ledger, a corrected one, one that is gone."""
    async with served.runtime.database.transaction() as conn:
        # What the requests before used up of asking.
        await conn.execute("TRUNCATE allowance")
    publishing = Publishing(served)
    first = await publishing.opened()
    second = await publishing.opened(period="2026-09")
    await publishing.opened(second.aggregate_id, period="2026-09", edition=2, note="改正合计")
    gone = await publishing.opened(item="V16", period="2026Q3", body=_NOTICE)
    await publishing.withdrawn(gone)
    waiting, answered = await publishing.ask(), await publishing.ask()
    await publishing.answered(answered)
    ids = [e.aggregate_id for e in (first, second, gone)]
    return {
        **_COMMON,
        "code": [VILLAGE, NEIGHBOUR],
        "disclosure_id": ids,
        "about": [VILLAGE, f"{VILLAGE}/F01/2026-10", *ids, f"{ids[0]}/1/1"],
        "ref": [waiting["ref"], answered["ref"], waiting["id"]],
    }


async def _audit(served: Served) -> Known:
    """A wrong total, and everything that nobody opened."""
    found = Disclosure()
    await give_keys(served, found)
    await served.hear(found.approved(cash_ledger(totals=(1, 81_500)), at("2026-11-10 02:00")))
    await Watch().run(served.runtime)
    listed = await served.client.get("/audit/v1/alerts", headers=served.bearer("inspector-210881"))
    alerts = [a["id"] for a in listed.json()["items"]]
    return {**_COMMON, "alert_id": alerts, "rule": ["A01", "D01"], "state": ["open"]}


async def _qr(served: Served) -> Known:
    await served.hear(*(e for e in builders.reference_events() if isinstance(e, DivisionSet)))
    listed = await served.client.get("/qr/v1/codes", headers=served.bearer("operator"))
    return {**_COMMON, "code": [c["code"] for c in listed.json()["items"] if c["state"] == "valid"]}


_MAKERS: Final[Mapping[ServiceName, Callable[[Served], Awaitable[Known]]]] = MappingProxyType(
    {"registry": _registry, "ingest": _ingest, "publish": _publish, "audit": _audit, "qr": _qr}
)


async def things_for(served: Served, name: ServiceName, route: str) -> Known:
    """Things as they were made; reading routes one after the other share them, what changes them gets new ones."""
    known = served.made.pop("things", None) or await _MAKERS[name](served)
    if route.startswith("GET "):
        served.made["things"] = known
    return {**known, "cursor": await _cursors(served, route)}


def bearer(served: Served, username: str) -> dict[str, str]:
    """Headers that sign in somebody of the reference copy, of builders.py or of a file."""
    found = next(s.staff_id for s in served.runtime.reference.staff.values() if s.username == username)
    token = issue_token(builders.SIGNING_KEY, builders.SIGNER_KID, found, served.clock.now())
    return {"authorization": f"Bearer {token}"}


async def _cursors(served: Served, route: str) -> list[str]:
    """Where a list's second page begins, when the route is a list of two pages."""
    method, _, path = route.partition(" ")
    # A stream is no list of pages, and has no end.
    if method != "GET" or "{" in path or path.endswith("/stream"):
        return []
    answer = await served.client.get(path, params={"limit": "1"}, headers=bearer(served, "inspector-210881"))
    told = answer.json() if answer.headers.get("content-type") == "application/json" else {}
    return [told["next"]] if told.get("next") else []
