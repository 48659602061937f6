"""What every service tells of itself at its inner port: the same names, each with help, and no label that callers can grow."""

import re
from collections.abc import Iterator

import httpx2
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.service import service_of
from tests.running import RunningCity

SERVICES = ("registry", "ingest", "publish", "audit", "qr")
#: What requests, the pool, the loop and the relay of every service tell.
COMMON = {
    "http_request_duration_seconds": "histogram",
    "db_pool_size_connections": "gauge",
    "db_pool_in_use_connections": "gauge",
    "db_pool_acquire_seconds": "histogram",
    "event_loop_lag_seconds": "gauge",
    "outbox_pending_events": "gauge",
    "outbox_oldest_pending_age_seconds": "gauge",
    "outbox_published_events": "counter",
    "outbox_relay_leader": "gauge",
    "outbox_backlog_still_seconds": "gauge",
    "role_last_turn_age_seconds": "gauge",
    "consumer_lag_records": "gauge",
    "consumer_lag_seconds": "gauge",
    "consumer_backlog_still_seconds": "gauge",
    "consumer_events": "counter",
    "consumer_batch_duration_seconds": "histogram",
    "consumer_parked_events": "gauge",
    "consumer_rebalances": "counter",
    "consumer_last_poll_timestamp_seconds": "gauge",
    "job_failures": "counter",
}
VILLAGE = re.compile(r"\d{9}")


def families(city: RunningCity, service: str) -> dict[str, Metric]:
    answer = httpx2.get(f"{city.addresses()[service]}/metrics", timeout=10)
    assert answer.status_code == 200
    return {m.name: m for m in text_string_to_metric_families(answer.text)}


def samples(families_: dict[str, Metric], name: str) -> Iterator[tuple[dict[str, str], float]]:
    for sample in families_[name].samples:
        yield sample.labels, sample.value


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_tells_the_common_metrics_with_help(small_city: RunningCity, service: str) -> None:
    told = families(small_city, service)
    assert {name: told[name].type for name in COMMON if name in told} == COMMON
    assert [m.name for m in told.values() if not m.documentation] == []
    processes = [name for name in small_city.addresses() if service_of(name) == service]
    assert sum(next(samples(families(small_city, name), "outbox_relay_leader"))[1] for name in processes) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_no_label_holds_a_place_or_a_raw_path(small_city: RunningCity, service: str) -> None:
    address = small_city.addresses()[service]
    httpx2.get(f"{address}/v/210881006206")
    httpx2.get(f"{address}/nowhere/210881006206")
    httpx2.request("BREW", f"{address}/coffee/210881006206")
    told = families(small_city, service)
    values = {value for m in told.values() for s in m.samples for value in s.labels.values()}
    assert [v for v in values if VILLAGE.search(v)] == []
    methods = {labels["method"] for labels, _ in samples(told, "http_request_duration_seconds")}
    assert methods <= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"}
    routes = {labels["route"] for labels, _ in samples(told, "http_request_duration_seconds")}
    assert routes & {"unmatched", "/{path:path}"}
    assert [r for r in routes if "coffee" in r or "nowhere" in r] == []


@pytest.mark.parametrize("service", ["ingest", "publish", "audit"])
def test_consumers_tell_how_far_they_are(small_city: RunningCity, service: str) -> None:
    told = families(small_city, service)
    lag = {labels["topic"]: value for labels, value in samples(told, "consumer_lag_records")}
    assert {"sanwu.divisions", "sanwu.catalogue", "sanwu.staff"} <= lag.keys()
    assert next(samples(told, "consumer_last_poll_timestamp_seconds"))[1] > 1_700_000_000
    assert next(samples(told, "consumer_parked_events"))[1] == 0
    rebalances = [s.value for s in told["consumer_rebalances"].samples if s.name == "consumer_rebalances_total"]
    assert rebalances[0] >= 1


def test_publish_tells_the_time_from_approval_to_the_page(small_city: RunningCity) -> None:
    told = families(small_city, "publish-jobs")["submit_to_visible_seconds"]
    bounds = [s.labels["le"] for s in told.samples if s.name.endswith("_bucket")]
    assert (bounds[0], bounds[-2:]) == ("0.05", ["60.0", "+Inf"])
    count = next(s.value for s in told.samples if s.name.endswith("_count"))
    assert count > 0
