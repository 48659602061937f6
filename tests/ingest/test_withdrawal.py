"""Withdrawing in two steps: out of sight at once, back when it was a mistake, gone for good in a week or by two people."""

import json
from typing import Any

import pytest

from services.ingest.commands.attachments import sweep
from services.ingest.jobs import erase_withdrawn
from tests import builders
from tests.ingest.conftest import CLERK, PATH, REVIEWER, SECOND, SUPERVISOR, Month
from tests.ingest.test_files import picture, upload
from tests.ingest.test_second_eyes import look

INSPECTOR = "inspector-210881006"
ALL_WHO_READ = (CLERK, SUPERVISOR, REVIEWER, "accountant-210881006", "principal-210881006206", "operator")


async def public(month: Month, **changes: Any) -> str:
    """A published ledger with a file and a dissent beside it."""
    digest = (await upload(month, picture("blue"))).json()["digest"]
    body = builders.ledger(attachments=[{"digest": digest, "title": "收据"}])
    made = await month.draft(body=body, **changes)
    await month.step(made, "submit", CLERK)
    await month.step(made, "confirm", SECOND, opinion="dissent", reason="水管没有修")
    await month.step(made, "confirm", SUPERVISOR)
    await month.step(made, "approve", REVIEWER)
    await month.published(made)
    return made


async def key_of(month: Month, made: str) -> object:
    [row] = await month.rows(f"SELECT key FROM shred_key WHERE aggregate_id = '{made}'")
    return row["key"]


async def told(month: Month, tag: str) -> list[dict[str, Any]]:
    return [json.loads(e) for e in await month.served.said(tag)]


async def test_what_was_withdrawn_is_read_by_inspectors_alone(month: Month) -> None:
    made = await public(month)
    [file] = await month.rows("SELECT digest FROM attachment_use")
    files = f"/ingest/v1/attachments/{file['digest']}"
    after = await month.step(made, "withdraw", REVIEWER, reason="发错了村")
    assert (after["state"], after["note"], after["withdrawal_kind"]) == ("withdrawn", "发错了村", "content")
    assert after["key_dies_at"] == "2026-12-01T02:00:00Z"
    for user in ALL_WHO_READ:
        detail = await month.done("GET", f"{PATH}/{made}", user)
        assert (detail["body"], detail["opinions"], detail["findings"], detail["returns"]) == (None, [], [], []), user
        page = await look(month, f"/desk/disclosures/{made}", user)
        assert "内容已撤回，只留下原因" in page
        assert "水管" not in page
        await month.refused(404, "unknown_attachment", "GET", files, user)
        changed = await month.ask("GET", f"{PATH}/{made}/difference", user, **{"from": "1", "to": "1"})
        assert changed.status_code == 404
        assert (await month.ask("GET", f"/desk/disclosures/{made}/sheet", user)).status_code == 404
    detail = await month.done("GET", f"{PATH}/{made}", INSPECTOR)
    assert detail["body"]["lines"][0]["summary"] == "修村部水管"
    assert "水管没有修" in await look(month, f"/desk/disclosures/{made}", INSPECTOR)
    assert (await month.ask("GET", files, INSPECTOR)).status_code == 200
    assert await key_of(month, made) is not None
    [event] = await told(month, "disclosure.withdrawn.v1")
    assert (event["kind"], event["recent"], event["was_published"]) == ("content", 1, True)


async def test_after_a_week_it_is_gone_with_key_and_file(month: Month) -> None:
    made = await public(month)
    await month.step(made, "withdraw", REVIEWER, reason="发错了村")
    month.served.clock.advance(days=6, hours=23)
    await erase_withdrawn(month.served.runtime)
    assert await key_of(month, made) is not None
    month.served.clock.advance(hours=1)
    await erase_withdrawn(month.served.runtime)
    assert await key_of(month, made) is None
    assert await month.rows("SELECT * FROM edition") == []
    assert [e["aggregate_id"] for e in await told(month, "disclosure.erased.v1")] == [made]
    runtime = month.served.runtime
    await sweep(runtime)
    assert await month.rows("SELECT * FROM attachment") == []
    assert (await month.done("GET", f"{PATH}/{made}", INSPECTOR))["body"] is None
    await month.refused(409, "erased", "POST", f"{PATH}/{made}/restore", REVIEWER, {"version": 1, "reason": "撤错了"})
    await erase_withdrawn(month.served.runtime)
    assert len(await told(month, "disclosure.erased.v1")) == 1


async def test_a_mistaken_withdrawal_comes_back_as_it_stood(month: Month) -> None:
    made = await public(month)
    before = await month.done("GET", f"{PATH}/{made}", CLERK)
    await month.step(made, "withdraw", REVIEWER, reason="发错了村")
    body = {"version": 1, "reason": ""}
    await month.refused(422, "invalid_input", "POST", f"{PATH}/{made}/restore", REVIEWER, body)
    await month.step(made, "restore", REVIEWER, reason="看错了村名，内容没有问题")
    assert await month.done("GET", f"{PATH}/{made}", CLERK) == before
    [event] = await told(month, "disclosure.restored.v1")
    assert (event["reason"], event["edition"], event["is_public"]) == ("看错了村名，内容没有问题", 1, True)
    await month.erased()
    assert (await month.done("GET", f"{PATH}/{made}", CLERK))["body"] is not None


async def test_a_correction_under_way_comes_back_too(month: Month) -> None:
    made = await public(month)
    await month.step(made, "correct", CLERK, note="摘要写得更清楚")
    await month.step(made, "withdraw", REVIEWER, 2, reason="发错了村")
    after = await month.step(made, "restore", REVIEWER, 2, reason="看错了村名")
    assert (after["state"], after["version"], after["published_version"]) == ("draft", 2, 1)


async def test_what_stands_in_its_cell_by_now_is_not_pushed_out(month: Month) -> None:
    made = await public(month)
    await month.step(made, "withdraw", REVIEWER, reason="发错了村")
    await month.draft()
    body = {"version": 1, "reason": "撤错了"}
    await month.refused(409, "already_entered", "POST", f"{PATH}/{made}/restore", REVIEWER, body)


async def test_personal_data_goes_at_once_when_a_second_person_agrees_and_never_comes_back(month: Month) -> None:
    made = await public(month)
    await month.step(made, "withdraw", REVIEWER, reason="公开了不该公开的信息", kind="personal_data")
    again = {"version": 1, "reason": "撤错了"}
    await month.refused(409, "personal_data", "POST", f"{PATH}/{made}/restore", REVIEWER, again)
    await month.refused(403, "second_person", "POST", f"{PATH}/{made}/erase", REVIEWER, {"version": 1})
    await month.refused(403, "forbidden", "POST", f"{PATH}/{made}/erase", CLERK, {"version": 1})
    assert "同意立即永久删除" not in await look(month, f"/desk/disclosures/{made}", REVIEWER)
    assert "同意立即永久删除" in await look(month, f"/desk/disclosures/{made}", INSPECTOR)
    await month.step(made, "erase", INSPECTOR)
    assert await key_of(month, made) is None
    assert (await month.done("GET", f"{PATH}/{made}", INSPECTOR))["body"] is None
    [event] = await told(month, "disclosure.erased.v1")
    assert event["actor_id"] == builders.staff_id(INSPECTOR)


async def test_other_content_is_not_erased_before_its_time(month: Month) -> None:
    made = await public(month)
    await month.step(made, "withdraw", REVIEWER, reason="发错了村")
    await month.refused(409, "not_personal_data", "POST", f"{PATH}/{made}/erase", INSPECTOR, {"version": 1})


async def test_what_was_never_let_out_goes_at_once(month: Month) -> None:
    made = await month.draft()
    await month.step(made, "submit", CLERK)
    await month.step(made, "withdraw", REVIEWER, reason="录错了村")
    assert await month.rows("SELECT * FROM edition") == []
    [event] = await told(month, "disclosure.withdrawn.v1")
    assert (event["key_dies_at"], event["recent"]) == (None, None)


async def test_withdrawals_of_one_person_are_counted_over_thirty_days(month: Month) -> None:
    for n in range(3):
        made = await month.approved(
            item="V18",
            period=f"2026-10-0{n + 1}",
            body={"kind": "notice", "title": f"修机井{n}", "paragraphs": [f"第{n}口已修。"]},
        )
        await month.step(made, "withdraw", REVIEWER, reason="发错了村")
        if n == 0:
            await month.step(made, "restore", REVIEWER, reason="看错了")
        month.served.clock.advance(days=1)
    counts = [e["recent"] for e in await told(month, "disclosure.withdrawn.v1")]
    assert counts == [1, 1, 2]


async def test_the_page_takes_the_steps(month: Month) -> None:
    made = await public(month)
    text = await look(month, f"/desk/disclosures/{made}", REVIEWER)
    assert "7 天内发现撤错了可以恢复" in text
    headers = {**month.served.bearer(REVIEWER), "accept": "text/html"}
    path = f"/desk/disclosures/{made}"
    fields = {"version": "1", "reason": "发错了村", "sure": "yes", "kind": "content"}
    assert (await month.served.client.post(f"{path}/withdraw", data=fields, headers=headers)).status_code == 303
    assert "撤错了，恢复公开" in await look(month, path, REVIEWER)
    fields = {"version": "1", "reason": "看错了村名"}
    assert (await month.served.client.post(f"{path}/restore", data=fields, headers=headers)).status_code == 303
    assert "已公开" in await look(month, path, REVIEWER)


@pytest.mark.parametrize("action", ["restore", "erase"])
async def test_what_is_not_withdrawn_has_neither_step(month: Month, action: str) -> None:
    made = await month.approved()
    body = {"version": 1, "reason": "x"} if action == "restore" else {"version": 1}
    await month.refused(409, "wrong_state", "POST", f"{PATH}/{made}/{action}", REVIEWER, body)
