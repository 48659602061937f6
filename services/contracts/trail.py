"""Heads of the trails of staff actions, signed: what is noted of a chain where nobody who can rewrite it can reach.

Each service says its own on a topic of its own, so that nobody speaks for another.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import Field

from services.contracts.base import Event

#: SHA-256, hexadecimal.
Link = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class TrailHead(Event):
    """The last row of a service's trail that was chained, and its link; aggregate id = the service."""

    aggregate: Literal["head"] = "head"
    position: int = Field(ge=1, description="of the row, counted from the first that there ever was")
    link: Link = Field(description="the row's link: SHA-256 over all that was said up to it")
    signature: str = Field(
        description="Ed25519 (RFC 8032) with the service's own key over `signed_text`; base64url without padding",
        max_length=100,
    )


def signed_text(service: str, position: int, link: str, at: datetime) -> bytes:
    """What the signature of a head is of: four lines in UTF-8, the moment in UTC as RFC 3339 with its microseconds."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    return f"sanwu trail head\n{service} {position}\n{link}\n{moment}\n".encode()


class RegistryHead(TrailHead):
    """`head.registry.v1`: how far the trail of the registry goes; topic `registry.heads`."""

    type: Literal["head.registry.v1"] = "head.registry.v1"


class IngestHead(TrailHead):
    """`head.ingest.v1`: how far the trail of ingest goes; topic `ingest.heads`."""

    type: Literal["head.ingest.v1"] = "head.ingest.v1"


class PublishHead(TrailHead):
    """`head.publish.v1`: how far the trail of publish goes; topic `publish.heads`."""

    type: Literal["head.publish.v1"] = "head.publish.v1"


class AuditHead(TrailHead):
    """`head.audit.v1`: how far the trail of audit goes; topic `audit.heads`."""

    type: Literal["head.audit.v1"] = "head.audit.v1"


class QrHead(TrailHead):
    """`head.qr.v1`: how far the trail of qr goes; topic `qr.heads`."""

    type: Literal["head.qr.v1"] = "head.qr.v1"


#: Which event says the head of which service.
HEADS: Final[Mapping[str, type[RegistryHead | IngestHead | PublishHead | AuditHead | QrHead]]] = MappingProxyType(
    {"registry": RegistryHead, "ingest": IngestHead, "publish": PublishHead, "audit": AuditHead, "qr": QrHead}
)
