"""wrk on one connection count, for a bounded time, on loopback."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_ERRORS = re.compile(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.+)")


class LoadError(RuntimeError):
    """The load met errors, so its rate means nothing."""


def wrk(
    url: str, *, connections: int, seconds: int, headers: Sequence[str] = (), script: Path | None = None
) -> tuple[float, str]:
    """Requests a second and wrk's own words; LoadError when any answer was not 2xx or 3xx."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    for header in headers:
        command += ["-H", header]
    if script is not None:
        command += ["-s", str(script)]
    done = subprocess.run([*command, url], capture_output=True, text=True, timeout=seconds + 60, check=True)
    if (trouble := _ERRORS.search(done.stdout)) is not None:
        raise LoadError(trouble[0] + "\n" + done.stdout)
    rate = _RATE.search(done.stdout)
    if rate is None:
        raise LoadError(done.stdout)
    return float(rate[1]), done.stdout
