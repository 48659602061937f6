"""A code as an address and as a picture.

Level H: a third of it may be torn or painted over. Quiet zone of four modules (ISO/IEC 18004).
"""

import io
from typing import Final

import segno

QUIET_ZONE: Final = 4
#: Pixels a module: at 300 dpi about 7 cm, enough for a board; larger prints take the SVG.
_PNG_SCALE: Final = 20


def address(public_url: str, code: str) -> str:
    """What stands inside the picture."""
    return f"{public_url.rstrip('/')}/c/{code}"


def _symbol(url: str) -> segno.QRCode:
    return segno.make(url, error="h", boost_error=False, micro=False)


def _svg(symbol: segno.QRCode, border: int, light: str | None) -> bytes:
    out = io.BytesIO()
    symbol.save(out, kind="svg", border=border, light=light, omitsize=True, xmldecl=False)
    return out.getvalue()


def svg(url: str) -> bytes:
    """The picture as SVG with its quiet zone, any size."""
    return _svg(_symbol(url), QUIET_ZONE, "#fff")


def png(url: str) -> bytes:
    """The picture as PNG with its quiet zone, black on white."""
    out = io.BytesIO()
    _symbol(url).save(out, kind="png", border=QUIET_ZONE, scale=_PNG_SCALE)
    return out.getvalue()


def bare_svg(url: str) -> tuple[str, int]:
    """The picture without quiet zone, for a poster that leaves it free, and its width in modules."""
    symbol = _symbol(url)
    return _svg(symbol, 0, None).decode(), len(symbol.matrix)
