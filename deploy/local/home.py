"""The folder a city lives in: its lock, its secrets, its ports, its logs.

    home = Home(Path(".sanwu"))      # created when missing
    home.password("ingest")          # generated once, kept in secrets.json (0600)
    home.port("kafka")               # free when first asked for, the same at the next start
    with home.lock(): ...            # one city per home

Files are written to a temporary name and renamed, so that kill -9 leaves the old or the new.
"""

import fcntl
import json
import os
import random
import secrets
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local import privileges
from deploy.local.faults import Fault

_FIRST_PORT = 15_000
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_DEFAULT_EPHEMERAL = 32_768


class Home:
    """One city's folder. Cheap to make: reads and writes only when asked."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        if not self.path.exists():
            self.path.mkdir(mode=0o700, parents=True)
        if not any(self.path.iterdir()):
            self.tighten()
        for folder in (self.logs, self.run):
            folder.mkdir(mode=0o700, exist_ok=True)

    def tighten(self) -> None:
        """Let nobody but the home's owner read anything in it; root also gives the owner what is not its own.

        Takes some microseconds a file. Nothing is followed out of the home: the owner may have put a link there.
        """
        root = os.geteuid() == 0
        if root and self.path.stat().st_uid == 0:
            privileges.new_owner(self.path)
        owner = self.path.stat()
        if not root and owner.st_uid != os.geteuid():
            raise Fault(
                f"{self.path} belongs to another user (number {owner.st_uid}): start its city as that user, or as root."
            )
        for folder, _, names, descriptor in os.fwalk(self.path):
            self._tighten(Path(folder), os.dup(descriptor), owner)
            for name in names:
                told = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                if _is_tight(told, owner) or not stat.S_ISREG(told.st_mode):
                    continue
                opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=descriptor)
                self._tighten(Path(folder) / name, opened, owner)

    def _tighten(self, path: Path, descriptor: int, owner: os.stat_result) -> None:
        """Close one file or folder to others; its descriptor is closed too."""
        try:
            told = os.fstat(descriptor)
            if _is_tight(told, owner):
                return
            if told.st_uid != owner.st_uid:
                if stat.S_ISREG(told.st_mode) and told.st_nlink > 1:
                    raise Fault(
                        f"{path} belongs to another user (number {told.st_uid}) and has a second name, maybe outside of the"
                        " home: replace it by a copy, or remove it."
                    )
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            os.fchmod(descriptor, told.st_mode & 0o700)
        except PermissionError:
            raise Fault(
                f"{path} belongs to another user (number {told.st_uid}): start the city as root once."
            ) from None
        finally:
            os.close(descriptor)

    @property
    def logs(self) -> Path:
        """Where logs go, one file a part."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Locks, pids and inner ports."""
        return self.path / "run"

    def password(self, role: str, size: int = 24) -> str:
        """Return the role's password, or a key of `size` bytes in base64url, generated at the first call."""
        file = self.path / "secrets.json"
        known = read_json(file)
        if role not in known:
            known[role] = secrets.token_urlsafe(size)
            write_json(file, known, mode=0o600)
        return str(known[role])

    def keep(self, changes: Mapping[str, str | None]) -> None:
        """Put secrets in the place of others in one step; None removes one."""
        file = self.path / "secrets.json"
        known = {**read_json(file), **changes}
        write_json(file, {name: value for name, value in known.items() if value is not None}, mode=0o600)

    def port(self, name: str) -> int:
        """Return the part's port, choosing a free one when it has none yet."""
        file = self.run / "inner-ports.json"
        known = read_json(file)
        if name not in known:
            known[name] = free_port(avoid={int(str(port)) for port in known.values()})
            write_json(file, known)
        return int(str(known[name]))

    def forget_taken_ports(self) -> None:
        """Drop the kept ports that somebody else listens on now."""
        file = self.run / "inner-ports.json"
        known = read_json(file)
        kept = {name: port for name, port in known.items() if is_free(int(str(port)))}
        if kept != known:
            write_json(file, kept)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the home for this process; a second city in it is a fault."""
        # Root may be here: what the home's owner put in its place is not followed.
        descriptor = os.open(self.run / "city.lock", os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                message = f"A city already runs in {self.path}: stop it, or set SANWU_HOME to another folder."
                raise Fault(message) from None
            yield


def _is_tight(told: os.stat_result, owner: os.stat_result) -> bool:
    return told.st_uid == owner.st_uid and not told.st_mode & 0o077


def home_path() -> Path:
    """The city's folder, as the environment names it."""
    return Path(os.environ.get("SANWU_HOME") or ".sanwu").absolute()


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: old connections in TIME_WAIT do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(avoid: set[int]) -> int:
    """Choose a free port below the range that outgoing connections are given.

    A port from that range (what binding port 0 gives) can be taken by an outgoing connection
    while its part is being restarted; a client that dials it meanwhile can even reach itself.
    """
    chooser = random.SystemRandom()
    for _ in range(2_000):
        port = chooser.randrange(_FIRST_PORT, max(_first_ephemeral(), _FIRST_PORT + 5_000))
        if port not in avoid and is_free(port):
            return port
    raise Fault("No free port was found on 127.0.0.1: stop some servers and run again.")


def _first_ephemeral() -> int:
    try:
        return int(_RANGE_FILE.read_text().split()[0])
    except (OSError, ValueError):
        return _DEFAULT_EPHEMERAL


def read_json(file: Path) -> dict[str, object]:
    """Read a small JSON object; a missing file is an empty one."""
    try:
        content = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise Fault(f"{file} is not JSON any more: restore it or delete it, then run again.") from None
    return dict(content)


def write_json(file: Path, content: dict[str, object], mode: int = 0o600) -> None:
    """Replace a small JSON file in one step."""
    write_text(file, json.dumps(content, indent=2, ensure_ascii=False) + "\n", mode)


def write_text(file: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file in one step: readers and kill -9 see the old or the new one. Of root's, its folder's owner has it."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w") as out:
        if os.geteuid() == 0:
            # A running city must be able to read what a command of root's wrote into its home.
            folder = file.parent.stat()
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(file)
