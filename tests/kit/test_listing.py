"""Cursors and pages: what a list tells of itself can be gone on with, and nothing else can."""

from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import pytest
from pydantic import AwareDatetime, Field

from services.kit.errors import InvalidInputError
from services.kit.listing import Cursor, Listing, Page, Serial


class Place(NamedTuple):
    level: Annotated[int, Field(ge=1, le=3)]
    at: AwareDatetime
    name: str


AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
PLACES = Cursor[Place](Place)
NUMBERS = Cursor[int](Serial)


@pytest.mark.parametrize("place", [Place(1, AT, "北"), Place(3, AT, ""), Place(2, AT, 'a"b')])
def test_a_place_comes_back_as_it_was(place: Place) -> None:
    assert PLACES.place(PLACES.text(place)) == place


def test_a_number_is_its_digits() -> None:
    assert NUMBERS.text(1234) == "MTIzNA=="
    assert NUMBERS.place("MTIzNA==") == 1234


STRANGE: list[tuple[Cursor[Any], str]] = [
    (NUMBERS, ""),
    (NUMBERS, "!"),
    (NUMBERS, "MTIzNA"),  # without its padding
    (NUMBERS, Cursor[str](str).text("7")),
    (NUMBERS, Cursor[int](int).text(-1)),
    (NUMBERS, Cursor[int](int).text(2**63)),
    (NUMBERS, Cursor[float](float).text(1.5)),
    (NUMBERS, PLACES.text(Place(1, AT, ""))),
    (PLACES, NUMBERS.text(1)),
    (PLACES, Cursor[list[Any]](list[Any]).text([4, "2026-11-24T02:00:00Z", "a"])),
    (PLACES, Cursor[list[Any]](list[Any]).text([1, "2026-11-24T02:00:00", "a"])),
    (PLACES, Cursor[list[Any]](list[Any]).text([1, "2026-11-24T02:00:00Z"])),
    (PLACES, Cursor[list[Any]](list[Any]).text([1, "2026-11-24T02:00:00Z", "a", "b"])),
]


@pytest.mark.parametrize(("cursor", "text"), STRANGE)
def test_what_is_no_place_of_the_list_is_refused_by_name(cursor: Cursor[Any], text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        cursor.place(text)
    assert [f.at for f in refused.value.faults] == ["query.cursor"]


@pytest.mark.parametrize(("rows", "items", "follows"), [(0, 0, False), (1, 1, False), (2, 2, False), (3, 2, True)])
def test_one_row_more_than_is_shown_tells_that_something_follows(rows: int, items: int, *, follows: bool) -> None:
    page = Page(2, None, NUMBERS)
    assert page.fetch_limit == 3
    listing: Listing[str] = page.of(list(range(10, 10 + rows)), lambda n: n, str)
    assert len(listing.items) == items
    assert listing.next == (NUMBERS.text(11) if follows else None)
