"""Changes as they happen, as server-sent events (HTML Living Standard, section 9.2): hints, the content is fetched by its address."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from services.kit.errors import Fault, InvalidInputError
from services.kit.route import Route
from services.publish.bodies.out import CHANGES, change_out
from services.publish.hot.answers import FOR_PROGRAMS
from services.publish.store import marks
from services.publish.visit import Visit, VisitDep

router = APIRouter(prefix="/api/v1", route_class=Route, tags=["public"])
EVENT_STREAM: Final = "text/event-stream"
#: Proxies take a connection that says nothing for a dead one.
_PING_S: Final = 15.0
#: Milliseconds after which a listener comes again: not all of them at once.
_AGAIN_MS: Final = (1_000, 5_000)
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events `change`: `data` is as an item of `/api/v1/changes`, `id` its `cursor`.",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}}},
    },
    429: {"description": "Too many streams of one address."},
    503: {"description": "Too many streams altogether; `Retry-After` says when to come again."},
}


async def _place(
    visit: VisitDep,
    last: Annotated[
        str | None,
        Header(alias="Last-Event-ID", max_length=500, description="`id` of the last event that came; sent by browsers"),
    ] = None,
    after: Annotated[
        str | None, Query(max_length=500, description="the same for the first time: a `cursor` of `/api/v1/changes`")
    ] = None,
) -> int:
    """The position behind which a listener goes on; without one the newest of now."""
    async with visit.reading() as reader:
        head = await marks.select_newest_change(reader.conn)
    at, told = ("header.Last-Event-ID", last) if last is not None else ("query.after", after)
    if told is None:
        return head
    try:
        position = CHANGES.place(told)
    except InvalidInputError as error:
        raise InvalidInputError(faults=[Fault(at, "不是 /api/v1/changes 给出的 cursor")]) from error
    if position > head:
        detail = "比最新的位置还新：数据可能恢复过，请从头读取 /api/v1/changes"
        raise InvalidInputError(faults=[Fault(at, detail)])
    return position


async def _seated(visit: VisitDep) -> AsyncIterator[Visit]:
    with visit.own.listening.seat():
        yield visit


@router.get("/changes/stream", response_class=Response, responses=_STREAM)
async def stream(
    # Until the last event has left, not until the answer is made.
    visit: Annotated[Visit, Depends(_seated, scope="request")],
    position: Annotated[int, Depends(_place)],
    seconds: Annotated[int, Query(ge=1, le=3600, description="how long at most; browsers then come again")] = 3600,
) -> Response:
    """What changes from now on, or from an event on, as it happens; a comment every 15 seconds where nothing does."""
    headers = {"cache-control": "no-cache", "x-accel-buffering": "no", **FOR_PROGRAMS}
    return StreamingResponse(_events(visit, position, seconds), media_type=EVENT_STREAM, headers=headers)


async def _events(visit: Visit, position: int, seconds: int) -> AsyncIterator[bytes]:
    now, stopping = asyncio.get_running_loop().time, visit.runtime.stopping
    end = now() + seconds
    yield format_sse_event(retry=random.randint(*_AGAIN_MS), comment="listening")  # noqa: S311 - no secret
    while now() < end and not stopping.is_set():
        changes = await visit.own.listening.after(position, stopping, min(end, now() + _PING_S))
        for change in changes:
            told = change_out(change).model_dump_json()
            yield format_sse_event(event="change", id=CHANGES.text(change.position), data_str=told)
            position = change.position
        if not changes:
            yield KEEPALIVE_COMMENT
