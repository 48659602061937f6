"""Paper and pictures: a template of typst and what it tells, as a PDF or a PNG. Slow for many pages: call it in a thread.

What a template tells comes as JSON in `sys.inputs.data`, texts as texts: nothing of it is read as markup. The font is the
package's own, so a machine without Chinese fonts draws the same pages.
"""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final, cast

import manimgx_fonts_cjk
import typst

_FONTS: Final = str(Path(manimgx_fonts_cjk.__file__).parent)
#: typst keeps what it computed for ten runs, some 130 KB a page: as many empty ones (4 ms each) make it let go.
_KEPT_FOR: Final = 11
_PIXEL_A_POINT: Final = 72


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_FONTS])


def pdf_of(template: bytes, data: object, at: datetime) -> bytes:
    """A PDF; the same arguments give the same bytes."""
    compiler = typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True)
    told = {"data": json.dumps(data, ensure_ascii=False)}
    pdf = compiler.compile(input=template, format="pdf", sys_inputs=told, timestamp=int(at.timestamp()), pdf_tags=False)
    for _ in range(_KEPT_FOR):
        compiler.compile(input=b"", format="pdf")
    return cast("bytes", pdf)  # one output file, so no list


def png_of(template: bytes, data: object) -> bytes:
    """A picture of a template's one page, a pixel a point; the same arguments give the same bytes."""
    compiler = typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True)
    told = {"data": json.dumps(data, ensure_ascii=False)}
    return cast("bytes", compiler.compile(input=template, format="png", ppi=_PIXEL_A_POINT, sys_inputs=told))
