"""Sentences that are hard to read for names, through every place where the web shows text, and at the clerk's desk."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from services.contracts.disclosure import Opinion, WaiverContent, WaiverGranted
from services.contracts.privacy import cover, findings, places
from services.kit.shred import seal
from tests import builders
from tests.publish import bodies

#: What somebody writes, whom it names, and what everybody reads.
WORST = (
    ("孟祥林交承包款5000元", ("孟祥林",), "孟某某交承包款5000元"),
    ("欧阳秀珍、穆铁柱（二组）零工3天", ("欧阳秀珍", "穆铁柱"), "欧阳某某、穆某某（二组）零工3天"),
    ("低保户古丽娜尔·艾合买提患病", ("古丽娜尔", "艾合买提"), "低保户古某某[病情或残疾情况]"),
    ("收王德发承包费", ("王德发",), "收王某某承包费"),
    ("卞秀文门前修路", ("卞秀文",), "卞某某门前修路"),
    ("萧玉琴打扫村部卫生", ("萧玉琴",), "萧某某打扫村部卫生"),
    ("由领取人廉永生签收", ("廉永生",), "由领取人廉某某签收"),
    ("杨万才借支", ("杨万才",), "杨某某借支"),
    ("窦长顺弃权，其余同意", ("窦长顺",), "窦某某弃权，其余同意"),
    ("彭玉英家拆迁补偿", ("彭玉英",), "彭某某家拆迁补偿"),
)
WHOLE = ("付张思德广场维修款", "支付马兰河护坡款", "付万福广场硬化款", "修王家桥", "欢度国庆文艺演出")


def hidden_in(text: str) -> list[str]:
    return [name for _, names, _ in WORST for name in names if name in text]


async def read(publish: Any, *paths: str) -> str:
    return "\n".join([(await publish.get(path)).text for path in paths])


def ledger_of(*summaries: str) -> dict[str, Any]:
    line = {**builders.ledger()["lines"][0], "payee": "村部食堂", "amount_fen": 100}
    return {**builders.ledger(totals=None), "lines": [{**line, "summary": summary} for summary in summaries]}


async def test_hard_sentences_of_a_ledger_its_notes_and_its_changes_name_nobody(publish: Any) -> None:
    first = await publish.opened(body=ledger_of(*("水电费" for _ in WORST), *WHOLE))
    said = "；".join(text for text, _, _ in WORST)
    opinion = Opinion(party="supervisors", opinion="dissent", names=("吴监督",), reason=said, at=builders.NOW)
    await publish.opened(
        first.aggregate_id,
        edition=2,
        body=ledger_of(*(text for text, _, _ in WORST), *WHOLE),
        opinions=(opinion,),
        note=said,
        at=builders.NOW + timedelta(hours=1),
    )
    await publish.rendered()
    where = f"/d/{first.aggregate_id}"
    for path in (where, f"/api/v1/disclosures/{first.aggregate_id}"):
        text = await read(publish, path)
        assert hidden_in(text) == []
        assert not [shown for _, _, shown in WORST if shown not in text]
        assert not [whole for whole in WHOLE if whole not in text]
    page = await read(publish, where)
    assert f"改为“{WORST[0][2]}”" in page
    assert hidden_in(await read(publish, f"/v/{builders.VILLAGE}")) == []


async def test_hard_titles_of_items_and_files_name_nobody(publish: Any) -> None:
    files = [{"digest": bodies.PHOTO, "title": text} for text, _, _ in WORST]
    body = bodies.contract(title="孟祥林交承包款合同", party="孟祥林", subject="东山果园", attachments=files)
    event = await publish.opened(item="V10", period="2026-10-09", body=body)
    await publish.rendered()
    text = await read(publish, f"/d/{event.aggregate_id}", f"/api/v1/disclosures/{event.aggregate_id}")
    assert hidden_in(text) == []
    assert not [shown for _, _, shown in WORST if shown not in text]
    assert hidden_in(await read(publish, f"/v/{builders.VILLAGE}")) == []


async def test_hard_reasons_of_withdrawals_and_waivers_name_nobody(publish: Any) -> None:
    said = "；".join(text for text, _, _ in WORST)
    event = await publish.opened()
    await publish.withdrawn(event, reason=said)
    waiver = str(uuid.uuid4())
    async with publish.served.runtime.database.transaction() as conn:
        sealed = await seal(conn, waiver, "waiver.granted.v1", WaiverContent(reason=said), builders.NOW)
    stamp = {**builders.stamp(waiver, 2), "village_code": builders.NEIGHBOUR}
    await publish.served.hear(WaiverGranted(**stamp, item="F02", period="2026Q3", sealed=sealed))
    await publish.rendered()
    client = publish.served.client
    gone = [(await client.get(path)).text for path in (f"/d/{event.aggregate_id}", f"/v/{builders.NEIGHBOUR}")]
    assert [hidden_in(text) for text in gone] == [[], []]
    assert all(WORST[0][2] in text for text in gone)


@pytest.mark.parametrize(("text", "names", "_shown"), WORST, ids=[text for text, _, _ in WORST])
def test_hard_sentences_are_findings_with_their_place_and_can_be_covered(
    text: str, names: tuple[str, ...], _shown: str
) -> None:
    body = ledger_of("水电费", text)
    found = [f for f in findings(body, "body") if f.code == "privacy.name"]
    assert [f.at for f in found] == ["body.lines[1].summary"]
    assert found[0].message.startswith("第2行“摘要”里好像有姓名（第")
    assert not [name for name in names if name in found[0].message]
    place = next(p for p in places(body, "body") if p.at == found[0].at)
    covered = cover(place.text, place.hits)
    assert len(covered) == len(text)
    assert not [name for name in names if name in covered]
    assert [*findings(ledger_of("水电费", covered), "body")] == []
