"""Everything that is known of one village's cells."""

from services.kit.db import Connection
from services.publish.render.cells import CellFacts
from services.publish.store.marks import select_steps
from services.publish.store.publications import select_of_villages
from services.publish.store.unopened import select_declarations, select_waivers


async def select_cell_facts(conn: Connection, village: str) -> CellFacts:
    """What a village has opened, has under way, waived and declared."""
    code = [village]
    return CellFacts(
        await select_of_villages(conn, code),
        await select_steps(conn, code),
        await select_waivers(conn, code),
        await select_declarations(conn, code),
    )
