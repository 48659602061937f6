"""Pictures for messages and other sites: their size and words, the same for the same content, none of persons, gone with what they tell."""

import io
from typing import Any

import pytest
from PIL import Image

from services.publish.render.card import SHAPES, Card, drawn
from tests import builders
from tests.publish import bodies

VILLAGE = builders.NEIGHBOUR


async def picture_of(publish: Any, path: str) -> Image.Image:
    answer = await publish.get(path)
    assert answer.headers["content-type"] == "image/png"
    assert len(answer.content) < 200_000
    await publish.get(path, 304, If_None_Match=answer.headers["etag"])
    return Image.open(io.BytesIO(answer.content))


async def test_a_village_and_a_disclosure_have_pictures_of_both_shapes_that_their_pages_name(publish: Any) -> None:
    event = await publish.opened(village=VILLAGE)
    for place in (f"/v/{VILLAGE}", f"/d/{event.aggregate_id}"):
        for shape, size in SHAPES.items():
            assert (await picture_of(publish, f"{place}/card-{shape}.png")).size == size
        page = (await publish.get(place)).text
        assert f'property="og:image" content="http://127.0.0.1:8000{place}/card-wide.png"' in page


def test_the_same_card_is_the_same_picture_and_another_figure_another() -> None:
    card = Card(
        "盖州市西海街道", "西海村委会", (("还剩", "47,985.00元"),), ("账算得上 ✓",), "sanwu.example", sample=True
    )
    other = Card(
        "盖州市西海街道", "西海村委会", (("还剩", "47,985.01元"),), ("账算得上 ✓",), "sanwu.example", sample=True
    )
    assert drawn(card, "wide") == drawn(card, "wide")
    assert drawn(card, "wide") != drawn(other, "wide") != drawn(other, "tall")


@pytest.mark.parametrize("text", ["#pagebreak()", '"]) #text[', "\\#{}$_*", "长" * 200, "", "@a <b> `c`"])
def test_no_text_is_taken_for_the_templates_own(text: str) -> None:
    card = Card(text or "x", text or "x", ((text, text),), (text or "x",), text, sample=False)
    for shape, size in SHAPES.items():
        assert Image.open(io.BytesIO(drawn(card, shape))).size == size


async def test_names_stand_in_no_picture(publish: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def listen(card: Card, _shape: str) -> bytes:
        told.append(str(card))
        return b""

    event = await publish.opened(item="V03", period="2026Q3", body=bodies.roster())
    monkeypatch.setattr("services.publish.open_data.cards.drawn", listen)
    await publish.get(f"/d/{event.aggregate_id}/card-wide.png")
    assert told
    for name in ("张", "李秀英", "李某某"):
        assert name not in told[0]


@pytest.mark.parametrize("address", ["/v/999999999999", "/d/nobody"])
async def test_pictures_of_nothing_and_of_no_shape_are_refused(publish: Any, address: str) -> None:
    await publish.get(f"{address}/card-wide.png", 404)
    await publish.get(f"/v/{VILLAGE}/card-round.png", 404)


async def test_a_withdrawn_disclosure_has_no_picture(publish: Any) -> None:
    event = await publish.opened(item="F02", period="2020")
    await publish.get(f"/d/{event.aggregate_id}/card-tall.png")
    await publish.withdrawn(event)
    await publish.get(f"/d/{event.aggregate_id}/card-tall.png", 410)
    assert "og:image" not in (await publish.get(f"/d/{event.aggregate_id}", 410)).text
