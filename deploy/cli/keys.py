"""`sanwu keys …`: every secret of a city can be changed while it runs."""

import asyncio
from typing import Annotated

from services.kit.cli import Told, at_once, new_app
from typer import Argument, Option

from deploy.cli.mount import mount
from deploy.local import ask, rotate
from deploy.local.home import Home, home_path

keys_app = new_app("Keys and passwords of the city, changed while it runs.")
mount(
    keys_app, "rotate-signing", "registry", "keys", "rotate-signing", summary="A new key signs tokens; sessions go on."
)
User = Annotated[
    str, Argument(help="A service; for Kafka also `operator`, or `broker` for the brokers among themselves.")
]


def _home() -> Home:
    return Home(ask.running_city(home_path()).home)


@keys_app.command("rotate-kafka")
@at_once
def rotate_kafka(user: User) -> Told:
    """A new password on Kafka; the service is started anew."""
    asyncio.run(rotate.kafka(_home(), user))
    return Told({"kafka": user}, [f"{user} has a new password on Kafka"])


@keys_app.command("rotate-postgres")
@at_once
def rotate_postgres(service: User) -> Told:
    """A new password on PostgreSQL; the service is started anew."""
    asyncio.run(rotate.postgres(_home(), service))
    return Told({"postgres": service}, [f"{service} has a new password on PostgreSQL"])


@keys_app.command("rotate-root")
@at_once
def rotate_root(*, finish: Annotated[bool, Option("--finish", help="Believe the former key no more.")] = False) -> Told:
    """A new root key vouches for staff and signing keys; the former counts too, until --finish."""
    if finish:
        asyncio.run(rotate.finish_root(_home()))
        return Told({"finished": True}, ["the former root key counts no more"])
    public = asyncio.run(rotate.root(_home()))
    return Told({"root": public}, [f"{public} is the root key; finish when no service is behind: --finish"])
