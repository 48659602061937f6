"""Seven kinds of bodies: golden ones, what does not add up and where, what is refused and where, figures, digests."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
import rfc8785
from pydantic import BaseModel, TypeAdapter, ValidationError

from deploy.docs import ROOT
from services.contracts.bodies import (
    BODY,
    Body,
    Contract,
    Decision,
    Ledger,
    Notice,
    Project,
    Roster,
    Table,
    body_digest,
    figures,
)

GOLDEN = ROOT / "services/contracts/examples/bodies"
PERIODS = {
    "ledger": "2026-10",
    "roster": "2026Q3",
    "notice": "2026-10-05",
    "decision": "2026-10-08",
    "contract": "2026-10-09",
    "project": "2026",
    "table": "2026Q3",
}
MODELS: Mapping[str, type[BaseModel]] = {
    "ledger": Ledger,
    "roster": Roster,
    "notice": Notice,
    "decision": Decision,
    "contract": Contract,
    "project": Project,
    "table": Table,
}
KINDS = list(PERIODS)
#: What came to a kind after its first golden body, whose digest must not change.
LATER = (
    *("roster-ballots", "notice-tender", "contract-lots", "contract-rises", "project-parts", "roster-subsidy"),
    *("roster-election", "roster-household", "decision-numbered", "table-grouped"),
    *("ledger-pictured", "contract-numbered"),
)
GONE = object()


def golden(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{kind}.json").read_text("utf-8"))
    return found


def bent(kind: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The golden body with values put at paths such as `entries.0.days`; GONE takes a field away."""
    body = golden(kind)
    for path, value in changes.items():
        place: Any = body
        *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
        for step in way:
            place = place[step]
        if value is GONE:
            del place[last]
        else:
            place[last] = value
    return body


def read(kind: str, **changes: Any) -> Body:
    return BODY.validate_python(bent(kind, changes))


# -- golden bodies ------------------------------------------------------------------------------------------------


def test_there_is_a_golden_body_of_every_kind_and_none_is_left_over() -> None:
    assert sorted(p.name for p in GOLDEN.iterdir()) == sorted(f"{name}.json" for name in (*KINDS, *LATER))


@pytest.mark.parametrize("kind", KINDS)
def test_golden_body_is_read_and_written_back_unchanged(kind: str) -> None:
    body = BODY.validate_python(golden(kind))
    assert type(body) is MODELS[kind]
    assert {"kind": kind, **body.model_dump(mode="json", exclude_defaults=True)} == golden(kind)
    assert BODY.validate_json(body.model_dump_json()) == body


@pytest.mark.parametrize("name", LATER)
def test_later_golden_body_is_read_and_written_back_unchanged_and_adds_up(name: str) -> None:
    body = BODY.validate_python(golden(name))
    assert {"kind": body.kind, **body.model_dump(mode="json", exclude_defaults=True)} == golden(name)
    assert body.findings("2026Q3") == ()


@pytest.mark.parametrize("kind", KINDS)
def test_golden_body_adds_up(kind: str) -> None:
    body = BODY.validate_python(golden(kind))
    assert body.findings(PERIODS[kind]) == ()
    assert not body.nil


def fields(model: Any) -> set[tuple[str, str]]:
    """Every field of a body's model and of the models within it, by model."""
    # As it is written: what is taken in and never kept stands in no body.
    definitions = TypeAdapter(model).json_schema(mode="serialization")
    models = {model.__name__: definitions, **definitions.get("$defs", {})}
    return {(name, field) for name, schema in models.items() for field in schema.get("properties", {})}


def said(value: Any) -> set[tuple[str, str]]:
    """The fields, by model, that a body or a value within it says something of."""
    if isinstance(value, BaseModel):
        own = {(type(value).__name__, name) for name in value.model_fields_set}
        return own.union(*(said(getattr(value, name)) for name in value.model_fields_set))
    if isinstance(value, tuple):
        return set().union(*(said(inner) for inner in value))
    return set()


@pytest.mark.parametrize("kind", KINDS)
def test_golden_body_shows_every_field(kind: str) -> None:
    # A notice shows its table in short: the table's own golden body shows the rest.
    later = [name for name in LATER if name.startswith((kind, "table"))]
    shown = set().union(*(said(BODY.validate_python(golden(name))) for name in (kind, "table", *later)))
    assert fields(MODELS[kind]) - shown == set()


@pytest.mark.parametrize(
    ("kind", "digest"),
    [
        ("ledger", "b449341c792ae6ff8c444c454c84336b8773654d82251fe66ba561044978c917"),
        ("roster", "00cd3434ec37361033bb33fcac008762d1d5ed957aa8183e77b0d0c5fff1abba"),
        ("notice", "c1460bc8e9008dc85c02f2571d0e8ea4d8dfc3e2d889f592f3e1071811728483"),
        ("decision", "f232f597b0d01a0cffa9d2fdfcbd9df917fba9bfb0778c5de6c1de35b3b39c2b"),
        ("contract", "ec716a3537456ab4ae010aab9c7f62ff7f925a20cb2a9b32e00be88d10f5c4ce"),
        ("project", "30e312edacf21452e0460d3ba5f61775356a7f3d12012d2ee4b3db451991c6e1"),
        ("table", "ba3286378a57434a29f3ce67cff657afe9153517d104e08e4803954991ccc354"),
    ],
)
def test_digest_of_a_golden_body_never_changes(kind: str, digest: str) -> None:
    # The files say nothing that stands at its default, so they are what is digested.
    assert hashlib.sha256(rfc8785.dumps(golden(kind))).hexdigest() == digest
    assert body_digest(BODY.validate_python(golden(kind))) == digest


# -- digests ------------------------------------------------------------------------------------------------------

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "ledger": {"attachments": [], "lines.2.payee": None, "lines.2.attachments": [], "lines.2.voucher": None},
    "roster": {"attachments": [], "entries.2.amount_fen": None, "entries.2.goods": None, "totals": None},
    "notice": {"attachments": [], "posted_until": None, "table.checks": [], "table.columns.0.type": "text"},
    "decision": {"attachments": [], "votes.against": 0, "steps.1.note": None, "implementation": None},
    "contract": {"attachments": [], "outsider": False, "instalments": [], "remark": None},
    "project": {"attachments": [], "bids.1.won": False, "payments.1.note": None, "settled_fen": None},
    "table": {"attachments": [], "columns.1.type": "text", "columns.1.unit": None, "totals": {}, "checks": []},
}


def without(kind: str, paths: Mapping[str, Any]) -> dict[str, Any]:
    body = golden(kind)
    for path in paths:
        place: Any = body
        *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
        for step in way:
            place = place[step]
        place.pop(last, None)
    return body


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_at_its_default_does_not_change_the_digest(kind: str) -> None:
    left_out = BODY.validate_python(without(kind, DEFAULTS[kind]))
    written = BODY.validate_python(bent(kind, DEFAULTS[kind]))
    assert left_out == written
    assert body_digest(left_out) == body_digest(written)


class LaterTable(Table):
    weather: str | None = None
    signatures: tuple[str, ...] = ()


def test_fields_added_later_do_not_change_the_digest_of_an_older_body() -> None:
    later = LaterTable.model_validate(golden("table"))
    assert body_digest(later) == body_digest(BODY.validate_python(golden("table")))
    assert body_digest(later) != body_digest(later.model_copy(update={"weather": "雪"}))


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_is_unknown_here_is_no_part_of_the_body(kind: str) -> None:
    body = BODY.validate_python({**golden(kind), "from_the_future": 1})
    assert body == BODY.validate_python(golden(kind))


# -- figures ------------------------------------------------------------------------------------------------------

WORDS_ALONE = [
    ("ledger", {"lines.0.summary": "修村部水管和龙头", "lines.0.payee": "某建材店"}),
    ("ledger", {"lines.0.voucher.no": 9, "lines.0.date": "2026-10-04", "lines.0.invoice.no": "87654321"}),
    ("roster", {"title": "名单", "standard": "每天120元", "entries.0.name": "张建民", "entries.1.goods": "大米 3 袋"}),
    ("notice", {"title": "机井维修", "paragraphs.1": "机井已于9月修好，花费3,300元。", "table.rows.0.0": "水泵"}),
    ("notice", {"posted_until": "2026-10-20", "attachments": []}),
    ("decision", {"title": "修桥", "resolution": "同意。", "steps.1.date": "2026-09-23"}),
    ("contract", {"title": "果园合同", "party": "王小山", "outsider": False, "ends": "2032-10-31"}),
    ("project", {"title": "硬化村西路", "bids.0.bidder": "某筑路有限公司", "accepted_on": GONE}),
    ("table", {"title": "租金", "rows.0.0": "赵铁栓", "rows.0.1": "水塘", "columns.0.name": "谁租的"}),
]
OTHER_FIGURES = [
    ("ledger", {"lines.0.amount_fen": 21501}, "body.lines[0].amount_fen"),
    ("ledger", {"accounts.0.closing_fen": 1}, "body.accounts[0].closing_fen"),
    ("ledger", {"lines.0.person_days": 3}, "body.lines[0].person_days"),
    ("ledger", {"totals.income_fen": 1}, "body.totals.income_fen"),
    ("roster", {"entries.0.amount_fen": 30100}, "body.entries[0].amount_fen"),
    ("roster", {"entries.0.days": "3"}, "body.entries[0].days"),
    ("roster", {"entries.1.household_size": 4}, "body.entries[1].household_size"),
    ("roster", {"entries.2.votes": 27}, "body.entries[2].votes"),
    ("notice", {"table.rows.1.1": 40100}, "body.table.rows[1][1]"),
    ("decision", {"votes.in_favour": 23}, "body.votes.in_favour"),
    ("contract", {"area_mu": "13"}, "body.area_mu"),
    ("contract", {"annual_fen": 1}, "body.annual_fen"),
    ("project", {"settled_fen": 17650001}, "body.settled_fen"),
    ("project", {"payments.1.amount_fen": 8650001}, "body.payments[1].amount_fen"),
    ("table", {"rows.0.4": 120001}, "body.rows[0][4]"),
    ("table", {"rows.1.3": 3}, "body.rows[1][3]"),
    ("table", {"rows.0.2": "3.5"}, "body.rows[0][2]"),
    ("table", {"totals.due": 420001}, "body.totals.due"),
]


@pytest.mark.parametrize(("kind", "changes"), WORDS_ALONE)
def test_words_names_and_days_are_no_figures(kind: str, changes: dict[str, Any]) -> None:
    changed = read(kind, **changes)
    assert figures(changed) == figures(read(kind))
    assert body_digest(changed) != body_digest(read(kind))


@pytest.mark.parametrize(("kind", "changes", "at"), OTHER_FIGURES)
def test_another_amount_count_or_quantity_is_another_figure_at_its_place(
    kind: str, changes: dict[str, Any], at: str
) -> None:
    before, after = dict(figures(read(kind))), dict(figures(read(kind, **changes)))
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} == {at}


def test_figures_of_a_table_within_a_notice_stand_under_it() -> None:
    columns = [{"key": "area", "name": "面积", "type": "quantity"}]
    body = read("notice", table={"columns": columns, "rows": [["1.5"], [None], ["2"]]})
    assert figures(body) == (("body.table.rows[0][0]", "1.5"), ("body.table.rows[2][0]", "2"))


def test_a_row_more_is_a_figure_more() -> None:
    entries = [*golden("roster")["entries"], {"name": "赵铁柱", "amount_fen": 0}]
    added = set(figures(read("roster", entries=entries))) - set(figures(read("roster")))
    assert added == {("body.entries[3].amount_fen", "0")}


# -- files and emptiness ------------------------------------------------------------------------------------------


def test_every_file_that_a_body_names_is_told() -> None:
    a, b = "a1" * 32, "b2" * 32
    files = {kind: read(kind).files() for kind in KINDS}
    assert files.pop("ledger") == files.pop("notice") == {a, b}
    assert set(files.values()) == {frozenset({a})}


@pytest.mark.parametrize(
    ("kind", "changes", "nil", "rows"),
    [
        ("ledger", {"lines": []}, True, 0),
        ("ledger", {}, False, 4),
        ("roster", {"entries": []}, True, 0),
        ("roster", {}, False, 3),
        ("table", {"rows": []}, True, 0),
        ("table", {}, False, 2),
        ("notice", {}, False, 2),
        ("decision", {"steps": []}, False, 0),
        ("contract", {"instalments": []}, False, 0),
        ("project", {"payments": []}, False, 0),
    ],
)
def test_a_list_without_rows_says_that_nothing_happened(kind: str, changes: Any, *, nil: bool, rows: int) -> None:
    body = read(kind, **changes)
    assert (body.nil, body.row_count) == (nil, rows)


def test_an_unknown_kind_is_told_with_the_seven() -> None:
    with pytest.raises(ValidationError) as refused:
        BODY.validate_python({**golden("notice"), "kind": "letter"})
    assert all(f"'{kind}'" in refused.value.errors()[0]["msg"] for kind in KINDS)
