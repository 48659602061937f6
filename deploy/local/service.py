"""One of the five services as a part: `python -m services.<name> serve`, ready by its `/readyz`."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local.home import Home
from deploy.local.part import Part

_ROOT: Final = Path(__file__).parents[2]
_PROBE_SECONDS: Final = 3.0


class Service(Part):
    """A service's process: HTTP, relay, consumer and jobs."""

    def __init__(self, home: Home | Path, name: str, settings: Mapping[str, str]) -> None:
        super().__init__(home)
        self.name = name
        self.port = self.home.port(name)
        self.settings = settings

    @property
    def address(self) -> str:
        """The inner port, behind the gateway."""
        return f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Run all roles in one process."""
        return [sys.executable, "-m", f"services.{self.name}", "serve"]

    def environment(self) -> Mapping[str, str]:
        """Pass on the caller's environment with the city's settings."""
        return environment(self.settings)

    async def is_ready(self) -> bool:
        """Ask `/readyz`."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                return await _status(self.port, "/readyz") == 200  # noqa: PLR2004 - HTTP's OK
        except (OSError, TimeoutError, ValueError, IndexError):
            return False


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a service's command: the caller's, with the city's settings."""
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, **settings, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


async def _status(port: int, path: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()
