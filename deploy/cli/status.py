"""`sanwu status`: what is up, how far everybody is behind, what waits for an operator, how much room is left."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from deploy.cli.telling import size, table, tell_json
from deploy.local import ask
from deploy.local.faults import Fault
from deploy.local.job import StackInfo
from deploy.local.postgres import SERVICES
from deploy.local.service import Service

#: An outbox row that waits longer is stuck; a consumer that far behind does not keep up.
STUCK_AGE_S: Final = 60
FAR_BEHIND: Final = 10_000
LITTLE_DISK: Final = 2 << 30


async def gather(info: StackInfo) -> dict[str, Any]:
    """Everything that is shown, with `problems` as sentences."""
    told = await asyncio.gather(*(_service(info, name) for name in SERVICES))
    services = {one["service"]: one for one in told}
    disk = shutil.disk_usage(info.home)
    answer = {
        "home": str(info.home),
        "url": info.url,
        "services": services,
        "disk_free_bytes": disk.free,
        "database_bytes": max((s.get("database_bytes", 0) for s in services.values()), default=0),
        "kafka_bytes": await asyncio.to_thread(_bytes_below, info.home / "kafka"),
    }
    return {**answer, "problems": problems(answer)}


async def _service(info: StackInfo, name: str) -> dict[str, Any]:
    ready = await Service(info.home, name, info.settings[name]).is_ready()
    try:
        state = await ask.ask(info, name, "state", "--json")
    except Fault as fault:
        state = {"service": name, "fault": str(fault)}
    return {**state, "ready": ready}


def _bytes_below(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            # Segments come and go.
            continue
    return total


def problems(told: Mapping[str, Any]) -> list[str]:
    """What is wrong, one sentence each; empty when all is well."""
    found = []
    for name, state in told["services"].items():
        if not state["ready"]:
            found.append(f"{name} is not ready: see logs/{name}.log.")
        if "fault" in state:
            found.append(f"{name} cannot be asked: {state['fault']}")
        else:
            found += _problems_of(name, state)
    if told["disk_free_bytes"] < LITTLE_DISK:
        found.append(f"Only {size(told['disk_free_bytes'])} are free: make room.")
    return found


def _problems_of(name: str, state: Mapping[str, Any]) -> list[str]:
    outbox, found = state["outbox"], []
    if (age := outbox["oldest_age_s"]) is not None and age > STUCK_AGE_S:
        found.append(f"{name}: an event has waited {age:.0f} s to be sent.")
    if outbox["refused"]:
        found.append(f"{name}: Kafka refused {outbox['refused']} events.")
    if state["relay_leader"] is None:
        found.append(f"{name}: nobody relays its events.")
    if state["kafka"] != "up":
        found.append(f"{name}: Kafka is {state['kafka']}.")
    if state["outside_the_log"]:
        found.append(f"{name}: {state['outside_the_log'][0]}: `sanwu republish --service {name} --new-log` repairs it.")
    if state["parked"]:
        found.append(f"{name}: {state['parked']} records are parked: see `sanwu dlq list --service {name}`.")
    for topic, lag in (state["lag"] or {}).items():
        if lag > FAR_BEHIND:
            found.append(f"{name} is {lag} records behind on {topic}.")
    return found


def show(told: Mapping[str, Any], *, as_json: bool) -> int:
    """Print it; 1 when something is wrong."""
    if as_json:
        tell_json(told)
        return 1 if told["problems"] else 0
    rows = [_row(name, state) for name, state in told["services"].items()]
    columns = ("service", "ready", "waits", "oldest", "behind", "parked", "dead letters", "relay since")
    table(told["url"], columns, rows)
    sizes = (told["database_bytes"], told["kafka_bytes"], told["disk_free_bytes"])
    print("database {}, Kafka {}, free {}".format(*map(size, sizes)))
    for sentence in told["problems"]:
        print(f"! {sentence}")
    return 1 if told["problems"] else 0


def _row(name: str, state: Mapping[str, Any]) -> list[object]:
    ready = "yes" if state["ready"] else "NO"
    if "fault" in state:
        return [name, ready, "?", "?", "?", "?", "?", "?"]
    lag = {topic: n for topic, n in (state["lag"] or {}).items() if n}
    behind = f"{sum(lag.values())} ({max(lag, key=lag.__getitem__)})" if lag else "0"
    leader, age = state["relay_leader"], state["outbox"]["oldest_age_s"]
    since = leader["since"] if leader else "nobody"
    waits = state["outbox"]["pending"]
    return [
        name,
        ready,
        waits,
        f"{age} s" if age is not None else "",
        behind,
        state["parked"],
        state["dead_letters"],
        since,
    ]
