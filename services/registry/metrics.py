"""What the registry counts beside what every service does: sign-ins, states set."""

from prometheus_client import Counter, Gauge

SIGN_INS = Counter("sanwu_registry_sign_ins_total", "Attempts to sign in, by outcome", ("outcome",))
EVENTS_SET = Counter("sanwu_registry_reference_sets_total", "Reference states said anew, by kind", ("kind",))
CALENDAR_MISSING = Gauge(
    "sanwu_registry_calendar_missing_years",
    "Years whose working days should be known and are not: this one, and from 1 October on the next",
)
