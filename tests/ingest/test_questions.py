"""Villagers' questions at the desk: what publish said is kept, answered, handed up, hidden; by whom, and what comes of it."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from services.contracts.disclosure import AnswerContent, AnswerGiven, AnswerHandedUp, AnswerHidden
from services.contracts.question import (
    QuestionAsked,
    QuestionContent,
    QuestionJoined,
    QuestionUnclear,
    contact_key,
    ref_words,
)
from services.kit import shred
from tests import builders
from tests.ingest.asking import KEY, TEXT, ask
from tests.ingest.conftest import CLERK, PRINCIPAL, REVIEWER, SUPERVISOR, Month

ANSWER = "第一次修村东头，第二次修村西头，两张票据都附在这一条里。"
PATH = "/ingest/v1/questions"


@pytest_asyncio.fixture
async def desk(month: Month) -> Month:
    """Ingest with nothing asked yet."""
    return month


async def asked(desk: Month, number: int = 1, **changes: Any) -> QuestionAsked:
    return await ask(desk.served, number, **changes)


async def said(desk: Month, kind: type[Any]) -> list[Any]:
    return [kind.model_validate_json(t) for t in await desk.served.said(kind.model_fields["type"].default)]


async def unclear(desk: Month, of: QuestionAsked, number: int) -> None:
    sealed = shred.seal_under(KEY, of.aggregate_id, "question.unclear.v1", QuestionContent(text="没有说是哪一段。"))
    stamp = builders.stamp(of.aggregate_id, number + 1, of.village_code, desk.served.clock.at)
    await desk.served.hear(
        QuestionUnclear(
            **{**stamp, "village_code": of.village_code},
            ref=of.ref,
            due=date(2026, 12, 11),
            holder="township",
            round=number,
            item=of.item,
            period=of.period,
            asked_at=of.asked_at,
            sealed=sealed,
        )
    )


async def test_what_villagers_ask_stands_on_the_list_with_its_clock_and_rests_sealed(desk: Month) -> None:
    of = await asked(desk, contact="村东头小卖部")
    await desk.served.hear(of)
    (listed,) = (await desk.done("GET", PATH, CLERK))["items"]
    assert (listed["ref"], listed["state"], listed["due"], listed["overdue_days"]) == (of.ref, "asked", "2026-11-27", 0)
    assert [(w["kind"], w["text"]) for w in listed["words"]] == [("asked", TEXT)]
    assert (listed["has_contact"], listed["contact"]) == (True, None)
    desk.served.clock.at = builders.NOW + timedelta(days=5)
    assert (await desk.done("GET", f"{PATH}/{ref_words(of.ref).lower()}", CLERK))["overdue_days"] == 2
    rows = await desk.rows("SELECT t::text AS t FROM question t UNION ALL SELECT t::text FROM question_word t")
    assert len(rows) == 2
    assert not any("水管" in r["t"] or "小卖部" in r["t"] for r in rows)


async def test_how_the_asker_is_reached_is_told_to_the_township_alone(desk: Month) -> None:
    of = await asked(desk, contact="村东头小卖部")
    for who in (CLERK, PRINCIPAL, SUPERVISOR, "inspector-210881", "operator"):
        assert (await desk.done("GET", f"{PATH}/{of.ref}", who))["contact"] is None
        assert "小卖部" not in (await desk.ask("GET", f"/desk/questions/{of.ref}", who)).text
    assert (await desk.done("GET", f"{PATH}/{of.ref}", REVIEWER))["contact"] == "村东头小卖部"
    assert "小卖部" in (await desk.ask("GET", f"/desk/questions/{of.ref}", REVIEWER)).text
    # Once publish destroyed its key there is none.
    async with desk.served.runtime.database.transaction() as conn:
        await shred.save_key(conn, contact_key(of.aggregate_id), None)
    assert (await desk.done("GET", f"{PATH}/{of.ref}", REVIEWER))["contact"] is None


async def test_the_village_answers_and_everybody_will_read_it_by_unit(desk: Month) -> None:
    of = await asked(desk)
    body = await desk.done("POST", f"{PATH}/{of.ref}/answer", CLERK, {"text": ANSWER})
    assert (body["state"], [w["by_role"] for w in body["words"]]) == ("answered", [None, "clerk"])
    (event,) = await said(desk, AnswerGiven)
    assert (event.aggregate_id, event.by, event.round, event.ref) == (of.aggregate_id, "village", 0, of.ref)
    plain = shred.open_sealed(KEY, of.aggregate_id, event.type, event.sealed)
    assert AnswerContent.model_validate_json(plain).text == ANSWER
    # The question's key is publish's: ingest tells it to nobody.
    assert await desk.served.said("key.set.v1") == []
    await desk.refused(409, "wrong_state", "POST", f"{PATH}/{of.ref}/answer", CLERK, {"text": ANSWER})


async def test_handed_up_the_township_answers_within_its_own_days(desk: Month) -> None:
    of = await asked(desk)
    body = await desk.done("POST", f"{PATH}/{of.ref}/hand-up", PRINCIPAL)
    assert (body["state"], body["holder"], body["due"]) == ("township", "township", "2026-12-08")
    (event,) = await said(desk, AnswerHandedUp)
    assert event.due == date(2026, 12, 8)
    await desk.refused(409, "handed_up", "POST", f"{PATH}/{of.ref}/answer", CLERK, {"text": ANSWER})
    await desk.refused(409, "wrong_state", "POST", f"{PATH}/{of.ref}/hand-up", CLERK)
    await desk.done("POST", f"{PATH}/{of.ref}/answer", REVIEWER, {"text": ANSWER})
    assert [e.by for e in await said(desk, AnswerGiven)] == ["township"]


async def test_an_unclear_answer_comes_back_to_the_township_and_a_repeated_word_changes_nothing(desk: Month) -> None:
    of = await asked(desk)
    await desk.done("POST", f"{PATH}/{of.ref}/answer", CLERK, {"text": ANSWER})
    for _ in range(2):
        await unclear(desk, of, 1)
    body = await desk.done("GET", f"{PATH}/{of.ref}", REVIEWER)
    assert (body["state"], body["holder"], body["due"], body["rounds"]) == ("township", "township", "2026-12-11", 1)
    assert [w["kind"] for w in body["words"]] == ["asked", "answer", "unclear"]
    await desk.done("POST", f"{PATH}/{of.ref}/answer", REVIEWER, {"text": ANSWER})
    assert [e.round for e in await said(desk, AnswerGiven)] == [0, 1]


async def test_an_answer_points_to_what_the_village_opened_and_to_nothing_else(desk: Month) -> None:
    of = await asked(desk)
    made = await desk.approved()
    for wrong in (str(uuid4()), made):
        body = {"text": ANSWER, "disclosure": wrong}
        problem = await desk.refused(422, "invalid_input", "POST", f"{PATH}/{of.ref}/answer", CLERK, body)
        assert problem["errors"][0]["at"] == "disclosure"
    await desk.published(made)
    await desk.done("POST", f"{PATH}/{of.ref}/answer", CLERK, {"text": ANSWER, "disclosure": made})
    assert [e.disclosure for e in await said(desk, AnswerGiven)] == [made]


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"text": ""}, "text"),
        ({"text": "长" * 2001}, "text"),
        ({"text": "请打电话13812345678找会计"}, "text"),
        ({"text": "身份证210881196005051234"}, "text"),
        ({"text": "看不见\u200b的字"}, "text"),
        ({}, "text"),
        ({"text": ANSWER, "disclosure": "nothing"}, "disclosure"),
        ({"text": ANSWER, "more": 1}, "more"),
    ],
)
async def test_a_malformed_answer_is_told_at_its_place_and_the_question_waits_on(
    desk: Month, body: Any, at: str
) -> None:
    of = await asked(desk)
    problem = (await desk.ask("POST", f"{PATH}/{of.ref}/answer", CLERK, body)).json()
    assert (problem["status"], problem["errors"][0]["at"]) == (422, at)
    assert (await desk.done("GET", f"{PATH}/{of.ref}", CLERK))["state"] == "asked"
    assert await said(desk, AnswerGiven) == []


@pytest.mark.parametrize("ref", ["7K2MX9QW4T", "nobody", "0" * 41, "..%2F.."])
async def test_a_question_that_is_not_there_is_none(desk: Month, ref: str) -> None:
    assert (await desk.ask("GET", f"{PATH}/{ref}", CLERK)).status_code in {404, 422}
    assert (await desk.ask("POST", f"{PATH}/{ref}/answer", CLERK, {"text": ANSWER})).status_code in {404, 422}


async def test_only_the_township_hides_and_the_reason_is_public(desk: Month) -> None:
    of = await asked(desk)
    await desk.refused(403, "forbidden", "POST", f"{PATH}/{of.ref}/hide", CLERK, {"reason": "不想答"})
    problem = await desk.refused(
        422, "invalid_input", "POST", f"{PATH}/{of.ref}/hide", REVIEWER, {"reason": "他是13812345678"}
    )
    assert problem["errors"][0]["at"] == "reason"
    body = await desk.done("POST", f"{PATH}/{of.ref}/hide", REVIEWER, {"reason": "骂人的话太多，请改写后再提"})
    assert body["state"] == "hidden"
    (event,) = await said(desk, AnswerHidden)
    assert (event.reason, event.aggregate_id) == ("骂人的话太多，请改写后再提", of.aggregate_id)
    await unclear(desk, of, 1)
    assert (await desk.done("GET", f"{PATH}/{of.ref}", REVIEWER))["state"] == "hidden"


async def test_once_its_key_is_gone_a_question_has_no_words_and_takes_no_answer(desk: Month) -> None:
    of = await asked(desk)
    async with desk.served.runtime.database.transaction() as conn:
        await shred.save_key(conn, of.aggregate_id, None)
    assert (await desk.done("GET", f"{PATH}/{of.ref}", CLERK))["words"][0]["text"] is None
    await desk.refused(409, "words_gone", "POST", f"{PATH}/{of.ref}/answer", CLERK, {"text": ANSWER})


async def test_lists_hold_ones_own_part_of_the_tree_newest_first_page_by_page(desk: Month) -> None:
    made = [await asked(desk, n) for n in range(1, 4)]
    await asked(desk, 9, village=builders.NEIGHBOUR)
    first = await desk.done("GET", PATH, CLERK, limit="2")
    rest = await desk.done("GET", PATH, CLERK, limit="2", cursor=first["next"])
    got = [q["ref"] for q in (*first["items"], *rest["items"])]
    assert sorted(got) == sorted(e.ref for e in made)
    assert rest["next"] is None
    assert len((await desk.done("GET", PATH, REVIEWER))["items"]) == 4
    assert (await desk.done("GET", PATH, REVIEWER, state="answered"))["items"] == []
    assert (await desk.done("GET", PATH, "reviewer-210881102"))["items"] == []
    await desk.refused(403, "forbidden", "GET", f"{PATH}/{made[0].ref}", "reviewer-210881102")


async def test_a_question_stands_on_its_cell_beside_its_lateness(desk: Month) -> None:
    async def cell() -> tuple[str, int]:
        found = (await desk.done("GET", "/ingest/v1/duties", CLERK, period="2026-10"))["items"]
        (of,) = [c for c in found if c["item"] == "F01"]
        return of["state"], sum(of["late"].values())

    assert await cell() == ("not_opened", 8)
    of = await asked(desk)
    assert await cell() == ("questioned", 8)
    every = (await desk.done("GET", "/ingest/v1/duties", CLERK, limit="200"))["items"]
    assert [c["state"] for c in every if (c["item"], c["period"]) == ("F01", "2026-10")] == ["questioned"]
    late = (await desk.done("GET", "/ingest/v1/duties", CLERK, state="not_opened", limit="200"))["items"]
    assert ("F01", "2026-10") in {(c["item"], c["period"]) for c in late}
    await desk.done("POST", f"{PATH}/{of.ref}/answer", CLERK, {"text": ANSWER})
    assert await cell() == ("not_opened", 8)


# -- pages --------------------------------------------------------------------------------------------------------


async def post(desk: Month, path: str, user: str, **fields: str) -> Any:
    headers = {**desk.served.bearer(user), "origin": "http://127.0.0.1:8000"}
    return await desk.served.client.post(path, data=fields, headers=headers)


async def test_the_desk_shows_what_waits_and_answers_without_script(desk: Month) -> None:
    of = await asked(desk)
    desk.served.clock.at = builders.NOW + timedelta(days=5)
    page = (await desk.ask("GET", "/desk/questions", CLERK)).text
    assert TEXT in page
    assert "已超 2 天" in page
    one = f"/desk/questions/{of.ref}"
    assert "公开答复" in (await desk.ask("GET", one, CLERK)).text
    assert "公开答复" not in (await desk.ask("GET", one, SUPERVISOR)).text
    refused = await post(desk, f"{one}/answer", CLERK, text="打13812345678", disclosure="x")
    assert refused.status_code == 422
    assert "打13812345678" in refused.text
    assert (await post(desk, f"{one}/answer", CLERK, text=" ")).status_code == 422
    assert (await post(desk, f"{one}/answer", CLERK, text="长" * 2001)).status_code == 422
    assert (await post(desk, f"{one}/answer", CLERK, text=ANSWER)).status_code == 303
    assert ANSWER in (await desk.ask("GET", one, CLERK)).text
    assert (await post(desk, f"{one}/answer", CLERK, text=ANSWER)).status_code == 409
    await unclear(desk, of, 1)
    assert (await post(desk, f"{one}/answer", CLERK, text=ANSWER)).status_code == 409
    assert (await post(desk, f"{one}/answer", REVIEWER, text=ANSWER)).status_code == 303
    assert (await post(desk, f"{one}/hide", REVIEWER, reason="")).status_code == 422
    assert (await post(desk, f"{one}/hide", REVIEWER, reason="与村务无关")).status_code == 303


async def test_the_desk_hands_up_in_one_press(desk: Month) -> None:
    of = await asked(desk)
    assert (await post(desk, f"/desk/questions/{of.ref}/hand-up", CLERK)).status_code == 303
    assert "等镇街答复" in (await desk.ask("GET", "/desk/questions", REVIEWER)).text


# -- 联名 ---------------------------------------------------------------------------------------------------------


async def joined(desk: Month, of: QuestionAsked, times: int, **changes: Any) -> None:
    stamp = builders.stamp(of.aggregate_id, 1 + times, of.village_code, desk.served.clock.at)
    told = {"joint_at": None, "joint_then": None, "joint_due": None, **changes}
    await desk.served.hear(
        QuestionJoined(
            **{**stamp, "village_code": of.village_code},
            ref=of.ref,
            due=of.due,
            holder=of.holder,
            item=of.item,
            period=of.period,
            asked_at=of.asked_at,
            joined=times,
            joint_from=10,
            **told,
        )
    )


JOINT = {"joint_at": builders.NOW, "joint_then": "township", "joint_due": date(2026, 12, 8)}


async def test_the_desk_shows_how_many_times_others_joined_and_a_late_count_changes_nothing(desk: Month) -> None:
    of = await asked(desk)
    assert (await desk.done("GET", f"{PATH}/{of.ref}", CLERK))["joined"] == 0
    await joined(desk, of, 10, **JOINT)
    await joined(desk, of, 4)
    body = await desk.done("GET", f"{PATH}/{of.ref}", CLERK)
    assert (body["joined"], body["joint_then"], body["joint_due"]) == (10, "township", "2026-12-08")
    # The village still has it, until its own day.
    assert (body["holder"], body["due"]) == ("village", "2026-11-27")
    for who in (CLERK, REVIEWER):
        assert "10人次也想问" in (await desk.ask("GET", "/desk/questions", who)).text
        page = (await desk.ask("GET", f"/desk/questions/{of.ref}", who)).text
        assert "镇街也要答复，最迟 2026-12-08" in page
    await desk.done("POST", f"{PATH}/{of.ref}/answer", CLERK, {"text": ANSWER})


async def test_an_answer_that_is_owed_to_everybody_is_told_so_at_the_desk(desk: Month) -> None:
    of = await asked(desk)
    await joined(desk, of, 10, **{**JOINT, "joint_then": "everybody", "joint_due": None})
    assert "要向全村答复" in (await desk.ask("GET", f"/desk/questions/{of.ref}", CLERK)).text


async def test_handing_up_a_joint_question_gives_the_township_no_more_days(desk: Month) -> None:
    of = await asked(desk)
    await joined(desk, of, 10, **JOINT)
    desk.served.clock.at = builders.NOW + timedelta(days=5)
    body = await desk.done("POST", f"{PATH}/{of.ref}/hand-up", CLERK)
    assert (body["holder"], body["due"]) == ("township", "2026-12-08")
    (event,) = await said(desk, AnswerHandedUp)
    assert event.due == date(2026, 12, 8)


async def test_joining_what_nobody_heard_of_changes_nothing(desk: Month) -> None:
    of = await asked(desk)
    await joined(desk, of.model_copy(update={"aggregate_id": str(uuid4())}), 3)
    assert (await desk.done("GET", f"{PATH}/{of.ref}", CLERK))["joined"] == 0
