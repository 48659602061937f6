"""Made-up but well-formed things for tests: a township with three villages and a zone, staff, a ledger.

Names and figures are written out here and nowhere computed, so that a test's expectation can be read.
"""

import base64
import hashlib
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import uuid_utils.compat
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from services.contracts.base import Event, Role, Stamp
from services.contracts.catalogue import Affair, CalendarSet, ItemSet, Profile, ProfileRevision, ProfileSet
from services.contracts.division import Division, DivisionKind, DivisionRevision, DivisionSet
from services.contracts.staff import Signer, SignerSet, Staff, StaffRevision, StaffSet
from services.kit.keypair import public_half
from services.registry.bulk.calendar import calendar_year
from services.registry.bulk.catalogue import read_items

#: Tests live on Tuesday 2026-11-24, 10:00 in Gaizhou. October's ledger was due on Monday 2026-11-16.
NOW: Final = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
CITY: Final = "210881"
TOWNSHIP: Final = "210881006"
OTHER_TOWNSHIP: Final = "210881102"
VILLAGE: Final = "210881006206"
NEIGHBOUR: Final = "210881006208"
FAR_VILLAGE: Final = "210881102200"
ZONE: Final = "210881005400"

SIGNING_KEY: Final = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"test signing key").digest())
SIGNER_KID: Final = "test-kid"
#: The registry's root key, whose word on staff and signing keys counts.
ROOT_KEY: Final = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"test root key").digest())
ROOT_SETTINGS: Final[dict[str, Any]] = {
    "registry_root": (public_half(ROOT_KEY),),
    "registry_root_key": SecretStr(base64.urlsafe_b64encode(ROOT_KEY.private_bytes_raw()).decode().rstrip("=")),
}
CATALOGUE_FILE: Final = Path(__file__).parents[1] / "deploy" / "data" / "catalogue.csv"

STAFF: Final = {
    "clerk-210881006206": (Role.CLERK, VILLAGE),
    "clerk-210881006208": (Role.CLERK, NEIGHBOUR),
    "supervisor-210881006206": (Role.SUPERVISOR, VILLAGE),
    "supervisor-210881006208": (Role.SUPERVISOR, NEIGHBOUR),
    "supervisor-210881006206-2": (Role.SUPERVISOR, VILLAGE),
    "principal-210881006206": (Role.PRINCIPAL, VILLAGE),
    "accountant-210881006": (Role.ACCOUNTANT, TOWNSHIP),
    "department-210881-finance": (Role.DEPARTMENT, CITY),
    "reviewer-210881006": (Role.REVIEWER, TOWNSHIP),
    "reviewer-210881102": (Role.REVIEWER, OTHER_TOWNSHIP),
    "inspector-210881": (Role.INSPECTOR, CITY),
    "inspector-210881006": (Role.INSPECTOR, TOWNSHIP),
    "operator": (Role.OPERATOR, CITY),
}

#: Whose part of the three affairs is not all of them.
AFFAIRS: Final = {"department-210881-finance": (Affair.FINANCE,)}


def stamp(aggregate_id: str, version: int = 1, village: str | None = None, at: datetime = NOW) -> Stamp:
    """An envelope for an event that a test makes by hand."""
    return Stamp(
        event_id=uuid_utils.compat.uuid7(),
        occurred_at=at,
        aggregate_id=aggregate_id,
        aggregate_version=version,
        village_code=village,
        actor_id=None,
        actor_role=Role.SYSTEM,
        traceparent=None,
    )


def staff_id(username: str) -> str:
    """A member of staff's id, the same in every run."""
    return str(UUID(bytes=hashlib.sha256(username.encode()).digest()[:16], version=4))


def division(code: str, name: str, kind: DivisionKind, parent: str | None, **more: Any) -> Division:
    """A division with one revision since 2026."""
    revision = DivisionRevision(since=date(2026, 1, 1), name=name, kind=kind, parent=parent, **more)
    return Division(code=code, revisions=(revision,))


@cache
def reference_events() -> tuple[Event, ...]:
    """The registry's word on a small city: sample, duties since 2026-09-01 in the whole city."""
    city = division(
        CITY, "盖州市", DivisionKind.CITY, None, sample=True, duties_from=date(2026, 9, 1), profile="default"
    )
    divisions = [
        city,
        division(TOWNSHIP, "西海街道", DivisionKind.TOWNSHIP, CITY),
        division("210881005", "团山街道", DivisionKind.TOWNSHIP, CITY),
        division(OTHER_TOWNSHIP, "高屯镇", DivisionKind.TOWNSHIP, CITY),
        division(VILLAGE, "西海村委会", DivisionKind.VILLAGE, TOWNSHIP),
        division(NEIGHBOUR, "下店村委会", DivisionKind.VILLAGE, TOWNSHIP),
        division(FAR_VILLAGE, "高屯村委会", DivisionKind.VILLAGE, OTHER_TOWNSHIP),
        division(ZONE, "营口北海经济开发区社区", DivisionKind.ZONE, "210881005"),
    ]
    profile = Profile(code="default", revisions=(ProfileRevision(since=date(2026, 1, 1), source="test"),))
    public = base64.urlsafe_b64encode(SIGNING_KEY.public_key().public_bytes_raw()).decode().rstrip("=")
    return (
        *(DivisionSet(**stamp(d.code), division=d) for d in divisions),
        *(ItemSet(**stamp(i.code), item=i) for i in read_items(CATALOGUE_FILE.read_bytes(), date(2026, 1, 1))),
        ProfileSet(**stamp("default"), profile=profile),
        *(CalendarSet(**stamp(str(y)), calendar=calendar_year(y)) for y in (2025, 2026)),
        *(_staff_set(name, role, scope) for name, (role, scope) in STAFF.items()),
        SignerSet(**stamp(SIGNER_KID), signer=Signer(kid=SIGNER_KID, public_key=public)),
    )


def _staff_set(username: str, role: Role, scope: str) -> StaffSet:
    staff = Staff(
        staff_id=staff_id(username),
        username=username,
        revisions=(StaffRevision(since=date(2026, 1, 1), role=role, scope=scope, affairs=AFFAIRS.get(username, ())),),
        sessions_not_before=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return StaffSet(**stamp(staff.staff_id), staff=staff)


def ledger(**changes: Any) -> dict[str, Any]:
    """A small ledger of October 2026 that adds up: cash 1,200.00 to 985.00, bank 50,000.00 to 47,000.00 yuan."""
    body: dict[str, Any] = {
        "kind": "ledger",
        "accounts": [
            {"account": "cash", "opening_fen": 120_000, "closing_fen": 98_500},
            {"account": "bank", "opening_fen": 5_000_000, "closing_fen": 4_700_000},
        ],
        "lines": [
            {
                "date": "2026-10-03",
                "summary": "修村部水管",
                "direction": "out",
                "amount_fen": 21_500,
                "account": "cash",
                "category": "管理费用",
                "payee": "某五金店",
                "voucher": {"word": "记", "no": 1},
            },
            {
                "date": "2026-10-12",
                "summary": "付保洁员三季度工资",
                "direction": "out",
                "amount_fen": 360_000,
                "account": "bank",
                "category": "公益支出",
                "voucher": {"word": "记", "no": 2},
            },
            {
                "date": "2026-10-20",
                "summary": "收机动地承包费",
                "direction": "in",
                "amount_fen": 60_000,
                "account": "bank",
                "category": "经营收入",
                "voucher": {"word": "记", "no": 3},
            },
        ],
        "totals": {"income_fen": 60_000, "expense_fen": 381_500},
    }
    return {**body, **changes}


def disclosure(**changes: Any) -> dict[str, Any]:
    """The request that creates a draft of the ledger above."""
    return {"village": VILLAGE, "item": "F01", "period": "2026-10", "body": ledger(), **changes}
