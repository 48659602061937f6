"""A qr that has heard of the small city, and readers of codes and posters."""

from collections.abc import Awaitable, Callable
from typing import Any

import cv2
import pypdfium2
import pytest
import pytest_asyncio
import zxingcpp
from numpy.typing import NDArray

from services.contracts.code import Code, CodeSet
from services.contracts.division import DivisionSet
from tests import builders
from tests.conftest import Served, ServiceFactory

Picture = NDArray[Any]
FindCode = Callable[[str], Awaitable[Code]]


@pytest_asyncio.fixture
async def qr(service: ServiceFactory) -> Served:
    """The service, with the small city's divisions heard."""
    served = await service("qr")
    await served.hear(*(e for e in builders.reference_events() if isinstance(e, DivisionSet)))
    return served


@pytest.fixture
def valid_code(qr: Served) -> FindCode:
    """A village's valid code, as the service last said it."""

    async def find(village: str) -> Code:
        states: dict[str, CodeSet] = {}
        for text in await qr.said("code.set.v1"):
            event = CodeSet.model_validate_json(text)
            if event.code.code not in states or event.aggregate_version > states[event.code.code].aggregate_version:
                states[event.code.code] = event
        return next(e.code for e in states.values() if e.code.village == village and e.code.state == "valid")

    return find


def read_both(picture: Picture) -> set[str]:
    """What two independent readers see in a picture."""
    first = {found.text for found in zxingcpp.read_barcodes(picture)}
    # OpenCV's first way of finding misses 2 in 100 codes that its second finds (10 of 500, all 10 found); ZXing missed none.
    second, _points, _straight = cv2.QRCodeDetector().detectAndDecode(picture)
    if not second:
        second, _points, _straight = cv2.QRCodeDetectorAruco().detectAndDecode(picture)
    return first | {second}


def pages(pdf: bytes) -> list[Picture]:
    """A PDF's pages as pictures, 100 dpi."""
    document = pypdfium2.PdfDocument(pdf)
    return [page.render(scale=100 / 72).to_numpy()[:, :, :3].copy() for page in document]


def texts(pdf: bytes) -> list[str]:
    """The text of each page, without spaces and line breaks."""
    document = pypdfium2.PdfDocument(pdf)
    return ["".join(page.get_textpage().get_text_bounded().split()) for page in document]
