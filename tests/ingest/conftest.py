"""Ingest on an emptied database, and the steps that its tests take again and again."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx2
import pytest_asyncio

from services.contracts.catalogue import ItemSet, Profile, ProfileRevision, ProfileSet
from services.contracts.staff import Delegation, Reset, StaffSet
from services.ingest.jobs import erase_withdrawn
from services.kit import reference
from tests import builders
from tests.conftest import Served, ServiceFactory
from tests.emptying import empty

PATH = "/ingest/v1/disclosures"
CLERK, SUPERVISOR, REVIEWER = "clerk-210881006206", "supervisor-210881006206", "reviewer-210881006"
SECOND, PRINCIPAL, ACCOUNTANT = "supervisor-210881006206-2", "principal-210881006206", "accountant-210881006"
TABLES = (
    *("disclosure", "edition", "confirmation", "event", "outbox", "idempotency", "waiver", "declaration"),
    *(
        "declaration_confirmation",
        "approval",
        "approval_item",
        "attachment",
        "attachment_use",
        "object_deletion",
        "redaction",
        "invoice_mark",
    ),
    *("upload_quota", "import", "import_draft", "shred_key", "aggregate"),
    *("question", "question_word"),
)


@dataclass(frozen=True, slots=True)
class Month:
    """Ingest and the people who use it."""

    served: Served

    async def ask(self, method: str, path: str, user: str, body: Any = None, **query: str) -> httpx2.Response:
        """One request."""
        return await self.served.client.request(method, path, json=body, params=query, headers=self.served.bearer(user))

    async def done(self, method: str, path: str, user: str, body: Any = None, **query: str) -> Any:
        """One request that must succeed; its JSON."""
        answer = await self.ask(method, path, user, body, **query)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def refused(self, status: int, code: str, method: str, path: str, user: str, body: Any = None) -> Any:
        """One request that must be refused so; its problem."""
        answer = await self.ask(method, path, user, body)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code), answer.text
        return problem

    async def draft(self, user: str = CLERK, **changes: Any) -> str:
        """A draft of the small ledger, or of what is given."""
        made = await self.done("POST", PATH, user, builders.disclosure(**changes))
        return str(made["id"])

    async def step(self, disclosure: str, action: str, user: str, version: int = 1, **body: Any) -> Any:
        """One step that must succeed."""
        return await self.done("POST", f"{PATH}/{disclosure}/{action}", user, {"version": version, **body})

    async def approved(self, **changes: Any) -> str:
        """A disclosure that went all the way."""
        made = await self.draft(**changes)
        await self.step(made, "submit", CLERK)
        await self.step(made, "confirm", SUPERVISOR)
        await self.step(made, "approve", REVIEWER)
        return made

    async def published(self, disclosure: str, version: int = 1) -> None:
        """Publish's word that a version can be read."""
        async with self.served.runtime.database.transaction() as conn:
            await conn.execute(
                "UPDATE disclosure SET published_at = coalesce(published_at, now()), published_edition = $2,"
                " state = CASE WHEN state = 'approved' THEN 'published' ELSE state END WHERE id = $1::uuid",
                disclosure,
                version,
            )

    async def profile(self, **choices: Any) -> None:
        """Choose other settings for the city's profile."""
        revision = ProfileRevision(since=date(2026, 1, 1), source="test", **choices)
        event = ProfileSet(**builders.stamp("default"), profile=Profile(code="default", revisions=(revision,)))
        await self.told(event)

    async def delegate(self, username: str, document: str | None) -> None:
        """Put a delegation on file, or take it away."""
        staff = self.served.runtime.reference.staff[builders.staff_id(username)]
        held = (Delegation(since=date(2026, 1, 1), scope=builders.TOWNSHIP, document=document),) if document else ()
        await self.told(StaffSet(**builders.stamp("s"), staff=staff.model_copy(update={"delegations": held})))

    async def leave(self, username: str) -> None:
        """End an account."""
        staff = self.served.runtime.reference.staff[builders.staff_id(username)]
        ended = (staff.revisions[-1].model_copy(update={"until": date(2026, 11, 1)}),)
        await self.told(StaffSet(**builders.stamp("s"), staff=staff.model_copy(update={"revisions": ended})))

    async def reset(self, username: str, by: str) -> None:
        """Somebody gives an account a new password now."""
        staff = self.served.runtime.reference.staff[builders.staff_id(username)]
        resets = (*staff.resets, Reset(by=builders.staff_id(by), at=self.served.clock.now()))
        await self.told(StaffSet(**builders.stamp("s"), staff=staff.model_copy(update={"resets": resets})))

    async def named(self, **names: str) -> None:
        """Note the names of members of staff, by username with `_` for `-`."""
        for username, name in names.items():
            staff = self.served.runtime.reference.staff[builders.staff_id(username.replace("_", "-"))]
            await self.told(StaffSet(**builders.stamp("s"), staff=staff.model_copy(update={"name": name})))

    async def erased(self) -> None:
        """A week goes by, and what was withdrawn is erased."""
        self.served.clock.advance(days=7)
        await erase_withdrawn(self.served.runtime)

    async def first_staff(self) -> None:
        """Everybody as in the beginning, whatever an earlier test said of them."""
        known = self.served.runtime.reference.staff
        for event in builders.reference_events():
            if isinstance(event, StaffSet) and known[event.staff.staff_id] != event.staff:
                await self.told(event)

    async def confirmations(self, item: str, *parties: str) -> None:
        """Say whose word an item's confirmation needs."""
        known = self.served.runtime.reference.items[item]
        revision = known.revisions[-1].model_copy(update={"confirmations": parties})
        await self.told(ItemSet(**builders.stamp(item), item=known.model_copy(update={"revisions": (revision,)})))

    async def told(self, event: ProfileSet | StaffSet | ItemSet) -> None:
        """The registry's word."""
        async with self.served.runtime.database.transaction() as conn:
            await reference.project(conn, event)
        await self.served.runtime.reference.refresh()

    async def rows(self, statement: str) -> list[Any]:
        """Look into the tables."""
        async with self.served.runtime.database.connection() as conn:
            return await conn.fetch(statement)


@pytest_asyncio.fixture
async def month(service: ServiceFactory) -> Month:
    """Ingest without anything entered, at the tests' present, with the default profile."""
    served = await service("ingest")
    served.clock.at = builders.NOW
    async with served.runtime.database.transaction() as conn:
        await empty(conn, *TABLES)
    fresh = Month(served)
    await fresh.profile()
    await fresh.first_staff()
    return fresh
