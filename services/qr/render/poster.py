"""Posters as PDF: one page a code, all pages of a request in one run of typst. Slow for many: run it in a thread.

The template is read when this module is loaded; after that nothing is read but the arguments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from services.kit.typeset import pdf_of
from services.qr.render.code import QUIET_ZONE, address, bare_svg

_TEMPLATE: Final = (Path(__file__).parent / "poster.typ").read_bytes()
#: Where it is read from three metres off at most: width ≥ distance / 10 and some more, quiet zone not counted.
_SYMBOL_MM: Final = 120


@dataclass(frozen=True, slots=True)
class Poster:
    """What one page says. `sample`: the city's figures are made up, and the page must not pass for real."""

    above: str
    village: str
    community: bool
    serial: int
    code: str
    sample: bool


def _page(poster: Poster, public_url: str) -> dict[str, object]:
    picture, modules = bare_svg(address(public_url, poster.code))
    return {
        "above": poster.above,
        "village": poster.village,
        "ours": "本社区" if poster.community else "本村",
        "serial": poster.serial,
        "code": f"{poster.code[:4]} {poster.code[4:]}",
        "sample": poster.sample,
        "host": urlsplit(public_url).netloc,
        "picture": picture,
        "symbol": _SYMBOL_MM,
        "quiet": _SYMBOL_MM * QUIET_ZONE / modules,
    }


def posters(pages: Sequence[Poster], public_url: str, at: datetime) -> bytes:
    """A PDF of A4 pages, in the order given; the same arguments give the same bytes."""
    return pdf_of(_TEMPLATE, [_page(p, public_url) for p in pages], at)
