"""Routes: who may call them, what comes in, what they tell OpenAPI of themselves, and answers that are given once.

A body has come to its end before the dependencies run: a slow sender holds no transaction open. Whoever may not call a
route has theirs dropped. Text with signs that nobody sees is refused here, wherever in a request it stands, so that what
was stored before they were refused can still be read.

`IdempotentRoute` is for what a program may send again without knowing whether it was done, and what answers with a model.
An answer rests in `idempotency` for 48 h, so none that holds a secret is given by such a route.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, cast

from fastapi import Depends, Header, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from services.contracts.base import Role
from services.contracts.values import hidden_sign, hidden_words, may_hide, texts_in
from services.contracts.words import ROLE_NAMES
from services.kit import actions, metrics
from services.kit.answers import as_given, at_rest
from services.kit.db import Row
from services.kit.errors import Fault, IdempotencyKeyReusedError, InvalidInputError, place
from services.kit.incoming import BODY, Incoming
from services.kit.problems import PROBLEM_CONTENT
from services.kit.settings import Settings
from services.kit.visit import SAFE_METHODS, STAFF, Changing, current_actor, find_actor

_BAD_REQUEST: Final = 400
#: So many places are told at most.
_FAULTS: Final = 50
_RESPONSE: Final = "#/components/responses/Problem"
_Desk = Changing[Settings, object]


class Route(APIRoute):
    """A route that reads its body first and says who may call it and how it may fail."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """As FastAPI's, with the problems of `services.kit.problems` among the answers."""
        super().__init__(path, endpoint, **options)
        told = {
            s: {"content": PROBLEM_CONTENT, **of} if int(s) >= _BAD_REQUEST else of for s, of in self.responses.items()
        }
        self.responses = {**told, "default": {"$ref": _RESPONSE, "description": "Any other problem."}}
        refused = {str(s): {"$ref": f"{_RESPONSE}{s}"} for s in sorted(self._problems()) if s not in self.responses}
        self.openapi_extra = {**(self.openapi_extra or {}), "responses": refused}
        self.description = f"{self.description}\n\nWho: {self._who()}."

    def _roles(self) -> list[Role] | None:
        """Roles that may call it, all of them when none is named; None when nobody need sign in."""
        asked = [d for d in _all(self.dependant) if d.call is current_actor]
        if not asked:
            return None
        named = {name for d in asked for name in d.own_oauth_scopes or ()}
        return [role for role in STAFF if role.value in named or not named]

    def _who(self) -> str:
        roles = self._roles()
        if roles is None:
            return "anybody, without signing in"
        if len(roles) == len(STAFF):
            return "every member of staff"
        return ", ".join(f"{role.value} ({ROLE_NAMES[role]})" for role in roles)

    def _problems(self) -> set[int]:
        parameters = [p for d in _all(self.dependant) for p in (*d.path_params, *d.query_params)]
        # A model among them stands for its fields.
        named = {n for p in parameters for n in getattr(p.field_info.annotation, "model_fields", {p.name: p})}
        found = {503}
        if self._roles() is not None:
            found |= {401, 403}
        # A path names a thing, `division` a node of the tree: either may not be there.
        if any(d.path_params for d in _all(self.dependant)) or "division" in named:
            found.add(404)
        if named:
            found.add(422)
        if not (self.methods or set()) <= SAFE_METHODS:
            found |= {409, 413, 422}
        return found

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the body here before anything else is done."""
        handle, roles = super().get_route_handler(), self._roles()

        async def read_first(request: Request) -> Response:
            refuse_hidden(_texts_around(request))
            if request.method in SAFE_METHODS:
                return await handle(request)
            account = (await find_actor(request, roles)).staff_id if roles is not None else None
            body = body_of(request)
            try:
                await body.arrive(account)
                async with body.doors.working(body.size, account):
                    return await handle(CheckedRequest(request.scope, request.receive))
            except ClientDisconnect as error:
                # Nobody reads the answer.
                raise HTTPException(_BAD_REQUEST) from error

        return read_first


def body_of(request: Request) -> Incoming:
    """The body of a request, as its way in made it."""
    return cast("Incoming", request.scope[BODY])


# -- signs that nobody sees


def refuse_hidden(texts: Iterable[tuple[tuple[int | str, ...], str, bool]]) -> None:
    """Refuse texts, each with its place and whether it has several lines, that hold what nobody sees; InvalidInputError tells where."""
    faults = [
        Fault(place(at), hidden_words(sign))
        for at, text, lines in texts
        if (sign := hidden_sign(text, lines=lines)) is not None
    ]
    if faults:
        raise InvalidInputError(faults=faults[:_FAULTS])


def _texts_around(request: Request) -> Iterator[tuple[tuple[int | str, ...], str, bool]]:
    """What stands in a request beside its body, as far as anything is done with it."""
    for where, values in (("path", request.path_params.items()), ("query", request.query_params.multi_items())):
        for name, value in values:
            yield (where, _shown(name)), f"{name}{value}", True
    yield ("header", "Idempotency-Key"), request.headers.get("idempotency-key", ""), False


def _texts_of(form: FormData) -> Iterator[tuple[tuple[int | str, ...], str, bool]]:
    """Every text of a form, names of fields and files too."""
    for name, value in form.multi_items():
        yield (_shown(name),), name, False
        if isinstance(value, UploadFile):
            yield (_shown(name),), value.filename or "", False
        else:
            yield (_shown(name),), value, True


def _shown(name: str) -> str:
    """A name that may itself hold what nobody sees, as it can be told."""
    return name if hidden_sign(name, lines=False) is None else ascii(name).strip("'")


class CheckedRequest(Request):
    """A request of which no text holds signs that nobody sees."""

    async def json(self) -> Any:
        """The body as JSON; InvalidInputError tells where such a sign stands."""
        value = await super().json()
        if may_hide(await self.body()):
            refuse_hidden((at or ("body",), text, True) for at, text in texts_in(value))
        return value

    async def _get_form(self, **limits: Any) -> FormData:
        read = self._form is None
        form = await super()._get_form(**limits)
        if read:
            try:
                refuse_hidden(_texts_of(form))
            except InvalidInputError:
                await form.close()
                raise
        return form


def _all(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _all(inner)


# -- answers that are given once


CLAIM_KEY = """
INSERT INTO idempotency (actor, route, key, request_digest, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (actor, route, key) DO NOTHING
"""
SELECT_ANSWER = """
SELECT request_digest, status, response FROM idempotency WHERE actor = $1 AND route = $2 AND key = $3
"""
SAVE_ANSWER = "UPDATE idempotency SET status = $4, response = $5 WHERE actor = $1 AND route = $2 AND key = $3"


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request as its Idempotency-Key stands for it."""

    route: str
    key: str | None
    digest: str

    async def answer(self, desk: _Desk, work: Callable[[], Awaitable[BaseModel | None]], status: int) -> Response:
        """Do the work once, in the visit's transaction; a repeated key gets the first answer, which is kept 48 h."""
        if self.key is None:
            return _json(_text(await work()), status)
        place = (desk.actor.staff_id, self.route, self.key)
        claimed = await desk.conn.execute(CLAIM_KEY, *place, self.digest, desk.now)
        if claimed.endswith(" 0"):
            # Nothing is done again; which request it was, its digest tells.
            actions.about(f"request/{self.digest[:16]}")
            return self._given(await desk.conn.fetchrow(SELECT_ANSWER, *place))
        text = _text(await work())
        await desk.conn.execute(SAVE_ANSWER, *place, status, at_rest(text))
        return _json(text, status)

    def _given(self, row: Row | None) -> Response:
        """The answer that was given at the first time, unless that was to another request."""
        if row is None or row["request_digest"] != self.digest:
            raise IdempotencyKeyReusedError
        return _json(as_given(row["response"]), row["status"], {"idempotency-replayed": "true"})


def _text(made: BaseModel | None) -> str:
    return made.model_dump_json() if made is not None else "null"


def _json(text: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(text, status, headers, "application/json")


_KEY_IS: Final = "the caller's own key of this request: sent again, it gets the first answer (kept 48 h)"


async def _read_idempotency_key(
    request: Request,
    key: Annotated[
        str | None, Header(alias="Idempotency-Key", min_length=8, max_length=100, description=_KEY_IS)
    ] = None,
) -> IdempotentRequest:
    # The path names the thing acted on: the same words about another thing are another request.
    # Every sending of a form has another boundary between its parts.
    boundary = request.headers.get("content-type", "").partition("boundary=")[2].strip('"').encode("latin-1")
    digest = await body_of(request).digest(request.url.path.encode() + b"\n", boundary)
    route = metrics.route_of(request.url.path, request.scope["route"].path)
    return IdempotentRequest(f"{request.method} {route}", key, digest)


class IdempotentRoute(Route):
    """A route that changes something and answers with a model: sent again with the same Idempotency-Key, it is done once."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """As `Route`; the key is looked up before the endpoint is called."""
        super().__init__(path, _answered_once(endpoint, options.get("status_code") or 200), **options)


def _answered_once(
    endpoint: Callable[..., Awaitable[BaseModel | None]], status: int
) -> Callable[..., Awaitable[Response]]:
    @functools.wraps(endpoint)
    async def answered(*, asked: IdempotentRequest, **given: Any) -> Response:
        desk = next(visit for visit in given.values() if isinstance(visit, Changing))
        return await asked.answer(desk, lambda: endpoint(**given), status)

    # FastAPI reads the signature. `asked` comes first: its digest is worked out before the transaction begins. Keyword-only,
    # for it has no default and others have.
    signature = inspect.signature(endpoint)
    asked = inspect.Parameter(
        "asked", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[IdempotentRequest, Depends(_read_idempotency_key)]
    )
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in signature.parameters.values()]
    answered.__signature__ = signature.replace(parameters=[asked, *parameters])  # type: ignore[attr-defined] # FastAPI reads it
    return answered
