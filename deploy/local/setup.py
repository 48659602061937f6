"""Makes the virtual environment and fetches Kafka's jars: what `make` runs before anything else.

    python3 deploy/local/setup.py run     # what a running city needs
    python3 deploy/local/setup.py test    # the same, and the tools of tests and checks

Run by the system's Python before any package is there: the standard library alone, in a syntax
that Python 3.6 reads, so that a Python which is too old is told so. Every failure is one
sentence on stderr and exit code 1. Killed at any moment it starts again cleanly: the environment
is made beside its place and renamed, and what is installed is noted last.
"""

import sys

if sys.version_info < (3, 11):
    sys.stderr.write(
        "Python 3.11 or newer is needed, this is Python %d.%d: install one and run `make PYTHON=python3.x`.\n"
        % sys.version_info[:2]
    )
    sys.exit(1)

import compileall
import errno
import fcntl
import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PARTIAL = ROOT / ".venv.partial"
LOCK = ROOT / ".venv.lock"
REQUIREMENTS = ROOT / "requirements"
MAKING_STAMP = VENV / "sanwu-made.json"
PACKAGES_STAMP = VENV / "sanwu-packages.json"
KAFKA_STAMP = VENV / "sanwu-kafka.json"
JARS_LOCK = ROOT / "deploy" / "local" / "kafka" / "jgo.lock.toml"
GLIBC_AT_LEAST = (2, 28)
NEARLY_NOTHING = 1_000_000
LAUNCHER = """\
#!/bin/sh
[ -n "$SANWU_HOME" ] || SANWU_HOME={home}
export SANWU_HOME PYTHONPATH={root}
exec {venv}/bin/python -m deploy.cli "$@"
"""


class SetupError(Exception):
    """Set-up cannot go on; the text is the whole message."""


def main(wanted: str) -> None:
    """Do what is not done yet, in order."""
    check_platform(platform.system(), platform.machine(), platform.libc_ver())
    with LOCK.open("w") as lock:
        # Two set-ups at once (two terminals): the second waits and then finds all done.
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_environment()
        install_packages("dev" if wanted == "test" else "runtime")
        compile_code(ROOT / "services", ROOT / "deploy")
        write_launcher()
        translate()
        fetch_jars()
        prepare_kafka()


def check_platform(system: str, machine: str, libc: tuple[str, str]) -> None:
    """Refuse what the packages' binaries do not run on."""
    if system == "Darwin" and machine == "arm64":
        return
    if system != "Linux" or machine not in {"x86_64", "AMD64"}:
        raise SetupError(
            "Sunshine Sanwu runs on x86-64 Linux (and, untested, macOS on arm64); this is %s on %s."
            % (system or "an unknown system", machine or "an unknown machine")
        )
    name, version = libc
    if name != "glibc":
        raise SetupError("A Linux with glibc is needed (Debian, Ubuntu, Fedora …); musl (Alpine) is not supported.")
    if tuple(int(part) for part in version.split(".")[:2]) < GLIBC_AT_LEAST:
        raise SetupError("glibc 2.28 or newer is needed, this is %s: use a newer Linux." % version)


def make_environment() -> None:
    """Make `.venv` with uv in it, once per Python and per place of the project."""
    identity = {
        "python": platform.python_version(),
        "place": str(ROOT),
        "bootstrap": digest(REQUIREMENTS / "bootstrap.txt"),
    }
    if read(MAKING_STAMP) == identity:
        return
    say("making the virtual environment")
    for folder in (VENV, PARTIAL):
        if folder.exists():
            shutil.rmtree(folder)
    failure = "The virtual environment could not be made"
    # In two steps, since venv hides why its ensurepip failed.
    call([sys.executable, "-m", "venv", "--without-pip", str(PARTIAL)], failure)
    call([str(PARTIAL / "bin" / "python"), "-m", "ensurepip", "--default-pip"], failure)
    pip = [str(PARTIAL / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
    pip += ["--disable-pip-version-check", "--retries", "2", "-r", str(REQUIREMENTS / "bootstrap.txt")]
    call(pip, "uv could not be installed")
    write(PARTIAL / MAKING_STAMP.name, identity)
    PARTIAL.rename(VENV)


def install_packages(name: str) -> None:
    """Bring the environment to the lock, unless it is there already (dev holds runtime too)."""
    current = read(PACKAGES_STAMP)
    enough = ("runtime", "dev") if name == "runtime" else ("dev",)
    if any(current == stamp_of(each) for each in enough):
        return
    if name == "runtime" and current.get("set") == "dev":
        name = "dev"
    begin = time.monotonic()
    say("installing packages (%s)" % name)
    PACKAGES_STAMP.unlink(missing_ok=True)
    environment = dict(os.environ, VIRTUAL_ENV=str(VENV), UV_NO_PROGRESS="1", UV_LINK_MODE="copy")
    environment.update(index_of_pip())
    uv = [str(VENV / "bin" / "uv"), "pip", "sync", "--quiet", "--compile-bytecode", "--require-hashes"]
    lock = REQUIREMENTS / (name + ".txt")
    call([*uv, str(lock)], "The packages could not be installed", environment)
    compile_code(*VENV.glob("lib/python*/site-packages"))
    write(PACKAGES_STAMP, stamp_of(name))
    say("packages installed", begin)


def compile_code(*folders: Path) -> None:
    """Compile what is not compiled yet. A city's processes may write none of it: each would compile all that it imports."""
    python = str(VENV / "bin" / "python")
    command = [python, "-m", "compileall", "-q", "-j", "0", *map(str, folders)]
    # Some packages bring files that are no Python; without compiled code everything starts more slowly, and starts.
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def write_launcher() -> None:
    """Write `.venv/bin/sanwu`, the operators' command, which runs from any folder."""
    launcher = VENV / "bin" / "sanwu"
    quoted = {
        name: shlex.quote(str(path)) for name, path in (("root", ROOT), ("home", ROOT / ".sanwu"), ("venv", VENV))
    }
    text = LAUNCHER.format(**quoted)
    if not launcher.exists() or launcher.read_text() != text:
        partial = launcher.with_suffix(".partial")
        partial.write_text(text)
        partial.chmod(0o755)
        partial.replace(launcher)


def fetch_jars() -> None:
    """Fetch what is missing of Kafka's jars and check all of them."""
    begin = time.monotonic()
    missing = not (VENV / "jars").exists()
    if missing:
        say("fetching Kafka")
    python = str(VENV / "bin" / "python")
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    done = subprocess.run([python, "-m", "deploy.local.jars", "fetch"], env=environment, cwd=str(ROOT), check=False)
    if done.returncode != 0:
        # It has said its sentence.
        sys.exit(1)
    if missing:
        say("Kafka fetched", begin)


def translate() -> None:
    """Translate the project for Python, once: a city started by root runs as a user who may not write here.

    What is translated already is looked at and left alone; what cannot be written is translated at each start.
    """
    for name in ("services", "deploy"):
        compileall.compile_dir(str(ROOT / name), quiet=2)


def prepare_kafka() -> None:
    """Let Java prepare Kafka's classes, once for what the locks name; where it cannot, cities start slower."""
    identity = {"jars": digest(JARS_LOCK), "packages": digest(REQUIREMENTS / "runtime.txt")}
    if read(KAFKA_STAMP) == identity:
        return
    begin = time.monotonic()
    say("preparing Kafka")
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    command = [str(VENV / "bin" / "python"), "-m", "deploy.local.warm"]
    subprocess.run(command, env=environment, cwd=str(ROOT), check=False)
    write(KAFKA_STAMP, identity)
    say("Kafka prepared", begin)


def index_of_pip() -> dict[str, str]:
    """Let uv use the package mirror that this machine's pip is set to, which it does not read."""
    if "UV_DEFAULT_INDEX" in os.environ or "UV_INDEX_URL" in os.environ:
        return {}
    python = str(VENV / "bin" / "python")
    pip = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    values = dict(line.split("=", 1) for line in pip.stdout.splitlines() if "=" in line)
    for key in (":env:.index-url", "install.index-url", "global.index-url"):
        if key in values:
            return {"UV_DEFAULT_INDEX": values[key].strip("'\"")}
    return {}


def call(command: list[str], failure: str, environment: dict[str, str] | None = None) -> None:
    """Run a command silently; its failure becomes one sentence."""
    done = subprocess.run(
        command,
        env=environment,
        cwd=str(ROOT),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        # Some tools fall silent on a full disk.
        full = shutil.disk_usage(str(ROOT)).free < NEARLY_NOTHING
        raise SetupError("%s: %s" % (failure, cause_of("no space left" if full else done.stdout)))


def cause_of(output: str) -> str:
    """Say in one clause why pip, uv or venv failed."""
    lowered = output.lower()
    causes = (
        (("no space left", "disk quota"), "the disk is full; free some space and run again."),
        (("file too large",), "a file may not grow that large (ulimit -f); raise the limit and run again."),
        (
            ("permission denied", "read-only file system"),
            "the folder cannot be written; make it writable and run again.",
        ),
        (
            ("no module named ensurepip", "no module named venv"),
            "Python's venv is missing; install it (Debian: apt-get install python3-venv).",
        ),
        (
            ("hash mismatch", "do not match the hashes"),
            "a package does not have the locked checksum; run again, or change the network.",
        ),
        (
            ("connect", "network", "resolve", "timed out", "timeout", "proxy", "dns", "no matching distribution"),
            "no network; check the connection (or proxy and package index) and run again.",
        ),
    )
    for words, cause in causes:
        if any(word in lowered for word in words):
            return cause
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return (lines[-1] if lines else "no message") + "."


def stamp_of(name: str) -> dict[str, str]:
    """Return what is noted when this lock is installed."""
    return {"set": name, "sha256": digest(REQUIREMENTS / (name + ".txt"))}


def digest(file: Path) -> str:
    """Return a file's SHA-256."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def read(stamp: Path) -> dict[str, str]:
    """Read a stamp; a missing or broken one says nothing."""
    try:
        return dict(json.loads(stamp.read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def write(stamp: Path, content: dict[str, str]) -> None:
    """Replace a stamp in one step."""
    partial = stamp.with_suffix(".partial")
    partial.write_text(json.dumps(content))
    partial.replace(stamp)


def say(what: str, begin: float | None = None) -> None:
    """Print one line of progress."""
    took = "" if begin is None else " (%.0f s)" % (time.monotonic() - begin)
    sys.stdout.write("set-up: %s%s\n" % (what, took))
    sys.stdout.flush()


def sentence_of(error: OSError) -> str:
    """Say an operating system error with what to do about it."""
    if error.errno == errno.ENOSPC:
        return "The disk is full: free some space and run again."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return "%s cannot be written: make the project's folder writable and run again." % error.filename
    return "Set-up failed: %s (%s)." % (error.strerror, error.filename)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "run")
    except SetupError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(sentence_of(error))
    except KeyboardInterrupt:
        sys.exit(130)
