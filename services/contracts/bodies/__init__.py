"""Bodies of disclosures, seven kinds, and their arithmetic.

A malformed body is refused by the models (422 at the edge, naming the place); a well-formed body that does not
add up yields findings, which its author may explain and accept.
"""

import hashlib
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from services.contracts.bodies.base import (
    MAX_BODY_BYTES,
    MAX_LINES,
    Attachment,
    Content,
    Quantity,
    figures,
    measured,
    ten_thousandths,
)
from services.contracts.bodies.contract import Contract, ContractType, Instalment, Rises
from services.contracts.bodies.decision import Decision, Meeting, Step, Votes
from services.contracts.bodies.ledger import Account, Direction, Invoice, Ledger, LedgerOutline, Line, Totals, Voucher
from services.contracts.bodies.lots import Lot, TenderTerms
from services.contracts.bodies.notice import Notice
from services.contracts.bodies.project import Bid, Fund, Part, Payment, Project, Tender
from services.contracts.bodies.roster import ELECTIONS, Ballots, Entry, Roster, RosterOutline, RosterTotals, Standing
from services.contracts.bodies.sums import (
    AccountSums,
    LedgerSums,
    Neighbour,
    closing_checks,
    opening_checks,
    renamed_accounts,
)
from services.contracts.bodies.table import SUMMED, Check, Column, ColumnType, Table
from services.contracts.values import canonical_json

#: `kind` decides which model reads the body.
Body = Annotated[
    Ledger | Roster | Notice | Decision | Contract | Project | Table,
    Field(discriminator="kind"),
]
BODY: Final[TypeAdapter[Body]] = TypeAdapter(Body)
#: A body read for what lists tell of it: how long it is, what it comes to, which files it shows. For contents that were
#: checked when they were handled first: reading a ledger whole costs four times as much.
Outline = Body | LedgerOutline | RosterOutline
OUTLINE: Final[TypeAdapter[Outline]] = TypeAdapter(
    Annotated[
        LedgerOutline | RosterOutline | Notice | Decision | Contract | Project | Table,
        Field(discriminator="kind"),
    ]
)


def body_digest(body: Body) -> str:
    """SHA-256 over the canonical JSON of a body (RFC 8785), hex.

    What stands at its default is left out, so that a field added later does not change the digest of an older body.
    """
    said = {"kind": body.kind, **body.model_dump(mode="json", exclude_defaults=True)}
    return hashlib.sha256(canonical_json(said)).hexdigest()


def settled(body: Body) -> Body:
    """A new body with all said that a new one says: whether each column of its table may be summed."""
    match body:
        case Table():
            return body.settled()
        case Notice() if body.table is not None:
            return body.model_copy(update={"table": body.table.settled()})
        case _:
            return body


__all__ = [
    "BODY",
    "ELECTIONS",
    "MAX_BODY_BYTES",
    "MAX_LINES",
    "OUTLINE",
    "SUMMED",
    "Account",
    "AccountSums",
    "Attachment",
    "Ballots",
    "Bid",
    "Body",
    "Check",
    "Column",
    "ColumnType",
    "Content",
    "Contract",
    "ContractType",
    "Decision",
    "Direction",
    "Entry",
    "Fund",
    "Instalment",
    "Invoice",
    "Ledger",
    "LedgerOutline",
    "LedgerSums",
    "Line",
    "Lot",
    "Meeting",
    "Neighbour",
    "Notice",
    "Outline",
    "Part",
    "Payment",
    "Project",
    "Quantity",
    "Rises",
    "Roster",
    "RosterOutline",
    "RosterTotals",
    "Standing",
    "Step",
    "Table",
    "Tender",
    "TenderTerms",
    "Totals",
    "Votes",
    "Voucher",
    "body_digest",
    "closing_checks",
    "figures",
    "measured",
    "opening_checks",
    "renamed_accounts",
    "settled",
    "ten_thousandths",
]
