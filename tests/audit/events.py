"""Events that audit hears, made by hand and sealed as ingest seals them."""

import base64
import hashlib
import json
import zlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contracts.base import Event, Role, Sealed, Stamp
from services.contracts.bodies import Ledger, body_digest
from services.contracts.disclosure import (
    DisclosureApproved,
    DisclosureConfirmed,
    DisclosureDelivered,
    DisclosureReturned,
    DisclosureSubmitted,
    DisclosureWithdrawn,
)
from services.contracts.publication import PublicationPublished, PublicationWithdrawn
from tests import builders
from tests.conftest import Served

#: One key for every disclosure of these tests; whoever has no key row cannot read a body.
KEY = hashlib.sha256(b"a test's key").digest()


def at(text: str) -> datetime:
    """A moment in UTC out of `2026-11-10 02:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _id(*parts: object) -> UUID:
    """An id that is the same in every run, so that evidence can be compared."""
    return UUID(bytes=hashlib.sha256(repr(parts).encode()).digest()[:16], version=4)


def disclosure_id(village: str, period: str, number: int = 1) -> str:
    return str(_id("disclosure", village, period, number))


def _stamp(disclosure: str, village: str, version: int, moment: datetime, of: str) -> Stamp:
    return {
        **builders.stamp(disclosure, version, village, moment),
        "event_id": _id(disclosure, version, of),
        "actor_role": Role.SYSTEM,
    }


class Disclosure:
    """One disclosure's life; every step makes the event of it."""

    def __init__(self, village: str = builders.VILLAGE, period: str = "2026-10", number: int = 1) -> None:
        self.village = village
        self.period = period
        self.id = disclosure_id(village, period, number)
        self.edition = 1
        #: What every correction says.
        self.note: str | None = "第 2 行金额写错了"
        self._version = 0

    def _frame(self, moment: datetime, of: str) -> dict[str, Any]:
        self._version += 1
        frame = {"item": "F01", "period": self.period, "edition": self.edition}
        return {**_stamp(self.id, self.village, self._version, moment, of), **frame}

    def _seal(self, tag: str, content: dict[str, Any]) -> Sealed:
        nonce = hashlib.sha256(f"{self.id}{tag}{self._version}".encode()).digest()[:12]
        plain = zlib.compress(json.dumps(content).encode(), 6)
        text = AESGCM(KEY).encrypt(nonce, plain, f"{self.id}:{tag}".encode())
        return Sealed(nonce=base64.b64encode(nonce).decode(), ciphertext=base64.b64encode(text).decode())

    def submitted(self, moment: datetime) -> Event:
        frame = self._frame(moment, "submitted")
        sealed = self._seal("disclosure.submitted.v1", {"accepted": []})
        return DisclosureSubmitted(**frame, digest="0" * 64, accepted=(), sealed=sealed)

    def delivered(self, moment: datetime) -> Event:
        return DisclosureDelivered(**self._frame(moment, "delivered"))

    def confirmed(self, moment: datetime, *, complete: bool = True, brought_by: str | None = None) -> Event:
        frame = self._frame(moment, "confirmed")
        return DisclosureConfirmed(
            **frame,
            digest="0" * 64,
            confirmation="supervisors",
            complete=complete,
            by_sheet=brought_by is not None,
            brought_by=brought_by,
        )

    def returned(self, moment: datetime) -> Event:
        frame = self._frame(moment, "returned")
        return DisclosureReturned(**frame, sealed=self._seal("disclosure.returned.v1", {"reason": "重写"}))

    def approved(self, body: dict[str, Any], moment: datetime, submitted: datetime | None = None) -> Event:
        frame = self._frame(moment, "approved")
        sealed = self._seal(
            "disclosure.approved.v1", {"body": body, "accepted": [], "note": self.note if self.edition > 1 else None}
        )
        return DisclosureApproved(
            **frame,
            digest=body_digest(Ledger.model_validate(body)),
            history=False,
            submitted_at=submitted or moment,
            submitted_by="clerk",
            confirmed_at=submitted or moment,
            accepted=(),
            noted=self.edition > 1,
            sealed=sealed,
        )

    def withdrawn(self, moment: datetime) -> Event:
        return DisclosureWithdrawn(**self._frame(moment, "withdrawn"), reason="发错了村", was_published=True)

    def published(self, moment: datetime, first: datetime | None = None) -> Event:
        """Publish's event: an aggregate of its own, so its version counts editions."""
        stamp = _stamp(self.id, self.village, self.edition, moment, "published")
        frame = {"item": "F01", "period": self.period, "edition": self.edition}
        times = {"published_at": moment, "first_published_at": first or moment}
        return PublicationPublished(**stamp, **frame, digest="0" * 64, history=False, **times)

    def unpublished(self, moment: datetime) -> Event:
        stamp = _stamp(self.id, self.village, self.edition + 1, moment, "unpublished")
        return PublicationWithdrawn(**stamp, item="F01", period=self.period, edition=self.edition)


def ledger(
    opening: int = 120_000, closing: int = 98_500, totals: tuple[int, int] | None = (60_000, 81_500)
) -> dict[str, Any]:
    """A ledger of one cash account with 600.00 in and 815.00 out, which adds up unless told otherwise."""
    lines = [
        {"date": "2026-10-03", "summary": "修水管", "direction": "out", "amount_fen": 81_500, "account": "cash"},
        {"date": "2026-10-20", "summary": "承包费", "direction": "in", "amount_fen": 60_000, "account": "cash"},
    ]
    stated = {"income_fen": totals[0], "expense_fen": totals[1]} if totals is not None else None
    accounts = [{"account": "cash", "opening_fen": opening, "closing_fen": closing}]
    return {"kind": "ledger", "accounts": accounts, "lines": lines, "totals": stated}


def accounts_of(**balances: tuple[int, int]) -> dict[str, Any]:
    """A ledger without lines, accounts by opening and closing."""
    listed = [{"account": a, "opening_fen": o, "closing_fen": c} for a, (o, c) in balances.items()]
    return {"kind": "ledger", "accounts": listed, "lines": [], "totals": {"income_fen": 0, "expense_fen": 0}}


async def give_keys(audit: Served, *disclosures: Disclosure) -> None:
    """What `sanwu.keys` would have brought."""
    async with audit.runtime.database.transaction() as conn:
        for d in disclosures:
            await conn.execute(
                "INSERT INTO shred_key (aggregate_id, key) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                d.id,
                base64.b64encode(KEY).decode(),
            )
