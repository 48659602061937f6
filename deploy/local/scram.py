"""Sets passwords of Kafka's users, by the protocol itself: a tool of Kafka's would start a JVM for it.

    await let_in(options, {"ingest": "…"})      # `options`: the driver's, of somebody who may

Written anew each time, as PostgreSQL's roles are: what stands in the home's secrets.json holds.
"""

import hashlib
import logging
import secrets
from collections.abc import Mapping
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactBytes,
    CompactString,
    Int8,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

#: The least that Kafka takes; passwords are 192 random bits, which no stretching makes harder to guess.
_ITERATIONS: Final = 4096
_SHA_512: Final = 2

# The driver warns of passwords in the clear; this way goes over the loopback.
logging.getLogger("aiokafka.conn").setLevel(logging.ERROR)


class _Altered(Response):  # type: ignore[misc] # the driver ships no types
    """How the broker answers (KIP-554, AlterUserScramCredentialsResponse, version 0)."""

    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(
                ("user", CompactString("utf-8")),
                ("error_code", Int16),
                ("error_message", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _AlterV0(RequestStruct):  # type: ignore[misc] # see above
    """What the broker is asked (KIP-554, AlterUserScramCredentialsRequest, version 0)."""

    FLEXIBLE_VERSION = True
    API_KEY = 51
    API_VERSION = 0
    RESPONSE_TYPE = _Altered
    SCHEMA = Schema(
        (
            "deletions",
            CompactArray(("name", CompactString("utf-8")), ("mechanism", Int8), ("tags", TaggedFields)),
        ),
        (
            "upsertions",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Alter(Request[_AlterV0]):  # type: ignore[misc] # see above
    """The same with passwords by user, salted as it is built."""

    API_KEY = 51

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = users

    def build(self, request_struct_class: type[_AlterV0]) -> _AlterV0:
        """Salt and stretch (RFC 5802, Hi) here, so that no password travels."""
        rows: list[tuple[object, ...]] = []
        for name, password in self._users.items():
            salt = secrets.token_bytes(24)
            salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
            rows.append((name, _SHA_512, _ITERATIONS, salt, salted, {}))
        return request_struct_class([], rows, {})


async def let_in(options: Mapping[str, object], users: Mapping[str, str]) -> None:
    """Set the password of each user; KafkaError when one is refused."""
    admin = AIOKafkaAdminClient(**options, client_id="sanwu-users")
    try:
        await admin.start()
        # Any broker hands it on to the controller.
        answer = await admin._send_request(_Alter(users))  # noqa: SLF001 - the driver has no request of this kind
    finally:
        await admin.close()
    for name, code, message, _ in answer.results:
        if code != 0:
            raise for_code(code)(f"{name}: {message}")
