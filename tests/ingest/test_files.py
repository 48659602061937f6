"""Attachments, signed sheets, prepared files over HTTP: what is taken, what is not, what is left of it afterwards."""

import io
import json
from typing import Any

import pytest
import segno
from PIL import Image

from services.ingest.bulk.prepared import read_prepared
from services.ingest.commands.attachments import sweep
from services.ingest.gate.sheets import sheet_code
from services.ingest.jobs import queue_unused_files
from tests import builders
from tests.ingest.conftest import ACCOUNTANT, CLERK, PATH, REVIEWER, SUPERVISOR, Month

FILES, IMPORTS = "/ingest/v1/attachments", "/ingest/v1/imports"


def picture(colour: str = "red", size: tuple[int, int] = (60, 40), **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", **more)
    return out.getvalue()


async def upload(month: Month, data: bytes, user: str = CLERK, village: str = builders.VILLAGE) -> Any:
    return await month.served.client.post(
        FILES, files={"file": ("a.jpg", data)}, data={"village": village}, headers=month.served.bearer(user)
    )


# -- attachments --------------------------------------------------------------------------------------------------


async def test_a_file_is_kept_twice_public_and_sealed(month: Month) -> None:
    data = picture()
    made = (await upload(month, data)).json()
    answer = await month.ask("GET", f"{FILES}/{made['digest']}", REVIEWER)
    assert (answer.headers["content-type"], len(answer.content)) == ("image/jpeg", made["bytes"])
    [row] = await month.rows("SELECT original FROM attachment")
    assert data not in bytes(row["original"])
    await month.refused(404, "unknown_attachment", "GET", f"{FILES}/{made['digest']}", "reviewer-210881102")
    await month.refused(422, "invalid_input", "GET", f"{FILES}/{'A' * 64}", REVIEWER)


@pytest.mark.parametrize(
    ("user", "village", "status"),
    [("clerk-210881006208", builders.VILLAGE, 403), ("inspector-210881", builders.VILLAGE, 403), (CLERK, "1", 422)],
)
async def test_who_may_not_uploads_nothing(month: Month, user: str, village: str, status: int) -> None:
    assert (await upload(month, picture(), user, village)).status_code == status


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"no part of it"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nnameless\r\n--x--\r\n"),
    ],
)
async def test_a_broken_upload_is_told_in_the_readers_language(month: Month, kind: str, content: bytes) -> None:
    headers = {**month.served.bearer(CLERK), "content-type": kind}
    answer = await month.served.client.post(FILES, content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    message = "无法读取，应为完整的表单，请重新上传"
    assert answer.json()["errors"] == [{"at": "body", "message": message}]


async def test_a_file_of_more_than_ten_mebibytes_is_refused_while_it_comes(month: Month) -> None:
    assert (await upload(month, b"\xff" * (11 * 1024 * 1024))).status_code == 413


async def test_a_body_names_only_files_of_its_village(month: Month) -> None:
    digest = "ab" * 32
    body = builders.ledger(attachments=[{"digest": digest, "title": "收据"}])
    problem = await month.refused(422, "missing_attachment", "POST", PATH, CLERK, builders.disclosure(body=body))
    assert problem["errors"] == [{"at": "body.attachments[0].digest", "message": "没有上传过这个附件"}]


async def test_withdrawing_deletes_the_file_and_its_original(month: Month) -> None:
    digest = (await upload(month, picture("blue"))).json()["digest"]
    made = await month.approved(body=builders.ledger(attachments=[{"digest": digest, "title": "收据"}]))
    runtime = month.served.runtime
    objects = runtime.own.objects
    await sweep(runtime)
    assert await objects.get(digest) is not None
    await month.step(made, "withdraw", REVIEWER, reason="传错了")
    await month.erased()
    await sweep(runtime)
    assert await objects.get(digest) is None
    assert await month.rows("SELECT * FROM attachment") == []


async def test_a_file_that_another_disclosure_names_stays(month: Month) -> None:
    digest = (await upload(month, picture("green"))).json()["digest"]
    body = builders.ledger(attachments=[{"digest": digest, "title": "收据"}])
    made = await month.approved(body=body)
    await month.draft(period="2026-09", body={**body, "lines": [], "totals": None})
    await month.step(made, "withdraw", REVIEWER, reason="传错了")
    await month.erased()
    runtime = month.served.runtime
    await sweep(runtime)
    assert await runtime.own.objects.get(digest) is not None


async def test_a_file_that_nobody_uses_goes_after_a_week(month: Month) -> None:
    digest = (await upload(month, picture("white"))).json()["digest"]
    runtime, objects = month.served.runtime, month.served.runtime.own.objects
    month.served.clock.advance(days=6)
    await queue_unused_files(runtime)
    await sweep(runtime)
    assert await objects.get(digest) is not None
    month.served.clock.advance(days=2)
    await queue_unused_files(runtime)
    await sweep(runtime)
    assert await objects.get(digest) is None


# -- signed sheets ------------------------------------------------------------------------------------------------


def photograph(text: str) -> bytes:
    """A sheet as a telephone sees it: a little turned, on a grey table."""
    code = io.BytesIO()
    segno.make(text, error="q", micro=False).save(code, kind="png", scale=6)
    sheet = Image.new("RGB", (900, 1200), "white")
    sheet.paste(Image.open(io.BytesIO(code.getvalue())).convert("RGB"), (500, 120))
    out = io.BytesIO()
    sheet.rotate(9, expand=True, fillcolor=(90, 90, 90)).save(out, "JPEG", quality=55)
    return out.getvalue()


async def test_a_signed_sheet_confirms_for_those_who_signed(month: Month) -> None:
    await month.profile(supervisors_needed=2)
    await month.named(supervisor_210881006206="张国建", supervisor_210881006206_2="李志文")
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    [row] = await month.rows("SELECT id, edition, digest FROM disclosure")
    code = sheet_code(row["id"], row["edition"], row["digest"])
    digest = (await upload(month, photograph(code.text))).json()["digest"]
    body = {"version": 1, "sheet": digest}
    await month.refused(422, "sheet_needs_names", "POST", f"{PATH}/{made}/confirm", REVIEWER, body)
    one = await month.step(made, "confirm", REVIEWER, sheet=digest, names=["张国建"])
    assert one["state"] == "submitted"
    two = await month.step(made, "confirm", REVIEWER, sheet=digest, names=["张国建", "李志文"])
    assert two["state"] == "confirmed"


async def test_a_sheet_of_another_edition_or_without_a_code_confirms_nothing(month: Month) -> None:
    await month.named(supervisor_210881006206="张国建")
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    [row] = await month.rows("SELECT id, edition, digest FROM disclosure")
    for text in (sheet_code(row["id"], 2, row["digest"]).text, "SANWU1:hello", "http://example.org"):
        digest = (await upload(month, photograph(text))).json()["digest"]
        body = {"version": 1, "sheet": digest, "names": ["张国建"]}
        await month.refused(422, "wrong_sheet", "POST", f"{PATH}/{made}/confirm", REVIEWER, body)
    body = {"version": 1, "sheet": "cd" * 32, "names": ["张国建"]}
    await month.refused(422, "missing_attachment", "POST", f"{PATH}/{made}/confirm", SUPERVISOR, body)


# -- prepared files -----------------------------------------------------------------------------------------------

HEAD = "村代码,事项,公开期,行别,账户,期初,期末,日期,摘要,收支,金额,科目,收款人,凭证字,凭证号\n"
ROWS = (
    "{v},F01,2026-10,账户,银行存款,1000.00,900.50,,,,,,,,\n"
    "{v},F01,2026-10,明细,银行,,,10月3日,修水管,支出,100.50,管理费用,五金店,记,1\n"
    "{v},F01,2026-10,明细,银行,,,2026.10.4,收租金,收入,1.00,经营收入,,记,2\n"
)


def sheet(*villages: str) -> bytes:
    return (HEAD + "".join(ROWS.format(v=v) for v in villages)).encode()


async def send(month: Month, data: bytes, user: str = ACCOUNTANT, name: str = "十月.csv") -> Any:
    return await month.served.client.post(IMPORTS, files={"file": (name, data)}, headers=month.served.bearer(user))


async def test_one_file_of_two_villages_makes_two_drafts_and_can_be_undone(month: Month) -> None:
    made = (await send(month, sheet(builders.VILLAGE, builders.NEIGHBOUR))).json()
    assert [(d["village"], d["state"], d["findings"]) for d in made["disclosures"]] == [
        (builders.VILLAGE, "draft", []),
        (builders.NEIGHBOUR, "draft", []),
    ]
    body = (await month.done("GET", f"{PATH}/{made['disclosures'][0]['id']}", CLERK))["body"]
    assert [(x["date"], x["amount_fen"]) for x in body["lines"]] == [("2026-10-03", 10_050), ("2026-10-04", 100)]
    await month.step(made["disclosures"][0]["id"], "submit", CLERK)
    undone = await month.done("DELETE", f"{IMPORTS}/{made['id']}", ACCOUNTANT)
    assert (len(undone["removed"]), [d["village"] for d in undone["kept"]]) == (1, [builders.VILLAGE])
    await month.refused(409, "already_undone", "DELETE", f"{IMPORTS}/{made['id']}", ACCOUNTANT)


async def test_nothing_is_taken_when_anything_is_wrong(month: Month) -> None:
    data = sheet(builders.VILLAGE, builders.FAR_VILLAGE)
    problem = (await send(month, data)).json()
    assert problem["code"] == "import_faults"
    assert "第 5 行" in problem["errors"][0]["at"]
    assert await month.rows("SELECT * FROM disclosure") == []


async def test_the_same_cell_twice_is_told_and_the_first_is_not_taken(month: Month) -> None:
    await month.draft()
    problem = (await send(month, sheet(builders.NEIGHBOUR, builders.VILLAGE))).json()
    assert [e["at"] for e in problem["errors"]] == ["第 5 行"]
    assert len(await month.rows("SELECT * FROM disclosure")) == 1


async def test_prepared_json_is_taken_as_the_body_of_the_request(month: Month) -> None:
    entry = builders.disclosure()
    made = await month.done("POST", IMPORTS, ACCOUNTANT, {"disclosures": [entry]})
    assert len(made["disclosures"]) == 1
    again = await month.ask("POST", IMPORTS, ACCOUNTANT, {"disclosures": [entry]})
    assert "已经录入" in json.dumps(again.json(), ensure_ascii=False)


def test_a_fault_in_a_body_of_json_names_its_place() -> None:
    entry = builders.disclosure(body={"kind": "ledger"})
    found = read_prepared(json.dumps({"disclosures": [entry]}).encode())
    assert found[0].place("body.accounts") == "disclosures[0].body.accounts"
