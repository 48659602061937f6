"""How deep the named ways into the services are: the frames from a route's function to the first line of business.

A request of `rights.py` is made in this process while the interpreter tells of every call. Counted are the frames of
files below `services/`: those that wait for the command, and those (lambdas) that only made its coroutine.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, CoroutineType, FrameType
from typing import Any, Final

from tests.conftest import Place, ServiceFactory
from tests.house.rights import RIGHTS
from tests.house.stage import INSIDE, Stage, filled, staged

_SERVICES: Final = str(Path(__file__).parents[2] / "services") + os.sep


@dataclass(frozen=True, slots=True)
class Way:
    """A route, and where business begins: the first function so called in a room of the service."""

    service: str
    route: str
    room: str
    names: tuple[str, ...]


_ONE: Final = "POST /ingest/v1/disclosures/{disclosure_id}"
WAYS: Final[Mapping[str, Way]] = {
    "submit": Way("ingest", f"{_ONE}/submit", "commands", ("submit",)),
    "approve": Way("ingest", f"{_ONE}/approve", "commands", ("approve",)),
    "withdraw": Way("ingest", f"{_ONE}/withdraw", "commands", ("withdraw",)),
    "account reset": Way("registry", "POST /registry/v1/staff/{username}/reset", "commands", ("reset",)),
    "code revoke": Way("qr", "POST /qr/v1/codes/{code}/revoke", "commands", ("revoke_code", "revoke")),
    "staff list": Way("registry", "GET /registry/v1/staff", "store", ("select_signed_in",)),
}


@dataclass(slots=True)
class _Listener:
    """Hears of calls until business begins."""

    way: Way
    frames: list[str] = field(default_factory=list)
    #: Who made a coroutine and went away before it ran, by the coroutine's frame.
    makers: dict[FrameType, list[str]] = field(default_factory=dict)

    def __call__(self, frame: FrameType, event: str, value: Any) -> None:
        """Take what `sys.setprofile` tells."""
        if self.frames or not frame.f_code.co_filename.startswith(_SERVICES):
            return
        if event == "call" and self._is_business(frame.f_code):
            self.frames = list(self._chain(frame))
        elif event == "return" and isinstance(value, CoroutineType) and value.cr_frame is not None:
            self.makers.setdefault(value.cr_frame, []).append(_name(frame.f_code))

    def _is_business(self, code: CodeType) -> bool:
        room = f"{_SERVICES}{self.way.service}{os.sep}{self.way.room}"
        return code.co_filename.startswith(room) and code.co_name in self.way.names

    def _chain(self, frame: FrameType) -> Iterator[str]:
        """From the route's function to business, both included."""
        stack: list[FrameType] = []
        at: FrameType | None = frame
        while at is not None:
            if at.f_code.co_filename.startswith(_SERVICES):
                stack.append(at)
            at = at.f_back
        api = f"{_SERVICES}{self.way.service}{os.sep}api"
        stack.reverse()
        first = next(n for n, f in enumerate(stack) if f.f_code.co_filename.startswith(api))
        for n, each in enumerate(stack[first:]):
            # Whoever made the route's own coroutine is the framework's business.
            yield from self.makers.get(each, ()) if n else ()
            yield _name(each.f_code)


def _name(code: CodeType) -> str:
    file = code.co_filename.removeprefix(_SERVICES).removesuffix(".py").replace(os.sep, ".")
    return f"{file.removesuffix('.__init__')}:{code.co_qualname}"


@contextmanager
def _heard(listener: _Listener) -> Iterator[None]:
    sys.setprofile(listener)
    try:
        yield
    finally:
        sys.setprofile(None)


async def walk(stage: Stage, way: Way) -> list[str]:
    """The frames of one way, outermost first; the last is business itself."""
    row = next(r for r in RIGHTS[way.service] if r.route == way.route)
    method, _, path = way.route.partition(" ")
    for place, value in row.at.items():
        path = path.replace(f"{{{place}}}", str(filled(stage, value)))
    sent: dict[str, Any] = {name: filled(stage, value) for name, value in row.sent.items()}
    who = next(name for role, name in INSIDE.items() if role in row.who)
    listener = _Listener(way)
    with _heard(listener):
        answer = await stage.served.client.request(method, path, headers=stage.served.bearer(who), **sent)
    assert answer.status_code < 300, answer.text
    assert listener.frames, f"{way.route} never came to {way.names}"
    await stage.tables.put_back()
    return listener.frames


async def walk_all(service: ServiceFactory, place: Place) -> dict[str, list[str]]:
    """Every named way."""
    stages: dict[str, Stage] = {}
    found = {}
    for name, way in WAYS.items():
        if way.service not in stages:
            stages[way.service] = await staged(await service(way.service), place)
        found[name] = await walk(stages[way.service], way)
    for stage in stages.values():
        await stage.tables.conn.close()
    return found


async def test_ways_are_written_down(service: ServiceFactory, place: Place) -> None:
    """Run by `figures.py` alone, in the tree that it measures."""
    found = await walk_all(service, place)
    Path(os.environ["WAYS"]).write_text(json.dumps(found), "utf-8")  # noqa: ASYNC240 - the last thing that is done
