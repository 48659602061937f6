"""Every route of the five applications, pages too, asked with what no form sends: nobody ever gets an error of ours."""

import json
import random
from typing import Any, Final
from urllib.parse import quote

import httpx2
import pytest

from services.contracts.base import Role
from services.contracts.topics import SERVICES, ServiceName
from tests.house.rights import RIGHTS, Row
from tests.house.stage import INSIDE, Stage, filled

ROWS: Final = [
    pytest.param(name, row, id=f"{name} {row.route} {' '.join(row.at.values())}")
    for name in SERVICES
    for row in RIGHTS[name]
]
#: Of all that is thought of, this many a row, the same ones in every run.
TRIES: Final = 24
#: A NUL, a number beyond any column, one below zero, signs of other alphabets, a lone half of a pair, much of a thing,
#: a path upwards, markup, what a database could read as its own.
VALUES: Final = (
    "\x00",
    "a\x00b",
    "9" * 40,
    "-1",
    "٢٠٢٦-١٠",  # noqa: RUF001 - digits of another alphabet are what is sent
    "\ud800",
    "\u202e𠮷\U0010ffff",
    "x" * 3000,
    "../../etc/passwd",
    "<script>",
    "' OR 1=1 --",
    "%s{0}${x}",
    "0000-00-00",
    "2026-13",
    "NaN",
    "",
)
#: In JSON there are more kinds of things.
THINGS: Final[tuple[Any, ...]] = (*VALUES, None, True, -1, 10**30, 1e308, [], {}, [[]], {"a": {"b": [None]}}, 0.5)


def percent(text: str) -> str:
    """A value for an address; what is no Unicode goes as the bytes that it would have had."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def address(stage: Stage, row: Row, bad: dict[str, str]) -> str:
    """The route with one of its places or query's values made hostile."""
    path = row.route.partition(" ")[2]
    for place, value in row.at.items():
        path = path.replace(f"{{{place}}}", percent(bad.get(place, str(filled(stage, value)))))
    query = {name: str(filled(stage, v)) for name, v in row.sent.get("params", {}).items()}
    query |= {name: value for name, value in bad.items() if name not in row.at}
    return path + ("?" + "&".join(f"{percent(n)}={percent(v)}" for n, v in query.items()) if query else "")


def bodies(stage: Stage, row: Row) -> list[dict[str, Any]]:
    """The example's body with one field after the other made hostile, and bodies that are no such thing."""
    found: list[dict[str, Any]] = []
    json_type, form_type = {"content-type": "application/json"}, {"content-type": "application/x-www-form-urlencoded"}
    if "json" in row.sent:
        good = filled(stage, row.sent["json"])
        changed = [{**good, name: bad} for name in good for bad in THINGS]
        found += [{"content": json.dumps(b).encode(), "headers": json_type} for b in (*changed, *THINGS)]
    if "data" in row.sent:
        good = {name: str(value) for name, value in filled(stage, row.sent["data"]).items()}
        fields = list(good)[:6]
        changed = [{**good, name: bad} for name in fields for bad in VALUES]
        pairs = ["&".join(f"{percent(n)}={percent(v)}" for n, v in form.items()) for form in changed]
        found += [{"content": text.encode(), "headers": form_type} for text in pairs]
    for content in (b"", b"\x00", b"\xff\xfe{", b"[" * 5000, b'{"a":1e999999}', b"--x\r\n\r\n"):
        for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/csv", "ä"):
            found.append({"content": content, "headers": {"content-type": kind.encode("latin-1")}})
    return found


async def sent(stage: Stage, row: Row, who: str | None, url: str, request: dict[str, Any]) -> httpx2.Response:
    """One request; what it changed is put back."""
    method = row.route.partition(" ")[0].replace("MOUNT", "GET")
    headers = {**(stage.served.bearer(who) if who is not None else {}), **request.get("headers", {})}
    answer = await stage.served.client.request(method, url, headers=headers, content=request.get("content"))
    if method in {"POST", "PUT", "DELETE"} and answer.status_code < 400:
        await stage.tables.put_back()
    return answer


def wrong_with(answer: httpx2.Response, row: Row) -> str | None:
    """What an answer may not be."""
    if answer.status_code >= 500:
        return f"{answer.status_code} {answer.text[:300]}"
    kind = answer.headers.get("content-type", "")
    is_api = "/v1/" in row.route
    if answer.status_code >= 400 and is_api and (kind != "application/problem+json" or not answer.json()["code"]):
        return f"{answer.status_code} as {kind}"
    return None


@pytest.mark.parametrize(("name", "row"), ROWS)
async def test_no_request_makes_an_error_of_ours(stages: dict[ServiceName, Stage], name: ServiceName, row: Row) -> None:
    stage, found = stages[name], []
    who = INSIDE[next((r for r in Role if r in row.who), Role.CLERK)]
    names = [*row.at, *row.sent.get("params", {}), "cursor", "limit", "village", "after", "month", "next"]
    tries: list[tuple[str, dict[str, Any]]] = [
        (address(stage, row, {n: bad}), {}) for n in dict.fromkeys(names) for bad in VALUES
    ]
    if row.route.startswith(("POST", "PUT")):
        good = address(stage, row, {})
        tries += [(good, request) for request in bodies(stage, row)]
    for url, request in random.Random(f"{row.route} {dict(row.at)}").sample(tries, min(len(tries), TRIES)):  # noqa: S311 - the same ones in every run
        answer = await sent(stage, row, who, url, request)
        if (problem := wrong_with(answer, row)) is not None:
            found.append((url[:200], str(request.get("content", b"")[:120]), request.get("headers"), problem))
    assert found == []
