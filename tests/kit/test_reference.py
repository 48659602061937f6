"""The copy of the reference data: complete in every process, whenever a change commits."""

from datetime import UTC, datetime, timedelta

from services.contracts.division import DivisionKind, DivisionSet
from services.kit import reference
from services.kit.reference import Reference
from tests import builders
from tests.kit.ground import Ground


def _set(code: str, name: str) -> DivisionSet:
    return DivisionSet(**builders.stamp(code), division=builders.division(code, name, DivisionKind.VILLAGE, None))


async def test_change_that_commits_late_is_seen_though_others_were_seen_before(ground: Ground) -> None:
    database = await ground.open("publish")
    copy = Reference(database)
    async with database.transaction() as long:
        await reference.project(long, _set(builders.VILLAGE, "西海村委会"))
        async with database.transaction() as short:
            await reference.project(short, _set(builders.NEIGHBOUR, "下店村委会"))
        # The clock of the machine goes on by an hour, or the long transaction takes one.
        await ground.admin("UPDATE publish.reference SET changed_at = $1", datetime.now(UTC) + timedelta(hours=1))
        await copy.refresh()
        assert set(copy.divisions) == {builders.NEIGHBOUR}
    await copy.refresh()
    assert set(copy.divisions) == {builders.NEIGHBOUR, builders.VILLAGE}


async def test_only_what_changed_is_taken_over(ground: Ground) -> None:
    database = await ground.open("publish")
    copy = Reference(database)
    for name in ("西海村委会", "西海新村委会"):
        async with database.transaction() as conn:
            await reference.project(conn, _set(builders.VILLAGE, name))
        copy.changed.clear()
        await copy.refresh()
        assert copy.changed.is_set()
        assert copy.divisions[builders.VILLAGE].now.name == name
    kept = copy.divisions[builders.VILLAGE]
    copy.changed.clear()
    await copy.refresh()
    assert not copy.changed.is_set()
    assert copy.divisions[builders.VILLAGE] is kept
