"""What can be read in a PDF is looked at; what strangers send is opened in a process that is stopped in time."""

import asyncio
import time
from typing import Any

import pypdfium2
import pytest
import pytest_asyncio
import typst

from services.ingest.gate.documents import personal_data
from tests import builders
from tests.conftest import Served, ServiceFactory
from tests.ingest import hostile
from tests.ingest.test_pages import CLERK, PATH, emptied, look


@pytest_asyncio.fixture
async def ingest(service: ServiceFactory) -> Served:
    return await emptied(service)


def pdf(source: str) -> bytes:
    made = typst.compile(source.encode())
    assert isinstance(made, bytes)
    return made


async def uploaded(served: Served, content: bytes) -> Any:
    return await served.client.post(
        "/ingest/v1/attachments",
        data={"village": builders.VILLAGE},
        files={"file": ("合同.pdf", content, "application/pdf")},
        headers=served.bearer(CLERK),
    )


async def drafted_with(served: Served, digest: str) -> Any:
    body = builders.ledger(attachments=[{"digest": digest, "title": "合同"}])
    return (await served.client.post(PATH, json=builders.disclosure(body=body), headers=served.bearer(CLERK))).json()


async def test_numbers_in_the_text_of_a_pdf_are_findings_with_their_pages_and_its_properties_are_gone(
    ingest: Served,
) -> None:
    content = pdf(
        '#set document(title: "13900139000")\nplain\n#pagebreak()\n110105194912310021 and 13800138000\n#pagebreak()\n13800138000'
    )
    answer = await uploaded(ingest, content)
    assert answer.status_code == 201, answer.text
    public = (
        await ingest.client.get(f"/ingest/v1/attachments/{answer.json()['digest']}", headers=ingest.bearer(CLERK))
    ).content
    assert b"13900139000" not in public
    assert pypdfium2.PdfDocument(public).get_metadata_dict(skip_empty=True) == {}
    made = await drafted_with(ingest, answer.json()["digest"])
    found = {f["code"]: (f["at"], f["message"]) for f in made["findings"]}
    assert found["privacy.id_card"] == (
        "body.attachments[0]",
        "附件“合同”第2页里好像有身份证号。公开后人人可见，请遮盖后重新上传；确需公开的，只有镇街审核员可以同意。",
    )
    assert found["privacy.phone"][1].startswith("附件“合同”第2、3页里好像有电话号码。")
    refused = await ingest.client.post(f"{PATH}/{made['id']}/submit", json={"version": 1}, headers=ingest.bearer(CLERK))
    assert (refused.status_code, refused.json()["code"]) == (409, "unexplained_findings")
    page = (await look(ingest, f"/desk/disclosures/{made['id']}")).text
    assert "没有发现身份证号" not in page
    assert ">遮盖</button>" not in page


async def test_of_what_cannot_be_read_nothing_is_claimed(ingest: Served) -> None:
    answer = await uploaded(ingest, pdf("plain"))
    made = await drafted_with(ingest, answer.json()["digest"])
    assert made["findings"] == []
    page = (await look(ingest, f"/desk/disclosures/{made['id']}")).text
    assert "文字里没有发现身份证号、银行卡号、电话号码和住址。图片和扫描件里的字系统看不到，请自己看一遍。" in page


async def test_a_pdf_whose_text_cannot_be_read_is_not_called_clean(ingest: Served) -> None:
    assert personal_data(b"%PDF-1.7\n%%EOF") is None
    answer = await uploaded(ingest, pdf("plain"))
    async with ingest.runtime.database.transaction() as conn:
        await conn.execute("UPDATE attachment SET personal = NULL WHERE digest = $1", answer.json()["digest"])
    made = await drafted_with(ingest, answer.json()["digest"])
    page = (await look(ingest, f"/desk/disclosures/{made['id']}")).text
    assert "图片和扫描件里的字系统看不到，请自己看一遍。" in page


@pytest.mark.parametrize("bomb", ["obj", "objects", "forms"])
async def test_a_pdf_made_to_keep_the_service_busy_keeps_nobody_waiting(ingest: Served, bomb: str) -> None:
    upload = asyncio.create_task(uploaded(ingest, hostile.BUSY[bomb]()))
    longest = 0.0
    while not upload.done():
        asked = time.perf_counter()
        assert (await ingest.client.get("/desk", headers=ingest.bearer(CLERK))).status_code == 200
        longest = max(longest, time.perf_counter() - asked)
        await asyncio.sleep(0.02)
    assert (await upload).json()["code"] == "unusable_file"
    assert longest < 5
