"""Movements and balances to the ledgers of villages and periods; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from services.contracts.values import Frequency, period_bounds, period_of, yuan
from services.ingest.bulk.cells import CellError, account_words, to_fen
from services.ingest.workbooks.cells import CellFault
from services.ingest.workbooks.journal import Journal
from services.ingest.workbooks.movements import Balance, Movement
from services.ingest.workbooks.villages import Directory
from services.ingest.workbooks.workbook import JsonObject, JsonView

#: As the contracts keep it.
MAX_LINES: Final = 2000
#: Columns that say of which village a row is, and what is told of a row in which they are empty.
NAMES: Final = frozenset({"village", "village_code"})
UNNAMED: Final = "这一行没有写是哪个村，请补上"


@dataclass(slots=True)
class Made:
    """A disclosure that a file comes to. `sources`: of each line or row of the body, its rows in the file (from 0)."""

    village: str
    item: str
    period: str
    body: JsonObject
    sources: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    raws: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """As a form's field names it."""
        return f"{self.village}|{self.period}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the drafts are for: the item, how often it is due, the village and the period where the file tells none."""

    item: str
    frequency: Frequency
    village: str
    period: str
    openings: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def ledgers_of(journals: Sequence[Journal], wanted: Wanted, directory: Directory) -> tuple[list[Made], list[CellFault]]:
    """One ledger for each village and period, and what stands in the way."""
    faults: list[CellFault] = []
    placed: dict[tuple[str, str], list[Movement]] = {}
    for movement in (m for j in journals for m in j.movements):
        village = _village_of(movement, wanted, directory, faults)
        period = _period_of(movement, wanted, faults)
        if village and period:
            placed.setdefault((village, period), []).append(movement)
    balances: dict[str, list[Balance]] = {}
    for journal, balance in ((j, b) for j in journals for b in j.balances):
        settled = (
            directory.settle(*balance.village).code
            if any(balance.village)
            else journal.reading.village or wanted.village
        )
        if settled:
            balances.setdefault(settled, []).append(balance)
    if wanted.village and wanted.period and not placed and balances.get(wanted.village):
        placed[wanted.village, wanted.period] = []
    made = []
    for village in sorted({v for v, _ in placed}):
        periods = sorted(p for v, p in placed if v == village)
        made += _chain(village, [(p, placed[village, p]) for p in periods], balances.get(village, []), wanted, faults)
    _state_totals(made, journals)
    return made, faults


def _village_of(m: Movement, wanted: Wanted, directory: Directory, faults: list[CellFault]) -> str:
    if not any(m.village):
        known = m.reading.village or wanted.village
        if not known and NAMES & m.reading.roles.keys():
            faults.append(CellFault(m.place, UNNAMED))
        return known
    settled = directory.settle(*m.village)
    if settled.fault:
        role = "village_code" if m.reading.text(m.row, "village_code") else "village"
        faults.append(CellFault(m.reading.table.place(m.row.at, m.reading.roles.get(role)), settled.fault))
    return settled.code


def _period_of(m: Movement, wanted: Wanted, faults: list[CellFault]) -> str:
    if wanted.period or m.reading.period:
        return wanted.period or m.reading.period
    if m.day is not None:
        found = period_of(m.day, wanted.frequency)
        if m.months and f"{m.day:%Y-%m}" not in m.months:
            words = f"期间写的是 {'或'.join(m.months)}，日期却是 {m.day}，请核对"
            faults.append(CellFault(m.reading.table.place(m.row.at, m.reading.roles.get("period")), words))
        return found
    if not m.reading.faults:
        faults.append(CellFault(m.place, "这一行没有日期，请补上日期再上传"))
    return ""


def _chain(
    village: str,
    periods: Sequence[tuple[str, list[Movement]]],
    balances: Sequence[Balance],
    wanted: Wanted,
    faults: list[CellFault],
) -> list[Made]:
    """The ledgers of a village, period after period: the closings of one are the openings of the next."""
    made: list[Made] = []
    renamed: dict[str, str] = {}
    carried: dict[str, int] = {}
    for n, (period, found) in enumerate(periods):
        one = Made(village, wanted.item, period, {})
        before = wanted.before.get(one.key, {})
        if n == 0:
            renamed = _renamed([*(m.account for _, of in periods for m in of), *(b.account for b in balances)], before)
            balances = [replace(b, account=renamed.get(b.account or "", b.account)) for b in balances]
        movements = _without_pairs([_under(m, renamed) for m in found], one)
        lines = _lines(movements, one, faults)
        named = [a for x in lines for a in (x["account"], x.get("to_account")) if a]
        named += [b.account for b in balances if b.account and (len(periods) == 1 or n == 0 or b.account in carried)]
        is_last = n == len(periods) - 1
        accounts = []
        for account in sorted(set(named), key=_order):
            opening = _opening(account, one, balances, carried, wanted)
            moved = _moved(lines, account)
            stated = _closing(account, period, balances, is_last=is_last)
            closing = stated if stated is not None else (opening or 0) + moved
            if stated is None and opening is not None:
                one.notes.append(
                    f"{account_words(account)}的本期结余文件里没有，按“上期结余加收入减支出”算出是 {yuan(closing)} 元。"
                )
            carried[account] = closing
            accounts.append({"account": account, "opening_fen": opening or 0, "closing_fen": closing})
        one.body = {"kind": "ledger", "accounts": accounts, "lines": lines}
        if len(lines) > MAX_LINES:
            faults.append(
                CellFault(one.sources[0][0], f"{period} 有 {len(lines)} 笔，一份最多 {MAX_LINES} 笔，请分成几份")
            )
        made.append(one)
    return made


def _renamed(named: Sequence[str | None], before: Mapping[str, int]) -> dict[str, str]:
    """Names of accounts as the village's ledgers have them: the only bank account is the one of before, whatever the file calls it."""
    renamed = {}
    found = {a for a in named if a}
    for kind in ("cash", "bank", "imprest"):
        mine = [a for a in found if a.partition(":")[0] == kind]
        theirs = [a for a in before if a.partition(":")[0] == kind]
        if len(mine) == 1 and len(theirs) <= 1:
            renamed[mine[0]] = theirs[0] if theirs else kind
    return renamed


def _under(m: Movement, renamed: Mapping[str, str]) -> Movement:
    account, to_account = (renamed.get(a, a) if a else a for a in (m.account, m.to_account))
    return (
        m if (account, to_account) == (m.account, m.to_account) else replace(m, account=account, to_account=to_account)
    )


def _order(account: str) -> tuple[int, str]:
    return ("cash", "bank", "imprest").index(account.partition(":")[0]), account


def _without_pairs(movements: Sequence[Movement], one: Made) -> list[Movement]:
    """Movements in which money that left one of the village's books and came into another is one transfer."""
    left = list(movements)
    outs: dict[tuple[date | None, int, tuple[str, int] | None], list[Movement]] = {}
    for m in movements:
        if m.direction == "out" and m.account is not None:
            outs.setdefault((m.day, m.fen, m.voucher), []).append(m)
    paired = 0
    for came in [m for m in movements if m.direction == "in"]:
        for went in outs.get((came.day, came.fen, came.voucher), ()):
            if went.account != came.account and came.account is not None and _is_own_money(went, came):
                at = next(n for n, m in enumerate(left) if m is went)
                left[at] = replace(went, direction="transfer", to_account=came.account, rows=(*went.rows, *came.rows))
                left = [m for m in left if m is not came]
                outs[came.day, came.fen, came.voucher].remove(went)
                paired += 1
                break
    if paired:
        one.notes.append(f"{paired} 笔在现金账和银行账上各记了一次，是自己账户之间划转，只算一次，不算收入也不算支出。")
    return left


def _is_own_money(went: Movement, came: Movement) -> bool:
    words = f"{went.summary}{came.summary}"
    return went.summary == came.summary or any(
        w in words for w in ("提现", "提取", "取现", "存现", "存入", "缴存", "划转", "转存")
    )


def _lines(movements: Sequence[Movement], one: Made, faults: list[CellFault]) -> list[JsonObject]:
    lines = []
    for m in sorted(movements, key=lambda m: m.day or period_bounds(one.period)[0]):
        if m.account is None:
            one.missing.append("account")
        if m.day is None and not m.reading.faults:
            faults.append(CellFault(m.place, "这一行没有日期，请补上日期再上传"))
        line: JsonObject = {
            "date": m.day.isoformat() if m.day else "",
            "summary": m.summary,
            "direction": m.direction,
            "amount_fen": m.fen,
            "account": m.account or "bank",
            **m.words,
        }
        if m.to_account:
            line["to_account"] = m.to_account
        if m.voucher is not None:
            line["voucher"] = {"word": m.voucher[0], "no": m.voucher[1]}
        lines.append(line)
        one.sources.append((m.place, m.rows))
        one.raws.append(_raw(m))
    return lines


def _raw(m: Movement) -> dict[str, str]:
    """What the file itself says of a movement, by the field that it becomes."""
    r, row = m.reading, m.row
    day = r.text(row, "date") or "月".join(t for t in (r.text(row, "month"), r.text(row, "day")) if t)
    amounts = [r.text(row, role) for role in ("in", "out", "debit", "credit", "amount")]
    return {
        "date": day,
        "summary": r.text(row, "summary"),
        "amount": " / ".join(a for a in amounts if a and a not in {"0", "0.00"}),
        "voucher": f"{r.text(row, 'voucher_word')}{r.text(row, 'voucher')}",
        "account": r.text(row, "account") or r.text(row, "title"),
    }


def _moved(lines: Sequence[JsonView], account: str) -> int:
    moved = 0
    for line in lines:
        if line["account"] == account:
            moved += line["amount_fen"] if line["direction"] == "in" else -line["amount_fen"]
        if line.get("to_account") == account:
            moved += line["amount_fen"]
    return moved


def _opening(
    account: str, one: Made, balances: Sequence[Balance], carried: Mapping[str, int], wanted: Wanted
) -> int | None:
    """An account's opening: as typed, as the period before leaves it, as the file says, as what is open of the period before says."""
    typed = wanted.openings.get(f"{one.key}|{account}", "").strip()
    if typed:
        try:
            return to_fen(typed)
        except CellError as error:
            one.notes.append(f"{account_words(account)}的上期结余“{typed[:20]}”不对，{error}")
    if account in carried:
        return carried[account]
    stated = [b for b in balances if b.kind == "opening" and (b.account or account) == account]
    if stated:
        return sum(b.fen for b in stated)
    known = wanted.before.get(one.key, {})
    if account in known:
        one.notes.append(
            f"{account_words(account)}的上期结余文件里没有，用的是本村上一期的期末 {yuan(known[account])} 元。"
        )
        return known[account]
    one.missing.append(f"opening:{account}")
    return None


def _closing(account: str, period: str, balances: Sequence[Balance], *, is_last: bool) -> int | None:
    first, last = period_bounds(period)
    stated = [
        b
        for b in balances
        if b.kind == "closing"
        and (b.account or account) == account
        and ((b.after is None and is_last) or (b.after and first <= b.after <= last))
    ]
    return stated[-1].fen if stated else None


def _state_totals(made: Sequence[Made], journals: Sequence[Journal]) -> None:
    """A file's own totals go into the one ledger that it comes to, where they are checked like typed ones."""
    sums = [j.stated[-1] for j in journals if j.stated]
    if len(made) != 1 or len(sums) != len([j for j in journals if j.movements]) or not sums:
        return
    if any(line["direction"] == "transfer" for line in made[0].body["lines"]):
        return
    if all(s.income and s.expense for s in sums):
        income = sum(s.income[0] for s in sums if s.income)
        expense = sum(s.expense[0] for s in sums if s.expense)
        made[0].body["totals"] = {"income_fen": income, "expense_fen": expense}
