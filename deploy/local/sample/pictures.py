"""Drawn pictures that stand for photographs: grey paper, a frame, and words that say that it is a sample."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import manimgx_fonts_cjk
from PIL import Image, ImageDraw, ImageFont

_SIZE: Final = (900, 640)
_MARGIN: Final = 40
_LINE: Final = 72


def _font(size: int) -> ImageFont.FreeTypeFont:
    folder = Path(manimgx_fonts_cjk.__file__).parent
    file = next(f for f in sorted(folder.rglob("*")) if f.suffix in {".ttf", ".otf", ".ttc"} and "Sans" in f.name)
    return ImageFont.truetype(str(file), size)


def drawn(words: Sequence[str]) -> bytes:
    """A JPEG with the words below each other; the same words give the same bytes."""
    picture = Image.new("RGB", _SIZE, (244, 240, 230))
    pen = ImageDraw.Draw(picture)
    pen.rectangle(
        (_MARGIN // 2, _MARGIN // 2, _SIZE[0] - _MARGIN // 2, _SIZE[1] - _MARGIN // 2), outline=(90, 80, 60), width=4
    )
    pen.text((_MARGIN, _MARGIN), "示例图片，不是真实票据", font=_font(30), fill=(150, 30, 30))
    for n, text in enumerate(words):
        pen.text((_MARGIN, 2 * _MARGIN + (n + 1) * _LINE), text, font=_font(40), fill=(40, 36, 30))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()
