"""The trail: what is written, what is not, and that nobody can change, remove or reorder a row unseen."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.kit import actions, trail
from services.kit.auth import issue_token
from services.kit.db import Connection
from services.kit.errors import ConflictError
from services.kit.runtime import AnyRuntime
from services.kit.visit import EXPORTS
from tests import builders
from tests.kit.ground import Ground
from tests.kit.site import ChangingDep, client_of, open_site

WHO = actions.Who("s-1", "clerk", builders.VILLAGE)


@dataclass(frozen=True, slots=True)
class Site:
    runtime: AnyRuntime
    client: httpx2.AsyncClient
    ground: Ground

    def bearer(self, username: str) -> dict[str, str]:
        person = builders.staff_id(username)
        token = issue_token(builders.SIGNING_KEY, builders.SIGNER_KID, person, self.ground.clock.now())
        return {"authorization": f"Bearer {token}"}

    async def fill(self, count: int, start: int = 0, since: datetime = builders.NOW) -> None:
        """Actions a minute apart, chained."""
        async with self.runtime.database.transaction() as conn:
            for n in range(start, start + count):
                at = since + timedelta(minutes=n)
                await actions.record(conn, WHO, f"POST /made/{n}", at, actions.Subject(f"thing/{n}", builders.VILLAGE))
        await trail.link(self.runtime)

    async def broken(self, noted: actions.Head | None = None) -> actions.Broken | None:
        return (await trail.verify(self.runtime, [noted] if noted is not None else []))[1]

    async def rows(self) -> list[tuple[str, str | None, str | None]]:
        found = await self.ground.admin("SELECT action, object, village_code FROM publish_trail.action ORDER BY id")
        return [(r["action"], r["object"], r["village_code"]) for r in found]

    async def tamper(self, statement: str) -> None:
        await self.ground.admin(statement)


def _add_routes(app: FastAPI) -> None:
    @app.post("/things/{village}/{thing}")
    async def do(village: str, thing: str, visit: ChangingDep) -> None:
        actions.about(f"thing/{thing}", village)
        actions.about("key/of-the-thing")

    @app.post("/failing")
    async def fail(visit: ChangingDep) -> None:
        raise ConflictError

    @app.get("/look")
    async def look(visit: ChangingDep) -> None:
        await visit.conn.execute("SELECT 1")

    @app.get("/file", dependencies=[EXPORTS])
    async def export(visit: ChangingDep) -> None:
        await visit.conn.execute("SELECT 1")

    @app.post("/lost")
    async def lose(visit: ChangingDep) -> None:
        # The commit that follows must fail: the row of the trail then goes with it.
        await visit.conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest_asyncio.fixture
async def site(ground: Ground) -> AsyncIterator[Site]:
    runtime, app = await open_site(ground)
    await ground.admin("TRUNCATE publish_trail.action RESTART IDENTITY")
    zero = "decode(repeat('00', 32), 'hex')"
    await ground.admin(
        f"UPDATE publish_trail.action_chain SET anchor_position = 0, head_position = 0, anchor_link = {zero}, head_link = {zero}"
    )
    _add_routes(app)
    app.include_router(trail.trail_router("ingest"))
    async with client_of(app) as client:
        yield Site(runtime, client, ground)


async def test_a_committed_action_is_in_the_trail_with_its_template_and_place(site: Site) -> None:
    path = f"/things/{builders.VILLAGE}/7"
    assert (await site.client.post(path, headers=site.bearer("clerk-210881006206"))).status_code == 200
    assert await site.rows() == [
        ("POST /things/{village}/{thing}", "thing/7", builders.VILLAGE),
    ]


async def test_what_failed_or_only_read_or_had_no_actor_is_not_in_the_trail(site: Site) -> None:
    clerk = site.bearer("clerk-210881006206")
    assert (await site.client.post("/failing", headers=clerk)).status_code == 409
    assert (await site.client.get("/look", headers=clerk)).status_code == 200
    assert (await site.client.post("/things/x/1")).status_code == 401
    assert await site.rows() == []


async def test_an_action_whose_transaction_is_lost_is_not_in_the_trail(site: Site) -> None:
    assert (await site.client.post("/lost", headers=site.bearer("operator"))).status_code == 503
    assert await site.rows() == []


async def test_a_file_handed_out_is_in_the_trail(site: Site) -> None:
    await site.client.get("/file", headers=site.bearer("operator"))
    assert await site.rows() == [("GET /file", None, None)]


async def test_chain_of_many_rows_is_whole(site: Site) -> None:
    await site.fill(5)
    await site.fill(4500, start=5)
    assert await site.broken() is None
    chain, _ = await trail.verify(site.runtime)
    assert chain.head_position == 4505


TAMPERED = {
    "changed word": ("UPDATE publish_trail.action SET action = 'GET /' WHERE position = 4", 4),
    "changed actor": ("UPDATE publish_trail.action SET actor_id = 's-2' WHERE position = 2", 2),
    "actor taken away": ("UPDATE publish_trail.action SET actor_id = NULL WHERE position = 2", 2),
    "changed time": (
        "UPDATE publish_trail.action SET happened_at = happened_at + interval '1 microsecond' WHERE position = 6",
        6,
    ),
    "changed village": ("UPDATE publish_trail.action SET village_code = '210881006208' WHERE position = 1", 1),
    "fields moved": (
        "UPDATE publish_trail.action SET object = village_code, village_code = object WHERE position = 3",
        3,
    ),
    "changed link": ("UPDATE publish_trail.action SET link = sha256('x') WHERE position = 5", 5),
    "first removed": ("DELETE FROM publish_trail.action WHERE position = 1", 1),
    "one removed": ("DELETE FROM publish_trail.action WHERE position = 3", 3),
    "last removed": ("DELETE FROM publish_trail.action WHERE position = 6", 6),
    "all removed": ("DELETE FROM publish_trail.action", 1),
    "removed and closed up": (
        (
            "DELETE FROM publish_trail.action WHERE position = 2; "
            "UPDATE publish_trail.action SET position = position + 100 WHERE position > 2; "
            "UPDATE publish_trail.action SET position = position - 101 WHERE position > 100"
        ),
        2,
    ),
    "reordered": (
        (
            "UPDATE publish_trail.action SET position = 99 WHERE position = 2; "
            "UPDATE publish_trail.action SET position = 2 WHERE position = 5; "
            "UPDATE publish_trail.action SET position = 5 WHERE position = 99"
        ),
        2,
    ),
    "one put in at the end": (
        "INSERT INTO publish_trail.action (happened_at, action, request_id, position, link) VALUES (now(), 'x', '', 7, '\\x00')",
        7,
    ),
    "unlinked again": ("UPDATE publish_trail.action SET position = NULL, link = NULL WHERE position = 4", 4),
}


@pytest.mark.parametrize("name", TAMPERED)
async def test_tampering_is_found_at_its_place(site: Site, name: str) -> None:
    statement, position = TAMPERED[name]
    await site.fill(6)
    for part in statement.split("; "):
        await site.tamper(part)
    broken = await site.broken()
    assert broken is not None
    assert broken.position == position


async def test_a_chain_written_anew_throughout_is_found_by_a_head_that_was_noted(site: Site) -> None:
    await site.fill(6)
    chain, _ = await trail.verify(site.runtime)
    noted = actions.Head(chain.head_position, chain.head_link)
    zero = "decode(repeat('00', 32), 'hex')"
    await site.tamper("UPDATE publish_trail.action SET action = 'GET /', position = NULL, link = NULL")
    await site.tamper(f"UPDATE publish_trail.action_chain SET head_position = 0, head_link = {zero}")
    await trail.link(site.runtime)
    assert await site.broken() is None
    assert await site.broken(noted) == actions.Broken(
        1, "the chain does not go through the head 6 (noted); it was rewritten somewhere from 1 on, behind 0 (noted)"
    )
    behind = await site.broken(actions.Head(7, b""))
    assert behind is not None
    assert "the chain ends at 6, before the head 7" in behind.why


HOSTILE = (
    '"quoted" and \\ back', "line\nbreak\ttab\r\b\f", "\x01\x1f\x7f", "村务公开", "𠮷 and 👍", "", "\u2028\u202e", "null", "</script>",
)  # fmt: skip


async def test_the_database_links_what_python_reads_whatever_it_says(site: Site) -> None:
    async with site.runtime.database.transaction() as conn:
        for n, text in enumerate(HOSTILE):
            at = builders.NOW + timedelta(microseconds=n * 1_001)
            who = actions.Who(text or None, text, None)
            outcome = actions.Outcome(text, n) if n % 2 else None
            await actions.record(conn, who, text, at, actions.Subject(text, None, text or None), outcome)
    await trail.link(site.runtime)
    chain, broken = await trail.verify(site.runtime)
    assert (chain.head_position, broken) == (len(HOSTILE), None)


FORBIDDEN = (
    "UPDATE action SET action = 'GET /' WHERE position = 1",
    "UPDATE action SET object = 'thing/0'",
    "DELETE FROM action",
    "TRUNCATE action",
    "DROP TABLE action",
    "ALTER TABLE action DISABLE TRIGGER ALL",
    "ALTER TABLE action DROP COLUMN link",
    "ALTER TABLE action OWNER TO publish",
    "ALTER TABLE action RENAME TO another",
    "UPDATE action_chain SET head_position = 0",
    "DELETE FROM action_chain",
    "INSERT INTO action_chain VALUES (false, 0, '', 0, '')",
    "DROP SCHEMA publish_trail CASCADE",
    "ALTER SCHEMA publish_trail RENAME TO another",
    "CREATE TABLE publish_trail.other (n int)",
    "CREATE TRIGGER t BEFORE INSERT ON action FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE r AS ON INSERT TO action DO INSTEAD NOTHING",
    "CREATE OR REPLACE FUNCTION publish_trail.link_actions(integer) RETURNS integer LANGUAGE sql AS 'SELECT 0'",
    "DROP FUNCTION publish_trail.link_actions",
    "SET ROLE trail",
    "INSERT INTO action (happened_at, action, request_id, position, link) VALUES (now(), 'x', '', 7, 'x')",
    "INSERT INTO action (id, happened_at, action, request_id) OVERRIDING SYSTEM VALUE VALUES (1, now(), 'x', '')",
    "SELECT link_of(''::bytea, 1, a) FROM action a",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_a_services_own_role_cannot_touch_what_is_written(site: Site, statement: str) -> None:
    await site.fill(3)
    service = await asyncpg.connect(site.ground.settings("publish").database_url.get_secret_value())
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(statement)
    await service.close()
    assert (await trail.verify(site.runtime))[1] is None
    assert len(await site.rows()) == 3


async def test_a_trail_that_a_service_put_before_its_own_is_not_taken_for_it(site: Site) -> None:
    await site.fill(2)
    service = await asyncpg.connect(site.ground.settings("publish").database_url.get_secret_value())
    await service.execute("CREATE TABLE publish.action AS TABLE action")
    try:
        broken = await site.broken()
        assert broken is not None
        assert "not the trail" in broken.why
    finally:
        await service.execute("DROP TABLE publish.action")
        await service.close()


async def test_functions_that_a_service_put_before_the_trails_own_are_not_asked(site: Site) -> None:
    await site.fill(2)
    service = await asyncpg.connect(site.ground.settings("publish").database_url.get_secret_value())
    made = ("hold_chain()", "link_actions(most integer)", "prune_actions(before timestamptz, most integer)")
    returned = ("SETOF action_chain", "integer", "bigint")
    for name, kind in zip(made, returned, strict=True):
        body = "SELECT * FROM action_chain WHERE false" if kind.startswith("SETOF") else "SELECT 0"
        await service.execute(f"CREATE FUNCTION publish.{name} RETURNS {kind} LANGUAGE sql AS '{body}'")
    try:
        await site.fill(3, start=2)
        chain, broken = await trail.verify(site.runtime)
        assert (chain.head_position, broken) == (5, None)
        await site.tamper("UPDATE publish_trail.action SET action = 'other' WHERE position = 4")
        assert await site.broken() == actions.Broken(4, "the row or its place was changed")
    finally:
        for name in made:
            await service.execute(f"DROP FUNCTION publish.{name.replace('before ', '').replace('most ', '')}")
        await service.close()


async def test_a_row_committed_late_gets_its_place_behind_and_is_not_passed_over(site: Site) -> None:
    slow = await asyncpg.connect(site.ground.settings("publish").database_url.get_secret_value())
    late = slow.transaction()
    await late.start()
    await slow.execute("INSERT INTO action (happened_at, action, request_id) VALUES (now(), 'late', '')")
    await site.fill(3)
    await late.commit()
    await slow.close()
    await trail.link(site.runtime)
    found = await site.ground.admin("SELECT action, position, id FROM publish_trail.action ORDER BY position")
    assert [(r["action"], r["position"]) for r in found][3] == ("late", 4)
    assert found[3]["id"] < found[0]["id"]
    assert await site.broken() is None


#: Long enough ago that rows may go: the database looks at the clock on the wall.
LONG_AGO = builders.NOW - timedelta(days=400)


async def _pruned(site: Site, **before: float) -> int:
    async with site.runtime.database.transaction() as conn:
        return await actions.prune(conn, site.runtime.service, LONG_AGO + timedelta(**before))


async def test_old_rows_go_and_the_rest_still_verifies(site: Site) -> None:
    await site.fill(10, since=LONG_AGO)
    assert await _pruned(site, minutes=4) == 4
    assert len(await site.rows()) == 6
    assert await site.broken() is None
    await site.tamper("DELETE FROM publish_trail.action WHERE position = 5")
    assert await site.broken() == actions.Broken(5, "a row is missing")


async def test_one_younger_row_keeps_all_behind_it(site: Site) -> None:
    await site.fill(3, since=LONG_AGO)
    await site.fill(2, start=-600, since=LONG_AGO)
    assert await _pruned(site, minutes=-300) == 0
    assert len(await site.rows()) == 5


async def test_nothing_is_removed_from_a_broken_trail_nor_before_it_is_chained(site: Site) -> None:
    await site.fill(5, since=LONG_AGO)
    async with site.runtime.database.transaction() as conn:
        await actions.record(conn, WHO, "pending", LONG_AGO - timedelta(days=500))
    await site.tamper("UPDATE publish_trail.action SET action = 'x' WHERE position = 5")
    assert await _pruned(site, days=1) == 0
    assert len(await site.rows()) == 6


async def test_rows_of_the_last_half_year_stay_whatever_the_service_asks_for(site: Site) -> None:
    await site.fill(3)
    assert await _pruned(site, days=9999) == 0
    assert len(await site.rows()) == 3


async def test_the_job_keeps_what_its_setting_says_and_removes_batch_by_batch(site: Site) -> None:
    await site.fill(actions.BATCH + 5, since=LONG_AGO)
    site.ground.clock.at = LONG_AGO + timedelta(days=184, minutes=actions.BATCH + 4, seconds=-30)
    await trail.prune(site.runtime)
    assert [action for action, _, _ in await site.rows()] == [f"POST /made/{actions.BATCH + 4}"]


async def test_emptied_trail_goes_on_from_its_anchor(site: Site) -> None:
    await site.fill(3, since=LONG_AGO)
    assert await _pruned(site, days=1) == 3
    await site.fill(2, start=9)
    chain, broken = await trail.verify(site.runtime)
    assert (chain.anchor_position, chain.head_position, broken) == (3, 5, None)


async def _asked(site: Site, username: str, query: str = "") -> tuple[int, list[str]]:
    answer = await site.client.get(f"/ingest/v1/actions{query}", headers=site.bearer(username))
    return answer.status_code, [i["action"] for i in answer.json().get("items", [])]


async def _at(conn: Connection, village: str | None, scope: str, word: str) -> None:
    who = actions.Who(builders.staff_id("clerk-210881006206"), "clerk", scope)
    await actions.record(conn, who, word, builders.NOW, actions.Subject(f"thing/{word}", village))


async def test_each_sees_the_trail_of_their_part_of_the_tree(site: Site) -> None:
    async with site.runtime.database.transaction() as conn:
        await _at(conn, builders.VILLAGE, builders.VILLAGE, "near")
        await _at(conn, builders.FAR_VILLAGE, builders.CITY, "far")
        await _at(conn, None, builders.TOWNSHIP, "township")
        await _at(conn, None, builders.CITY, "city")
    assert await _asked(site, "operator") == (200, ["city", "township", "far", "near"])
    assert await _asked(site, "inspector-210881") == (200, ["city", "township", "far", "near"])
    assert await _asked(site, "inspector-210881006") == (200, ["township", "near"])
    assert await _asked(site, "reviewer-210881006") == (403, [])
    assert await _asked(site, "clerk-210881006206") == (403, [])


async def test_filters_by_person_thing_and_time(site: Site) -> None:
    await site.fill(4)
    async with site.runtime.database.transaction() as conn:
        await _at(conn, builders.VILLAGE, builders.VILLAGE, "near")
    assert await _asked(site, "operator", "?actor=clerk-210881006206") == (200, ["near"])
    assert await _asked(site, "operator", "?actor=nobody") == (200, [])
    assert await _asked(site, "operator", "?object=thing/2") == (200, ["POST /made/2"])
    since = (builders.NOW + timedelta(minutes=3)).isoformat().replace("+", "%2B")
    assert await _asked(site, "operator", f"?since={since}") == (200, ["POST /made/3"])
    assert await _asked(site, "operator", f"?until={since}&limit=1") == (200, ["near"])


@pytest.mark.parametrize(
    "query",
    ["?since=yesterday", "?since=2026-11-24T10:00:00", "?until=x", "?cursor=abc", "?cursor=LTU=", "?limit=0",
     "?cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "?actor=", "?object=" + "x" * 3000],
)  # fmt: skip
async def test_a_wrong_question_is_refused(site: Site, query: str) -> None:
    assert (await _asked(site, "operator", query))[0] == 422


async def test_pages_of_the_trail_join_without_gap(site: Site) -> None:
    await site.fill(5)
    first = await site.client.get("/ingest/v1/actions?limit=3", headers=site.bearer("operator"))
    rest = await site.client.get(f"/ingest/v1/actions?cursor={first.json()['next']}", headers=site.bearer("operator"))
    seen = [i["action"] for i in (*first.json()["items"], *rest.json()["items"])]
    assert seen == [f"POST /made/{n}" for n in (4, 3, 2, 1, 0)]
    assert rest.json()["next"] is None


async def test_pages_of_a_part_of_the_tree_join_across_its_divisions_newest_first(site: Site) -> None:
    async with site.runtime.database.transaction() as conn:
        for n in range(6):
            await _at(conn, (builders.VILLAGE, builders.NEIGHBOUR, builders.FAR_VILLAGE)[n % 3], builders.CITY, f"a{n}")
        await _at(conn, None, builders.TOWNSHIP, "township")
    seen: list[str] = []
    cursor = ""
    while True:
        path = f"/ingest/v1/actions?limit=2{cursor}"
        answer = (await site.client.get(path, headers=site.bearer("inspector-210881006"))).json()
        seen += [i["action"] for i in answer["items"]]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert seen == ["township", "a4", "a3", "a1", "a0"]
    assert await _asked(site, "inspector-210881006", "?object=thing/a2") == (200, [])
    assert await _asked(site, "inspector-210881006", "?object=thing/a4") == (200, ["a4"])
    since = (builders.NOW + timedelta(minutes=1)).isoformat().replace("+", "%2B")
    assert await _asked(site, "inspector-210881006", f"?since={since}") == (200, [])
