"""Villages are found as people type them; look-alikes are offered and never guessed; persons are never found."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.contracts.division import DivisionKind
from services.publish.render.places import Items, Township, Village
from services.publish.render.search import Found, core_of, search, sound_of
from services.registry.bulk.catalogue import read_items
from services.registry.bulk.divisions import City, read_divisions
from tests import builders

_DATA = Path(__file__).parents[2] / "deploy" / "data"
_CITY = City("210881", "盖州市", since=date(2020, 1, 1), sample=True, duties_from=date(2026, 1, 1), profile="default")


def _villages() -> list[Village]:
    divisions = read_divisions((_DATA / "gaizhou-villages.csv").read_bytes(), _CITY)
    names = {d.code: d.now.name for d in divisions}
    return [
        Village(d.code, d.now.name, d.now.kind, Township(d.now.parent or "", names[d.now.parent or ""], "盖州市"))
        for d in divisions
        if d.now.kind in {DivisionKind.VILLAGE, DivisionKind.COMMUNITY}
    ]


VILLAGES = _villages()
ITEMS: Items = {i.code: i for i in read_items((_DATA / "catalogue.csv").read_bytes(), date(2020, 1, 1))}


def found(text: str) -> Found:
    return search(text, VILLAGES, ITEMS)


@pytest.mark.parametrize("village", VILLAGES, ids=lambda v: v.code)
def test_every_village_is_found_first_by_its_name_its_sound_and_its_code(village: Village) -> None:
    core = core_of(village.name)
    sound, initials = sound_of(core)
    for text in (village.name, core, village.code):
        villages = found(text).villages
        assert village in villages[: sum(core_of(v.name) == core for v in VILLAGES)], text
    assert village in found(sound).villages
    assert village in found(sound.upper()).villages
    assert village in found(f"{initials} {core}").villages


@pytest.mark.parametrize(
    "text",
    ["西海", "西海村", "西海村委会", "xihai", "xihaicun", "xihaicunweihui", "\uff38\uff29\uff28\uff21\uff29", " 西海 "],
)
def test_a_name_is_read_however_it_is_typed(text: str) -> None:
    assert found(text).villages[0].code == builders.VILLAGE


def test_look_alikes_are_offered_where_nothing_is_the_same() -> None:
    missed = found("正西海村")
    assert missed.villages == []
    assert builders.VILLAGE in {v.code for v in missed.alike}
    assert not missed.is_empty


def test_a_village_and_an_item_lead_to_the_page() -> None:
    both = found("西海村委会 低保")
    assert [v.code for v in both.villages] == [builders.VILLAGE]
    assert both.items
    assert all(i.url is not None and i.url.startswith(f"/v/{builders.VILLAGE}/") for i in both.items)
    assert all(i.url is None for i in found("低保").items)


@pytest.mark.parametrize("text", ["", "   ", "\u3000"])
def test_nothing_asked_is_nothing_found_and_no_reproach(text: str) -> None:
    told = found(text)
    assert (told.villages, told.items, told.is_empty) == ([], [], False)


@pytest.mark.parametrize("text", ["zzzzqq", "%", "<b>", "' OR 1=1 --", "（）", "9" * 60])
def test_what_is_nowhere_is_told_so(text: str) -> None:
    assert found(text).is_empty


async def test_the_page_has_its_box_everywhere_and_shows_no_markup_and_no_name(publish: Any) -> None:
    page = (await publish.get("/search?q=西海")).text
    assert f'href="/v/{builders.VILLAGE}"' in page
    assert 'name="robots" content="noindex"' in page
    for path, status in (("/", 200), ("/nothing-here", 404), ("/search", 200)):
        assert 'action="/search"' in (await publish.get(path, status)).text
    told = (await publish.get("/search?q=<script>alert(1)</script>")).text
    assert "<script" not in told
    await publish.opened()
    person = await publish.get("/search?q=张建国")
    assert "/d/" not in person.text
    await publish.get(f"/search?q={'长' * 61}", 422)
