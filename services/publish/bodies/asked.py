"""What routes share: the renderer, the village of the path, and a body that is rendered because it is asked for."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.responses import Response

from services.kit.db import Connection
from services.kit.errors import NotFoundError
from services.kit.web import RuntimeDep, runtime_of
from services.publish import store
from services.publish.bodies.renderer import Bodies
from services.publish.hot.answers import Answer, pack
from services.publish.hot.files import Subject, file_of
from services.publish.hot.front import AnswerResponse
from services.publish.render.places import Village

#: A reader waits no longer for the database: then the answer is that it cannot be read now.
_PATIENCE_S: Final = 3.0


async def _promptly(runtime: RuntimeDep) -> AsyncIterator[Connection]:
    async with runtime.database.connection_within(_PATIENCE_S) as conn:
        yield conn


#: A connection for what villagers read; `scope="function"` as in the plumbing.
Promptly = Annotated[Connection, Depends(_promptly, scope="function")]


def bodies_of(request: Request) -> Bodies:
    """The process's renderer."""
    bodies: Bodies = runtime_of(request).own["bodies"]
    return bodies


async def _bodies(request: Request) -> Bodies:
    return bodies_of(request)


BodiesDep = Annotated[Bodies, Depends(_bodies)]


async def village_of(code: str, bodies: BodiesDep) -> Village:
    """The village of the path; NotFoundError for anything that is none."""
    village = bodies.village(code)
    if village is None:
        detail = f"没有代码为 {code[:20]} 的村（社区）。"
        raise NotFoundError(detail)
    return village


VillageDep = Annotated[Village, Depends(village_of)]


async def render_now(conn: Connection, bodies: Bodies, subject: Subject, path: str) -> Response:
    """Render what was asked for before the renderer came by, and have it kept."""
    target = file_of(bodies.release, path)
    if target is None:
        raise NotFoundError
    kind, code = subject
    # What is awaited is asked for often while it is not there: that answer costs one look.
    if kind == "disclosure" and not await store.select_publications(conn, [code]):
        raise NotFoundError
    body = bodies.render(await bodies.load(conn, [subject]), subject).get(path)
    if body is None:
        raise NotFoundError
    if not target.exists():
        await store.insert_marks(conn, [subject])
    return AnswerResponse(Answer(pack(body)))
