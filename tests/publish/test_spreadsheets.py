"""Tables of everything that is listed: numbers as numbers, no formula, nothing cut off, nothing of what was withdrawn."""

import asyncio
import csv
import io
import threading
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.contracts.values import yuan
from services.kit.errors import UnavailableError
from services.publish.making import AGAIN_S, Making
from services.publish.render.export import Row, Sheet, csv_of, xlsx_of
from tests import builders
from tests.publish import bodies, spreadsheets

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HOSTILE = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\uff1d1+1", "\t=1", '=HYPERLINK("http://x")', "{=1}")


def cells_of(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def book_of(publish: Any, path: str) -> spreadsheets.Book:
    answer = await publish.get(path)
    assert answer.headers["content-type"] == XLSX
    assert 'rel="license"' in answer.headers["link"]
    return spreadsheets.read(answer.content)


async def test_a_ledger_is_a_workbook_whose_amounts_can_be_added_up(publish: Any) -> None:
    body = builders.ledger()
    event = await publish.opened(body=body)
    book = await book_of(publish, f"/d/{event.aggregate_id}.xlsx")
    assert list(book.sheets) == ["逐笔", "各个账户", "加起来对不对", "说明"]
    head, *lines = book.sheets["逐笔"]
    amounts = [row[head.index("金额（元）")] for row in lines]
    assert amounts == [line["amount_fen"] / 100 for line in body["lines"]]
    about = {row[0]: str(row[1]) for row in book.sheets["说明"]}
    assert about["网址"].endswith(f"/d/{event.aggregate_id}")
    assert "知识共享署名 4.0" in about["使用许可"]
    assert {row[5] for row in book.sheets["加起来对不对"][1:]} == {"一样"}
    assert book.formulas == []
    api = await publish.get(f"/api/v1/disclosures/{event.aggregate_id}.xlsx")
    assert api.content == (await publish.get(f"/d/{event.aggregate_id}.xlsx")).content
    assert (await publish.get(f"/d/{event.aggregate_id}.xlsx", 304, If_None_Match=api.headers["etag"])).content == b""


def test_no_text_becomes_a_formula_in_either() -> None:
    sheets = [Sheet("=1+1", [("事由", "@x"), *((text, -5) for text in HOSTILE)])]
    book = spreadsheets.read(xlsx_of(sheets))
    assert book.formulas == []
    assert [row[0] for row in book.sheets["=1+1"][1:]] == list(HOSTILE)
    written = cells_of(type("Answer", (), {"content": csv_of(sheets)}))
    assert not [row[0] for row in written if row[0].startswith(("=", "+", "-", "@", "\t", "\uff1d"))]
    assert {row[1] for row in written[1:]} == {"-5"}


@pytest.mark.parametrize(
    "names",
    [
        ["a" * 40, "a" * 50],
        ["[x]:*?/\\", "''", ""],
        ["History", "说明", "说明"],
        ["\x00\x1f", "'引号'"],
    ],
)
def test_every_name_of_a_sheet_is_one_that_excel_takes(names: list[str]) -> None:
    book = spreadsheets.read(xlsx_of([Sheet(name, [("a",)]) for name in names]))
    assert len(book.sheets) == len(names)
    for name in book.sheets:
        assert 0 < len(name) <= 31
        assert not set(name) & set("[]:*?/\\\x00")
        assert name.lower() != "history"
        assert name.strip("'") == name


def test_cells_of_every_sort_are_written_as_what_they_are() -> None:
    rows: list[Row] = [("a", "b", "c", "d", "e"), ("210881006206", 7, Decimal("-1234.50"), date(2026, 10, 3), None)]
    assert cells_of(type("Answer", (), {"content": csv_of([Sheet("x", rows)])}))[1] == [
        "210881006206",
        "7",
        "-1234.50",
        "2026-10-03",
        "",
    ]
    # The day's number counts from 1900.
    assert spreadsheets.read(xlsx_of([Sheet("x", rows)])).sheets["x"][1] == ["210881006206", 7.0, -1234.5, 46298.0]
    long = spreadsheets.read(xlsx_of([Sheet("x", [("长" * 40_000,)])])).sheets["x"][0][0]
    assert len(str(long)) == 32_767


async def test_figures_of_other_kinds_are_numbers_with_their_unit_in_the_head(publish: Any) -> None:
    event = await publish.opened(item="V03", period="2026Q3", body=bodies.roster())
    answer = await publish.get(f"/d/{event.aggregate_id}.xlsx")
    assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == ("private, max-age=5", "noindex")
    book = spreadsheets.read(answer.content)
    (rows,) = [s for s in book.sheets.values() if s[0][0] == "姓名"]
    place = rows[0].index("金额（元）")
    assert [row[place] for row in rows[1:4]] == [900.0, 450.0, 600.0]
    everything = str(book)
    assert "张某某①" in everything
    for hidden in ("张建国", "李秀英", "患病", "k1:"):
        assert hidden not in everything


async def test_every_list_is_a_table_with_the_rows_of_its_json(publish: Any) -> None:
    village = builders.NEIGHBOUR
    event = await publish.opened(village=village, period="2026-07")
    lists = {
        f"/api/v1/villages/{village}/disclosures": ("公开编号", "id"),
        "/api/v1/disclosures?item=F01&period=2026-07": ("公开编号", "id"),
        f"/api/v1/villages/{village}/duties": ("事项", "item"),
        "/api/v1/catalogue": ("事项", "code"),
        "/api/v1/villages": ("村代码", "code"),
        "/api/v1/divisions": ("代码", "code"),
    }
    for path, (head, name) in lists.items():
        place, _, query = path.partition("?")
        told = (await publish.get(f"{place}?limit=200&{query}")).json()["items"]
        heads, *rows = cells_of(await publish.get(f"{place}.csv?{query}"))
        assert sorted(row[heads.index(head)] for row in rows) == sorted(item[name] for item in told), path
        book = await book_of(publish, f"{place}.xlsx?{query}")
        (sheet,) = book.sheets.values()
        assert len(sheet) == len(rows) + 1
        assert book.formulas == []
    heads, mine = cells_of(await publish.get("/api/v1/disclosures.csv?item=F01&period=2026-07"))
    assert mine[heads.index("收入（元）")] == yuan(60_000).replace(",", "")
    of_item = cells_of(await publish.get(f"/v/{village}/F01.csv"))
    assert event.aggregate_id in {row[0] for row in of_item}


async def test_a_list_is_read_whole_page_after_page(publish: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {(await publish.opened(item="F02", period=str(year))).aggregate_id for year in range(2019, 2024)}
    monkeypatch.setattr("services.publish.open_data.tables._PAGE", 2)
    rows = cells_of(await publish.get(f"/api/v1/villages/{builders.VILLAGE}/disclosures.csv?item=F02"))
    assert {row[0] for row in rows[1:]} == made
    assert len(rows) == 6
    monkeypatch.setattr("services.publish.open_data.tables._MOST_ROWS", 4)
    refused = await publish.get("/api/v1/disclosures.csv?item=F02", 422)
    assert refused.json()["errors"][0]["at"] == "query"
    assert "缩小范围" in refused.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/d/nobody.xlsx", 404),
        ("/d/nobody.txt", 404),
        ("/t/999999999.xlsx", 404),
        (f"/t/{builders.TOWNSHIP}.pdf", 404),
        (f"/v/{builders.VILLAGE}/F99.csv", 404),
        ("/v/999999999999/F01.csv", 404),
        ("/api/v1/villages/999999999999/duties.csv", 404),
        ("/api/v1/disclosures.pdf", 422),
        ("/api/v1/disclosures.csv?item=f", 422),
        ("/api/v1/disclosures.csv?township=999999999", 422),
        (f"/api/v1/villages/{builders.VILLAGE}/disclosures.csv?period=2026-13", 422),
        ("/api/v1/catalogue.json", 422),
    ],
)
async def test_tables_of_nothing_are_refused(publish: Any, path: str, status: int) -> None:
    await publish.get(path, status)


async def test_a_withdrawn_disclosure_is_in_no_table(publish: Any) -> None:
    event = await publish.opened(item="F02", period="2018")
    await publish.withdrawn(event)
    for path in (f"/d/{event.aggregate_id}", f"/api/v1/disclosures/{event.aggregate_id}"):
        for suffix in ("csv", "xlsx"):
            await publish.get(f"{path}.{suffix}", 410)
    heads, row = cells_of(await publish.get("/api/v1/disclosures.csv?item=F02&period=2018"))
    assert row[heads.index("状态")] == "已撤回"
    assert {row[n] for n, head in enumerate(heads) if head.endswith("（元）")} == {""}


async def test_while_a_table_is_made_others_are_answered_and_a_full_line_says_when_to_come() -> None:
    making, begun, go_on = Making(), threading.Event(), threading.Event()

    def long() -> str:
        begun.set()
        go_on.wait(30)
        return "made"

    first = asyncio.create_task(making.make(long))
    assert await asyncio.to_thread(begun.wait, 30)
    waiting = [asyncio.create_task(making.make(lambda: "next")) for _ in range(15)]
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError) as refused:
        await making.make(lambda: "too many")
    assert refused.value.extra == {"retry_after_s": AGAIN_S}
    # Who leaves frees a place; who asked for the one in hand does not.
    waiting.pop().cancel()
    await asyncio.sleep(0.05)
    waiting.append(asyncio.create_task(making.make(lambda: "next")))
    go_on.set()
    assert await first == "made"
    assert set(await asyncio.gather(*waiting)) == {"next"}
    assert await making.make(lambda: "again") == "again"
