"""The catalogue file and deadline profiles by API: checked first, taken whole, by operators of the whole city alone."""

from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.conftest import Served, ServiceFactory

STARTER = (Path(__file__).resolve().parents[2] / "deploy/data/catalogue.csv").read_bytes()
PROFILE = {"supervisors_needed": 2, "supervisors_total": 3, "release": "file", "source": "盖政发〔2026〕1号"}


@pytest_asyncio.fixture
async def registry(service: ServiceFactory) -> Served:
    return await service("registry")


async def call(served: Served, method: str, path: str, who: str = "operator", **rest: Any) -> Any:
    answer = await served.client.request(method, f"/registry/v1{path}", headers=served.bearer(who), **rest)
    await served.runtime.reference.refresh()
    return answer


async def test_the_file_in_force_differs_in_nothing(registry: Served) -> None:
    checked = (await call(registry, "POST", "/catalogue/check", content=STARTER)).json()
    assert (checked["items"], checked["differences"], checked["absent"]) == (37, [], [])
    assert (await call(registry, "POST", "/catalogue/apply", content=STARTER)).json() == {"changed": 0}


async def test_a_difference_is_told_first_and_then_taken_with_its_history(registry: Served) -> None:
    other = STARTER.replace(b"month:15", b"month:20", 1)
    checked = (await call(registry, "POST", "/catalogue/check", content=other)).json()
    (difference,) = checked["differences"]
    assert (difference["field"], difference["before"], difference["after"]) == ("due", "month:15", "month:20")
    assert not await registry.said("item.set.v1")
    assert (await call(registry, "POST", "/catalogue/apply", content=other)).json() == {"changed": 1}
    item = registry.runtime.reference.items[difference["item"]]
    assert [(r.due, str(r.until)) for r in item.revisions] == [("month:15", "2026-11-24"), ("month:20", "None")]
    back = await call(registry, "POST", "/catalogue/apply", content=STARTER)
    assert back.json() == {"changed": 1}
    assert [r.due for r in registry.runtime.reference.items[difference["item"]].revisions] == ["month:15", "month:15"]


async def test_one_fault_and_nothing_is_taken(registry: Served) -> None:
    faulty = STARTER.replace(b"month:15", b"month:99", 1)
    for step in ("check", "apply"):
        refused = await call(registry, "POST", f"/catalogue/{step}", content=faulty)
        (fault,) = refused.json()["errors"]
        assert (refused.status_code, fault["at"].endswith(", due")) == (422, True)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"PK\x03\x04", b"code,name\nF01,x\n", "代码\n".encode("gb18030")])
async def test_what_is_no_catalogue_is_refused(registry: Served, data: bytes) -> None:
    assert (await call(registry, "POST", "/catalogue/apply", content=data)).status_code == 422


async def test_too_large_a_file_is_refused(registry: Served) -> None:
    assert (await call(registry, "POST", "/catalogue/check", content=b"x" * 1_100_000)).status_code == 413


@pytest.mark.parametrize("who", ["clerk-210881006206", "reviewer-210881006", "inspector-210881"])
async def test_nobody_but_an_operator_touches_them(registry: Served, who: str) -> None:
    answers = [
        await call(registry, "POST", "/catalogue/check", who, content=STARTER),
        await call(registry, "POST", "/catalogue/apply", who, content=STARTER),
        await call(registry, "PUT", "/profiles/default", who, json=PROFILE),
    ]
    assert [a.status_code for a in answers] == [403, 403, 403]
    assert (await call(registry, "GET", "/profiles/default", who)).status_code == 200


async def test_a_profile_is_stated_from_today_and_keeps_its_history(registry: Served) -> None:
    stated = (await call(registry, "PUT", "/profiles/default", json=PROFILE)).json()
    assert [r["since"] for r in stated["revisions"]] == ["2026-01-01", "2026-11-24"]
    assert (stated["revisions"][0]["until"], stated["revisions"][1]["release"]) == ("2026-11-24", "file")
    said = len(await registry.said("profile.set.v1"))
    await call(registry, "PUT", "/profiles/default", json=PROFILE)
    assert len(await registry.said("profile.set.v1")) == said
    again = (await call(registry, "PUT", "/profiles/default", json={**PROFILE, "release": "approve"})).json()
    assert [r["release"] for r in again["revisions"]] == ["approve", "approve"]
    made = await call(registry, "PUT", "/profiles/pilot", json=PROFILE)
    assert (made.status_code, len(made.json()["revisions"])) == (200, 1)
    listed = (await call(registry, "GET", "/profiles")).json()["items"]
    assert [p["code"] for p in listed] == ["default", "pilot"]


@pytest.mark.parametrize(
    "change",
    [
        {"supervisors_needed": 4},
        {"supervisors_total": 9},
        {"release": "never"},
        {"source": ""},
        {"source": None},
        {"since": "2026-01-01"},
        {"until": "2026-12-31"},
        {"due_by_frequency": {"monthly": "quarter:15"}},
        {"due_by_frequency": {"weekly": "month:1"}},
        {"declaration_due": "month:15"},
        {"delivered_by_agency": ["X99"]},
        {"review_working_days": 0},
        {"unknown": 1},
    ],
)
async def test_a_wrong_profile_is_refused(registry: Served, change: dict[str, Any]) -> None:
    assert (await call(registry, "PUT", "/profiles/default", json={**PROFILE, **change})).status_code == 422


async def test_an_unknown_or_misnamed_profile(registry: Served) -> None:
    assert (await call(registry, "GET", "/profiles/nowhere")).status_code == 404
    assert (await call(registry, "PUT", "/profiles/No%20Way", json=PROFILE)).status_code == 422
