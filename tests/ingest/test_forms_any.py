"""Any body that the contracts take survives the form; anything typed into it is either taken or told."""

import contextlib
import re
from datetime import date
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from services.contracts.bodies import BODY, settled
from services.contracts.catalogue import ItemKind
from services.ingest.bulk.cells import CellError, account_words, to_account, to_fen, to_yuan
from services.ingest.forms import form_of, note_faults, read_form, to_body
from services.ingest.forms.paste import paste
from services.ingest.gate.bodies import MalformedBodyError, read_body
from services.kit.errors import faults_of
from tests.ingest.test_forms import WHERE, item, sent, shown

#: Control characters and line ends of their own are no text that people write; white space around is dropped anyway.
TEXT: Final = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=1, max_size=12)
FEN: Final = st.integers(-(2**53) + 1, 2**53 - 1)
AMOUNT: Final = FEN.filter(bool)
DAY: Final = st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(date.isoformat)
ACCOUNT: Final = st.builds(
    lambda kind, name: f"{kind}:{name}" if name else kind,
    st.sampled_from(["cash", "bank", "imprest"]),
    st.from_regex(re.compile(r"[一-龥A-Za-z0-9（）：]{0,10}"), fullmatch=True),
)
QUANTITY: Final = st.from_regex(re.compile(r"(0|[1-9][0-9]{0,4})(\.[0-9]{1,2})?", re.ASCII), fullmatch=True)


def maybe(**fields: Any) -> Any:
    """Fields that may be left out."""
    return {name: st.none() | strategy for name, strategy in fields.items()}


def record(**fields: Any) -> Any:
    return st.fixed_dictionaries(fields).map(lambda d: {k: v for k, v in d.items() if v is not None})


@st.composite
def ledgers(draw: Any) -> dict[str, Any]:
    names = draw(st.lists(ACCOUNT, min_size=1, max_size=4, unique=True))
    line = record(
        date=DAY,
        summary=TEXT,
        direction=st.sampled_from(["in", "out"]),
        amount_fen=AMOUNT,
        account=st.sampled_from(names),
        voucher=st.none() | record(word=TEXT, no=st.integers(1, 99999)),
        invoice=st.none() | record(no=TEXT, seller=TEXT, **maybe(code=TEXT)),
        attachments=st.none() | st.just(["a" * 64]),
        **maybe(payee=TEXT, payee_ref=TEXT, handler=TEXT, occurred_on=DAY, person_days=st.integers(1, 100000)),
    )
    accounts = [{"account": n, "opening_fen": draw(FEN), "closing_fen": draw(FEN)} for n in names]
    totals = draw(st.none() | record(income_fen=FEN, expense_fen=FEN))
    body = {"kind": "ledger", "accounts": accounts, "lines": draw(st.lists(line, max_size=5))}
    return body if totals is None else {**body, "totals": totals}


ROSTERS: Final = record(
    kind=st.just("roster"),
    entries=st.lists(
        record(
            name=TEXT,
            **maybe(payee_ref=TEXT, group=TEXT, household_size=st.integers(1, 100), days=QUANTITY, rate_fen=FEN),
            **maybe(amount_fen=FEN, votes=st.integers(0, 1_000_000), remark=TEXT),
        ),
        max_size=5,
    ),
    **maybe(title=TEXT, standard=TEXT, totals=record(entries=st.integers(0, 10**12), **maybe(amount_fen=FEN))),
)


@st.composite
def tables(draw: Any) -> dict[str, Any]:
    keys = draw(
        st.lists(st.from_regex(re.compile(r"[a-z][a-z0-9_]{0,9}"), fullmatch=True), min_size=1, max_size=5, unique=True)
    )
    types = [draw(st.sampled_from(["text", "name", "amount", "count", "quantity"])) for _ in keys]
    cells = {"text": TEXT, "name": TEXT, "amount": FEN, "count": st.integers(-9999, 9999), "quantity": QUANTITY}
    row = st.tuples(*(st.none() | cells[t] for t in types)).map(list).filter(any_given)
    summed = [k for k, t in zip(keys, types, strict=True) if t in {"amount", "count"}]
    totals = draw(st.fixed_dictionaries({}, optional={k: st.integers(-9999, 9999) for k in summed}))
    columns = [{"key": k, "name": draw(TEXT), "type": t} for k, t in zip(keys, types, strict=True)]
    return {"kind": "table", "columns": columns, "rows": draw(st.lists(row, max_size=5)), "totals": totals}


def any_given(row: list[Any]) -> bool:
    return any(cell is not None for cell in row)


@settings(max_examples=150, deadline=None)
@given(ledgers() | ROSTERS | tables())
def test_any_body_survives_the_form(body: dict[str, Any]) -> None:
    given_body = BODY.validate_python(body)
    form = sent(shown(given_body.model_dump(mode="json", exclude_none=True)))
    made = to_body(form)
    assert made is not None, (form.faults, form.homeless)
    assert read_body(made) == settled(given_body)


@given(FEN)
def test_money_shown_is_read_back_to_the_fen(fen: int) -> None:
    assert to_fen(to_yuan(fen)) == fen


@given(ACCOUNT)
def test_an_account_shown_is_read_back(account: str) -> None:
    assert to_account(account_words(account)) == account


@given(st.text(max_size=20))
def test_any_text_is_money_or_told(text: str) -> None:
    with contextlib.suppress(CellError):
        assert abs(to_fen(text)) < 2**53


NAMES: Final = st.sampled_from(
    [
        "accounts.0.account",
        "accounts.0.opening_fen",
        "lines.0.date",
        "lines.0.amount_fen",
        "lines.0.voucher.no",
        "lines.0.~keep",
        "~keep",
        "lines.~count",
        "totals.income_fen",
        "lines.0.direction",
        "period",
        "attachments.~count",
        "columns.~count",
        "columns.0.name",
        "columns.0.type",
        "rows.0.party",
        "paragraphs.0",
        "entries.0.days",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ItemKind), st.dictionaries(NAMES, st.text(max_size=30)))
def test_whatever_comes_in_is_a_body_or_faults(kind: ItemKind, fields: dict[str, str]) -> None:
    form = read_form("F10", item(kind), {"period": "2026-10", **fields})
    made = to_body(form)
    if made is None:
        assert form.faults or form.homeless
        return
    try:
        read_body(made)
    except MalformedBodyError as error:
        note_faults(form, [(f.at, f.message) for f in faults_of(error.errors, below=("body",))])
        told = bool(form.faults or form.homeless)
    else:
        told = True
    assert told


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from('日期摘要收入支出金额\t\n,"10-.合计'), max_size=60))
def test_whatever_is_pasted_is_taken_or_told(text: str) -> None:
    form = form_of("F01", item(ItemKind.LEDGER), WHERE, {"kind": "ledger", "accounts": [], "lines": []})
    notes = paste(form, "lines", text)
    assert all(notes)
    to_body(form)
