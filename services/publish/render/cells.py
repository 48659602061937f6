"""What a village owes, how that stands, what is missing, what is waived, what did not happen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.contracts.duties import CellKey, CellRecord, CellState, Duty, GridCell, cells, declared_records
from services.publish.render.rows import Declaration, Publication, Step, Waiver

_MISSING: Final = frozenset({CellState.NOT_OPENED, CellState.IN_PROGRESS})
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CellFacts:
    """What the read model knows of one village's cells; `publications` newest first."""

    publications: Sequence[Publication]
    steps: Sequence[Step]
    waivers: Sequence[Waiver] = ()
    declarations: Sequence[Declaration] = ()


def live_by_cell(publications: Iterable[Publication]) -> dict[CellKey, Publication]:
    """The newest publication of each cell that was not withdrawn; `publications` newest first."""
    found: dict[CellKey, Publication] = {}
    for p in publications:
        if p.withdrawn_at is None:
            found.setdefault(CellKey(p.item, p.period), p)
    return found


def _under_way(steps: Iterable[Step]) -> dict[CellKey, Step]:
    """The step of each cell that came furthest."""
    found: dict[CellKey, Step] = {}
    for step in steps:
        key = CellKey(step.item, step.period)
        known = found.get(key)
        if known is None or (step.submitted_at or step.delivered_at or _NEVER) > (
            known.submitted_at or known.delivered_at or _NEVER
        ):
            found[key] = step
    return found


def records(facts: CellFacts) -> dict[CellKey, CellRecord]:
    """What is known of each cell of one village."""
    found: dict[CellKey, CellRecord] = {}
    for declaration in reversed(facts.declarations):
        found |= declared_records(declaration.quarter, declaration.answers)
    published, steps = live_by_cell(facts.publications), _under_way(facts.steps)
    waived = {CellKey(w.item, w.period): w.since for w in facts.waivers}
    for key in {*published, *steps, *waived}:
        p, step = published.get(key), steps.get(key)
        found[key] = CellRecord(
            first_published_at=p.first_published_at if p is not None else None,
            nil=p is not None and p.nil,
            waived_at=waived.get(key),
            submitted_at=step.submitted_at if step is not None else None,
            confirmed_at=step.confirmed_at if step is not None else None,
            delivered_at=step.delivered_at if step is not None else None,
        )
    return found


def grid(
    facts: CellFacts, owed: Iterable[Duty], make: Callable[[CellKey], Duty | None], now: datetime
) -> tuple[GridCell, ...]:
    """Every cell of a village."""
    return cells(owed, records(facts), make, now)


def missing(of: Iterable[GridCell]) -> tuple[GridCell, ...]:
    """What is past due or under way, money first, then what is late longest."""
    found = [c for c in of if c.cell.state in _MISSING]
    return tuple(sorted(found, key=lambda c: (c.duty.item[0] != "F", -c.late_days, c.duty.item, c.duty.period)))


def waived(of: Iterable[GridCell], waivers: Iterable[Waiver]) -> tuple[tuple[GridCell, Waiver], ...]:
    """Cells that are not opened for a reason on file, with the reason."""
    by_key: Mapping[CellKey, Waiver] = {CellKey(w.item, w.period): w for w in waivers}
    return tuple((c, by_key[c.key]) for c in of if c.cell.state is CellState.WAIVED and c.key in by_key)


def declared_nil(of: Iterable[GridCell], published: Mapping[CellKey, Publication]) -> tuple[GridCell, ...]:
    """Items of which a quarter's page says that nothing happened (本期无此事项), newest first."""
    found = [c for c in of if c.cell.state is CellState.NIL and c.key not in published]
    return tuple(sorted(found, key=lambda c: (c.duty.period, c.duty.item), reverse=True))
