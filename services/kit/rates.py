"""How often one network may do something, kept in mind by each process: bounded, never stored."""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from services.kit.address import client_address, network_of
from services.kit.errors import SanwuError, TooManyAtOnceError, UnavailableError

#: Networks that are counted; beyond it the one that came longest ago is forgotten. 100 bytes each.
MOST_NETWORKS: Final = 20_000
#: Scans of one network: a fair in a village stands behind one address.
SCANS_AT_ONCE: Final = 60
SCAN_AGAIN: Final = timedelta(milliseconds=100)


class TooOftenError(SanwuError):
    """从您所在的网络打开得太频繁，请等几秒再试。"""

    status = 429
    code = "too_often"


class Rate:
    """So many times at once, and once more for every `again` that passes.

    The cell rate of ATM's Generic Cell Rate Algorithm (ITU-T I.371), of which one moment a network is kept: when it will
    have got over what it did.
    """

    def __init__(self, at_once: int, again: timedelta) -> None:
        """Begin with no network in mind."""
        self._at_once = at_once
        self._again = again
        self._over_at: OrderedDict[str, datetime] = OrderedDict()

    def left(self, network: str, now: datetime) -> int:
        """How many more times now."""
        over_at = max(self._over_at.get(network, now), now)
        return int(self._at_once - (over_at - now) / self._again)

    def wait_s(self, network: str, now: datetime) -> int:
        """Whole seconds after which there is one more, of a network that has none left."""
        wait = self._over_at.get(network, now) - now - self._again * (self._at_once - 1)
        return int(wait.total_seconds()) + 1

    def count(self, network: str, now: datetime) -> None:
        """Remember that a network did it once more."""
        self._over_at[network] = max(self._over_at.pop(network, now), now) + self._again
        while len(self._over_at) > MOST_NETWORKS:
            self._over_at.popitem(last=False)

    def let_in(self, now: datetime) -> None:
        """Count the request that is served; TooOftenError when its network has none left."""
        network = network_of(client_address())
        if self.left(network, now) < 1:
            raise TooOftenError(retry_after_s=self.wait_s(network, now))
        self.count(network, now)


class Seats:
    """How many may hold something for long, altogether and from one address; an office stands behind one."""

    def __init__(self, most: int, most_of_one: int, again_s: int) -> None:
        """Begin with every seat free; `again_s`: when there may be one again where all are taken."""
        self._most = most
        self._most_of_one = most_of_one
        self._again_s = again_s
        self._taken: Counter[str | None] = Counter()

    @property
    def taken(self) -> int:
        """How many are taken now."""
        return self._taken.total()

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Hold one; TooManyAtOnceError for an address that has enough, UnavailableError when all are taken."""
        who = client_address()
        if self._taken[who] >= self._most_of_one:
            detail = f"从同一个地址最多同时{self._most_of_one}个，请等前面的完成后再试。"
            raise TooManyAtOnceError(detail)
        if self.taken >= self._most:
            detail = "现在要的人太多，请稍后再试。"
            raise UnavailableError(detail, retry_after_s=self._again_s)
        self._taken[who] += 1
        try:
            yield
        finally:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]


def scans() -> Rate:
    """How often codes on walls may be opened from one network."""
    return Rate(SCANS_AT_ONCE, SCAN_AGAIN)
