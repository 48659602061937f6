"""Whose word counts on where a request comes from."""

import pytest

from services.kit.address import LOOPBACK, client_address, coming_from


@pytest.mark.parametrize(
    ("peer", "forwarded", "told"),
    [
        pytest.param("127.0.0.1", None, "127.0.0.1", id="nobody stands in between"),
        pytest.param("127.0.0.1", b"203.0.113.7", "203.0.113.7", id="the gateway names its client"),
        pytest.param(
            "127.0.0.1", b"10.0.0.1, 203.0.113.7", "203.0.113.7", id="what the client put before does not count"
        ),
        pytest.param("203.0.113.9", b"198.51.100.1", "203.0.113.9", id="a stranger's word counts nothing"),
        pytest.param("127.0.0.1", b"nonsense", "127.0.0.1", id="no address"),
        pytest.param("127.0.0.1", b"\xff\xfe", "127.0.0.1", id="no text"),
        pytest.param("::ffff:127.0.0.1", b"2001:db8::7", "2001:db8::7", id="a socket of both kinds"),
        pytest.param("::1", b"::ffff:203.0.113.7", "203.0.113.7", id="an IPv4 address in IPv6 clothes is the same"),
        pytest.param("/run/ingest.sock", b"203.0.113.7", None, id="a peer without an address"),
        pytest.param(None, None, None, id="no peer"),
    ],
)
def test_the_gateway_alone_is_believed(peer: str | None, forwarded: bytes | None, told: str | None) -> None:
    """A stranger who names another address is counted under his own."""
    headers = {b"x-forwarded-for": forwarded} if forwarded is not None else {}
    with coming_from({"client": (peer, 1) if peer else None}, headers, LOOPBACK):
        assert client_address() == told
    assert client_address() is None
