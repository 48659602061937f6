"""Metrics of ingest."""

from prometheus_client import Counter

ACTIONS = Counter("sanwu_ingest_actions_total", "Steps that disclosures took", ("action",))
FINDINGS = Counter("sanwu_ingest_findings_total", "Findings told to authors at saving, by code", ("code",))
