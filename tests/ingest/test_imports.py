"""Prepared files of many villages: whatever encoding, every fault by line and column, all of them at once."""

import asyncio
import json
from pathlib import Path

import pytest

from services.ingest.bulk.prepared import FileFaultsError, looks_prepared, read_answer, read_prepared
from services.kit.limited import Limits, run_limited

HEAD = "村代码,事项,公开期,行别,账户,期初,期末,日期,摘要,收支,金额"
ACCOUNT = "{v},F01,2026-10,账户,库存现金,１００.00,80.00,,,,"  # noqa: RUF001 - typed in full width
LINE = "{v},F01,2026-10,明细,库存现金,,,10月3日,买扫帚,支出,20"
VILLAGE = "330411100201"


def sheet(*rows: str) -> str:
    return "\r\n".join([HEAD, *rows]) + "\r\n"


def faults_of(data: bytes) -> list[str]:
    with pytest.raises(FileFaultsError) as caught:
        read_prepared(data)
    return [f.at for f in caught.value.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_eleven_villages_in_one_file_are_eleven_drafts(encoding: str) -> None:
    villages = [f"3304111002{n:02}" for n in range(11)]
    rows = [row.format(v=v) for v in villages for row in (ACCOUNT, LINE)]
    found = read_prepared(sheet(*rows).encode(encoding))
    assert [one.village for one in found] == villages
    assert found[10].body == {
        "kind": "ledger",
        "accounts": [{"account": "cash", "opening_fen": 10000, "closing_fen": 8000}],
        "lines": [
            {"date": "2026-10-03", "summary": "买扫帚", "direction": "out", "amount_fen": 2000, "account": "cash"}
        ],
    }
    assert found[10].place("body.lines[0].date") == "第 23 行"


def test_every_wrong_cell_is_named_by_line_and_column() -> None:
    rows = sheet(
        ACCOUNT.format(v=VILLAGE).replace("80.00", "八十"),
        LINE.format(v=VILLAGE).replace("10月3日", "2月30日").replace("支出", "付"),
        LINE.format(v=VILLAGE).replace("明细", "合计"),
        LINE.format(v="").replace(",20", ",20.005"),
        "330411100201,F01",
    )
    assert faults_of(rows.encode()) == [
        "第 2 行“期末”列",
        "第 3 行“日期”列",
        "第 3 行“收支”列",
        "第 4 行“行别”列",
        "第 5 行“村代码”列",
        "第 6 行",
    ]


@pytest.mark.parametrize(
    ("data", "places"),
    [
        (b"", ["第 1 行"] * 5),
        (HEAD.replace("账户", "帐户").encode(), ["第 1 行"] * 2),
        ((HEAD + ",金额").encode(), ["第 1 行"]),
        (HEAD.encode(), ["file"]),
        (b"\xff\xfe\x00", ["file"]),
        (b" " * (8 * 1024 * 1024 + 1), ["file"]),
        (b'{"disclosures": [}', ["第 1 行"]),
        (b'{"disclosures": 5}', ["disclosures"]),
        (b'{"disclosures": [7]}', [f"disclosures[0].{n}" for n in ("village", "item", "period")]),
        (b'{"a":' * 100_000, ["file"]),
    ],
)
def test_a_file_that_cannot_be_read_says_where(data: bytes, places: list[str]) -> None:
    assert faults_of(data) == places


def test_a_file_that_a_spreadsheet_saved_again_is_told_what_became_of_its_codes() -> None:
    data = (Path(__file__).parent / "spreadsheets" / "19_own_csv_after_excel_save.csv").read_bytes()
    assert looks_prepared(data)
    with pytest.raises(FileFaultsError) as caught:
        read_prepared(data)
    assert [f.at for f in caught.value.faults] == ["第 2 行“村代码”列", "第 3 行“村代码”列"]
    assert "电子表格把 12 位代码缩短了" in caught.value.faults[0].message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_prepared_file_is_told_from_a_spreadsheet_by_its_first_line(encoding: str) -> None:
    assert looks_prepared(sheet(ACCOUNT.format(v=VILLAGE)).encode(encoding))
    assert not looks_prepared("日期,摘要,收入,支出\n".encode(encoding))


def test_two_hundred_and_one_disclosures_are_too_many() -> None:
    one = {"village": VILLAGE, "item": "F01", "period": "2026-10", "body": {}}
    assert len(read_prepared(json.dumps({"disclosures": [one] * 200}).encode())) == 200
    assert faults_of(json.dumps({"disclosures": [one] * 201}).encode()) == ["file"]


async def test_others_are_served_while_a_large_file_is_read() -> None:
    turns = 0

    async def serve() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    serving = asyncio.create_task(serve())
    file = b"village,item,period\n" + b"210881006206,F01,2026-10\n" * 100_000
    written = await run_limited("services.ingest.bulk.prepared", file, Limits(60, 768, 1024 * 1024), who="a")
    with pytest.raises(FileFaultsError):
        list(read_answer(written))
    serving.cancel()
    assert turns > 10
