"""A village's month on paper, for the board and for those without a telephone: the same figures and names as on the web.

What may stand on the board beyond that (`board` of the catalogue) is printed at the desk and never has a public address.
"""

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import segno

from services.kit.typeset import pdf_of
from services.publish.render.disclosure import DisclosurePage
from services.publish.render.ledger import LedgerView
from services.publish.render.village import EntryView, VillagePage
from services.publish.render.words import day_words

Paper = Literal["a3", "a4"]
_TEMPLATE: Final = (Path(__file__).parent / "bulletin.typ").read_bytes()
#: More would push the figures off the second sheet; the rest is counted.
_LISTED: Final = 10


@dataclass(frozen=True, slots=True)
class Bulletin:
    """What stands on a month's bulletin. `others`: what else of the month is open; `page`: how the village stands at `at`."""

    month: DisclosurePage
    ledger: LedgerView
    others: Sequence[EntryView]
    page: VillagePage
    sample: bool
    public_url: str
    at: datetime

    def pdf(self, paper: Paper) -> bytes:
        """Draw it; the same content gives the same bytes."""
        month, missing = self.month, [*self.page.missing, *self.page.missing_more]
        address = f"{self.public_url.rstrip('/')}/v/{month.village.code}"
        told = {
            "paper": paper,
            "village": month.village.name,
            "above": f"{month.village.township.city} {month.village.township.name}",
            "period": month.period,
            "title": month.official,
            "ledger": asdict(self.ledger),
            "nil": month.nil,
            "agrees": self._agrees(),
            "checked": [
                f"{o.party} {o.names} {o.day}：{o.word}" + (f"（{o.reason}）" if o.reason else "")
                for o in month.opinions
            ]
            or [month.unchecked],
            "approved": [s for s in (month.approved, month.filed) if s],
            "note": month.note.splitlines() if month.note else [],
            "late": month.timing.late,
            "edition": month.newest,
            "others": [f"{e.plain}（{e.period}）" for e in self.others[:_LISTED]],
            "others_more": max(0, len(self.others) - _LISTED),
            "missing": [f"{m.period} {m.plain}：{m.state}，由{m.held_by}办" for m in missing[:_LISTED]],
            "missing_more": max(0, len(missing) - _LISTED),
            "settled": self.page.settled,
            "sample": self.sample,
            "host": urlsplit(self.public_url).netloc,
            "picture": _picture(address),
            "printed": day_words(self.at),
        }
        return pdf_of(_TEMPLATE, told, self.at)

    def _agrees(self) -> list[list[str]]:
        """What the checks say, each with its kind: `fits` or `differs`."""
        checks = self.month.checks
        if checks is None:
            return []
        arithmetic = [["fits", f"账算得上 ✓ {checks.arithmetic}"]] if checks.arithmetic else []
        differences = [
            ["differs", f"对不上：{d.words}" + (f" 村里说明：{d.reason}" if d.reason else "")]
            for d in checks.differences
        ]
        return [*arithmetic, *differences, *([["fits", checks.chain]] if checks.chain else [])]


def _picture(address: str) -> str:
    """The code as SVG; level M: paper indoors is not torn, and the picture stays small."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", border=2, light="#fff", omitsize=True, xmldecl=False
    )
    return out.getvalue().decode()
