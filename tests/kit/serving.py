"""A service for tests, as its own process: `python -m tests.kit.serving stays|quits`. It has one job, named alike."""

import asyncio
import sys

from services.kit.process import main
from services.kit.runtime import AnyRuntime
from services.kit.service import Job, Service
from services.kit.settings import Settings
from services.kit.web import create_web


async def _stays(_runtime: AnyRuntime) -> None:
    print("turned", flush=True)  # noqa: T201 - the test waits for it


async def _quits(_runtime: AnyRuntime) -> None:
    """End as a job did whose look at Kafka was cancelled by the driver."""
    raise asyncio.CancelledError


JOBS = {"stays": Job("stays", 0.2, _stays), "quits": Job("quits", 0.2, _quits)}


if __name__ == "__main__":
    job = JOBS[sys.argv[1]]
    service = Service(
        "publish", Settings, lambda *_: None, lambda runtime: create_web(runtime, "nothing"), make_jobs=lambda: [job]
    )
    sys.exit(main(service, ["serve", "--roles", "http,relay,jobs"]))
