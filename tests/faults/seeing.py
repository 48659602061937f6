"""What people see: a villager who reads, a clerk who writes, an operator who asks `sanwu status`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2

from deploy.local.sample.items import body_of
from tests.running import ROOT, RunningCity

VILLAGE: Final = "210881006208"
#: Nobody waits longer for a page.
PATIENCE_S: Final = 10.0
_ITEM: Final = "V01"


@dataclass(slots=True)
class People:
    """Signed in before anything happens, as people are."""

    city: RunningCity
    #: Ids of drafts that the city said it has.
    accepted: list[str] = field(default_factory=list)
    _days: int = 60

    def sign_in(self) -> None:
        """The clerk's token for the next ten minutes."""
        self.city.token(f"clerk-{VILLAGE}")

    def look(self) -> dict[str, str]:
        """All of them at the same moment."""
        with ThreadPoolExecutor(max_workers=3) as crowd:
            told = {
                "villagers": crowd.submit(self._villager),
                "clerks": crowd.submit(self._clerk),
                "`sanwu status`": crowd.submit(self._status),
            }
            return {who: one.result() for who, one in told.items()}

    def is_well(self) -> bool:
        """Whether reading and writing work, and the operator is told of nothing."""
        seen = self.look()
        return seen["villagers"].startswith("200") and seen["clerks"].startswith("201") and "status 0" in str(seen)

    def lost(self) -> list[str]:
        """Drafts that were accepted and are not there."""
        bearer = {"authorization": f"Bearer {self.city.token(f'clerk-{VILLAGE}')}"}
        paths = [f"{self.city.url}/ingest/v1/disclosures/{one}" for one in self.accepted]
        return [path for path in paths if httpx2.get(path, headers=bearer, timeout=30).status_code != 200]

    def _villager(self) -> str:
        """Four pages; what is told is the worst of them."""
        paths = (f"/v/{VILLAGE}", f"/v/{VILLAGE}/V09", "/", f"/api/v1/villages/{VILLAGE}")
        with ThreadPoolExecutor(max_workers=4) as crowd:
            seen = list(crowd.map(lambda path: _asked("GET", self.city.url + path), paths))
        worst = max(seen, key=lambda answer: (answer.status != 200, answer.seconds))
        kept = " from the rendered files, which say how old they are"
        return worst.words() + (kept if any("standby; hit" in a.cache for a in seen) and worst.status == 200 else "")

    def _clerk(self) -> str:
        """A new draft, of another day each time."""
        self._days += 1
        day = (datetime.now(UTC) - timedelta(days=self._days)).date().isoformat()
        body = {"village": VILLAGE, "item": _ITEM, "period": day, "body": body_of(_ITEM, VILLAGE, day)}
        token, _ = self.city.tokens[f"clerk-{VILLAGE}"]
        headers = {"authorization": f"Bearer {token}", "idempotency-key": f"drill-{day}"}
        answer = _asked("POST", f"{self.city.url}/ingest/v1/disclosures", headers=headers, json=body)
        if answer.status == 201:
            self.accepted.append(json.loads(answer.text)["id"])
        return answer.words()

    def _status(self) -> str:
        begin = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cli", "status", "--json"],
            env={**os.environ, "SANWU_HOME": str(self.city.home)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - begin
        problems = json.loads(done.stdout)["problems"] if done.stdout else [done.stderr.strip()[-200:]]
        more = f" (and {len(problems) - 2} more)" if len(problems) > 2 else ""
        return f"status {done.returncode} in {seconds:.1f} s" + "".join(f" · {p}" for p in problems[:2]) + more


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    seconds: float
    cache: str = ""
    text: str = ""

    def words(self) -> str:
        if self.status == 0:
            return f"no connection after {self.seconds:.1f} s"
        return f"{self.status} in {self.seconds:.2f} s" if self.status > 0 else f"no answer in {PATIENCE_S:.0f} s"


def _asked(method: str, url: str, **rest: Mapping[str, Any]) -> _Answer:
    begin = time.monotonic()
    try:
        answer = httpx2.request(method, url, timeout=PATIENCE_S, **rest)  # type: ignore[arg-type] # headers and json
    except httpx2.TimeoutException:
        return _Answer(-1, time.monotonic() - begin)
    except httpx2.TransportError:
        return _Answer(0, time.monotonic() - begin)
    cache = answer.headers.get("cache-status", "")
    return _Answer(answer.status_code, time.monotonic() - begin, cache, answer.text)
