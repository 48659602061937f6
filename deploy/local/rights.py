"""What each service may do on Kafka, as `services.contracts.topics` declares it: nothing else is allowed to anybody.

A producer writes its topics and its dead letters, a consumer reads its topics and its own group; both may look at what
they use (Kafka lets whoever may write or read describe too, and a producer on one topic count its own records). The
operator is a super user and needs no right.

    await apply(admin, TOPICS, "t1.")            # what is missing is given, what a service should not have is taken
    await differences(admin, TOPICS, "")         # a sentence for each right that is missing or too much
"""

import asyncio
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Any, Final, Protocol

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest_v1, DeleteAclsRequest_v1, DescribeAclsRequest
from aiokafka.protocol.api import Request

from deploy.local.postgres import SERVICES

_VISIBLE_SECONDS: Final = 30.0
_VISIBLE_PAUSE: Final = 0.02

# Kafka's numbers (org.apache.kafka.common.resource and .acl).
_ANY: Final = 1
_TOPIC: Final = 2
_GROUP: Final = 3
_LITERAL: Final = 3
_READ: Final = 3
_WRITE: Final = 4
_ALLOW: Final = 3
_KINDS: Final = {_TOPIC: "topic", _GROUP: "group", 4: "cluster", 5: "transaction", 6: "token", 7: "user"}
_DEEDS: Final = {2: "do all on", _READ: "read", _WRITE: "write", 5: "create", 6: "delete", 7: "alter", 8: "describe"}


class Used(Protocol):
    """What this module reads of a topic's declaration."""

    @property
    def name(self) -> str: ...  # noqa: D102 - named as in the declaration
    @property
    def producer(self) -> str: ...  # noqa: D102 - the same
    @property
    def consumers(self) -> tuple[str, ...]: ...  # noqa: D102 - the same


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One line of Kafka's list of rights; numbers are the protocol's."""

    kind: int
    name: str
    pattern: int
    principal: str
    host: str
    deed: int
    permission: int

    @property
    def is_a_services(self) -> bool:
        """Whether one of our services has it."""
        return self.principal.removeprefix("User:") in SERVICES

    def __str__(self) -> str:
        """As a clause: who may do what."""
        may = "may" if self.permission == _ALLOW else "may not"
        deed, kind = _DEEDS.get(self.deed, f"do {self.deed} on"), _KINDS.get(self.kind, f"kind {self.kind}")
        by = "" if self.pattern == _LITERAL else " and all that begin so"
        return f"{self.principal.removeprefix('User:')} {may} {deed} {kind} {self.name}{by}"


def _right(service: str, kind: int, name: str, deed: int) -> Right:
    return Right(kind, name, _LITERAL, f"User:{service}", "*", deed, _ALLOW)


def declared(topics: Iterable[Used], prefix: str = "") -> frozenset[Right]:
    """The rights that some topics need, under a prefix."""
    rights = set()
    for topic in topics:
        rights.add(_right(topic.producer, _TOPIC, prefix + topic.name, _WRITE))
        for consumer in topic.consumers:
            rights |= {
                _right(consumer, _TOPIC, prefix + topic.name, _READ),
                _right(consumer, _GROUP, prefix + consumer, _READ),
            }
    return frozenset(rights)


async def given(admin: AIOKafkaAdminClient) -> frozenset[Right]:
    """Every right that the broker knows."""
    request = DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY)
    answer = await admin._send_request(request)  # noqa: SLF001 - the driver has no call for it
    _check(answer.error_code, answer.error_message)
    return frozenset(Right(kind, name, pattern, *acl) for kind, name, pattern, acls in answer.resources for acl in acls)


async def apply(admin: AIOKafkaAdminClient, topics: Iterable[Used], prefix: str = "") -> None:
    """Give what is missing; take from our services what no declaration gives them.

    Under a prefix nothing is taken: whoever shares a broker so may declare its topics bit by bit.
    """
    wanted, known = declared(topics, prefix), await given(admin)
    missing = wanted - known
    extra = frozenset(r for r in known - wanted if r.is_a_services and not prefix)
    if missing:
        await _send(admin, _Give(missing), "creation_responses")
    if extra:
        await _send(admin, _Take(extra), "filter_responses")
    # The controller has them; the broker that judges by them learns them a moment later.
    async with asyncio.timeout(_VISIBLE_SECONDS):
        while missing or extra:
            known = await given(admin)
            missing, extra = missing - known, extra & known
            await asyncio.sleep(_VISIBLE_PAUSE)


async def differences(admin: AIOKafkaAdminClient, topics: Iterable[Used], prefix: str = "") -> list[str]:
    """A sentence for each right that is missing, or that nothing declares, whoever has it."""
    wanted, known = declared(topics, prefix), await given(admin)
    extra = (right for right in known - wanted if right.name.startswith(prefix))
    return [f"{right}: the right is missing" for right in sorted(wanted - known)] + [
        f"{right}: nothing declares this right" for right in sorted(extra)
    ]


class _Give(Request[CreateAclsRequest_v1]):  # type: ignore[misc] # the driver ships no types
    """All at once; the driver's own request takes one."""

    API_KEY = 30

    def __init__(self, rights: Iterable[Right]) -> None:
        self._rights = rights

    def build(self, request_struct_class: type[CreateAclsRequest_v1]) -> CreateAclsRequest_v1:
        """The rights as the protocol's rows."""
        return request_struct_class([astuple(right) for right in self._rights])


class _Take(Request[DeleteAclsRequest_v1]):  # type: ignore[misc] # see above
    """The same for taking them back: each right is a filter that only it passes."""

    API_KEY = 31

    def __init__(self, rights: Iterable[Right]) -> None:
        self._rights = rights

    def build(self, request_struct_class: type[DeleteAclsRequest_v1]) -> DeleteAclsRequest_v1:
        """The rights as the protocol's rows."""
        return request_struct_class([astuple(right) for right in self._rights])


async def _send(admin: AIOKafkaAdminClient, request: Request[Any], outcomes: str) -> None:
    answer: Any = await admin._send_request(request)  # noqa: SLF001 - the driver has no call for it
    for code, message, *_ in getattr(answer, outcomes):
        _check(code, message)


def _check(code: int, message: str | None) -> None:
    if code != 0:
        raise for_code(code)(message)
