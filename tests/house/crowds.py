"""The stage of `stage.py` with so many of everything that a route lists or takes, for `test_statements.py`."""

import json
import shutil
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final

import asyncpg

from services.contracts.base import Role
from services.contracts.catalogue import ItemSet
from services.contracts.division import DivisionKind, DivisionSet
from services.contracts.staff import Staff, StaffRevision, StaffSet
from services.contracts.topics import ServiceName
from services.ingest.forms import form_of
from services.ingest.jobs import seal_contents
from services.ingest.store.disclosures import select_edition
from services.kit import reference
from services.kit.clock import local_day
from services.publish.commands.searching import make_searchable
from tests import builders
from tests.audit.events import Disclosure, at, give_keys
from tests.conftest import Place, Served
from tests.house.stage import INSIDE, OUTSIDE, STRANGERS, Stage, Tables, keep_workbook, staged
from tests.publish.conftest import Publishing

#: An event's ledger: of its days there may be many in one village, and many disclosures of one day.
ITEM: Final = "F07"
#: Asks for the word of everybody who confirms.
ASKING: Final = "F11"
CLERK: Final = INSIDE[Role.CLERK]
REVIEWER: Final = INSIDE[Role.REVIEWER]
ACCOUNTANT: Final = INSIDE[Role.ACCOUNTANT]


async def crowded(served: Served, place: Place, n: int) -> Stage:
    """A service with all that its examples ask for, and `n` of everything."""
    name = served.service.name
    await _neighbours(served, n)
    stage = await staged(served, place)
    things = {**stage.things, **await _CROWDS[name](Crowd(stage, n))}
    await stage.tables.conn.close()
    return Stage(served, things, await Tables.kept(place, name))


@dataclass(frozen=True, slots=True)
class Crowd:
    """A stage that is being filled. `n`: how many."""

    stage: Stage
    n: int

    @property
    def served(self) -> Served:
        """The service."""
        return self.stage.served

    @property
    def conn(self) -> asyncpg.Connection:
        """The superuser's connection."""
        return self.stage.tables.conn

    def days(self) -> list[str]:
        """So many days of events."""
        return [(date(2026, 1, 1) + timedelta(days=i)).isoformat() for i in range(self.n)]

    async def multiply(self, table: str, column: str, value: str, changes: Iterable[Mapping[str, Any]]) -> None:
        """Copy the one row that has a value in a column, once with each set of changed columns."""
        table = f"{self.served.service.name}.{table}"
        statement = (
            f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT r.* FROM {table} AS t,"
            f" jsonb_array_elements($1::jsonb) AS k, jsonb_populate_record(t, k) AS r WHERE t.{column}::text = $2"
        )
        changed = [dict(c) for c in changes]
        assert await self.conn.execute(statement, json.dumps(changed, default=str), value) == f"INSERT 0 {len(changed)}"

    async def asked(self, method: str, path: str, who: str, **sent: Any) -> Any:
        """What somebody is answered who may."""
        answer = await self.served.client.request(method, path, headers=self.served.bearer(who), **sent)
        assert answer.status_code < 300, answer.text
        return answer.json()


def village(number: int) -> str:
    """The code of a neighbour."""
    return f"210881006{300 + number}"


async def _neighbours(served: Served, n: int) -> None:
    """Villages of the township, each with a clerk; everybody's actions."""
    villages = [
        builders.division(village(i), f"第{i}村委会", DivisionKind.VILLAGE, builders.TOWNSHIP) for i in range(n)
    ]
    divisions = [DivisionSet(**builders.stamp(d.code), division=d) for d in villages]
    staff = [
        Staff(
            staff_id=builders.staff_id(f"crowd-{i}"),
            username=f"crowd-{i}",
            name=f"王{i}",
            revisions=(StaffRevision(since=date(2026, 1, 1), role=Role.CLERK, scope=village(i)),),
            sessions_not_before=builders.NOW,
        )
        for i in range(n)
    ]
    async with served.runtime.database.transaction() as conn:
        await reference.project_all(
            conn, [*divisions, *(StaffSet(**builders.stamp(s.staff_id), staff=s) for s in staff)]
        )
        await conn.execute(
            "INSERT INTO action (happened_at, actor_id, actor_role, actor_scope, action, object, village_code, request_id)"
            " SELECT $1, $2, 'clerk', $3, 'GET /', 'thing/' || i, $3, '' FROM generate_series(1, $4) AS i",
            builders.NOW,
            builders.staff_id(CLERK),
            builders.VILLAGE,
            n,
        )
    await served.runtime.reference.refresh()


# -- the registry


async def _registry(crowd: Crowd) -> dict[str, Any]:
    n, conn = crowd.n, crowd.conn
    names = [*INSIDE.values(), *(name for name, _ in (*OUTSIDE.values(), *STRANGERS.values()))]
    await conn.execute(
        "INSERT INTO registry.session (token_digest, staff_id, created_at, expires_at)"
        " SELECT md5(s || i::text), s, $1, $1::timestamptz + interval '1 day'"
        " FROM unnest($2::text[]) AS s, generate_series(1, $3) AS i",
        builders.NOW,
        [builders.staff_id(name) for name in names],
        n,
    )
    known = [{"staff_id": builders.staff_id(f"crowd-{i}"), "username": f"crowd-{i}"} for i in range(n)]
    await crowd.multiply("credential", "username", "clerk-target", known)
    head = "username,password,totp_secret,role,scope,name,namesake\n"
    new = "".join(f"new-{i},,,clerk,{village(i)},李{i},同名不同人\n" for i in range(n))
    changed = "".join(f"crowd-{i},,,principal,{village(i)},王{i},同名不同人\n" for i in range(n))
    days = [(date(2031, 1, 1) + timedelta(days=i)).isoformat() for i in range(n)]
    return {
        "staff_file": head + new + changed,
        "catalogue": _catalogue(n),
        "days": days,
        "days_file": "date,kind\n" + "".join(f"{d},off\n" for d in days),
        "days_words": "、".join(f"{date.fromisoformat(d).month}月{date.fromisoformat(d).day}日" for d in days),
    }


def _catalogue(n: int) -> bytes:
    """A catalogue of so many items, new to the city."""
    lines = builders.CATALOGUE_FILE.read_text("utf-8").splitlines()
    of = {letter: next(x for x in lines if x.startswith(f"{letter}01,")) for letter in "VF"}
    items = [(letter, number) for number in range(1, 100) for letter in "VF"][:n]
    return "\n".join([lines[0], *(f"{a}{b:02}{of[a][3:]}" for a, b in items)]).encode()


# -- ingest


async def _ingest(crowd: Crowd) -> dict[str, Any]:
    n, things = crowd.n, crowd.stage.things
    await _asking(crowd)
    await _reopen(crowd)
    for name, changes in (
        ("draft", {"published_edition": 1}),
        ("submitted", {}),
        ("submitted", {"item": ASKING}),
        ("confirmed", {}),
        ("approved", {"state": "published", "published_at": builders.NOW, "published_edition": 1}),
        ("released", {"state": "published", "published_at": builders.NOW, "published_edition": 1}),
        ("withdrawn", {}),
    ):
        await _disclosures(crowd, name, {"item": ITEM, **changes})
    await _words(crowd)
    live = [{"id": uuid.uuid4(), "item": ITEM, "period": day} for day in crowd.days()]
    await crowd.multiply("waiver", "id", things["waiver"], live)
    asked = [{"id": uuid.uuid4(), "ref": f"crowd{i}", "period": day} for i, day in enumerate(crowd.days())]
    await crowd.multiply("question", "ref", things["question2"], asked)
    answered = [{"village_code": village(i)} for i in range(n)]
    await crowd.multiply("declaration", "village_code", builders.VILLAGE, answered)
    ledger = await _ledger(crowd)
    await seal_contents(crowd.served.runtime)
    body = {**ledger, "lines": [], "attachments": ledger["attachments"][:1]}
    many = [{"id": str(i), "version": 1} for i in _ids("confirmed", ITEM, n)]
    batch = await crowd.asked("POST", "/ingest/v1/approvals", REVIEWER, json={"items": many})
    drafts = [{"village": builders.VILLAGE, "item": ITEM, "period": day, "body": body} for day in crowd.days()]
    months = [(builders.VILLAGE, f"{2000 + i // 12}-{i % 12 + 1:02}") for i in range(n)]
    villages = [(village(i), "2026-06") for i in range(n)]
    head = "村代码,事项,公开期,行别,账户,期初,期末\n"
    rows = "".join(f"{builders.VILLAGE},{ITEM},{day},账户,现金,1.00,1.00\n" for day in crowd.days())
    item = crowd.served.runtime.reference.items["F01"].at(local_day(builders.NOW))
    form = form_of("F01", item, (builders.VILLAGE, "2026-06"), ledger).values
    return {
        "import": await _imported(crowd, CLERK, months, body),
        "delivered": await _imported(crowd, ACCOUNTANT, villages, {**body, "attachments": []}),
        "ledger": ledger,
        "form": {**things["form"], **form},
        "answers": [{**a, "days": [f"2026-07-{d:02}" for d in range(1, 2 + n // 10)]} for a in things["answers"]],
        "many": many,
        "ticks": [f"{i['id']}|1" for i in many],
        "approval": batch["id"],
        "workbook": await keep_workbook(crowd.served, n),
        "drafts": drafts,
        "prepared": {"file": ("month.csv", (head + rows).encode(), "text/csv")},
    }


async def _reopen(crowd: Crowd) -> None:
    """Contents as they stood before they were sealed: a sealed one opens in its own place alone, and cannot be copied."""
    for row in await crowd.conn.fetch("SELECT disclosure_id, edition FROM ingest.edition"):
        async with crowd.served.runtime.database.connection() as conn:
            edition = await select_edition(conn, row["disclosure_id"], row["edition"])
        assert edition is not None
        await crowd.conn.execute(
            "UPDATE ingest.edition SET body = $3::jsonb, findings = $4::jsonb, body_sealed = NULL, remarks_sealed = NULL"
            " WHERE disclosure_id = $1 AND edition = $2",
            row["disclosure_id"],
            row["edition"],
            edition.body.model_dump_json(exclude_none=True),
            json.dumps([f.model_dump() for f in edition.findings]),
        )
    await crowd.conn.execute("""UPDATE ingest.confirmation SET names = '["某人"]', said_sealed = NULL""")
    await crowd.conn.execute("UPDATE ingest.disclosure SET note_sealed = NULL")


async def _asking(crowd: Crowd) -> None:
    """One item asks for the word of all who confirm."""
    item = crowd.served.runtime.reference.items[ASKING]
    asked = item.revisions[0].model_copy(update={"confirmations": ("supervisors", "principal", "accountant")})
    async with crowd.served.runtime.database.transaction() as conn:
        event = ItemSet(**builders.stamp(ASKING, 2), item=item.model_copy(update={"revisions": (asked,)}))
        await reference.project(conn, event)
    await crowd.served.runtime.reference.refresh()


def _ids(name: str, item: str, n: int) -> list[uuid.UUID]:
    return [uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {item} {i}") for i in range(n)]


async def _disclosures(crowd: Crowd, name: str, changes: Mapping[str, Any]) -> None:
    """So many like one of the stage's, with its editions and the words on them, of an event's days."""
    like, ids = crowd.stage.things[name], _ids(name, changes["item"], crowd.n)
    fresh = [{**changes, "id": i, "period": day} for i, day in zip(ids, crowd.days(), strict=True)]
    await crowd.multiply("disclosure", "id", like, fresh)
    for table in ("edition", "confirmation"):
        count = await crowd.conn.fetchval(f"SELECT count(*) FROM ingest.{table} WHERE disclosure_id = $1::uuid", like)
        if count:
            await crowd.multiply(table, "disclosure_id", like, [{"disclosure_id": i} for i in ids])


async def _words(crowd: Crowd) -> None:
    """So many words on an edition, and times that it was sent back."""
    one = crowd.stage.things["confirmed"]
    said = [{"actor_id": f"sheet:{i:064}", "bearer": f"王{i}", "opinion": "dissent"} for i in range(crowd.n)]
    await crowd.multiply("confirmation", "disclosure_id", one, said)
    back: dict[str, Any] = {"reason": "数字有误", "lines": [], "by": None, "at": None}
    await crowd.conn.execute(
        "UPDATE ingest.edition SET returns = $1::jsonb WHERE disclosure_id = $2::uuid",
        json.dumps([back] * crowd.n),
        one,
    )


async def _ledger(crowd: Crowd) -> dict[str, Any]:
    """A ledger of so many lines, with a file for each; the stage's disclosures get it too."""
    files = [f"{i:064x}" for i in range(crowd.n)]
    await crowd.multiply("attachment", "digest", crowd.stage.things["attachment"], [{"digest": f} for f in files])
    line = {"date": "2026-06-03", "summary": "承包费", "amount_fen": 100, "account": "cash"}
    lines = [{**line, "direction": "out" if i % 2 else "in", "attachments": [f]} for i, f in enumerate(files)]
    body = {**crowd.stage.things["ledger"], "lines": lines}
    body["attachments"] = [{"digest": f, "title": "票据"} for f in files[:50]]
    ids = [crowd.stage.things[name] for name in ("draft", "submitted", "confirmed", "approved", "released")]
    await crowd.conn.execute(
        "UPDATE ingest.edition SET body = $1::jsonb WHERE disclosure_id = ANY($2::uuid[])",
        json.dumps(body),
        ids,
    )
    return body


async def _imported(crowd: Crowd, who: str, cells: Iterable[tuple[str, str]], body: Mapping[str, Any]) -> str:
    """An import of a ledger for each of some villages and months, among others of the same person."""
    drafts = [{"village": code, "item": "F01", "period": month, "body": body} for code, month in cells]
    made = await crowd.asked("POST", "/ingest/v1/imports", who, json={"disclosures": drafts})
    await crowd.multiply("import", "id", made["id"], [{"id": uuid.uuid4()} for _ in range(crowd.n)])
    return str(made["id"])


# -- the others


async def _publish(crowd: Crowd) -> dict[str, Any]:
    publishing, published = Publishing(crowd.served), crowd.stage.things["published"]
    for edition, day in enumerate(crowd.days(), 2):
        await publishing.opened(item=ITEM, period=day)
        await publishing.opened(published, edition=edition, body=builders.ledger(attachments=[]), note="改正")
    rows = [(str(uuid.uuid4()), day) for day in crowd.days()]
    await crowd.conn.executemany(
        "INSERT INTO publish_read.waiver (waiver_id, village_code, item, period, version, state, reason, since)"
        " VALUES ($1, $3, $4, $2, 1, 'granted', '账册送审计', $5)",
        [(*row, builders.VILLAGE, ITEM, builders.NOW) for row in rows],
    )
    await crowd.conn.executemany(
        "INSERT INTO publish_read.code (code, village_code, purpose, serial, state) VALUES ($1, $2, 'board', $3, 'valid')",
        [(f"code{i}", builders.VILLAGE, i) for i in range(1, crowd.n + 1)],
    )
    fresh = [
        {"id": uuid.uuid4(), "ref": f"crowd{i}", "form_id": None, "state": "answered" if i % 3 else "asked"}
        for i in range(crowd.n)
    ]
    await crowd.multiply("question", "id", crowd.stage.things["asked"], fresh)
    await make_searchable(crowd.served.runtime)
    # What was rendered is read from files: nobody would ask the database.
    shutil.rmtree(crowd.served.runtime.settings.rendered)
    return {}


async def _audit(crowd: Crowd) -> dict[str, Any]:
    served, alert = crowd.served, crowd.stage.things["alert"]
    for i in range(crowd.n):
        sheet = Disclosure(builders.VILLAGE, f"{2000 + i // 12}-{i % 12 + 1:02}")
        await give_keys(served, sheet)
        await served.hear(sheet.confirmed(at("2026-11-10 02:00"), brought_by=builders.staff_id(REVIEWER)))
    alerts = [f"{i:030x}" for i in range(crowd.n)]
    fresh = [{"alert_id": a, "item": ITEM, "period": day} for a, day in zip(alerts, crowd.days(), strict=True)]
    await crowd.multiply("alert", "alert_id", alert, fresh)
    await crowd.multiply("episode", "alert_id", alert, [{"episode": i} for i in range(2, crowd.n + 2)])
    await crowd.conn.execute(
        "INSERT INTO audit.lead (lead_id, rule, rule_version, village, item, period, level, amount_fen, sentence, found_at, hash, pack)"
        " SELECT lpad(to_hex(i), 30, '0'), 'L03', '1.0', $1, $2, '2026-10', 1, i, '', $3, '', $4 FROM generate_series(1, $5) AS i",
        builders.VILLAGE,
        ITEM,
        builders.NOW,
        json.dumps({"steps": [], "false_alarms": [], "ask": []}),
        crowd.n,
    )
    await crowd.conn.execute(
        "INSERT INTO audit.staff_reset (account, reset_by, reset_at)"
        " SELECT $1, $2, $3::timestamptz - make_interval(mins => i) FROM generate_series(1, $4) AS i",
        builders.staff_id(CLERK),
        builders.staff_id("operator"),
        builders.NOW,
        crowd.n,
    )
    return {}


async def _qr(crowd: Crowd) -> dict[str, Any]:
    divisions = crowd.served.runtime.reference.divisions
    await crowd.served.hear(*(DivisionSet(**builders.stamp(c), division=d) for c, d in divisions.items()))
    revoked = {"state": "revoked", "revoked_at": builders.NOW}
    old = [{**revoked, "code": f"{i:09}", "serial": i + 2} for i in range(crowd.n)]
    await crowd.multiply("code", "code", crowd.stage.things["code"], old)
    rows = "".join(f"{builders.VILLAGE},村口,第{i}根电线杆\n" for i in range(crowd.n))
    return {"places": {"file": ("places.csv", f"村,用途,位置\n{rows}".encode(), "text/csv")}}


_CROWDS: Final[Mapping[ServiceName, Callable[[Crowd], Awaitable[dict[str, Any]]]]] = MappingProxyType(
    {"registry": _registry, "ingest": _ingest, "publish": _publish, "audit": _audit, "qr": _qr}
)
