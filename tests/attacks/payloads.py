"""Files and bodies that cost their reader far more than their sender."""

import io
import random
import zlib
from typing import Any, Final

from PIL import Image

from deploy.local.sample.items import body_of

_WIDE: Final = 8_900
_LINES: Final = 2_000


def words_of_objects() -> bytes:
    """39 KiB of `obj` in a PDF: a search for pairs in the whole of it grows with its square."""
    return b"%PDF-1.4\n" + b"obj " * 10_000 + b"\n%%EOF"


def streams_of_objects() -> bytes:
    """Nine megabytes of PDF with 1,000 empty streams of objects: what copies the rest for each of them copies 9 GB."""
    empty = zlib.compress(b"")
    one = b"%d 0 obj\n<</Type/ObjStm/N 0/First 0/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream\nendobj\n"
    head = b"".join(one % (number, len(empty), empty) for number in range(1, 1_001))
    return b"%PDF-1.5\n" + head + b"%" + b" " * (9_000_000 - len(head)) + b"\n%%EOF"


def picture(form: str, mode: str = "RGB") -> bytes:
    """79 million pixels of one colour: some kilobytes that become 240 megabytes and more."""
    out = io.BytesIO()
    more: dict[str, Any] = {"lossless": True, "method": 0} if form == "WEBP" else {}
    Image.new(mode, (_WIDE, _WIDE)).save(out, form, **more)
    return out.getvalue()


def numbers_without_end() -> dict[str, Any]:
    """A notice of 244 KiB in which every digit begins what could be a number of sixteen digits."""
    return {"kind": "notice", "title": "通知", "paragraphs": ["0-" * 600 + "0"] * 200}


def roster_of_two_kinds(seed: int, village: str, item: str, period: str) -> dict[str, Any]:
    """2,000 rows, of two kinds in a random order: whoever looks for what moved compares each with each."""
    dice = random.Random(seed)  # noqa: S311 - an order, no secret
    rows = body_of(item, village, period)["entries"][:2]
    entries = [rows[dice.randrange(2)] for _ in range(_LINES)]
    totals = {"entries": len(entries), "amount_fen": sum(e["amount_fen"] for e in entries)}
    return {"kind": "roster", "standard": "按实际出工计算", "entries": entries, "totals": totals}


#: JSON that breaks parsers: depth, numbers, keys given twice, half a character.
JSON_BOMBS: Final = (
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b'{"version":' + b"9" * 100_000 + b"}",
    b'{"version": 1e400}',
    b'{"version": NaN, "version": 1}',
    b'{"village": "\\ud800"}',
)
