"""Publish's HTTP as a process of its own on the database of a module, over real sockets."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import psutil

from deploy.local.home import free_port
from services.publish.settings import PublishSettings


class Running:
    """Publish's HTTP as a process; it can be started again at the same port."""

    def __init__(self, environment: dict[str, str], port: int) -> None:
        self._environment = environment
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "services.publish", "serve", "--roles", "http"]
        return subprocess.Popen(command, env={**os.environ, **self._environment}, stdout=subprocess.DEVNULL)

    async def ready(self) -> None:
        async with httpx2.AsyncClient() as client:
            for _ in range(300):
                with contextlib.suppress(httpx2.HTTPError):
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.1)
        raise AssertionError

    def stop(self) -> float:
        """End it as whoever supervises does; seconds that it took."""
        since = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        return time.monotonic() - since

    async def start_again(self) -> None:
        self.process = self._start()
        await self.ready()

    def processor_s(self) -> float:
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)


@asynccontextmanager
async def running_as(settings: PublishSettings) -> AsyncIterator[Running]:
    """A process with the settings of the service that runs in the test's own."""
    port = free_port(avoid=set())
    told = settings.model_dump(mode="json")
    secrets = {"database_url", "kafka_password", "registry_root_key"}
    environment = {
        f"SANWU_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in told.items()
        if value is not None and name not in secrets
    }
    environment |= {
        "SANWU_DATABASE_URL": settings.database_url.get_secret_value(),
        "SANWU_KAFKA_PASSWORD": settings.kafka_password.get_secret_value(),
        "SANWU_HTTP_PORT": str(port),
    }
    process = Running(environment, port)
    try:
        await process.ready()
        yield process
    finally:
        process.process.kill()
        process.process.wait()
