"""What was asked and what was done: each return with what was changed since, for whoever looks at the next edition."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from services.ingest import forms
from services.ingest.forms import Form
from services.ingest.pages.compare import Change, changes
from services.ingest.store.disclosures import Disclosure, select_editions
from services.ingest.store.returns import Return, select_returns
from services.ingest.visit import Reading


@dataclass(frozen=True, slots=True)
class Answered:
    """A return: by whom, where, and what the newest edition has changed against the returned one (None: nothing yet)."""

    returned: Return
    by: str
    places: tuple[tuple[str, str], ...]
    changes: list[Change] | None


async def exchange_of(desk: Reading, d: Disclosure, form: Form | None) -> list[Answered]:
    """Every return since the public edition, oldest first; `form` is the newest edition's content."""
    found = []
    returns = await select_returns(desk.conn, d)
    forms_before = await _forms_of(desk, d, {r.edition for r in returns}) if returns else {}
    for returned in returns:
        old = forms_before.get(returned.edition)
        changed = None
        if old is not None and form is not None and returned.edition < d.edition:
            changed = await asyncio.to_thread(changes, old, form)
        places = tuple((_place(old, line.at), line.reason) for line in returned.lines)
        by = desk.reference.name_of(returned.by) if returned.by is not None else ""
        found.append(Answered(returned, by, places, changed))
    return found


async def _forms_of(desk: Reading, d: Disclosure, numbers: Collection[int]) -> dict[int, Form]:
    """The contents of some editions, by their numbers."""
    revision = desk.item_of(d)
    editions = await select_editions(desk.conn, [(d.id, n) for n in numbers])
    return {
        n: forms.form_of(
            d.item, revision, (d.village_code, d.period), e.body.model_dump(mode="json", exclude_none=True)
        )
        for (_, n), e in editions.items()
    }


def _place(form: Form | None, at: str) -> str:
    """A place of a body in words: the grid and its row, or the path when the form has no such place."""
    grid = next((g for g in form.spec.grids if at.startswith(f"body.{g.path}[")), None) if form is not None else None
    if grid is None:
        return at
    row = at.removeprefix(f"body.{grid.path}[").partition("]")[0]
    return f"{grid.label}第 {int(row) + 1} 行" if row.isascii() and row.isdigit() else at
