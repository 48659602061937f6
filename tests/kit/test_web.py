"""HTTP: what a caller was told is true, and whatever comes in gets a problem that says what to do."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import asyncpg
import httpx2
import pytest
import pytest_asyncio

from services.kit.auth import issue_token
from tests import builders
from tests.kit.ground import Ground
from tests.kit.site import client_of, open_site, served

#: Ends the session that commits a doomed row, while it commits.
KILL_AT_COMMIT = """
CREATE FUNCTION publish.kill_doomed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.note = 'doomed' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
    RETURN NEW;
END $$;
CREATE CONSTRAINT TRIGGER kill_doomed AFTER INSERT ON publish.effect
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION publish.kill_doomed();
"""
NO_MORE = "DROP TRIGGER kill_doomed ON publish.effect; DROP FUNCTION publish.kill_doomed"


@pytest_asyncio.fixture
async def deadly(ground: Ground) -> AsyncIterator[None]:
    conn = await asyncpg.connect(ground.pg.dsn("sanwu_admin", database=ground.database))
    await conn.execute(KILL_AT_COMMIT)
    yield
    await conn.execute(NO_MORE)
    await conn.close()


@pytest_asyncio.fixture
async def client(ground: Ground) -> AsyncIterator[httpx2.AsyncClient]:
    _, app = await open_site(ground)
    async with client_of(app) as client:
        yield client


def bearer(username: str = "operator") -> dict[str, str]:
    token = issue_token(builders.SIGNING_KEY, builders.SIGNER_KID, builders.staff_id(username), builders.NOW)
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize("guarded", [True, False])
async def test_every_2xx_is_in_the_table_when_sessions_die_at_commit(
    ground: Ground, deadly: None, *, guarded: bool
) -> None:
    async with served(*await open_site(ground)) as client:
        path = "/notes" if guarded else "/late-notes"

        async def post(number: int) -> tuple[str, int]:
            body = {"id": f"d{number}", "note": "doomed" if number % 2 else "fine"}
            try:
                return body["id"], (await client.post(path, json=body, headers=bearer())).status_code
            except httpx2.TransportError:
                return body["id"], 0

        answers = dict(await asyncio.gather(*(post(n) for n in range(20))))
    kept = {name for name, _ in await ground.effects()}
    told = {name for name, status in answers.items() if 200 <= status < 300}
    assert kept == {f"d{n}" for n in range(0, 20, 2)}
    assert kept <= told
    assert (told <= kept) is guarded
    if guarded:
        assert {answers[f"d{n}"] for n in range(1, 20, 2)} == {503}


@pytest.mark.parametrize("chunked", [True, False])
async def test_body_over_one_mebibyte_is_refused_over_a_socket(ground: Ground, *, chunked: bool) -> None:
    body = json.dumps({"id": "d1", "note": "x" * (1024 * 1024)}).encode()[: 1024 * 1024 - 1] + b'"}'

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    assert len(body) == 1024 * 1024 + 1
    async with served(*await open_site(ground)) as client:
        content = pieces() if chunked else body
        answer = await client.post("/notes", content=content, headers={"content-type": "application/json", **bearer()})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        fits = body[: 1024 * 1024 - 2] + b'"}'
        assert len(fits) == 1024 * 1024
        answer = await client.post("/notes", content=fits, headers={"content-type": "application/json", **bearer()})
        assert answer.status_code == 201, answer.text


UNSTORABLE = "内容中有无法保存的字符（如空字符）或过大的数字，请修改后再提交。"
HIDDEN = "含有看不见的控制字符（{}），请把这一格清空，重新打一遍，不要粘贴"
BAD_BODIES = {
    "no JSON": (b'{"id": ', "application/json", "不是有效的 JSON"),
    "no UTF-8": (b'{"id": "\xff"}', "application/json", "无法读取，应为 UTF-8 编码的 JSON"),
    "wrong type": (b'{"id": "d1"}', "text/plain", "应为 JSON 对象（Content-Type: application/json）"),
    "no body": (b"", "application/json", "缺少这一项"),
    "a list": (b"[1]", "application/json", "应为 JSON 对象（Content-Type: application/json）"),
    "NUL": (b'{"id": "a\\u0000b"}', "application/json", HIDDEN.format("U+0000")),
    "ESC": (b'{"id": "d1", "note": "a\\u001bb"}', "application/json", HIDDEN.format("U+001B")),
    "half a pair": (b'{"id": "d1", "note": "\\ud800"}', "application/json", UNSTORABLE),
    "too large a number": (b'{"id": "d1", "number": 99999999999999999999}', "application/json", UNSTORABLE),
    "deep": (b"[" * 100_000, "application/json", "无法读取，应为 UTF-8 编码的 JSON"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_bad_body_is_a_problem_that_names_the_place(client: httpx2.AsyncClient, name: str) -> None:
    content, kind, message = BAD_BODIES[name]
    answer = await client.post("/notes", content=content, headers={"content-type": kind, **bearer()})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    assert answer.headers["x-frame-options"] == "DENY"
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_input")
    told = problem["errors"][0]["message"] if "errors" in problem else problem["detail"]
    assert told == message


async def test_unknown_address_and_method_are_problems(client: httpx2.AsyncClient) -> None:
    for answer, code in ((await client.get("/none"), "not_found"), (await client.put("/notes"), "method_not_allowed")):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == code


async def test_bug_is_a_problem_with_the_frame_around_it_and_tells_nothing(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/bug")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "a bug" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=%FF", "cursor=gICA", "cursor=" + "a" * 501]
)
async def test_bad_page_is_a_problem(client: httpx2.AsyncClient, query: str) -> None:
    answer = await client.get(f"/list?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert answer.json()["errors"][0]["at"] == "query." + query.partition("=")[0]


async def test_cursor_comes_back_as_it_was_given(client: httpx2.AsyncClient) -> None:
    first = (await client.get("/list")).json()
    assert first["items"] == [None]
    assert (await client.get("/list", params={"cursor": first["next"]})).json()["items"] == ["北"]


async def test_same_key_and_body_get_the_same_answer_once(ground: Ground, client: httpx2.AsyncClient) -> None:
    headers = {**bearer(), "idempotency-key": "key-00001"}
    answers = [await client.post("/once/a", json={"id": "d1"}, headers=headers) for _ in range(3)]
    assert {(a.status_code, a.text) for a in answers} == {(201, '{"n":1}')}
    assert [a.headers.get("idempotency-replayed") for a in answers] == [None, "true", "true"]
    assert await ground.effects() == [("d1", 1)]


async def test_same_key_with_another_body_or_place_is_refused(ground: Ground, client: httpx2.AsyncClient) -> None:
    headers = {**bearer(), "idempotency-key": "key-00001"}
    await client.post("/once/a", json={"id": "d1"}, headers=headers)
    for path, name in (("/once/a", "d2"), ("/once/b", "d1")):
        answer = await client.post(path, json={"id": name}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    other = await client.post("/once/a", json={"id": "d3"}, headers={**headers, **bearer("reviewer-210881006")})
    assert other.status_code == 201
    assert await ground.effects() == [("d1", 1), ("d3", 1)]


@pytest.mark.parametrize("guarded", [True, False])
async def test_two_requests_at_once_have_one_effect(
    ground: Ground, client: httpx2.AsyncClient, *, guarded: bool
) -> None:
    headers = {**bearer(), **({"idempotency-key": "key-00001"} if guarded else {})}
    answers = await asyncio.gather(*(client.post("/once/a", json={"id": "d1"}, headers=headers) for _ in range(3)))
    assert {a.status_code for a in answers} == {201}
    assert (await ground.effects() == [("d1", 1)]) is guarded
    assert (len({a.text for a in answers}) == 1) is guarded


async def test_failed_request_leaves_its_key_free(ground: Ground, client: httpx2.AsyncClient) -> None:
    headers = {**bearer(), "idempotency-key": "key-00001"}
    bad = await client.post("/once/a", json={"id": "d1", "note": "a\x00b"}, headers=headers)
    assert bad.status_code == 422
    good = await client.post("/once/a", json={"id": "d1", "note": "ab"}, headers=headers)
    assert good.status_code == 201, good.text
    assert await ground.effects() == [("d1", 1)]


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("clerk-210881006206", 403), ("operator", 200)])
async def test_nothing_is_kept_of_a_body_whose_sender_may_not_call_the_route(
    ground: Ground, who: str | None, status: int
) -> None:
    _, app = await open_site(ground)
    headers = [] if who is None else [(b"authorization", bearer(who)["authorization"].encode())]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/operators/a",
        "raw_path": b"/operators/a",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"content-length", b"900000"), *headers],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 1),
        "http_version": "1.1",
    }
    read, told, piece = [], [], b"x" * 900

    async def receive() -> dict[str, object]:
        read.append(1)
        return {"type": "http.request", "body": piece, "more_body": len(read) < 1000}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message)

    tracemalloc.start()
    await app(scope, receive, send)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told[0]["status"] == status
    # To its end, or a gateway would tell of a broken connection instead.
    assert len(read) == 1000
    # What may call lies in a file until somebody needs it.
    assert most < 500_000


async def test_a_form_sent_again_is_the_same_request_though_its_boundary_is_another(client: httpx2.AsyncClient) -> None:
    async def send(boundary: str, text: str) -> httpx2.Response:
        part = f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n{text}\r\n'
        kind = {"content-type": f"multipart/form-data; boundary={boundary}"}
        headers = {**bearer(), **kind, "idempotency-key": "key-of-a-form"}
        return await client.post("/once-a-form", content=f"{part}--{boundary}--\r\n".encode(), headers=headers)

    first, again = await send("aaaaaaaa", "1,2"), await send("bbbbbbbb", "1,2")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.text == again.text
    assert again.headers["idempotency-replayed"] == "true"
    assert (await send("cccccccc", "1,3")).json()["code"] == "idempotency_key_reused"


async def test_an_answer_is_kept_by_nobody_on_the_way_and_a_short_key_is_called_short(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get("/me", headers=bearer())
    assert answer.headers["cache-control"] == "no-store"
    short = await client.post("/once/a", json={"id": "d1"}, headers={**bearer(), "idempotency-key": "seven77"})
    assert short.json()["errors"][0]["message"] == "太短，至少 8 个字"
