"""Pictures of vouchers: read in with a thumbnail, and copied with boxes burnt in; pure.

A box is painted over the picture's own points, and the copy is written anew from them: nothing of what was there is left in
it. Runs in a process of its own (`answer`): the libraries read what strangers send.
"""

import io
import json
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from PIL import Image, ImageDraw

from services.ingest.gate.files import UnusableFileError
from services.ingest.gate.images import picture

#: Boxes are written in ten-thousandths of the picture's width and height: the browser shows it in a size of its own.
WHOLE: Final = 10_000
#: More boxes than anybody draws by hand.
MOST_BOXES: Final = 100
TURNS: Final = (0, 90, 180, 270)
_THUMBNAIL: Final = 240
_BOX: Final = re.compile(r"(\d{1,5}),(\d{1,5}),(\d{1,5}),(\d{1,5})", re.ASCII)
_QUALITY: Final = 85


class Box(NamedTuple):
    """A rectangle to be painted over: left, top, right, bottom."""

    left: int
    top: int
    right: int
    bottom: int


class Taken(NamedTuple):
    """A picture made anew without what it carries beside the picture, and a small one of it."""

    content: bytes
    thumbnail: bytes


def order_of(*, boxes: Sequence[Box] | None, turn: int = 0) -> bytes:
    """What stands before the picture in the input of `answer`; without boxes it is read in."""
    return json.dumps({"boxes": boxes, "turn": turn}).encode() + b"\n"


def read_boxes(text: str) -> tuple[Box, ...]:
    """Boxes as the page writes them: four numbers each, `;` between them. ValueError says what is wrong."""
    boxes = []
    for part in filter(None, text.strip().split(";")):
        match = _BOX.fullmatch(part)
        if match is None:
            message = "遮盖框读不懂，请刷新页面重新画。"
            raise ValueError(message)
        box = Box(*map(int, match.groups()))
        if not (box.left < box.right <= WHOLE and box.top < box.bottom <= WHOLE):
            message = "遮盖框超出了图片或没有大小，请刷新页面重新画。"
            raise ValueError(message)
        boxes.append(box)
    if len(boxes) > MOST_BOXES:
        message = f"遮盖框太多，最多 {MOST_BOXES} 个。"
        raise ValueError(message)
    return tuple(boxes)


def take(data: bytes) -> Taken:
    """Read a picture in; UnusableFileError when it is none that we take."""
    content = picture(data).content
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as opened:
        opened.draft("RGB", (_THUMBNAIL, _THUMBNAIL))
        small = opened.convert("RGB")
    small.thumbnail((_THUMBNAIL, _THUMBNAIL))
    return Taken(content, _written(small))


def cover(content: bytes, boxes: Sequence[Box], turn: int) -> bytes:
    """A copy of one of our pictures with the boxes painted black, turned to the right by so many degrees afterwards."""
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as opened:
        drawn = opened.convert("RGB")
    pen = ImageDraw.Draw(drawn)
    for box in boxes:
        # Outwards to the next point, so that no edge of a figure is left.
        left, right = (box.left * drawn.width // WHOLE, -(-box.right * drawn.width // WHOLE))
        top, bottom = (box.top * drawn.height // WHOLE, -(-box.bottom * drawn.height // WHOLE))
        pen.rectangle((left, top, right, bottom), fill="black")
    drawn.info.clear()
    return _written(drawn.rotate(-turn, expand=True) if turn else drawn)


def _written(drawn: Image.Image) -> bytes:
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()


def answer(data: bytes) -> bytes:
    """What `kit.confined` calls: an order and a picture in; the length of the content, the content, the thumbnail out."""
    order, _, content = data.partition(b"\n")
    wanted = json.loads(order)
    try:
        if wanted["boxes"] is None:
            taken = take(content)
        else:
            taken = Taken(cover(content, [Box(*b) for b in wanted["boxes"]], wanted["turn"]), b"")
    except UnusableFileError as error:
        return json.dumps({"error": str(error)}).encode()
    return json.dumps({"bytes": len(taken.content)}).encode() + b"\n" + taken.content + taken.thumbnail


def read_answer(written: bytes) -> Taken:
    """The other end of `answer`; UnusableFileError says why there is no picture."""
    line, _, rest = written.partition(b"\n")
    head = json.loads(line)
    if "error" in head:
        raise UnusableFileError(head["error"])
    return Taken(rest[: head["bytes"]], rest[head["bytes"] :])
