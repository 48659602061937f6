"""Whom to tell of a hole: /.well-known/security.txt (RFC 9116), through the real gateway, or nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from deploy.local.faults import Fault
from deploy.local.gateway import Gateway, security_txt
from deploy.local.home import free_port
from deploy.local.postgres import SERVICES

PATH = "/.well-known/security.txt"
UPSTREAMS = dict.fromkeys((*SERVICES, "standby"), "127.0.0.1:1")


async def test_without_a_contact_there_is_no_file_and_with_one_it_says_for_how_long_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Gateway(tmp_path, free_port(avoid=set()), UPSTREAMS)
    monkeypatch.setenv("SANWU_SECURITY_CONTACT", "mailto:security@city.example")
    monkeypatch.setenv("SANWU_SECURITY_POLICY", "https://city.example/policy")
    async with gateway, httpx2.AsyncClient(base_url=gateway.url, timeout=20) as client:
        told = await client.get(PATH)
    assert told.status_code == 200
    assert told.headers["content-type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in told.text.splitlines())
    until = datetime.fromisoformat(fields.pop("Expires"))
    assert timedelta(days=300) < until - datetime.now(UTC) < timedelta(days=365)
    assert fields == {
        "Contact": "mailto:security@city.example",
        "Policy": "https://city.example/policy",
        "Preferred-Languages": "zh, en",
    }
    monkeypatch.delenv("SANWU_SECURITY_CONTACT")
    async with gateway, httpx2.AsyncClient(base_url=gateway.url, timeout=20) as client:
        assert (await client.get(PATH)).status_code == 404
        assert (await client.get("/.well-known/other")).status_code != 200


@pytest.mark.parametrize(
    "contact",
    [
        "security@city.example",
        "http://city.example",
        "mailto:a@city.example\nContact: mailto:b@evil.example",
        "mailto:",
    ],
)
def test_a_contact_that_is_no_address_is_refused(contact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANWU_SECURITY_CONTACT", contact)
    with pytest.raises(Fault, match="SANWU_SECURITY_CONTACT"):
        security_txt(datetime.now(UTC))
