"""The registry file: CSV text in, the tree of one city out: the city, its townships, its villages.

Columns are those of `deploy/data/gaizhou-villages.csv`. Townships have no lines of their own; they come from the
columns of their villages. Codes nest (city 6 digits, township 9, village 12), and a code outside its parent is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from services.contracts.division import Division, DivisionKind, DivisionRevision
from services.registry.bulk.rows import Row, note_twins, read_rows, refuse_faulty

COLUMNS: Final = ("code", "name", "township_code", "township_name", "kind")
_VILLAGE: Final = re.compile(r"[0-9]{12}")
_TOWNSHIP: Final = re.compile(r"[0-9]{9}")


class _Kind(StrEnum):
    VILLAGE = "village"
    COMMUNITY = "community"
    ZONE = "zone"


@dataclass(frozen=True, slots=True)
class City:
    """What the file does not say: whose villages these are, and since when.

    `duties_from` and `profile` are set on the city and inherited from there. `sample` marks made-up figures and is set
    on every division, so that no page of a real village can look real by mistake.
    """

    code: str
    name: str
    since: date
    sample: bool
    duties_from: date | None = None
    profile: str | None = None


def _check_place(row: Row, city: City) -> None:
    code = row.matching("code", _VILLAGE, "12 位数字的统计用区划代码")
    township = row.matching("township_code", _TOWNSHIP, "9 位数字的乡镇（街道）代码")
    if township is not None and not township.startswith(city.code):
        row.refuse("township_code", f"“{township}”不在{city.name}（{city.code}）之下，请核对代码")
    if code is not None and township is not None and not code.startswith(township):
        row.refuse("code", f"“{code}”不在乡镇（街道）{township} 之下，请核对两列代码")


def _check_township_names(rows: Sequence[Row]) -> None:
    first: dict[str, Row] = {}
    for row in rows:
        known = first.setdefault(row.cells["township_code"], row)
        name, other = row.cells["township_name"], known.cells["township_name"]
        if name and other and name != other:
            row.refuse("township_name", f"“{name}”与第 {known.line} 行同一代码的“{other}”不同，请改成同一个名称")


def _division(city: City, code: str, name: str, kind: DivisionKind, parent: str | None) -> Division:
    top = parent is None
    revision = DivisionRevision(
        since=city.since,
        name=name,
        kind=kind,
        parent=parent,
        duties_from=city.duties_from if top else None,
        profile=city.profile if top else None,
        sample=city.sample,
    )
    return Division(code=code, revisions=(revision,))


def _tree(rows: Sequence[Row], city: City) -> list[Division]:
    cells = sorted((row.cells for row in rows), key=lambda c: c["code"])
    townships = {c["township_code"]: c["township_name"] for c in cells}
    return [
        _division(city, city.code, city.name, DivisionKind.CITY, None),
        *(_division(city, code, townships[code], DivisionKind.TOWNSHIP, city.code) for code in sorted(townships)),
        *(_division(city, c["code"], c["name"], DivisionKind(c["kind"]), c["township_code"]) for c in cells),
    ]


def read_divisions(data: str | bytes, city: City) -> list[Division]:
    """Read a registry file: the city first, then townships, then villages, each by code.

    FileFaultsError lists all faults.
    """
    rows = read_rows(data, COLUMNS)
    for row in rows:
        _check_place(row, city)
        row.text("name")
        row.text("township_name")
        row.choice("kind", _Kind)
    note_twins(rows, "code")
    _check_township_names(rows)
    refuse_faulty(rows)
    return _tree(rows, city)
