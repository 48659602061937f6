"""The attacks: each a small function that does one thing to a city through its gateway and tells what came back.

    statuses = await ATTACKS[0].run(Field(city, seconds=10))     # Counter({"422": 6}); "cut" is a closed connection

They are bounded in number and in time, work on a city of their own, and change nothing outside it.
"""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from tests.attacks import payloads
from tests.running import RunningCity

#: Whose accounts are misused, the first when it is one alone; others of the same city are the ones who must not notice.
VILLAGES: Final = tuple(f"2108810062{n:02}" for n in (8, 0, 1, 2, 9, 10, 11, 12))
VILLAGE: Final = VILLAGES[0]
CLERK: Final = f"clerk-{VILLAGE}"
_UPLOAD: Final = "/ingest/v1/attachments"
_DRAFTS: Final = "/ingest/v1/disclosures"
_SIGN_IN: Final = "/registry/v1/sign-in"
_ITEM: Final = "F09"
Statuses = Counter[str]


#: Attackers come from addresses of their own, as far from everybody else's as loopback goes.
ADDRESS: Final = "127.9.9.9"


def client_from(address: str, url: str, patience_s: float) -> httpx2.AsyncClient:
    """A client of the city that comes from an address of loopback."""
    limits = httpx2.Limits(max_connections=None)
    transport = httpx2.AsyncHTTPTransport(local_address=address, limits=limits)
    return httpx2.AsyncClient(base_url=url, timeout=patience_s, transport=transport)


@dataclass(frozen=True, slots=True)
class Field:
    """A city under attack: an account that is misused, and for how long."""

    city: RunningCity
    seconds: float
    client: httpx2.AsyncClient
    village: str = VILLAGE

    @property
    def bearer(self) -> dict[str, str]:
        """The misused clerk's headers; signed in before anything begins."""
        return {"authorization": f"Bearer {self.city.tokens[f'clerk-{self.village}'][0]}"}

    async def ask(self, method: str, path: str, **rest: Any) -> str:
        """The status of an answer, or how there was none."""
        try:
            return str((await self.client.request(method, path, **rest)).status_code)
        except httpx2.TimeoutException:
            return "no answer"
        except httpx2.HTTPError:
            return "cut"

    async def upload(self, name: str, content: bytes) -> str:
        """Hand a file in as a clerk does."""
        files = {"file": (name, content)}
        return await self.ask("POST", _UPLOAD, headers=self.bearer, data={"village": self.village}, files=files)

    async def draft(self, item: str, period: str, body: dict[str, Any]) -> httpx2.Response:
        """Enter a disclosure."""
        sent = {"village": self.village, "item": item, "period": period, "body": body}
        headers = {**self.bearer, "idempotency-key": uuid.uuid4().hex}
        return await self.client.post(_DRAFTS, headers=headers, json=sent)


@dataclass(frozen=True, slots=True)
class Attack:
    """What is done, as the table names it. `held`: answers that are refusals, or as good as."""

    name: str
    run: Callable[[Field], Awaitable[Statuses]]
    held: frozenset[str]


async def _all(*steps: Coroutine[Any, Any, str]) -> Statuses:
    return Counter(await asyncio.gather(*steps))


# -- slow lines ---------------------------------------------------------------------------------------------------


async def slow_uploads(field: Field, lines: int = 24) -> Statuses:
    """Eight and more uploads of which some bytes arrive every half second, so that each lasts as long as it may."""
    head = f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 400000\r\nAuthorization: {field.bearer['authorization']}\r\n"
    first = f'--x\r\nContent-Disposition: form-data; name="village"\r\n\r\n{field.village}\r\n--x\r\n'
    return await _all(*(_dripping(field, _UPLOAD, head, first.encode()) for _ in range(lines)))


async def slow_forms(field: Field, lines: int = 24) -> Statuses:
    """Forms of the desk that arrive in drops, with the cookie of somebody who is signed in."""
    token = field.city.tokens[f"clerk-{field.village}"][0]
    head = (
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000\r\nOrigin: {field.city.url}\r\n"
        f"Cookie: session={token}; __Host-session={token}\r\nAuthorization: Bearer {token}\r\n"
    )
    return await _all(*(_dripping(field, "/desk/form", head, b"a=1") for _ in range(lines)))


async def _dripping(field: Field, path: str, head: str, first: bytes) -> str:
    """One connection that sends a little at a time until it is answered, closed or out of time."""
    address = urlsplit(field.city.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, local_addr=(ADDRESS, 0))
    writer.write(f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\n{head}\r\n".encode() + first)
    answer = asyncio.ensure_future(reader.readline())
    until = time.monotonic() + field.seconds
    try:
        while time.monotonic() < until and not answer.done():
            writer.write(b"x" * 20)
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(answer), 0.5)
            await writer.drain()
        if not answer.done():
            return "still waiting"
        words = answer.result().split()
        return words[1].decode() if len(words) > 1 else "cut"
    except OSError:
        return "cut"
    finally:
        answer.cancel()
        writer.close()


async def half_open(field: Field, connections: int = 500) -> Statuses:
    """Connections that begin a request and say no more."""
    address = urlsplit(field.city.url)

    async def one() -> str:
        try:
            _, writer = await asyncio.open_connection(address.hostname, address.port, local_addr=(ADDRESS, 0))
        except OSError:
            return "refused"
        writer.write(f"GET / HTTP/1.1\r\nHost: {address.netloc}\r\nX-".encode())
        await asyncio.sleep(field.seconds)
        writer.close()
        return "held open"

    return await _all(*(one() for _ in range(connections)))


# -- files --------------------------------------------------------------------------------------------------------


async def words_of_objects(field: Field) -> Statuses:
    """A PDF of 39 KiB that is nothing but `obj`, twice."""
    return await _all(*(field.upload("a.pdf", payloads.words_of_objects()) for _ in range(2)))


async def streams_of_objects(field: Field) -> Statuses:
    """A PDF of 9 MB with a thousand empty streams of objects."""
    return await _all(field.upload("b.pdf", await asyncio.to_thread(payloads.streams_of_objects)))


async def picture_bombs(field: Field) -> Statuses:
    """Six pictures at once, of 79 million pixels each, in four formats."""
    kinds = (("WEBP", "RGB"), ("PNG", "RGB"), ("PNG", "1"), ("JPEG", "RGB"))
    made = [await asyncio.to_thread(payloads.picture, form, mode) for form, mode in kinds]
    return await _all(*(field.upload(f"{n}.png", made[n % len(made)]) for n in range(6)))


async def large_uploads(field: Field) -> Statuses:
    """Files of 11, 13 and 20 MiB, larger than a file may be."""
    return await _all(*(field.upload("c.jpg", b"\xff\xd8\xff" + bytes(size << 20)) for size in (11, 13, 20)))


# -- sign-in ------------------------------------------------------------------------------------------------------


async def made_up_names(field: Field, count: int = 300) -> Statuses:
    """Sign-ins at once with names that nobody has, from ten addresses: each costs a hash."""
    body = {"password": "not-the-password-1"}
    async with AsyncExitStack() as stack:
        clients = [client_from(f"127.9.{n}.9", field.city.url, field.seconds + 60) for n in range(10)]
        fields = [replace(field, client=await stack.enter_async_context(client)) for client in clients]
        steps = (fields[n % 10].ask("POST", _SIGN_IN, json={**body, "username": f"nobody-{n}"}) for n in range(count))
        return await _all(*steps)


async def spraying(field: Field, count: int = 40) -> Statuses:
    """One guess for each of many accounts, whose names are the public codes of villages."""
    names = [f"clerk-2108810062{n:02}" for n in range(count)]
    guess = {"password": "Gaizhou12345!"}
    return await _all(*(field.ask("POST", _SIGN_IN, json={**guess, "username": n}) for n in names))


async def sign_in_for_another(field: Field) -> Statuses:
    """A page of somebody else signs its reader in to an account of its own choice (login CSRF)."""
    form = {"username": CLERK, "password": field.city.password(CLERK)}
    headers = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    return await _all(field.ask("POST", "/sign-in", data=form, headers=headers))


# -- work that grows with the square ------------------------------------------------------------------------------


async def numbers_without_end(field: Field) -> Statuses:
    """A draft of 244 KiB of `0-0-0-…`, in which the detector finds a beginning at every digit."""
    return Counter([str((await field.draft("V16", "2026Q1", payloads.numbers_without_end())).status_code)])


async def difference_of_two_kinds(field: Field) -> Statuses:
    """What changed between two rosters of 2,000 rows of two kinds each."""
    months = ("2026-03", "2026-04")
    made = []
    for seed, month in enumerate(months):
        answer = await field.draft(_ITEM, month, payloads.roster_of_two_kinds(seed, field.village, _ITEM, month))
        if not answer.is_success:
            return Counter([f"entering {answer.status_code}"])
        made.append(answer.json())
    for one in made:
        path = f"{_DRAFTS}/{one['id']}/submit"
        # A bare code stands for every finding of that code.
        codes = sorted({f["code"] for f in one.get("findings", [])})
        reasons = [{"finding": code, "reason": "已核实"} for code in codes]
        headers = {**field.bearer, "idempotency-key": uuid.uuid4().hex}
        sent = {"version": one["version"], "accept": reasons}
        answer = await field.client.post(path, headers=headers, json=sent)
        if not answer.is_success:
            return Counter([f"submitting {answer.status_code}"])
    path = f"{_DRAFTS}/{made[1]['id']}/difference?with=previous"
    return await _all(*(field.ask("GET", path, headers=field.bearer) for _ in range(2)))


async def json_bombs(field: Field) -> Statuses:
    """Bodies that break parsers, on routes that everybody and that staff may ask."""
    headers = {**field.bearer, "content-type": "application/json"}
    paths = (_SIGN_IN, _DRAFTS)
    return await _all(
        *(field.ask("POST", p, content=bomb, headers=headers) for p in paths for bomb in payloads.JSON_BOMBS)
    )


# -- races --------------------------------------------------------------------------------------------------------


async def races(field: Field) -> Statuses:
    """Twenty saves of one version at once, with a submission and a discarding among them: one wins, nothing breaks."""
    answer = await field.draft("V16", "2026Q2", {"kind": "notice", "title": "通知", "paragraphs": ["一"]})
    if not answer.is_success:
        return Counter([f"entering {answer.status_code}"])
    made = answer.json()
    path = f"{_DRAFTS}/{made['id']}"
    body = {"kind": "notice", "title": "通知", "paragraphs": ["二"]}
    sent = {"version": made["version"], "body": body}
    saves = [field.ask("PUT", path, headers=field.bearer, json=sent) for _ in range(20)]
    keyed = {**field.bearer, "idempotency-key": uuid.uuid4().hex}
    one = {"version": made["version"]}
    return await _all(*saves, field.ask("POST", f"{path}/submit", headers=keyed, json=one))


_NO: Final = frozenset({"400", "401", "403", "409", "413", "422", "429", "431", "503"})
ATTACKS: Final = (
    Attack("slow uploads", slow_uploads, _NO | {"408", "cut", "still waiting"}),
    Attack("slow forms", slow_forms, _NO | {"408", "cut", "still waiting", "303"}),
    Attack("500 half-open connections", half_open, frozenset({"held open", "refused"})),
    Attack("PDF of `obj obj …`", words_of_objects, _NO),
    Attack("PDF of empty ObjStm", streams_of_objects, _NO),
    Attack("six pictures of 79 megapixels", picture_bombs, _NO),
    Attack("files of 11, 13, 20 MiB", large_uploads, _NO | {"cut"}),
    Attack("300 sign-ins with made-up names", made_up_names, _NO),
    Attack("one guess for each of 40 accounts", spraying, _NO),
    Attack("sign-in from a foreign page", sign_in_for_another, frozenset({"403"})),
    Attack("draft of `0-0-0-…`", numbers_without_end, _NO | {"201"}),
    Attack("difference of 2,000 rows of two kinds", difference_of_two_kinds, _NO | {"200"}),
    Attack("JSON bombs", json_bombs, _NO),
    Attack("20 saves of one version, a submission among them", races, _NO | {"200"}),
)
