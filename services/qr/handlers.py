"""What qr does when it hears of a division: a village or community gets the code of its board, once."""

from typing import Final

from services.contracts.division import DivisionKind, DivisionSet
from services.kit.consumer import Handlers, Handling
from services.qr import commands

#: A zone has no duties and no board; townships and the city publish nothing of their own.
_WITH_A_BOARD: Final = frozenset({DivisionKind.VILLAGE, DivisionKind.COMMUNITY})


async def on_division_set(h: Handling, event: DivisionSet) -> None:
    """Issue the first code of a village; of one that has any, nothing."""
    if event.division.now.kind in _WITH_A_BOARD:
        await commands.issue_first_code(h.conn, event.division.code, h.clock.now())


#: Nothing to rebuild: divisions are kept by the kit, codes are qr's own and cannot be told from any topic it hears.
PROJECT: Final[Handlers] = {}
REACT: Final[Handlers] = {DivisionSet: on_division_set}
