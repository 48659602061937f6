"""Browsers at the registry's pages: each with its cookies, its address behind the gateway, and what it says of itself."""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.conftest import Served
from tests.registry.accounts import OWN_PAGE, PASSWORD

EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0"


@dataclass
class Browser:
    """A browser somewhere; the gateway names its address."""

    served: Served
    address: str = "203.0.113.7"
    cookies: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, path: str, **sent: Any) -> Any:
        """A request with the cookies for its path; what is set and dropped in the answer is kept."""
        mine = {n: v for n, v in self.cookies.items() if self._goes(n, path)}
        headers = {"x-forwarded-for": self.address, "user-agent": EDGE, "accept": "text/html", **OWN_PAGE}
        headers |= {"cookie": "; ".join(f"{n}={v}" for n, v in mine.items())} if mine else {}
        headers |= sent.pop("headers", {})
        self.served.client.cookies.clear()
        answer = await self.served.client.request(method, path, headers=headers, **sent)
        self.served.client.cookies.clear()
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if "Max-Age=0" in line:
                with suppress(KeyError):
                    del self.cookies[name]
            else:
                self.cookies[name] = value
        await self.served.runtime.reference.refresh()
        return answer

    @staticmethod
    def _goes(name: str, path: str) -> bool:
        plain = name.removeprefix("__Host-").removeprefix("__Secure-")
        return path.startswith({"sanwu_refresh": "/registry", "sanwu_device": "/sign-in"}.get(plain, "/"))

    async def sign_in(self, username: str = "anna", password: str = PASSWORD, **more: str) -> Any:
        """Send the form."""
        return await self.send("POST", "/sign-in", data={"username": username, "password": password, **more})

    async def renewed(self) -> bool:
        """Whether the session still gives a token."""
        answer = await self.send("GET", "/registry/renew?next=/account")
        return bool(answer.headers["location"] == "/account")

    async def opens(self) -> bool:
        """Whether the token that it holds opens a page."""
        return bool((await self.send("GET", "/account")).status_code == 200)


def number_of(page: str) -> str:
    """The number of a sign-in form."""
    return str(re.findall(r'name="form" value="([^"]+)"', page)[0])
