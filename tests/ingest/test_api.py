"""A disclosure's way over HTTP, and everything that may not pass."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from services.contracts.base import Role
from services.contracts.staff import StaffRevision, StaffSet
from services.ingest.jobs import erase_withdrawn
from tests import builders
from tests.conftest import Served, ServiceFactory

PATH = "/ingest/v1/disclosures"
CLERK, SUPERVISOR, REVIEWER = "clerk-210881006206", "supervisor-210881006206", "reviewer-210881006"


@pytest_asyncio.fixture
async def ingest(service: ServiceFactory) -> Served:
    served = await service("ingest")
    served.clock.at = builders.NOW
    async with served.runtime.database.transaction() as conn:
        await conn.execute("TRUNCATE disclosure, edition, confirmation, event, outbox, idempotency")
    return served


async def post(served: Served, path: str, user: str, body: Any, key: str | None = None) -> Any:
    headers = {**served.bearer(user), **({"Idempotency-Key": key} if key else {})}
    return await served.client.post(path, json=body, headers=headers)


async def create(served: Served, **changes: Any) -> str:
    answer = await post(served, PATH, CLERK, builders.disclosure(**changes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def step(served: Served, disclosure: str, action: str, user: str, **body: Any) -> Any:
    return await post(served, f"{PATH}/{disclosure}/{action}", user, {"version": 1, **body})


async def test_a_ledger_goes_from_draft_to_approved(ingest: Served) -> None:
    made = await create(ingest)
    assert (await step(ingest, made, "submit", CLERK, accept=[])).json()["state"] == "submitted"
    assert (await step(ingest, made, "confirm", SUPERVISOR)).json()["state"] == "confirmed"
    assert (await step(ingest, made, "approve", REVIEWER)).json()["state"] == "approved"
    async with ingest.runtime.database.connection() as conn:
        rows = await conn.fetch(
            "SELECT type, aggregate_version AS v FROM event WHERE aggregate = 'disclosure' ORDER BY aggregate_version"
        )
    assert [(r["type"], r["v"]) for r in rows] == [
        ("disclosure.submitted.v1", 1),
        ("disclosure.confirmed.v1", 2),
        ("disclosure.approved.v1", 3),
    ]


async def test_no_event_and_no_outbox_row_holds_the_body_in_clear(ingest: Served) -> None:
    made = await create(ingest)
    await step(ingest, made, "submit", CLERK)
    await step(ingest, made, "confirm", SUPERVISOR)
    await step(ingest, made, "approve", REVIEWER)
    async with ingest.runtime.database.connection() as conn:
        texts = await conn.fetch(
            "SELECT payload::text AS t FROM event UNION ALL SELECT coalesce(encode(value, 'escape'), '') FROM outbox"
        )
    assert not any("修村部水管" in r["t"] for r in texts)


async def test_withdrawal_leaves_a_reason_and_no_content(ingest: Served) -> None:
    made = await create(ingest)
    await step(ingest, made, "submit", CLERK)
    await step(ingest, made, "confirm", SUPERVISOR)
    await step(ingest, made, "approve", REVIEWER)
    answer = await step(ingest, made, "withdraw", REVIEWER, reason="误传了别村的账")
    assert answer.json()["state"] == "withdrawn"
    ingest.clock.advance(days=7)
    await erase_withdrawn(ingest.runtime)
    detail = (await ingest.client.get(f"{PATH}/{made}", headers=ingest.bearer(CLERK))).json()
    assert (detail["body"], detail["note"]) == (None, "误传了别村的账")
    async with ingest.runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM edition") == 0
        assert await conn.fetchval("SELECT key FROM shred_key WHERE aggregate_id = $1", made) is None
        assert await conn.fetchval("SELECT count(*) FROM event WHERE type = 'key.set.v1'") == 0
        assert (
            await conn.fetchval(
                "SELECT count(*) FROM outbox WHERE topic = 'sanwu.keys' AND value IS NULL AND event_id IS NULL"
            )
            == 1
        )


async def test_the_cell_is_free_again_after_a_withdrawal(ingest: Served) -> None:
    made = await create(ingest)
    await step(ingest, made, "withdraw", REVIEWER, reason="录错了村")
    assert await create(ingest) != made


async def test_a_returned_ledger_comes_back_as_its_second_version(ingest: Served) -> None:
    made = await create(ingest)
    await step(ingest, made, "submit", CLERK)
    returned = await step(ingest, made, "return", REVIEWER, reason="第2行凭证不清")
    assert (returned.json()["state"], returned.json()["note"]) == ("returned", "第2行凭证不清")
    saved = await ingest.client.put(
        f"{PATH}/{made}", json={"version": 1, "body": builders.ledger()}, headers=ingest.bearer(CLERK)
    )
    assert (saved.json()["version"], saved.json()["state"]) == (2, "draft")
    again = await post(ingest, f"{PATH}/{made}/submit", CLERK, {"version": 2})
    assert again.json()["state"] == "submitted"


async def test_lines_that_do_not_add_up_need_a_reason(ingest: Served) -> None:
    accounts = [{"account": "cash", "opening_fen": 120_000, "closing_fen": 98_600}, builders.ledger()["accounts"][1]]
    made = await post(ingest, PATH, CLERK, builders.disclosure(body=builders.ledger(accounts=accounts)))
    assert made.json()["findings"] == [
        {
            "code": "ledger.closing",
            "at": "body.accounts[0]",
            "message": "库存现金：期初加收入减支出与期末相差 -1.00 元，请核对期末余额或补上漏记的行。",
        },
    ]
    refused = await step(ingest, made.json()["id"], "submit", CLERK, accept=[])
    assert (refused.status_code, refused.json()["code"]) == (409, "unexplained_findings")
    assert [f["at"] for f in refused.json()["findings"]] == ["body.accounts[0]"]
    accept = [{"finding": made.json()["findings"][0], "reason": "零钱找补，下月调整"}]
    assert (await step(ingest, made.json()["id"], "submit", CLERK, accept=accept)).json()["state"] == "submitted"
    assert '"ledger.closing"' in (await ingest.said("disclosure.submitted.v1"))[0]


async def test_a_reason_by_code_speaks_for_all_findings_of_that_code(ingest: Served) -> None:
    made = await create(ingest, body=builders.ledger(totals={"income_fen": 1, "expense_fen": 1}))
    accept = [{"finding": "ledger.total", "reason": "合计栏口径不同"}]
    assert (await step(ingest, made, "submit", CLERK, accept=accept)).json()["state"] == "submitted"


async def test_an_opening_that_is_not_the_last_closing_is_told(ingest: Served) -> None:
    before = builders.ledger(
        lines=[], totals=None, accounts=[{"account": "cash", "opening_fen": 110_000, "closing_fen": 110_000}]
    )
    made = await create(ingest, period="2026-09", body=before)
    await step(ingest, made, "submit", CLERK)
    answer = await post(ingest, PATH, CLERK, builders.disclosure())
    assert [(f["code"], f["at"]) for f in answer.json()["findings"]] == [
        ("ledger.opening", "body.accounts[0].opening_fen"),
        ("ledger.account_new", "body.accounts[1].opening_fen"),
    ]
    assert answer.json()["findings"][0]["message"] == (
        "库存现金：2026年9月的期末是 1,100.00，这里的期初写 1,200.00，差 100.00元，请核对。"
    )


async def test_an_id_number_in_a_summary_is_for_a_reviewer_to_accept(ingest: Served) -> None:
    body = builders.ledger()
    body["lines"][0] |= {"summary": "付张某 11010519491231002X 误工费"}
    made = await post(ingest, PATH, CLERK, builders.disclosure(body=body))
    finding = made.json()["findings"][0]
    assert (finding["code"], finding["at"]) == ("privacy.id_card", "body.lines[0].summary")
    assert "11010519491231002X" not in finding["message"]
    accept = [{"finding": finding, "reason": "本人同意"}]
    refused = await step(ingest, made.json()["id"], "submit", CLERK, accept=accept)
    assert (refused.status_code, refused.json()["code"]) == (409, "unexplained_findings")
    assert (await step(ingest, made.json()["id"], "submit", REVIEWER, accept=accept)).status_code == 200


SHORT_LINE = {"date": "2026-10-03", "summary": "水费", "direction": "out", "amount_fen": 100, "account": "cash"}
REFUSED: list[tuple[str, dict[str, Any], int, str, str]] = [
    ("unknown village", {"village": "210881006999"}, 422, "unknown_village", "village"),
    ("a township's code", {"village": "210881006"}, 422, "invalid_input", "village"),
    ("zone", {"village": builders.ZONE}, 422, "zone_has_no_duties", "village"),
    ("unknown item", {"item": "F99"}, 422, "unknown_item", "item"),
    ("item of another kind", {"item": "V09", "period": "2026Q3"}, 422, "kind_mismatch", "body.kind"),
    ("period of another frequency", {"period": "2026Q3"}, 422, "wrong_period", "period"),
    ("no period at all", {"period": "十月"}, 422, "invalid_input", "period"),
    ("future period", {"period": "2027-01"}, 422, "future_period", "period"),
    ("unknown field", {"villlage": "x"}, 422, "invalid_input", "villlage"),
    ("body of another kind", {"body": {"kind": "roster", "entries": []}}, 422, "kind_mismatch", "body.kind"),
    (
        "NUL",
        {"body": builders.ledger(lines=[{**builders.ledger()["lines"][0], "summary": "a\x00b"}])},
        422,
        "invalid_input",
        "body.lines[0].summary",
    ),
    (
        "yuan instead of fen",
        {"body": builders.ledger(lines=[{**builders.ledger()["lines"][0], "amount_fen": 215.5}])},
        422,
        "invalid_input",
        "body.lines[0].amount_fen",
    ),
    (
        "zero",
        {"body": builders.ledger(lines=[{**builders.ledger()["lines"][0], "amount_fen": 0}])},
        422,
        "invalid_input",
        "body.lines[0].amount_fen",
    ),
    (
        "unknown account",
        {"body": builders.ledger(lines=[{**builders.ledger()["lines"][0], "account": "imprest"}])},
        422,
        "invalid_input",
        "body",
    ),
    (
        "no such day",
        {"body": builders.ledger(lines=[{**builders.ledger()["lines"][0], "date": "2026-06-31"}])},
        422,
        "invalid_input",
        "body.lines[0].date",
    ),
    (
        "misspelt field",
        {"body": builders.ledger(lines=[{**builders.ledger()["lines"][0], "payeee": "x"}])},
        422,
        "invalid_input",
        "body.lines[0].payeee",
    ),
    (
        "3,000 lines",
        {"body": builders.ledger(lines=[SHORT_LINE] * 3000)},
        413,
        "too_large",
        "body.lines",
    ),
]


@pytest.mark.parametrize(("changes", "status", "code", "at"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
async def test_bad_input_names_its_place(
    ingest: Served, changes: dict[str, Any], status: int, code: str, at: str
) -> None:
    answer = await post(ingest, PATH, CLERK, builders.disclosure(**changes))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [e["at"] for e in problem["errors"]][:1] == [at]
    assert problem["errors"][0]["message"]
    async with ingest.runtime.database.connection() as conn:
        assert await conn.fetchval("SELECT count(*) FROM disclosure") == 0


async def test_600_kib_are_refused_with_the_advice_to_split(ingest: Served) -> None:
    line = {**builders.ledger()["lines"][0], "summary": "水" * 190, "payee": "某" * 100}
    answer = await post(ingest, PATH, CLERK, builders.disclosure(body=builders.ledger(lines=[line] * 600)))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "拆分" in answer.json()["detail"]


async def test_broken_json_and_a_megabyte_are_refused(ingest: Served) -> None:
    headers = {**ingest.bearer(CLERK), "content-type": "application/json"}
    broken = await ingest.client.post(PATH, content=b'{"village": ', headers=headers)
    assert (broken.status_code, broken.json()["code"]) == (422, "invalid_input")
    huge = await ingest.client.post(PATH, content=b" " * (1024 * 1024 + 1), headers=headers)
    assert (huge.status_code, huge.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("user", "changes", "code"),
    [
        ("clerk-210881006208", {}, "forbidden"),
        ("reviewer-210881102", {}, "forbidden"),
        (SUPERVISOR, {}, "forbidden"),
        ("inspector-210881", {}, "forbidden"),
        ("operator", {}, "forbidden"),
    ],
)
async def test_wrong_role_or_scope_cannot_enter(ingest: Served, user: str, changes: dict[str, Any], code: str) -> None:
    answer = await post(ingest, PATH, user, builders.disclosure(**changes))
    assert (answer.status_code, answer.json()["code"]) == (403, code)


@pytest.mark.parametrize(
    ("action", "user"),
    [
        ("confirm", CLERK),
        ("confirm", REVIEWER),
        ("confirm", "supervisor-210881006208"),
        ("approve", CLERK),
        ("approve", SUPERVISOR),
        ("approve", "reviewer-210881102"),
        ("withdraw", CLERK),
        ("return", CLERK),
    ],
)
async def test_wrong_role_or_scope_cannot_check(ingest: Served, action: str, user: str) -> None:
    made = await create(ingest)
    await step(ingest, made, "submit", CLERK)
    body = {"reason": "x"} if action in {"withdraw", "return"} else {}
    assert (await step(ingest, made, action, user, **body)).status_code == 403


async def test_nobody_approves_what_they_submitted(ingest: Served) -> None:
    made = (await post(ingest, PATH, REVIEWER, builders.disclosure())).json()["id"]
    await step(ingest, made, "submit", REVIEWER)
    await step(ingest, made, "confirm", SUPERVISOR)
    answer = await step(ingest, made, "approve", REVIEWER)
    assert (answer.status_code, answer.json()["code"]) == (403, "same_person")


async def test_a_former_clerk_does_not_confirm_the_own_ledger(ingest: Served) -> None:
    made = await create(ingest)
    await step(ingest, made, "submit", CLERK)
    staff = ingest.runtime.reference.staff[builders.staff_id(CLERK)]
    new = StaffRevision(since=datetime(2026, 11, 1, tzinfo=UTC).date(), role=Role.SUPERVISOR, scope=builders.VILLAGE)
    changed = staff.model_copy(update={"revisions": (*staff.revisions, new)})
    try:
        ingest.runtime.reference.staff[staff.staff_id] = StaffSet(
            **builders.stamp(staff.staff_id, 2), staff=changed
        ).staff
        answer = await step(ingest, made, "confirm", CLERK)
    finally:
        ingest.runtime.reference.staff[staff.staff_id] = staff
    assert (answer.status_code, answer.json()["code"]) == (403, "same_person")


@pytest.mark.parametrize(
    ("before", "action", "user"),
    [
        ([], "confirm", SUPERVISOR),
        ([], "approve", REVIEWER),
        ([("submit", CLERK)], "approve", REVIEWER),
        ([("submit", CLERK)], "submit", CLERK),
        ([("submit", CLERK), ("confirm", SUPERVISOR), ("approve", REVIEWER)], "approve", REVIEWER),
    ],
)
async def test_a_step_out_of_turn_is_refused(
    ingest: Served, before: list[tuple[str, str]], action: str, user: str
) -> None:
    made = await create(ingest)
    for earlier, by in before:
        assert (await step(ingest, made, earlier, by)).status_code == 200
    answer = await step(ingest, made, action, user)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


async def test_a_stale_version_is_refused_with_the_current_one(ingest: Served) -> None:
    made = await create(ingest)
    await ingest.client.put(
        f"{PATH}/{made}", json={"version": 1, "body": builders.ledger()}, headers=ingest.bearer(CLERK)
    )
    answer = await step(ingest, made, "submit", CLERK)
    assert (answer.status_code, answer.json()["code"], answer.json()["current_version"]) == (409, "stale_version", 2)


async def test_a_second_ledger_for_the_same_cell_is_refused(ingest: Served) -> None:
    await create(ingest)
    answer = await post(ingest, PATH, CLERK, builders.disclosure())
    assert (answer.status_code, answer.json()["code"]) == (409, "already_entered")


async def test_the_current_month_can_be_drafted_and_not_submitted(ingest: Served) -> None:
    body = builders.ledger(lines=[], totals=None, accounts=[{"account": "cash", "opening_fen": 0, "closing_fen": 0}])
    made = await create(ingest, period="2026-11", body=body)
    answer = await step(ingest, made, "submit", CLERK)
    assert (answer.status_code, answer.json()["code"]) == (422, "future_period")


async def test_a_repeated_key_gives_the_first_answer_and_one_disclosure(ingest: Served) -> None:
    first = await post(ingest, PATH, CLERK, builders.disclosure(), key="key-0001")
    second = await post(ingest, PATH, CLERK, builders.disclosure(), key="key-0001")
    assert (second.status_code, second.json()) == (201, first.json())
    other = await post(ingest, PATH, CLERK, builders.disclosure(period="2026-09"), key="key-0001")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("token", ["", "Bearer x.y.z", "Basic abc", "Bearer "])
async def test_forged_and_missing_tokens_are_refused(ingest: Served, token: str) -> None:
    answer = await ingest.client.post(
        PATH, json=builders.disclosure(), headers={"authorization": token} if token else {}
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_an_expired_token_is_refused(ingest: Served) -> None:
    headers = ingest.bearer(CLERK)
    ingest.clock.advance(minutes=15)
    answer = await ingest.client.post(PATH, json=builders.disclosure(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert "过期" in answer.json()["detail"]


async def test_lists_show_the_own_part_of_the_tree_page_by_page(ingest: Served) -> None:
    for period in ("2026-08", "2026-09", "2026-10"):
        await create(ingest, period=period, body=builders.ledger(lines=[], totals=None))
    first = (await ingest.client.get(f"{PATH}?limit=2", headers=ingest.bearer(REVIEWER))).json()
    assert [d["period"] for d in first["items"]] == ["2026-10", "2026-09"]
    rest = (await ingest.client.get(f"{PATH}?limit=2&cursor={first['next']}", headers=ingest.bearer(REVIEWER))).json()
    assert ([d["period"] for d in rest["items"]], rest["next"]) == (["2026-08"], None)
    other = await ingest.client.get(PATH, headers=ingest.bearer("reviewer-210881102"))
    assert other.json()["items"] == []
    outside = await ingest.client.get(f"{PATH}?division=210881006", headers=ingest.bearer("reviewer-210881102"))
    assert outside.status_code == 403


async def test_bad_cursors_and_ids_are_problems(ingest: Served) -> None:
    for path in (f"{PATH}?cursor=%%%", f"{PATH}?limit=201", f"{PATH}/not-an-id", f"{PATH}?division=abc"):
        answer = await ingest.client.get(path, headers=ingest.bearer(REVIEWER))
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), path
    unknown = await ingest.client.get(f"{PATH}/0192c000-0000-7000-8000-000000000000", headers=ingest.bearer(REVIEWER))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_disclosure")
    assert json.loads(unknown.text)["status"] == 404
