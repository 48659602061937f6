"""What audit counts beside what every service does: records, runs of rules, alerts."""

from prometheus_client import Counter, Gauge, Histogram

JUDGED = Counter("sanwu_audit_judged_total", "Subjects judged, by rule and result", ("rule", "result"))
RAISED = Counter("sanwu_audit_alerts_raised_total", "Episodes begun, by rule", ("rule",))
CLEARED = Counter("sanwu_audit_alerts_cleared_total", "Episodes ended by a later event, by rule", ("rule",))
CLOCK_CELLS = Gauge("sanwu_audit_clock_planned_cells", "Cells whose deadline the clock rules watch")
CLOCK_DURATION = Histogram("sanwu_audit_clock_duration_seconds", "Time of one look of the clock rules")
