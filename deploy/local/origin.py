"""What a home was begun as, noted in its `city.json`: no later setting turns a real city into a sample, or back.

    origin = await settle(home, postgres, wanted)      # the note, or what the home itself tells, or what is wanted
    origin = note(home, replace(origin, seeded=True))

`seeded`: the registry's files were read. From then on divisions, catalogue and accounts belong to the city's people,
and no start reads those files again. `loaded`: the sample was entered to its end; nobody is signed in for it any more.
"""

import asyncio
import json
from dataclasses import asdict, dataclass
from typing import Final

import asyncpg

from deploy.local.faults import Fault
from deploy.local.home import Home, read_json, write_json
from deploy.local.postgres import Postgres

FILE: Final = "city.json"
SAMPLES: Final = ("full", "small", "none")
DEFAULT: Final = "full"

#: The newest state of every division; the registry of a home that nothing was read into has none.
SELECT_DIVISIONS: Final = "SELECT payload::text AS state FROM registry.reference WHERE kind = 'division'"


@dataclass(frozen=True, slots=True)
class Origin:
    """How a home began, and how far its beginning went."""

    sample: str
    seeded: bool = False
    loaded: bool = False


async def settle(home: Home, postgres: Postgres, wanted: str | None) -> Origin:
    """The home's origin; noted at its first start, read at every other. `wanted`: what the setting says, if anything."""
    known = read_json(home.path / FILE)
    if known:
        sample = known.get("sample")
        if sample not in SAMPLES:
            raise Fault(f"{home.path / FILE} names no sample that there is: write one of {', '.join(SAMPLES)} there.")
        return Origin(str(sample), known.get("seeded") is True, known.get("loaded") is True)
    return note(home, await _told_by_the_registry(postgres) or Origin(wanted or DEFAULT))


def note(home: Home, origin: Origin) -> Origin:
    """Write the note; gives the origin back."""
    write_json(home.path / FILE, asdict(origin))
    return origin


async def _told_by_the_registry(postgres: Postgres) -> Origin | None:
    """Of a home older than the note: the mark that stands on the city, and how many townships it has."""
    connection = await asyncpg.connect(postgres.dsn("registry"), timeout=30)
    try:
        rows = await connection.fetch(SELECT_DIVISIONS)
    finally:
        await connection.close()
    return await asyncio.to_thread(_origin_of, [str(r["state"]) for r in rows])


def _origin_of(states: list[str]) -> Origin | None:
    newest = [json.loads(state)["revisions"][-1] for state in states]
    if not newest:
        return None
    made_up = any(revision.get("sample") for revision in newest if revision["kind"] == "city")
    townships = sum(revision["kind"] == "township" for revision in newest)
    sample = ("small" if townships == 1 else "full") if made_up else "none"
    return Origin(sample, seeded=True)
