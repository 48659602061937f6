"""`sanwu topics …` and `posters`: what a city is set up with."""

import asyncio
from pathlib import Path
from typing import Annotated

from services.kit.broker import Broker
from services.kit.cli import Told, at_once, new_app
from typer import Argument

from deploy.local import ask, topics
from deploy.local.faults import Fault
from deploy.local.home import home_path

topics_app = new_app("Kafka's topics as declared.")


def _kafka() -> Broker:
    return ask.running_city(home_path()).broker


@topics_app.command("check")
@at_once
def check_topics() -> Told:
    """Compare the broker with the declarations; change nothing. Exit status 1 when something differs."""
    found = asyncio.run(topics.differences(_kafka()))
    return Told({"differences": found}, found or ["as declared"], status=1 if found else 0)


@topics_app.command("apply")
@at_once
def apply_topics() -> Told:
    """Create what is missing and give the services their rights; another number of partitions is a fault."""
    before = asyncio.run(topics.differences(_kafka()))
    asyncio.run(topics.apply(_kafka()))
    return Told({"mended": before}, [f"mended: {difference}" for difference in before] or ["as declared"])


@at_once
def posters(
    division: Annotated[str, Argument(help="Code of a village, a township or the city.")],
    out: Annotated[Path, Argument(help="The PDF to write.")],
) -> Told:
    """Draw a division's posters into a PDF."""
    out = out.absolute()
    words = ("posters", "--division", division, "--out", str(out))
    answer = asyncio.run(ask.run(ask.running_city(home_path()), "qr", *words))
    if answer.code != 0:
        raise Fault(answer.sentence())
    return Told({"file": str(out), "bytes": out.stat().st_size}, [f"{out} written"])
