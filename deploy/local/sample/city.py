"""The city seen from outside: its public and staff APIs over one origin, as any other program would use them."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Self

import httpx2
import pyotp

from deploy.local.faults import Fault
from deploy.local.sample.registry import STAFF_FILE, Account

#: A part that is being restarted answers within this time, or something is truly wrong.
PATIENCE_S: Final = 180.0
_RENEW_AFTER_S: Final = 600.0
#: Seconds that a code of the second factor holds.
STEP_S: Final = 30
#: Codes tried before a sign-in is given up; the third comes half a minute later.
CODES: Final = 3
#: Wrong password, a new one due, no role any more, or shut for a while after guesses.
_NOT_LET_IN: Final = frozenset({401, 403, 422, 429})
_TRY_AGAIN: Final = frozenset({429, 502, 503, 504})


class Refused(Exception):  # noqa: N818 - an answer, not a failure of ours
    """The city said no: `status` and the problem's members."""

    def __init__(self, path: str, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{path}: {status} {problem.get('code')} {problem.get('detail')} {problem.get('errors', '')}")
        self.status = status
        self.problem = problem


class AbsentError(Exception):
    """Somebody whom the sample cannot stand for: not in its staff file, or with another password by now."""


class CityClient:
    """A client that waits out restarts and signs people in when it needs them; whom it cannot, it asks once."""

    def __init__(self, url: str, staff: Mapping[str, Account], codes: int = CODES) -> None:
        self.url = url
        self._staff = staff
        self._codes = codes
        #: Why somebody cannot be signed in.
        self.absent: dict[str, str] = {}
        self._tokens: dict[str, tuple[str, float]] = {}
        self._steps: dict[str, int] = {}
        self._signing_in: dict[str, asyncio.Lock] = {}
        self._http = httpx2.AsyncClient(base_url=url, timeout=15, limits=httpx2.Limits(max_connections=40))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def get(self, path: str, user: str | None = None, **query: str | int) -> Any:
        """A JSON answer; Refused for a 4xx."""
        return (await self._call("GET", path, user, params=query)).json()

    async def post(self, path: str, user: str, body: Mapping[str, Any], key: str | None = None) -> Any:
        """A JSON answer; Refused for a 4xx."""
        return (await self._call("POST", path, user, json=body, key=key)).json()

    async def put(self, path: str, user: str, body: Mapping[str, Any]) -> Any:
        """A JSON answer; Refused for a 4xx."""
        return (await self._call("PUT", path, user, json=body)).json()

    async def upload(self, path: str, user: str, village: str, picture: bytes) -> Any:
        """Hand in a picture for a village; Refused for a 4xx."""
        files = {"file": ("bild.jpg", picture, "image/jpeg")}
        return (await self._call("POST", path, user, data={"village": village}, files=files)).json()

    async def page(self, path: str) -> int:
        """The status of a page for the public, asked once."""
        try:
            return (await self._http.get(path)).status_code
        except httpx2.TransportError:
            return 0

    async def items(self, path: str, user: str | None, **query: str | int) -> AsyncIterator[Any]:
        """Everything of a list, page by page."""
        cursor: dict[str, str] = {}
        while True:
            answer = await self.get(path, user, limit=200, **query, **cursor)
            for item in answer["items"]:
                yield item
            if answer["next"] is None:
                return
            cursor = {"cursor": answer["next"]}

    async def _call(
        self, method: str, path: str, user: str | None, key: str | None = None, **rest: Any
    ) -> httpx2.Response:
        give_up = time.monotonic() + PATIENCE_S
        pause = 0.2
        while True:
            headers = {"idempotency-key": key} if key else {}
            if user is not None:
                headers["authorization"] = f"Bearer {await self._token(user)}"
            try:
                answer = await self._http.request(method, path, headers=headers, **rest)
            except httpx2.TransportError as error:
                trouble = repr(error)
            else:
                if answer.is_success:
                    return answer
                trouble = f"status {answer.status_code}"
                if not await self._worth_another_try(answer, user, give_up):
                    raise Refused(path, answer.status_code, _problem(answer))
            if time.monotonic() > give_up:
                message = (
                    f"The city did not answer {path} for {PATIENCE_S:.0f} s ({trouble}); see the logs of its parts."
                )
                raise Fault(message)
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 2.0)

    async def _worth_another_try(self, answer: httpx2.Response, user: str | None, give_up: float) -> bool:
        """A busy or restarting part, or a token whose signer this part does not know yet."""
        if answer.status_code == 401 and user is not None and time.monotonic() < give_up:  # noqa: PLR2004 - unauthenticated
            self._tokens.pop(user, None)
            return True
        if answer.status_code == 429 and _problem(answer).get("code") == "too_many_failures":  # noqa: PLR2004 - too many
            return False
        return answer.status_code in _TRY_AGAIN

    async def _token(self, user: str) -> str:
        async with self._signing_in.setdefault(user, asyncio.Lock()):
            token, until = self._tokens.get(user, ("", 0.0))
            if time.monotonic() < until:
                return token
            if user not in self.absent and user not in self._staff:
                self.absent[user] = f"{user} does not stand in {STAFF_FILE}"
            if user in self.absent:
                raise AbsentError(self.absent[user])
            try:
                answer = await self._sign_in(self._staff[user])
            except Refused as refused:
                if refused.status not in _NOT_LET_IN:
                    raise
                # A second try would only count as a second failure of theirs.
                self.absent[user] = f"{user} does not sign in with what stands in {STAFF_FILE} any more"
                raise AbsentError(self.absent[user]) from None
            token = str(answer.json()["access_token"])
            self._tokens[user] = (token, time.monotonic() + _RENEW_AFTER_S)
            return token

    async def _sign_in(self, account: Account) -> httpx2.Response:
        """Sign in; a second factor's code that somebody used before, an earlier run of ours too, is left for the next."""
        body = {"username": account.username, "password": account.password}
        if not account.totp_secret:
            return await self._call("POST", "/registry/v1/sign-in", None, json=body)
        for tries_left in reversed(range(self._codes)):
            body["totp"] = await self._code(account)
            try:
                return await self._call("POST", "/registry/v1/sign-in", None, json=body)
            except Refused as refused:
                if refused.status != 401 or not tries_left:  # noqa: PLR2004 - unauthenticated
                    raise
        raise AssertionError

    async def _code(self, account: Account) -> str:
        """The second factor's next code: each opens once, and the one after the present one is good already."""
        now = int(time.time()) // STEP_S
        step = max(now, self._steps.get(account.username, 0) + 1)
        if step > now + 1:
            await asyncio.sleep((step - 1) * STEP_S - time.time())
        self._steps[account.username] = step
        return pyotp.TOTP(account.totp_secret).generate_otp(step)


def _problem(answer: httpx2.Response) -> Mapping[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        return {"detail": answer.text[:200]}
    return problem if isinstance(problem, dict) else {}
