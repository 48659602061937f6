"""How many things a village has not opened that are past due, who holds them, and how long the oldest waits."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.contracts.duties import GridCell
from services.contracts.words import HOLDERS
from services.publish.render.cells import missing


@dataclass(frozen=True, slots=True)
class Standing:
    """What is missing in one village or in many; `held` counts by holder, `late_days` is of the one late longest."""

    missing: int = 0
    held: Mapping[str, int] = field(default_factory=dict)
    late_days: int = 0

    @property
    def words(self) -> str:
        """`缺2项，最久的已晚43天；在村（社区）1项，在镇街1项`."""
        if not self.missing:
            return "没有缺项"
        where = "，".join(f"在{HOLDERS[holder]}{count}项" for holder, count in self.held.items())
        return f"缺{self.missing}项，最久的已晚{self.late_days}天；{where}"


def standing(of: Iterable[GridCell]) -> Standing:
    """Count the cells of a village that are past due and not open; what is under way in time is not missing."""
    late = [c for c in missing(of) if c.late_days]
    return _counted(Counter(c.cell.held_by or "village" for c in late), (c.late_days for c in late))


def together(of: Iterable[Standing]) -> Standing:
    """The standings of many villages as one."""
    known = list(of)
    held: Counter[str] = Counter()
    for one in known:
        held.update(one.held)
    return _counted(held, (s.late_days for s in known))


def _counted(held: Mapping[str, int], late_days: Iterable[int]) -> Standing:
    """Holders in the order in which a thing goes through their hands; whatever is missing is held by somebody."""
    ordered = {h: held[h] for h in HOLDERS if held.get(h)}
    return Standing(sum(held.values()), ordered, max(late_days, default=0))
