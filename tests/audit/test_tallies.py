"""What is counted from memory is what is found anew at the same moment, whatever was heard, whoever heard it, whatever the day."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio

from services.audit.grid import grid_cells, tallies_of
from services.audit.jobs import Watch
from services.audit.memory import Tallies
from services.audit.rules.grid import Stretch, Tally, cell_key
from services.audit.store import alerts
from services.audit.visit import Bench
from services.contracts.base import Event
from services.contracts.disclosure import DeclarationConfirmed, DeclaredItem, WaiverGranted
from services.contracts.division import Division, DivisionKind, DivisionSet
from services.contracts.duties import CellState
from services.kit import reference
from tests import builders
from tests.audit.conftest import emptied
from tests.audit.events import Disclosure, at, give_keys, ledger
from tests.audit.test_replay import story
from tests.builders import FAR_VILLAGE, NEIGHBOUR, NOW, OTHER_TOWNSHIP, VILLAGE, stamp
from tests.conftest import Served, ServiceFactory

#: Item and state.
_Place = tuple[str, CellState]

VILLAGES = (VILLAGE, NEIGHBOUR, FAR_VILLAGE)
STRETCHES = (
    Stretch.around("2026-10"),
    Stretch.around("2026-09"),
    Stretch.exactly("2026"),
    Stretch.exactly("2026-10"),
    Stretch.exactly("2026Q3"),
    Stretch.exactly("2026-09-10"),
)
EARLIEST = datetime(2026, 9, 1, tzinfo=UTC)


@pytest_asyncio.fixture
async def city(service: ServiceFactory, admin: asyncpg.Connection) -> Served:
    """Audit that watches the whole catalogue."""
    served = await emptied(await service("audit"), admin)
    served.clock.at = NOW
    return served


def bench_of(served: Served) -> Bench:
    return Bench(served.runtime.reference, served.runtime.settings, served.clock.now())


async def remembered(served: Served, stretch: Stretch, memory: Tallies | None = None) -> dict[str, set[Tally]]:
    """As readers get it."""
    async with served.runtime.database.connection() as conn:
        found = await tallies_of(memory or served.runtime.own.tallies, conn, bench_of(served), list(VILLAGES), stretch)
    return {village: set(its) for village, its in found.items()}


async def anew(served: Served, stretch: Stretch) -> dict[str, set[Tally]]:
    """Every cell looked at, one by one."""
    async with served.runtime.database.connection() as conn:
        cells = await grid_cells(conn, bench_of(served), VILLAGES, stretch)
        blind = await alerts.select_blind(conn, VILLAGES, list(stretch.periods))
    found = {}
    for village, its in cells.items():
        cell_count, blind_count, days = Counter[_Place](), Counter[_Place](), Counter[_Place]()
        for c in its:
            place = c.duty.item, c.cell.state
            cell_count[place] += 1
            blind_count[place] += cell_key(c) in blind
            days[place] += c.late_days
        found[village] = {Tally(p[0], p[1], n, blind_count[p], days[p]) for p, n in cell_count.items()}
    return found


def events_of(dice: random.Random) -> tuple[list[Disclosure], list[Event]]:
    """A story, answers of a quarter that were corrected, a waiver; not in the order in which they were said."""
    disclosures, events = story()
    for edition in (1, 2):
        days = (date(2026, 9, 10),) if edition == 1 else ()
        frame = stamp(f"{VILLAGE}:2026Q3", edition, VILLAGE, at(f"2026-10-{10 + edition} 02:00"))
        answers = (DeclaredItem(item="P02", days=days),)
        events.append(DeclarationConfirmed(**frame, quarter="2026Q3", edition=edition, answers=answers))
    sealed = Disclosure(FAR_VILLAGE)._seal("waiver", {"reason": "没有"})
    frame = stamp("waiver", 2, FAR_VILLAGE, at("2026-11-01 02:00"))
    events.append(WaiverGranted(**frame, item="F02", period="2026-10", sealed=sealed))
    dice.shuffle(events)
    return disclosures, events


@pytest.mark.parametrize("seed", range(6))
async def test_it_is_what_is_found_anew_over_random_events_and_moments(city: Served, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a test's dice
    disclosures, events = events_of(dice)
    await give_keys(city, *disclosures)
    for event in events:
        await city.hear(event)
        if dice.random() < 0.2:
            city.clock.at = EARLIEST + timedelta(minutes=dice.randrange(200 * 24 * 60))
        if dice.random() < 0.15:
            await Watch().run(city.runtime)
        if dice.random() < 0.5:
            stretch = dice.choice(STRETCHES)
            assert await remembered(city, stretch) == await anew(city, stretch)
    for stretch in STRETCHES:
        assert await remembered(city, stretch) == await anew(city, stretch)


async def test_cells_that_turn_blind_are_counted_so(city: Served) -> None:
    stretch = STRETCHES[0]
    assert not any(t.blind for its in (await remembered(city, stretch)).values() for t in its)
    await Watch().run(city.runtime)
    found = await remembered(city, stretch)
    assert any(t.blind for its in found.values() for t in its)
    assert found == await anew(city, stretch)


async def test_the_first_moment_of_a_day_is_another_day(city: Served) -> None:
    stretch = Stretch.exactly("2026-10")
    for moment in (at("2026-11-20 15:59"), at("2026-11-20 16:00"), at("2026-11-10 15:59"), at("2026-11-10 16:00")):
        city.clock.at = moment
        assert await remembered(city, stretch) == await anew(city, stretch)


async def test_what_another_process_ends_late_is_not_missed(city: Served) -> None:
    late, early = Disclosure(VILLAGE), Disclosure(NEIGHBOUR)
    await give_keys(city, late, early)
    stretch, before = Stretch.exactly("2026-10"), await remembered(city, Stretch.exactly("2026-10"))
    event = late.approved(ledger(), at("2026-11-08 02:00"))
    async with city.runtime.database.transaction() as conn:
        await city.service.react[type(event)](city.handling(conn), event)
        # Heard later, and seen before it.
        await city.hear(early.published(at("2026-11-09 02:00")))
        meanwhile = await remembered(city, stretch)
        assert meanwhile[VILLAGE] == before[VILLAGE]
        assert meanwhile[NEIGHBOUR] != before[NEIGHBOUR]
    await city.hear(late.published(at("2026-11-08 02:00")))
    assert await remembered(city, stretch) == await anew(city, stretch) != meanwhile


async def test_a_copy_of_the_process_sees_what_this_one_heard(city: Served) -> None:
    copy, stretch, mine = Tallies(), Stretch.exactly("2026-10"), Disclosure(VILLAGE)
    assert await remembered(city, stretch, copy) == await anew(city, stretch)
    await give_keys(city, mine)
    await city.hear(mine.published(at("2026-11-08 02:00")))
    assert await remembered(city, stretch, copy) == await anew(city, stretch)


async def test_other_reference_data_make_other_cells(city: Served) -> None:
    stretch, begin = Stretch.exactly("2026-10"), date(2026, 11, 20)
    before = await remembered(city, stretch)
    known = city.runtime.reference.divisions[FAR_VILLAGE]
    later = builders.division(FAR_VILLAGE, "后来的", DivisionKind.VILLAGE, OTHER_TOWNSHIP, duties_from=begin)
    try:
        await tell(city, later)
        found = await remembered(city, stretch)
        assert found == await anew(city, stretch)
        assert found[FAR_VILLAGE] != before[FAR_VILLAGE]
    finally:
        await tell(city, known)


async def tell(served: Served, division: Division) -> None:
    """As the registry's word comes in."""
    async with served.runtime.database.transaction() as conn:
        await reference.project(conn, DivisionSet(**stamp(division.code, 99), division=division))
    await served.runtime.reference.refresh()


async def test_only_villages_of_which_something_was_heard_are_looked_through_again(city: Served) -> None:
    stretch, mine, memory = Stretch.exactly("2026-10"), Disclosure(VILLAGE), city.runtime.own.tallies
    await give_keys(city, mine)
    await remembered(city, stretch)
    assert memory.missing(stretch, VILLAGES, {}) == []
    await city.hear(mine.published(at("2026-11-08 02:00")))
    known = await remembered(city, stretch)
    memory.forget([VILLAGE])
    assert memory.missing(stretch, VILLAGES, {}) == [VILLAGE]
    assert (await remembered(city, stretch)) == known
