"""The gateway: Caddy in front of the five services, the only part a villager's phone talks to.

    async with Gateway(home, port=8000, upstreams={"publish": "127.0.0.1:N", "standby": …}) as gateway:
        gateway.url                                # "http://127.0.0.1:8000"

The Caddyfile is the same one that a server uses; what differs comes by the environment.
"""

import asyncio
import importlib.util
import os
import re
import shutil
import sysconfig
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from deploy.local.faults import Fault
from deploy.local.home import Home, write_text
from deploy.local.part import Part

_FOLDER: Final = Path(__file__).parents[1] / "caddy"
_DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
#: The Cybersecurity Law, article 21: network logs stay for six months at least.
_SIX_MONTHS: Final = 184
_VALID: Final = timedelta(days=364)
#: One address on one line: nothing else gets into the file.
_CONTACT: Final = re.compile(r"(mailto:|tel:|https://)[!-~]+")
_POLICY: Final = re.compile(r"https://[!-~]+")


class Gateway(Part):
    """Caddy on one loopback port, without admin interface and without TLS."""

    name = "gateway"
    binds = True

    def __init__(self, home: Home | Path, port: int, upstreams: Mapping[str, str]) -> None:
        super().__init__(home)
        self.port = port
        self.upstreams = upstreams

    @property
    def url(self) -> str:
        """Where people reach the city."""
        return f"http://127.0.0.1:{self.port}"

    async def prepare(self) -> None:
        """Write whom to tell of a hole, or take it away where nobody is named any more."""
        text = security_txt(datetime.now(UTC))
        self._well_known.mkdir(mode=0o700, exist_ok=True)
        file = self._well_known / "security.txt"
        if text is None:
            file.unlink(missing_ok=True)
        else:
            write_text(file, text)

    @property
    def _well_known(self) -> Path:
        return self.home.path / "well-known"

    def command(self) -> list[str]:
        """Run Caddy on the shared Caddyfile."""
        caddy = shutil.which("caddy", path=sysconfig.get_path("scripts"))
        if caddy is None:
            raise Fault("caddy is missing in the virtual environment: run `make run` again.")
        return [caddy, "run", "--config", str(_FOLDER / "Caddyfile"), "--adapter", "caddyfile"]

    def environment(self) -> Mapping[str, str]:
        """Fill the Caddyfile's placeholders; Caddy keeps its state in the home."""
        state = self.home.path / "caddy"
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(state),
            "XDG_DATA_HOME": str(state),
            "XDG_CONFIG_HOME": str(state),
            # Its heap is small: it need not be collected often, and has a bound.
            "GOGC": "800",
            "GOMEMLIMIT": "256MiB",
            # People type either.
            "SANWU_SITE": f"{self.url}, http://localhost:{self.port}",
            "SANWU_OTHER_NAMES": f"http://:{self.port}",
            "SANWU_DOCS": str(_DOCS),
            "SANWU_VIEWER": str(_viewer()),
            "SANWU_WELL_KNOWN": str(self._well_known),
            "SANWU_ACCESS_LOG": str(self.home.logs / "access.log"),
            "SANWU_ACCESS_LOG_DAYS": _days_kept(),
            **{f"SANWU_UPSTREAM_{name.upper()}": to for name, to in self.upstreams.items()},
        }

    async def is_ready(self) -> bool:
        """Ask for a path that only the gateway answers."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        # A path that the gateway answers itself, whatever the services do.
        writer.write(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        try:
            answer = await asyncio.wait_for(reader.readline(), timeout=2)
        except (TimeoutError, OSError):
            return False
        finally:
            writer.close()
        return answer.startswith(b"HTTP/1.1 404")


def security_txt(now: datetime) -> str | None:
    """What RFC 9116 asks for, from SANWU_SECURITY_CONTACT and SANWU_SECURITY_POLICY; None where no contact is named.

    It ends within a year (section 2.5.5) and is written anew at every start: a city that nobody looks after says so.
    """
    contact, policy = (os.environ.get(f"SANWU_SECURITY_{name}", "").strip() for name in ("CONTACT", "POLICY"))
    if not contact:
        return None
    if not _CONTACT.fullmatch(contact):
        raise Fault(f"SANWU_SECURITY_CONTACT is {contact!r}: give mailto:…, tel:… or https://….")
    if policy and not _POLICY.fullmatch(policy):
        raise Fault(f"SANWU_SECURITY_POLICY is {policy!r}: give the https://… address of a page.")
    lines = [
        f"Contact: {contact}",
        f"Expires: {(now + _VALID).strftime('%Y-%m-%dT%H:%M:%SZ')}",
        *([f"Policy: {policy}"] if policy else []),
        "Preferred-Languages: zh, en",
    ]
    return "\n".join(lines) + "\n"


def _viewer() -> Path:
    """Where the package of Swagger UI has its files; it is found and not imported."""
    found = importlib.util.find_spec("fastapi_offline")
    if found is None or found.origin is None:
        raise Fault("fastapi-offline is missing in the virtual environment: run `make run` again.")
    return Path(found.origin).parent / "static"


def _days_kept() -> str:
    """How long the access log is kept, as the caller's environment says."""
    told = os.environ.get("SANWU_ACCESS_LOG_DAYS") or str(_SIX_MONTHS)
    if not told.isdecimal() or int(told) < _SIX_MONTHS:
        raise Fault(f"SANWU_ACCESS_LOG_DAYS is {told}: give a number of days, {_SIX_MONTHS} (six months) or more.")
    return told
