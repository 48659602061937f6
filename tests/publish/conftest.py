"""Publish with real sealed events: what ingest would have said, made by the kit's own sealing."""

import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest_asyncio

from services.contracts.bodies import BODY, body_digest
from services.contracts.catalogue import Profile, ProfileRevision, ProfileSet
from services.contracts.disclosure import (
    AnswerContent,
    AnswerGiven,
    ApprovedContent,
    DisclosureApproved,
    DisclosureWithdrawn,
)
from services.kit import reference
from services.kit.shred import find_key, seal, seal_under
from services.publish import jobs
from tests import builders
from tests.conftest import Served, ServiceFactory
from tests.publish.running import Running, running_as


@dataclass(frozen=True, slots=True)
class Publishing:
    """Publish, and the other services' voices."""

    served: Served

    async def approved(self, disclosure_id: str | None = None, **changes: Any) -> DisclosureApproved:
        """An approved event with its sealed content, not heard yet; `body` as in `builders.ledger`."""
        body = BODY.validate_python(changes.pop("body", builders.ledger()))
        edition = changes.pop("edition", 1)
        at: datetime = changes.pop("at", builders.NOW)
        village = changes.pop("village", builders.VILLAGE)
        identity = disclosure_id or str(uuid.uuid4())
        tag = "disclosure.approved.v1"
        async with self.served.runtime.database.transaction() as conn:
            said: dict[str, Any] = {n: changes.pop(n) for n in ("opinions", "note") if n in changes}
            said["accepted"] = changes.pop("accepted", ())
            sealed = await seal(conn, identity, tag, ApprovedContent(body=body, **said), at)
        return DisclosureApproved(
            **{**builders.stamp(identity, 3 * edition, village, at), "village_code": village},
            item=changes.pop("item", "F01"),
            period=changes.pop("period", "2026-10"),
            edition=edition,
            digest=body_digest(body),
            history=changes.pop("history", False),
            submitted_at=at - timedelta(days=2),
            submitted_by=builders.staff_id("clerk-210881006206"),
            confirmed_at=at - timedelta(days=1),
            accepted=(),
            release=changes.pop("release", "approve"),
            sealed=sealed,
        )

    async def opened(self, disclosure_id: str | None = None, **changes: Any) -> DisclosureApproved:
        """Let publish hear an approved edition."""
        event = await self.approved(disclosure_id, **changes)
        await self.served.hear(event)
        return event

    def frame(self, of: DisclosureApproved, after: int) -> dict[str, Any]:
        """The envelope and cell of a later event of the same disclosure."""
        stamp = builders.stamp(of.aggregate_id, of.aggregate_version + after, of.village_code)
        cell = {"item": of.item, "period": of.period, "edition": of.edition}
        return {**stamp, "village_code": of.village_code, **cell}

    async def withdrawn(self, of: DisclosureApproved, reason: str = "填错了村，重新公开") -> DisclosureWithdrawn:
        """Let publish hear that a disclosure was withdrawn."""
        event = DisclosureWithdrawn(
            **{
                **builders.stamp(of.aggregate_id, of.aggregate_version + 1, of.village_code),
                "village_code": of.village_code,
            },
            item=of.item,
            period=of.period,
            edition=of.edition,
            reason=reason,
            was_published=True,
        )
        await self.served.hear(event)
        return event

    async def profile(self, **choices: Any) -> None:
        """Choose other settings for the city's deadline profile."""
        revision = ProfileRevision(since=date(2026, 1, 1), source="test", **choices)
        event = ProfileSet(**builders.stamp("default"), profile=Profile(code="default", revisions=(revision,)))
        async with self.served.runtime.database.transaction() as conn:
            await reference.project(conn, event)
        await self.served.runtime.reference.refresh()

    async def ask(self, status: int = 201, **changes: Any) -> Any:
        """Ask about the test village by the API; what is answered."""
        body = {"about": builders.VILLAGE, "text": "这笔水管修了两次，为什么付两次钱？", "shows": "question", **changes}
        answer = await self.served.client.post("/api/v1/questions", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def answered(
        self, asked: Any, text: str = "第一次修村东头，第二次修村西头，两张票据都在。", **more: Any
    ) -> None:
        """Let publish hear ingest's answer, sealed under the question's key."""
        async with self.served.runtime.database.connection() as conn:
            key = await find_key(conn, asked["id"])
        assert key is not None
        rounds = more.pop("round", 0)
        stamp = builders.stamp(asked["id"], rounds + 1, asked["village"], self.served.clock.at)
        event = AnswerGiven(
            **{**stamp, "village_code": asked["village"]},
            ref=asked["ref"],
            round=rounds,
            by=more.pop("by", "village"),
            **{name: asked[name] for name in ("item", "period", "asked_at")},
            sealed=seal_under(key, asked["id"], "answer.given.v1", AnswerContent(text=text)),
            **more,
        )
        await self.served.hear(event)

    async def rendered(self) -> None:
        """Let the renderer serve every mark, lists over many villages as well."""
        for _ in range(2):
            # One that has just started does not wait with the lists.
            await jobs.Renderer().run(self.served.runtime)

    async def get(self, path: str, status: int = 200, **headers: str) -> Any:
        """GET, with the status that is expected."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.served.client.get(path, headers=sent)
        assert answer.status_code == status, answer.text
        return answer


Opening = Callable[[], Awaitable[Publishing]]


@pytest_asyncio.fixture(scope="module")
async def publish(service: ServiceFactory, tmp_path_factory: Any) -> Publishing:
    """Publish on the module's own database and its own folder of rendered bodies."""
    return Publishing(await service("publish", home=tmp_path_factory.mktemp("home")))


@pytest_asyncio.fixture
async def publishing(publish: Publishing) -> Publishing:
    """Publish with nothing published."""
    async with publish.served.runtime.database.transaction() as conn:
        await conn.execute("TRUNCATE publication, edition, step, dirty, searchable, firm_payment, unsearchable")
    shutil.rmtree(publish.served.runtime.settings.rendered, ignore_errors=True)
    return publish


@pytest_asyncio.fixture
async def running(publish: Publishing) -> AsyncIterator[Running]:
    """Publish's HTTP as a process of its own on the same database."""
    async with running_as(publish.served.runtime.settings) as process:
        yield process
