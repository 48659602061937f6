"""What the example requests of `rights.py` are about, and the people who ask; changed things are put back."""

import io
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import asyncpg
from PIL import Image

from services.audit.jobs import Watch
from services.contracts.base import Role
from services.contracts.catalogue import Affair
from services.contracts.code import CodeSet
from services.contracts.division import DivisionSet
from services.contracts.duties import publishing_holder
from services.contracts.staff import Staff, StaffRevision, StaffSet
from services.contracts.values import Frequency
from services.ingest.forms import form_of
from services.kit import reference
from services.kit.clock import local_day
from tests import builders
from tests.audit.events import Disclosure, at, give_keys
from tests.audit.events import ledger as small_ledger
from tests.conftest import Place, Served
from tests.ingest.asking import ask
from tests.ingest.hostile import plain, saved
from tests.publish.conftest import Publishing
from tests.registry.accounts import HEAD, PASSWORD, take

#: One of each role whose part of the tree holds the test village.
INSIDE: Final = {
    Role.CLERK: "clerk-210881006206",
    Role.ACCOUNTANT: "accountant-210881006",
    Role.PRINCIPAL: "principal-210881006206",
    Role.SUPERVISOR: "supervisor-210881006206",
    Role.REVIEWER: "reviewer-210881006",
    Role.DEPARTMENT: "department-210881-finance",
    Role.INSPECTOR: "inspector-210881",
    Role.OPERATOR: "operator",
}
_TOWNSHIPS: Final = frozenset({Role.ACCOUNTANT, Role.REVIEWER, Role.DEPARTMENT, Role.INSPECTOR, Role.OPERATOR})
#: The same roles elsewhere.
OUTSIDE: Final = {
    role: (f"far-{role}", builders.OTHER_TOWNSHIP if role in _TOWNSHIPS else builders.FAR_VILLAGE) for role in INSIDE
}
#: Whose scope holds the village, but whose affairs do not hold its ledgers.
STRANGERS: Final = {
    Role.REVIEWER: ("party-reviewer", builders.TOWNSHIP),
    Role.DEPARTMENT: ("party-department", builders.CITY),
}
PDF: Final = saved(plain())
PICTURE: Final = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR4nGP4/5/h/38AC/oD/eAlihAAAAAASUVORK5CYII="
)
DOCUMENT: Final = "盖农发〔2025〕9号"


@dataclass(frozen=True, slots=True)
class Stage:
    """A service, the things in it by name, and its tables as they were when all was set up."""

    served: Served
    things: dict[str, Any]
    tables: "Tables"


@dataclass(frozen=True, slots=True)
class Tables:
    """A copy of a service's tables."""

    conn: asyncpg.Connection
    statement: str

    @classmethod
    async def kept(cls, place: Place, service: str) -> "Tables":
        """Copy every table; the superuser's connection stays open."""
        conn = await asyncpg.connect(place.parts.pg.dsn("sanwu_admin", database=place.database))
        rows = await conn.fetch(
            "SELECT c.relname AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY attnum) AS columns"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' GROUP BY c.relname",
            service,
        )
        # Foreign keys rest while the tables are put back one after the other.
        back = ["SET session_replication_role = replica"]
        for name, columns in rows:
            await conn.execute(f"CREATE TEMPORARY TABLE kept_{name} AS TABLE {service}.{name}")
            back.append(f"DELETE FROM {service}.{name}")
            back.append(
                f"INSERT INTO {service}.{name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM kept_{name}"
            )
        return cls(conn, "; ".join(back))

    async def put_back(self) -> None:
        """Everything as it was."""
        async with self.conn.transaction():
            await self.conn.execute(self.statement)


def filled(stage: Stage, sent: Any) -> Any:
    """An example with the things that it names."""
    match sent:
        case str() if sent.startswith("@"):
            return stage.things[sent[1:]]
        case dict():
            return {name: filled(stage, value) for name, value in sent.items()}
        case list():
            return [filled(stage, value) for value in sent]
    return sent


async def staged(served: Served, place: Place) -> Stage:
    """A service with all that its rows ask for."""
    name = served.service.name
    await _hire(served)
    common = {"village": builders.VILLAGE, "township": builders.TOWNSHIP, "password": PASSWORD, "document": DOCUMENT}
    things = {**common, **await _SETTERS[name](served)}
    return Stage(served, things, await Tables.kept(place, name))


async def _hire(served: Served) -> None:
    """The people who are not in `builders.py`."""
    far = [(name, role, scope, ()) for role, (name, scope) in OUTSIDE.items()]
    strangers = [(name, role, scope, (Affair.PARTY,)) for role, (name, scope) in STRANGERS.items()]
    async with served.runtime.database.transaction() as conn:
        for name, role, scope, affairs in (*far, *strangers):
            revision = StaffRevision(since=date(2026, 1, 1), role=role, scope=scope, affairs=affairs)
            staff = Staff(
                staff_id=builders.staff_id(name),
                username=name,
                revisions=(revision,),
                sessions_not_before=datetime(2026, 1, 1, tzinfo=UTC),
            )
            await reference.project(conn, StaffSet(**builders.stamp(staff.staff_id), staff=staff))
    await served.runtime.reference.refresh()


# -- the registry


async def _registry(served: Served) -> dict[str, Any]:
    rows = f"clerk-target,{PASSWORD},,clerk,{builders.VILLAGE}\n"
    rows += f"inspector-target,{PASSWORD},GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ,inspector,{builders.TOWNSHIP}\n"
    await take(served, HEAD + rows)
    path, headers = "/registry/v1/staff/clerk-target/delegations", served.bearer("operator")
    paper = {"scope": builders.VILLAGE, "document": DOCUMENT}
    answer = await served.client.post(path, json=paper, headers=headers)
    assert answer.status_code == 201, answer.text
    async with served.runtime.database.transaction() as conn:
        # Everybody who asks has a password, all the same one.
        for name in (*INSIDE.values(), *(n for n, _ in (*OUTSIDE.values(), *STRANGERS.values()))):
            await conn.execute(
                "INSERT INTO credential (staff_id, username, password_hash, changed_at) SELECT $1, $2, password_hash,"
                " changed_at FROM credential WHERE username = 'clerk-target'",
                builders.staff_id(name),
                name,
            )
    return {"catalogue": builders.CATALOGUE_FILE.read_bytes()}


# -- ingest


async def _asked(served: Served, method: str, path: str, who: str, **sent: Any) -> Any:
    answer = await served.client.request(method, path, headers=served.bearer(who), **sent)
    assert answer.status_code < 300, answer.text
    return answer.json()


_STEPS: Final = (
    ("submit", "clerk-210881006206"),
    ("confirm", "supervisor-210881006206"),
    ("approve", "reviewer-210881006"),
)


async def _at_state(served: Served, period: str, steps: int) -> str:
    """A ledger of a period that was taken so many steps."""
    path, body = "/ingest/v1/disclosures", {"kind": "ledger", "accounts": _ACCOUNTS, "lines": [], "totals": None}
    new = {"village": builders.VILLAGE, "item": "F01", "period": period, "body": body}
    made = str((await _asked(served, "POST", path, "clerk-210881006206", json=new))["id"])
    for step, who in _STEPS[:steps]:
        await _asked(served, "POST", f"{path}/{made}/{step}", who, json={"version": 1})
    return made


_ACCOUNTS: Final = [{"account": "cash", "opening_fen": 100, "closing_fen": 100}]


async def _ingest(served: Served) -> dict[str, Any]:
    clerk, reviewer, village = "clerk-210881006206", "reviewer-210881006", builders.VILLAGE
    file = {"file": ("paper.pdf", PDF, "application/pdf")}
    made = await _asked(served, "POST", "/ingest/v1/attachments", clerk, data={"village": village}, files=file)
    # Months that do not follow one another: no balance has to be carried from one to the next.
    things: dict[str, Any] = {
        name: await _at_state(served, period, steps)
        for name, period, steps in (
            ("draft", "2026-10", 0),
            ("submitted", "2025-02", 1),
            ("confirmed", "2025-04", 2),
            ("approved", "2025-06", 3),
            ("released", "2025-08", 3),
            ("withdrawn", "2024-02", 3),
            ("hidden", "2024-04", 3),
        )
    }
    for name, kind in (("withdrawn", "content"), ("hidden", "personal_data")):
        step = {"version": 1, "reason": "填错了村", "kind": kind}
        await _asked(served, "POST", f"/ingest/v1/disclosures/{things[name]}/withdraw", reviewer, json=step)
    async with served.runtime.database.transaction() as conn:
        await conn.execute("UPDATE disclosure SET release = 'file' WHERE id = $1::uuid", things["released"])
        # A second person's: whoever withdrew it does not agree to erase it.
        await conn.execute("UPDATE disclosure SET withdrawn_by = 'another' WHERE id = $1::uuid", things["hidden"])
    cell = {"village": village, "item": "F01", "period": "2025-10", "reason": "账册送审计"}
    things["waiver"] = (await _asked(served, "POST", "/ingest/v1/waivers", clerk, json=cell))["id"]
    answers = _answers(served)
    path = f"/ingest/v1/declarations/{village}/2026Q3"
    await _asked(served, "PUT", path, clerk, json={"answers": answers})
    things["picture"] = {"files": ("1.png", PICTURE, "image/png")}
    behind = {"data": {"id": things["draft"]}, "files": things["picture"]}
    things["voucher"] = (await _asked(served, "POST", "/desk/vouchers", clerk, **behind))["digests"][0]
    body = {"kind": "ledger", "accounts": _ACCOUNTS, "lines": [], "totals": None}
    draft: dict[str, Any] = {"village": village, "item": "F01", "period": "2025-12"}
    draft["body"] = {**body, "attachments": [{"digest": made["digest"], "title": "票据"}]}
    imported = await _asked(served, "POST", "/ingest/v1/imports", clerk, json={"disclosures": [draft]})
    batch = {"items": [{"id": things["confirmed"], "version": 1}]}
    approval = await _asked(served, "POST", "/ingest/v1/approvals", reviewer, json=batch)
    asked = {f"question{n}": (await ask(served, n)).ref for n in (1, 2)}
    prepared = f"村代码,事项,公开期,行别,账户,期初,期末\n{village},F01,2026-06,账户,现金,1.00,1.00\n"
    return {
        **things,
        **asked,
        "answers": answers,
        "answered": {f"answer.{a['item']}": "no" for a in answers},
        "attachment": made["digest"],
        "import": imported["id"],
        "workbook": await keep_workbook(served, 1),
        "approval": approval["id"],
        "ticked": f"{things['confirmed']}|1",
        "file": file,
        "prepared": {"file": ("month.csv", prepared.encode(), "text/csv")},
        "ledger": body,
        "form": _form(served, body),
    }


async def keep_workbook(served: Served, lines: int) -> str:
    """A spreadsheet of so many lines that waits for a press."""
    rows = "".join(f"2026-06-03,承包费,,1.00,{100 - n}.00\n" for n in range(1, lines + 1))
    data = f"日期,摘要,收入,支出,余额\n,上期结转,,,100.00\n{rows}".encode()
    headers = {**served.bearer("clerk-210881006206"), "accept": "text/html"}
    answer = await served.client.post("/desk/imports", files={"file": ("现金日记账.csv", data)}, headers=headers)
    assert answer.status_code == 303, answer.text
    page = answer.headers["location"]
    answer = await served.client.post(page, data={"account": "cash"}, headers=headers)
    assert answer.status_code == 303, answer.text
    return str(page.rsplit("/", 1)[-1])


def _answers(served: Served) -> list[dict[str, Any]]:
    """No to every on-event item of a village."""
    day = date(2026, 9, 30)
    items = {c: i.at(day) for c, i in sorted(served.runtime.reference.items.items())}
    asked = [c for c, i in items.items() if i.frequency is Frequency.ON_EVENT and i.applies in {"both", "village"}]
    assert all(publishing_holder(i) != "department" for i in items.values())
    return [{"item": c, "days": []} for c in asked]


def _form(served: Served, body: dict[str, Any]) -> dict[str, str]:
    """A form as it is sent."""
    item = served.runtime.reference.items["F01"].at(local_day(served.clock.now()))
    cell = {"village": builders.VILLAGE, "item": "F01", "period": "2026-06"}
    return {**form_of("F01", item, (builders.VILLAGE, "2026-06"), body).values, **cell, "action": "save"}


# -- the others


async def _publish(served: Served) -> dict[str, Any]:
    event = await Publishing(served).opened()
    question, answered = await Publishing(served).ask(), await Publishing(served).ask()
    await Publishing(served).answered(answered)
    await Publishing(served).rendered()
    return {
        "published": event.aggregate_id,
        "question": question["ref"],
        "answered": answered["ref"],
        "asked": question["id"],
    }


async def _audit(served: Served) -> dict[str, Any]:
    wrong = Disclosure(builders.VILLAGE, "2026-10")
    await give_keys(served, wrong)
    await served.hear(wrong.approved(small_ledger(totals=(1, 81_500)), at("2026-11-10 02:00")))
    await Watch().run(served.runtime)
    path = f"/audit/v1/alerts?village={builders.VILLAGE}&rule=A01"
    found = await _asked(served, "GET", path, "inspector-210881")
    return {"alert": found["items"][0]["id"]}


async def _qr(served: Served) -> dict[str, Any]:
    await served.hear(*(e for e in builders.reference_events() if isinstance(e, DivisionSet)))
    codes = [CodeSet.model_validate_json(text).code for text in await served.said("code.set.v1")]
    code = next(c.code for c in codes if c.village == builders.VILLAGE)
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "grey").save(out, "JPEG")
    await _asked(
        served, "POST", "/qr/v1/hangings", "operator", data={"code": code}, files={"file": ("a.jpg", out.getvalue())}
    )
    places = f"村,用途,位置\n{builders.VILLAGE},村口,东牌坊\n"
    return {"code": code, "hung": code, "places": {"file": ("places.csv", places.encode(), "text/csv")}}


_SETTERS: Final = {"registry": _registry, "ingest": _ingest, "publish": _publish, "audit": _audit, "qr": _qr}
