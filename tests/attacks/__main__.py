"""`python -m tests.attacks`: a city of one township, all attacks at once, and what another clerk, a villager and an inspector saw.

    python -m tests.attacks                       # a minute of all; writes docs/attacks.md
    python -m tests.attacks --only pictures       # those whose name holds the word; prints, writes nothing
    python -m tests.attacks --seconds 20

Exit status 1 where a bar is missed: of every other reader's page 99 in 100 answers within 300 ms and none refused, and
each service below 400 MB. Machines differ: run it where nothing else runs.
"""

import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from typer import Option

from deploy.docs.text import table
from deploy.local.home import free_port
from services.kit.cli import new_app, run_line
from tests.attacks.doing import ADDRESS, ATTACKS, VILLAGES, Attack, Field, client_from
from tests.attacks.seeing import Page, Scale, Seen, Weight, look
from tests.running import ROOT, RunningCity, start_city, stop_city

PAGE: Final = ROOT / "docs" / "attacks.md"
P99_MS: Final = 300.0
RSS_BYTES: Final = 400_000_000
#: Readers begin before and go on after, so that what came late is seen.
_MARGIN_S: Final = 3.0
_VILLAGE: Final = "210881006206"
_MB: Final = 1_000_000
Outcome = tuple[str, Counter[str], float]

app = new_app()


@app.command()
def attack(
    *,
    only: Annotated[str, Option(metavar="WORD", help="Attacks whose name holds the word.")] = "",
    seconds: Annotated[float, Option(help="How long slow lines are kept slow.")] = 60.0,
) -> int:
    """Do all attacks at once to a city of one township."""
    with tempfile.TemporaryDirectory(prefix="sanwu-attacks-") as name:
        Path(name).chmod(0o711)
        city = start_city(Path(name) / "home", free_port(avoid=set()), "small", patience_s=1800)
        try:
            chosen = [a for a in ATTACKS if only in a.name]
            outcomes, seen, weights = asyncio.run(besiege(city, chosen, seconds))
        finally:
            stop_city(city)
    page, held = told(outcomes, seen, weights)
    sys.stdout.write(page)
    if not only:
        PAGE.write_text(page, encoding="utf-8")
    return 0 if held else 1


async def besiege(
    city: RunningCity, attacks: list[Attack], seconds: float
) -> tuple[list[Outcome], list[Seen], dict[str, Weight]]:
    """Sign everybody in, let them read, do all attacks at once; what came back, what was seen, what it took."""
    for village in VILLAGES:
        city.token(f"clerk-{village}")
    pages = readers(city)
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawning) as elsewhere, Scale(city.home) as scale:
        looking = asyncio.get_running_loop().run_in_executor(elsewhere, look, city.url, pages, seconds + 2 * _MARGIN_S)
        await asyncio.sleep(_MARGIN_S)
        async with client_from(ADDRESS, city.url, seconds + 60) as client:
            # Of many accounts: one account's own bounds would stop the others of its attacks.
            fields = [Field(city, seconds, client, VILLAGES[n % len(VILLAGES)]) for n in range(len(attacks))]
            outcomes = await asyncio.gather(*(timed(one, of) for one, of in zip(attacks, fields, strict=True)))
        return outcomes, await looking, scale.weights


async def timed(attack: Attack, field: Field) -> Outcome:
    """Do one and tell how long it took."""
    begin = time.monotonic()
    statuses = await attack.run(field)
    return attack.name, statuses, time.monotonic() - begin


def readers(city: RunningCity) -> list[Page]:
    """A villager, another village's clerk and the city's inspector, on pages and in the API."""

    def bearer(username: str) -> dict[str, str]:
        return {"authorization": f"Bearer {city.token(username)}"}

    clerk, inspector = bearer(f"clerk-{_VILLAGE}"), bearer("inspector-210881")
    return [
        Page("villager", f"/v/{_VILLAGE}", {}),
        Page("villager", f"/api/v1/villages/{_VILLAGE}/disclosures", {}),
        Page("clerk", "/desk", clerk),
        Page("clerk", "/ingest/v1/disclosures", clerk),
        Page("clerk", "/registry/v1/account", clerk),
        Page("inspector", "/audit/v1/alerts", inspector),
        Page("inspector", "/inspect", inspector),
    ]


def told(outcomes: list[Outcome], seen: list[Seen], weights: dict[str, Weight]) -> tuple[str, bool]:
    """The page, and whether every bar was held."""
    allowed = {a.name: a.held for a in ATTACKS}
    slow = [s for s in seen if s.percentile(0.99) > P99_MS or s.failures]
    heavy = [name for name, w in weights.items() if w.own > RSS_BYTES]
    let_in = [name for name, statuses, _ in outcomes if set(statuses) - allowed[name]]
    lines = [
        "# Under attack",
        "",
        f"Written by `python -m tests.attacks` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {len(outcomes)} attacks at once,",
        f"through the gateway, on {os.cpu_count()} processors (load {os.getloadavg()[0]:.1f}) that attackers, readers and city share.",
        "",
        "## What came back",
        "",
        *table(
            ("attack", "answers", "took", "held"),
            (
                (
                    name,
                    ", ".join(f"{n} × {s}" for s, n in statuses.most_common()),
                    f"{took:.1f} s",
                    "no" if name in let_in else "yes",
                )
                for name, statuses, took in outcomes
            ),
        ),
        "",
        "## What others saw",
        "",
        *table(
            ("who", "page", "asked", "refused", "p50 ms", "p95 ms", "p99 ms", "worst ms"),
            (
                (
                    s.page.who,
                    f"`{s.page.path}`",
                    str(len(s.milliseconds)),
                    str(s.failures),
                    *(f"{s.percentile(share):.0f}" for share in (0.5, 0.95, 0.99, 1.0)),
                )
                for s in seen
            ),
        ),
        "",
        "## What it took",
        "",
        *table(
            ("service", "own memory, peak MB", "children, peak MB", "processor s"),
            ((n, f"{w.own / _MB:.0f}", f"{w.children / _MB:.0f}", f"{w.cpu_s:.1f}") for n, w in weights.items()),
        ),
        "",
        "## Bars",
        "",
        f"p99 of every page ≤ {P99_MS:.0f} ms, none refused: " + (_missed(f"{s.page.path}" for s in slow)),
        "",
        f"Memory of each service ≤ {RSS_BYTES // _MB} MB: " + _missed(heavy),
        "",
        "Every attack refused, or harmless: " + _missed(let_in),
    ]
    return "\n".join(lines) + "\n", not (slow or heavy or let_in)


def _missed(names: Iterable[str]) -> str:
    missed = list(names)
    return f"**missed** ({', '.join(missed)})" if missed else "held."


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_line(app, sys.argv[1:] if arguments is None else arguments, "python -m tests.attacks")


if __name__ == "__main__":
    sys.exit(main())
