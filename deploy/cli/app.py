"""The commands of `sanwu`: the services' own, mounted, and those about a city as a whole."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from services.kit.cli import Json, new_app, run_line

from deploy import evidence
from deploy.cli import keys, records, reference, status, whole
from deploy.cli.mount import AS_IT_IS, mount, mount_of_each
from deploy.local.faults import guarded
from deploy.local.home import home_path

app = new_app("Operators' command of Sunshine Sanwu. SANWU_HOME names the city's folder (default `.sanwu`).")


@app.command("status")
def show_status(*, as_json: Json = False) -> None:
    """Parts, services, lag, outboxes, parked records, room. Exit status 1: something is wrong; 3: the city is stopped."""
    raise typer.Exit(status.show(status.gather(home_path()), as_json=as_json))


dlq = new_app("Records that a service could not handle.")
app.add_typer(dlq, name="dlq")
dlq.command("list", context_settings=AS_IT_IS)(records.list_parked)
mount_of_each(dlq, "show", "dlq", "show", summary="One record, with its headers and its value as it came.")
mount_of_each(dlq, "replay", "dlq", "replay", summary="Handle parked records again, whole aggregates in order.")
mount_of_each(dlq, "discard", "dlq", "discard", summary="Give parked records up for good; who and why is kept.")
refused = new_app("Records that the registry's root key did not sign.")
app.add_typer(refused, name="refused")
mount_of_each(refused, "list", "refused", "list", summary="What was refused, and where it stands in the log.")
mount_of_each(refused, "forget", "refused", "forget", summary="End the alarm; who and why is kept.")
mount_of_each(app, "republish", "republish", summary="Say events again: the repair for a lost or cut log.")

rebuild = new_app("Build a read model anew beside the serving one.")
app.add_typer(rebuild, name="rebuild")
mount(rebuild, "publish", "publish", "rebuild", summary="Build publish's read model anew, compare, switch to it.")
mount(app, "snapshot", "publish", "snapshot", summary="The public site as files that open from a folder.")
replay = new_app("Judge everything anew.")
app.add_typer(replay, name="replay")
mount(replay, "audit", "audit", "replay", summary="Judge everything anew and compare with the living alerts.")
packs = new_app("Evidence of alerts.")
app.add_typer(packs, name="evidence")


@packs.command("check")
def check_evidence(
    files: Annotated[list[Path], typer.Argument(help="Packs, or alerts as the API answers them.")],
) -> None:
    """Recompute packs by code that shares nothing with the rules; needs no city. The file `deploy/evidence.py` does it alone."""
    raise typer.Exit(evidence.main([str(f) for f in files]))


actions = new_app("The trail of staff actions.")
app.add_typer(actions, name="actions")
actions.command("verify")(records.verify)

app.add_typer(reference.topics_app, name="topics")
app.add_typer(keys.keys_app, name="keys")
mount(app, "catalogue", "registry", "catalogue", summary="The catalogue of items: check FILE, apply FILE.", group=True)
mount(app, "staff", "registry", "staff", summary="Accounts: list, import FILE, reset USER, end USER.", group=True)
app.command("posters")(reference.posters)
mount(
    app,
    "packages",
    "qr",
    "packages",
    summary="What carries codes, a ZIP a township with its packing list; goes on where it was stopped.",
)
app.command("backup")(whole.backup)
app.command("restore")(whole.restore)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    return guarded(lambda: run_line(app, words, "sanwu"))
