"""What the routes share: the caller's desk, with a transaction or for reading, and bodies from JSON."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, Response
from pydantic import BaseModel

from services.contracts.bodies import Body
from services.ingest.commands import Desk
from services.ingest.errors import BodyTooLargeError
from services.ingest.gate.bodies import MalformedBodyError, OversizeError, read_body
from services.kit.errors import Fault, InvalidInputError, faults_of
from services.kit.web import ActorDep, Idempotency, Page, Reading, RuntimeDep, Transaction


async def _desk(conn: Transaction, runtime: RuntimeDep, actor: ActorDep) -> Desk:
    return Desk(conn, runtime.reference, actor, runtime.clock.now(), runtime.own["objects"])


async def _reading_desk(conn: Reading, runtime: RuntimeDep, actor: ActorDep) -> Desk:
    return Desk(conn, runtime.reference, actor, runtime.clock.now(), runtime.own["objects"])


DeskDep = Annotated[Desk, Depends(_desk)]
ReadingDeskDep = Annotated[Desk, Depends(_reading_desk)]
Made = TypeVar("Made")


async def answer_once(
    once: Idempotency,
    desk: Desk,
    work: Callable[[], Awaitable[Made]],
    show: Callable[[Made], BaseModel | None],
    status: int = 200,
) -> Response:
    """Do a step once and answer with what came of it (null for nothing); a repeated key gets the first answer."""

    async def answered() -> tuple[int, str]:
        shown = show(await work())
        return status, shown.model_dump_json() if shown is not None else "null"

    return await once.answer(answered, desk.now)


def after_id(page: Page) -> UUID | None:
    """The id after which a list goes on."""
    try:
        return UUID(page.after) if page.after is not None else None
    except ValueError as error:
        raise InvalidInputError from error


def parse_body(raw: dict[str, Any]) -> Body:
    """Read a body from JSON, its faults below `body`."""
    try:
        return read_body(raw)
    except OversizeError as error:
        raise BodyTooLargeError(faults=[Fault(error.at, str(error))]) from error
    except MalformedBodyError as error:
        raise InvalidInputError(faults=faults_of(error.errors, below=("body",))) from error
