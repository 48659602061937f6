"""One process kind for all services: `python -m services.<name> serve [--roles http,relay,consumer,jobs]`.

N copies are always safe: the relay and every job lead by a session lock, consumers share partitions. On SIGTERM or
SIGINT it drains: no new requests, the batch in hand is finished, then the pool closes; 10 s at most.
"""

import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

import asyncpg
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from starlette.types import ASGIApp
from typer import BadParameter, Option, Typer

from services.contracts.topics import KEYS_OF, TOPICS
from services.kit import cli, heads, metrics, operate, park, trail, wiping
from services.kit.clock import Clock, SystemClock
from services.kit.consumer import Effects, PartitionedConsumer
from services.kit.db import INFRASTRUCTURE_ERRORS, Database
from services.kit.log import configure_logs, get_logger
from services.kit.pulse import BEAT_S
from services.kit.reference import Reference
from services.kit.relay import Relay
from services.kit.runtime import AnyRuntime, Runtime
from services.kit.service import Job, OwnT, Service, SettingsT
from services.kit.settings import Settings
from services.kit.shred import use_key_seal
from services.kit.stalls import LoopWatch

log = get_logger(__name__)

#: Not roles of people: which of its works a process does.
PROCESS_ROLES: Final = ("http", "relay", "consumer", "jobs")
DRAIN_S: Final = 10.0
#: Of which the roles have so much, before the pool is closed.
ROLES_DRAIN_S: Final = 8.0
#: What a role that is cancelled may still need to let go of what it holds.
CANCEL_S: Final = 1.0
REFRESH_S: Final = 1.0
#: How often parked records and the outbox are counted, which operators and copies of this process change too.
COUNT_S: Final = 5.0
#: A statement of an operators' command may go over all events there are.
COMMAND_PATIENCE_S: Final = 3600

ENSURE_PARTITIONS = "SELECT ensure_event_partitions($1)"
FORGET_ANSWERS = "DELETE FROM idempotency WHERE created_at < $1::timestamptz - interval '48 hours'"
TRY_JOB_LOCK = "SELECT pg_try_advisory_lock(hashtext('job ' || $1), hashtext(current_user))"


#: What a process does, by name: each works until it is told to stop.
Roles = dict[str, Coroutine[Any, Any, None]]


#: Every service keeps a trail of what members of staff did in it.
TRAIL_JOBS: Final[Sequence[Job[Settings, object]]] = (
    Job("actions linked", trail.LINK_EVERY_S, trail.link),
    Job("actions pruned", trail.PRUNE_EVERY_S, trail.prune),
    Job("trail head said", heads.LOOK_EVERY_S, heads.say_head),
)
#: Who has keys of contents wraps them and wipes those that were destroyed.
KEEPERS: Final = frozenset({*KEYS_OF, *(name for topic in KEYS_OF.values() for name in topic.consumers)})


async def open_runtime(
    service: Service[SettingsT, OwnT], settings: SettingsT, clock: Clock, patience_s: int = 10
) -> Runtime[SettingsT, OwnT]:
    """Connect to the database and fill the reference copy; the caller closes `runtime.database`."""
    use_key_seal(settings.key_seal)
    database = Database(settings, f"sanwu-{service.name}", patience_s)
    await database.open()
    async with database.connection() as conn:
        await service.require_seal(conn)
    reference = Reference(database)
    own = service.make_own(settings, database, clock, reference)
    runtime = Runtime(service.name, settings, database, clock, reference, own)
    await runtime.reference.refresh()
    await _tidy_tables(runtime)
    return runtime


async def _tidy_tables(runtime: AnyRuntime) -> None:
    async with runtime.database.connection() as conn:
        await conn.execute(ENSURE_PARTITIONS, runtime.clock.now())
        await conn.execute(FORGET_ANSWERS, runtime.clock.now())


class RoleEndedError(Exception):
    """A role ended before it was told to, however it did: the process can do its work only when started anew."""


async def serve(
    service: Service[SettingsT, OwnT], settings: SettingsT, roles: Sequence[str], stop: asyncio.Event
) -> None:
    """Run the roles until stopped; RoleEndedError when one of them ended before."""
    runtime = await open_runtime(service, settings, SystemClock())
    topics = [t for t in TOPICS if service.name in t.consumers]
    consumer = None
    if "consumer" in roles and topics:
        effects = Effects(settings, runtime.reference, runtime.clock, project=service.project, react=service.react)
        consumer = PartitionedConsumer(service.name, settings, runtime.database, effects, topics, service.linger_ms)
        runtime.consumer = consumer
    app = service.create_app(runtime)
    _bind_gauges(runtime, consumer)
    runtime.loop_watch = LoopWatch()
    try:
        with runtime.loop_watch.watching():
            await run_roles(_roles(service, runtime, consumer, app, roles), stop, runtime.stopping)
    finally:
        await runtime.database.close()


def _roles(
    service: Service[SettingsT, OwnT],
    runtime: Runtime[SettingsT, OwnT],
    consumer: PartitionedConsumer | None,
    app: ASGIApp,
    roles: Sequence[str],
) -> Roles:
    stopping = runtime.stopping
    pulse = runtime.pulse
    works: Roles = {"housekeeping": _housekeeping(_watch_role(runtime, "housekeeping"))}
    if "http" in roles:
        # Whether it works is seen by its answer.
        works["http"] = _http(runtime, app)
    if "relay" in roles:
        relay = Relay(runtime.database, runtime.settings, service.gather_s)
        relay.beat = pulse.watch("relay", relay.facts)
        works["relay"] = relay.run(stopping)
    if consumer is not None:
        consumer.beat = pulse.watch("consumer", consumer.lag.facts)
        works["consumer"] = consumer.run(stopping)
    if "jobs" in roles:
        keeping = [Job("keys kept", wiping.LOOK_EVERY_S, wiping.Keeper().run)] if service.name in KEEPERS else []
        jobs: tuple[Job[SettingsT, OwnT], ...] = (*TRAIL_JOBS, *keeping, *service.make_jobs())
        for job in jobs:
            name = f"job {job.name}"
            works[name] = _job(_watch_role(runtime, name), job)
    return works


def _watch_role(runtime: Runtime[SettingsT, OwnT], role: str) -> Runtime[SettingsT, OwnT]:
    return replace(runtime, beat=runtime.pulse.watch(role))


def _bind_gauges(runtime: AnyRuntime, consumer: PartitionedConsumer | None) -> None:
    """Let the gauges that are worked out when they are asked for speak of this process."""

    def one(value: float | None) -> dict[tuple[str, ...], float]:
        return {} if value is None else {(): value}

    outbox, clock = runtime.outbox_backlog, runtime.clock
    metrics.ROLE_AGE.source = lambda: {(role,): age for role, age in runtime.pulse.ages().items()}
    metrics.OUTBOX_PENDING.source = lambda: one(outbox.size())
    metrics.OUTBOX_OLDEST.source = lambda: one(outbox.oldest_s(clock.now()))
    metrics.OUTBOX_STILL.source = lambda: one(outbox.still_s())
    if consumer is not None:
        lag = consumer.lag
        metrics.CONSUMER_LAG.source, metrics.CONSUMER_LAG_SECONDS.source = lag.records, lag.seconds
        metrics.CONSUMER_STILL.source = lambda: one(lag.still_s())


async def run_roles(works: Roles, stop: asyncio.Event, stopping: asyncio.Event) -> None:
    """Run roles until `stop`, then tell them by `stopping` and let them drain.

    A role that returns, raises or is cancelled before `stop` takes the others with it: a process that does half of its
    work looks well and is not.
    """
    tasks = [asyncio.create_task(work, name=name) for name, work in works.items()]
    told = asyncio.create_task(stop.wait())
    either: list[asyncio.Task[Any]] = [told, *tasks]
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        # Taken before `stopping` is set: a role that ends afterwards did what it was told.
        early = [] if stop.is_set() else [t for t in tasks if t.done()]
        for task in early:
            log.critical("a role ended before it was told to", role=task.get_name(), **_how(task))
        stopping.set()
        _, late = await asyncio.wait(tasks, timeout=ROLES_DRAIN_S)
        failed = [t for t in tasks if t.done() and t not in early and not t.cancelled() and t.exception()]
        for task in failed:
            log.error("a role failed while it was stopped", role=task.get_name(), **_how(task))
        for task in late:
            log.warning("a role was not drained in time", role=task.get_name())
    finally:
        for one in either:
            one.cancel()
        await asyncio.wait(tasks, timeout=CANCEL_S)
    if early or failed:
        raise RoleEndedError(", ".join(t.get_name() for t in (*early, *failed)))


def _how(task: "asyncio.Task[None]") -> dict[str, Any]:
    if task.cancelled():
        return {"how": "cancelled"}
    error = task.exception()
    return {"how": repr(error), "exc_info": error} if error else {"how": "returned"}


async def _http(runtime: AnyRuntime, app: ASGIApp) -> None:
    server = Server(
        app,
        address=runtime.settings.http_host,
        port=runtime.settings.http_port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_access=False,
        log_enabled=False,
        backlog=1024,
    )
    serving = asyncio.ensure_future(server.serve())
    stopping = asyncio.ensure_future(runtime.stopping.wait())
    try:
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        server.stop()  # type: ignore[no-untyped-call] # granian ships no types
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(serving, ROLES_DRAIN_S)


async def _housekeeping(runtime: AnyRuntime) -> None:
    """Keep the reference copy fresh, partitions made, and old answers forgotten."""
    next_hourly, next_count = time.monotonic() + 3600, 0.0
    while not runtime.stopping.is_set():
        runtime.beat()
        started = time.monotonic()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(runtime.stopping.wait(), REFRESH_S)
        try:
            await runtime.reference.refresh()
            runtime.beat()
            await runtime.noted.flush(runtime.database, runtime.clock.now())
            if started >= next_count:
                async with runtime.database.connection() as conn:
                    await runtime.outbox_backlog.look(conn)
                    if runtime.consumer is not None:
                        await park.show_count(conn)
                next_count = started + COUNT_S
            if started >= next_hourly:
                await _tidy_tables(runtime)
                next_hourly = started + 3600
        except INFRASTRUCTURE_ERRORS as error:
            log.warning("housekeeping waits for the database", error=repr(error))


async def _job(runtime: Runtime[SettingsT, OwnT], job: Job[SettingsT, OwnT]) -> None:
    """Run a job for as long as this process leads it."""
    wake = asyncio.Event()
    if job.on_commit:
        runtime.database.listeners.append(wake)
    while not runtime.stopping.is_set():
        runtime.beat()
        try:
            session = await runtime.database.dedicated()
            try:
                if await session.fetchval(TRY_JOB_LOCK, job.name):
                    if job.woken_by is not None:
                        await session.add_listener(job.woken_by, lambda *_: wake.set())
                    await _lead_job(runtime, job, wake, session)
            finally:
                await session.close(timeout=2)
        except (*INFRASTRUCTURE_ERRORS, asyncpg.PostgresError) as error:
            metrics.JOB_FAILURES.labels(job=job.name).inc()
            log.warning("job interrupted", job=job.name, error=repr(error))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(runtime.stopping.wait(), 1.0)


async def _lead_job(
    runtime: Runtime[SettingsT, OwnT], job: Job[SettingsT, OwnT], wake: asyncio.Event, session: asyncpg.Connection
) -> None:
    while not runtime.stopping.is_set():
        wake.clear()
        runtime.beat()
        # A lost session has lost the lock, and this raises.
        await session.execute("SELECT 1")
        try:
            await job.run(runtime)
        except INFRASTRUCTURE_ERRORS:
            raise
        except Exception:
            # The job's next run may succeed; the process must not die of it.
            metrics.JOB_FAILURES.labels(job=job.name).inc()
            log.exception("job failed", job=job.name)
        await _pause(runtime, wake, job.every_s)


async def _pause(runtime: AnyRuntime, wake: asyncio.Event, seconds: float) -> None:
    """Wait until the process stops, somebody wakes, or the time is over."""
    over = time.monotonic() + seconds
    waits = [asyncio.ensure_future(runtime.stopping.wait()), asyncio.ensure_future(wake.wait())]
    try:
        while not any(w.done() for w in waits) and (left := over - time.monotonic()) > 0:
            runtime.beat()
            await asyncio.wait(waits, timeout=min(left, BEAT_S), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def main(service: Service[SettingsT, OwnT], argv: Sequence[str]) -> int:
    """The command line of a service; returns the exit status."""
    asked = cli.read_line(command_line(service), argv, f"python -m services.{service.name}")
    if isinstance(asked, int):
        return asked
    settings = service.settings.load()
    configure_logs(service.name)
    # Modules and models live until the end: the collector need not look through them again and again.
    gc.freeze()
    return uvloop.run(_run_command(service, settings, asked))


def command_line(service: Service[SettingsT, OwnT]) -> Typer:
    """`serve`, and every operators' command of a service."""
    app = cli.new_app()

    @app.command("serve")
    def serve_until_signal(roles: Annotated[str, Option(help="Some of them.")] = ",".join(PROCESS_ROLES)) -> int:
        """Run the roles that are named until SIGTERM."""
        chosen = [r for r in roles.split(",") if r]
        if unknown := set(chosen) - set(PROCESS_ROLES):
            message = f"unknown roles: {', '.join(sorted(unknown))}"
            raise BadParameter(message)
        settings = service.settings.load()
        configure_logs(service.name)
        return uvloop.run(_until_signal(service, settings, chosen))

    app.add_typer(service.commands)
    app.add_typer(operate.commands(service.project, service.react))
    app.add_typer(trail.ACTIONS, name="actions")
    return app


async def _run_command(service: Service[SettingsT, OwnT], settings: SettingsT, work: cli.Work) -> int:
    runtime = await open_runtime(service, settings, SystemClock(), COMMAND_PATIENCE_S)
    try:
        return await work(runtime)
    except (*INFRASTRUCTURE_ERRORS, asyncpg.PostgresError) as error:
        sys.stderr.write(f"The database did not do it: {str(error) or type(error).__name__}\n")
        return 1
    finally:
        await runtime.database.close()


async def _until_signal(service: Service[SettingsT, OwnT], settings: SettingsT, roles: Sequence[str]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    serving = asyncio.ensure_future(serve(service, settings, roles, stop))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    try:
        async with asyncio.timeout(DRAIN_S if stop.is_set() else None):
            await serving
    except TimeoutError:
        log.warning("not drained in time")
    except RoleEndedError as error:
        log.critical("stopped by a failure", error=str(error))
        # What still hangs in a driver must not keep a process that failed.
        last = threading.Timer(DRAIN_S, os._exit, (1,))
        last.daemon = True
        last.start()
        return 1
    finally:
        stopping.cancel()
    return 0
