"""A ledger's sums by account: enough to check it, small enough to keep beside ten years of months, free of names."""

from collections.abc import Mapping

from services.contracts.account import account_words
from services.contracts.base import Model
from services.contracts.checks import MINUS, Check, arithmetic, money_check
from services.contracts.values import period_words, previous_period


class AccountSums(Model):
    """What stood in an account before and after, and what the lines moved; `transfer_fen` is in less out."""

    account: str
    opening_fen: int
    income_fen: int = 0
    expense_fen: int = 0
    transfer_fen: int = 0
    closing_fen: int

    @property
    def computed_fen(self) -> int:
        """What the account should end with."""
        return self.opening_fen + self.income_fen - self.expense_fen + self.transfer_fen

    @property
    def arithmetic(self) -> str:
        """Opening, income, spending, transfers if any, and what they make."""
        moves = [("+", self.income_fen), (MINUS, self.expense_fen)]
        if self.transfer_fen:
            moves.append(("+" if self.transfer_fen > 0 else MINUS, abs(self.transfer_fen)))
        return arithmetic(self.opening_fen, *moves)


class LedgerSums(Model):
    """All accounts of a ledger, in its order, and the totals that its author states."""

    accounts: tuple[AccountSums, ...]
    income_stated_fen: int | None = None
    expense_stated_fen: int | None = None

    @property
    def whole(self) -> AccountSums:
        """All accounts as one; what moves between them moves nothing."""
        return AccountSums(
            account="cash",
            opening_fen=sum(a.opening_fen for a in self.accounts),
            income_fen=sum(a.income_fen for a in self.accounts),
            expense_fen=sum(a.expense_fen for a in self.accounts),
            closing_fen=sum(a.closing_fen for a in self.accounts),
        )

    def compare(self) -> tuple[Check, ...]:
        """Every account's closing, then the stated totals."""
        whole = self.whole
        totals = (
            ("income_fen", "收入合计", self.income_stated_fen, whole.income_fen),
            ("expense_fen", "支出合计", self.expense_stated_fen, whole.expense_fen),
        )
        return (
            *(
                money_check(
                    "ledger.closing",
                    f"body.accounts[{n}]",
                    f"{account_words(a.account)}：写的期末，和期初加收入减支出",
                    a.closing_fen,
                    a.computed_fen,
                    a.arithmetic,
                )
                for n, a in enumerate(self.accounts)
            ),
            *(
                money_check("ledger.total", f"body.totals.{field}", f"写的{words}，和逐笔相加", stated, computed)
                for field, words, stated, computed in totals
                if stated is not None
            ),
        )


# -- the chain from period to period ------------------------------------------------------------------------------


class Neighbour(Model):
    """The ledger of the nearest period before or after that is there: its accounts tell how the chain goes on."""

    period: str
    accounts: tuple[AccountSums, ...]


def opening_checks(period: str, accounts: tuple[AccountSums, ...], before: Neighbour) -> tuple[Check, ...]:
    """What each account opens with, beside what the period before left in it.

    Where periods are missing between the two, money may have moved: then only accounts that came or went are told.
    """
    adjoining = previous_period(period) == before.period
    left = {a.account: a.closing_fen for a in before.accounts}
    renamed = _renamed(before.accounts, accounts)
    when, found = period_words(before.period), []
    for n, a in enumerate(accounts):
        at, name = f"body.accounts[{n}].opening_fen", account_words(a.account)
        if a.account in left:
            label = f"{name}：期初，和{when}的期末"
            check = money_check("ledger.opening", at, label, a.opening_fen, left[a.account])
            found += [check] if adjoining else []
        elif a.opening_fen and a.account not in renamed:
            label = f"{name}：{when}没有列出这个账户，这里有期初"
            found.append(Check(code="ledger.account_new", at=at, label=label, stated_fen=a.opening_fen, ok=False))
    for gone in _absent(before.accounts, accounts, renamed):
        label = f"{account_words(gone.account)}：{when}还有期末，这里没有列出这个账户"
        at = f"body.accounts[{gone.account}]"
        found.append(Check(code="ledger.account_missing", at=at, label=label, computed_fen=gone.closing_fen, ok=False))
    return tuple(found)


def closing_checks(period: str, accounts: tuple[AccountSums, ...], after: Neighbour) -> tuple[Check, ...]:
    """What is left in each account, beside what the nearest later period that is there opens with."""
    adjoining = previous_period(after.period) == period
    opens = {a.account: a.opening_fen for a in after.accounts}
    renamed = _renamed(accounts, after.accounts)
    vanished = {a.account for a in _absent(accounts, after.accounts, renamed)}
    when, found = period_words(after.period), []
    for n, a in enumerate(accounts):
        at, name = f"body.accounts[{n}].closing_fen", account_words(a.account)
        if a.account in opens and adjoining:
            label = f"{name}：期末，和{when}的期初"
            found.append(money_check("ledger.next_opening", at, label, a.closing_fen, opens[a.account]))
        elif a.account in vanished:
            label = f"{name}：这里有期末，{when}没有列出这个账户"
            found.append(Check(code="ledger.next_opening", at=at, label=label, stated_fen=a.closing_fen, ok=False))
    here = {a.account for a in accounts}
    for b in after.accounts if adjoining else ():
        if b.account not in here and b.opening_fen and b.account not in renamed:
            label, at = f"{account_words(b.account)}：{when}有期初，这里没有列出这个账户", f"body.accounts[{b.account}]"
            found.append(Check(code="ledger.next_opening", at=at, label=label, computed_fen=b.opening_fen, ok=False))
    return tuple(found)


def _absent(
    before: tuple[AccountSums, ...], after: tuple[AccountSums, ...], renamed: frozenset[str]
) -> list[AccountSums]:
    """Accounts that ended with money and are not listed afterwards."""
    listed = {a.account for a in after} | renamed
    return [a for a in before if a.closing_fen and a.account not in listed]


def renamed_accounts(closings: Mapping[str, int], openings: Mapping[str, int]) -> frozenset[str]:
    """Old and new names of accounts that go on: a new one opens with exactly what one that is gone ended with."""
    new = {name: fen for name, fen in openings.items() if name not in closings and fen}
    found: set[str] = set()
    for gone, left in closings.items():
        other = next((name for name, fen in new.items() if fen == left and name not in found), None)
        if gone not in openings and other is not None:
            found |= {gone, other}
    return frozenset(found)


def _renamed(before: tuple[AccountSums, ...], after: tuple[AccountSums, ...]) -> frozenset[str]:
    return renamed_accounts({a.account: a.closing_fen for a in before}, {a.account: a.opening_fen for a in after})
