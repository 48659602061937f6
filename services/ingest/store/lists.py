"""Lists of disclosures, newest first: one statement for each way to find them, so that each goes along an index.

A list of ten years of a city reads some hundred rows. One statement for all filters cannot do that: PostgreSQL plans a
statement that comes often once for all values, and then goes along the ids where few rows match, or reads and sorts all of
them where many do. So villages stand in a row, each looked up for itself, or a column is written as an expression (`|| ''`)
where the way along it would be the wrong one.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.ingest.store.disclosures import Disclosure, Filter, disclosures_of
from services.ingest.workflow import State
from services.kit.db import Connection, Row

#: A township has fewer villages than this; a city's list goes along the ids, where nearly every row is one of its own.
_FEW: Final = 50
_LAST: Final = UUID(int=2**128 - 1)


async def select_disclosures(conn: Connection, wanted: Filter) -> list[Disclosure]:
    """Those of some villages, newest first."""
    states = [State(s) for s in wanted.states if s in set(State)] if wanted.states is not None else list(State)
    return await disclosures_of(conn, await _rows(conn, wanted, states))


async def _rows(conn: Connection, wanted: Filter, states: Sequence[State]) -> list[Row]:
    few = len(wanted.villages) <= _FEW
    if wanted.to_file:
        return await _to_file(conn, wanted, states)
    if wanted.period is not None:
        return await (_of_period if wanted.item is None else _of_cells)(conn, wanted, states)
    if State.PUBLISHED not in states:
        return await _in_states(conn, wanted, states)
    if wanted.item is not None:
        return await (_of_item if few else _newest_of_item)(conn, wanted, states)
    return await (_newest_by_village if few else _newest)(conn, wanted, states)


SELECT_TO_FILE = """
SELECT * FROM disclosure WHERE village_code = ANY($1::text[]) AND release = 'file' AND filed_at IS NULL
  AND state = ANY($2::text[]) AND id < $3 AND ($4::text[] IS NULL OR item = ANY($4::text[]))
ORDER BY id DESC LIMIT $5
"""


async def _to_file(conn: Connection, w: Filter, states: Sequence[State]) -> list[Row]:
    return await conn.fetch(SELECT_TO_FILE, w.villages, states, w.after or _LAST, w.items, w.limit)


SELECT_OF_PERIOD = """
SELECT d.* FROM unnest($1::text[]) AS v (code) CROSS JOIN LATERAL (
    SELECT * FROM disclosure WHERE village_code = v.code AND period = $6
      AND state = ANY($2::text[]) AND id < $3 AND ($4::text[] IS NULL OR item = ANY($4::text[]))
    OFFSET 0
) AS d
ORDER BY d.id DESC LIMIT $5
"""


async def _of_period(conn: Connection, w: Filter, states: Sequence[State]) -> list[Row]:
    return await conn.fetch(SELECT_OF_PERIOD, w.villages, states, w.after or _LAST, w.items, w.limit, w.period)


SELECT_OF_CELLS = """
SELECT d.* FROM unnest($1::text[]) AS v (code) CROSS JOIN LATERAL (
    SELECT * FROM disclosure WHERE village_code = v.code AND item = $7 AND period = $6
      AND state = ANY($2::text[]) AND id < $3 AND ($4::text[] IS NULL OR item = ANY($4::text[]))
    OFFSET 0
) AS d
ORDER BY d.id DESC LIMIT $5
"""


async def _of_cells(conn: Connection, w: Filter, states: Sequence[State]) -> list[Row]:
    after = w.after or _LAST
    return await conn.fetch(SELECT_OF_CELLS, w.villages, states, after, w.items, w.limit, w.period, w.item)


#: What is under way is little, and so is what was withdrawn.
SELECT_IN_STATES = """
SELECT * FROM disclosure d WHERE village_code = ANY($1::text[]) AND state = ANY($2::text[]) AND id < $3
  AND ($4::text[] IS NULL OR item = ANY($4::text[])) AND ($6::text IS NULL OR item = $6)
  AND (NOT $7::boolean OR NOT EXISTS (
    SELECT FROM approval_item i WHERE i.disclosure_id = d.id AND i.state = 'waiting'
  ))
ORDER BY id DESC LIMIT $5
"""


async def _in_states(conn: Connection, w: Filter, states: Sequence[State]) -> list[Row]:
    after = w.after or _LAST
    return await conn.fetch(SELECT_IN_STATES, w.villages, states, after, w.items, w.limit, w.item, w.undecided)


SELECT_OF_ITEM = """
SELECT d.* FROM unnest($1::text[]) AS v (code) CROSS JOIN LATERAL (
    SELECT * FROM disclosure WHERE village_code = v.code AND item = $6
      AND state = ANY($2::text[]) AND id < $3 AND ($4::text[] IS NULL OR item = ANY($4::text[]))
    OFFSET 0
) AS d
ORDER BY d.id DESC LIMIT $5
"""


async def _of_item(conn: Connection, w: Filter, states: Sequence[State]) -> list[Row]:
    return await conn.fetch(SELECT_OF_ITEM, w.villages, states, w.after or _LAST, w.items, w.limit, w.item)


SELECT_NEWEST_OF_ITEM = """
SELECT * FROM disclosure WHERE item = $6 AND village_code || '' = ANY($1::text[])
  AND state || '' = ANY($2::text[]) AND id < $3 AND ($4::text[] IS NULL OR item = ANY($4::text[]))
ORDER BY id DESC LIMIT $5
"""


async def _newest_of_item(conn: Connection, w: Filter, states: Sequence[State]) -> list[Row]:
    return await conn.fetch(SELECT_NEWEST_OF_ITEM, w.villages, states, w.after or _LAST, w.items, w.limit, w.item)


#: The newest of each village and state, then the newest of these.
SELECT_NEWEST_BY_VILLAGE = """
SELECT d.* FROM unnest($1::text[]) AS v (code) CROSS JOIN unnest($2::text[]) AS s (state)
CROSS JOIN LATERAL (
    SELECT * FROM disclosure WHERE village_code = v.code AND state = s.state AND id < $3
      AND ($4::text[] IS NULL OR item = ANY($4::text[]))
    ORDER BY id DESC LIMIT $5
) AS d
ORDER BY d.id DESC LIMIT $5
"""


async def _newest_by_village(conn: Connection, w: Filter, states: Sequence[State]) -> list[Row]:
    return await conn.fetch(SELECT_NEWEST_BY_VILLAGE, w.villages, states, w.after or _LAST, w.items, w.limit)


SELECT_NEWEST = """
SELECT * FROM disclosure WHERE village_code || '' = ANY($1::text[])
  AND state || '' = ANY($2::text[]) AND id < $3 AND ($4::text[] IS NULL OR item || '' = ANY($4::text[]))
ORDER BY id DESC LIMIT $5
"""


async def _newest(conn: Connection, w: Filter, states: Sequence[State]) -> list[Row]:
    return await conn.fetch(SELECT_NEWEST, w.villages, states, w.after or _LAST, w.items, w.limit)
