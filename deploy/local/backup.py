"""Backup of a running city into a folder, and its restoration into an empty home.

    await backup(home, folder)      # pg_basebackup with WAL · objects · secrets · manifest.json, written last
    await restore(folder, path)     # checks every sum, brings PostgreSQL up once, readies it for an empty Kafka

PostgreSQL is the truth: Kafka is not in a backup. A restored service queues all its events for a new log and forgets
where it stood in the old one; what it heard already it knows by the versions. Nothing is written twice in place: a
backup is whole or carries the name `.partial`, a home is whole or holds `restore.unfinished`, which no city starts in.
"""

import asyncio
import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from deploy.local import migrate, tool
from deploy.local.ask import ask
from deploy.local.faults import Fault
from deploy.local.home import Home, write_text
from deploy.local.info import StackInfo, known, planned
from deploy.local.postgres import ADMIN, BIN, SERVICES, Postgres
from deploy.local.stack import UNFINISHED

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
#: Of the home's own files, what a city makes anew at every start.
_MADE_ANEW: Final = frozenset({"ports.json", UNFINISHED})

Say = Callable[[str], None]


def _silent(_text: str) -> None:
    """Drop a line of progress."""


async def backup(home: Home, target: Path, say: Say = _silent) -> dict[str, Any]:
    """Back the running city up; returns the manifest."""
    if not _is_free(target):
        raise Fault(f"{target} is not empty: give a new folder for each backup.")
    postgres = Postgres(home)
    if not await postgres.is_ready():
        raise Fault(f"The city in {home.path} does not run: start it, then back it up.")
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    info = known(home.path)
    say("counting")
    events, before = await asyncio.gather(_events(info), _read_model(info))
    say("copying the database")
    await _base_backup(postgres, partial / "postgres")
    after = await _read_model(info)
    say("copying files")
    await asyncio.to_thread(_copy_files, home, partial)
    manifest = {
        "format": FORMAT,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "events": events,
        "before": before,
        "after": after,
        "files": await asyncio.to_thread(_sums, partial),
    }
    write_text(partial / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", mode=0o600)
    # An empty folder of that name gives way.
    partial.replace(target)
    return manifest


def _is_free(folder: Path) -> bool:
    return not folder.exists() or not any(folder.iterdir())


async def _events(info: StackInfo) -> dict[str, int]:
    """How many events each service keeps."""
    states = await asyncio.gather(*(ask(info, name, "state", "--json") for name in SERVICES))
    return {s["service"]: s["events"] for s in states}


async def _read_model(info: StackInfo) -> dict[str, Any]:
    """The read model's rows, and a digest of each village."""
    return dict(await ask(info, "publish", "digest", "--json"))


async def _base_backup(pg: Postgres, folder: Path) -> None:
    code, output = await tool.run(
        (
            *(BIN / "pg_basebackup", "--pgdata", folder, "--format=tar", "--compress=gzip:1"),
            *("--wal-method=stream", "--checkpoint=fast", "--no-password", "--label=sanwu"),
        ),
        {
            **pg.environment(),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(pg.port),
            "PGUSER": ADMIN,
            "PGPASSWORD": pg.home.password(ADMIN),
        },
    )
    if code != 0:
        words = output.strip().splitlines() or ["no message"]
        raise Fault(f"The database could not be copied: {words[-1].strip()}")


def _copy_files(home: Home, partial: Path) -> None:
    """The objects, after the database: an object is written before the row that names it."""
    objects = home.path / "objects"
    if objects.exists():
        shutil.copytree(objects, partial / "objects", copy_function=_copy_or_gone)
    private = partial / "home"
    private.mkdir(mode=0o700)
    for file in sorted(home.path.iterdir()):
        if file.is_file() and not file.name.startswith(".") and file.name not in _MADE_ANEW:
            _copy_private(file, private / file.name)


def _copy_private(source: Path, target: Path) -> None:
    """Copy a file that is for its owner alone; it is never readable by others, not even for a moment."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(source.read_bytes())


def _copy_or_gone(source: str, target: str) -> None:
    """Copy a file; one that was withdrawn meanwhile is rightly not in the backup."""
    try:
        shutil.copy2(source, target)
    except FileNotFoundError:
        Path(target).unlink(missing_ok=True)


def _sums(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST)
    return {str(p.relative_to(folder)): _sum(p) for p in files}


def _sum(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a whole backup."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] == FORMAT:
            return dict(manifest)
    except FileNotFoundError:
        raise Fault(f"{folder} is no whole backup: {MANIFEST} is missing.") from None
    except (ValueError, KeyError, TypeError):
        pass
    raise Fault(f"{folder / MANIFEST} cannot be read by this version.")


def check_sums(folder: Path, manifest: dict[str, Any]) -> None:
    """Compare every file with the manifest; a fault names the first that is not as it was."""
    found = _sums(folder)
    for name, expected in manifest["files"].items():
        if found.get(name) != expected:
            what = "is missing" if name not in found else "is not what was backed up"
            raise Fault(f"{folder / name} {what}: use another backup.")
    if extra := sorted(found.keys() - manifest["files"].keys()):
        raise Fault(f"{folder / extra[0]} does not belong to the backup: remove it, or use another backup.")


async def restore(folder: Path, path: Path, say: Say = _silent) -> dict[str, Any]:
    """Restore a backup into an empty home; returns what was counted there."""
    manifest = read_manifest(folder)
    if not _is_free(path):
        raise Fault(f"{path} is not empty: set SANWU_HOME to a new folder.")
    say("checking sums")
    await asyncio.to_thread(check_sums, folder, manifest)
    home = Home(path)
    with home.lock():
        (path / UNFINISHED).touch()
        say("unpacking")
        await asyncio.to_thread(_unpack, folder, home)
        # Nobody is to reach it yet: the city that is started here says its own address.
        info = planned(home, "http://127.0.0.1")
        say("starting the database")
        async with Postgres(home) as pg:
            await migrate.migrate_all(pg)
            say("queueing events for a new log")
            told = await asyncio.gather(*(ask(info, s, "republish", "--new-log", "--json") for s in SERVICES))
            say("comparing")
            found = {"events": {t["service"]: t["events"] for t in told}, **await _read_model(info)}
        _compare(manifest, found)
        (path / UNFINISHED).unlink()
    return found


def _unpack(folder: Path, home: Home) -> None:
    for file in (folder / "home").iterdir():
        _copy_private(file, home.path / file.name)
    if (folder / "objects").exists():
        shutil.copytree(folder / "objects", home.path / "objects")
    data = home.path / "postgres"
    data.mkdir(mode=0o700)
    for archive, place in (("base.tar.gz", data), ("pg_wal.tar.gz", data / "pg_wal")):
        with tarfile.open(folder / "postgres" / archive) as tar:
            tar.extractall(place, filter="data")
    for each in [data, *data.rglob("*")]:
        each.chmod(0o700 if each.is_dir() else 0o600)
    home.tighten()


def _compare(manifest: dict[str, Any], found: dict[str, Any]) -> None:
    """Nothing that stood when the backup began is missing; villages that rested meanwhile are the same."""
    before, after = manifest["before"]["villages"], manifest["after"]["villages"]
    for service, events in found["events"].items():
        if events < (expected := manifest["events"][service]):
            raise Fault(f"{service} has {events} events after the restoration, not {expected}: use another backup.")
    settled = {v: d for v, d in before.items() if after.get(v) == d}
    if differing := [v for v, d in settled.items() if found["villages"].get(v) != d]:
        raise Fault(f"{len(differing)} villages are not as they were, {differing[0]} first: use another backup.")
