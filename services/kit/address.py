"""Where a request comes from: what the gateway says of it, believed of the gateway alone.

The gateway names its client in `X-Forwarded-For` and drops what the client itself put there.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import Scope

Network = IPv4Network | IPv6Network
LOOPBACK: Final = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
_IPV4: Final = 4
_address: ContextVar[str | None] = ContextVar("address", default=None)


@contextmanager
def coming_from(scope: Scope, headers: Mapping[bytes, bytes], gateways: Sequence[Network]) -> Iterator[None]:
    """Know within this block where a request comes from."""
    token = _address.set(_client_of(scope, headers, gateways))
    try:
        yield
    finally:
        _address.reset(token)


def client_address() -> str | None:
    """The address of whoever sent the request that is served; None outside of one, or when nobody knows."""
    return _address.get()


def network_of(address: str | None) -> str:
    """Who counts as one: an IPv4 address with its 255 neighbours, of IPv6 what one household is given (/64)."""
    return _around(address, 64)


def household_of(address: str | None) -> str:
    """Whose browsers count as one household's: an IPv4 address by itself, of IPv6 what one household is given (/64)."""
    if address is None or ip_address(address).version != _IPV4:
        return _around(address, 64)
    return address


def site_of(address: str | None) -> str:
    """Whose networks count together once more: of IPv6 what one organisation is given (/48), 65,536 networks."""
    return _around(address, 48)


def _around(address: str | None, bits_of_ipv6: int) -> str:
    if address is None:
        return "unknown"
    found = ip_address(address)
    return str(ip_network((found, 24 if found.version == _IPV4 else bits_of_ipv6), strict=False))


def _client_of(scope: Scope, headers: Mapping[bytes, bytes], gateways: Sequence[Network]) -> str | None:
    client = scope.get("client")
    peer, is_gateway = _peer(client[0], tuple(gateways)) if client else (None, False)
    forwarded = headers.get(b"x-forwarded-for")
    if forwarded is None or not is_gateway:
        return peer
    # The last one is what the gateway itself saw.
    return _plain(forwarded.decode("latin-1").rpartition(",")[2].strip()) or peer


#: Behind a gateway there are few; without one, those who came last.
@lru_cache(maxsize=256)
def _peer(address: str, gateways: tuple[Network, ...]) -> tuple[str | None, bool]:
    """Who holds the other end of the connection, and whether that is a gateway of ours."""
    peer = _plain(address)
    return peer, peer is not None and any(ip_address(peer) in network for network in gateways)


def _plain(address: str) -> str | None:
    try:
        found = ip_address(address)
    except ValueError:
        return None
    # Of a socket for both kinds of addresses.
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)
