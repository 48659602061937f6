"""Books line by line (日记账、逐笔公开榜、收支明细): a row is a movement of money; pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from services.ingest.bulk.cells import CellError
from services.ingest.workbooks.accounts import account_named, account_of, title_of
from services.ingest.workbooks.cells import Reading
from services.ingest.workbooks.days import day_of, month_day, months_of
from services.ingest.workbooks.movements import (
    CLOSING,
    OPENING,
    RUNNING,
    SUM,
    Balance,
    Movement,
    Stated,
    is_booked,
    label_of,
    voucher_of,
    words_of,
)
from services.ingest.workbooks.tables import Row
from services.ingest.workbooks.workbook import text_of

_IN: Final = re.compile(r"^(收|收入|借|进|入账|in|收款|转入)$", re.IGNORECASE)
_OUT: Final = re.compile(r"^(支|支出|付|贷|出|出账|out|付款|转出|付出)$", re.IGNORECASE)
_TRANSFER: Final = re.compile(r"^(内部)?(划转|转账)$|^内部")
_SIDES: Final = (("in", "out"), ("debit", "credit"))


@dataclass(slots=True)
class Journal:
    """What a table of lines tells."""

    reading: Reading
    movements: list[Movement] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)
    stated: list[Stated] = field(default_factory=list)


def read_journal(reading: Reading, period: str, account: str) -> Journal:
    """Read every row of a table of lines. `account`: what somebody answered for rows whose account the file does not tell."""
    return _Reader(reading, period, account).read()


class _Reader:
    def __init__(self, reading: Reading, period: str, account: str) -> None:
        self._reading = reading
        self._period = period
        self._found = Journal(reading)
        self._account = account_named(" ".join((*reading.table.above, reading.table.sheet))) or account or None
        self._above: dict[str, str] = {}
        self._day: date | None = None
        self._sums = {"in": 0, "out": 0}
        self._all = {"in": 0, "out": 0}
        self._last_balance: tuple[str | None, int, Row, tuple[str, str]] | None = None

    def read(self) -> Journal:
        for row in self._reading.table.rows:
            label = label_of(self._reading, row)
            if OPENING.match(label):
                self._opening(row, label)
            elif CLOSING.match(label):
                self._closing(row, label)
            elif SUM.match(label) or self._is_wordless_sum(row):
                self._sum(row, label or "合计")
            elif is_booked(self._reading, row):
                self._found.movements += self._line(row)
        if self._last_balance is not None and not any(b.kind == "closing" for b in self._found.balances):
            account, fen, row, village = self._last_balance
            place = self._reading.table.place(row.at, self._reading.roles.get("balance"))
            self._found.balances.append(Balance("closing", account, fen, place, village, self._day))
        return self._found

    def _is_wordless_sum(self, row: Row) -> bool:
        """Tell the last row of a program's export: both sides filled, and nothing that says what for."""
        r = self._reading
        blank = not any(r.text(row, role) for role in ("summary", "date", "month", "voucher", "title", "code"))
        return blank and any(r.text(row, a) and r.text(row, b) for a, b in _SIDES)

    # -- rows that are no movements --

    def _account_of(self, row: Row) -> str | None:
        r = self._reading
        for named, coded in (("account", ""), ("title", "code")):
            text, code = r.text(row, named), r.text(row, coded) if coded else ""
            if (text or code) and (found := account_of(text, code)) is not None:
                return found
        return self._account

    def _village(self, row: Row) -> tuple[str, str]:
        return self._reading.text(row, "village_code"), self._reading.text(row, "village")

    def _balance_of(self, row: Row) -> int | None:
        """A row's balance; on the side of 贷 money is missing."""
        fen = self._reading.fen(row, "balance")
        if fen is None:
            sides = [self._reading.fen(row, role) for role in ("in", "debit", "amount", "out", "credit")]
            fen = next((f for f in sides if f is not None), None)
        side = self._reading.text(row, "balance_side")
        return -fen if fen is not None and side == "贷" else fen

    def _opening(self, row: Row, label: str) -> None:
        of = self._account_of(row), self._village(row)
        known = [(b.account, b.village) for b in self._found.balances]
        known += [(m.account, m.village) for m in self._found.movements]
        fen = self._balance_of(row)
        if fen is not None and of not in known:
            self._found.balances.append(Balance("opening", of[0], fen, self._reading.table.place(row.at), of[1]))
            self._reading.leave_out(row, "期初余额（已填到账户余额，不是逐笔）")
        else:
            self._reading.leave_out(row, f"“{label[:10]}”不是逐笔")

    def _closing(self, row: Row, label: str) -> None:
        fen = self._balance_of(row)
        if fen is not None:
            self._found.balances.append(
                Balance(
                    "closing",
                    self._account_of(row),
                    fen,
                    self._reading.table.place(row.at),
                    self._village(row),
                    self._day,
                )
            )
        self._reading.leave_out(row, f"期末余额（“{label[:10]}”不是逐笔）")

    def _sum(self, row: Row, label: str) -> None:
        r = self._reading
        stated = {}
        for role, side in (("in", "in"), ("debit", "in"), ("out", "out"), ("credit", "out")):
            fen = r.fen(row, role, quiet=True)
            if fen is not None and side not in stated:
                stated[side] = fen
        if not RUNNING.search(label):
            made = self._sums if "小计" in label or stated == self._sums else self._all
            self._found.stated.append(
                Stated(
                    label[:20],
                    r.table.place(row.at),
                    (stated["in"], made["in"]) if "in" in stated else None,
                    (stated["out"], made["out"]) if "out" in stated else None,
                )
            )
            self._sums = {"in": 0, "out": 0}
        if r.text(row, "balance") and (fen := self._balance_of(row)) is not None and "小计" not in label:
            self._last_balance = (self._account_of(row), fen, row, self._village(row))
        r.leave_out(row, "合计、累计（只用来核对，不是逐笔）")

    # -- movements --

    def _line(self, row: Row) -> Iterator[Movement]:
        r = self._reading
        sides = list(self._sides(row))
        if not sides:
            self._without_amount(row)
            return
        day = self._day_of(row)
        title = r.text(row, "contra") or r.text(row, "title")
        is_money = not r.text(row, "contra") and account_of(title, r.text(row, "code")) is not None
        words = words_of(r, row)
        if title and not is_money:
            words["category"] = title_of(title)
        account = self._account_of(row)
        for direction, fen in sides:
            to_account = account_of(r.text(row, "to_account")) if direction == "transfer" else None
            if direction == "transfer" and to_account is None:
                r.refuse(row, "to_account" if r.has("to_account") else "direction", "内部划转要写明转到哪个账户")
            self._all[direction] = self._all.get(direction, 0) + fen
            self._sums[direction] = self._sums.get(direction, 0) + fen
            if (balance := r.fen(row, "balance")) is not None:
                signed = -balance if r.text(row, "balance_side") == "贷" else balance
                self._last_balance = (account, signed, row, self._village(row))
            yield Movement(
                row, r, self._summary(row), direction, fen, account,
                day=day, to_account=to_account, words=words, voucher=voucher_of(r, row),
                village=self._village(row), months=months_of(r.value(row, "period")), rows=(row.at,),
            )  # fmt: skip

    def _summary(self, row: Row) -> str:
        r = self._reading
        text = re.sub(r"\s+", " ", r.text(row, "summary")) or r.text(row, "contra") or r.text(row, "title")
        text = text or r.text(row, "remark") or r.text(row, "payee")
        if not text:
            r.refuse(row, "summary", "没有摘要，请写明这笔钱做什么用")
        elif len(text) > 200:  # noqa: PLR2004 - as the contracts keep it
            r.refuse(row, "summary", "摘要超过 200 个字，请改短")
        return text

    def _sides(self, row: Row) -> Iterator[tuple[str, int]]:
        r = self._reading
        for roles in _SIDES:
            for role, direction in zip(roles, ("in", "out"), strict=True):
                fen = r.fen(row, role)
                if fen:
                    yield direction, fen
        if not any(r.has(a) for pair in _SIDES for a in pair) and (fen := r.fen(row, "amount")):
            yield from self._by_word(row, fen)

    def _by_word(self, row: Row, fen: int) -> Iterator[tuple[str, int]]:
        word = re.sub(r"\s", "", self._reading.text(row, "direction") or self._reading.text(row, "balance_side"))
        for named, direction in ((_IN, "in"), (_OUT, "out"), (_TRANSFER, "transfer")):
            if named.match(word):
                yield direction, fen
                return
        at = "direction" if self._reading.has("direction") else "amount"
        self._reading.refuse(
            row, at, f"看不出是收入还是支出{f'（写的是“{word[:10]}”）' if word else ''}，请写“收入”或“支出”"
        )

    def _without_amount(self, row: Row) -> None:
        r = self._reading
        if any(f.place.startswith(r.table.place(row.at)) for f in r.faults[-4:]):
            return
        ends = [(kind, fen) for kind in ("opening", "closing") if (fen := r.fen(row, kind)) is not None]
        if ends:
            of = self._account_of(row), self._village(row)
            place = r.table.place(row.at)
            self._found.balances += [Balance(kind, of[0], fen, place, of[1]) for kind, fen in ends]
            r.leave_out(row, "账户的期初、期末（已填到账户余额，不是逐笔）")
        elif any(r.text(row, role) for role in ("summary", "voucher", "date", "day")):
            r.leave_out(row, "没有金额，或金额是 0")

    def _day_of(self, row: Row) -> date | None:
        r = self._reading
        role = "date" if r.text(row, "date") else "day" if r.text(row, "day") else "month"
        try:
            if role == "date":
                self._day = day_of(r.value(row, "date"), self._period)
            elif r.text(row, "month") or r.text(row, "day"):
                for name in ("month", "day"):
                    self._above[name] = r.text(row, name) or self._above.get(name, "")
                if not self._period and (months := months_of(r.value(row, "month"))):
                    self._day = month_day(months[0][5:], self._above["day"], months[0])
                else:
                    month = self._above["month"][-2:].lstrip("-./年")
                    self._day = month_day(month, self._above["day"], self._period)
        except CellError as error:
            shown = text_of(r.value(row, role))[:20]
            r.refuse(row, role, f"“{shown}”不对，{error}" if shown else str(error))
            return None
        return self._day
