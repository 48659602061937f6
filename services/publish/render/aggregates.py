"""Items of which only totals are public (`aggregate`): what is hidden is rows of persons, nothing else.

A table of schemes, years or kinds stands whole. Who stood for election and who won is public by law; the list of
voters is not (村民委员会组织法 14, 15).
"""

import re
from typing import Final

from services.contracts.bodies import ELECTIONS, Column, ColumnType, Entry, Roster, RosterTotals, Table, measured
from services.contracts.bodies.columns import SUMMED, bare_name
from services.contracts.names import find_in_cell

#: Columns of texts that hold persons by what they are called; their author did not say so.
_PERSONS: Final = re.compile(
    "姓名|名字|户主|户名|承包人|承租人|租户|收款人|领款人|领取人|代领人|交款人|欠款人|借款人|债务人|债权人|当事人|受助人|受益人|享受人|参保人"
    "|监护人|申请人|使用人|产权人|负责人$|家庭成员|救助对象$"
)


def names_people(column: Column) -> bool:
    """Tell whether people are named in a column."""
    if column.type is ColumnType.NAME:
        return True
    return column.type is ColumnType.TEXT and _PERSONS.search(bare_name(column.name)) is not None


def hidden_rows(table: Table) -> frozenset[int]:
    """Rows that speak of a person, or of somebody who might be one; rows of sums speak of nobody."""
    places = [n for n, c in enumerate(table.columns) if names_people(c)]
    if not places:
        return frozenset()
    read = table.read()
    return frozenset(
        n
        for n, row in enumerate(table.rows)
        if not read[n].is_sum and any(isinstance(cell := row[p], str) and find_in_cell(cell) for p in places)
    )


def aggregate_table(table: Table) -> Table:
    """A table without the rows of persons; what they make stays where nothing else was stated."""
    hidden = hidden_rows(table)
    if not hidden:
        return table
    made = table.sums()
    sums = {
        c.key: cells[n]
        for group, cells in made
        if not group
        for n, c in enumerate(table.columns)
        if c.type in SUMMED and cells[n] is not None
    }
    kept = tuple(row for n, row in enumerate(table.rows) if n not in hidden)
    return table.model_copy(update={"rows": kept, "totals": {**sums, **table.totals}})


def aggregate_roster(roster: Roster, item: str) -> Roster:
    """A roster's totals; of an election, the candidates with their votes. What was stated stays as stated."""
    said = roster.totals or RosterTotals()
    amount = roster.amount_fen if any(e.amount_fen is not None for e in roster.entries) else None
    quantity = measured(roster.quantity) if any(e.quantity is not None for e in roster.persons) else None
    totals = RosterTotals(
        entries=len(roster.persons) if said.entries is None else said.entries,
        people=roster.people if said.people is None else said.people,
        amount_fen=amount if said.amount_fen is None else said.amount_fen,
        quantity=quantity if said.quantity is None else said.quantity,
    )
    return roster.model_copy(update={"entries": candidates(roster, item), "totals": totals})


def candidates(roster: Roster, item: str) -> tuple[Entry, ...]:
    """Who stood for election, with nothing but what an election tells of them."""
    if item not in ELECTIONS:
        return ()
    return tuple(
        Entry(name=e.name, category=e.category, votes=e.votes, standing=e.standing) for e in roster.persons if e.stood
    )
