"""What ingest counts beside what every service does: steps, uploads, imports."""

from typing import TypeVar

from prometheus_client import Counter, Gauge

ACTIONS = Counter("sanwu_ingest_actions_total", "Steps that disclosures took", ("action",))
FINDINGS = Counter("sanwu_ingest_findings_total", "Findings told to authors at saving, by code", ("code",))
SEALED = Counter("sanwu_ingest_sealed_total", "Rows from before contents rested sealed that were sealed since")
CLEAR = Gauge(
    "sanwu_ingest_clear_rows", "Rows that still hold content in clear; 0 once all of an older city are sealed"
)
Made = TypeVar("Made")


def count_step(action: str, made: Made) -> Made:
    """Count a step that was taken; gives back what came of it."""
    ACTIONS.labels(action=action).inc()
    return made
