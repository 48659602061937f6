"""A record as it came from a topic, before anybody tried to understand it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

from services.contracts.base import Event
from services.contracts.topics import KEY_TOPICS, parse

#: A number of so many digits fits into PostgreSQL's bigint, whatever they are.
_BIGINT_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record of a topic; `topic` is its name without the installation's prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: Mapping[str, str]

    @classmethod
    def read(cls, record: Any, prefix: str) -> Self:
        """Take over a driver's record."""
        headers = {_name_of(name): text_of(value) for name, value in record.headers}
        topic = record.topic.removeprefix(prefix)
        return cls(topic, record.partition, record.offset, record.key or b"", record.value, headers)

    @property
    def type(self) -> str:
        """The event's tag, or `tombstone`."""
        return "tombstone" if self.value is None else self.headers.get("type", "missing")

    @property
    def aggregate(self) -> tuple[str, str]:
        """Kind and id of the aggregate; without headers the record's key stands for it."""
        if self.topic in KEY_TOPICS:
            return "key", text_of(self.key)
        aggregate_id = self.headers.get("aggregate_id")
        return self.headers.get("aggregate", "?"), text_of(self.key) if aggregate_id is None else aggregate_id

    @property
    def aggregate_key(self) -> str:
        """Kind and id in one string."""
        return ":".join(self.aggregate)

    @property
    def version(self) -> int | None:
        """The aggregate's version, where the header tells one."""
        text = self.headers.get("aggregate_version", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= _BIGINT_DIGITS else None

    def event(self) -> Event:
        """The event; UnknownEventTypeError or ValidationError when it is none."""
        return parse(self.type, self.value or b"")


def text_of(raw: bytes) -> str:
    """Bytes of the log as text that PostgreSQL can keep: a name in it with NUL must not stop the partition."""
    return raw.decode("utf-8", "replace").replace("\x00", "\ufffd")


@lru_cache(maxsize=64)
def _name_of(name: str) -> str:
    """The name of a header, of which there are few, as text that PostgreSQL can keep."""
    return text_of(name.encode())
