"""Real tables through the desk and the API: no false alarm on clean ones, true errors told, read back alike."""

from typing import Any
from uuid import uuid4

from tests import builders
from tests.conftest import Served
from tests.disclosures import sheet
from tests.ingest.test_forms_tables import STALLS, YEARS, filled, with_columns
from tests.ingest.test_pages import CLERK, ingest, kept, look, send  # noqa: F401 - ingest is a fixture

PATH = "/ingest/v1/disclosures"


async def typed(served: Served, item: str, period: str, fields: dict[str, str], rows: list[list[str]]) -> Any:
    """The disclosure's page after a clerk typed a table."""
    form = filled(item, fields, rows)
    own = {"village": builders.VILLAGE, "item": item, "period": period, "action": "save"}
    counts = {f"{path}.~count": str(n) for path, n in form.counts.items()}
    answer = await send(served, "/desk/form", {**form.values, **counts, **own})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_a_clean_tender_with_columns_of_its_own_raises_no_alarm(ingest: Served) -> None:  # noqa: F811 - the fixture
    page = await typed(ingest, "F10", "2026Q3", with_columns("F10", STALLS), sheet("lease-liannan")[1:])
    found = await kept(ingest, page)
    assert found["findings"] == []
    assert "请核对" not in (await look(ingest, page)).text


async def test_what_was_typed_in_ten_thousands_is_fen_in_the_api_and_told_both_ways(ingest: Served) -> None:  # noqa: F811 - the fixture
    page = await typed(ingest, "V17", "2026Q3", with_columns("V17", YEARS), sheet("text-jifei")[1:])
    found = await kept(ingest, page)
    assert [row[3] for row in found["body"]["rows"]][-1] == 482_870_000
    assert [(f["code"], f["at"]) for f in found["findings"]] == [("table.total", "body.rows[4][1]")]
    text = (await look(ingest, page)).text
    assert "4,828,700.00元（填的是482.87万元）" in text
    assert "写的是 428 户，上面各行相加是 550 户，请核对。" in text


async def test_a_body_of_the_api_is_settled_and_reads_back_as_it_was_sent(ingest: Served) -> None:  # noqa: F811 - the fixture
    columns = [
        {"key": "year", "name": "年度"},
        {"key": "grant", "name": "补助", "type": "amount", "unit": "万元"},
        {"key": "each", "name": "每户标准", "type": "amount"},
    ]
    body = {"kind": "table", "columns": columns, "rows": [["2010", 20_000_000, 750_000], ["合计", 20_000_000, None]]}
    told = {"village": builders.VILLAGE, "item": "V17", "period": "2026Q3", "body": body}
    headers = {**ingest.bearer(CLERK), "idempotency-key": str(uuid4())}
    made = await ingest.client.post(PATH, json=told, headers=headers)
    assert made.status_code == 201, made.text
    assert made.json()["findings"] == []
    read = (await ingest.client.get(f"{PATH}/{made.json()['id']}", headers=ingest.bearer(CLERK))).json()["body"]
    assert read["rows"] == body["rows"]
    assert [c.get("sum") for c in read["columns"]] == [None, True, False]
