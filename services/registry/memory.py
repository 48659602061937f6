"""What a process of the registry keeps in mind so that nobody's guesses or crowds stand in others' way: bounded, never stored."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from typing import Literal

from services.kit.rates import Rate
from services.registry.errors import SignInBusyError, TooManyFailuresError


class Places:
    """So many sign-ins at once, and no more: a crowd is told to come again, and the others wait for no longer than now.

    Browsers that are known have places of their own; before, while it is asked whether one is known, it holds another.
    """

    def __init__(self, room: int) -> None:
        """Begin with all `room` places of each kind free."""
        self._room = room
        self._taken = Counter[str]()

    @contextmanager
    def place(self, kind: Literal["asking", "known", "stranger", "own"]) -> Iterator[None]:
        """Hold a place; SignInBusyError when all of a kind are taken."""
        if self._taken[kind] >= self._room:
            raise SignInBusyError(retry_after_s=2)
        self._taken[kind] += 1
        try:
            yield
        finally:
            self._taken[kind] -= 1


class AddressBrakes:
    """Failures to sign in by network, under whatever names.

    A network may fail so many times at once, and once more for every `again` that passes.
    """

    def __init__(self, at_once: int, again: timedelta) -> None:
        """Begin with no failures; a network gets over one in `again`."""
        self._failures = Rate(at_once, again)
        self._under_way: dict[str, int] = {}

    @contextmanager
    def attempt(self, network: str, now: datetime) -> Iterator[None]:
        """Hold a place for an attempt while it is judged.

        TooManyFailuresError when the network failed too often, with the seconds to wait; SignInBusyError when so many of
        its attempts are being judged that all of them failing would be too many.
        """
        left = self._failures.left(network, now)
        if left < 1:
            detail = "从您所在的网络登录失败次数过多，请稍后再试。以前在这台设备上登录过的人不受影响。"
            raise TooManyFailuresError(detail, retry_after_s=self._failures.wait_s(network, now))
        if self._under_way.get(network, 0) >= left:
            raise SignInBusyError(retry_after_s=1)
        self._under_way[network] = self._under_way.get(network, 0) + 1
        try:
            yield
        finally:
            self._under_way[network] -= 1
            if self._under_way[network] == 0:
                del self._under_way[network]

    def count_failure(self, network: str, now: datetime) -> None:
        """Remember one failure more; the network longest without one may be forgotten for it."""
        self._failures.count(network, now)


class Queue:
    """Turns at what takes a core and memory: so many at once, and who waits is taken by turns of who they are.

    `who` is `kind/name`: kinds take turns, and within a kind names. A crowd from one network, or a file of a thousand
    accounts, thus costs somebody else one place and not a thousand; strangers, however many, cost known people one.
    """

    def __init__(self, at_once: int) -> None:
        """Begin with `at_once` turns, all of them free."""
        self._free = at_once
        self._kinds: OrderedDict[str, OrderedDict[str, deque[asyncio.Future[None]]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, who: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(who)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, who: str) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        names = self._kinds.setdefault(who.partition("/")[0], OrderedDict())
        names.setdefault(who, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                # The turn came at the moment of going away.
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._kinds:
            kind, names = self._kinds.popitem(last=False)
            who, theirs = names.popitem(last=False)
            mine = theirs.popleft()
            # Behind all others who wait.
            if theirs:
                names[who] = theirs
            if names:
                self._kinds[kind] = names
            if not mine.done():
                mine.set_result(None)
                return
        self._free += 1
