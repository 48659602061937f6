"""Rows of a table that break what most of its rows keep: number × rate = amount; pure."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Final, NamedTuple

from services.contracts.base import Finding
from services.contracts.bodies import Column, ColumnType, Table
from services.contracts.bodies.base import TEN_THOUSAND
from services.contracts.bodies.columns import bare_name, number, number_words
from services.contracts.bodies.rows import RowKind
from services.contracts.values import yuan

_RATES: Final = re.compile(r"标准|单价|每人|每户|每亩|每工|日工资|补助额$")
#: So many rows have to keep a product, and three of four, before the others are asked.
_FEWEST: Final = 3
_SHARE: Final = 0.75


class _Product(NamedTuple):
    many: int
    rate: int
    amount: int


def table_doubts(table: Table) -> Iterator[Finding]:
    """Rows whose product is another than the one they state, in columns whose other rows keep it."""
    data = [n for n, r in enumerate(table.read()) if r.kind is RowKind.DATA]
    for columns in _products(table):
        holds = {n: _holds(table, columns, n) for n in data}
        known = [n for n, ok in holds.items() if ok is not None]
        kept = sum(holds[n] is True for n in known)
        if kept < _FEWEST or kept < _SHARE * len(known):
            continue
        for n in known:
            if holds[n] is False:
                yield _finding(table, columns, n)


def _products(table: Table) -> Iterator[_Product]:
    """Three columns that may be a number of things, a rate and what comes of both."""
    places = range(len(table.columns))
    rates = [n for n in places if _is_rate(table.columns[n])]
    amounts = [n for n in places if table.columns[n].type is ColumnType.AMOUNT and n not in rates]
    many = [n for n in places if table.columns[n].type in {ColumnType.COUNT, ColumnType.QUANTITY} and n not in rates]
    return (_Product(*triple) for triple in product(many, rates, amounts))


def _is_rate(column: Column) -> bool:
    return column.type is ColumnType.AMOUNT and _RATES.search(bare_name(column.name)) is not None


def _holds(table: Table, columns: _Product, n: int) -> bool | None:
    many, rate, amount = (number(table.columns[place], table.rows[n][place]) for place in columns)
    if not many or not rate or not amount:
        return None
    unit = TEN_THOUSAND if table.columns[columns.many].type is ColumnType.QUANTITY else 1
    # To the yuan: villages round what they pay out.
    return abs(many * rate - amount * unit) < 100 * unit


def _finding(table: Table, columns: _Product, n: int) -> Finding:
    many, rate, amount = (table.columns[place] for place in columns)
    row = table.rows[n]
    counted, each, said = (number(c, row[p]) or 0 for c, p in zip((many, rate, amount), columns, strict=True))
    made = counted * each // (TEN_THOUSAND if many.type is ColumnType.QUANTITY else 1)
    message = (
        f"第 {n + 1} 行“{many.name}” {number_words(many, counted)} ×“{rate.name}” {yuan(each)} 元是 {yuan(made)} 元，"
        f"“{amount.name}”写的是 {yuan(said)} 元；别的行都相等。请核对是每份的数还是一共的数。"
    )
    return Finding(code="table.product", at=f"body.rows[{n}][{columns.amount}]", message=message)
