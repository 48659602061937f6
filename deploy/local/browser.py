"""Sees to it that the browser tests have a Chromium and a Chinese font; `make run` needs neither.

python -m deploy.local.browser     # installs by apt when root on Debian, else says what to do
find()                             # its path, or None
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy.local.faults import Fault, guarded

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PACKAGES: Final = ("chromium", "fonts-noto-cjk")
_ON_MAC: Final = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def find() -> str | None:
    """The path of an installed Chromium, or None."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    return found or (str(_ON_MAC) if _ON_MAC.exists() else None)


def main() -> int:
    """Install what is missing, or say what to install."""
    if find() is not None:
        return 0
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Fault(
            "The browser tests need Chromium and a Chinese font: install chromium and fonts-noto-cjk, then run again."
        )
    sys.stdout.write("set-up: installing chromium and fonts-noto-cjk by apt\n")
    sys.stdout.flush()
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (("update", "-q"), ("install", "-y", "-q", "--no-install-recommends", *_PACKAGES)):
        done = subprocess.run(("apt-get", *command), env=environment, capture_output=True, check=False)
        if done.returncode != 0:
            words = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            raise Fault(f"Chromium could not be installed by apt: {words[-1] if words else 'no message'}")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
