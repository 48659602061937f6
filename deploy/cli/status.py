"""`sanwu status`: what is up, which part is at fault, what does not move, how much room is left.

    sanwu status [--json]

Exit status: 0 all is well · 1 something is wrong, each thing in a sentence · 3 the city is stopped. What could not be
learnt within a second is unknown (`?`, null), never 0. Only light modules are imported here: `asking` says why.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psutil
from services.contracts.days import SHANGHAI, missing_years

from deploy.cli.asking import SERVICES, STILL_S, Place, Seen, known_place, look
from deploy.local.faults import guarded
from deploy.local.home import home_path
from deploy.local.supervisor import stopped, supervisor_of

STOPPED: Final = 3
LITTLE_DISK: Final = 2 << 30
#: Below this nothing can be written any more: PostgreSQL keeps its log in pieces of 16 MiB.
FULL_DISK: Final = 64 << 20
#: A loop that turned so late within the last minute is told of.
SLOW_LOOP_S: Final = 1.0
_NAMES: Final = {"gateway": "The gateway", "standby": "The standby", "postgres": "PostgreSQL", "kafka": "Kafka"}


def main(arguments: Sequence[str]) -> int:
    """Look and tell; the way that `python -m deploy.cli status` takes without reading the other commands."""
    return guarded(lambda: show(gather(home_path()), as_json="--json" in arguments))


def gather(home: Path) -> dict[str, Any]:
    """Everything that is shown, with `problems` as sentences."""
    place = known_place(home)
    supervisor = supervisor_of(home)
    told: dict[str, Any] = {"home": str(home), "url": place.addresses.get("gateway"), "running": supervisor is not None}
    if supervisor is None:
        return {**told, "services": {}, "problems": [stopped(home)]}
    told |= _told(place, asyncio.run(look(place)))
    frozen = supervisor.status() == psutil.STATUS_STOPPED
    pause = f"The supervisor stands still, and starts nothing that fails: `kill -CONT {supervisor.pid}` lets it go on."
    return {**told, "problems": [*([pause] if frozen else []), *problems(told)]}


def _told(place: Place, seen: Seen) -> dict[str, Any]:
    services = {name: _service(place, seen, name) for name in SERVICES}
    copies = {name: _process(seen, name) for name in place.copies}
    sizes = [t["database_bytes"] for t in seen.tables.values()]
    return {
        "parts": {name: seen.parts.get(name, "unknown") for name in _NAMES},
        "services": services,
        "copies": copies,
        "disk_free_bytes": seen.disk_free_bytes,
        "database_bytes": max(sizes, default=None),
        "kafka_bytes": seen.kafka_bytes,
        "notes": [*_notes(seen), *_of_loops({**services, **copies})],
    }


def _notes(seen: Seen) -> list[str]:
    """What somebody has to do by a day, although everything runs: no reason for an alarm at night."""
    today = datetime.now(SHANGHAI).date()
    return [
        f"The working days of {year} are not entered: due days are judged by weekends alone. Enter them at /admin/calendar."
        for year in (missing_years(today, seen.years) if seen.years is not None else ())
    ]


def _of_loops(services: Mapping[str, Any]) -> list[str]:
    """Processes in which everybody waited for one piece of work a moment ago."""
    lags = {name: (of["event_loop"] or {}).get("worst_lag_seconds") or 0.0 for name, of in services.items()}
    return [
        f"{name}: everybody waited {lag:.1f} s for one piece of work; where, says “the event loop stood still” in logs/{name}.log."
        for name, lag in lags.items()
        if lag > SLOW_LOOP_S
    ]


def _service(place: Place, seen: Seen, name: str) -> dict[str, Any]:
    """What is known of a service; None for what is not."""
    nothing = dict.fromkeys(("outbox", "relay_leader", "parked", "poisoned", "refused_signatures", "database_bytes"))
    tables = seen.tables.get(name)
    log_known = bool(seen.log) and name in seen.offsets
    lag, still, outside = _behind(place, seen, name) if log_known else (None, None, None)
    letters = seen.log.get((f"{name}.dlq", 0))
    return {
        "service": name,
        **_process(seen, name),
        "outbox_still_s": _outbox_still(seen.livez.get(name)),
        **(tables or nothing),
        "tables": tables is not None,
        "events": seen.events.get(name),
        "kafka": "up" if seen.parts.get("kafka") == "ok" else "away",
        "lag": lag,
        "still_s": still,
        "outside_the_log": outside,
        "dead_letters": letters[1] - letters[0] if letters else None,
    }


def _process(seen: Seen, name: str) -> dict[str, object]:
    """What is known of a process of a service, the first or a copy."""
    return {
        "process": seen.parts.get(name, "unknown"),
        "ready": seen.ready[name] == "ok" if name in seen.ready else None,
        "not_ready": seen.ready.get(name) if seen.ready.get(name) != "ok" else None,
        "roles": _roles(seen.livez.get(name)),
        "event_loop": _event_loop(seen.livez.get(name)),
    }


def _roles(told: object) -> dict[str, Any] | None:
    roles = told.get("roles") if isinstance(told, dict) else None
    return dict(roles) if isinstance(roles, dict) else None


def _outbox_still(told: object) -> float | None:
    """For how long the oldest event that waits has been the oldest, as the process saw it."""
    outbox = told.get("outbox") if isinstance(told, dict) else None
    return outbox.get("backlog_still_seconds") if isinstance(outbox, dict) else None


def _event_loop(told: object) -> dict[str, Any] | None:
    """How late the process's event loop was within the last minute, and how often it stood still, by cause."""
    loop = told.get("event_loop") if isinstance(told, dict) else None
    return dict(loop) if isinstance(loop, dict) else None


def _behind(place: Place, seen: Seen, name: str) -> tuple[dict[str, int], dict[str, float | None], list[str]]:
    """By topic: how many records wait, and for how long none of them was handled; places that the log has not.

    Records count as resting when the first of them is older than STILL_S: a topic that was quiet for a day is not late
    with what was written this second.
    """
    lag: dict[str, int] = {}
    still: dict[str, float | None] = {}
    outside = []
    for topic, partitions in place.reads.get(name, {}).items():
        lag[topic] = 0
        for n in range(partitions):
            begin, end = seen.log.get((topic, n), (0, 0))
            at, since = seen.offsets[name].get((topic, n), (begin, None))
            lag[topic] += max(0, end - at)
            if at > end or at < begin:
                outside.append(f"{topic}[{n}]: {at} is not in {begin}..{end}")
            elif at < end and at < seen.young.get((topic, n), end) and (since is None or since > STILL_S):
                still[topic] = _longer(still[topic], since) if topic in still else since
    return lag, still, outside


def _longer(one: float | None, other: float | None) -> float | None:
    """The longer of two times; None is for ever."""
    return None if one is None or other is None else max(one, other)


# -- what is wrong


def problems(told: Mapping[str, Any]) -> list[str]:
    """What is wrong, one sentence each, causes before what they cause; empty when all is well."""
    found = _room(told["disk_free_bytes"])
    at_fault = [name for name, state in told["parts"].items() if state != "ok"]
    for name in at_fault:
        found.append(f"{_NAMES[name]} {told['parts'][name]}: see logs/{name}.log.")
    for name, state in {**told["services"], **told["copies"]}.items():
        found += _of_process(name, state, waits="postgres" in at_fault)
    for name, state in told["services"].items():
        found += of_tables(name, state) if state["tables"] else []
        found += _of_log(name, state)
        if not state["tables"] and "postgres" not in at_fault:
            found.append(f"{name}: its tables did not answer in time; ask again.")
    return found


def _room(free: int | None) -> list[str]:
    if free is None:
        return ["How much room is left on the disk is unknown: it does not answer."]
    if free < FULL_DISK:
        return [f"The disk is full ({size(free)} are free): make room."]
    return [f"Only {size(free)} are free: make room."] if free < LITTLE_DISK else []


def _of_process(name: str, state: Mapping[str, Any], *, waits: bool) -> list[str]:
    process, roles = state["process"], state["roles"] or {}
    if process == "does not run":
        return [f"{name} does not run: it is being started again, see logs/{name}.log."]
    if process not in {"ok", "stands still"}:
        return [f"{name} hangs: it {process}; the supervisor ends and starts it after some 15 s."]
    still = {role: told["age_seconds"] for role, told in roles.items() if "too_old_by_seconds" in told}
    if still or process != "ok":
        which = ", ".join(f"{role} for {age:.0f} s" for role, age in sorted(still.items())) or "see its /livez"
        return [f"{name} stands still ({which}): the supervisor ends and starts it."]
    # With PostgreSQL away nobody is ready, and that was said.
    if state["ready"] or waits:
        return []
    return [f"{name} is not ready ({state['not_ready'] or 'it does not say why'}): see logs/{name}.log."]


def of_tables(name: str, state: Mapping[str, Any]) -> list[str]:
    """What a service's tables tell of trouble."""
    outbox, found = state["outbox"], []
    moves = state["outbox_still_s"] is not None and state["outbox_still_s"] <= STILL_S
    if (age := outbox["oldest_age_s"]) is not None and age > STILL_S and not moves:
        found.append(f"{name}: an event has waited {age:.0f} s to be sent, {outbox['pending']} wait.")
    if outbox["refused"]:
        found.append(f"{name}: Kafka refused {outbox['refused']} events.")
    if state["relay_leader"] is None:
        found.append(f"{name}: nobody relays its events.")
    if state["parked"]:
        found.append(f"{name}: {state['parked']} records are parked: see `sanwu dlq list --service {name}`.")
    if count := state["refused_signatures"]:
        found.append(
            f"{name}: {count} records said to be the registry's and were not signed by its root key: somebody writes to "
            f"Kafka who must not. See `sanwu refused list --service {name}`."
        )
    return found


def _of_log(name: str, state: Mapping[str, Any]) -> list[str]:
    found = []
    if outside := state["outside_the_log"]:
        found.append(f"{name}: {outside[0]}: `sanwu republish --service {name} --new-log` repairs it.")
    for topic, seconds in (state["still_s"] or {}).items():
        since = "was ever handled" if seconds is None else f"was handled for {seconds:.0f} s"
        found.append(f"{name}: {state['lag'][topic]} records wait on {topic}, and none {since}.")
    return found


# -- how it is told


def show(told: Mapping[str, Any], *, as_json: bool) -> int:
    """Print it; returns the exit status."""
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        if told["running"]:
            _print_parts(told)
        for sentence in told["problems"]:
            print(f"! {sentence}")
        for sentence in told.get("notes", ()):
            print(f"- {sentence}")
    if not told["running"]:
        return STOPPED
    return 1 if told["problems"] else 0


def _print_parts(told: Mapping[str, Any]) -> None:
    columns = ("service", "ready", "waits", "oldest", "behind", "parked", "dead letters", "relay since")
    rows = [columns, *(_row(name, state) for name, state in told["services"].items())]
    widths = [max(len(str(row[n])) for row in rows) for n in range(len(columns))]
    print(told["url"] or "")
    for row in rows:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(_of_parts(told["parts"], told["copies"]))
    sizes = (told["database_bytes"], told["kafka_bytes"], told["disk_free_bytes"])
    print("database {}, Kafka {}, free {}".format(*("?" if s is None else size(s) for s in sizes)))


def _of_parts(parts: Mapping[str, str], copies: Mapping[str, Mapping[str, object]]) -> str:
    """How the parts that are no service are, and the copies of services."""
    words = [f"{_NAMES[name]} {state}" for name, state in parts.items()]
    return ", ".join([*words, *(f"{name} {copy['process']}" for name, copy in copies.items())])


def _row(name: str, state: Mapping[str, Any]) -> tuple[object, ...]:
    ready = {True: "yes", False: "NO", None: "?"}[state["ready"] if state["process"] == "ok" else False]
    lag, letters = state["lag"], state["dead_letters"]
    late = {topic: n for topic, n in (lag or {}).items() if n}
    behind = "?" if lag is None else f"{sum(late.values())} ({max(late, key=late.__getitem__)})" if late else "0"
    if not state["tables"]:
        return (name, ready, "?", "?", behind, "?", "?" if letters is None else letters, "?")
    leader, age = state["relay_leader"], state["outbox"]["oldest_age_s"]
    return (
        name,
        ready,
        state["outbox"]["pending"],
        f"{age} s" if age is not None else "",
        behind,
        state["parked"],
        "?" if letters is None else letters,
        leader["since"] if leader else "nobody",
    )


def size(count: float) -> str:
    """Bytes in a unit that can be read."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:  # noqa: PLR2004 - what a unit holds
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
