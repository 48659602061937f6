"""docs/import.md: what it shows is what the reader takes, and nothing that the reader takes is missing there."""

import json
import re
from pathlib import Path

from services.contracts.bodies import Ledger
from services.ingest.bulk import prepared
from services.ingest.bulk.prepared import read_prepared
from services.ingest.gate.bodies import read_body
from services.ingest.gate.findings import personal_in

TEXT = (Path(__file__).parents[2] / "docs" / "import.md").read_text("utf-8")


def example(kind: str) -> bytes:
    found: list[str] = re.findall(rf"^```{kind}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return found[0].encode()


def test_the_csv_example_is_two_ledgers_that_add_up() -> None:
    found = read_prepared(example("csv"))
    assert [(d.village, d.item, d.period) for d in found] == [
        ("210881006206", "F01", "2026-10"),
        ("210881006207", "F01", "2026-10"),
    ]
    bodies = [read_body(d.body) for d in found]
    assert [(*b.findings("2026-10"), *personal_in(b)) for b in bodies] == [(), ()]
    first = bodies[0]
    assert isinstance(first, Ledger)
    assert [(x.date.isoformat(), x.direction, x.amount_fen) for x in first.lines] == [
        ("2026-10-03", "out", 21500),
        ("2026-10-12", "out", 200000),
        ("2026-10-15", "transfer", 100000),
    ]


def test_the_json_example_says_the_same_and_a_notice() -> None:
    found = read_prepared(example("json"))
    assert [read_body(d.body) for d in found[:2]] == [read_body(d.body) for d in read_prepared(example("csv"))]
    notice = read_body(found[2].body)
    assert (found[2].item, found[2].period, notice.kind) == ("P04", "2026Q3", "notice")
    assert (*notice.findings("2026Q3"), *personal_in(notice)) == ()


def test_saved_as_chinese_spreadsheets_write_it_the_example_is_the_same() -> None:
    text = example("csv").decode()
    assert read_prepared(text.encode("gb18030")) == read_prepared(text.encode())
    assert read_prepared(text.encode("utf-16")) == read_prepared(text.encode())


def test_every_column_and_every_word_that_is_understood_is_told() -> None:
    rows = dict(re.findall(r"^\| (\S+) \| `(\w+)` \|", TEXT, re.MULTILINE))
    assert rows == dict(prepared._COLUMNS)
    words = [*prepared._ROWS, *prepared._DIRECTIONS, *prepared._METHODS]
    assert [w for w in words if not w.isascii() and f"`{w}`" not in TEXT] == []


def test_the_limits_told_are_the_limits_kept() -> None:
    assert prepared.MAX_FILE_BYTES == 8 * 1024 * 1024
    assert prepared.MAX_DISCLOSURES == 200
    assert "At most 8 MiB, 200 disclosures and (CSV) 40,000 rows a file" in TEXT
    assert set(json.loads(example("json"))) == {"disclosures"}
