"""Work that tells what a confined process has."""

import os
import resource
from contextlib import suppress
from pathlib import Path


def answer(data: bytes) -> bytes:
    """Tell one thing."""
    match data.decode():
        case "files":
            with Path("/dev/null").open():
                told = b"only one"
                with suppress(OSError), Path("/dev/null").open():
                    told = b"many"
                return told
        case "memory":
            return bytes(600 * 1024 * 1024)[:1]
        case "environment":
            return ",".join(sorted(set(os.environ) - {"LC_CTYPE"})).encode()
        case "capabilities":
            return Path("/proc/self/status").read_bytes().partition(b"CapEff:\t")[2].split()[0]
        case "niceness":
            return str(os.nice(0)).encode()
        case _:
            return f"{resource.getrlimit(resource.RLIMIT_CPU)[0]} s".encode()
