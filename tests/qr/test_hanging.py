"""A clerk says from a telephone that a code hangs: place, photograph without what it carried, for staff alone."""

import io

import pytest
from PIL import Image

from tests.builders import FAR_VILLAGE, VILLAGE
from tests.conftest import Served
from tests.qr.conftest import FindCode

PHONE = {"accept": "text/html,application/xhtml+xml"}
CLERK = "clerk-210881006206"


def photograph(size: tuple[int, int] = (2400, 1800)) -> bytes:
    """A telephone's picture that says where and with what it was taken."""
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "SomeTelephone"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (40.0, 24.0, 18.4)
    Image.new("RGB", size, "grey").save(out, "JPEG", exif=exif.tobytes(), comment=b"secret comment")
    return out.getvalue()


async def test_a_hanging_is_kept_with_its_place_and_a_photograph_made_anew(qr: Served, valid_code: FindCode) -> None:
    code = (await valid_code(VILLAGE)).code
    answer = await qr.client.post(
        "/qr/v1/hangings",
        data={"code": code, "latitude": "40.40512", "longitude": "122.34871", "accuracy_m": "12.4"},
        files={"file": ("a.jpg", photograph())},
        headers=qr.bearer(CLERK),
    )
    assert answer.status_code == 201, answer.text
    assert answer.json() == {
        "code": code,
        "hung_at": "2026-11-24T02:00:00Z",
        "latitude": 40.40512,
        "longitude": 122.34871,
        "accuracy_m": 12,
        "photograph": True,
    }
    taken = await qr.client.get(f"/qr/v1/codes/{code}/photograph", headers=qr.bearer("reviewer-210881006"))
    assert (taken.status_code, taken.headers["content-type"]) == (200, "image/jpeg")
    assert taken.headers["cache-control"] == "private, no-store"
    picture = Image.open(io.BytesIO(taken.content))
    assert max(picture.size) == 1600
    assert not picture.getexif()
    assert b"SomeTelephone" not in taken.content
    assert b"secret" not in taken.content
    page = await qr.client.get(f"/posters/codes/{code}", headers={**PHONE, **qr.bearer(CLERK)})
    assert "北纬 40.40512，东经 122.34871（误差约 12 米）" in page.text
    assert f"/qr/v1/codes/{code}/photograph" in page.text


@pytest.mark.parametrize(
    ("who", "status"), [(None, 401), ("clerk-210881006208", 403), ("supervisor-210881006206", 200), ("operator", 200)]
)
async def test_the_photograph_is_for_staff_of_the_village(
    qr: Served, valid_code: FindCode, who: str | None, status: int
) -> None:
    code = (await valid_code(VILLAGE)).code
    headers = qr.bearer(who) if who else {}
    assert (await qr.client.get(f"/qr/v1/codes/{code}/photograph", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"MZ this is no picture", "看不懂这个文件"),
        (b"%PDF-1.7", "看不懂这个文件"),
        (photograph()[:3000], "看不懂这个文件"),
        (b"\xff\xd8" + b"x" * (10 * 1024 * 1024), "照片太大，最多 10 MiB"),
    ],
)
async def test_what_is_no_photograph_is_refused_and_nothing_is_kept(
    qr: Served, valid_code: FindCode, data: bytes, words: str
) -> None:
    code = (await valid_code(FAR_VILLAGE)).code
    answer = await qr.client.post(
        "/qr/v1/hangings", data={"code": code}, files={"file": ("a.jpg", data)}, headers=qr.bearer("operator")
    )
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["errors"][0]["message"]
    assert (await qr.client.get(f"/qr/v1/codes/{code}/photograph", headers=qr.bearer("operator"))).status_code == 404


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        ({"latitude": "91", "longitude": "0"}, "latitude"),
        ({"latitude": "0", "longitude": "181"}, "longitude"),
        ({"latitude": "north", "longitude": "0"}, "latitude"),
        ({"latitude": "nan", "longitude": "0"}, "latitude"),
        ({"latitude": "1", "longitude": "0", "accuracy_m": "-1"}, "accuracy_m"),
    ],
)
async def test_a_place_that_is_none_is_refused(qr: Served, valid_code: FindCode, sent: dict[str, str], at: str) -> None:
    code = (await valid_code(VILLAGE)).code
    answer = await qr.client.post("/qr/v1/hangings", data={"code": code, **sent}, headers=qr.bearer(CLERK))
    assert answer.status_code == 422
    assert at in answer.json()["errors"][0]["at"]


@pytest.mark.parametrize(
    ("who", "code", "status"),
    [
        (CLERK, "{far}", 403),
        (CLERK, "00000000", 404),
        (CLERK, "x", 404),
        ("inspector-210881", "{far}", 403),
        ("supervisor-210881006206", "{far}", 403),
    ],
)
async def test_who_hangs_what(qr: Served, valid_code: FindCode, who: str, code: str, status: int) -> None:
    far = (await valid_code(FAR_VILLAGE)).code
    answer = await qr.client.post("/qr/v1/hangings", data={"code": code.format(far=far)}, headers=qr.bearer(who))
    assert answer.status_code == status


async def test_the_phones_page_works_without_place_and_photograph(qr: Served, valid_code: FindCode) -> None:
    code = (await valid_code(VILLAGE)).code
    form = {"code": code, "latitude": "", "longitude": "", "accuracy_m": ""}
    answer = await qr.client.post(
        "/posters/hang", data=form, files={"file": ("", b"")}, headers={**PHONE, **qr.bearer(CLERK)}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, f"/posters/codes/{code}"), answer.text


async def test_with_a_code_its_photograph_goes(qr: Served, valid_code: FindCode) -> None:
    code = (await valid_code(FAR_VILLAGE)).code
    operator = qr.bearer("operator")
    sent = await qr.client.post(
        "/qr/v1/hangings", data={"code": code}, files={"file": ("a.jpg", photograph((80, 60)))}, headers=operator
    )
    assert sent.json()["photograph"] is True
    await qr.client.post(f"/qr/v1/codes/{code}/revoke", json={"reason": "被撕"}, headers=operator)
    assert (await qr.client.get(f"/qr/v1/codes/{code}/photograph", headers=operator)).status_code == 404
    async with qr.runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT photograph FROM hanging WHERE code = $1", code) is None
