"""The rules, one file each, and what judges by them. Pure: values in, values out."""

from typing import Final

from services.audit.rules.a01_totals import totals_match_lines
from services.audit.rules.a02_opening import opening_follows_closing
from services.audit.rules.a03_balance import account_balances
from services.audit.rules.base import Rule
from services.audit.rules.d01_overdue import nothing_published_after_due
from services.audit.rules.d02_blind import nothing_for_two_periods
from services.audit.rules.d03_review import not_decided_in_time
from services.audit.rules.d04_unanswered import not_answered_in_time
from services.audit.rules.d07_silent_change import figures_changed_without_a_note
from services.audit.rules.d10_self_review import one_person_did_both
from services.audit.rules.d11_own_reset import whoever_reset_it_let_it_out
from services.audit.rules.d12_withdrawals import much_is_withdrawn

RULES: Final[tuple[Rule, ...]] = (
    totals_match_lines,
    opening_follows_closing,
    account_balances,
    nothing_published_after_due,
    nothing_for_two_periods,
    not_decided_in_time,
    not_answered_in_time,
    figures_changed_without_a_note,
    one_person_did_both,
    whoever_reset_it_let_it_out,
    much_is_withdrawn,
)
BY_ID: Final = {r.id: r for r in RULES}
#: Judged when a disclosure changes, and the chains also when the one before them does.
LEDGER_RULES: Final = tuple(r for r in RULES if r.shape in {"cell", "chain"})
CHAIN_RULES: Final = tuple(r for r in RULES if r.shape == "chain")
#: Judged when time passes or something is published.
CLOCK_RULES: Final = tuple(r for r in RULES if r.shape == "clock")
