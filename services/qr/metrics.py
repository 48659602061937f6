"""What qr counts beside what every service does: scans and posters."""

from prometheus_client import Counter, Gauge, Histogram

SCANS = Counter("sanwu_qr_scans_total", "Codes that were opened, by outcome", ("outcome",))
CODES_SAID = Counter("sanwu_qr_codes_said_total", "States of codes said, by state", ("state",))
CODES_HELD = Gauge("sanwu_qr_codes_held_codes", "Codes that this process keeps in memory")
POSTERS = Counter("sanwu_qr_posters_total", "Posters drawn")
POSTERS_DURATION = Histogram(
    "sanwu_qr_posters_duration_seconds",
    "Time to draw the posters of one request",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 150),
)
