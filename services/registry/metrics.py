"""Metrics of the registry."""

from prometheus_client import Counter

SIGN_INS = Counter("sanwu_registry_sign_ins_total", "Attempts to sign in, by outcome", ("outcome",))
EVENTS_SET = Counter("sanwu_registry_reference_sets_total", "Reference states said anew, by kind", ("kind",))
