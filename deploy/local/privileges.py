"""What a child does between fork and exec: its own group, its parent's fate, a lesser user.

PostgreSQL refuses to run as root. Started by root it becomes `nobody`; where that user cannot
reach the home or the binaries (a clone below a private folder), it keeps CAP_DAC_OVERRIDE and nothing else,
instead of us opening folders that are not ours.
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522

_LINUX = sys.platform == "linux"
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


def lesser_user() -> tuple[int, int] | None:
    """Return uid and gid that PostgreSQL runs as, or None to stay who we are."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def reachable_by(uid: int, *places: Path) -> bool:
    """Tell whether another user can walk to every one of these places."""
    folders = {parent for place in places for parent in place.resolve().parents}
    return all(folder.stat().st_mode & 0o001 or folder.stat().st_uid == uid for folder in folders)


def preparation(
    *, fate: signal.Signals, user: tuple[int, int] | None = None, override: bool = False
) -> Callable[[], None]:
    """Build the function that runs in the child between fork and exec."""
    parent = os.getpid()

    def prepare() -> None:
        if user is not None:
            _become(*user, override=override)
        # After the change of user, which clears it.
        if _LINUX:
            _libc.prctl(_PR_SET_PDEATHSIG, int(fate), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _become(uid: int, gid: int, *, override: bool) -> None:
    keep = override and _LINUX
    if keep:
        # Keeps capabilities over setuid, and lets access(2) count them: initdb asks by it.
        _libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if keep:
        _keep_dac_override()


def _keep_dac_override() -> None:
    bit = 1 << _CAP_DAC_OVERRIDE
    header = _CapHeader(_CAPABILITY_VERSION_3, 0)
    data = (_CapData * 2)(_CapData(bit, bit, bit), _CapData(0, 0, 0))
    if _libc.capset(ctypes.byref(header), ctypes.byref(data)) != 0:
        os._exit(126)
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
