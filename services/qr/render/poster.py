"""Posters as PDF: one page a code, all pages of a request in one run of typst. Slow for many: run it in a thread.

The template and the font are read when this module is loaded; after that nothing is read but the arguments.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit

import manimgx_fonts_cjk
import typst

from services.qr.render.code import QUIET_ZONE, address, bare_svg

_TEMPLATE: Final = (Path(__file__).parent / "poster.typ").read_bytes()
_FONTS: Final = str(Path(manimgx_fonts_cjk.__file__).parent)
#: Where it is read from three metres off at most: width ≥ distance / 10 and some more, quiet zone not counted.
_SYMBOL_MM: Final = 120
#: typst keeps what it computed for ten runs, some 130 KB a page: as many empty ones (4 ms each) make it let go.
_KEPT_FOR: Final = 11


@dataclass(frozen=True, slots=True)
class Poster:
    """What one page says. `sample`: the city's figures are made up, and the page must not pass for real."""

    above: str
    village: str
    community: bool
    serial: int
    code: str
    sample: bool


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_FONTS])


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
    data = json.dumps([_page(p, public_url) for p in pages], ensure_ascii=False)
    compiler = typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True)
    pdf = compiler.compile(
        input=_TEMPLATE, format="pdf", sys_inputs={"posters": data}, timestamp=int(at.timestamp()), pdf_tags=False
    )
    for _ in range(_KEPT_FOR):
        compiler.compile(input=b"", format="pdf")
    return cast("bytes", pdf)  # one output file, so no list
