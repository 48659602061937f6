"""Invoices of a village's ledgers as keyed marks: in which other line one stands already."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.kit.db import Connection

#: A disclosure, a village, an invoice's mark, a line's number.
NamedInvoice = tuple[UUID, str, int, int]

FORGET_MARKS = "DELETE FROM invoice_mark WHERE disclosure_id = ANY($1::uuid[])"
INSERT_MARKS = """
INSERT INTO invoice_mark (disclosure_id, village_code, mark, line)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::int[])
"""


async def replace_marks(conn: Connection, ids: Collection[UUID], named: Sequence[NamedInvoice]) -> None:
    """Note which invoices the newest editions of some disclosures name, in place of those of the editions before."""
    await conn.execute(FORGET_MARKS, list(ids))
    if named:
        await conn.execute(INSERT_MARKS, *map(list, zip(*named, strict=True)))


@dataclass(frozen=True, slots=True)
class InvoiceElsewhere:
    """An invoice that another disclosure of the village names: its mark, in which line of what."""

    village_code: str
    mark: int
    disclosure_id: UUID
    item: str
    period: str
    line: int


#: An earmarked ledger tells the same money as the month's: two items are two views of one payment.
SELECT_ELSEWHERE = """
SELECT DISTINCT ON (m.village_code, m.mark, d.item) m.village_code, m.mark, m.disclosure_id, d.item, d.period, m.line
FROM invoice_mark m JOIN unnest($1::text[], $2::bigint[]) AS k (village_code, mark) USING (village_code, mark)
JOIN disclosure d ON d.id = m.disclosure_id AND d.state <> 'withdrawn'
WHERE m.disclosure_id <> ALL($3::uuid[])
ORDER BY m.village_code, m.mark, d.item, d.period DESC, m.line
"""


async def select_elsewhere(
    conn: Connection, named: Sequence[NamedInvoice], except_for: Collection[UUID]
) -> list[InvoiceElsewhere]:
    """Where else in their villages some invoices stand; of each item the newest place."""
    villages, marks = [n[1] for n in named], [n[2] for n in named]
    rows = await conn.fetch(SELECT_ELSEWHERE, villages, marks, list(except_for))
    return [
        InvoiceElsewhere(r["village_code"], r["mark"], r["disclosure_id"], r["item"], r["period"], r["line"])
        for r in rows
    ]
