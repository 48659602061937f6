"""What tells one service from another, and what the clock makes happen in it: `services.kit.process` runs both."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from starlette.types import ASGIApp
from typer import Typer

from services.contracts.topics import ServiceName
from services.kit import cli
from services.kit.clock import Clock
from services.kit.consumer import Handlers
from services.kit.db import Connection, Database
from services.kit.reference import Reference
from services.kit.runtime import Own_contra, Runtime, Settings_contra
from services.kit.settings import Settings
from services.kit.shred import require_key_seal

SettingsT = TypeVar("SettingsT", bound=Settings)
OwnT = TypeVar("OwnT")


@dataclass(frozen=True, slots=True)
class Job(Generic[Settings_contra, Own_contra]):
    """What the clock makes happen: `run` again and again, by one process at a time.

    It pauses `every_s` seconds between runs, less when a commit of this process wakes it (`on_commit`), or of any
    that tells it on a channel of PostgreSQL (`woken_by`).
    """

    name: str
    every_s: float
    run: Callable[[Runtime[Settings_contra, Own_contra]], Awaitable[None]]
    on_commit: bool = False
    woken_by: str | None = None


def no_own(_settings: Settings, _database: Database, _clock: Clock, _reference: Reference) -> None:
    """Of a service that holds nothing beside what every process does."""


def no_jobs() -> Sequence[Job[Settings, object]]:
    """Of a service that the clock moves to nothing."""
    return ()


@dataclass(frozen=True, slots=True)
class Service(Generic[SettingsT, OwnT]):
    """What tells one service from another."""

    name: ServiceName
    settings: type[SettingsT]
    #: Makes what the service holds for as long as a process lives.
    make_own: Callable[[SettingsT, Database, Clock, Reference], OwnT]
    create_app: Callable[[Runtime[SettingsT, OwnT]], ASGIApp]
    project: Handlers = field(default_factory=dict)
    react: Handlers = field(default_factory=dict)
    #: Makes the jobs of a process; what one remembers from run to run it keeps itself.
    make_jobs: Callable[[], Sequence[Job[SettingsT, OwnT]]] = no_jobs
    #: KeySealError when what rests closed in its tables does not open with this process's `SANWU_KEY_SEAL`.
    require_seal: Callable[[Connection], Awaitable[None]] = require_key_seal
    #: How long, in milliseconds, records may gather before they are heard: 0 where somebody waits for what they bring.
    linger_ms: int = 0
    #: How long, in seconds, what is said may gather before it is sent: more where nobody waits for what it brings.
    gather_s: float = 0.02
    #: Its own operators' commands, beside those that every service has.
    commands: Typer = field(default_factory=cli.new_app)


AnyService = Service[Any, Any]
