"""What the gateway says of its own: in our words, with our headers, and nothing of what runs behind it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from deploy.local.gateway import Gateway
from deploy.local.home import free_port
from services.contracts.topics import SERVICES
from services.kit.web import SECURITY_HEADERS
from tests.deploy.listener import Listener

#: The style of the gateway's pages stands in them, allowed by its digest; nothing else is allowed at all.
FORBIDDEN = ("unsafe-inline", "unsafe-eval", "*", "http:", "data:")


@pytest.fixture(scope="module")
def listeners() -> Iterator[dict[str, str]]:
    """Addresses of listeners by service; nobody listens for qr and audit."""
    with ExitStack() as stack:
        here = {n: stack.enter_context(Listener(n)).address for n in (*SERVICES, "standby") if n not in {"audit", "qr"}}
        yield {**here, "audit": "127.0.0.1:1", "qr": "127.0.0.1:1"}


@pytest_asyncio.fixture(scope="module")
async def through(
    listeners: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a real gateway."""
    async with (
        Gateway(tmp_path_factory.mktemp("gateway"), free_port(avoid=set()), listeners) as gateway,
        httpx2.AsyncClient(base_url=gateway.url, timeout=20) as client,
    ):
        yield client


LARGE = b"x" * 2_000_000
#: method, path, headers, body; status and code.
OWN = {
    "inner page": (("GET", "/livez", {}, b""), 404, None),
    "no such document": (("GET", "/docs/openapi/none.json", {}, b""), 404, None),
    "large form": (("POST", "/desk/form", {}, LARGE), 413, None),
    "large request": (("POST", "/ingest/v1/disclosures", {}, LARGE), 413, "too_large"),
    "page of a service that is away": (("GET", "/inspect", {}, b""), 503, None),
    "api of a service that is away": (("GET", "/audit/v1/alerts", {}, b""), 503, "upstream_unavailable"),
    "form for a service that is away": (("POST", "/inspect/x", {}, b"a=b"), 503, None),
    "change by a service that is away": (("PUT", "/audit/v1/x", {}, b"{}"), 503, "upstream_unavailable"),
    "foreign name": (("GET", "/", {"host": "evil.example"}, b""), 421, None),
    "foreign name, api": (("GET", "/api/v1/villages/1", {"host": "evil.example"}, b""), 421, "unknown_host"),
    "foreign name, inner": (("GET", "/metrics", {"host": "evil.example"}, b""), 421, None),
}


def wrong_headers(headers: Mapping[str, str]) -> dict[str, str | None]:
    """Where they differ from those of the services, and what tells what runs here."""
    found: dict[str, str | None] = {
        name: headers.get(name)
        for name, wanted in SECURITY_HEADERS.items()
        if name != "content-security-policy" and headers.get(name) != wanted
    }
    found |= {name: headers[name] for name in ("server", "via", "x-powered-by") if name in headers}
    policy = headers.get("content-security-policy", "")
    if not policy.startswith("default-src 'none'") or any(word in policy for word in FORBIDDEN):
        found["content-security-policy"] = policy
    return found


@pytest.mark.parametrize("name", OWN)
async def test_its_own_answers_are_in_our_words_with_our_headers(through: httpx2.AsyncClient, name: str) -> None:
    (method, path, headers, content), status, code = OWN[name]
    answer = await through.request(method, path, headers=headers, content=content)
    assert answer.status_code == status
    assert wrong_headers(answer.headers) == {}
    assert answer.headers["cache-control"] == "no-store"
    assert ("retry-after" in answer.headers) is (status == 503)
    if code is not None:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == code
        assert answer.json()["status"] == status
    else:
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert '<html lang="zh-CN">' in answer.text
        assert "{" not in answer.text.partition("</style>")[2]


async def test_of_what_was_sent_nobody_is_told_that_it_is_safe_or_that_it_is_lost(through: httpx2.AsyncClient) -> None:
    read = await through.get("/inspect")
    assert "请过几秒刷新本页" in read.text
    for method in ("POST", "PUT", "DELETE"):
        sent = await through.request(method, "/inspect/x")
        assert "不能确定刚才的提交是否成功，请先到待办里看一看，再决定要不要重做。" in sent.text
        assert "刷新本页" not in sent.text
        assert "may have been carried out" in (await through.request(method, "/audit/v1/x")).json()["title"]


async def test_nothing_tells_what_runs_behind_it_and_over_http_nobody_is_bound_to_https(
    through: httpx2.AsyncClient,
) -> None:
    for path in ("/", "/registry/v1/x", "/desk", "/d/x", "/docs/", "/livez"):
        answer = await through.get(path)
        told = {n: v for n, v in answer.headers.items() if n in {"server", "via", "strict-transport-security"}}
        assert told == {}, path


async def test_over_https_browsers_are_bound_to_it_and_plain_requests_are_sent_there(
    listeners: dict[str, str], tmp_path: Path
) -> None:
    secure, plain = free_port(avoid=set()), free_port(avoid=set())

    class Secured(Gateway):
        """As on a server with a domain; the certificate is its own."""

        def command(self) -> list[str]:
            text = (Path(__file__).parents[2] / "deploy/caddy/Caddyfile").read_text()
            ports = f"{{\n\thttps_port {secure}\n\thttp_port {plain}\n\tlocal_certs\n\tskip_install_trust\n"
            own = tmp_path / "Caddyfile"
            own.write_text(text.replace("{\n\tadmin off", f"{ports}\tadmin off", 1))
            return [*super().command()[:3], str(own), "--adapter", "caddyfile"]

        def environment(self) -> Mapping[str, str]:
            names = {"SANWU_SITE": "https://sanwu.test", "SANWU_OTHER_NAMES": f"http://:{plain}"}
            return {**super().environment(), **names}

        async def is_ready(self) -> bool:
            with contextlib.suppress(OSError):
                (await asyncio.open_connection("127.0.0.1", secure))[1].close()
                return True
            return False

    async with Secured(tmp_path / "home", plain, listeners):
        check = ssl.create_default_context()
        check.check_hostname, check.verify_mode = False, ssl.CERT_NONE
        async with httpx2.AsyncClient(verify=check, timeout=20) as client:
            sni = {"sni_hostname": "sanwu.test"}
            for path in ("/", "/livez"):
                answer = await client.get(
                    f"https://127.0.0.1:{secure}{path}", headers={"host": "sanwu.test"}, extensions=sni
                )
                assert answer.headers["strict-transport-security"] == "max-age=31536000"
            moved = await client.get(f"http://127.0.0.1:{plain}/v/1", headers={"host": "sanwu.test"})
            assert (moved.status_code, moved.headers["location"]) == (308, "https://sanwu.test/v/1")
            foreign = await client.get(f"http://127.0.0.1:{plain}/", headers={"host": "evil.example"})
            assert foreign.status_code == 421
