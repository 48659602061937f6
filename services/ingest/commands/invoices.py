"""One invoice in two lines of a village: told to the desk as a fact, for it may be paid in parts; never in public."""

import unicodedata
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.contracts.base import Finding
from services.contracts.bodies import Body, Invoice, Ledger
from services.ingest.store.disclosures import Disclosure
from services.ingest.store.invoices import InvoiceElsewhere, NamedInvoice, replace_marks, select_elsewhere
from services.ingest.visit import Changing
from services.kit.shred import mark_of

#: A number of the new form stands for one invoice of the country; older ones begin anew with each code.
_WHOLE_DIGITS: Final = 20


def identity_of(invoice: Invoice) -> str:
    """What two lines must have in common to name the same invoice: its number, with its code or its seller beside a short one."""
    number = _plain(invoice.no)
    if len(number) >= _WHOLE_DIGITS:
        return f"invoice {number}"
    return f"invoice {number} {_plain(invoice.code) if invoice.code else _plain(invoice.seller)}"


def _plain(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).casefold() if sign.isalnum())


def _named(disclosure: Disclosure, body: Body) -> list[NamedInvoice]:
    if not isinstance(body, Ledger):
        return []
    lines = [(n, x.invoice) for n, x in enumerate(body.lines, 1) if x.invoice is not None]
    return [(disclosure.id, disclosure.village_code, mark_of(identity_of(i)), n) for n, i in lines]


async def note_invoices(desk: Changing, of: Sequence[tuple[Disclosure, Body]]) -> dict[UUID, tuple[Finding, ...]]:
    """Note the invoices that new editions name, and tell of each line whose invoice stands in another one of the village."""
    ledgers = [(d, body) for d, body in of if isinstance(body, Ledger)]
    if not ledgers:
        return {}
    named = {d.id: _named(d, body) for d, body in ledgers}
    every = [one for ones in named.values() for one in ones]
    await replace_marks(desk.conn, list(named), every)
    elsewhere = await select_elsewhere(desk.conn, every, list(named)) if every else []
    return {d.id: _findings(desk, d, body, named[d.id], elsewhere) for d, body in ledgers}


def _findings(
    desk: Changing, disclosure: Disclosure, body: Ledger, named: Sequence[NamedInvoice], far: Sequence[InvoiceElsewhere]
) -> tuple[Finding, ...]:
    others = {(e.village_code, e.mark, e.item): e for e in far}
    seen: dict[int, int] = {}
    found = []
    for _, village, mark, line in named:
        before, other = seen.setdefault(mark, line), others.get((village, mark, disclosure.item))
        invoice = body.lines[line - 1].invoice
        if before != line:
            place = f"这一份的第 {before} 行"
        elif other is not None:
            place = f"{desk.item(other.item, other.period).name} {other.period} 的第 {other.line} 行"
        else:
            continue
        number = invoice.no if invoice is not None else ""
        message = (
            f"第 {line} 行和{place}是同一张发票号（{number}），同一张发票号在两笔里出现。"
            "一张发票分几次付、退回重付的，请写明；号码写错的请改正。"
        )
        found.append(Finding(code="ledger.invoice", at=f"body.lines[{line - 1}].invoice.no", message=message))
    return tuple(found)
