"""What routes of publish work with: nobody signs in, so a visit is anybody's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from starlette.responses import Response

from services.contracts.catalogue import Affair
from services.kit import visit
from services.kit.clock import Clock
from services.kit.db import Connection, Database
from services.kit.errors import Fault, InvalidInputError, NotFoundError
from services.kit.objects import Objects
from services.kit.rates import Rate, Seats, scans
from services.kit.reference import Reference
from services.kit.runtime import Runtime
from services.publish.bodies.renderer import Bodies
from services.publish.hot.answers import Answer, pack
from services.publish.hot.files import Subject, file_of
from services.publish.hot.front import AnswerResponse
from services.publish.listening import Listening
from services.publish.making import Making
from services.publish.render.callers import Callers
from services.publish.render.forms import Forms
from services.publish.render.places import Village, affair_of
from services.publish.settings import PublishSettings
from services.publish.store import marks, publications

#: Seconds. A reader waits no longer for the database: then the answer is that it cannot be read now.
PATIENCE_S: Final = 3.0
_VILLAGE_DIGITS: Final = 12
#: So many archives are on their way from one process, to one address, and seconds after which there may be room again.
_ARCHIVES: Final = (2, 1, 30)
#: So many households look for their own lines at once in one process.
_LOOK_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Own:
    """What publish holds while a process lives."""

    bodies: Bodies
    objects: Objects
    scans: Rate
    making: Making
    listening: Listening
    archives: Seats
    looking: asyncio.Semaphore
    forms: Forms
    callers: Callers


def make_own(settings: PublishSettings, database: Database, clock: Clock, reference: Reference) -> Own:
    """Read the templates; files that ingest wrote are read from where the settings say."""
    seal = settings.key_seal.get_secret_value().encode() if settings.key_seal is not None else None
    return Own(
        Bodies(settings, reference, clock),
        Objects(settings.home, settings.objects_url),
        scans(),
        Making(),
        Listening(database),
        Seats(*_ARCHIVES),
        asyncio.Semaphore(_LOOK_AT_ONCE),
        Forms(seal),
        Callers(seal),
    )


PublishRuntime = Runtime[PublishSettings, Own]


class Visit(visit.Visit[PublishSettings, Own]):
    """A reader whom the reference copy alone can answer."""

    @property
    def bodies(self) -> Bodies:
        """The renderer that this process has."""
        return self.own.bodies

    def village(self, code: str) -> Village:
        """A village or community; NotFoundError for anything that is none."""
        village = self.bodies.village(code)
        if village is None:
            detail = f"没有代码为 {code[:20]} 的村（社区）。"
            raise NotFoundError(detail)
        return village

    def wanted(self, affair: Affair | None, item: str | None, period: str | None) -> list[str]:
        """The items that a list is asked for: one, those of an affair, or all."""
        items = self.reference.items
        wanted = [item] if item is not None else list(items)
        if affair is None:
            return wanted
        day = period or self.today.isoformat()
        return [i for i in wanted if affair_of(items, i, day) is affair]

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Public"]:
        """A connection for a part of the request: what is worked out afterwards keeps none from others."""
        async with self.runtime.database.connection_within(PATIENCE_S) as conn:
            yield Public(self.runtime, self.now, conn)

    def require_township(self, code: str | None) -> None:
        """InvalidInputError when a list is asked for of a township that is none."""
        if code is not None and self.bodies.township(code) is None:
            raise InvalidInputError(faults=[Fault("query.township", "没有这个代码的镇街")])

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[Connection]:
        """The one transaction of a change by somebody who did not sign in; committed at the end of the block."""
        async with self.runtime.database.transaction() as conn:
            yield conn


class Public(Visit, visit.Public[PublishSettings, Own]):
    """A reader with a connection."""

    async def render(self, subject: Subject, path: str) -> Response:
        """Render a body that was asked for before the renderer came by, and insert a mark so that it writes the file; NotFoundError."""
        target = file_of(self.bodies.release, path)
        if target is None:
            raise NotFoundError
        kind, key = subject
        # What is awaited is asked for often while it is not there: that answer costs one look.
        if kind == "disclosure" and not await publications.select_publications(self.conn, [key]):
            raise NotFoundError
        body = self.bodies.render(await self.bodies.load(self.conn, [subject]), subject).get(path)
        if body is None:
            raise NotFoundError
        if not target.exists():
            await marks.insert_marks(self.conn, [subject])
        return AnswerResponse(Answer(pack(body)))


def codes_within(division: str) -> tuple[str, str]:
    """The first and the last code that a village below a division could have: nine digits name a township, none the city."""
    first, last = (division.ljust(_VILLAGE_DIGITS, filler) for filler in "09")
    return first, last


VisitDep = Annotated[Visit, visit.visit_dep(Visit)]
PublicDep = Annotated[Public, visit.public_dep(Public, PATIENCE_S)]
