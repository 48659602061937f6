"""The rules, one file each, and what judges by them. Pure: values in, values out."""

from typing import Final

from services.audit.rules.a01_totals import totals_match_lines
from services.audit.rules.a02_opening import opening_follows_closing
from services.audit.rules.a03_balance import account_balances
from services.audit.rules.a05_papers import papers_stand_beside
from services.audit.rules.a06_vouchers import numbers_are_used_once
from services.audit.rules.a07_labour import days_fit_the_calendar
from services.audit.rules.a08_twice import every_row_is_another
from services.audit.rules.a09_roster import total_matches_the_rows
from services.audit.rules.a10_bid import contract_is_the_winning_bid
from services.audit.rules.b01_cash import cash_within_the_limit
from services.audit.rules.b02_till import till_within_the_limit
from services.audit.rules.b04_resolution import large_payments_name_a_resolution
from services.audit.rules.b05_lease import lease_is_not_too_long
from services.audit.rules.b07_quorum import enough_came_and_agreed
from services.audit.rules.b09_overpaid import not_more_is_paid_than_owed
from services.audit.rules.base import Rule
from services.audit.rules.d01_overdue import nothing_published_after_due
from services.audit.rules.d02_blind import nothing_for_two_periods
from services.audit.rules.d03_review import not_decided_in_time
from services.audit.rules.d04_unanswered import not_answered_in_time
from services.audit.rules.d07_silent_change import figures_changed_without_a_note
from services.audit.rules.d08_posted import posted_long_enough
from services.audit.rules.d10_self_review import one_person_did_both
from services.audit.rules.d11_own_reset import whoever_reset_it_let_it_out
from services.audit.rules.d12_withdrawals import much_is_withdrawn
from services.audit.rules.l01_split import payments_are_not_split
from services.audit.rules.l03_paid_twice import invoices_are_paid_once
from services.audit.rules.l05_copied import ledger_is_not_a_copy

RULES: Final[tuple[Rule, ...]] = (
    totals_match_lines,
    opening_follows_closing,
    account_balances,
    papers_stand_beside,
    numbers_are_used_once,
    days_fit_the_calendar,
    every_row_is_another,
    total_matches_the_rows,
    contract_is_the_winning_bid,
    cash_within_the_limit,
    till_within_the_limit,
    large_payments_name_a_resolution,
    lease_is_not_too_long,
    enough_came_and_agreed,
    not_more_is_paid_than_owed,
    nothing_published_after_due,
    nothing_for_two_periods,
    not_decided_in_time,
    not_answered_in_time,
    figures_changed_without_a_note,
    posted_long_enough,
    one_person_did_both,
    whoever_reset_it_let_it_out,
    much_is_withdrawn,
)
BY_ID: Final = {r.id: r for r in RULES}
#: What they find stays on the inspectors' own page (`store/leads.py`): no alert, no event, no export.
LEADS: Final[tuple[Rule, ...]] = (payments_are_not_split, invoices_are_paid_once, ledger_is_not_a_copy)
LEADS_BY_ID: Final = {r.id: r for r in LEADS}
#: Judged when a disclosure changes, and the chains also when the one before them does.
LEDGER_RULES: Final = tuple(r for r in (*RULES, *LEADS) if r.shape in {"cell", "chain"})
CHAIN_RULES: Final = tuple(r for r in (*RULES, *LEADS) if r.shape == "chain")
#: Judged when time passes or something is published.
CLOCK_RULES: Final = tuple(r for r in RULES if r.shape == "clock")
