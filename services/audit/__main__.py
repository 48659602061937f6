"""`python -m services.audit serve`, `replay`, which judges everything anew on the side, and `check`, which recomputes packs."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from services.audit import commands
from services.audit.app import create_app
from services.audit.commands import Bench
from services.audit.handlers import PROJECT, REACT
from services.audit.jobs import JOBS
from services.audit.rules import RULES
from services.audit.rules.evidence import check_pack
from services.audit.settings import AuditSettings
from services.audit.store import facts
from services.kit.process import Command, Service, main
from services.kit.runtime import Runtime


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as-of", type=int, metavar="SEQ", help="judge by what had been heard up to this fact")


async def _replay(runtime: Runtime, arguments: argparse.Namespace) -> int:
    """Print how a replay compares with the living alerts; status 1 unless it finds the same."""
    now = runtime.clock.now()
    if arguments.as_of is not None:
        async with runtime.database.connection() as conn:
            now = await facts.select_heard_at(conn, arguments.as_of) or now
    bench = Bench(runtime.reference, runtime.settings, now)
    differences = await commands.replay(runtime.database, bench, arguments.as_of)
    counts = Counter(d.verdict for d in differences)
    for d in differences:
        if d.verdict in {"lost", "gained", "changed"}:
            sys.stdout.write(f"{d.verdict} {d.rule} {d.alert_id}\n")
    sys.stdout.write(" ".join(f"{v} {counts[v]}" for v in ("lost", "gained", "changed", "kept", "same")) + "\n")
    same = not (counts["lost"] or counts["gained"] or counts["changed"])
    sys.stdout.write("same\n" if same else "differs\n")
    return 0 if same else 1


def check(paths: Sequence[str]) -> int:
    """Recompute evidence packs from their facts alone: no database, no settings, nothing but the rules."""
    status = 0
    for path in paths:
        try:
            pack = json.loads(Path(path).read_text(encoding="utf-8"))
            # What `GET /audit/v1/alerts/{id}` answers holds the pack; both may be checked.
            differences = check_pack(RULES, pack.get("evidence", pack))
        except (OSError, ValueError, AttributeError) as error:
            differences = [f"not a readable pack: {error}"]
        sys.stdout.write(f"{path}: {'differs' if differences else 'agrees'}\n")
        sys.stdout.writelines(f"  {d}\n" for d in differences)
        status = max(status, 1 if differences else 0)
    return status


REPLAY = Command("replay", "judge everything anew on the side, compare with the alerts", _add_arguments, _replay)
SERVICE = Service("audit", AuditSettings, create_app, project=PROJECT, react=REACT, jobs=JOBS, commands=(REPLAY,))

if __name__ == "__main__":
    # A pack must be checkable where no city runs, so this needs no settings and no database.
    if sys.argv[1:2] == ["check"]:
        sys.exit(check(sys.argv[2:]))
    sys.exit(main(SERVICE, sys.argv[1:]))
