"""What was asked and what was done: each return with what was changed since, for whoever looks at the next edition."""

from dataclasses import dataclass

from services.ingest import store
from services.ingest.commands.desk import Desk, item_of
from services.ingest.pages import forms
from services.ingest.pages.compare import Change, changes
from services.ingest.pages.forms import Form
from services.ingest.store import Disclosure, Return


@dataclass(frozen=True, slots=True)
class Answered:
    """A return: by whom, where, and what the newest edition has changed against the returned one (None: nothing yet)."""

    returned: Return
    by: str
    places: tuple[tuple[str, str], ...]
    changes: list[Change] | None


async def exchange_of(desk: Desk, d: Disclosure, form: Form | None) -> list[Answered]:
    """Every return since the public edition, oldest first; `form` is the newest edition's content."""
    found = []
    revision = item_of(desk, d.item, d.period)
    for returned in await store.select_returns(desk.conn, d):
        before = await store.select_edition(desk.conn, d.id, returned.edition)
        old = None
        if before is not None:
            raw = before.body.model_dump(mode="json", exclude_none=True)
            old = forms.form_of(d.item, revision, (d.village_code, d.period), raw)
        changed = changes(old, form) if old is not None and form is not None and returned.edition < d.edition else None
        places = tuple((_place(old, line.at), line.reason) for line in returned.lines)
        by = desk.reference.name_of(returned.by) if returned.by is not None else ""
        found.append(Answered(returned, by, places, changed))
    return found


def _place(form: Form | None, at: str) -> str:
    """A place of a body in words: the grid and its row, or the path when the form has no such place."""
    grid = next((g for g in form.spec.grids if at.startswith(f"body.{g.path}[")), None) if form is not None else None
    if grid is None:
        return at
    row = at.removeprefix(f"body.{grid.path}[").partition("]")[0]
    return f"{grid.label}第 {int(row) + 1} 行" if row.isascii() and row.isdigit() else at
