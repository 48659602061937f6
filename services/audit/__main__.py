"""`python -m services.audit serve`, `replay`, which judges everything anew on the side, and `check`, which recomputes packs."""

import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Final

from typer import Argument, BadParameter, Option

from services.audit import commands
from services.audit.app import create_app
from services.audit.handlers import PROJECT, REACT
from services.audit.jobs import make_jobs
from services.audit.rules import BY_ID, RULES
from services.audit.rules.base import Rule
from services.audit.rules.evidence import check_pack
from services.audit.rules.limits import LimitsError
from services.audit.settings import AuditSettings
from services.audit.store import facts, heads
from services.audit.store.replays import ReplayDifference
from services.audit.visit import AuditRuntime, Bench, limits_of, make_own
from services.contracts.topics import TOPIC_OF, UnknownEventTypeError, ValidationError
from services.contracts.trail import HEADS, TrailHead
from services.kit.cli import Told, new_app, on_runtime
from services.kit.consumer.log import LogAwayError, read_whole
from services.kit.heads import Signed
from services.kit.process import main
from services.kit.record import Incoming
from services.kit.service import Service

COMMANDS = new_app()
_CHANGE: Final = re.compile(r"(?P<rule>[A-Z][0-9]{2})\.(?P<name>[a-z0-9_]+)=(?P<value>[0-9]{1,15})")
#: What a replay may find of an alert; the first three are differences.
_VERDICTS = ("lost", "gained", "changed", "kept", "same")


@COMMANDS.command("replay")
@on_runtime
async def replay(
    runtime: AuditRuntime,
    *,
    as_of: Annotated[int | None, Option(metavar="SEQ", help="Judge by what had been heard up to this fact.")] = None,
    rules: Annotated[str, Option(metavar="A01,B01", help="By these rules alone; without it by all.")] = "",
    settings: Annotated[
        list[str], Option(metavar="A01.tolerance_fen=5", help="What if: another value of a rule; may be given again.")
    ] = [],  # noqa: B006 - read alone
    limits: Annotated[Path | None, Option(help="What if: limits of law and place from this folder.")] = None,
) -> Told:
    """Judge everything anew on the side and compare with the living alerts; status 1 unless they are the same.

    Nothing living changes, whatever is asked: a version or a limit is taken over by an upgrade or a setting, after this.
    """
    chosen = _chosen_rules(rules, settings)
    now = runtime.clock.now()
    if as_of is not None:
        async with runtime.database.connection() as conn:
            now = await facts.select_heard_at(conn, as_of) or now
    try:
        limits_of(limits)
    except LimitsError as error:
        raise BadParameter(str(error)) from error
    given = runtime.settings if limits is None else runtime.settings.model_copy(update={"limits": limits})
    bench = Bench(runtime.reference, given, now)
    found = await commands.replay(runtime.database, bench, as_of, chosen)
    counts = Counter(d.verdict for d in found)
    differing = [_told(d) for d in found if d.verdict in _VERDICTS[:3]]
    summary = " ".join(f"{v} {counts[v]}" for v in _VERDICTS)
    lines = [*differing, summary, "differs" if differing else "same"]
    return Told({"same": not differing, "lines": lines}, lines, status=1 if differing else 0)


def _told(d: ReplayDifference) -> str:
    return " ".join(w for w in (d.verdict, d.rule, d.alert_id, d.village, d.item, d.period, d.sentence) if w)


def _chosen_rules(ids: str, changes: Sequence[str]) -> list[Rule]:
    """The rules that are named, with other values where some are given; BadParameter says what is wrong with them."""
    named = [i.strip() for i in ids.split(",") if i.strip()] or list(BY_ID)
    if unknown := [i for i in named if i not in BY_ID]:
        message = f"there is no rule {', '.join(unknown)}; known: {', '.join(BY_ID)}"
        raise BadParameter(message)
    chosen = {i: BY_ID[i] for i in named}
    for change in changes:
        rule = _changed_rule(chosen, change)
        chosen[rule.id] = rule
    return list(chosen.values())


def _changed_rule(chosen: dict[str, Rule], change: str) -> Rule:
    said = _CHANGE.fullmatch(change)
    rule = chosen.get(said["rule"]) if said is not None else None
    if said is None or rule is None or said["name"] not in rule.settings:
        owned = ", ".join(f"{r.id}.{name}" for r in chosen.values() for name in r.settings)
        message = f"{change} is no RULE.name=number of a rule that is judged; these have values: {owned}"
        raise BadParameter(message)
    return replace(rule, settings={**rule.settings, said["name"]: int(said["value"])})


@COMMANDS.command("check")
def check(files: Annotated[list[Path], Argument(help="Packs, or alerts as the API answers them.")]) -> int:
    """Recompute evidence packs from their facts alone: no database, no settings, nothing but the rules."""
    status = 0
    for path in files:
        try:
            pack = json.loads(path.read_text(encoding="utf-8"))
            # What `GET /audit/v1/alerts/{id}` answers holds the pack; both may be checked.
            differences = check_pack(RULES, pack.get("evidence", pack))
        except (OSError, ValueError, AttributeError) as error:
            differences = [f"not a readable pack: {error}"]
        sys.stdout.write(f"{path}: {'differs' if differences else 'agrees'}\n")
        sys.stdout.writelines(f"  {d}\n" for d in differences)
        status = max(status, 1 if differences else 0)
    return status


@COMMANDS.command("heads")
@on_runtime
async def tell_heads(runtime: AuditRuntime) -> Told:
    """All heads of the trails that their services signed: those kept here, and those that stand in Kafka, if it answers."""
    async with runtime.database.connection() as conn:
        found = set(await heads.select_heads(conn))
    errors = []
    try:
        found |= _said_in(await read_whole(runtime.settings, [TOPIC_OF[f"head.{service}.v1"] for service in HEADS]))
    except LogAwayError as error:
        errors.append(f"Kafka does not tell its heads: what the database has lost of them is not seen. {error}")
    signed = sorted((h for h in found if h.holds(runtime.settings.trail_keys)), key=lambda h: (h.service, h.at))
    told = [{**asdict(h), "at": h.at.isoformat()} for h in signed]
    lines = [f"{h.service} {h.position}:{h.link} {h.at.isoformat()}" for h in signed]
    return Told({"heads": told, "unsigned": len(found) - len(signed), "from_kafka": not errors}, lines, errors)


def _said_in(records: Sequence[Incoming]) -> set[Signed]:
    found = set()
    for record in records:
        with suppress(UnknownEventTypeError, ValidationError):
            event = record.event()
            if isinstance(event, TrailHead):
                found.add(commands.signed_of(event))
    return found


SERVICE: Final = Service(
    "audit",
    AuditSettings,
    make_own,
    create_app,
    project=PROJECT,
    react=REACT,
    make_jobs=make_jobs,
    linger_ms=700,
    commands=COMMANDS,
)

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
