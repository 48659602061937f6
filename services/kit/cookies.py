"""The cookies of signing in, each named here and nowhere else.

Over HTTPS their names carry the prefixes that browsers guard (RFC 6265bis, 4.1.3): nobody on a neighbouring host, nor on
the line, can put one of them into a browser. On loopback without TLS browsers would refuse such names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from services.kit.settings import Settings


@dataclass(frozen=True, slots=True)
class Kept:
    """A cookie of ours: scripts never see it, and it comes with no request of a foreign page but a plain link."""

    plain: str
    path: str

    def name(self, settings: Settings) -> str:
        """What it is called here: `__Host-…` for the whole site, `__Secure-…` below a path, plain without HTTPS."""
        if not settings.cookies_are_secure:
            return self.plain
        return f"{'__Host' if self.path == '/' else '__Secure'}-{self.plain}"

    def read(self, sent: Mapping[str, str], settings: Settings) -> str | None:
        """Its value in what a browser sent, under the name it has here."""
        return sent.get(self.name(settings))

    def read_old(self, sent: Mapping[str, str], settings: Settings) -> str | None:
        """Its value under the plain name, as a city over HTTPS set it before it had the other one; not believed for long."""
        return sent.get(self.plain) if settings.cookies_are_secure else None

    def put(self, response: Response, settings: Settings, value: str, seconds: float) -> None:
        """Let a browser keep a value for so long."""
        response.set_cookie(
            self.name(settings),
            value,
            max_age=int(seconds),
            path=self.path,
            httponly=True,
            samesite="lax",
            secure=settings.cookies_are_secure,
        )

    def drop(self, response: Response, settings: Settings) -> None:
        """Let a browser forget it, under the name of before too."""
        for name in dict.fromkeys((self.name(settings), self.plain)):
            response.delete_cookie(
                name, path=self.path, httponly=True, samesite="lax", secure=settings.cookies_are_secure
            )


#: The access token of pages: fifteen minutes, every service reads it.
TOKEN: Final = Kept("sanwu_token", "/")
#: Renews it; it never leaves the registry's path.
REFRESH: Final = Kept("sanwu_refresh", "/registry")
#: Tells a browser in which an account signed in before; it opens nothing.
DEVICE: Final = Kept("sanwu_device", "/sign-in")
