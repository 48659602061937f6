"""What rules say is kept by cell; what was kept by subject before is counted all the same, and moved by a job."""

from typing import Any

import asyncpg

from services.audit.jobs import make_jobs, move_verdicts
from tests.audit.events import Disclosure, accounts_of, at, give_keys, ledger
from tests.builders import FAR_VILLAGE, NEIGHBOUR, VILLAGE
from tests.conftest import Served


async def said(audit: Served, rule: str) -> dict[str, Any]:
    """What a rule said of October's cells."""
    answer = await audit.client.get("/audit/v1/coverage?period=2026-10", headers=audit.bearer("operator"))
    told: dict[str, Any] = next(r for r in answer.json()["rules"] if r["rule"] == rule)
    return told


async def before(admin: asyncpg.Connection, *rows: tuple[str, str, str, str]) -> None:
    """Rows as they were written before: rule, village, result, reason."""
    for n, (rule, village, result, reason) in enumerate(rows):
        await admin.execute(
            "INSERT INTO audit.outcome VALUES ($1, $2, $3, 'F01', '2026-10', NULL, $4, $5, now())",
            f"{n:030}",
            rule,
            village,
            result,
            reason,
        )


async def test_a_cell_has_one_row_that_counts_its_subjects(audit: Served, admin: asyncpg.Connection) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    await audit.hear(d.approved(accounts_of(cash=(5, 5), bank=(7, 8), imprest=(1, 1)), at("2026-11-10 02:00")))
    told = await said(audit, "A03")
    assert (told["judged"], told["hit"], told["passed"]) == (3, 1, 2)
    assert await admin.fetchval("SELECT count(*) FROM audit.verdict") == 1
    assert await admin.fetchval("SELECT count(*) FROM audit.outcome") == 0


async def test_a_rule_that_says_otherwise_now_is_not_counted_twice(audit: Served) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    await audit.hear(d.approved(ledger(closing=1), at("2026-11-10 02:00")))
    d.edition = 2
    await audit.hear(d.approved(ledger(), at("2026-11-11 02:00")))
    told = await said(audit, "A03")
    assert (told["judged"], told["hit"], told["passed"]) == (1, 0, 1)


async def test_what_was_said_of_subjects_before_is_counted_before_and_after_it_is_moved(
    audit: Served, admin: asyncpg.Connection
) -> None:
    await before(admin, ("A01", NEIGHBOUR, "pass", ""), ("A01", FAR_VILLAGE, "n/a", "没有填写合计"))
    expected = {"rule": "A01", "judged": 2, "hit": 0, "passed": 1, "not_applicable": {"没有填写合计": 1}}
    assert await said(audit, "A01") == expected
    await move_verdicts(audit.runtime)
    assert await admin.fetchval("SELECT count(*) FROM audit.outcome") == 0
    assert await said(audit, "A01") == expected


async def test_what_was_judged_since_counts_and_not_what_was_said_before(
    audit: Served, admin: asyncpg.Connection
) -> None:
    d = Disclosure()
    await give_keys(audit, d)
    await before(admin, ("A01", VILLAGE, "hit", ""), ("D01", VILLAGE, "pass", ""))
    await audit.hear(d.approved(ledger(), at("2026-11-10 02:00")))
    await move_verdicts(audit.runtime)
    assert [(await said(audit, "A01"))[name] for name in ("judged", "hit", "passed")] == [1, 0, 1]
    assert (await said(audit, "D01"))["passed"] == 1


def test_the_move_is_a_job() -> None:
    assert move_verdicts in [job.run for job in make_jobs()]
