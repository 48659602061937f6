"""What qr does when it hears of a division: a village or community gets the code of its board, once."""

from typing import Final

from services.contracts.division import DivisionSet
from services.kit.consumer import Handlers, Handling
from services.qr.commands.codes import WITH_A_CODE, issue_first_code


async def on_division_set(h: Handling, event: DivisionSet) -> None:
    """Issue the first code of a village; of one that has any, nothing. Zones, townships and the city have none."""
    if event.division.now.kind in WITH_A_CODE:
        await issue_first_code(h.conn, event.division.code, h.clock.now())


#: Nothing to rebuild: divisions are kept by the kit, codes are qr's own and cannot be told from any topic it hears.
PROJECT: Final[Handlers] = {}
REACT: Final[Handlers] = {DivisionSet: on_division_set}
