"""The five applications with things in them, for tests that walk all their routes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from services.contracts.topics import SERVICES, ServiceName
from tests.conftest import Place, ServiceFactory
from tests.house.stage import Stage, staged


@pytest_asyncio.fixture(scope="module")
async def stages(
    service: ServiceFactory, place: Place, tmp_path_factory: Any
) -> AsyncIterator[dict[ServiceName, Stage]]:
    """All five, set up."""
    own = {"audit": {"duty_items": ["F01"]}, "publish": {"home": tmp_path_factory.mktemp("home")}}
    made = {name: await staged(await service(name, **own.get(name, {})), place) for name in SERVICES}
    yield made
    for stage in made.values():
        await stage.tables.conn.close()
