"""What the gateway itself decides: how large a request may be, and the API's documents under /docs."""

import io
import os
from collections.abc import Iterator

import httpx2
import pytest
from PIL import Image

from tests.running import RunningCity

VILLAGE = "210881006206"
CLERK = f"clerk-{VILLAGE}"
MEGABYTE = 1_000_000


def photograph() -> bytes:
    """A picture of some 3 MB: noise does not get smaller."""
    picture = Image.frombytes("RGB", (1000, 1000), os.urandom(3_000_000))
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=0)
    return out.getvalue()


def bearer(city: RunningCity) -> dict[str, str]:
    return {"authorization": f"Bearer {city.token(CLERK)}"}


def send(city: RunningCity, path: str, content: bytes, **headers: str) -> httpx2.Response:
    return httpx2.post(f"{city.url}{path}", content=content, headers={**bearer(city), **headers}, timeout=60)


def test_a_photograph_of_three_megabytes_is_taken(small_city: RunningCity) -> None:
    picture = photograph()
    assert 3 * MEGABYTE <= len(picture) < 4 * MEGABYTE
    answer = httpx2.post(
        f"{small_city.url}/ingest/v1/attachments",
        data={"village": VILLAGE},
        files={"file": ("发票.png", picture, "image/png")},
        headers=bearer(small_city),
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["media_type"] == "image/jpeg"


def test_a_prepared_file_of_three_megabytes_is_read(small_city: RunningCity) -> None:
    head = "村代码,事项,公开期,行别,账户,日期,摘要,收支,金额\n"
    line = f"{VILLAGE},F01,2026-10,明细,库存现金,2026-10-03,修村部到东沟的自来水管,支出,没有\n"
    text = (head + line * (3 * MEGABYTE // len(line.encode()) + 1)).encode()
    answer = httpx2.post(
        f"{small_city.url}/ingest/v1/imports",
        files={"file": ("三月.csv", text, "text/csv")},
        headers=bearer(small_city),
        timeout=60,
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "import_faults"), answer.text
    assert answer.json()["errors"][0]["at"] == "第 2 行“金额”列"


@pytest.mark.parametrize("path", ["/ingest/v1/disclosures", "/registry/v1/sign-in", "/ingest/v1/attachments/x"])
def test_other_requests_stay_below_a_megabyte(small_city: RunningCity, path: str) -> None:
    answer = send(small_city, path, b"{" + b" " * (MEGABYTE + 100_000))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("path", ["/ingest/v1/attachments", "/ingest/v1/imports"])
def test_a_file_beyond_every_limit_is_refused(small_city: RunningCity, path: str) -> None:
    answer = send(small_city, path, b"{" + b" " * (14 * MEGABYTE), **{"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large"), answer.text


def test_a_body_that_hides_its_length_is_cut_too(small_city: RunningCity) -> None:
    def dripping() -> Iterator[bytes]:
        for _ in range(30):
            yield b" " * 50_000

    answer = httpx2.post(
        f"{small_city.url}/ingest/v1/disclosures", content=dripping(), headers=bearer(small_city), timeout=60
    )
    assert answer.status_code in {413, 422}
    assert answer.headers["content-type"] == "application/problem+json"


def test_docs_are_a_page_a_viewer_and_the_documents_without_any_service(small_city: RunningCity) -> None:
    for path in ("/docs", "/docs/"):
        page = httpx2.get(f"{small_city.url}{path}")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "阳光三务 接口文档" in page.text
    for name, kind in (("page.css", "css"), ("swagger-ui.css", "css"), ("page.js", "javascript")):
        answer = httpx2.get(f"{small_city.url}/docs/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, f"text/{kind}; charset=utf-8")
    viewer = httpx2.get(f"{small_city.url}/docs/swagger-ui-bundle.js")
    assert "SwaggerUIBundle" in viewer.text
    assert viewer.headers["content-encoding"] in {"zstd", "gzip"}
    for name in ("registry", "ingest", "publish", "audit", "qr"):
        told = httpx2.get(f"{small_city.url}/docs/openapi/{name}.json").json()
        assert told["info"]["title"] == f"阳光三务 {name}"
    assert httpx2.get(f"{small_city.url}/docs/asyncapi.json").json()["asyncapi"] == "3.0.0"


def test_docs_alone_stand_in_a_sandbox_and_no_page_allows_foreign_or_inline_scripts(small_city: RunningCity) -> None:
    docs, other = (httpx2.get(f"{small_city.url}{path}").headers for path in ("/docs/", "/sign-in"))
    policy = docs["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy + other["content-security-policy"]
    assert "allow-same-origin" not in policy
    # Only from a sandbox is one's own address another's.
    assert docs["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in other
    assert "sandbox" not in other["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        *("/docs/map.md", "/docs/openapi/", "/docs/openapi/none.json", "/docs/adr/", "/docs/site/index.html"),
        *("/docs/redoc.standalone.js", "/docs/favicon.png"),
    ],
)
def test_nothing_else_of_the_two_folders_is_shown(small_city: RunningCity, path: str) -> None:
    answer = httpx2.get(f"{small_city.url}{path}")
    assert answer.status_code == 404
    assert "mermaid" not in answer.text
