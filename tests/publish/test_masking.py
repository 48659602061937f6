"""What is left of a body once it is masked: line by line, person by person, without a city."""

from typing import Any

import pytest

from services.contracts.base import Model
from services.contracts.bodies import BODY, Ledger
from services.contracts.catalogue import Masking
from services.publish.render.masking import masked_body, masked_ledger, masked_name, shows_persons
from services.publish.render.texts import _FREE, _fields_with_text
from tests import builders
from tests.publish import bodies
from tests.publish.bodies import public_body

SCHEMAS = BODY.json_schema()["$defs"]
MODELS = {m.__name__: m for m in Model.__subclasses__() for m in (m, *m.__subclasses__())}


def _has_words(field: str, schema: dict[str, Any]) -> bool:
    """Whether a field may hold a sentence, or rows that may: told by the schema, whatever the types are written like."""
    if "$ref" in schema:
        return "properties" in SCHEMAS[schema["$ref"].rpartition("/")[2]]
    parts = [
        *schema.get("anyOf", ()),
        *schema.get("oneOf", ()),
        *[p for p in [schema.get("items")] if isinstance(p, dict)],
    ]
    words = schema.get("type") == "string" and not {"enum", "const", "format", "pattern"} & schema.keys()
    return (words and field in _FREE) or any(_has_words(field, part) for part in parts)


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (name, field)
        for name, schema in SCHEMAS.items()
        for field, of in schema.get("properties", {}).items()
        if _has_words(field, of)
    ],
)
def test_every_field_for_sentences_and_every_row_of_any_body_is_looked_through(model: str, field: str) -> None:
    assert field in _fields_with_text(MODELS[model])


PAID: dict[str, Any] = {
    **builders.ledger()["lines"][0],
    "payee": "张桂兰",
    "payee_ref": "0" * 64,
    "invoice": {"code": "2100", "no": "00123456", "seller": "李卫国"},
    "attachments": ["a" * 64],
}


def paid(masking: Masking) -> Any:
    return masked_ledger(Ledger.model_validate(builders.ledger(lines=[PAID], totals=None)), masking)


def test_a_line_shows_surnames_of_payee_and_seller_and_the_invoices_number() -> None:
    [line] = paid(Masking.SURNAME).lines
    assert (line.payee, line.invoice.seller, line.invoice.no) == ("张某某", "李某某", "00123456")
    assert (line.payee_ref, line.attachments) == (None, ())


def test_where_nothing_is_masked_only_the_inner_references_go() -> None:
    [line] = paid(Masking.NONE).lines
    assert (line.payee, line.invoice.seller, line.payee_ref, line.attachments) == ("张桂兰", "李卫国", None, ())


def test_where_only_totals_are_shown_they_are_what_the_lines_make() -> None:
    body = paid(Masking.AGGREGATE)
    assert body.lines == ()
    assert (body.totals.income_fen, body.totals.expense_fen) == (0, 21_500)


@pytest.mark.parametrize(
    ("name", "masking", "shown"),
    [
        ("张桂兰", Masking.SURNAME, "张某某"),
        (" 张桂兰 ", Masking.SURNAME, "张某某"),
        ("合计", Masking.SURNAME, "合计"),
        ("张桂兰", Masking.NONE, "张桂兰"),
        ("张桂兰", Masking.AGGREGATE, None),
        (None, Masking.SURNAME, None),
    ],
)
def test_a_cell_for_names(name: str | None, masking: Masking, shown: str | None) -> None:
    assert masked_name(name, masking) == shown


def named(*names: str, group: str | None = None) -> list[str | None]:
    entries = [{"name": n, "group": group, "amount_fen": 100 + i} for i, n in enumerate(names)]
    body = masked_body(BODY.validate_python(bodies.roster(entries=entries, totals=None)), Masking.SURNAME)
    return [e.name for e in body.entries]  # type: ignore[union-attr] # a roster


def test_people_who_look_alike_are_told_apart_by_numbers_and_others_have_none() -> None:
    assert named("张桂兰", "李卫国", "张秀英") == ["张某某①", "李某某", "张某某②"]


def test_the_twentieth_of_one_look_has_a_circle_and_the_twenty_first_brackets() -> None:
    given = "桂秀玉淑丽凤春海建国志文永明德福军伟强刚兵"
    shown = named(*(f"张{one}华" for one in given))
    assert len(set(given)) == 21
    assert (shown[0], shown[19], shown[20]) == ("张某某①", "张某某⑳", "张某某（21）")


def test_numbers_in_a_column_of_names_are_no_names() -> None:
    body = bodies.table(rows=[[None, "鱼塘", 100]])
    assert public_body(BODY.validate_python(body), Masking.SURNAME)["rows"][0][0] is None


def may_show(body: dict[str, Any], masking: Masking = Masking.NONE, *said: str) -> bool:
    return shows_persons(BODY.validate_python(body), masking, "", said)


def test_a_body_that_may_show_persons_says_so() -> None:
    line = {**PAID, "payee": "某五金店", "payee_ref": None, "invoice": None, "attachments": []}
    plain = builders.ledger(lines=[line], totals=None)
    assert not may_show(plain)
    assert may_show(plain, Masking.SURNAME)
    assert may_show({**plain, "lines": [PAID]})
    assert may_show({**plain, "attachments": [{"digest": "b" * 64, "title": "对账单"}]})
    assert may_show(bodies.roster())
    assert may_show(plain, Masking.NONE, "退王某某押金写错了")
    assert not may_show(plain, Masking.NONE, "退押金写错了")


def public(body: dict[str, Any], masking: Masking = Masking.SURNAME, item: str = "") -> dict[str, Any]:
    return public_body(BODY.validate_python(body), masking, item)


def test_the_public_api_has_no_references_to_payees_and_no_vouchers() -> None:
    files = [{"digest": "b" * 64, "title": "对账单"}]
    shown = public(builders.ledger(lines=[PAID], totals=None, attachments=files), Masking.NONE)
    assert {"payee_ref", "attachments"} & set(shown["lines"][0]) == set()
    assert [a["digest"] for a in shown["attachments"]] == ["b" * 64]
    assert "payee_ref" not in public(bodies.roster())["entries"][0]


def test_files_stay_where_only_names_are_masked_and_go_where_only_totals_are_shown() -> None:
    body = builders.ledger(attachments=[{"digest": "b" * 64, "title": "对账单"}])
    assert len(public(body)["attachments"]) == 1
    assert public(body, Masking.AGGREGATE)["attachments"] == []


@pytest.mark.parametrize(
    ("item", "kept"), [("V03", None), ("V12", None), ("V04", "已按政策核对"), ("", "已按政策核对")]
)
def test_why_somebody_gets_aid_never_leaves_the_village(item: str, kept: str | None) -> None:
    entries = [{"name": "张建国", "amount_fen": 100, "remark": "已按政策核对"}]
    assert public(bodies.roster(entries=entries, totals=None), item=item)["entries"][0]["remark"] == kept


def test_whom_a_cell_names_is_masked_in_sentences_of_the_same_body_too() -> None:
    seller = {**PAID, "payee": None, "summary": "买欧阳木铎的砂石", "invoice": {"no": "1", "seller": "欧阳木铎"}}
    table = bodies.table(rows=[["欧阳木铎", "鱼塘", 100]])
    notice = bodies.notice(paragraphs=["鱼塘归欧阳木铎。"], table=table)
    contract = bodies.contract(party="欧阳木铎", subject="租给欧阳木铎的鱼塘")
    for body in (builders.ledger(lines=[seller], totals=None), notice, contract):
        text = str(public(body))
        assert "木铎" not in text
        assert text.count("欧阳") == 2
