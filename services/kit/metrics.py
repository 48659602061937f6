"""Metrics that every service has; a service's own stand in its `metrics.py`. Base units, no village in any label."""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import Counter, Gauge, Histogram, Metric


class Computed(Gauge):
    """A gauge that is worked out when it is asked for: it grows while nothing turns, and what is unknown is not there."""

    #: By the values of the labels; a process that runs roles puts its own here.
    source: Callable[[], Mapping[tuple[str, ...], float]] = dict

    def collect(self) -> Iterable[Metric]:
        """The samples of this moment."""
        family = next(iter(self.describe()))
        for labels, value in self.source().items():
            family.add_sample(family.name, dict(zip(self._labelnames, labels, strict=True)), value)
        return [family]


HTTP_DURATION = Histogram(
    "http_request_duration_seconds",
    "Time from request to response, by route template",
    ("method", "route", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
POOL_SIZE = Gauge("db_pool_size_connections", "Connections that the pool holds")
POOL_IN_USE = Gauge("db_pool_in_use_connections", "Connections that are lent out")
POOL_ACQUIRE = Histogram(
    "db_pool_acquire_seconds",
    "Wait for a connection of the pool",
    buckets=(0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5),
)
LOOP_LAG = Computed("event_loop_lag_seconds", "How late the event loop turned at its worst within the last minute")
#: What made it stand: a computation of ours, a call that blocks, a machine that gave this process no turn.
STALL_CAUSES = ("work", "wait", "machine")
LOOP_STALLS = Counter(
    "event_loop_stalls_total", "Times that the event loop turned 250 ms late or more, by cause", ("cause",)
)
for _cause in STALL_CAUSES:
    LOOP_STALLS.labels(_cause)

ROLE_AGE = Computed(
    "role_last_turn_age_seconds", "How long ago a role of this process turned: polled, tried, ran a batch", ("role",)
)

OUTBOX_PENDING = Computed(
    "outbox_pending_events", "Rows that wait to be sent; every process tells the same, so take the largest"
)
OUTBOX_OLDEST = Computed("outbox_oldest_pending_age_seconds", "Age of the oldest row that waits")
OUTBOX_STILL = Computed("outbox_backlog_still_seconds", "How long the oldest row that waits has been the oldest")
OUTBOX_PUBLISHED = Counter("outbox_published_events_total", "Records acknowledged by the broker", ("topic",))
OUTBOX_ERRORS = Counter("outbox_send_errors_total", "Sends that failed, by kind of error", ("kind",))
RELAY_LEADER = Gauge("outbox_relay_leader", "1 while this process holds the relay's lock")

CONSUMER_LAG = Computed(
    "consumer_lag_records", "Records that this process has still to handle, by topic; absent when unknown", ("topic",)
)
CONSUMER_LAG_SECONDS = Computed(
    "consumer_lag_seconds", "While records wait: since when what was handled last had been written", ("topic",)
)
CONSUMER_STILL = Computed(
    "consumer_backlog_still_seconds", "How long records wait in a partition of this process that does not move"
)
CONSUMER_EVENTS = Counter("consumer_events_total", "Records handled", ("type", "outcome"))
CONSUMER_BATCH = Histogram(
    "consumer_batch_duration_seconds", "Time of one transaction of the consumer, commit included"
)
CONSUMER_PARKED = Gauge("consumer_parked_events", "Records parked and not yet replayed or discarded")
REFUSED_SIGNATURES = Counter(
    "refused_signatures", "Records of the registry's topics that its root key did not sign: somebody forges", ("topic",)
)
CONSUMER_REBALANCES = Counter("consumer_rebalances_total", "Assignments received")
CONSUMER_LAST_POLL = Gauge("consumer_last_poll_timestamp_seconds", "Unix time of the last return from a poll")
JOB_FAILURES = Counter("job_failures_total", "Runs of a job that failed", ("job",))

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def method_label(method: str) -> str:
    """A request's method, or one word for those that nobody knows: callers must not make series."""
    return method if method in _METHODS else "other"


def route_of(path: str, template: str | None) -> str:
    """A route's whole template. Of a router within a router the framework knows the inner part alone."""
    if template is None:
        return "unmatched"
    if ":path}" in template:
        # It swallows strokes too, so the parts of the path say nothing; and callers must not make series.
        return template
    parts = template.count("/")
    return (path.rsplit("/", parts)[0] if parts else path) + template
