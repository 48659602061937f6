"""联名: others join an open public question; times are counted, nobody is known, and enough of them bring the township in."""

import html
import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from services.contracts.disclosure import AnswerHandedUp, AnswerHidden
from services.contracts.question import QuestionJoined
from services.publish import jobs
from tests import builders
from tests.publish.conftest import Publishing

TEXT = "这笔水管修了两次，为什么付两次钱？"


@pytest_asyncio.fixture
async def asking(publishing: Publishing) -> Publishing:
    """Publish with nothing asked yet, by anybody."""
    async with publishing.served.runtime.database.transaction() as conn:
        await conn.execute("TRUNCATE question, question_word, question_join, allowance")
    publishing.served.clock.at = builders.NOW
    return publishing


async def join(publish: Publishing, asked: Any, number: int = 1, status: int = 200, agent: str = "手机") -> Any:
    """Join from the `number`-th address, each of a network of its own."""
    headers = {"x-forwarded-for": f"10.{number // 250}.{number % 250}.7", "user-agent": agent.encode().hex()}
    answer = await publish.served.client.post(f"/api/v1/questions/{asked['id']}/join", headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()


async def stands(publish: Publishing, asked: Any) -> Any:
    return (await publish.get(f"/api/v1/questions/{asked['id']}")).json()


async def test_times_are_counted_and_said_and_the_same_browser_counts_once(asking: Publishing) -> None:
    made = await asking.ask()
    assert (made["joined"], made["joint_at"], made["may_join"]) == (0, None, True)
    assert await join(asking, made) == {"counted": True, "joined": 1, "joint": False}
    assert await join(asking, made) == {"counted": False, "joined": 1, "joint": False}
    assert await join(asking, made, agent="另一部手机") == {"counted": True, "joined": 2, "joint": False}
    said = [QuestionJoined.model_validate_json(t) for t in await asking.served.said("question.joined.v1")]
    assert [(e.aggregate_id, e.joined, e.joint_from, e.joint_then) for e in said[-2:]] == [
        (made["id"], 1, 10, None),
        (made["id"], 2, 10, None),
    ]
    assert (await stands(asking, made))["joined"] == 2
    await asking.rendered()
    for path in (f"/q/{made['id']}", f"/v/{builders.VILLAGE}", f"/v/{builders.VILLAGE}/questions"):
        assert "2人次也想问" in (await asking.get(path)).text


async def test_one_address_counts_three_times_however_its_browsers_call_themselves(asking: Publishing) -> None:
    made = await asking.ask()
    counted = [(await join(asking, made, agent=f"第{n}部"))["counted"] for n in range(5)]
    assert counted == [True, True, True, False, False]
    assert (await join(asking, made, number=2))["joined"] == 4


async def test_so_many_make_it_joint_and_the_township_has_its_days_beside_the_villages(asking: Publishing) -> None:
    made = await asking.ask()
    for n in range(9):
        assert not (await join(asking, made, n))["joint"]
    assert await join(asking, made, 9) == {"counted": True, "joined": 10, "joint": True}
    body = await stands(asking, made)
    # The village's own day stays: nobody has longer because more people ask.
    assert (body["state"], body["holder"], body["due"]) == ("asked", "village", made["due"])
    assert (body["joint_then"], body["joint_due"]) == ("township", "2026-12-08")
    last = QuestionJoined.model_validate_json((await asking.served.said("question.joined.v1"))[-1])
    assert (last.joined, last.joint_then, str(last.joint_due)) == (10, "township", "2026-12-08")
    page = (await asking.get(f"/q/{made['id']}")).text
    assert "10人次也想问" in page
    assert "镇街也要答复，最迟2026年12月8日" in page
    # One more changes the count and nothing else.
    asking.served.clock.at += timedelta(days=2)
    await join(asking, made, 10)
    assert (await stands(asking, made))["joint_due"] == "2026-12-08"


async def test_what_the_township_has_already_is_joint_without_another_day(asking: Publishing) -> None:
    made = await asking.ask(kind="paper", paper="contract", text="", shows="answer")
    for n in range(10):
        await join(asking, made, n)
    body = await stands(asking, made)
    assert (body["holder"], body["joint_then"], body["joint_due"]) == ("township", "township", None)
    assert "由镇街答复" in (await asking.get(f"/q/{made['id']}")).text


async def test_the_profile_says_how_many_and_that_everybody_is_owed_the_answer(asking: Publishing) -> None:
    await asking.profile(joint_from=2, joint_then="everybody")
    try:
        made = await asking.ask()
        assert "达到2人次的，要向全村答复" in (await asking.get(f"/q/{made['id']}/join")).text
        for n in range(2):
            await join(asking, made, n)
        body = await stands(asking, made)
        assert (body["joint_then"], body["joint_due"]) == ("everybody", None)
        assert "要向全村答复，不能只答复提问的人" in (await asking.get(f"/q/{made['id']}")).text
    finally:
        await asking.profile()


async def test_what_nobody_can_read_or_nobody_has_to_answer_takes_no_one(asking: Publishing) -> None:
    quiet = await asking.ask(shows="answer")
    assert not quiet["may_join"]
    assert (await join(asking, quiet, status=409))["code"] == "not_joinable"
    assert "我也想问" not in (await asking.get(f"/q/{quiet['id']}")).text
    answered = await asking.ask()
    await asking.answered(answered)
    assert (await join(asking, answered, status=409))["code"] == "not_joinable"
    hidden = await asking.ask()
    stamp = builders.stamp(hidden["id"], 9, builders.VILLAGE, asking.served.clock.at)
    of = {name: hidden[name] for name in ("item", "period", "asked_at")}
    await join(asking, hidden)
    await asking.served.hear(
        AnswerHidden(
            **{**stamp, "village_code": builders.VILLAGE}, ref=hidden["ref"], round=0, reason="与村务无关", **of
        )
    )
    assert (await join(asking, hidden, status=409))["code"] == "not_joinable"
    page = (await asking.get(f"/q/{hidden['id']}/join")).text
    assert "现在不能联名" in page
    assert "水管" not in page
    assert "人次" not in (await asking.get(f"/q/{hidden['id']}")).text
    for name in (uuid4(), "nobody", "%00", hidden["ref"]):
        answer = await asking.served.client.post(f"/api/v1/questions/{name}/join")
        assert answer.status_code in {404, 422}, answer.text


async def test_a_question_called_unclear_takes_others_again_and_nobody_twice(asking: Publishing) -> None:
    made = await asking.ask()
    await join(asking, made)
    await asking.answered(made)
    await asking.served.client.post(f"/api/v1/questions/{made['ref']}/unclear", json={})
    assert not (await join(asking, made))["counted"]
    assert (await join(asking, made, 2))["joined"] == 2


async def test_no_address_and_no_browser_rests_anywhere_and_what_tells_them_apart_goes_after_a_month(
    asking: Publishing, admin: Any
) -> None:
    made = await asking.ask()
    await join(asking, made, 5, agent="Mozilla")
    rows = await admin.fetch(
        "SELECT t::text AS t FROM publish.question_join t UNION ALL SELECT t::text FROM publish.question t"
        " UNION ALL SELECT t::text FROM publish.allowance t UNION ALL SELECT t::text FROM publish.event t"
    )
    told = "".join(r["t"] for r in rows)
    for secret in ("10.0.5", b"Mozilla".hex(), b"10.0.5".hex()):
        assert secret not in told
    event = json.loads((await asking.served.said("question.joined.v1"))[-1])
    assert not {"actor_id"} & {k for k, v in event.items() if v is not None and k == "actor_id"}
    asking.served.clock.at += timedelta(days=30)
    await jobs.destroy_of_questions(asking.served.runtime)
    async with asking.served.runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM question_join") == 0
        assert await conn.fetchval("SELECT count(*) FROM question WHERE join_key IS NOT NULL") == 0
        assert await conn.fetchval("SELECT count(*) FROM allowance") == 0
    assert (await stands(asking, made))["joined"] == 1
    # Nobody knows any more that it was the same one: that is why the page says times.
    assert (await join(asking, made, 5, agent="Mozilla"))["joined"] == 2


async def test_one_network_joins_so_often_and_is_told_when_again(asking: Publishing) -> None:
    made = [await asking.ask(text=f"第{n}个问题在这里") for n in range(10)]
    for one in made:
        await join(asking, one)
    answer = await asking.served.client.post(
        f"/api/v1/questions/{made[0]['id']}/join", headers={"x-forwarded-for": "10.0.1.200"}
    )
    assert (answer.status_code, answer.json()["code"]) == (429, "asked_too_often")
    assert 0 < int(answer.headers["retry-after"]) <= 181
    assert (await join(asking, made[0], 2))["counted"]


async def test_handing_up_a_joint_question_keeps_its_count(asking: Publishing) -> None:
    made = await asking.ask()
    await join(asking, made)
    stamp = builders.stamp(made["id"], 9, builders.VILLAGE, asking.served.clock.at)
    of = {name: made[name] for name in ("item", "period", "asked_at")}
    await asking.served.hear(
        AnswerHandedUp(**{**stamp, "village_code": builders.VILLAGE}, ref=made["ref"], round=0, due="2026-12-08", **of)
    )
    body = await stands(asking, made)
    assert (body["holder"], body["joined"]) == ("township", 1)


# -- the page -----------------------------------------------------------------------------------------------------


async def opened(publish: Publishing, asked: Any, wait_s: float = 10) -> str:
    page = (await publish.get(f"/q/{asked['id']}/join")).text
    assert TEXT in page
    publish.served.clock.at += timedelta(seconds=wait_s)
    token = re.search('name="form" value="([^"]+)"', page)
    assert token is not None
    return token[1]


async def test_the_page_says_what_it_means_counts_once_and_leads_back(asking: Publishing) -> None:
    made = await asking.ask()
    assert f'href="/q/{made["id"]}/join"' in (await asking.get(f"/q/{made['id']}")).text
    # Whoever asked it is not asked to join it.
    assert "/join" not in (await asking.get(f"/q/{made['ref']}")).text
    token = await opened(asking, made)
    first = await asking.served.client.post(f"/q/{made['id']}/join", data={"form": token})
    assert first.status_code == 200
    assert "记上了" in first.text
    assert "到现在1人次也想问" in first.text
    assert first.headers["cache-control"] == "no-store"
    again = await asking.served.client.post(f"/q/{made['id']}/join", data={"form": token})
    assert "没有再记" in again.text
    assert (await stands(asking, made))["joined"] == 1


@pytest.mark.parametrize(
    ("wait_s", "form", "told"),
    [
        (1, None, "您按得太快了"),
        (13 * 3600, None, "打开得太久"),
        (10, "", "不完整"),
        (10, "1.2.3", "不完整"),
        (10, "1" * 5000, "不完整"),
        (10, "字\u200b", "不完整"),
    ],
)
async def test_a_button_that_is_refused_counts_nothing_and_can_be_pressed_again(
    asking: Publishing, wait_s: float, form: str | None, told: str
) -> None:
    made = await asking.ask()
    token = await opened(asking, made, wait_s)
    answer = await asking.served.client.post(f"/q/{made['id']}/join", data={"form": token if form is None else form})
    assert answer.status_code == 422
    assert told in html.unescape(answer.text)
    assert (await stands(asking, made))["joined"] == 0
    again = re.search('name="form" value="([^"]+)"', answer.text)
    assert again is not None
    asking.served.clock.at += timedelta(seconds=10)
    done = await asking.served.client.post(f"/q/{made['id']}/join", data={"form": again[1]})
    assert "记上了" in done.text


async def test_the_form_of_one_question_joins_no_other(asking: Publishing) -> None:
    made, other = await asking.ask(), await asking.ask()
    token = await opened(asking, made)
    assert (await asking.served.client.post(f"/q/{other['id']}/join", data={"form": token})).status_code == 422
    assert (await stands(asking, other))["joined"] == 0
