"""Names on the web: natural persons as the catalogue's `masking` says, firms, shops and institutions in full.

Who is a person is told by `contracts.names`; sentences are `texts.py`'s. Officials who handled or approved a line stay
named (domain.md section 6); references to payees never leave.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from services.contracts.bodies import (
    Body,
    ColumnType,
    Contract,
    Ledger,
    Line,
    Notice,
    Roster,
    Table,
    Totals,
)
from services.contracts.bodies.rows import is_sum_label
from services.contracts.catalogue import Masking
from services.contracts.names import HIDDEN, find_in_cell, mask_cell
from services.publish.render.aggregates import aggregate_roster, aggregate_table, names_people
from services.publish.render.rows import Said
from services.publish.render.texts import Texts, names_anybody


def masked_name(name: str | None, masking: Masking) -> str | None:
    """A payee as the web may show it: `张三丰` -> `张某某`, `某五金店` in full; None where only totals are shown."""
    if name is None or masking is Masking.AGGREGATE:
        return None
    if masking is not Masking.SURNAME or is_sum_label(name):
        return name
    return mask_cell(name.strip())


def _named(body: Body, masking: Masking) -> list[str | None]:
    """What stands in a body's cells for names."""
    match body:
        case Ledger():
            return [n for x in body.lines for n in (x.payee, x.invoice.seller if x.invoice else None)]
        case Roster():
            return [e.name for e in body.entries]
        case Table():
            return [_text(row[n]) for row in body.rows for n in _name_places(body, masking)]
        case Notice():
            return _named(body.table, masking) if body.table is not None else []
        case Contract():
            return [body.party]
        case _:
            return []


def _masked_line(line: Line, masking: Masking) -> Line:
    payee = masked_name(line.payee, masking)
    invoice = line.invoice
    if invoice is not None:
        invoice = invoice.model_copy(update={"seller": masked_name(invoice.seller, masking)})
    return line.model_copy(update={"payee": payee, "payee_ref": None, "invoice": invoice, "attachments": ()})


def _numbered(names: Sequence[str | None], who: Sequence[object]) -> list[str | None]:
    """Tell apart people who look the same once masked: 张某某①, 张某某②.

    `who` tells whether two of them are the same: one person who stands twice is not made two.
    """
    seen: dict[str, dict[object, int]] = {}
    for name, one in zip(names, who, strict=True):
        if name is not None and HIDDEN in name:
            people = seen.setdefault(name, {})
            people.setdefault(one, len(people) + 1)
    return [
        name + _number(seen[name][one]) if name is not None and len(seen.get(name, ())) > 1 else name
        for name, one in zip(names, who, strict=True)
    ]


def _number(n: int) -> str:
    return CIRCLED[n - 1] if n <= len(CIRCLED) else f"（{n}）"


#: Numbers of people who look the same once masked.
CIRCLED: Final = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
#: Rosters of social aid: the column 理由 never leaves the village (domain.md section 6).
_SOCIAL_AID: Final = frozenset({"V03", "V12"})


def masked_ledger(body: Ledger, masking: Masking) -> Ledger:
    """A ledger as everybody may read it."""
    if masking is Masking.AGGREGATE:
        # What the village states stays as stated; what the lines make stands beside it in the checks.
        totals = body.totals or Totals(income_fen=body.income_fen, expense_fen=body.expense_fen)
        return body.model_copy(update={"lines": (), "totals": totals})
    return body.model_copy(update={"lines": tuple(_masked_line(x, masking) for x in body.lines)})


def _masked_roster(body: Roster, masking: Masking, item: str) -> Roster:
    if masking is Masking.AGGREGATE:
        return aggregate_roster(body, item)
    names = _numbered([masked_name(e.name, masking) for e in body.entries], [e.identity for e in body.entries])
    entries = []
    for entry, name in zip(body.entries, names, strict=True):
        remark = None if item in _SOCIAL_AID else entry.remark
        entries.append(entry.model_copy(update={"name": name, "payee_ref": None, "household": None, "remark": remark}))
    return body.model_copy(update={"entries": tuple(entries)})


def _masked_table(body: Table, masking: Masking) -> Table:
    if masking is Masking.AGGREGATE:
        # Who is left in it is nobody.
        return aggregate_table(body)
    rows = [list(row) for row in body.rows]
    for place in _name_places(body, masking):
        cells = [_text(row[place]) for row in rows]
        for row, name in zip(rows, _numbered([masked_name(n, masking) for n in cells], cells), strict=True):
            row[place] = name
    return body.model_copy(update={"rows": tuple(tuple(row) for row in rows)})


def _text(cell: object) -> str | None:
    return cell if isinstance(cell, str) else None


def _name_places(table: Table, masking: Masking) -> list[int]:
    guessed = masking is Masking.SURNAME
    return [n for n, c in enumerate(table.columns) if c.type is ColumnType.NAME or (guessed and names_people(c))]


def masked_body(body: Body, masking: Masking, item: str = "") -> Body:
    """A body as everybody may read it; where only totals are shown, no file is.

    Free text is looked through whatever the masking: the same name is often typed into a title or a remark as well.
    """
    if masking is Masking.AGGREGATE:
        body = body.model_copy(update={"attachments": ()})
    return _texts_of(body, masking).of(_masked_cells(body, masking, item))


def masked_lines(ledger: Ledger, masking: Masking, lines: Sequence[Line]) -> list[Line]:
    """Some lines of a ledger as they stand in its `masked_body`; none where only totals are shown."""
    if masking is Masking.AGGREGATE:
        return []
    texts = _texts_of(ledger, masking)
    return [texts.of(_masked_line(line, masking)) for line in lines]


def _texts_of(body: Body, masking: Masking) -> Texts:
    hides = masking in {Masking.SURNAME, Masking.AGGREGATE}
    return Texts(_full_names(body, masking) if hides else ())


def shows_persons(body: Body, masking: Masking, item: str, said: Iterable[str | None]) -> bool:
    """Tell whether persons may stand in a body as everybody reads it, in full or in part, or in what is `said` of it.

    A catalogue that masks an item says so; a roster is a list of them; in any other body one is looked for. Of a
    picture nobody knows whom it shows.
    """
    if masking is not Masking.NONE or isinstance(body, Roster) or body.shown_files() or names_anybody(said):
        return True
    return masked_body(body, Masking.SURNAME, item) != body


def public_said(said: Said, body: Body, masking: Masking) -> Said:
    """What was said of an edition as everybody may read it; who said so stands there by name, whom it is about not."""
    texts = Texts(_full_names(body, masking))
    opinions = tuple(o.model_copy(update={"reason": texts.text(o.reason) if o.reason else None}) for o in said.opinions)
    accepted = tuple(a.model_copy(update={"reason": texts.text(a.reason)}) for a in said.accepted)
    return said.model_copy(
        update={"opinions": opinions, "accepted": accepted, "note": texts.text(said.note) if said.note else None}
    )


def _full_names(body: Body, masking: Masking) -> Iterator[str]:
    """Every person whom a cell names: `张三、李四等5人` -> 张三, 李四."""
    for cell in _named(body, masking):
        if cell is not None:
            yield from (cell[s.start : s.end] for s in find_in_cell(cell))


def _masked_cells(body: Body, masking: Masking, item: str) -> Body:
    match body:
        case Ledger():
            return masked_ledger(body, masking)
        case Roster():
            return _masked_roster(body, masking, item)
        case Table():
            return _masked_table(body, masking)
        case Notice():
            table = _masked_table(body.table, masking) if body.table is not None else None
            return body.model_copy(update={"table": table})
        case Contract():
            return body.model_copy(update={"party": masked_name(body.party, masking) or HIDDEN})
        case _:
            return body
