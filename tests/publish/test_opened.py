"""What an approved event carries, read at its first time and again: the same values, and the body byte for byte as it was said."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.contracts.bodies import BODY, Ledger, LedgerOutline, Notice, Roster, RosterOutline
from services.contracts.disclosure import ApprovedContent
from services.publish.render.opened import read_content
from services.publish.store.keeping import figures
from tests import builders
from tests.publish import bodies

GOLDEN = sorted((Path(__file__).parents[2] / "services/contracts/examples/bodies").glob("*.json"))
SIGN = '"accepted":[ ,"accepted":['
TRANSFERS = {
    "kind": "ledger",
    "accounts": [
        {"account": "cash", "opening_fen": 500, "closing_fen": 350},
        {"account": "bank:信用社", "opening_fen": 0, "closing_fen": 90},
    ],
    "lines": [
        {"date": "2026-10-01", "summary": "存", "direction": "transfer", "amount_fen": 100, "account": "cash"}
        | {"to_account": "bank:信用社"},
        {"date": "2026-10-02", "summary": SIGN, "direction": "out", "amount_fen": 60, "account": "cash"},
        {"date": "2026-10-03", "summary": "退", "direction": "in", "amount_fen": -10, "account": "bank:信用社"},
    ],
    "totals": {"income_fen": -10, "expense_fen": 60},
}
SUM_ROWS = [{"name": "张建国", "amount_fen": 5}, {"name": "李秀英"}, {"name": "合计", "amount_fen": 5}]
BODIES = [
    *(json.loads(path.read_text("utf-8")) for path in GOLDEN),
    builders.ledger(),
    builders.ledger(lines=[]),
    TRANSFERS,
    bodies.roster(title=SIGN),
    bodies.roster(entries=SUM_ROWS, totals={"entries": 2, "amount_fen": 5}),
    bodies.roster(entries=[{"name": "张建国"}]),
    bodies.roster(entries=[]),
    bodies.notice(signed_by=SIGN),
    bodies.table(),
]
REASON = {"code": "ledger.closing", "at": "body.accounts[0]", "reason": SIGN}


def content(body: dict[str, Any], **said: Any) -> ApprovedContent:
    return ApprovedContent(body=BODY.validate_python(body), accepted=said.pop("accepted", ()), **said)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("body", BODIES, ids=[f"{n} {b['kind']}" for n, b in enumerate(BODIES)])
def test_every_kind_is_read_as_it_was_said(body: dict[str, Any], *, again: bool) -> None:
    sealed = content(body, accepted=(REASON,), note=SIGN, secrecy_checked_by="王芳")
    opened = read_content(sealed.model_dump_json().encode(), again=again)
    whole, outline = sealed.body, opened.outline
    assert opened.body == whole.model_dump_json()
    assert (outline.kind, outline.nil, outline.row_count) == (whole.kind, whole.nil, whole.row_count)
    assert (outline.attachments, figures(outline)) == (whole.attachments, figures(whole))
    assert (opened.said.note, opened.said.secrecy_checked_by) == (SIGN, "王芳")
    assert [a.reason for a in opened.said.accepted] == [SIGN]


def test_outlines_are_what_ledgers_and_rosters_are_read_as() -> None:
    read = [type(read_content(content(b).model_dump_json().encode(), again=True).outline) for b in BODIES]
    assert {LedgerOutline, RosterOutline, Notice} < set(read)
    assert not {Ledger, Roster} & set(read)


def test_figures_of_a_ledger_and_a_roster() -> None:
    ledger = read_content(content(TRANSFERS).model_dump_json().encode(), again=True).outline
    told = figures(ledger)
    sums = told.pop("sums")
    assert told == {"opening_fen": 500, "income_fen": -10, "expense_fen": 60, "closing_fen": 440}
    assert [(a.transfer_fen, a.computed_fen) for a in sums.accounts] == [(-100, 340), (100, 90)]
    roster = read_content(content(bodies.roster(entries=SUM_ROWS)).model_dump_json().encode(), again=True).outline
    assert figures(roster) == {"amount_fen": 5}


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(
    "body", [builders.ledger(), bodies.roster(), bodies.table()], ids=["ledger", "roster", "table"]
)
def test_what_is_written_another_way_is_read_too(body: dict[str, Any], *, again: bool) -> None:
    sealed = content(body, note="改了摘要")
    said = json.loads(sealed.model_dump_json())
    ways = [
        json.dumps(said),
        json.dumps(said, indent=1, ensure_ascii=False),
        json.dumps(dict(reversed(said.items())), separators=(",", ":")),
        json.dumps({"body": said.pop("body"), "more": {"of": [1]}, **said}, separators=(",", ":")),
    ]
    for way in ways:
        opened = read_content(way.encode(), again=again)
        assert BODY.validate_json(opened.body) == sealed.body
        assert figures(opened.outline) == figures(sealed.body)
        assert opened.said.note == "改了摘要"


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"body":',
        '{"body":{},"accepted":[]}',
        '{"body":{"kind":"poem"},"accepted":[]}',
        '{"body":{"kind":"roster","entries":[{"name":5}]},"accepted":[]}',
        '{"body":{"kind":"roster","entries":[]},"accepted":[',
        '{"body":{"kind":"roster","entries":[]},"accepted":[{}]}',
        '{"body":{"kind":"roster","entries":[]},"accepted":[],"note":5}',
        '{"body":{"kind":"ledger","accounts":[],"lines":[{"amount_fen":1}]},"accepted":[]}',
    ],
)
def test_what_is_no_content_is_refused(text: str, *, again: bool) -> None:
    with pytest.raises(ValidationError):
        read_content(text.encode(), again=again)


def test_what_breaks_a_rule_is_refused_the_first_time() -> None:
    said = json.loads(content(builders.ledger()).model_dump_json())
    said["body"]["lines"][0]["summary"] = ""
    text = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(ValidationError):
        read_content(text, again=False)
    # Nobody gets here who was not let through before.
    assert read_content(text, again=True).outline.row_count == len(said["body"]["lines"])
