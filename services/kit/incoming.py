"""The body of a request on its way in: read to its end before anything is locked, against a clock and a size.

What is small stays in memory; the rest lies in a file without a name (O_TMPFILE), which is gone with the process, however
that ends. Fifty slow senders so hold neither memory nor a connection of the database. A sender has eight on the way at
most; who sends more waits, and is then asked to come again. What is small and a stranger's, as signing in is, has room and
a clock of its own: whoever drips takes it for seconds.
"""

import asyncio
import hashlib
import io
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Final, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from services.kit.address import client_address, network_of
from services.kit.errors import SanwuError, TooLargeError, TooManyAtOnceError, TooSlowError, UnavailableError
from services.kit.log import get_logger

log = get_logger(__name__)
Result = TypeVar("Result")

#: Where a request's scope holds it.
BODY: Final = "sanwu.body"
#: What a body may hold of memory while it is on its way, and the pieces in which it is handed on.
PIECE_BYTES: Final = 64 * 1024
#: After the grace at least so much must have come for every second: two thirds of what a line of 200 kbit/s carries.
SLOWEST_BYTES_S: Final = 16 * 1024
GRACE_S: Final = 30.0
#: Beyond this size only so many are worked on at once, for then they are in memory; the others lie on the disk till then.
BIG_BYTES: Final = 1024 * 1024
BIG_AT_ONCE: Final = 4
#: How long a big one waits for its turn; `LINE_S` (services/kit/limited.py) tells why no longer.
TURN_S: Final = 15.0
#: Bodies on the way at once: of one account, of one network where nobody is signed in (an office may stand behind it), of all
#: accounts, and of all strangers, who cannot take the room of those who are known.
OF_ACCOUNT: Final = 8
OF_NETWORK: Final = 16
OF_ACCOUNTS: Final = 256
OF_STRANGERS: Final = 512
#: A stranger's body that says it is no larger, as all that strangers have to send: 64 MiB of them at most, each for seconds.
SMALL_BYTES: Final = 16 * 1024
SMALL_S: Final = 8.0
SMALL_OF_NETWORK: Final = 128
SMALL_OF_STRANGERS: Final = 4096
#: How long a sender with so many waits for one of the earlier to arrive.
WAIT_S: Final = 5.0
#: Of what is refused so much is read and dropped; a gateway takes an answer that comes before the end for a broken connection.
DROPPED_BYTES: Final = 16 * 1024 * 1024
#: And for no longer: nobody counts who sends what is dropped.
DROPPED_S: Final = 30.0


class Doors:
    """How many bodies are on their way into a process, and whose."""

    def __init__(self) -> None:
        """Begin with no body on its way."""
        self._turns: dict[str, tuple[asyncio.Semaphore, list[None]]] = {}
        self._passing = Counter[str]()

    @asynccontextmanager
    async def _turn(self, whose: str, most: int, until: float, late: type[SanwuError]) -> AsyncIterator[None]:
        """One of so many turns; what `late` is when none is free at a time of the loop's clock."""
        turns, present = self._turns.setdefault(whose, (asyncio.Semaphore(most), []))
        present.append(None)
        try:
            try:
                async with asyncio.timeout_at(until):
                    await turns.acquire()
            except TimeoutError as error:
                raise late from error
            try:
                yield
            finally:
                turns.release()
        finally:
            present.pop()
            if not present:
                del self._turns[whose]

    @asynccontextmanager
    async def passing(self, account: str | None, *, small: bool = False) -> AsyncIterator[None]:
        """One body of an account, or of a stranger, on its way; TooManyAtOnceError when the earlier ones do not arrive."""
        kind, room, most = "accounts", OF_ACCOUNTS, OF_ACCOUNT
        if account is None:
            kind, room, most = "strangers", OF_STRANGERS, OF_NETWORK
            if small:
                kind, room, most = "small", SMALL_OF_STRANGERS, SMALL_OF_NETWORK
        if self._passing[kind] >= room:
            raise UnavailableError
        until = asyncio.get_running_loop().time() + WAIT_S
        async with self._turn(f"{kind} {_sender(account)}", most, until, TooManyAtOnceError):
            self._passing[kind] += 1
            try:
                yield
            finally:
                self._passing[kind] -= 1

    @asynccontextmanager
    async def working(self, size: int, account: str | None) -> AsyncIterator[None]:
        """Work on a body that is here; a sender has one big one at a time.

        TooManyAtOnceError when the sender's own earlier ones take too long, UnavailableError when those of others do.
        """
        if size <= BIG_BYTES:
            yield
            return
        until = asyncio.get_running_loop().time() + TURN_S
        own = self._turn(f"big {_sender(account)}", 1, until, TooManyAtOnceError)
        async with own, self._turn("big", BIG_AT_ONCE, until, UnavailableError):
            yield


def _sender(account: str | None) -> str:
    return f"account {account}" if account is not None else f"network {network_of(client_address())}"


class Incoming:
    """One request's body, from its first piece until it is handed on or given up."""

    def __init__(
        self, receive: Receive, headers: Mapping[bytes, bytes], limit: int, doors: Doors, folder: Path
    ) -> None:
        """Nothing is read yet; `limit` is in bytes, `folder` where what is beyond the memory lies."""
        length = headers.get(b"content-length", b"0")
        self._told = int(length) if length.isdigit() else 0
        self._ended = self._told == 0 and b"transfer-encoding" not in headers
        self._receive = receive
        self._limit = limit
        self.doors = doors
        self._folder = folder
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._given_up = self._arrived = self._handed_on = False
        self._grace = GRACE_S
        self._started = 0.0
        self.size = 0

    async def arrive(self, account: str | None = None) -> None:
        """Read it to its end; TooLargeError, TooSlowError, TooManyAtOnceError, or ClientDisconnect when nobody sends any more."""
        if self._arrived:
            return
        small = account is None and self._told <= SMALL_BYTES and (self._told > 0 or self._ended)
        self._grace = SMALL_S if small else GRACE_S
        async with self.doors.passing(account, small=small):
            async for piece in self._pieces():
                self.size += len(piece)
                if max(self.size, self._told) <= self._limit:
                    await self._keep(piece)
                else:
                    self.close()
        if max(self.size, self._told) > self._limit:
            raise TooLargeError
        if self._file is not None:
            await self._write()
            await asyncio.to_thread(self._file.seek, 0)
        self._arrived = True

    async def drop(self) -> None:
        """Read what is left and keep nothing: before an answer that needs none of it, which is on its way whatever comes."""
        with suppress(TimeoutError, TooSlowError, TooLargeError, ClientDisconnect):
            async with asyncio.timeout(DROPPED_S):
                async for _ in self._pieces():
                    pass

    @property
    def is_left(self) -> bool:
        """Whether something of it has not come: the connection is of no more use then."""
        return not self._ended

    async def _pieces(self) -> AsyncIterator[bytes]:
        self._started = self._started or time.monotonic()
        seen = self.size
        while not self._ended and not self._given_up:
            left = self._started + self._grace + seen / SLOWEST_BYTES_S - time.monotonic()
            try:
                async with asyncio.timeout(left):
                    message = await self._receive()
            except TimeoutError as error:
                self._given_up = True
                raise TooSlowError from error
            if message["type"] != "http.request":
                self._given_up = True
                raise ClientDisconnect
            piece = message.get("body", b"")
            seen += len(piece)
            self._ended = not message.get("more_body", False)
            if seen > self._limit + DROPPED_BYTES:
                self._given_up = True
                raise TooLargeError
            yield piece

    async def _keep(self, piece: bytes) -> None:
        self._memory += piece
        if len(self._memory) > PIECE_BYTES:
            await self._write()

    async def _write(self) -> None:
        try:
            if self._file is None:
                self._file = await asyncio.to_thread(_nameless, self._folder)
            memory, self._memory = self._memory, bytearray()
            await asyncio.to_thread(self._file.write, memory)
        except OSError as error:
            log.warning("no room for what comes in", error=repr(error))
            raise UnavailableError from error

    async def receive(self) -> Message:
        """ASGI's `receive`: the body in pieces when all of it is here, then what the connection has to say."""
        if self._handed_on:
            return await self._receive()
        await self.arrive()
        # Whoever reads it works on every piece: others are served in between.
        await asyncio.sleep(0)
        piece = bytes(self._memory) if self._file is None else await asyncio.to_thread(self._file.read, PIECE_BYTES)
        self._handed_on = self._file is None or not piece
        return {"type": "http.request", "body": piece, "more_body": not self._handed_on}

    async def rewind(self) -> None:
        """Hand it on from its beginning once more, to whoever reads it after somebody else did."""
        self._handed_on = False
        if self._file is not None:
            await asyncio.to_thread(self._file.seek, 0)

    async def digest(self, before: bytes, without: bytes) -> str:
        """SHA-256, in hex, of some bytes and the body, less every occurrence of a word in the body."""
        await self.arrive()
        if self._file is None:
            # Of what is in memory it takes less than to hand it to a thread.
            return self._digest(before, without)
        return await asyncio.to_thread(self._digest, before, without)

    def _digest(self, before: bytes, without: bytes) -> str:
        found, rest, tail = hashlib.sha256(before), b"", max(len(without) - 1, 0)
        file = self._file or io.BytesIO(self._memory)
        place = file.tell()
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            rest = (rest + piece).replace(without, b"") if without else rest + piece
            # What may be the word's beginning waits for the next piece.
            cut = max(len(rest) - tail, 0)
            found.update(rest[:cut])
            rest = rest[cut:]
        found.update(rest)
        file.seek(place)
        return found.hexdigest()

    async def until_gone(self) -> None:
        """Wait, with all of the body here, until its sender has closed the connection."""
        await self.arrive()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def close(self) -> None:
        """Free the memory and the file that hold it."""
        self._memory.clear()
        if self._file is not None:
            self._file.close()
            self._file = None


_served: ContextVar[Incoming | None] = ContextVar("served", default=None)


@contextmanager
def serving(body: Incoming) -> Iterator[None]:
    """Know within this block whose request is served."""
    token = _served.set(body)
    try:
        yield
    finally:
        _served.reset(token)


async def while_awaited(work: Coroutine[object, object, Result]) -> Result:
    """What some work gives; it is cancelled, and ClientDisconnect raised, when the sender of the request that is served goes.

    The server tells of the going only whoever asks. Outside of a request, work ends with its caller alone.
    """
    body = _served.get()
    if body is None:
        return await work
    doing, gone = asyncio.ensure_future(work), asyncio.ensure_future(body.until_gone())
    try:
        await asyncio.wait((doing, gone), return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise ClientDisconnect
        return doing.result()
    finally:
        doing.cancel()
        gone.cancel()
        await asyncio.wait((doing, gone))


def _nameless(folder: Path) -> IO[bytes]:
    """A file that nobody else can open, and that is gone when it is closed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)
