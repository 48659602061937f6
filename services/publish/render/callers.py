"""Who asks, as marks that tell one from another and nobody's name or address: HMAC-SHA256 (RFC 2104) under the city's secret."""

import hashlib
import hmac
import secrets
from typing import Final

_BYTES: Final = 16
_LONGEST_BROWSER: Final = 300


class Callers:
    """Makes marks. Whoever reads a table of them cannot try out addresses without the secret, and after its salt is gone nobody can."""

    def __init__(self, secret: bytes | None) -> None:
        """Take what all processes of the city share; without one, marks hold within this process alone."""
        self._key = hmac.digest(secret or secrets.token_bytes(32), b"sanwu caller 1", "sha256")

    def mark(self, salt: bytes, whose: str) -> bytes:
        """The mark of somebody for one purpose; of another salt it is another."""
        return hmac.digest(hmac.digest(self._key, salt, hashlib.sha256), whose.encode(), hashlib.sha256)[:_BYTES]


def browser_of(address: str, agent: str) -> str:
    """One browser at one address, as well as a request tells it: a household's telephones are told apart by what they call themselves."""
    return f"{address} {agent[:_LONGEST_BROWSER]}"
