"""Who the parts of a city run as, and what a child does between fork and exec: its group, its parent's fate, a lesser user.

A home belongs to one user, and the whole city runs as that user. Started by root it gives a new home a number of its own
that no account has, and becomes it before it starts anything (`become`); a home of somebody else it keeps as it is, and
becomes that somebody. Where the project or the home lies below a folder that this user cannot walk, the one capability to
read everywhere is kept, instead of us opening folders that are not ours. Tests and restorations stay root themselves;
each part that they start does the same in its child.
"""

import ctypes
import os
import pwd
import random
import signal
import sys
import sysconfig
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_PR_CAP_AMBIENT_LOWER = 3
CAP_DAC_OVERRIDE: Final = 1
_CAP_DAC_READ_SEARCH = 2
CAP_NET_BIND_SERVICE: Final = 10
_CAPABILITY_VERSION_3 = 0x20080522

_LINUX = sys.platform == "linux"
_ROOT: Final = Path(__file__).parents[2]
#: What systemd gives to services that need a user for a while; no distribution's accounts are there.
_NUMBERS: Final = range(61_184, 65_520)
_FIRST_FREE_PORT: Final = 1024
#: A user as numbers: account and group.
User = tuple[int, int]
# Loaded before the fork: nothing may be imported or opened between fork and exec.
_libc = ctypes.CDLL(None, use_errno=True)


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def new_owner(home: Path) -> None:
    """Give a home that belongs to root to a number that no account and no process has; only root may."""
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError):
            taken.add(entry.stat().st_uid)
    number = random.SystemRandom().choice([n for n in _NUMBERS if n not in taken])
    try:
        os.chown(home, number, number)
    except OSError:
        # A container with few numbers.
        nobody = lesser_user()
        os.chown(home, *nobody)


def lesser_user() -> User:
    """The user who owns nothing and has an account, which initdb asks for."""
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def owner_of(home: Path) -> User | None:
    """Whom a part of this home becomes; None to stay who we are."""
    if os.geteuid() != 0:
        return None
    told = home.stat()
    return None if told.st_uid == 0 else (told.st_uid, told.st_gid)


def kept_for(user: User | None, *places: Path) -> tuple[int, ...]:
    """The capabilities that this user needs: none, or to read what it cannot walk to. Docker has only the wider one."""
    project = (Path(sys.executable), Path(sysconfig.get_path("purelib")), _ROOT / "services" / "kit" / "process.py")
    if user is None or not _LINUX or reachable_by(user[0], *project, *places):
        return ()
    told = Path("/proc/self/status").read_text()
    permitted = int(next(line for line in told.splitlines() if line.startswith("CapPrm")).split()[1], 16)
    return (_CAP_DAC_READ_SEARCH if permitted >> _CAP_DAC_READ_SEARCH & 1 else CAP_DAC_OVERRIDE,)


def reachable_by(uid: int, *places: Path) -> bool:
    """Tell whether another user can walk to every one of these places, and read it unless it is its own."""
    real = [place.resolve() for place in places]
    folders = {parent for place in real for parent in place.parents}
    return all(_allows(folder, uid, 0o001) for folder in folders) and all(_allows(place, uid, 0o004) for place in real)


def _allows(place: Path, uid: int, bit: int) -> bool:
    told = place.stat()
    return bool(told.st_mode & bit) or told.st_uid == uid


def become(user: User, home: Path, port: int) -> str | None:
    """Make this process, started by root, the home's owner for good.

    Where that user cannot reach all it needs, returns in words what of root's rights it keeps.
    """
    reading = kept_for(user, home)
    _become(*user, keep=(*reading, *((CAP_NET_BIND_SERVICE,) if port < _FIRST_FREE_PORT else ())))
    # There may be no account to ask for these.
    os.environ.update(HOME=str(home), USER="sanwu", LOGNAME="sanwu")
    if not reading:
        return None
    return "root's right to read" if CAP_DAC_OVERRIDE not in reading else "root's right to read and to write every file"


def preparation(
    *, fate: signal.Signals, user: User | None = None, keep: Iterable[int] = (), binds: bool = False, yields: int = 0
) -> Callable[[], None]:
    """Build the function that runs in the child between fork and exec.

    `keep`: capabilities that outlive the change of user; `binds`: it may listen below port 1024, if this process may;
    `yields`: how far it stands back for the others where processors are scarce (nice(2)).
    """
    parent, kept = os.getpid(), tuple(keep)

    def prepare() -> None:
        os.umask(0o077)
        os.nice(yields)
        if user is not None:
            _become(*user, keep=kept)
        if _LINUX and not binds:
            # It goes over exec to nobody then.
            _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_LOWER, CAP_NET_BIND_SERVICE, 0, 0)
        # After the change of user, which clears it.
        if _LINUX:
            # No setuid program gives anything back to it (prctl(2)).
            _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            _libc.prctl(_PR_SET_PDEATHSIG, int(fate), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _become(uid: int, gid: int, *, keep: tuple[int, ...]) -> None:
    if keep and _LINUX:
        # Keeps capabilities over setuid, and lets access(2) count them: initdb asks by it.
        _libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if keep and _LINUX:
        _keep(keep)


def _keep(capabilities: tuple[int, ...]) -> None:
    bits = sum(1 << number for number in capabilities)
    header = _CapHeader(_CAPABILITY_VERSION_3, 0)
    data = (_CapData * 2)(_CapData(bits, bits, bits), _CapData(0, 0, 0))
    if _libc.capset(ctypes.byref(header), ctypes.byref(data)) != 0:
        os._exit(126)
    for number in capabilities:
        _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, number, 0, 0)
