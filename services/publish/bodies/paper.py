"""What is printed, from what was loaded."""

from collections.abc import Sequence

from services.publish.bodies.loading import Loaded
from services.publish.bodies.renderer import Bodies
from services.publish.render.bulletin import Bulletin
from services.publish.render.places import Village
from services.publish.render.sentences import newest_month


def bulletin_of(bodies: Bodies, loaded: Loaded, village: Village, ids: Sequence[str]) -> Bulletin | None:
    """A village's month for paper, of what is open of it (`ids`); None where the month's ledger is not, or no longer."""
    open_now = [p for i in ids if (p := loaded.publications.get(i)) is not None and p.is_live]
    money = newest_month(open_now)
    month = bodies.opened(loaded, money.disclosure_id) if money is not None else None
    if month is None or month[0].ledger is None:
        return None
    return Bulletin(
        month=month[0],
        ledger=month[0].ledger,
        others=[bodies.entry_of(p) for p in open_now if p is not money],
        page=bodies.village_page(loaded, village),
        sample=bodies.reference.is_sample(),
        public_url=bodies.public_url,
        at=loaded.now,
    )
