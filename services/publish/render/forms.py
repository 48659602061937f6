"""When a form was opened: signed, so that nobody makes it up; instead of puzzles that shut out the old and not the machines."""

import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

#: Nobody reads and fills the form faster.
FASTEST: Final = timedelta(seconds=3)
#: Somebody who was called away comes back the same day.
OLDEST: Final = timedelta(hours=12)
_SHAPE: Final = re.compile(r"(?P<at>[0-9]{1,12})\.(?P<number>[0-9a-f]{32})\.(?P<sign>[0-9a-f]{64})", re.ASCII)


class FormAge(StrEnum):
    """How long a form had been open when it was sent; `foreign`: none of ours, or of another thing."""

    RIGHT = "right"
    FAST = "fast"
    OLD = "old"
    FOREIGN = "foreign"


class Form(NamedTuple):
    """A form that was sent: its own number, and whether its time was right."""

    number: str
    age: FormAge


class Forms:
    """Numbers forms and signs when each was opened and what it is about (HMAC-SHA256, RFC 2104)."""

    def __init__(self, secret: bytes | None) -> None:
        """Take what all processes of the city share; without one only this process knows its own forms."""
        self._key = hmac.digest(secret or secrets.token_bytes(32), b"sanwu form 1", "sha256")

    def token(self, about: str, now: datetime) -> str:
        """What a form that is opened now carries along."""
        at, number = int(now.timestamp()), secrets.token_hex(16)
        return f"{at}.{number}.{self._sign(at, number, about)}"

    def read(self, token: str, about: str, now: datetime) -> Form:
        """What a form that was sent says of itself."""
        found = _SHAPE.fullmatch(token)
        if found is None or not hmac.compare_digest(
            self._sign(int(found["at"]), found["number"], about), found["sign"]
        ):
            return Form("", FormAge.FOREIGN)
        open_for = now - datetime.fromtimestamp(int(found["at"]), UTC)
        if open_for < FASTEST:
            return Form(found["number"], FormAge.FAST)
        return Form(found["number"], FormAge.RIGHT if open_for <= OLDEST else FormAge.OLD)

    def _sign(self, at: int, number: str, about: str) -> str:
        return hmac.new(self._key, f"{at}.{number}.{about}".encode(), hashlib.sha256).hexdigest()
