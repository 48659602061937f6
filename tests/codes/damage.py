"""What happens to a code between the printer and a telephone: distance, blur, noise, tilt, darkness, dirt.

A print is drawn at 300 dpi and seen as by a telephone's preview of 1920 pixels over 66°, from ten times the symbol's
width: the symbol is 148 pixels wide then, whatever its size on paper.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import pypdfium2
import zxingcpp
from numpy.random import Generator
from numpy.typing import NDArray

Picture = NDArray[Any]
Damage = Callable[[Picture, Generator], Picture]
DPI: Final = 300
PREVIEW_PX: Final = 1920
FIELD_DEGREES: Final = 66.0
#: In widths of the symbol.
DISTANCE: Final = 10.0
_WHITE: Final = 255
_FINEST_PX: Final = 600
#: Of a symbol's side: finder patterns of version 4 and 5, with their separators.
_FINDER: Final = 8 / 33


@dataclass(frozen=True, slots=True)
class Print:
    """A symbol cut out of what was drawn, with what stands around it; `box` is the symbol within, in pixels."""

    picture: Picture
    box: tuple[int, int, int, int]


def seen_width(distance: float) -> float:
    """How many pixels wide a symbol is, seen from so many times its width."""
    return PREVIEW_PX / (2 * distance * math.tan(math.radians(FIELD_DEGREES / 2)))


def cut_out(pdf: bytes, margin: float = 0.45) -> Print:
    """The first symbol of a PDF at 300 dpi, with so much of its width of what stands around it."""
    page = pypdfium2.PdfDocument(pdf)[0]
    drawn: Picture = page.render(scale=DPI / 72).to_numpy()[:, :, :3].copy()
    # Found in a smaller picture where the print is large: what stands on it is the same.
    small = max(1, drawn.shape[1] // 2500)
    found = zxingcpp.read_barcodes(drawn[::small, ::small].copy())
    at = min((f.position for f in found), key=_from_the_corner)
    left, top = at.top_left.x * small, at.top_left.y * small
    right, bottom = at.bottom_right.x * small, at.bottom_right.y * small
    room = round((right - left) * margin)
    y0, x0 = max(top - room, 0), max(left - room, 0)
    cut = Print(drawn[y0 : bottom + room, x0 : right + room], (left - x0, top - y0, right - x0, bottom - y0))
    # Four times as fine as the telephone sees it is fine enough, and keeps a gate's sign small.
    return _scaled(cut, min(1.0, _FINEST_PX / (right - left)))


def _from_the_corner(position: Any) -> int:
    return int(position.top_left.x + position.top_left.y)


def seen(of: Print, distance: float = DISTANCE) -> Print:
    """A print as a telephone's preview shows it from so many times the symbol's width."""
    return _scaled(of, seen_width(distance) / (of.box[2] - of.box[0]))


def _scaled(of: Print, scale: float) -> Print:
    picture = cv2.resize(of.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    left, top, right, bottom = (round(n * scale) for n in of.box)
    return Print(picture, (left, top, right, bottom))


# -- damages ------------------------------------------------------------------------------------------------------


def blurred(picture: Picture, _random: Generator) -> Picture:
    """Out of focus or shaken: a quarter of a module."""
    return cv2.GaussianBlur(picture, (0, 0), 1.0)


def noisy(picture: Picture, random: Generator) -> Picture:
    """A cheap sensor."""
    noise = random.normal(0, 25, picture.shape[:2])[:, :, None]
    return np.clip(picture + noise, 0, _WHITE).astype(np.uint8)


def tilted(picture: Picture, random: Generator) -> Picture:
    """Held at 30° to the wall, about any axis."""
    height, width = picture.shape[:2]
    angle, axis = math.radians(30), random.uniform(0, 2 * math.pi)
    far = 2.0 * width
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    middle = np.array([width / 2, height / 2])
    moved = []
    for x, y in corners - middle:
        along = x * math.cos(axis) + y * math.sin(axis)
        across = -x * math.sin(axis) + y * math.cos(axis)
        depth, across = across * math.sin(angle), across * math.cos(angle)
        near = far / (far + depth)
        along, across = along * near, across * near
        moved.append(
            (along * math.cos(axis) - across * math.sin(axis), along * math.sin(axis) + across * math.cos(axis))
        )
    target = (np.array(moved) + middle).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    grey = (150, 150, 150)
    return cv2.warpPerspective(
        picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=grey
    )


def dark(picture: Picture, random: Generator) -> Picture:
    """At dusk: a fifth of the light, on one side less, and the noise of that."""
    width = picture.shape[1]
    shade = np.linspace(1.0, 0.6, width)[None, :, None]
    noise = random.normal(0, 4, picture.shape[:2])[:, :, None]
    return np.clip(picture * 0.2 * shade + 8 + noise, 0, _WHITE).astype(np.uint8)


def _stain(of: Print, random: Generator, share: float, opacity: float, *, spare_finders: bool = True) -> Picture:
    """One round stain over a share of the symbol: soaked in (rust, tea, thin mud) or, at full opacity, pasted over."""
    picture = of.picture
    left, top, right, _ = of.box
    side = right - left
    radius = side * math.sqrt(share / math.pi)
    while True:
        x, y = random.uniform(radius, side - radius, 2)
        corners = ((0, 0), (side, 0), (0, side))
        apart = [math.hypot(x - cx, y - cy) > radius + side * _FINDER * 1.1 for cx, cy in corners]
        if not spare_finders or all(apart):
            break
    stained = picture.copy()
    colour = tuple(int(c) for c in random.integers(20, 160, 3))
    cv2.circle(stained, (round(left + x), round(top + y)), round(radius), colour, -1)
    return cv2.addWeighted(stained, opacity, picture, 1 - opacity, 0)


def read(picture: Picture) -> tuple[set[str], set[str]]:
    """What ZXing and OpenCV read."""
    first = {found.text for found in zxingcpp.read_barcodes(picture)}
    second, _points, _straight = cv2.QRCodeDetector().detectAndDecode(picture)
    if not second:
        second, _points, _straight = cv2.QRCodeDetectorAruco().detectAndDecode(picture)
    return first, {second} - {""}


def _whole(damage: Damage) -> Callable[[Print, Generator], Picture]:
    def done(of: Print, random: Generator) -> Picture:
        return damage(seen(of).picture, random)

    return done


def _untouched(of: Print, _random: Generator) -> Picture:
    return seen(of).picture


def _far(of: Print, _random: Generator) -> Picture:
    return seen(of, DISTANCE * 1.5).picture


def _stained(of: Print, random: Generator) -> Picture:
    return _stain(seen(of), random, 0.2, 0.6, spare_finders=False)


def _pasted_over(share: float) -> Callable[[Print, Generator], Picture]:
    def done(of: Print, random: Generator) -> Picture:
        return _stain(seen(of), random, share, 1.0)

    return done


def _all_a_little(of: Print, random: Generator) -> Picture:
    picture = cv2.GaussianBlur(tilted(seen(of).picture, random), (0, 0), 0.6)
    noise = random.normal(0, 8, picture.shape[:2])[:, :, None]
    shaded: Picture = np.clip(picture * 0.6 + noise, 0, _WHITE).astype(np.uint8)
    return shaded


#: Every damage by its words, in the order of the table.
DAMAGES: Final[Mapping[str, Callable[[Print, Generator], Picture]]] = {
    "none": _untouched,
    "blur": _whole(blurred),
    "noise": _whole(noisy),
    "tilt 30°": _whole(tilted),
    "dusk": _whole(dark),
    "stain 20 %, soaked in": _stained,
    "pasted over 12 %": _pasted_over(0.12),
    "tilt, blur, noise, shade": _all_a_little,
    "from 1.5 times as far": _far,
    "pasted over 20 %": _pasted_over(0.2),
}
#: What a code must stand at the distance that is told; the others show where it ends.
BEYOND: Final = ("pasted over 20 %", "from 1.5 times as far")
PROMISED: Final = tuple(name for name in DAMAGES if name not in BEYOND)
