"""A print of every form is read after what happens to it on a wall: a small part of what `python -m tests.codes` measures."""

import numpy as np
import pytest

from services.qr.render.poster import FORMS, Form, posters
from tests.codes.__main__ import AT, SITE, measure, poster_of, table
from tests.codes.damage import DAMAGES, PROMISED, Print, cut_out, read, seen, seen_width


@pytest.mark.parametrize("form", list(Form))
def test_every_form_is_read_by_one_of_two_readers_after_every_damage_that_is_promised(form: Form) -> None:
    rates = {r.damage: r for r in measure(form, prints=1, times=5) if r.damage in PROMISED}
    assert set(rates) == set(PROMISED)
    assert {name: r.either for name, r in rates.items()} == dict.fromkeys(PROMISED, 5)


def test_from_ten_times_its_width_a_symbol_is_148_pixels_wide() -> None:
    assert round(seen_width(10)) == 148
    of = cut_out(posters([poster_of(Form.CARD, 1)], SITE, AT, Form.CARD))
    assert of.box[2] - of.box[0] == pytest.approx(FORMS[Form.CARD].symbol_mm / 25.4 * 300, rel=0.02)
    left, _, right, _ = seen(of).box
    assert right - left == pytest.approx(148, abs=2)


def test_what_is_pasted_over_wholly_is_not_read() -> None:
    of = seen(cut_out(posters([poster_of(Form.CARD, 1)], SITE, AT, Form.CARD)))
    left, top, right, bottom = of.box
    picture = of.picture.copy()
    picture[top : (top + bottom) // 2, left:right] = 255
    assert read(picture) == (set(), set())


@pytest.mark.parametrize("name", ["blur", "noise", "tilt 30°", "dusk", "stain 20 %, soaked in", "pasted over 12 %"])
def test_a_damage_changes_a_good_part_of_the_picture(name: str) -> None:
    of = cut_out(posters([poster_of(Form.CARD, 1)], SITE, AT, Form.CARD))
    whole = DAMAGES["none"](of, np.random.default_rng(1)).astype(int)
    hurt = DAMAGES[name](of, np.random.default_rng(1)).astype(int)
    assert np.abs(whole - hurt).mean() > 3


def test_the_table_tells_both_readers_and_marks_what_is_not_promised() -> None:
    text = table(list(measure(Form.CARD, prints=1, times=1)))
    assert "| none | 100.0 / 100.0 / 100.0 |" in text
    assert "| pasted over 20 % * |" in text
    assert "1 tries a field" in text
    assert [name for name in PROMISED if f"\n| {name} |" not in text] == []


def test_a_print_that_is_white_is_no_symbol() -> None:
    white = Print(np.full((200, 200, 3), 255, np.uint8), (20, 20, 180, 180))
    assert read(seen(white).picture) == (set(), set())
