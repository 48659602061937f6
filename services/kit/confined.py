"""The inside of `limited`: `python -m services.kit.confined MODULE SECONDS MIB` gives its input to MODULE's `answer`.

The module is imported first. From then on the process starts no other one, writes no file, never has two files or
connections open, and has so much of a processor's time and so much memory; everybody else's work goes before it. What capabilities the
service has (of a city whose user cannot walk to the project) are gone by then.
"""

import codecs
import ctypes
import importlib
import os
import resource
import sys
from typing import Final

_NICENESS: Final = 10
#: Of the kernel's second interface to capabilities, linux/capability.h.
_CAPABILITY_VERSION: Final = 0x20080522


#: What reads text is a file of its own, which Python opens when it is first wanted: too late, once no file can be opened.
_ENCODINGS: Final = (
    *("ascii", "latin-1", "cp1252", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"),
    *("cp437", "gb18030", "gbk", "gb2312", "big5", "idna", "unicode_escape", "hex", "raw_unicode_escape"),
)


def _drop_capabilities() -> None:
    """Have none any more, nor pass one on: what lies open to root's rights alone is closed to a foreign file's parser."""
    if sys.platform != "linux":
        return
    header, none = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, none) != 0:
        raise OSError(ctypes.get_errno(), "capabilities could not be given up")


def _limit(seconds: int, mib: int) -> None:
    limits = [(resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)]
    # macOS has no such limit.
    if sys.platform != "darwin":
        limits.append((resource.RLIMIT_AS, mib * 1024 * 1024))
    # Root may start others all the same. One file at a time beside the three that are open: a library's random numbers.
    limits += [(resource.RLIMIT_NPROC, 0), (resource.RLIMIT_NOFILE, 4)]
    for kind, most in limits:
        resource.setrlimit(kind, (most, most))


def _main() -> None:
    module, seconds, mib = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.nice(_NICENESS)
    answer = importlib.import_module(module).answer
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)
    _drop_capabilities()
    _limit(seconds, mib)
    written = answer(sys.stdin.buffer.read())
    sys.stdout.buffer.write(written)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    _main()
