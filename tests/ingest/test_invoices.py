"""One invoice in two lines of a village is told to who enters, neutrally and with both places; in no other village, and not of its own older edition."""

from typing import Any

import pytest

from services.contracts.bodies import Invoice
from services.ingest.commands.invoices import identity_of
from tests import builders
from tests.ingest.conftest import CLERK, PATH, Month

OLD = {"code": "021002100104", "no": "12345678", "seller": "某五金店"}


def ledger(*invoices: dict[str, Any] | None) -> dict[str, Any]:
    day = {"date": "2026-10-03", "summary": "修水管", "direction": "out", "amount_fen": 100, "account": "cash"}
    lines = [{**day, "invoice": i} for i in invoices]
    accounts = [{"account": "cash", "opening_fen": 100 * len(lines), "closing_fen": 0}]
    return {"kind": "ledger", "accounts": accounts, "lines": lines}


async def told(month: Month, made: Any) -> list[tuple[str, str]]:
    findings = (await month.done("GET", f"{PATH}/{made}", CLERK))["findings"]
    return [(f["at"], f["message"]) for f in findings if f["code"] == "ledger.invoice"]


async def test_twice_in_one_month_is_told_at_the_second(month: Month) -> None:
    made = await month.draft(body=ledger(OLD, None, {**OLD, "no": "１２３４ ５６７８"}))  # noqa: RUF001 - as it is typed
    [(at, message)] = await told(month, made)
    assert at == "body.lines[2].invoice.no"
    assert message.startswith("第 3 行和这一份的第 1 行是同一张发票号")
    assert "请写明" in message
    body = {"version": 1}
    await month.refused(409, "unexplained_findings", "POST", f"{PATH}/{made}/submit", CLERK, body)
    reason = [{"finding": "ledger.invoice", "reason": "分两次付"}]
    await month.step(made, "submit", CLERK, accept=reason)


async def test_in_another_month_of_the_village_is_told_with_its_place(month: Month) -> None:
    first = await month.draft(period="2026-08", body=ledger(None, OLD))
    made = await month.draft(body=ledger(OLD))
    [(at, message)] = await told(month, made)
    assert (at, "2026-08 的第 2 行" in message) == ("body.lines[0].invoice.no", True)
    # Thrown away, it stands nowhere else any more.
    await month.step(first, "discard", CLERK)
    await month.done("PUT", f"{PATH}/{made}", CLERK, {"version": 1, "body": ledger(OLD)})
    assert await told(month, made) == []


async def test_its_own_older_edition_is_no_second_line(month: Month) -> None:
    made = await month.draft(body=ledger(OLD))
    await month.done("PUT", f"{PATH}/{made}", CLERK, {"version": 1, "body": ledger(OLD, None)})
    assert await told(month, made) == []


async def test_another_village_is_not_looked_at(month: Month) -> None:
    neighbour = builders.disclosure(body=ledger(OLD), village=builders.NEIGHBOUR)
    await month.done("POST", PATH, "accountant-210881006", neighbour)
    assert await told(month, await month.draft(body=ledger(OLD))) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (OLD, {**OLD, "seller": "另一家"}, True),
        (OLD, {**OLD, "code": "021002100105"}, False),
        ({"no": "12345678", "seller": "某五金店"}, {"no": "12345678", "seller": "某 五金店"}, True),
        ({"no": "12345678", "seller": "某五金店"}, {"no": "12345678", "seller": "某水泥厂"}, False),
        ({"no": "2" * 20, "seller": "某五金店"}, {"no": "2" * 20, "seller": "某水泥厂", "code": "1"}, True),
        ({"no": "—", "seller": "甲"}, {"no": "—", "seller": "乙"}, False),
    ],
)
def test_what_makes_two_lines_name_one_invoice(one: dict[str, str], other: dict[str, str], same: bool) -> None:  # noqa: FBT001 - a column of the table
    first, second = Invoice.model_validate(one), Invoice.model_validate(other)
    assert (identity_of(first) == identity_of(second)) is same


async def test_marks_tell_no_number(month: Month) -> None:
    await month.draft(body=ledger(OLD))
    [row] = await month.rows("SELECT * FROM invoice_mark")
    assert "12345678" not in str(dict(row.items()))
