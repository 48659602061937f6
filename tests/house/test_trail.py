"""Every changing route leaves a row that names its thing and its village; so do looks at content, and refusals of whom we know."""

import re
from typing import Any, Final

import httpx2
import pytest

from services.contracts.base import Role
from services.contracts.topics import SERVICES, ServiceName
from services.kit.noted import REFUSALS_A_MINUTE
from tests.builders import VILLAGE, staff_id
from tests.house.rights import RIGHTS, Row
from tests.house.stage import INSIDE, OUTSIDE, Stage, filled
from tests.house.test_rights import EXPORTED, ask

THING: Final = re.compile(r"[a-z]+/[^/\s]+")
HANDED_OUT: Final = {(name, route) for name, route, _, _ in EXPORTED}
#: Change nothing: they only tell.
TELLING: Final = {"POST /registry/v1/catalogue/check", "POST /sign-out", "POST /registry/sign-out"}
#: Of the whole city, or of nobody's village.
OF_NO_VILLAGE: Final = ("/calendar", "/catalogue", "/profiles", "/imports", "/import", "/sign-in")
_OWN: Final = ("/account", "/sign-in")


def changing(name: ServiceName) -> list[Row]:
    """Examples of every route that changes something or hands something out."""
    return [
        row
        for row in RIGHTS[name]
        if row.works
        and row.route not in TELLING
        and (row.route.partition(" ")[0] in {"POST", "PUT", "DELETE"} or (name, row.route) in HANDED_OUT)
    ]


CASES: Final = [
    pytest.param(name, row, id=f"{name} {row.route} {' '.join(row.at.values())}")
    for name in SERVICES
    for row in changing(name)
    # Publish changes things for villagers alone, who leave no trail.
    if name != "publish"
]


async def rows_of(stage: Stage, after: int) -> list[dict[str, Any]]:
    """Rows of the trail that came behind one."""
    async with stage.served.runtime.database.connection() as conn:
        return [dict(r.items()) for r in await conn.fetch("SELECT * FROM action WHERE id > $1 ORDER BY id", after)]


async def last_of(stage: Stage) -> int:
    """Where the trail ends now."""
    async with stage.served.runtime.database.connection() as conn:
        return int(await conn.fetchval("SELECT coalesce(max(id), 0) FROM action"))


@pytest.mark.parametrize(("name", "row"), CASES)
async def test_every_changing_route_names_its_thing_its_village_and_the_address(
    gate: httpx2.AsyncClient, stages: dict[ServiceName, Stage], name: ServiceName, row: Row
) -> None:
    stage, before = stages[name], await last_of(stages[name])
    who = next((INSIDE[role] for role in INSIDE if role in row.who), None)
    assert await ask(gate, stage, row, who) < 400
    rows = await rows_of(stage, before)
    assert rows != []
    elsewhere = any(part in row.route for part in _OWN) or row.at.get("username") == "inspector-target"
    for r in rows:
        assert THING.fullmatch(r["object"] or ""), r
        assert r["object"].partition("/")[0] != "key", r
        assert r["address"] == "127.0.0.1", r
        if name in {"ingest", "qr"} or not (elsewhere or any(part in row.route for part in OF_NO_VILLAGE)):
            assert r["village_code"] == VILLAGE, r


LOOKS: Final = [
    ("GET /ingest/v1/disclosures/{disclosure_id}", {}),
    ("GET /ingest/v1/disclosures/{disclosure_id}/difference", {"with": "previous"}),
    ("GET /desk/disclosures/{disclosure_id}", {}),
]


@pytest.mark.parametrize(("route", "params"), LOOKS)
async def test_who_looks_at_content_that_others_entered_has_one_row_an_hour(
    stages: dict[ServiceName, Stage], route: str, params: dict[str, str]
) -> None:
    stage = stages["ingest"]
    stage.served.clock.advance(hours=1)
    path = route.removeprefix("GET ").replace("{disclosure_id}", str(stage.things["submitted"]))
    before = await last_of(stage)
    for who in (INSIDE[Role.OPERATOR], INSIDE[Role.OPERATOR], INSIDE[Role.CLERK]):
        answer = await stage.served.client.get(path, params=params, headers=stage.served.bearer(who))
        assert answer.status_code == 200, answer.text
    seen = [(r["action"], r["actor_id"], r["object"], r["village_code"]) for r in await rows_of(stage, before)]
    thing = f"disclosure/{stage.things['submitted']}"
    # The clerk entered it.
    assert seen == [(route, staff_id(INSIDE[Role.OPERATOR]), thing, VILLAGE)]
    stage.served.clock.advance(hours=1)
    await stage.served.client.get(path, params=params, headers=stage.served.bearer(INSIDE[Role.OPERATOR]))
    assert len(await rows_of(stage, before)) == 2


async def test_who_is_refused_is_in_the_trail_with_what_they_wanted_and_strangers_are_not(
    stages: dict[ServiceName, Stage],
) -> None:
    stage = stages["ingest"]
    before, thing = await last_of(stage), stage.things["confirmed"]
    path = f"/ingest/v1/disclosures/{thing}"
    for who, status in ((OUTSIDE[Role.REVIEWER][0], 403), (INSIDE[Role.CLERK], 403)):
        answer = await stage.served.client.post(
            f"{path}/approve", json={"version": 1}, headers=stage.served.bearer(who)
        )
        assert answer.status_code == status, answer.text
    assert (await stage.served.client.post(f"{path}/approve", json={"version": 1})).status_code == 401
    bad = {"authorization": "Bearer nonsense"}
    assert (await stage.served.client.post(f"{path}/approve", json={"version": 1}, headers=bad)).status_code == 401
    rows = await rows_of(stage, before)
    assert [(r["actor_id"], r["action"], r["object"], r["refused"]) for r in rows] == [
        (
            staff_id(OUTSIDE[Role.REVIEWER][0]),
            "POST /ingest/v1/disclosures/{disclosure_id}/approve",
            f"disclosure/{thing}",
            "forbidden",
        ),
        (staff_id(INSIDE[Role.CLERK]), "POST /ingest/v1/disclosures/{disclosure_id}/approve", None, "forbidden"),
    ]
    assert rows[0]["village_code"] == VILLAGE


async def test_second_eyes_that_are_the_same_are_in_the_trail(stages: dict[ServiceName, Stage]) -> None:
    stage = stages["ingest"]
    before, thing = await last_of(stage), stage.things["hidden"]
    async with stage.served.runtime.database.transaction() as conn:
        reviewer = staff_id(INSIDE[Role.REVIEWER])
        await conn.execute("UPDATE disclosure SET withdrawn_by = $2 WHERE id = $1::uuid", thing, reviewer)
    path, headers = f"/ingest/v1/disclosures/{thing}/erase", stage.served.bearer(INSIDE[Role.REVIEWER])
    answer = await stage.served.client.post(path, json={"version": 1}, headers=headers)
    await stage.tables.put_back()
    assert answer.json()["code"] == "second_person"
    told = [(r["object"], r["village_code"], r["refused"]) for r in await rows_of(stage, before)]
    assert told == [(f"disclosure/{thing}", VILLAGE, "second_person")]


async def test_ten_thousand_refusals_do_not_fill_the_trail(stages: dict[ServiceName, Stage]) -> None:
    stage = stages["ingest"]
    stage.served.clock.advance(minutes=1)
    before, runtime = await last_of(stage), stage.served.runtime
    path, headers = "/ingest/v1/approvals", stage.served.bearer(INSIDE[Role.CLERK])
    tries = 200
    for _ in range(tries):
        assert (await stage.served.client.post(path, json=filled(stage, {}), headers=headers)).status_code == 403
    assert len(await rows_of(stage, before)) == REFUSALS_A_MINUTE
    await runtime.noted.flush(runtime.database, runtime.clock.now())
    assert len(await rows_of(stage, before)) == REFUSALS_A_MINUTE
    stage.served.clock.advance(minutes=1)
    await runtime.noted.flush(runtime.database, runtime.clock.now())
    *_, last = await rows_of(stage, before)
    assert (last["action"], last["refused"], last["times"]) == ("refused again", "forbidden", tries - REFUSALS_A_MINUTE)
    assert last["actor_id"] == staff_id(INSIDE[Role.CLERK])


async def test_what_is_answered_again_names_the_request_and_no_thing(stages: dict[ServiceName, Stage]) -> None:
    stage = stages["ingest"]
    headers = {**stage.served.bearer(INSIDE[Role.CLERK]), "idempotency-key": "once-and-again"}
    path = f"/ingest/v1/disclosures/{stage.things['draft']}/submit"
    before = await last_of(stage)
    await stage.served.client.post(path, json={"version": 1}, headers=headers)
    repeated = await stage.served.client.post(path, json={"version": 1}, headers=headers)
    await stage.tables.put_back()
    assert repeated.headers["idempotency-replayed"] == "true"
    done, again = await rows_of(stage, before)
    assert done["object"] == f"disclosure/{stage.things['draft']}"
    assert re.fullmatch("request/[0-9a-f]{16}", again["object"])


async def test_a_refusal_of_strange_words_is_still_a_refusal(stages: dict[ServiceName, Stage]) -> None:
    stage = stages["registry"]
    headers = stage.served.bearer(OUTSIDE[Role.OPERATOR][0])
    for code in ("a%00b", "x" * 3000):
        answer = await stage.served.client.put(
            f"/registry/v1/profiles/{code}", json={"source": "test"}, headers=headers
        )
        assert answer.status_code in {403, 422}, answer.text
