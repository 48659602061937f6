"""What carries a code, as PDF: posters, gate signs, cards, labels, stickers; all of a request in one run of typst.

Slow for many: run it in a thread. The templates are read when this module is loaded; after that nothing is read but the
arguments. The same arguments give the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from services.contracts.code import CodeKind
from services.contracts.days import SHANGHAI
from services.contracts.names import mask_text
from services.contracts.privacy import mask
from services.contracts.values import period_words
from services.contracts.words import CODE_KINDS
from services.kit.typeset import pdf_of, png_of
from services.qr.render.code import QUIET_ZONE, address, bare_svg

_HERE: Final = Path(__file__).parent


class Form(StrEnum):
    """On what a code is printed."""

    A4 = "a4"
    A3 = "a3"
    GATE = "gate"
    CARD = "card"
    LABEL = "label"
    STICKER = "sticker"


@dataclass(frozen=True, slots=True)
class FormKind:
    """A form: its word, the width of its symbol without quiet zone, what is printed so, and how many a sheet."""

    word: str
    symbol_mm: int
    kinds: tuple[CodeKind, ...]
    template: str
    a_sheet: int = 1
    #: A sheet is filled with one code, for many to take home.
    repeats: bool = False


_BOARDS: Final = (CodeKind.BOARD, CodeKind.HALL, CodeKind.BULLETIN)
#: Read from ten times its width: a symbol on a poster from 1.2 m, on a gate from 3 m, on a card from 30 cm (docs/codes.md).
FORMS: Final[Mapping[Form, FormKind]] = MappingProxyType(
    {
        Form.A4: FormKind("公开栏海报（A4）", 120, _BOARDS, "poster"),
        Form.A3: FormKind("公开栏海报（A3）", 170, _BOARDS, "poster"),
        Form.GATE: FormKind("村口牌（码宽30厘米，A2纸）", 300, (CodeKind.GATE,), "gate"),
        Form.CARD: FormKind("入户小卡（码宽3厘米，一张A4纸10张）", 30, (CodeKind.HOUSEHOLD,), "card", 10, repeats=True),
        Form.LABEL: FormKind(
            "资产、工程、合同标签（一张A4纸12张）",
            30,
            (CodeKind.ASSET, CodeKind.PROJECT, CodeKind.CONTRACT),
            "label",
            12,
        ),
        Form.STICKER: FormKind(
            "年度贴（码宽5厘米，一张A4纸6张）", 50, (CodeKind.BOARD, CodeKind.HALL, CodeKind.GATE), "sticker", 6
        ),
    }
)
_COMMON: Final = (_HERE / "common.typ").read_bytes()
_TEMPLATES: Final = {
    name: _COMMON + (_HERE / f"{name}.typ").read_bytes() for name in {of.template for of in FORMS.values()}
}


@dataclass(frozen=True, slots=True)
class Poster:
    """What one print says. `sample`: the city's figures are made up, and the print must not pass for real."""

    above: str
    village: str
    community: bool
    serial: int
    code: str
    sample: bool
    kind: CodeKind = CodeKind.BOARD
    place: str | None = None
    subject: str | None = None
    period: str | None = None


def _shown(text: str | None) -> str:
    """Somebody's own words as a wall may show them: no person's name, no number of anybody's."""
    return mask(mask_text(text)) if text else ""


def _told(of: Poster) -> str:
    """The line below the village's name: where it hangs, or of which month it is."""
    month = period_words(of.period) if of.period else ""
    return "　".join(part for part in (month, _shown(of.subject), _shown(of.place)) if part)


def _page(poster: Poster, form: Form, public_url: str, at: datetime) -> dict[str, object]:
    picture, modules = bare_svg(address(public_url, poster.code))
    # The template draws an A3 as an A4 and makes it larger.
    width = FORMS[Form.A4 if form is Form.A3 else form].symbol_mm
    return {
        "form": form.value,
        "above": poster.above,
        "village": poster.village,
        "ours": "本社区" if poster.community else "本村",
        "serial": poster.serial,
        "code": f"{poster.code[:4]} {poster.code[4:]}",
        "sample": poster.sample,
        "host": urlsplit(public_url).netloc,
        "picture": picture,
        "symbol": width,
        "quiet": width * QUIET_ZONE / modules,
        "told": _told(poster),
        "kind": CODE_KINDS[poster.kind],
        "subject": _shown(poster.subject),
        "place": _shown(poster.place),
        "year": at.astimezone(SHANGHAI).year,
    }


def _filled(pages: Sequence[Poster], form: Form, copies: int) -> list[Poster]:
    """A sheet full of each code where a form is for many to take home, `copies` times over."""
    return [p for p in pages for _ in range(FORMS[form].a_sheet * copies)] if FORMS[form].repeats else list(pages)


def posters(pages: Sequence[Poster], public_url: str, at: datetime, form: Form = Form.A4, *, copies: int = 1) -> bytes:
    """A PDF, in the order given."""
    data = [_page(p, form, public_url, at) for p in _filled(pages, form, copies)]
    return pdf_of(_TEMPLATES[FORMS[form].template], data, at)


def preview(poster: Poster, public_url: str, at: datetime, form: Form) -> bytes:
    """A PNG of one print, as it will look."""
    return png_of(_TEMPLATES[FORMS[form].template], [_page(poster, form, public_url, at)])
