"""The city's own work around its services: the registry before they start, the sample after.

Both calls into `deploy.local.sample` stand here and nowhere else:

    async def seed(info: StackInfo, sample: str, *, known: bool) -> None      # before the services start
    async def run(info: StackInfo, sample: str, *, known: bool) -> None       # when the gateway answers

Both are repeated at every start until they came to their end once (`known`, see `origin`) and must find by themselves
what is done already. After that the city belongs to its people: they only look.
"""

import importlib
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from deploy.local.service import environment


@dataclass(frozen=True)
class StackInfo:
    """What the jobs are told about the city that is being started."""

    home: Path
    #: The gateway's address, as people see it.
    url: str
    #: The content of ports.json.
    addresses: Mapping[str, str]
    #: SANWU_… settings of each service.
    settings: Mapping[str, Mapping[str, str]]

    def environment(self, service: str) -> dict[str, str]:
        """Return the environment for a command of a service, such as `python -m services.registry import`."""
        return environment(self.settings[service])


async def seed(info: StackInfo, sample: str, *, known: bool) -> None:
    """Put divisions, catalogue, calendar and staff into the registry's tables; once it is known, the calendar alone."""
    if (city := _sample_city()) is not None:
        await city.seed(info, sample, known=known)


async def load(info: StackInfo, sample: str, *, known: bool) -> None:
    """Fill the running city through its public ways in; once it is known, only count."""
    if (city := _sample_city()) is not None:
        await city.run(info, sample, known=known)


class _SampleCity(Protocol):
    def seed(self, info: StackInfo, sample: str, *, known: bool) -> Awaitable[None]: ...
    def run(self, info: StackInfo, sample: str, *, known: bool) -> Awaitable[None]: ...


def _sample_city() -> _SampleCity | None:
    # A city can be started without it: an image for a server leaves the sample out.
    if not (Path(__file__).parent / "sample" / "__init__.py").exists():
        return None
    return cast("_SampleCity", importlib.import_module("deploy.local.sample"))
