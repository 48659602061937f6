"""Metrics of ingest."""

from typing import TypeVar

from prometheus_client import Counter

ACTIONS = Counter("sanwu_ingest_actions_total", "Steps that disclosures took", ("action",))
FINDINGS = Counter("sanwu_ingest_findings_total", "Findings told to authors at saving, by code", ("code",))
Made = TypeVar("Made")


def count_step(action: str, made: Made) -> Made:
    """Count a step that was taken; gives back what came of it."""
    ACTIONS.labels(action=action).inc()
    return made
