"""What can be read in a PDF is looked at; what strangers send is opened in a process that is stopped in time."""

import asyncio
import time
from typing import Any

import pytest
import pytest_asyncio
import typst

from services.kit.limited import OverLimitError, run_limited
from tests import builders
from tests.conftest import Served, ServiceFactory
from tests.ingest.test_pages import CLERK, PATH, emptied, look

CHILD = "services.ingest.gate.child"


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


async def test_numbers_in_the_text_and_the_properties_of_a_pdf_are_findings_with_their_pages(ingest: Served) -> None:
    content = pdf(
        '#set document(title: "13900139000")\nplain\n#pagebreak()\n110105194912310021 and 13800138000\n#pagebreak()\n13800138000'
    )
    answer = await uploaded(ingest, content)
    assert answer.status_code == 201, answer.text
    made = await drafted_with(ingest, answer.json()["digest"])
    found = {f["code"]: (f["at"], f["message"]) for f in made["findings"]}
    assert found["privacy.id_card"] == (
        "body.attachments[0]",
        "附件“合同”第2页里好像有身份证号。公开后人人可见，请遮盖后重新上传；确需公开的，只有镇街审核员可以同意。",
    )
    assert found["privacy.phone"][1].startswith("附件“合同”第2、3页和文件属性里好像有电话号码。")
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


async def test_a_pdf_that_cannot_be_read_is_kept_and_not_called_clean(ingest: Served) -> None:
    broken = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
    answer = await uploaded(ingest, broken)
    assert answer.status_code == 201
    made = await drafted_with(ingest, answer.json()["digest"])
    page = (await look(ingest, f"/desk/disclosures/{made['id']}")).text
    assert "图片和扫描件里的字系统看不到，请自己看一遍。" in page
    async with ingest.runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT personal FROM attachment WHERE digest = $1", answer.json()["digest"]) is None


async def test_a_pdf_made_to_keep_the_service_busy_keeps_nobody_waiting(ingest: Served) -> None:
    bomb = b"%PDF-1.4\n" + b"obj " * 500_000 + b"\n%%EOF"
    upload = asyncio.create_task(uploaded(ingest, bomb))
    answered = 0
    while not upload.done():
        assert (await ingest.client.get("/desk", headers=ingest.bearer(CLERK))).status_code == 200
        answered += 1
        await asyncio.sleep(0.02)
    assert answered > 1
    assert (await upload).status_code in {201, 422}


async def test_work_over_its_limits_is_ended() -> None:
    with pytest.raises(OverLimitError):
        await run_limited(CHILD, b"%PDF-1.4\n%%EOF", seconds=0.01, memory_mib=1536)
    with pytest.raises(OverLimitError):
        await run_limited(CHILD, b"%PDF-1.4\n%%EOF", seconds=20, memory_mib=16)


async def test_work_ends_with_whoever_waits_for_it() -> None:
    work = asyncio.create_task(run_limited("tests.ingest.sleeper", b"", seconds=60, memory_mib=1536))
    await asyncio.sleep(0.5)
    started = time.monotonic()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert time.monotonic() - started < 60
