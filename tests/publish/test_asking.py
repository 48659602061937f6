"""A villager asks, follows the question, says that the answer explains nothing: publish alone, with real sealed words."""

import html
import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from services.contracts.disclosure import AnswerHandedUp, AnswerHidden
from services.contracts.question import ContactContent, QuestionAsked, QuestionContent, QuestionUnclear, read_ref
from services.kit import shred
from services.publish import jobs
from tests import builders
from tests.publish.conftest import Publishing

NOBODYS = "01a21fcf-0446-7194-9aae-cdacccf1b0f4"
TEXT = "这笔水管修了两次，为什么付两次钱？"


@pytest_asyncio.fixture
async def asking(publishing: Publishing) -> Publishing:
    """Publish with nothing asked yet, by anybody."""
    async with publishing.served.runtime.database.transaction() as conn:
        await conn.execute("TRUNCATE question, question_word, question_join, allowance")
    publishing.served.clock.at = builders.NOW
    return publishing


async def ask(publish: Publishing, status: int = 201, **changes: Any) -> Any:
    return await publish.ask(status, **changes)


async def key_of(publish: Publishing, name: str) -> str | None:
    async with publish.served.runtime.database.connection() as conn:
        return await shred.find_key(conn, name)


async def answered(
    publish: Publishing, asked: Any, text: str = "第一次修村东头，第二次修村西头，两张票据都在。", **changes: Any
) -> None:
    await publish.answered(asked, text, **changes)


def frame(publish: Publishing, asked: Any) -> dict[str, Any]:
    stamp = builders.stamp(asked["id"], 9, builders.VILLAGE, publish.served.clock.at)
    of = {name: asked[name] for name in ("item", "period", "asked_at")}
    return {**stamp, "village_code": builders.VILLAGE, "ref": asked["ref"], "round": 0, **of}


# -- asking -------------------------------------------------------------------------------------------------------


async def test_a_question_is_kept_sealed_said_once_and_told_with_its_clock(asking: Publishing, admin: Any) -> None:
    made = await ask(asking, contact="138****5678，村东头小卖部")
    assert read_ref(made["ref"]) == made["ref"]
    assert made["url"].endswith(f"/q/{made['ref']}")
    assert (made["state"], made["holder"], made["due"], made["late_days"]) == ("asked", "village", "2026-11-27", 0)
    assert [(w["kind"], w["text"]) for w in made["words"]] == [("asked", TEXT)]
    event = QuestionAsked.model_validate_json((await asking.served.said("question.asked.v1"))[-1])
    assert (event.ref, event.village_code, event.kind, event.item) == (made["ref"], builders.VILLAGE, "doubt", None)
    assert event.contact is not None
    key = await key_of(asking, made["id"])
    assert key is not None
    plain = shred.open_sealed(key, made["id"], event.type, event.sealed)
    assert QuestionContent.model_validate_json(plain).text == TEXT
    name = f"{made['id']}:contact"
    own = await key_of(asking, name)
    assert own is not None
    assert (
        "小卖部" in ContactContent.model_validate_json(shred.open_sealed(own, name, event.type, event.contact)).contact
    )
    rows = await admin.fetch(
        "SELECT t::text AS t FROM publish.question t UNION ALL SELECT t::text FROM publish.question_word t"
        " UNION ALL SELECT t::text FROM publish.event t"
    )
    assert not any("水管" in r["t"] or "小卖部" in r["t"] for r in rows)
    keys = await asking.served.said("question_key.set.v1")
    assert {json.loads(k)["aggregate_id"] for k in keys} >= {made["id"], name}


async def test_whoever_holds_the_reference_follows_it_and_lists_tell_none(asking: Publishing) -> None:
    made = await ask(asking)
    spoken = f"{made['ref'][:5]}-{made['ref'][5:]}".lower()
    own = (await asking.get(f"/api/v1/questions/{spoken}")).json()
    assert own["ref"] == made["ref"]
    others = (await asking.get(f"/api/v1/questions/{made['id']}")).json()
    assert (others["ref"], others["words"][0]["text"]) == (None, TEXT)
    (listed,) = (await asking.get(f"/api/v1/villages/{builders.VILLAGE}/questions")).json()["items"]
    assert listed == others
    for path in ("/q/", "/api/v1/questions/"):
        await asking.get(f"{path}{made['ref'][:9]}0", status=404 if made["ref"][9] != "0" else 200)
        await asking.get(f"{path}{uuid4()}", status=404)
        await asking.get(f"{path}nobody", status=404)


async def test_only_the_answer_is_public_where_the_asker_wants_it_so(asking: Publishing) -> None:
    made = await ask(asking, shows="answer")
    assert made["words"][0]["text"] is None
    await answered(asking, made)
    page = (await asking.get(f"/q/{made['ref']}")).text
    assert "水管" not in page
    assert "提问的人选择只公开答复" in page
    assert "两张票据都在" in page


async def test_lists_go_on_page_by_page_newest_first(asking: Publishing) -> None:
    made = [await ask(asking, text=f"第{n}个问题在这里") for n in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        got = (
            await asking.get(f"/api/v1/villages/{builders.VILLAGE}/questions?limit=2{cursor and f'&cursor={cursor}'}")
        ).json()
        seen += [q["id"] for q in got["items"]]
        cursor = got["next"]
    assert seen == [q["id"] for q in reversed(made)]
    bad = await asking.get(f"/api/v1/villages/{builders.VILLAGE}/questions?cursor=%25", status=422)
    assert bad.json()["errors"][0]["at"] == "query.cursor"
    assert (await asking.get(f"/api/v1/villages/{builders.NEIGHBOUR}/questions")).json()["items"] == []


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"about": "210881"}, "about"),
        ({"about": "210881006206/F01/2026-13"}, "about"),
        ({"about": "210881006206/F01/2026Q3"}, "about"),
        ({"about": "210881006206/Z99/2026-10"}, "about"),
        ({"about": "x" * 81}, "about"),
        ({"about": "210881006206'; DROP TABLE question; --"}, "about"),
        ({"kind": "complaint"}, "kind"),
        ({"kind": "missing"}, "kind"),
        ({"kind": "paper"}, "paper"),
        ({"kind": "paper", "paper": "diary"}, "paper"),
        ({"kind": "paper", "paper": "other", "text": ""}, "text"),
        ({"shows": "me"}, "shows"),
        ({"text": ""}, "text"),
        ({"text": "？"}, "text"),
        ({"text": "长" * 501}, "text"),
        ({"text": "长" * 4001}, "text"),
        ({"text": "看看 https://example.com/a 里写的"}, "text"),
        ({"text": "<script>alert(1)</script>"}, "text"),
        ({"text": "翻过来\u202e的字"}, "text"),
        ({"text": "有空\u0000字符"}, "text"),
        ({"text": "打我电话 13812345678 说"}, "text"),
        ({"text": "身份证 210881196005051234 的人是谁"}, "text"),
        ({"text": "为什么给张建国发了三千块钱？"}, "text"),
        ({"contact": "长" * 101}, "contact"),
        ({"unknown": 1}, "unknown"),
        ({"text": 7}, "text"),
        ({"text": None}, "text"),
    ],
)
async def test_what_is_wrong_is_told_at_its_place_and_nothing_is_kept(
    asking: Publishing, changes: Any, at: str
) -> None:
    problem = await ask(asking, 422, **changes)
    assert at in [e["at"] for e in problem["errors"]]
    assert all(re.search("[\u4e00-\u9fff]", e["message"]) for e in problem["errors"])
    assert (await asking.get(f"/api/v1/villages/{builders.VILLAGE}/questions")).json()["items"] == []


async def test_personal_data_comes_back_covered_and_covered_it_is_taken(asking: Publishing) -> None:
    problem = await ask(asking, 422, text="为什么给张建国发了三千块钱？他的电话是13812345678。")
    assert "张建国" not in json.dumps({**problem, "covered": ""}, ensure_ascii=False)
    assert "13812345678" not in json.dumps(problem)
    made = await ask(asking, text=problem["covered"])
    assert made["words"][0]["text"].startswith("为什么给张某某发了三千块钱")


@pytest.mark.parametrize("about", [builders.ZONE, builders.CITY + "000000", NOBODYS, NOBODYS + "/1/1"])
async def test_about_what_is_not_there_nobody_can_ask(asking: Publishing, about: str) -> None:
    await ask(asking, 404, about=about)


# -- about a line, a paper, what is missing -----------------------------------------------------------------------


async def test_a_line_is_named_by_the_edition_that_was_read(asking: Publishing) -> None:
    event = await asking.opened()
    about = f"{event.aggregate_id}/1/2"
    page = (await asking.get(f"/ask?about={about}")).text
    assert "第2笔：10月12日，付保洁员三季度工资，支 3,600.00元" in page
    made = await ask(asking, about=about)
    assert (made["item"], made["period"], made["disclosure_id"], made["line"]) == (
        "F01",
        "2026-10",
        event.aggregate_id,
        2,
    )
    said = QuestionAsked.model_validate_json((await asking.served.said("question.asked.v1"))[-1])
    assert (said.edition, said.line) == (event.edition, 2)
    for bad in ("/1/4", "/2", "/2/1", "/0/1", "/1/0", "/1/2/3"):
        await ask(asking, 422, about=event.aggregate_id + bad)
    await asking.rendered()
    page = (await asking.get(f"/d/{event.aggregate_id}")).text
    assert f"/ask?about={event.aggregate_id}/1/1" in page
    assert TEXT in page


async def test_a_withdrawn_disclosure_takes_no_question_and_leaves_those_it_has_without_its_content(
    asking: Publishing,
) -> None:
    event = await asking.opened()
    made = await ask(asking, about=f"{event.aggregate_id}/1/2")
    await asking.withdrawn(event)
    problem = await ask(asking, 410, about=event.aggregate_id)
    assert problem["code"] == "withdrawn"
    page = (await asking.get(f"/q/{made['ref']}")).text
    assert "保洁员" not in page
    assert "第2笔" in page
    # Nobody has to open it any more, but whoever asked gets an answer.
    assert (await asking.get(f"/api/v1/questions/{made['ref']}")).json()["state"] == "asked"


async def test_a_paper_goes_to_the_township_with_its_days(asking: Publishing) -> None:
    made = await ask(asking, kind="paper", paper="minutes", text="")
    assert (made["state"], made["holder"], made["due"]) == ("township", "township", "2026-12-08")
    page = (await asking.get(f"/q/{made['ref']}")).text
    assert "会议记录" in page
    assert "等镇街答复" in page


async def test_what_is_missing_is_asked_for_in_one_press_and_stays_late(asking: Publishing) -> None:
    await asking.rendered()
    before = (await asking.get(f"/v/{builders.VILLAGE}")).text
    assert f"/ask?about={builders.VILLAGE}/F01/2026-10&amp;kind=missing" in before
    cells = f"/api/v1/villages/{builders.VILLAGE}/duties?period=2026-10"
    (was,) = [c for c in (await asking.get(cells)).json()["items"] if c["item"] == "F01"]
    assert (was["state"], was["late_days"]) == ("not_opened", 8)
    await ask(asking, about=f"{builders.VILLAGE}/F01/2026-10", kind="missing", text="")
    (now,) = [c for c in (await asking.get(cells)).json()["items"] if c["item"] == "F01"]
    assert (now["state"], now["late_days"], now["held_by"]) == ("questioned", 8, was["held_by"])
    await asking.rendered()
    page = (await asking.get(f"/v/{builders.VILLAGE}")).text
    assert "还没公开，已晚8天" in page
    assert "有人提问，等答复" in page
    assert (await asking.get(f"/api/v1/villages/{builders.VILLAGE}")).json()["missing"] > 0


async def test_a_question_on_an_open_cell_ends_with_the_answer(asking: Publishing) -> None:
    event = await asking.opened()
    made = await ask(asking, about=event.aggregate_id)
    cells = f"/api/v1/villages/{builders.VILLAGE}/duties?period=2026-10"

    async def state() -> tuple[str, int]:
        (found,) = [c for c in (await asking.get(cells)).json()["items"] if c["item"] == "F01"]
        return found["state"], found["late_days"]

    assert await state() == ("questioned", 8)
    await answered(asking, made)
    assert await state() == ("opened_late", 8)


# -- answers ------------------------------------------------------------------------------------------------------


async def test_an_answer_that_explains_nothing_goes_to_the_township_twice_at_most(asking: Publishing) -> None:
    made = await ask(asking)
    path = f"/api/v1/questions/{made['ref']}/unclear"
    client = asking.served.client
    assert (await client.post(path, json={})).json()["code"] == "not_unclear"
    for number in (1, 2):
        await answered(asking, made, round=number - 1, by="village" if number == 1 else "township")
        assert (await asking.get(f"/api/v1/questions/{made['ref']}")).json()["state"] == "answered"
        again = await client.post(path, json={"text": "没有说是哪一段。"})
        assert again.status_code == 200, again.text
        body = again.json()
        assert (body["state"], body["holder"], body["due"], body["rounds"]) == (
            "township",
            "township",
            "2026-12-08",
            number,
        )
        said = QuestionUnclear.model_validate_json((await asking.served.said("question.unclear.v1"))[-1])
        assert (said.round, said.holder, said.aggregate_version) == (number, "township", number + 1)
        assert (await client.post(path, json={})).status_code == 409
    await answered(asking, made, round=2, by="township")
    assert (await asking.get(f"/api/v1/questions/{made['ref']}")).json()["state"] == "closed"
    assert (await client.post(path, json={})).json()["code"] == "not_unclear"
    page = (await asking.get(f"/q/{made['ref']}")).text
    assert "还没说清，请镇街答复" not in page
    assert page.count("镇街答复</h2>") == 2


async def test_an_answer_of_an_earlier_round_and_one_that_comes_twice_change_nothing(asking: Publishing) -> None:
    made = await ask(asking)
    await answered(asking, made)
    await asking.served.client.post(f"/api/v1/questions/{made['ref']}/unclear", json={})
    await answered(asking, made, "迟到的第一次答复")
    body = (await asking.get(f"/api/v1/questions/{made['ref']}")).json()
    assert (body["state"], [w["kind"] for w in body["words"]]) == ("township", ["asked", "answer", "unclear"])


@pytest.mark.parametrize(("text", "status"), [("他叫张建国，电话13812345678", 422), ("长" * 501, 422), ("好" * 3, 422)])
async def test_what_is_said_to_be_unclear_passes_the_same_gate(asking: Publishing, text: str, status: int) -> None:
    made = await ask(asking)
    await answered(asking, made)
    answer = await asking.served.client.post(f"/api/v1/questions/{made['ref']}/unclear", json={"text": text})
    assert answer.status_code == status
    assert answer.json()["errors"][0]["at"] == "text"
    form = await asking.served.client.post(f"/q/{made['ref']}/unclear", data={"text": text})
    assert form.status_code == status
    assert "还没有提交" in form.text


async def test_lateness_is_counted_and_never_taken_back(asking: Publishing) -> None:
    made = await ask(asking)
    asking.served.clock.at = builders.NOW + timedelta(days=5)  # Sunday 29 November; it was due on Friday.
    path = f"/api/v1/questions/{made['ref']}"
    assert (await asking.get(path)).json()["late_days"] == 2
    assert "超期2天还没答复" in (await asking.get(f"/q/{made['ref']}")).text
    await asking.served.hear(AnswerHandedUp(**frame(asking, made), due="2026-12-11"))
    body = (await asking.get(path)).json()
    assert (body["holder"], body["due"], body["late_days"]) == ("township", "2026-12-11", 2)
    asking.served.clock.at = builders.NOW + timedelta(days=20)  # Monday 14 December
    await answered(asking, made, by="township")
    assert (await asking.get(path)).json()["late_days"] == 5
    assert "超期5天才答复" in (await asking.get(f"/q/{made['ref']}")).text


async def test_an_answer_may_point_to_a_disclosure(asking: Publishing) -> None:
    event = await asking.opened()
    made = await ask(asking)
    await answered(asking, made, disclosure=event.aggregate_id)
    assert f'href="/d/{event.aggregate_id}"' in (await asking.get(f"/q/{made['ref']}")).text


async def test_a_hidden_question_shows_that_it_is_and_why_and_its_words_die_after_a_month(asking: Publishing) -> None:
    made = await ask(asking, contact="村东头小卖部")
    await asking.served.hear(AnswerHidden(**frame(asking, made), reason="骂人的话太多，请改写后再提"))
    body = (await asking.get(f"/api/v1/questions/{made['ref']}")).json()
    assert (body["state"], body["words"], body["hidden_reason"]) == ("hidden", [], "骂人的话太多，请改写后再提")
    page = (await asking.get(f"/q/{made['id']}")).text
    assert "水管" not in page
    assert "镇街把这个提问隐藏了。原因：骂人的话太多" in page
    await asking.rendered()
    assert "水管" not in (await asking.get(f"/v/{builders.VILLAGE}")).text
    await jobs.destroy_of_questions(asking.served.runtime)
    assert await key_of(asking, f"{made['id']}:contact") is None
    assert await key_of(asking, made["id"]) is not None
    asking.served.clock.at += timedelta(days=30)
    await jobs.destroy_of_questions(asking.served.runtime)
    assert await key_of(asking, made["id"]) is None


async def test_the_contact_is_destroyed_once_the_question_is_over_and_not_before(asking: Publishing) -> None:
    made = await ask(asking, contact="村东头小卖部")
    name = f"{made['id']}:contact"
    await answered(asking, made)
    asking.served.clock.at += timedelta(days=30, seconds=-1)
    await jobs.destroy_of_questions(asking.served.runtime)
    assert await key_of(asking, name) is not None
    asking.served.clock.at += timedelta(seconds=1)
    await jobs.destroy_of_questions(asking.served.runtime)
    assert await key_of(asking, name) is None
    async with asking.served.runtime.database.connection() as conn:
        sent = await conn.fetch("SELECT key FROM outbox WHERE topic = 'publish.keys' AND event_id IS NULL")
    assert name in {r["key"] for r in sent}
    assert TEXT in (await asking.get(f"/q/{made['ref']}")).text


# -- limits -------------------------------------------------------------------------------------------------------


async def test_one_network_asks_so_often_and_is_told_when_again(asking: Publishing) -> None:
    for n in range(10):
        await ask(asking, text=f"第{n}个问题在这里")
    answer = await asking.served.client.post("/api/v1/questions", json={"about": builders.VILLAGE, "text": TEXT})
    assert (answer.status_code, answer.json()["code"]) == (429, "asked_too_often")
    wait = int(answer.headers["retry-after"])
    assert 0 < wait <= 181
    # What is refused for its words costs nothing, and is told before.
    await ask(asking, 422, text="")
    asking.served.clock.at += timedelta(seconds=wait)
    await ask(asking)
    await ask(asking, 429)


async def test_a_village_has_room_for_so_many_open_questions(asking: Publishing) -> None:
    settings = asking.served.runtime.settings
    async with asking.served.runtime.database.transaction() as conn:
        await conn.execute(
            "INSERT INTO question (id, ref, village_code, kind, shows, state, holder, due, asked_at, has_contact)"
            " SELECT gen_random_uuid(), 'crowd' || n, $1, 'doubt', 'answer', 'asked', 'village', '2026-11-27', now(), false"
            " FROM generate_series(1, $2) AS n",
            builders.VILLAGE,
            settings.questions_open,
        )
    problem = await ask(asking, 429)
    assert problem["code"] == "village_full"
    await ask(asking, about=builders.NEIGHBOUR)


# -- the form -----------------------------------------------------------------------------------------------------


async def opened_form(publish: Publishing, about: str, wait_s: float = 10) -> dict[str, str]:
    page = (await publish.get(f"/ask?about={about}")).text
    publish.served.clock.at += timedelta(seconds=wait_s)
    token = re.search('name="form" value="([^"]+)"', page)
    assert token is not None
    return {
        "about": about,
        "form": token[1],
        "kind": "doubt",
        "shows": "question",
        "text": TEXT,
        "paper": "",
        "contact": "",
    }


async def test_the_form_asks_and_leads_to_the_question_and_pressed_twice_asks_once(asking: Publishing) -> None:
    fields = await opened_form(asking, builders.VILLAGE)
    client = asking.served.client
    first, second = [await client.post("/ask", data=fields) for _ in range(2)]
    assert first.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    page = (await asking.get(first.headers["location"])).text
    assert TEXT in page
    assert "您的编号" in page
    assert len((await asking.get(f"/api/v1/villages/{builders.VILLAGE}/questions")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("wait_s", "changes", "told"),
    [
        (1, {}, "您按得太快了"),
        (13 * 3600, {}, "打开得太久"),
        (10, {"form": "1.2.3"}, "这张表不完整"),
        (10, {"form": ""}, "这张表不完整"),
        (10, {"text": "打我电话 13812345678 说说这件事"}, "已经替您用“某”和 * 遮住了"),
        (10, {"text": "看不见的\u200b字在这里"}, "看不见的控制字符"),
        (10, {"kind": "missing"}, "请另选一种"),
        (10, {"kind": "paper"}, "请选一种材料"),
        (10, {"kind": "nonsense"}, "应为"),
    ],
)
async def test_a_form_that_is_refused_comes_back_with_what_was_typed(
    asking: Publishing, wait_s: float, changes: dict[str, str], told: str
) -> None:
    fields = {**await opened_form(asking, builders.VILLAGE, wait_s), "contact": "村东头小卖部", **changes}
    answer = await asking.served.client.post("/ask", data=fields)
    page = html.unescape(answer.text)
    assert answer.status_code == 422
    assert told in page
    assert "村东头小卖部" in page
    assert fields["text"][:4] in page
    assert "13812345678" not in page
    assert answer.headers["cache-control"] == "no-store"
    # Somebody who mends it, and waits, is let through with the form that came back.
    token = re.search('name="form" value="([^"]+)"', page)
    assert token is not None
    asking.served.clock.at += timedelta(seconds=10)
    mended = {**fields, "form": token[1], "text": TEXT, "kind": "doubt"}
    assert (await asking.served.client.post("/ask", data=mended)).status_code == 303


async def test_a_form_of_another_thing_is_none(asking: Publishing) -> None:
    fields = {**await opened_form(asking, builders.NEIGHBOUR), "about": builders.VILLAGE}
    assert (await asking.served.client.post("/ask", data=fields)).status_code == 422


async def test_too_often_by_the_form_keeps_what_was_typed_and_says_when(asking: Publishing) -> None:
    for n in range(10):
        await ask(asking, text=f"第{n}个问题在这里")
    answer = await asking.served.client.post("/ask", data=await opened_form(asking, builders.VILLAGE))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert TEXT in answer.text


async def test_markup_is_shown_as_it_was_typed(asking: Publishing) -> None:
    made = await ask(asking, text='3 < 5 & "6" > 4 吗？这样算对不对')
    page = (await asking.get(f"/q/{made['ref']}")).text
    assert "3 &lt; 5 &amp; &#34;6&#34; &gt; 4" in page


@pytest.mark.parametrize(
    "path", ["/ask?about=nothing", "/ask?about=" + "9" * 12, f"/ask?about={NOBODYS}", "/ask?about=" + "x" * 90]
)
async def test_a_form_about_nothing_is_a_friendly_page(asking: Publishing, path: str) -> None:
    answer = await asking.served.client.get(path)
    assert answer.status_code in {404, 422}
    assert "<h1>" in answer.text


async def test_pages_of_a_township_and_the_city_count_what_waits(asking: Publishing) -> None:
    made = await ask(asking)
    asking.served.clock.at += timedelta(days=5)
    await asking.rendered()
    for path in (f"/t/{builders.TOWNSHIP}", "/", f"/v/{builders.VILLAGE}"):
        assert "1个等答复，其中1个已超期" in (await asking.get(path)).text
    table = (await asking.get(f"/t/{builders.TOWNSHIP}.csv")).text
    (row,) = [line for line in table.splitlines() if line.startswith(builders.VILLAGE)]
    assert row.endswith("1,1")
    assert (await asking.get(f"/v/{builders.VILLAGE}/questions")).text.count(f"/q/{made['id']}") == 1
    assert UUID(made["id"]).version == 7
