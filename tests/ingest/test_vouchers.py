"""Pictures of vouchers behind lines: kept inside and sealed, matched, covered for good, shown only where somebody decided."""

import io
import re
from collections.abc import Sequence
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw

from services.contracts.bodies import Ledger
from services.ingest.commands.attachments import sweep
from services.ingest.commands.vouchers import voucher_of
from services.ingest.gate import vouchers as gate
from services.ingest.gate.vouchers import Box
from tests import builders
from tests.ingest import hostile
from tests.ingest.conftest import CLERK, PATH, REVIEWER, SUPERVISOR, Month

#: Where a number stands on the picture, in ten-thousandths.
NUMBER = "5000,5000,8000,7000"


def ledger() -> dict[str, Any]:
    """The small ledger with a voucher's number on each line."""
    body = builders.ledger()
    lines = [{**x, "voucher": {"word": "记", "no": n}} for n, x in enumerate(body["lines"], 1)]
    return {**body, "lines": lines}


def photograph(colour: str = "white") -> bytes:
    """A receipt with something red where `NUMBER` is."""
    drawn = Image.new("RGB", (400, 300), colour)
    ImageDraw.Draw(drawn).rectangle((200, 150, 320, 210), fill="red")
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=95)
    return out.getvalue()


async def send(month: Month, path: str, user: str = CLERK, **fields: str) -> Any:
    headers = {**month.served.bearer(user), "accept": "text/html"}
    return await month.served.client.post(path, data=fields, headers=headers)


async def look(month: Month, path: str, user: str = CLERK) -> Any:
    headers = {**month.served.bearer(user), "accept": "text/html"}
    return await month.served.client.get(path, headers=headers)


async def hand_in(
    month: Month, made: str, *files: tuple[str, bytes], user: str = CLERK, accept: str = "text/html"
) -> Any:
    sent = [("files", (name, data)) for name, data in files]
    headers = {**month.served.bearer(user), "accept": accept}
    return await month.served.client.post("/desk/vouchers", data={"id": made}, files=sent, headers=headers)


async def body_of(month: Month, made: str) -> dict[str, Any]:
    return dict((await month.done("GET", f"{PATH}/{made}", CLERK))["body"])


async def version_of(month: Month, made: str) -> int:
    return int((await month.done("GET", f"{PATH}/{made}", CLERK))["version"])


async def digests(month: Month) -> list[str]:
    rows = await month.rows("SELECT digest FROM attachment WHERE inside ORDER BY uploaded_at, voucher")
    return [r["digest"] for r in rows]


async def matched(month: Month, *names: str) -> tuple[str, list[str]]:
    """A draft with a picture behind each of its first lines."""
    made = await month.draft(body=ledger())
    colours = ("white", "yellow", "blue")
    answer = await hand_in(month, made, *((n, photograph(c)) for n, c in zip(names, colours, strict=False)))
    assert answer.status_code == 303, answer.text
    papers = await digests(month)
    await send(
        month,
        f"/desk/disclosures/{made}/vouchers",
        version="1",
        **{f"line|{d}": str(n) for n, d in enumerate(papers, 1)},
    )
    return made, papers


def point(content: bytes, at: tuple[int, int]) -> tuple[int, int, int]:
    with Image.open(io.BytesIO(content)) as opened:
        red, green, blue = opened.convert("RGB").getpixel(at)  # type: ignore[misc] # three bands
        return int(red), int(green), int(blue)


# -- inside -------------------------------------------------------------------------------------------------------


async def test_a_picture_rests_sealed_and_is_in_no_object_store(month: Month) -> None:
    made = await month.draft(body=ledger())
    assert (await hand_in(month, made, ("a.jpg", photograph()))).status_code == 303
    (digest,) = await digests(month)
    assert await month.served.runtime.own.objects.get(digest) is None
    [row] = await month.rows("SELECT original, thumbnail FROM attachment")
    assert b"\xff\xd8\xff" not in bytes(row["original"])[:64] + bytes(row["thumbnail"])[:64]
    whole = await look(month, f"/desk/attachments/{digest}")
    small = await look(month, f"/desk/attachments/{digest}?small=1")
    with Image.open(io.BytesIO(whole.content)) as one, Image.open(io.BytesIO(small.content)) as other:
        assert (one.size, other.size) == ((400, 300), (240, 180))
    assert (await look(month, f"/desk/attachments/{digest}", "reviewer-210881102")).status_code == 404


async def test_it_goes_with_its_draft(month: Month) -> None:
    made, _ = await matched(month, "记-1.jpg")
    await month.step(made, "discard", CLERK, await version_of(month, made))
    assert await month.rows("SELECT * FROM attachment") == []


async def test_one_that_was_handed_in_by_mistake_is_dropped_with_what_was_shown_of_it(month: Month) -> None:
    made, (digest,) = await matched(month, "记-1.jpg")
    await send(month, f"/desk/disclosures/{made}/vouchers/{digest}", how="cover", boxes=NUMBER)
    version = str(await version_of(month, made))
    await send(month, f"/desk/disclosures/{made}/vouchers", version=version, **{f"drop|{digest}": "yes"})
    line = (await body_of(month, made))["lines"][0]
    assert (line["attachments"], line["pictures"]) == ([], [])
    assert await digests(month) == []


async def test_a_pdf_stays_inside(month: Month) -> None:
    made = await month.draft(body=ledger())
    await hand_in(month, made, ("记-1.pdf", hostile.saved(hostile.plain())))
    (digest,) = await digests(month)
    page = (await look(month, f"/desk/disclosures/{made}/vouchers")).text
    assert "PDF，只留在村里，不公开" in page
    answer = await send(month, f"/desk/disclosures/{made}/vouchers/{digest}", how="clear")
    assert answer.status_code == 404


# -- covered ------------------------------------------------------------------------------------------------------


async def test_what_was_covered_is_gone_from_the_copy_that_is_shown(month: Month) -> None:
    made, (digest,) = await matched(month, "记-1.jpg")
    assert point((await look(month, f"/desk/attachments/{digest}")).content, (260, 180))[0] > 200
    answer = await send(month, f"/desk/disclosures/{made}/vouchers/{digest}", how="cover", boxes=NUMBER)
    assert answer.status_code == 303, answer.text
    line = (await body_of(month, made))["lines"][0]
    (shown,) = line["pictures"]
    assert (line["attachments"], shown == digest) == ([digest], False)
    content = await month.served.runtime.own.objects.get(shown)
    assert content is not None
    assert max(point(content, (260, 180))) < 10
    assert min(point(content, (20, 20))) > 240
    # Not one point of what was red is left, at the edges neither.
    with Image.open(io.BytesIO(content)) as opened:
        red, green, _ = opened.convert("RGB").split()
    lit = ImageChops.subtract(red, green)
    assert max(lit.tobytes()) < 60
    page = (await look(month, f"/desk/disclosures/{made}", REVIEWER)).text
    assert f"/desk/attachments/{shown}" in page
    assert "遮盖了 1 处，会公开" in page
    rows = await month.rows("SELECT action FROM action WHERE action LIKE '%vouchers/{digest}%'")
    assert len(rows) >= 1


async def test_a_picture_is_turned_after_it_was_covered() -> None:
    covered = gate.cover(gate.take(photograph()).content, [Box(5000, 5000, 8000, 7000)], 90)
    with Image.open(io.BytesIO(covered)) as opened:
        assert opened.size == (300, 400)
    assert max(point(covered, (120, 260))) < 10


async def test_drawn_anew_the_older_copy_may_not_be_shown_any_more(month: Month) -> None:
    made, (digest,) = await matched(month, "记-1.jpg")
    page = f"/desk/disclosures/{made}/vouchers/{digest}"
    await send(month, page, how="cover", boxes="0,0,100,100")
    before = await body_of(month, made)
    (old,) = before["lines"][0]["pictures"]
    await send(month, page, how="cover", boxes=NUMBER)
    (new,) = (await body_of(month, made))["lines"][0]["pictures"]
    assert new != old
    version = await version_of(month, made)
    problem = await month.refused(
        422, "missing_attachment", "PUT", f"{PATH}/{made}", CLERK, {"version": version, "body": before}
    )
    assert problem["errors"][0]["at"] == "body.lines[0].pictures[0]"
    await send(month, page, how="hide")
    assert (await body_of(month, made))["lines"][0]["pictures"] == []


async def test_nothing_is_saved_before_every_picture_was_decided_on(month: Month) -> None:
    made, papers = await matched(month, "记-1.jpg", "记-2.jpg")
    version = await version_of(month, made)
    answer = await send(month, f"/desk/disclosures/{made}/vouchers/{papers[0]}", how="cover", boxes=NUMBER)
    assert answer.headers["location"].endswith(papers[1])
    assert await version_of(month, made) == version
    answer = await send(month, f"/desk/disclosures/{made}/vouchers/{papers[1]}", how="clear")
    assert answer.headers["location"].endswith("/vouchers")
    assert await version_of(month, made) == version + 1
    assert [len(x["pictures"]) for x in (await body_of(month, made))["lines"]][:2] == [1, 1]


async def test_a_form_that_is_saved_keeps_the_pictures_of_its_lines(month: Month) -> None:
    made, (digest,) = await matched(month, "记-1.jpg")
    await send(month, f"/desk/disclosures/{made}/vouchers/{digest}", how="cover", boxes=NUMBER)
    before = (await body_of(month, made))["lines"][0]
    page = (await look(month, f"/desk/disclosures/{made}/edit")).text
    assert before["pictures"][0] in page
    assert digest in page


# -- what may not be shown ----------------------------------------------------------------------------------------


async def test_a_picture_that_nobody_covered_cannot_be_named_by_a_program(month: Month) -> None:
    made, (digest,) = await matched(month, "记-1.jpg")
    body = await body_of(month, made)
    version = await version_of(month, made)
    for wrong, at in (
        ({**body, "lines": [{**body["lines"][0], "pictures": [digest]}, *body["lines"][1:]]}, "lines[0].pictures[0]"),
        ({**body, "attachments": [{"digest": digest, "title": "收据"}]}, "attachments[0].digest"),
        ({**body, "lines": [{**body["lines"][0], "pictures": ["ab" * 32]}, *body["lines"][1:]]}, "lines[0].pictures"),
    ):
        told = {"version": version, "body": wrong}
        problem = await month.refused(422, "missing_attachment", "PUT", f"{PATH}/{made}", CLERK, told)
        assert at in problem["errors"][0]["at"]


@pytest.mark.parametrize(
    "boxes",
    [
        "",
        "1,2,3",
        "a,b,c,d",
        "5000,5000,4000,6000",
        "0,0,10001,10",
        "1,1,1,1",
        "0,0,9999999999,5",
        "0,0,-1,5",
        "٣,0,9,9",
    ],
)
async def test_boxes_that_cover_nothing_are_refused_and_nothing_is_shown(month: Month, boxes: str) -> None:
    made, (digest,) = await matched(month, "记-1.jpg")
    answer = await send(month, f"/desk/disclosures/{made}/vouchers/{digest}", how="cover", boxes=boxes)
    assert answer.status_code == 422
    assert "遮盖框" in answer.text
    assert await month.rows("SELECT * FROM redaction") == []


def test_more_boxes_than_anybody_draws_are_refused() -> None:
    with pytest.raises(ValueError, match="最多 100 个"):
        gate.read_boxes(";".join([NUMBER] * 101))


@pytest.mark.parametrize(
    ("data", "why"), [(b"MZ", "看不懂"), (b"", "文件是空的"), (b"%PDF-1.7\nhalf", "不完整"), (b"<svg/>", "看不懂")]
)
async def test_what_is_no_picture_is_named_and_the_others_are_taken(month: Month, data: bytes, why: str) -> None:
    made = await month.draft(body=ledger())
    answer = await hand_in(month, made, ("坏的.jpg", data), ("好的.jpg", photograph()))
    assert answer.status_code == 422
    assert why in answer.text
    assert "坏的.jpg" in answer.text
    assert len(await digests(month)) == 1
    problem = (await hand_in(month, made, ("坏的.jpg", data), accept="application/json")).json()
    assert why in problem["errors"][0]["message"]


async def test_what_is_an_attachment_already_cannot_be_kept_inside(month: Month) -> None:
    made, paper = await month.draft(body=ledger()), hostile.saved(hostile.plain())
    post, own = month.served.client.post, month.served.bearer(CLERK)
    sent = await post("/ingest/v1/attachments", files={"file": paper}, data={"village": builders.VILLAGE}, headers=own)
    assert sent.status_code == 201
    answer = await hand_in(month, made, ("1.pdf", paper))
    assert (answer.status_code, "已经作为附件上传过" in answer.text) == (422, True)


async def test_pictures_go_in_only_while_the_village_enters(month: Month) -> None:
    made, (digest,) = await matched(month, "记-1.jpg")
    await month.step(made, "submit", CLERK, await version_of(month, made))
    assert (await hand_in(month, made, ("b.jpg", photograph("green")))).status_code == 409
    page = f"/desk/disclosures/{made}/vouchers/{digest}"
    assert (await send(month, page, how="cover", boxes=NUMBER)).status_code == 409
    for user, status in ((SUPERVISOR, 403), ("clerk-210881006208", 403), ("inspector-210881", 403)):
        assert (await hand_in(month, made, ("b.jpg", photograph("green")), user=user)).status_code == status
        assert (await look(month, f"/desk/disclosures/{made}/vouchers", user)).status_code == status


async def test_a_roster_and_totals_alone_have_no_vouchers(month: Month) -> None:
    made = await month.draft(item="V09", period="2026Q2", body={"kind": "roster", "entries": [{"name": "张三丰"}]})
    assert (await look(month, f"/desk/disclosures/{made}/vouchers")).status_code == 409
    assert "/vouchers" not in (await look(month, f"/desk/disclosures/{made}")).text


async def test_who_approves_alone_cannot_clear_a_picture_alone(month: Month) -> None:
    await month.delegate(REVIEWER, "盖镇委托〔2026〕1号")
    await month.confirmations("F01")
    try:
        await _cleared_and_approved_alone(month)
    finally:
        await month.confirmations("F01", "supervisors")


async def _cleared_and_approved_alone(month: Month) -> None:
    made = str((await month.done("POST", PATH, REVIEWER, builders.disclosure(body=ledger())))["id"])
    await hand_in(month, made, ("记-1.jpg", photograph()), user=REVIEWER)
    (digest,) = await digests(month)
    page = f"/desk/disclosures/{made}/vouchers"
    await send(month, page, REVIEWER, version="1", **{f"line|{digest}": "1"})
    await send(month, f"{page}/{digest}", REVIEWER, how="clear")
    version = await version_of(month, made)
    await month.step(made, "submit", REVIEWER, version)
    problem = await month.refused(403, "same_person", "POST", f"{PATH}/{made}/approve", REVIEWER, {"version": version})
    assert "无需遮盖" in problem["detail"]


async def test_withdrawn_and_erased_the_picture_and_its_copy_are_gone(month: Month) -> None:
    made, (digest,) = await matched(month, "记-1.jpg")
    await send(month, f"/desk/disclosures/{made}/vouchers/{digest}", how="cover", boxes=NUMBER)
    (shown,) = (await body_of(month, made))["lines"][0]["pictures"]
    version = await version_of(month, made)
    for action, user in (("submit", CLERK), ("confirm", SUPERVISOR), ("approve", REVIEWER)):
        await month.step(made, action, user, version)
    await month.step(made, "withdraw", REVIEWER, version, reason="传错了")
    await month.erased()
    await sweep(month.served.runtime)
    assert await month.served.runtime.own.objects.get(shown) is None
    assert await month.rows("SELECT digest FROM attachment UNION ALL SELECT digest FROM redaction") == []


async def test_the_same_picture_behind_another_draft_is_decided_on_anew(month: Month) -> None:
    made, (digest,) = await matched(month, "记-1.jpg")
    await send(month, f"/desk/disclosures/{made}/vouchers/{digest}", how="clear")
    other = await month.draft(period="2026-08", body={**ledger(), "lines": ledger()["lines"][:1], "totals": None})
    await hand_in(month, other, ("记-1.jpg", photograph()))
    page = f"/desk/disclosures/{other}/vouchers"
    assert "还没有遮盖，不公开" in (await look(month, page)).text
    await send(month, page, version="1", **{f"line|{digest}": "1"})
    assert (await body_of(month, other))["lines"][0]["pictures"] == []
    await send(month, f"{page}/{digest}", how="cover", boxes=NUMBER)
    assert len((await body_of(month, made))["lines"][0]["pictures"]) == 1


# -- names of files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "voucher"),
    [
        *(("记-12.jpg", "记-12"), ("记12号.JPG", "记-12"), ("记_012(2).png", "记-12"), ("12.jpg", "记-12")),
        *(("记-12-2.jpg", "记-12"), ("付-3.pdf", "付-3"), ("3.jpg", None), ("记-99.jpg", None)),
        *(
            ("IMG_20261103_1234.jpg", None),
            ("微信图片_12.jpg", None),
            ("DSC00012.jpg", None),
            ("", None),
            (".jpg", None),
        ),
    ],
)
def test_a_files_name_proposes_the_voucher_that_it_tells(name: str, voucher: str | None) -> None:
    body = builders.ledger()
    numbers: Sequence[tuple[str, int]] = [("记", 12), ("付", 3), ("记", 3)]
    lines = [{**body["lines"][0], "voucher": {"word": w, "no": n}} for w, n in numbers]
    read = Ledger.model_validate({**body, "lines": lines, "totals": None})
    assert voucher_of(name, read.lines) == voucher


async def test_the_page_proposes_the_line_and_nothing_is_public_before_somebody_saved_it(month: Month) -> None:
    made = await month.draft(body=ledger())
    await hand_in(month, made, ("记-2.jpg", photograph()))
    page = (await look(month, f"/desk/disclosures/{made}/vouchers")).text
    assert "按文件名猜的，请看一眼" in page
    (digest,) = await digests(month)
    assert re.search(rf'name="line\|{digest}"[^>]* value="2">', page)
    assert (await body_of(month, made))["lines"][1]["attachments"] == []


@pytest.mark.parametrize(
    ("typed", "why"), [("99", "没有第 99 行"), ("三", "不是行号"), ("-1", "不是行号"), ("0", "不是行号")]
)
async def test_a_line_that_there_is_not_is_told_and_nothing_is_saved(month: Month, typed: str, why: str) -> None:
    made = await month.draft(body=ledger())
    await hand_in(month, made, ("a.jpg", photograph()))
    (digest,) = await digests(month)
    answer = await send(month, f"/desk/disclosures/{made}/vouchers", version="1", **{f"line|{digest}": typed})
    assert (answer.status_code, why in answer.text) == (422, True)
    assert await version_of(month, made) == 1


async def test_two_people_at_one_draft_do_not_overwrite_each_other(month: Month) -> None:
    made, (digest,) = await matched(month, "记-1.jpg")
    answer = await send(month, f"/desk/disclosures/{made}/vouchers", version="1", **{f"line|{digest}": "2"})
    assert (answer.status_code, "不是最新的一版" in answer.text) == (409, True)
    assert (await body_of(month, made))["lines"][0]["attachments"] == [digest]
